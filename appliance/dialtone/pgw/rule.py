# SPDX-License-Identifier: Apache-2.0
"""A policy rule: a dedicated bearer that somebody wants, with its class, its rates and its flows (TS 23.203, 6.3)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from dialtone.codec.ipfilter import FilterRule
from dialtone.codec.tft import Direction, PacketFilter
from dialtone.config_policy import PolicyConfig
from dialtone.dispatch import Rx
from dialtone.effects import Effects
from dialtone.errors import LocalError

if TYPE_CHECKING:
    from dialtone.pgw.element import Pgw, Session

FIRST_PRECEDENCE = 16


class Outcome(Enum):
    """What became of the bearer of a rule."""

    MADE = "made"
    REFUSED = "refused"  # there is none
    UNCHANGED = "unchanged"  # it stays as it was before the rule was changed
    GONE = "gone"


Told = Callable[["Pgw", "Session", "Rule", Outcome, str, Rx], Effects]
"""What to do then; the text says why, and is empty where all went as it was wanted."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`arp` is priority, pre-emption capability and vulnerability, of which 0 enables; rates are (down, up) in kbit/s.

    A flow is for both directions unless `directions` says otherwise, one for each flow.
    """

    name: str
    qci: int
    flows: tuple[FilterRule, ...]
    arp: tuple[int, int, int] = (8, 1, 0)
    mbr: tuple[int, int] = (0, 0)
    gbr: tuple[int, int] = (0, 0)
    directions: tuple[Direction, ...] = ()
    packet_filters: tuple[PacketFilter, ...] = ()  # in place of flows, where a phone described them
    told: Told | None = None

    def filters(self, taken: Iterable[int]) -> tuple[PacketFilter, ...]:
        """Packet filters whose precedences are not among those `taken` in the PDN connection (TS 24.301, 6.4.2.4)."""
        used = set(taken)
        free = (number for number in range(FIRST_PRECEDENCE, 256) if number not in used)
        if self.packet_filters:
            return tuple(replace(one, identifier=number, precedence=next(free))
                         for number, one in enumerate(self.packet_filters, 1))
        directions = self.directions or (Direction.BIDIRECTIONAL,) * len(self.flows)
        return tuple(flow.packet_filter(number, next(free), direction)
                     for number, (flow, direction) in enumerate(zip(self.flows, directions, strict=True), 1))

    @classmethod
    def of_config(cls, name: str, policy: PolicyConfig) -> "Rule":
        """A static rule."""
        return cls(
            name, policy.qci, tuple(FilterRule.from_text(text) for text in policy.filters),
            (policy.priority, 0 if policy.may_preempt else 1, 0 if policy.preemptable else 1),
            (policy.mbr_down or policy.gbr_down, policy.mbr_up or policy.gbr_up), (policy.gbr_down, policy.gbr_up))


def rule_of_command(args: Mapping[str, Any]) -> Rule:
    """{name="command", qci=8, gbr_up, gbr_down, mbr_up, mbr_down, filters, ...} as in `[policy.<name>]`.

    Raises LocalError that names what is wrong.
    """
    known = {item.name: item for item in fields(PolicyConfig) if item.name != "apn"}
    values = {}
    for key, value in args.items():
        if key in known:
            try:
                values[key] = known[key].metadata["check"](value)
            except ValueError as error:
                raise LocalError(f"{key} {error}, not {value!r}.") from None
        elif key not in ("imsi", "apn", "name"):
            raise LocalError(f"A bearer has no {key!r}.", remedy=f"Known: name, {', '.join(known)}.")
    policy = PolicyConfig(**values)
    if problem := policy.problem():
        raise LocalError(f"The bearer {problem}.")
    return Rule.of_config(str(args.get("name", "command")), policy)
