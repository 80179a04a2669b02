# SPDX-License-Identifier: Apache-2.0
"""A verdict, and the register of the rules that reach one."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from dialtone.trace.diagnose.story import Step, Story


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"
    FAILURE = "failure"


@dataclass(slots=True)
class Verdict:
    """What a rule found: the cause in a sentence, the evidence by event ids, and what to do.

    `network` is what to change on our side (a subscriber, the configuration, an eNB), `phone` what must
    be done at the phone, "" for nothing. `text` needs no knowledge of the specification.
    """

    rule: str
    level: Level
    text: str
    imsi: str = ""
    network: str = ""
    phone: str = ""
    evidence: tuple[int, ...] = ()

    @property
    def line(self) -> str:
        """All of it in one line."""
        return " ".join(part for part in (self.text, self.network, self.phone) if part)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "line": self.line}


Found = Verdict | None
Finder = Callable[[Story], Found]


@dataclass(frozen=True, slots=True)
class Rule:
    """A finder, and the names of the rules that say less when this one has spoken."""

    name: str
    find: Finder
    instead_of: tuple[str, ...]


RULES: list[Rule] = []
"""In the order in which they are asked."""


def rule(name: str, *, instead_of: tuple[str, ...] = ()) -> Callable[[Finder], Finder]:
    """Register a rule. `instead_of` names more general rules, which keep silent then."""

    def register(find: Finder) -> Finder:
        if any(known.name == name for known in RULES):
            raise ValueError(f"there is a rule {name} already")
        RULES.append(Rule(name, find, instead_of))
        return find

    return register


def failure(name: str, story: Story, text: str, evidence: Iterable[Step | None], *, network: str = "",
            phone: str = "") -> Verdict:
    """A verdict of something that went wrong."""
    ids = tuple(step.id for step in evidence if step is not None)
    return Verdict(name, Level.FAILURE, text, story.imsi, network, phone, ids)


def judge(story: Story) -> list[Verdict]:
    """Ask every rule; a failure silences the more general rules it names."""
    found: list[tuple[Rule, Verdict]] = []
    for one in RULES:
        verdict = one.find(story)
        if verdict is not None:
            found.append((one, verdict))
    silenced = {name for one, _ in found for name in one.instead_of}
    return [verdict for one, verdict in found if one.name not in silenced]
