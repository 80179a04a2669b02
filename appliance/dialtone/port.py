# SPDX-License-Identifier: Apache-2.0
"""One reference point of one element: codec, link, and the requests that are under way there.

What sends here is part of the loop: it traces what it hands to the link.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dialtone.codec.message import Message
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Request, Send, Unanswered
from dialtone.element import Codec, Link

if TYPE_CHECKING:
    from dialtone.loop import Loop


class Arrival(NamedTuple):
    """What becomes of a message that came in: dropped, for this reason, where it must not reach the element; and what
    is to be done in any case, before what the element wants."""

    drop: str = ""
    effects: Sequence[Effect] = ()


class Requests(Protocol):
    """How a protocol ties answers to requests: numbers (requests.py) or transactions (sip/transactions.py)."""

    def arrived(self, rx: Rx, message: Message, data: bytes) -> Arrival:
        """Sort a message into answer (then `rx.request` is set), new request, or repetition."""

    def request(self, effect: Request, rx: Rx) -> None:
        """Send a request of ours and look after it until it is answered, or given up."""

    def answer(self, message: Any, rx: Rx) -> None:
        """Send the answer to the request that `rx` describes."""

    def send(self, effect: Send, rx: Rx) -> None:
        """Send what is neither."""

    def lost(self, peer: str) -> None:
        """The connection with a peer is gone, or did not come about."""

    def waiting(self) -> list[Request]:
        """Our requests that have no answer yet."""


class Policy(Protocol):
    """What a protocol says of its requests."""

    def start(self, port: "Port", numbers: Iterator[int]) -> Requests:
        """The requests of one reference point, counted by `numbers`."""


@dataclass(slots=True)
class Port:
    """A reference point of an element."""

    loop: "Loop"
    element: str
    point: str
    codec: Codec
    link: Link
    inside: bool = False  # both ends in this process: a message is traced once, when it is sent
    requests: Requests | None = field(default=None, repr=False)

    def out(self, peer: str, message: Message, rx: Rx, stream: int = 0) -> bytes:
        """Encode, trace and send; returns the octets."""
        data = self.codec.encode(message)
        self.octets(peer, message.label, data, rx, stream)
        return data

    def octets(self, peer: str, name: str, data: bytes, rx: Rx, stream: int = 0, info: str = "") -> None:
        """Trace and send octets."""
        self.loop.bus.sent(self.loop.clock(), self.point, self.element, peer, name, rx.subject, rx.procedure,
                           rx.state, data, b"", info)
        self.link.send(self.element, peer, data, stream)

    def later(self, key: tuple[Hashable, ...], seconds: float, fire: Callable[[], None]) -> None:
        """Start, or restart, a timer of a request."""
        self.loop.later((self.element, "request", self.point, *key), seconds, fire)

    def cancel(self, key: tuple[Hashable, ...]) -> None:
        """Stop it."""
        self.loop.cancel((self.element, "request", self.point, *key))

    def unanswered(self, request: Request, timer: str) -> None:
        """Nothing came until `timer` expired; the element hears of it."""
        self.loop.bus.done(self.loop.clock(), "timer", self.element, timer, "",
                           f"no answer to {request.message.NAME} from {request.peer}")
        self.loop.tell(self.element, Unanswered(request))
