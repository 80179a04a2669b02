# SPDX-License-Identifier: Apache-2.0
"""Instant checks of answers. The file of answers holds salted hashes, so that reading it spoils nothing."""

import hashlib
import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

from dialtone.errors import LocalError


def digest(question: str, answer: Any) -> str:
    """The hash of an answer; case, blanks and an enumeration's leading # do not count, octets are as in hexadecimal."""
    text = answer.hex() if isinstance(answer, bytes) else str(answer)
    plain = " ".join(text.lower().split()).removeprefix("#")
    return hashlib.sha256(f"dialtone {question} {plain}".encode()).hexdigest()[:20]


def _known() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((files("dialtone.lab") / "answers.json").read_text("utf-8"))
    return found


def questions() -> list[str]:
    """All questions, in order."""
    return sorted(_known())


def check(question: str, answer: Any, right: Callable[[str, str], set[str]]) -> tuple[bool, str]:
    """Whether the answer is right, and a sentence. `right` finds answers that are different each time: what a field of
    the messages of a name is in this very trace. Raises LocalError for a question that does not exist."""
    known = _known()
    if question not in known:
        raise LocalError(f"There is no question {question!r}.", remedy=f"There are {', '.join(sorted(known))}.")
    asked = known[question]
    if answer is None or answer is ...:
        return False, f"{question}: no answer yet. {asked['hint']}"
    found = set(asked.get("answers", ())) | {digest(question, one) for one in right(*asked.get("seen", ("", "")))}
    if digest(question, answer) in found:
        return True, f"{question}: right."
    return False, f"{question}: not quite. {asked['hint']}"
