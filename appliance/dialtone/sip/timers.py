# SPDX-License-Identifier: Apache-2.0
"""The timers of SIP in one table (RFC 3261, table 4; RFC 6026, 8), and how fast a reference point is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Pace:
    """T1, T2 and T4 in seconds: a round trip, the longest pause between repetitions, how long a message may live."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0


CORE = Pace()
RADIO = Pace(2.0, 16.0, 17.0)
"""Between phone and P-CSCF (TS 24.229, table 7.8)."""


class Timer(NamedTuple):
    """`wire` timers make up for a transport that loses messages: they are zero where it does not."""

    clause: str
    what: str
    wire: bool
    of: Callable[[Pace], float]


TIMERS = {
    "100": Timer("RFC 3261, 17.2.1", "100 Trying, where the element says nothing", False, lambda pace: 0.2),
    "A": Timer("RFC 3261, 17.1.1.2", "first repetition of INVITE", True, lambda pace: pace.t1),
    "B": Timer("RFC 3261, 17.1.1.2", "INVITE given up", False, lambda pace: 64 * pace.t1),
    "C": Timer("RFC 3261, 16.6", "a proxy waits for the answer to INVITE", False, lambda pace: 181.0),
    "D": Timer("RFC 3261, 17.1.1.2", "answers to INVITE may come again", True, lambda pace: max(32.0, 64 * pace.t1)),
    "E": Timer("RFC 3261, 17.1.2.2", "first repetition of another request", True, lambda pace: pace.t1),
    "F": Timer("RFC 3261, 17.1.2.2", "another request given up", False, lambda pace: 64 * pace.t1),
    "G": Timer("RFC 3261, 17.2.1", "first repetition of an answer to INVITE", True, lambda pace: pace.t1),
    "H": Timer("RFC 3261, 17.2.1", "no ACK comes any more", False, lambda pace: 64 * pace.t1),
    "I": Timer("RFC 3261, 17.2.1", "ACK may come again", True, lambda pace: pace.t4),
    "J": Timer("RFC 3261, 17.2.2", "another request may come again", True, lambda pace: 64 * pace.t1),
    "K": Timer("RFC 3261, 17.1.2.2", "answers to another request may come again", True, lambda pace: pace.t4),
    "L": Timer("RFC 6026, 8.7", "INVITE may come again after a 2xx", False, lambda pace: 64 * pace.t1),
    "M": Timer("RFC 6026, 8.4", "further 2xx may come", False, lambda pace: 64 * pace.t1),
}


def seconds(name: str, pace: Pace, *, reliable: bool = False) -> float:
    """How long a timer runs at a point of this pace, over a transport that is reliable or not."""
    timer = TIMERS[name]
    return 0.0 if timer.wire and reliable else timer.of(pace)
