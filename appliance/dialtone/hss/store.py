# SPDX-License-Identifier: Apache-2.0
"""The store as it is read: cheap enough for the event loop. Changes go through `writes` and `writer`."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from dialtone.hss import rows, schema
from dialtone.hss.subscriber import Apn, ImsRegistration, Profile, Registration, Seen, Subscriber
from dialtone.hss.writer import Deliver, Writer

_CACHED = 4096
_K = TypeVar("_K")
_T = TypeVar("_T")


class Store:
    """Reads the database at `path`, creating it where there is none.

    Every read sees all that was committed before it, by whatever process; while it has the writer, nobody else can
    commit, and it sees what was done as soon as anybody is told. A store belongs to the thread that made it. Raises
    LocalError, here and in every method, when the database cannot be used.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        schema.prepare(self.path)
        self._db = schema.connect(self.path, write=False)
        self._writer: Writer | None = None
        self._commits = -1  # of the writer, when we looked last
        self._generation = 0
        self._subscribers: dict[str, Subscriber] = {}
        self._owners: dict[tuple[str, str], str] = {}
        self._served: dict[str, ImsRegistration | None] = {}

    def get(self, imsi: str) -> Subscriber | None:
        """The subscriber with this IMSI; None if it is nobody's."""
        self._look()
        known = self._subscribers.get(imsi)
        if known is None:
            known = self._snapshot(lambda: rows.read_subscriber(self._db, imsi))
            if known is not None:
                _keep(self._subscribers, imsi, known)
        return known

    def subscribers(self, *, tag: str = "") -> list[Subscriber]:
        """All subscribers, or those with `tag`, by IMSI."""
        found = self._snapshot(lambda: rows.read_subscribers(self._db))
        return [s for s in found if tag in s.tags] if tag else found

    def owner(self, kind: str, value: str) -> str | None:
        """The IMSI that has an identity; `kind` is msisdn, impi or impu. None if it is nobody's."""
        self._look()
        known = self._owners.get((kind, value))
        if known is None:
            found = self._rows("SELECT imsi FROM identity WHERE kind = ? AND value = ?", kind, value)
            if not found:
                return None
            known = str(found[0][0])
            _keep(self._owners, (kind, value), known)
        return known

    def profiles(self) -> dict[str, Profile]:
        """All subscription profiles by name."""
        return self._snapshot(lambda: rows.read_profiles(self._db))

    def past_profile(self, name: str) -> Profile | None:
        """What a profile was before its last change or its removal; None when it was never changed."""
        found = self._rows("SELECT was FROM past_profile WHERE name = ? ORDER BY id DESC LIMIT 1", name)
        if not found:
            return None
        was = json.loads(found[0][0])
        return Profile(**{**was, "apns": tuple(Apn(**apn) for apn in was["apns"])})

    def registration(self, imsi: str) -> Registration | None:
        """Who serves this subscriber; None if nobody ever has."""
        found = self._rows(f"{rows.REGISTRATION} WHERE imsi = ?", imsi)
        return rows.registration(found[0]) if found else None

    def registrations(self) -> list[Registration]:
        """All of them by IMSI."""
        return [rows.registration(row) for row in self._rows(f"{rows.REGISTRATION} ORDER BY imsi")]

    def ims_registration(self, imsi: str) -> ImsRegistration | None:
        """Which S-CSCF has this subscriber; None if none has."""
        self._look()
        if imsi not in self._served:
            found = self._rows(f"{rows.IMS_REGISTRATION} WHERE imsi = ?", imsi)
            _keep(self._served, imsi, rows.ims_registration(found[0]) if found else None)
        return self._served[imsi]

    def sqn_mark(self, imsi: str) -> int:
        """The highest SQN (48 bits) that may have been handed out for this IMSI; 0 if none was.

        What this returns is on the disk: a reader sees a commit only after its fsync.
        """
        found = self._rows("SELECT mark FROM sqn WHERE imsi = ?", imsi)
        return int(found[0][0]) if found else 0

    def seen(self) -> list[Seen]:
        """Unknown IMSIs that tried to attach, the latest first."""
        return [Seen(*row) for row in self._rows("SELECT * FROM seen ORDER BY last DESC, imsi")]

    def read(self, reader: Callable[[sqlite3.Connection], _T]) -> _T:
        """What another element's reader finds in its tables."""
        return self._snapshot(lambda: reader(self._db))

    def open_writer(self, deliver: Deliver) -> Writer:
        """Take the lock and start the writer thread. Raises LocalError when another process has the lock."""
        self._writer = Writer(self.path, deliver)
        return self._writer

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def _look(self) -> None:
        """Forget what may have changed since we looked last: subscribers and their identities rarely do."""
        commits = self._writer.commits if self._writer is not None and self._writer.open else -1
        if commits == self._commits != -1:
            return
        self._commits = commits
        self._served.clear()
        generation = self._rows("SELECT n FROM generation")[0][0]
        if generation != self._generation:
            self._generation = generation
            self._subscribers.clear()
            self._owners.clear()

    def _rows(self, sql: str, *arguments: str) -> list[Any]:
        try:
            return self._db.execute(sql, arguments).fetchall()
        except sqlite3.Error as error:
            raise schema.explain(error, self.path) from error

    def _snapshot(self, read: Callable[[], _T]) -> _T:
        # Several queries that must not see a commit between them.
        try:
            self._db.execute("BEGIN")
            try:
                return read()
            finally:
                self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise schema.explain(error, self.path) from error


def _keep(known: dict[_K, _T], key: _K, value: _T) -> None:
    """As long as there are not too many."""
    if len(known) >= _CACHED:
        known.clear()
    known[key] = value
