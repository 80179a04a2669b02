# SPDX-License-Identifier: Apache-2.0
"""What the loop joins: elements, and the codecs, links and stacked links at their reference points."""

from typing import Any, Protocol

from dialtone.codec.message import Message
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Effect, Effects, Send, Tell
from dialtone.errors import ProtocolError


class Codec(Protocol):
    """What a module of codec/ offers."""

    def decode(self, data: bytes, /) -> Message: ...
    def encode(self, message: Any, /) -> bytes: ...


class Link(Protocol):
    """Carries octets of one reference point between an element and its peers."""

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None: ...


class Stack(Protocol):
    """A link stacked on another one: NAS on S1-MME. `key` is the context of the element it serves."""

    def up(self, key: Any, data: bytes) -> tuple[Message, bytes]:
        """Check and decipher; returns the message and its plain octets. Raises ProtocolError."""

    def down(self, key: Any, message: Message) -> tuple[bytes, bytes]:
        """Encode, cipher and protect; returns the plain octets and those for the wire."""

    def carry(self, key: Any, data: bytes, via: Message | None) -> Send | Tell | None:
        """The lower send that carries `data`; a Tell where no reference point lies below (sim/air.py); None as
        long as `via` waits for others that travel in it, too."""

    def label(self, key: Any) -> str:
        """The far end's name in the trace."""


class Element:
    """Base of all elements: pure protocol logic. No socket, clock, random or cursor inside."""

    name: str
    on: Handlers

    def gate(self, rx: Rx) -> None:
        """Called before each message's handler; raises ProtocolError for one that is not acceptable."""

    def complete(self, rx: Rx, effects: list[Effect]) -> list[Effect]:
        """Called with what each message's handler returned, for what the protocol adds whichever message it was."""
        return effects

    def refuse(self, error: ProtocolError, rx: Rx) -> Effects:
        """Answer bytes or a message that broke the specification (`rx.message` is None for bytes)."""
        return ()

    def fault(self, rx: Rx) -> Effects:
        """Clean up after a defect of ours in the handling of `rx`; other subscribers go on."""
        return ()
