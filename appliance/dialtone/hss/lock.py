# SPDX-License-Identifier: Apache-2.0
"""Who may write: one process at a time holds a lock file beside the database, the running core or a command."""

import importlib
import os
from pathlib import Path

from dialtone.errors import LocalError

try:
    fcntl = importlib.import_module("fcntl")
except ImportError:  # Windows: only the lab's sandbox runs there, and its database is its own
    fcntl = None  # type: ignore[assignment]


class StoreLock:
    """The right to write to the database at `path`, until `release` or the end of the process, however it ends.

    Raises LocalError when another process has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(path.name + ".lock")
        self._fd = -1
        if fcntl is None:
            return
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LocalError(
                f"{self.path} cannot be opened: {error.strerror}.",
                remedy="Run as the user who owns the database, or as root.",
            ) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            raise LocalError(
                f"{path} is in use by process {holder}.",
                remedy="Let the running core do it (dialtone asks it by itself), or stop it first.",
            ) from error
        os.truncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the right back; more than once does no harm."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> "StoreLock":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
