# SPDX-License-Identifier: Apache-2.0
"""A short message as the SMS centre keeps it, and how it is written down and read."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from dialtone.codec.sms import SmsDeliver, SmsStatusReport, status, tpdu
from dialtone.codec.sms.user_data import Part
from dialtone.errors import ProtocolError
from dialtone.hss import schema

CANCELLED = "cancelled"
"""Why a text failed that was taken back."""
KEPT = 5000
"""So many of the latest texts stay in the store, whatever became of them."""


class State(StrEnum):
    """What became of a text."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    EXPIRED = "expired"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Text:
    """One short message, or one part of a long one. `recipient` is an IMSI, `sender` what the phone shows;
    `sender_imsi` is empty where it is no phone's. `reference`: TP-MR, where a status report is wanted."""

    id: int
    recipient: str
    destination: str
    sender: str
    tpdu: bytes
    submitted: int
    expires: int
    sender_imsi: str = ""
    reference: int | None = None
    state: State = State.WAITING
    ended: int | None = None
    why: str = ""

    @property
    def content(self) -> tuple[str, Part | None]:
        """Its characters, and its place in a long message; a status report is said in words."""
        try:
            decoded = tpdu.decode(self.tpdu, uplink=False)
        except ProtocolError as error:
            return f"({error})", None
        if isinstance(decoded, SmsDeliver):
            return decoded.ud.text, decoded.ud.part
        if isinstance(decoded, SmsStatusReport):
            return f"(status report: {status.words(decoded.status)})", None
        return f"({decoded.NAME})", None


_COLUMNS = ", ".join(field.name for field in fields(Text))


@dataclass(frozen=True, slots=True)
class PutTexts:
    """New texts. Raises sqlite3.IntegrityError where a recipient is no subscriber any more."""

    texts: tuple[Text, ...]

    def apply(self, db: sqlite3.Connection) -> None:
        marks = ", ".join("?" * len(fields(Text)))
        for text in self.texts:
            row = [getattr(text, field.name) for field in fields(Text)]
            db.execute(f"INSERT INTO text ({_COLUMNS}) VALUES ({marks})", row)
        db.execute("DELETE FROM text WHERE state <> 'waiting' AND id <= ?", (self.texts[-1].id - KEPT,))


@dataclass(frozen=True, slots=True)
class EndText:
    """A text is delivered, or given up."""

    id: int
    state: State
    ended: int
    why: str

    def apply(self, db: sqlite3.Connection) -> None:
        db.execute("UPDATE text SET state = ?, ended = ?, why = ? WHERE id = ?",
                   (self.state, self.ended, self.why, self.id))


class Texts:
    """Reads what is written down. Belongs to the thread that made it; raises LocalError like the store."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = schema.connect(path, write=False)

    def waiting(self) -> list[Text]:
        """Those that are to be delivered, the oldest first."""
        return self._read("WHERE state = 'waiting' ORDER BY id")

    def latest(self, count: int) -> list[Text]:
        """The latest ones, the oldest of them first."""
        return self._read("ORDER BY id DESC LIMIT ?", count)[::-1]

    def tally(self, first: int, last: int) -> dict[str, int]:
        """How many of the texts with these numbers there are in each state; those taken back apart."""
        return dict(self._rows("SELECT iif(why = ?, why, state), count(*) FROM text WHERE id BETWEEN ? AND ? "
                               "GROUP BY 1", CANCELLED, first, last))

    def last_id(self) -> int:
        """The highest number given to a text, 0 before the first."""
        return int(self._rows("SELECT coalesce(max(id), 0) FROM text")[0][0])

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def _read(self, rest: str, *arguments: int) -> list[Text]:
        return [replace(Text(*row), state=State(row[9])) for row in self._rows(
            f"SELECT {_COLUMNS} FROM text {rest}", *arguments)]

    def _rows(self, sql: str, *arguments: int | str) -> list[Any]:
        try:
            return self._db.execute(sql, arguments).fetchall()
        except sqlite3.Error as error:
            raise schema.explain(error, self.path) from error


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message for people: one text, or the parts of a long one that are here."""

    texts: tuple[Text, ...]
    total: int

    @property
    def body(self) -> str:
        """Its characters; `...` for parts that are missing."""
        found = {part.number if part else 1: chars for chars, part in (text.content for text in self.texts)}
        return "".join(found.get(number, "...") for number in range(1, self.total + 1))

    @property
    def state(self) -> State:
        """Of the part that is worst off."""
        order = (State.FAILED, State.EXPIRED, State.WAITING, State.DELIVERED)
        return min((text.state for text in self.texts), key=order.index)


def together(texts: Iterable[Text]) -> list[Message]:
    """Texts as messages in order of their first part."""
    found: dict[object, list[Text]] = {}
    totals: dict[object, int] = {}
    for text in texts:
        _, part = text.content
        key: object = text.id
        if part is not None:
            key = (text.recipient, text.sender, part.reference, part.total)
            there = found.get(key, ())
            if any(other.content[1] == part for other in there) or len(there) == part.total:
                found[text.id], totals[text.id] = found.pop(key), totals.pop(key)  # an earlier one of that reference
        found.setdefault(key, []).append(text)
        totals[key] = part.total if part else 1
    ordered = sorted(found.items(), key=lambda item: item[1][0].id)
    return [Message(tuple(parts), totals[key]) for key, parts in ordered]
