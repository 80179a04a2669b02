# SPDX-License-Identifier: Apache-2.0
"""Instant checks of answers. The file of answers holds salted hashes, so that reading it spoils nothing."""

import hashlib
import json
from importlib.resources import files
from typing import Any

from dialtone.errors import LocalError


def digest(question: str, answer: Any) -> str:
    """The hash of an answer; case, blanks and an enumeration's leading # do not count."""
    plain = " ".join(str(answer).lower().split()).removeprefix("#")
    return hashlib.sha256(f"dialtone {question} {plain}".encode()).hexdigest()[:20]


def check(question: str, answer: Any) -> tuple[bool, str]:
    """Whether the answer is right, and a sentence. Raises LocalError for a question that does not exist."""
    known = json.loads((files("dialtone.lab") / "answers.json").read_text("utf-8"))
    if question not in known:
        raise LocalError(f"There is no question {question!r}.", remedy=f"There are {', '.join(sorted(known))}.")
    if answer is None or answer is ...:
        return False, f"{question}: no answer yet. {known[question]['hint']}"
    if digest(question, answer) in known[question]["answers"]:
        return True, f"{question}: right."
    return False, f"{question}: not quite. {known[question]['hint']}"
