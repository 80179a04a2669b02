# SPDX-License-Identifier: Apache-2.0
"""What we know about a message by its name: its clause from the codec tables, and the words of explain/*.md."""

import importlib
import pkgutil
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from dialtone import codec
from dialtone.codec.message import Message
from dialtone.trace.bus import Event
from dialtone.trace.names import Identities


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


def states(events: Iterable[Event], event: Event, identities: Identities) -> str:
    """The state of who handled a message, before and after it, and what changed because of it."""
    subject, before, changes, after = identities.imsi(event), "", [], False
    for one in events:
        if one.id == event.id:
            after = True
        elif identities.imsi(one) == subject:
            if after and one.kind != "done":
                break
            if after and one.point == "state":
                changes.append(f"{one.src}, {one.name}: {one.info}")
            elif not after and one.state and one.kind != "done":
                before = one.state
    if not subject or not (event.state or changes):
        return ""
    return "\n".join([f"before: {before or 'not known'}", f"after:  {event.state or before}", *changes])
