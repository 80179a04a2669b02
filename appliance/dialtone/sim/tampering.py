# SPDX-License-Identifier: Apache-2.0
"""Faults of a network's elements: what they send is changed, lost, or never sent, as mistakes of other cores have it.

    with Tampering(loop, "no_p_cscf"):
        ...  # the phones meet a network that names no P-CSCF

Each fault is a function of the message that an element is about to send and of the peer; it returns the message to
send in its place, or a fate. What goes into the trace is what was sent. An element knows nothing of it, so this works
on every loop that has elements and simulated phones in one process (a test, a sandbox), and never on a core.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from dialtone.codec.message import Message
from dialtone.dispatch import Rx
from dialtone.effects import Event, Send, Tell
from dialtone.element import Stack
from dialtone.loop import Loop
from dialtone.port import Port
from dialtone.sim.faults import Fault


class Fate(Enum):
    """What becomes of a message that does not arrive."""

    LOST = "sent, and lost on its way"
    UNSENT = "never sent"


@dataclass(frozen=True, slots=True)
class Refused:
    """It is lost, and its sender is told this."""

    event: Event


Outcome = Message | Fate | Refused
Rewrite = Callable[[Any, str], Outcome]


@dataclass(frozen=True, slots=True)
class NetworkFault(Fault):
    """A fault of elements: `places` are (element, reference point); an element `ims-*` is every simulated phone."""

    places: tuple[tuple[str, str], ...] = ()
    messages: tuple[type[Message], ...] = ()
    rewrite: Rewrite = field(kw_only=True)

    def outcome(self, message: Message, peer: str) -> Outcome:
        """What becomes of a message."""
        return self.rewrite(message, peer) if isinstance(message, self.messages) else message


FAULTS: dict[str, NetworkFault] = {}
"""Those of network_faults.py, by name."""


def fault(row: str, *places: str, of: tuple[type[Message], ...]) -> Callable[[Rewrite], Rewrite]:
    """Enter a function into the table: `row` of the catalogue, `places` as `mme NAS`, and the messages it meets."""

    def register(rewrite: Rewrite) -> Rewrite:
        name, text = rewrite.__name__, " ".join((rewrite.__doc__ or "").split())
        pairs = tuple((element, point) for element, _, point in (place.partition(" ") for place in places))
        FAULTS[name] = NetworkFault(name, text, row, ", ".join(places), pairs, of, rewrite=rewrite)
        return rewrite

    return register


class Tampering:
    """One fault at work, from the moment it is made until `end`, or as a context. `concerns` says which peers
    it meets: all of them if it is not given."""

    def __init__(self, loop: Loop, name: str, concerns: Callable[[str], bool] = lambda peer: True) -> None:
        from dialtone.sim import network_faults  # noqa: F401 it fills the table

        self.loop, self.fault, self.concerns = loop, FAULTS[name], concerns
        self._ports: dict[tuple[str, str], Port] = {}
        self._stacks: dict[tuple[str, str], Stack] = {}
        for element, point in self.fault.places:
            for key in list(_meant(loop.stacks, element, point)):
                self._stacks[key] = loop.stacks[key]
                loop.stacks[key] = _TamperedStack(loop.stacks[key], self)
            for key in list(_meant(loop.ports, element, point)):
                self._ports[key] = loop.ports[key]
                _put(loop, key, _TamperedPort.over(loop.ports[key], self))

    def end(self) -> None:
        """All as it was."""
        self.loop.stacks.update(self._stacks)
        for key, port in self._ports.items():
            _put(self.loop, key, port)

    def __enter__(self) -> "Tampering":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def _meant(table: dict[tuple[str, str], Any], element: str, point: str) -> Iterator[tuple[str, str]]:
    for name, here in table:
        if here == point and (name.startswith(element[:-1]) if element.endswith("*") else name == element):
            yield name, here


def _put(loop: Loop, key: tuple[str, str], port: Port) -> None:
    loop.ports[key] = port
    if port.requests is not None:
        port.requests.port = port  # type: ignore[attr-defined]


@dataclass(slots=True)
class _TamperedPort(Port):
    tampering: Tampering | None = None

    @classmethod
    def over(cls, port: Port, tampering: Tampering) -> "_TamperedPort":
        return cls(port.loop, port.element, port.point, port.codec, port.link, port.inside, port.requests, tampering)

    def octets(self, peer: str, name: str, data: bytes, rx: Rx, stream: int = 0, info: str = "") -> None:
        outcome = self._outcome(peer, data)
        if outcome is Fate.UNSENT:
            return
        if isinstance(outcome, Message):
            Port.octets(self, peer, outcome.label, self.codec.encode(outcome), rx, stream, info)
            return
        link, self.link = self.link, _Nowhere()
        Port.octets(self, peer, name, data, rx, stream, info)
        self.link = link
        if isinstance(outcome, Refused):
            self.loop.tell(self.element, outcome.event)

    def _outcome(self, peer: str, data: bytes) -> Outcome:
        assert self.tampering is not None
        message = self.codec.decode(data)
        return self.tampering.fault.outcome(message, peer) if self.tampering.concerns(peer) else message


class _Nowhere:
    """A link that loses everything."""

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """Lost."""


@dataclass(slots=True)
class _TamperedStack:
    """NAS: the message is changed before it is protected."""

    below: Stack
    tampering: Tampering

    def up(self, key: Any, data: bytes) -> tuple[Message, bytes]:
        return self.below.up(key, data)

    def down(self, key: Any, message: Message) -> tuple[bytes, bytes]:
        outcome = self.tampering.fault.outcome(message, self.label(key)) if self.tampering.concerns(
            self.label(key)) else message
        return self.below.down(key, outcome if isinstance(outcome, Message) else message)

    def carry(self, key: Any, data: bytes, via: Message | None) -> Send | Tell | None:
        return self.below.carry(key, data, via)

    def label(self, key: Any) -> str:
        return self.below.label(key)
