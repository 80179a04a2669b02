# SPDX-License-Identifier: Apache-2.0
"""Requests in flight at one reference point: numbering, matching answers, spotting repetitions.

GTPv2-C (TS 29.274, 7.6) and Diameter (RFC 6733, 5.5.4 and 6.2) differ here in a few numbers only.
"""

import itertools
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dialtone.codec.message import Message
from dialtone.effects import Request


@dataclass(frozen=True, slots=True)
class Policy:
    """How a protocol numbers and repeats its requests.

    `number` is the message attribute that answers carry back, `also` further attributes to copy;
    `seconds` is `timer`, `repeats` how often a request goes out again before it is given up.
    """

    number: str
    also: tuple[str, ...]
    limit: int
    timer: str
    seconds: float
    repeats: int


GTPC = Policy("sequence", (), 0xFFFFFF, "T3-RESPONSE", 3.0, 3)
DIAMETER = Policy("hop_by_hop", ("end_to_end",), 0xFFFFFFFF, "Tx", 10.0, 0)

_ANSWERS = ("Response", "Answer", "Acknowledge")
_REMEMBERED = 256


class Arrival(NamedTuple):
    """What is known of a message that came in: our request it answers, or that it must not go further."""

    request: Request | None = None
    drop: bool = False
    repeat: bytes | None = None


@dataclass(slots=True)
class InFlight:
    """The requests of one reference point, ours and those of the peers."""

    policy: Policy
    ours: dict[tuple[str, int], Request] = field(default_factory=dict)
    theirs: "OrderedDict[tuple[str, int], bytes | None]" = field(default_factory=OrderedDict)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def number(self, message: Message) -> int:
        """The number that ties an answer to its request."""
        return int(getattr(message, self.policy.number))

    def begin(self, request: Request) -> int:
        """Number a request of ours and remember it."""
        number = next(self._numbers) & self.policy.limit
        for name in (self.policy.number, *self.policy.also):
            setattr(request.message, name, number)
        self.ours[request.peer, number] = request
        return number

    def abandon(self, peer: str, number: int) -> bool:
        """Give a request up; False if it was answered meanwhile."""
        return self.ours.pop((peer, number), None) is not None

    def arrived(self, peer: str, message: Message) -> Arrival:
        """Sort a message into answer, new request or repetition."""
        key = (peer, self.number(message))
        if type(message).__name__.endswith(_ANSWERS):
            request = self.ours.pop(key, None)
            return Arrival(request, drop=request is None)
        if key in self.theirs:
            return Arrival(drop=True, repeat=self.theirs[key])
        self.theirs[key] = None
        if len(self.theirs) > _REMEMBERED:
            self.theirs.popitem(last=False)
        return Arrival()

    def adopt(self, request: Message, answer: Any) -> None:
        """Give an answer the numbers of its request."""
        for name in (self.policy.number, *self.policy.also):
            setattr(answer, name, getattr(request, name))

    def answered(self, peer: str, request: Message, data: bytes) -> None:
        """Keep an answer for the case that the request comes again."""
        key = (peer, self.number(request))
        if key in self.theirs:
            self.theirs[key] = data
