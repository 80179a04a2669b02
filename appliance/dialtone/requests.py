# SPDX-License-Identifier: Apache-2.0
"""Requests in flight at one reference point: numbering, matching answers, spotting repetitions.

GTPv2-C (TS 29.274, 7.6) and Diameter (RFC 6733, 5.5.4 and 6.2) differ here in a few numbers only.
"""

import itertools
from collections import OrderedDict
from collections.abc import Iterator
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


GTPC = Policy("sequence", (), 0x7FFFFF, "T3-RESPONSE", 3.0, 3)
DIAMETER = Policy("hop_by_hop", ("end_to_end",), 0xFFFFFFFF, "Tx", 10.0, 0)

_ANSWERS = ("Response", "Answer", "Acknowledge")
COMMAND, COMMAND_MARK = "Command", 0x800000
_REMEMBERED = 256


def is_answer(kind: type[Message]) -> bool:
    """Whether messages of this class answer requests."""
    return kind.__name__.endswith(_ANSWERS)


class Arrival(NamedTuple):
    """What is known of a message that came in: our request it answers, or that it must not go further."""

    request: Request | None = None
    drop: bool = False
    repeat: bytes | None = None


@dataclass(slots=True)
class _Theirs:
    """A request of a peer, and what it was answered with. A repetition has the same octets; a peer that was restarted
    and counts from the beginning does not repeat itself."""

    octets: bytes
    answer: bytes | None = None


@dataclass(slots=True)
class InFlight:
    """The requests of one reference point, ours and those of the peers. Elements that share an address share
    `numbers`: a peer knows our requests by them (TS 29.274, 7.6)."""

    policy: Policy
    ours: dict[tuple[str, int], Request] = field(default_factory=dict)
    theirs: "OrderedDict[tuple[str, int], _Theirs]" = field(default_factory=OrderedDict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def number(self, message: Message) -> int:
        """The number that ties an answer to its request."""
        return int(getattr(message, self.policy.number))

    def begin(self, request: Request) -> int:
        """Number a request of ours and remember it."""
        number = self.notify(request.message, request.number)
        self.ours[request.peer, number] = request
        return number

    def notify(self, message: Message, number: int | None = None) -> int:
        """Number a message of ours, which has no answer unless it is remembered; with the number of a command, and the
        mark of one, where it has to do with such (TS 29.274, 7.6)."""
        if number is None:
            number = next(self.numbers) & self.policy.limit
            if type(message).__name__.endswith(COMMAND):
                number |= COMMAND_MARK
        for name in (self.policy.number, *self.policy.also):
            setattr(message, name, number)
        return number

    def abandon(self, peer: str, number: int) -> bool:
        """Give a request up; False if it was answered meanwhile."""
        return self.ours.pop((peer, number), None) is not None

    def arrived(self, peer: str, message: Message, data: bytes) -> Arrival:
        """Sort a message into answer, new request or repetition."""
        key = (peer, self.number(message))
        command = self.ours.get(key)
        answers = type(message).__name__.endswith(("BearerRequest", "FailureIndication"))
        if command is not None and answers and type(command.message).__name__.endswith(COMMAND):
            del self.ours[key]  # answered by a request or a failure indication with its number
            self.theirs[key] = _Theirs(data)
            return Arrival(command)
        if is_answer(type(message)):
            request = self.ours.get(key)
            if request is None or _subject(request.message) != _subject(message):
                return Arrival(drop=True)
            del self.ours[key]
            return Arrival(request)
        known = self.theirs.get(key)
        if known is not None and known.octets == data:
            return Arrival(drop=True, repeat=known.answer)
        self.theirs[key] = _Theirs(data)
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
            self.theirs[key].answer = data


def _subject(message: Message) -> str:
    """What a request and its answer have in common: `CreateSession`."""
    name = type(message).__name__
    return next((name.removesuffix(end) for end in ("Request", *_ANSWERS) if name.endswith(end)), name)
