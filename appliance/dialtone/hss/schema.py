# SPDX-License-Identifier: Apache-2.0
"""Opening the database: creation, migration, and errors in words."""

import os
import sqlite3
from pathlib import Path

from dialtone.errors import LocalError
from dialtone.hss.lock import StoreLock

APPLICATION_ID = 0x4469_616C  # "Dial": tells our file from any other SQLite database
# File n leads from version n to version n + 1.
MIGRATIONS = ("schema.sql", "schema_ims.sql", "schema_calls.sql", "texts.sql", "addresses.sql")


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """A connection for reading, or the one for writing, whose commits are on the disk when they return.

    WAL with synchronous FULL: with less the last commits may be lost with the power, and an SQN be used twice.
    Transactions are begun and ended by hand.
    """
    db = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=not write)
    try:
        if write:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA foreign_keys = ON")
        else:
            db.execute("PRAGMA query_only = ON")
    except sqlite3.Error as error:
        db.close()
        raise explain(error, path) from error
    return db


def prepare(path: Path) -> None:
    """Create the database, or bring it to the newest version, or see that it is whole.

    Raises LocalError for a file that is damaged, made by a newer version, or no database of ours. A database of an
    older version is copied beside itself before it is changed.
    """
    try:
        version = _version(path)
        if version == len(MIGRATIONS):
            return
        with StoreLock(path):
            _migrate(path)
    except sqlite3.Error as error:
        raise explain(error, path) from error


def explain(error: sqlite3.Error, path: Path) -> LocalError:
    """What went wrong with the database at `path`, and what to do about it."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return _damaged(path, str(error))
    if name.startswith("SQLITE_FULL"):
        return LocalError(f"The disk of {path} is full.", remedy="Make room, for instance by deleting old traces.")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return LocalError(
            f"The database {path} cannot be written or opened ({error}).",
            remedy="Check that its directory exists and belongs to the user who runs Dialtone.",
        )
    if name.startswith("SQLITE_BUSY"):
        return LocalError(f"Another program keeps {path} locked.", remedy="Close it, then try again.")
    return LocalError(f"The database {path} reports: {error}.", remedy="Check the disk and its free space.")


def _damaged(path: Path, finding: str) -> LocalError:
    return LocalError(
        f"The database {path} is damaged ({finding}).",
        remedy="Stop the core, move the file and its -wal and -shm aside, and put a backup in its place; "
        "without one begin anew and import the subscribers: their phones adapt the SQN by themselves.",
    )


def _version(path: Path) -> int:
    if not path.exists() or path.stat().st_size == 0:
        return 0
    db = connect(path, write=False)
    try:
        version, application = (
            db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "application_id")
        )
        if application != APPLICATION_ID:
            raise LocalError(f"{path} is no database of Dialtone.", remedy="Name another file.")
        if version > len(MIGRATIONS):
            raise LocalError(
                f"{path} was made by a newer Dialtone (version {version}, this one knows {len(MIGRATIONS)}).",
                remedy="Install the newer Dialtone again, or put a backup of the older database in its place.",
            )
        findings = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if findings != "ok":
            raise _damaged(path, findings)
        return int(version)
    finally:
        db.close()


def _migrate(path: Path) -> None:
    # Keys are in it: the file is the owner's alone from its first moment.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))
    version = _version(path)  # again, now that nobody else can change it
    db = connect(path, write=True)
    try:
        # A table that is replaced must not take with it what refers to its rows.
        db.execute("PRAGMA foreign_keys = OFF")
        if 0 < version < len(MIGRATIONS):
            backup = path.with_name(f"{path.name}.version{version}")
            backup.unlink(missing_ok=True)
            db.execute("VACUUM INTO ?", (str(backup),))
            backup.chmod(0o600)
        for number in range(version, len(MIGRATIONS)):
            script = (Path(__file__).parent / MIGRATIONS[number]).read_text(encoding="utf-8")
            db.executescript(
                f"BEGIN EXCLUSIVE; {script}\n"
                f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number + 1}; COMMIT;"
            )
    finally:
        db.close()
