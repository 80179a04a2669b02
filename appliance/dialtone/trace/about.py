# SPDX-License-Identifier: Apache-2.0
"""What we know about a message by its name: its clause from the codec tables, and the words of explain/*.md."""

import importlib
import pkgutil
import re
from functools import cache
from importlib.resources import files

from dialtone import codec
from dialtone.codec.message import Message


@cache
def clauses() -> dict[str, str]:
    """Message name, as tshark prints it, -> clause that defines it; for every message of every codec."""
    for module in pkgutil.iter_modules(codec.__path__, "dialtone.codec."):
        importlib.import_module(module.name)
    found: dict[str, str] = {}
    waiting = list(Message.__subclasses__())
    while waiting:
        cls = waiting.pop()
        waiting += cls.__subclasses__()
        if cls.NAME:
            found[cls.NAME] = cls.CLAUSE
    return found


_ALIKE = {"S5/S8": "S11"}  # GTPv2-C says the same at both


@cache
def _explanations(point: str) -> dict[str, str]:
    point = _ALIKE.get(point, point)
    path = files("dialtone.trace") / "explain" / f"{point}.md"
    if not re.fullmatch(r"[\w-]+", point) or not path.is_file():
        return {}
    parts = re.split(r"^## (.+)$", path.read_text("utf-8"), flags=re.M)
    return {name.strip(): " ".join(text.split()) for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def explain(point: str, name: str) -> str:
    """A few sentences about a message, a timer or a state machine; nothing where nobody wrote any. Answers of SIP,
    `401 Unauthorized (REGISTER)`, are explained together."""
    known = _explanations(point)
    return known.get(name) or known.get(re.sub(r"^\d{3} .*\((\w+)\)$", r"\1 response", name), "")


def explained(point: str) -> list[str]:
    """The names that a point's file explains."""
    return list(_explanations(point))
