# SPDX-License-Identifier: Apache-2.0
"""Call detail records in the store."""

import sqlite3
from dataclasses import astuple, dataclass

KEPT = 100_000  # the newest ones


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call. Times in seconds since the epoch, `answered` 0 where nobody did; `status` is that of the final answer."""

    began: float
    answered: float
    ended: float
    caller: str
    called: str
    dialled: str
    status: int
    reason: str
    call_id: str

    @property
    def seconds(self) -> float:
        """How long they talked."""
        return self.ended - self.answered if self.answered else 0.0


@dataclass(frozen=True, slots=True)
class PutCall:
    """Keep a record; the oldest one goes when there are too many."""

    record: CallRecord

    def apply(self, db: sqlite3.Connection) -> None:
        """Inside a transaction."""
        row = db.execute("INSERT INTO call_record (began, answered, ended, caller, called, dialled, status, reason,"
                         " call_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", astuple(self.record))
        db.execute("DELETE FROM call_record WHERE id <= ?", ((row.lastrowid or 0) - KEPT,))


def read_calls(db: sqlite3.Connection, limit: int) -> list[CallRecord]:
    """The newest records, the newest first."""
    rows = db.execute("SELECT began, answered, ended, caller, called, dialled, status, reason, call_id"
                      " FROM call_record ORDER BY id DESC LIMIT ?", (limit,))
    return [CallRecord(*row) for row in rows]
