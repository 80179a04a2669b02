# SPDX-License-Identifier: Apache-2.0
"""Requests in flight at one reference point: numbering, matching answers, spotting repetitions.

GTPv2-C (TS 29.274, 7.6) and Diameter (RFC 6733, 5.5.4 and 6.2) differ here in a few numbers only.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dialtone.codec.message import Message
from dialtone.dispatch import Rx
from dialtone.effects import Request, Send, SendOctets
from dialtone.port import Arrival, Port


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

    def start(self, port: Port, numbers: Iterator[int]) -> "InFlight":
        """The requests of one reference point."""
        return InFlight(self, port, numbers)


GTPC = Policy("sequence", (), 0x7FFFFF, "T3-RESPONSE", 3.0, 3)
DIAMETER = Policy("hop_by_hop", ("end_to_end",), 0xFFFFFFFF, "Tx", 10.0, 0)

_ANSWERS = ("Response", "Answer", "Acknowledge")
COMMAND, COMMAND_MARK = "Command", 0x800000
_REMEMBERED = 256


def is_answer(kind: type[Message]) -> bool:
    """Whether messages of this class answer requests."""
    return kind.__name__.endswith(_ANSWERS)


@dataclass(slots=True)
class _Theirs:
    """A request of a peer, and what it was answered with. A repetition has the same octets; a peer that was restarted
    and counts from the beginning does not repeat itself."""

    octets: bytes
    answer: bytes | None = None
    name: str = ""


@dataclass(slots=True)
class InFlight:
    """The requests of one reference point, ours and those of the peers. Elements that share an address share
    `numbers`: a peer knows our requests by them (TS 29.274, 7.6)."""

    policy: Policy
    port: Port
    numbers: Iterator[int]
    ours: dict[tuple[str, int], Request] = field(default_factory=dict)
    theirs: "OrderedDict[tuple[str, int], _Theirs]" = field(default_factory=OrderedDict)

    def number(self, message: Message) -> int:
        """The number that ties an answer to its request."""
        return int(getattr(message, self.policy.number))

    def request(self, effect: Request, rx: Rx) -> None:
        """Number a request of ours, send it and repeat it until it is answered."""
        number = self._notify(effect.message, effect.number)
        self.ours[effect.peer, number] = effect
        data = self.port.out(effect.peer, effect.message, rx)
        self._repeat(effect, number, data, rx, self.policy.repeats if effect.repeats is None else effect.repeats)

    def send(self, effect: Send, rx: Rx) -> None:
        """Send a message; one without a number is neither request nor answer, but an indication, and gets one."""
        if not self.number(effect.message):
            self._notify(effect.message)
        self.port.out(effect.peer, effect.message, rx, effect.stream)

    def answer(self, message: Any, rx: Rx) -> None:
        """Answer a request under its own numbers, and keep the answer for the case that the request comes again."""
        request = rx.message
        for name in (self.policy.number, *self.policy.also):
            setattr(message, name, getattr(request, name))
        data = self.port.out(rx.peer, message, rx, rx.stream)
        if (known := self.theirs.get((rx.peer, self.number(message)))) is not None:
            known.answer, known.name = data, message.label

    def lost(self, peer: str) -> None:
        """What a peer that went away is asked is repeated like the rest: it may come back."""

    def waiting(self) -> list[Request]:
        """Our requests that have no answer yet."""
        return list(self.ours.values())

    def arrived(self, rx: Rx, message: Message, data: bytes) -> Arrival:
        """Sort a message into answer, new request or repetition."""
        key = (rx.peer, self.number(message))
        command = self.ours.get(key)
        answers = type(message).__name__.endswith(("BearerRequest", "FailureIndication"))
        if command is not None and answers and type(command.message).__name__.endswith(COMMAND):
            self.theirs[key] = _Theirs(data)  # answered by a request or a failure indication with its number
            return self._answered(key, rx)
        if is_answer(type(message)):
            request = self.ours.get(key)
            if request is None or _subject(request.message) != _subject(message):
                return Arrival("duplicate")
            return self._answered(key, rx)
        known = self.theirs.get(key)
        if known is not None and known.octets == data:
            again = known.answer
            effects = [] if again is None else [SendOctets(rx.point, rx.peer, known.name, again, "retransmission")]
            return Arrival("duplicate", effects)
        self.theirs[key] = _Theirs(data)
        if len(self.theirs) > _REMEMBERED:
            self.theirs.popitem(last=False)
        return Arrival()

    def _answered(self, key: tuple[str, int], rx: Rx) -> Arrival:
        rx.request = self.ours.pop(key)
        self.port.cancel(key)
        return Arrival()

    def _notify(self, message: Message, number: int | None = None) -> int:
        """Number a message of ours; with the number of a command, and the mark of one, where it has to do with such
        (TS 29.274, 7.6)."""
        if number is None:
            number = next(self.numbers) & self.policy.limit
            if type(message).__name__.endswith(COMMAND):
                number |= COMMAND_MARK
        for name in (self.policy.number, *self.policy.also):
            setattr(message, name, number)
        return number

    def _repeat(self, request: Request, number: int, data: bytes, rx: Rx, left: int) -> None:
        """Arm the retransmission of a request: T3-RESPONSE and N3-REQUESTS of GTPv2-C, Tx of Diameter."""

        def again() -> None:
            if left:
                self.port.octets(request.peer, request.message.NAME, data, rx, info="retransmission")
                self._repeat(request, number, data, rx, left - 1)
            else:
                del self.ours[request.peer, number]
                self.port.unanswered(request, self.policy.timer)

        self.port.later((request.peer, number), self.policy.seconds, again)


def _subject(message: Message) -> str:
    """What a request and its answer have in common: `CreateSession`."""
    name = type(message).__name__
    return next((name.removesuffix(end) for end in ("Request", *_ANSWERS) if name.endswith(end)), name)
