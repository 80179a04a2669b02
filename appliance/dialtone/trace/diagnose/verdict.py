# SPDX-License-Identifier: Apache-2.0
"""A verdict, and the register of the rules that reach one."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
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
    be done at the phone, "" for nothing. `text` needs no knowledge of the specification. `row` is the rule's row
    of the catalogue (docs/diagnosis.md), "" for none.
    """

    rule: str
    level: Level
    text: str
    imsi: str = ""
    network: str = ""
    phone: str = ""
    evidence: tuple[int, ...] = ()
    row: str = ""

    @property
    def line(self) -> str:
        """All of it in one line."""
        return " ".join(part for part in (self.text, self.network, self.phone) if part)

    @property
    def change(self) -> str:
        """Who must change for it: `network`, `phone`, `network or phone`, or "" for nobody."""
        return " or ".join(who for who, what in (("network", self.network), ("phone", self.phone)) if what)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "line": self.line, "change": self.change}


Found = Verdict | None
Finder = Callable[[Story], Found]


@dataclass(frozen=True, slots=True)
class Rule:
    """A finder, and what is known of its verdict beforehand.

    `row`: of the catalogue. `network`, `phone`: the remedy where the finder names none; `{imsi}` is the phone's.
    `attach`: it looks at all since the last attach, not at the last attempt alone. `instead_of`: the rules that say
    less when this one has spoken. `general`: it says less than any that finds a failure.
    """

    name: str
    find: Finder
    row: str
    network: str
    phone: str
    attach: bool
    general: bool
    instead_of: tuple[str, ...]

    def ask(self, story: Story) -> Found:
        """Its verdict on a story. What is about no phone has no attach."""
        if self.attach and not story.imsi:
            return None
        verdict = self.find(story.since_attach or story if self.attach else story)
        if verdict is None:
            return None
        verdict.row = self.row
        if not verdict.network and not verdict.phone:
            verdict.network, verdict.phone = (text.replace("{imsi}", story.imsi or "IMSI")
                                              for text in (self.network, self.phone))
        return verdict


RULES: list[Rule] = []
"""In the order in which they are asked."""


def rule(name: str, row: str = "", *, network: str = "", phone: str = "", attach: bool = False,
         general: bool = False, instead_of: tuple[str, ...] = ()) -> Callable[[Finder], Finder]:
    """Register a rule (see Rule)."""

    def register(find: Finder) -> Finder:
        if any(known.name == name for known in RULES):
            raise ValueError(f"there is a rule {name} already")
        RULES.append(Rule(name, find, row, network, phone, attach, general, instead_of))
        return find

    return register


def failure(name: str, story: Story, text: str, evidence: Iterable[Step | None], *, network: str = "",
            phone: str = "") -> Verdict:
    """A verdict of something that went wrong."""
    ids = tuple(sorted({step.id for step in evidence if step is not None}))
    return Verdict(name, Level.FAILURE, text, story.imsi, network, phone, ids)


def note(name: str, story: Story, text: str, evidence: Iterable[Step | None], *, phone: str = "") -> Verdict:
    """A verdict of something to know, which stops nothing."""
    return replace(failure(name, story, text, evidence, phone=phone), level=Level.NOTE)


def judge(story: Story) -> list[Verdict]:
    """Ask every rule; a failure silences the more general rules it names, and whoever says that all is well."""
    found = [(one, verdict) for one in RULES if (verdict := one.ask(story)) is not None]
    silenced = {name for one, _ in found for name in one.instead_of}
    found = [(one, verdict) for one, verdict in found if one.name not in silenced]
    failed = any(verdict.level is Level.FAILURE and not one.general for one, verdict in found)
    found = [(one, verdict) for one, verdict in found if not (failed and one.general)]
    wrong = any(verdict.level is Level.FAILURE for _, verdict in found)
    return [verdict for _, verdict in found if not (wrong and verdict.level is Level.OK)]
