# SPDX-License-Identifier: Apache-2.0
"""The one thread that changes the store: everything that waits is committed together, with one fsync."""

import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from dialtone.effects import Write
from dialtone.errors import LocalError
from dialtone.hss import schema
from dialtone.hss.lock import StoreLock

Done = Callable[[Exception | None], None]
# Runs a function with its arguments where completions belong: asyncio's call_soon_threadsafe.
Deliver = Callable[..., object]
_Job = tuple[Sequence[Write], Done]
_Result = tuple[Done, Exception | None]
# More than this many batches would keep the first of them waiting.
_GROUP = 512


class Writer:
    """Commits batches of writes durably and in order, and holds the store's lock for as long as it lives.

    Raises LocalError when another process has the lock or the database cannot be opened.
    """

    def __init__(self, path: Path, deliver: Deliver) -> None:
        self._path = path
        self._deliver = deliver
        self._lock = StoreLock(path)
        try:
            self._db = schema.connect(path, write=True)
        except BaseException:
            self._lock.release()
            raise
        self.commits = 0  # how many there have been; counted before anybody is told
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self.open = True
        # A daemon: what an abrupt end cuts off was not promised to anybody yet.
        self._thread = threading.Thread(target=self._run, name="dialtone-store", daemon=True)
        self._thread.start()

    def submit(self, writes: Sequence[Write], done: Done) -> None:
        """Commit `writes`, all or none, then have `done(None)` delivered, or `done(error)` if they failed.

        Batches are independent of each other: one that fails takes no other along. Raises LocalError after `close`.
        """
        if not self.open:
            raise LocalError("The store is closed.", remedy="Dialtone is shutting down; try again once it runs.")
        self._jobs.put((writes, done))

    def close(self) -> None:
        """Commit what waits, end the thread, give back the lock; more than once does no harm."""
        if not self.open:
            return
        self.open = False
        self._jobs.put(None)
        self._thread.join()
        self._db.close()
        self._lock.release()

    def _run(self) -> None:
        going = True
        while going:
            group: list[_Job] = []
            job = self._jobs.get()
            while job is not None:
                group.append(job)
                if len(group) == _GROUP or self._jobs.empty():
                    break
                job = self._jobs.get()
            going = job is not None
            if group:
                results = commit(self._db, self._path, group)
                self.commits += 1
                # RuntimeError: the loop has ended. Nobody is left to be told, and the data is safe.
                with contextlib.suppress(RuntimeError):
                    self._deliver(_complete, results)


def commit(db: sqlite3.Connection, path: Path, group: Sequence[_Job]) -> list[_Result]:
    """Apply each batch of `group` in a savepoint of its own and commit them with one fsync."""
    results: list[_Result] = []
    try:
        db.execute("BEGIN IMMEDIATE")
        results = [(done, _apply(db, path, writes)) for writes, done in group]
        db.execute("COMMIT")
    except sqlite3.Error as error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        problem = schema.explain(error, path)
        return [(done, problem) for _, done in group]
    return results


def commit_now(path: Path, writes: Sequence[Write]) -> None:
    """Commit `writes`, all or none, from a process that is not the core: under the lock, in this thread.

    Raises LocalError when another process has the lock or a write is refused.
    """
    with StoreLock(path):
        db = schema.connect(path, write=True)
        try:
            ((_, error),) = commit(db, path, [(writes, _ignore)])
        finally:
            db.close()
    if error is not None:
        raise error


def _apply(db: sqlite3.Connection, path: Path, writes: Sequence[Write]) -> Exception | None:
    db.execute("SAVEPOINT batch")
    try:
        for write in writes:
            write.apply(db)
    except Exception as error:
        # Where SQLite has given up the whole transaction (disk full) this raises too, and every batch fails.
        db.execute("ROLLBACK TO batch")
        db.execute("RELEASE batch")
        return schema.explain(error, path) if isinstance(error, sqlite3.Error) else error
    db.execute("RELEASE batch")
    return None


def _complete(results: list[_Result]) -> None:
    for done, error in results:
        done(error)


def _ignore(error: Exception | None) -> None:
    pass
