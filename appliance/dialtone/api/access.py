# SPDX-License-Identifier: Apache-2.0
"""Who may do what: the teacher's token, the class code, the students who have come with it, and guesses counted.

The teacher's token and the sessions of students are too long to be guessed, and are looked at whatever else happens;
the class code is short, so that it can be read from a blackboard: whoever tries wrong ones is not heard for a while.
"""

import json
import logging
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from enum import IntEnum
from hmac import compare_digest
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, NamedTuple

from dialtone.errors import DialtoneError, LocalError

log = logging.getLogger("dialtone.api.access")

GUESSES = 10  # wrong tokens of one address within WINDOW
WINDOW = 60.0  # seconds
ADDRESSES = 1024  # of which wrong tokens are remembered
STUDENTS = 100
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that is taken for another one
NAME_LIMIT = 24


class Role(IntEnum):
    """What somebody is here; each may do what those before it may."""

    ANYBODY = 0
    STUDENT = 1
    TEACHER = 2


class Who(NamedTuple):
    """Whom a token belongs to; a student has a nickname once he has joined the class."""

    role: Role = Role.ANYBODY
    nickname: str = ""


class TooManyGuesses(DialtoneError):
    """This address has tried too many wrong tokens."""


class WrongToken(DialtoneError):
    """Nobody's token."""


class Access:
    """Tokens and sessions, kept in `file` (readable for its owner only), or in memory without one."""

    def __init__(self, file: Path | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self.teacher = self.code = ""
        self.students: dict[str, str] = {}
        self._load()

    # ---- who is it -------------------------------------------------------------------------------

    def who(self, token: str, address: str) -> Who:
        """Whose token this is. Raises WrongToken, or TooManyGuesses without a look at the class code."""
        if not token:
            return Who()
        if _same(token, self.teacher):
            return Who(Role.TEACHER)
        for nickname, session in self.students.items():
            if _same(token, session):
                return Who(Role.STUDENT, nickname)
        source = _source(address)
        if self._guesses(source) >= GUESSES:
            raise TooManyGuesses(f"Too many wrong tokens from {source}.")
        if self.code and _same(_plain(token), _plain(self.code)):
            return Who(Role.STUDENT)
        self._count(source)
        raise WrongToken("This token is nobody's.")

    def _guesses(self, source: str) -> int:
        begun, count = self._wrong.get(source, (0.0, 0))
        return count if self._clock() - begun < WINDOW else 0

    def _count(self, source: str) -> None:
        count = self._guesses(source) + 1
        begun = self._wrong[source][0] if count > 1 else self._clock()
        self._wrong[source] = begun, count
        self._wrong.move_to_end(source)
        if len(self._wrong) > ADDRESSES:
            self._wrong.popitem(last=False)
        log.warning("wrong token from %s, number %d%s", source, count,
                    f": not listened to for {WINDOW:.0f} s" if count == GUESSES else "")

    # ---- the teacher's business ------------------------------------------------------------------

    def rotate(self, role: Role) -> str:
        """A new token; whoever came by the old one is out. Of students it opens the class."""
        if role is Role.TEACHER:
            self.teacher = _long()
        else:
            self.code = _short()
            self.students.clear()
        self._save()
        return self.teacher if role is Role.TEACHER else self.code

    def close(self) -> None:
        """No students any more."""
        self.code = ""
        self.students.clear()
        self._save()

    def join(self, nickname: str) -> str:
        """Let a student in by a name of his own; returns the token of his session. Raises LocalError."""
        name = " ".join(nickname.split())
        if not name or len(name) > NAME_LIMIT or not all(letter.isalnum() or letter in " -_." for letter in name):
            raise LocalError("A nickname has 1 to 24 letters, digits, blanks, dots or dashes.",
                             remedy="Choose another.")
        if name.casefold() in map(str.casefold, self.students):
            raise LocalError(f"Somebody is called {name} already.",
                             remedy="Choose another, or ask your teacher to take that one out.")
        if len(self.students) >= STUDENTS:
            raise LocalError(f"The class has {STUDENTS} students, and no more.", remedy="Ask your teacher.")
        self.students[name] = _long()
        self._save()
        return self.students[name]

    def leave(self, nickname: str) -> None:
        """Take a student out. Raises LocalError for one who is not there."""
        if self.students.pop(nickname, None) is None:
            raise LocalError(f"There is no student {nickname}.", remedy="`dialtone class show` lists all.")
        self._save()

    # ---- the file --------------------------------------------------------------------------------

    def _load(self) -> None:
        found: dict[str, Any] = {}
        if self._file is not None and self._file.is_file():
            try:
                found = json.loads(self._file.read_text("utf-8"))
                self.teacher, self.code, self.students = found["teacher"], found["code"], dict(found["students"])
            except (ValueError, KeyError, TypeError) as error:
                log.error("%s cannot be read (%s): everybody gets new tokens", self._file, error)
        if not self.teacher:
            self.teacher, self.code, self.students = _long(), _short(), {}
            self._save()

    def _save(self) -> None:
        if self._file is not None:
            write_private(self._file, {"teacher": self.teacher, "code": self.code, "students": self.students})


def write_private(file: Path, content: Any) -> None:
    """Replace a JSON file as a whole; only its owner may read it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        json.dump(content, out, indent=1)
    fresh.replace(file)


def _long() -> str:
    return secrets.token_urlsafe(24)


def _short() -> str:
    letters = "".join(secrets.choice(LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def _plain(code: str) -> str:
    return code.replace("-", "").replace(" ", "").lower()


def _same(one: str, other: str) -> bool:
    return compare_digest(one.encode("utf-8", "replace"), other.encode())


def _source(address: str) -> str:
    """Who guesses: an IPv4 address, or all of an IPv6 /64, which one machine may have for itself."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(ip_network(f"{found}/64", strict=False)) if found.version == 6 else str(found)
