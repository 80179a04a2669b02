# SPDX-License-Identifier: Apache-2.0
"""The answer services as an element: their calls and ports, and the effects that speak."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

from dialtone.answer.offer import Agreed
from dialtone.answer.service import Script
from dialtone.answer.states import CALL, CallState
from dialtone.codec.sip import SipRequest
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Changed, Effect, Effects, Event
from dialtone.element import Element
from dialtone.errors import ProtocolError
from dialtone.sip import refusal

on = Handlers("answer")

Network = IPv4Network | IPv6Network
Key = tuple[str, str]
"""A call: Call-ID and the caller's tag."""


@dataclass(slots=True)
class OpenStream(Effect):
    """Speak `script` from our `address` and `port` to whom it was agreed with, and listen there; RTCP is one port
    higher."""

    key: Key
    address: str
    port: int
    agreed: Agreed
    script: Script
    failed: Event | None = None


@dataclass(slots=True)
class CloseStream(Effect):
    """Be silent, and give the ports back; a stream that is not there is no error."""

    key: Key


@dataclass(slots=True)
class StreamFinished(Event):
    """All is said."""

    key: Key


@dataclass(slots=True)
class StreamFailed(Event):
    """The port could not be opened."""

    key: Key


@dataclass(slots=True)
class Call:
    """One call. `invite` are the circumstances of the request that is not answered yet, `target` and `route` lead to
    the caller (RFC 3261, 12.1.1)."""

    key: Key
    tag: str
    peer: str
    service: str
    agreed: Agreed
    script: Script
    port: int
    invite: Rx
    request: SipRequest
    target: str
    route: list[str]
    state: CallState = CALL.initial
    version: int = 0
    cseq: int = 0
    expires: int = 0  # of the session, in seconds; 0 without a timer (RFC 4028)

    def move(self, event: str) -> Changed:
        """Move its state machine."""
        old, self.state = self.state, CALL.after(self.state, event)
        return Changed("call", self.key[0], old, self.state)


class AnswerServices(Element):
    """`addresses` are ours towards phones, IPv4 and IPv6; `networks` are theirs, to which alone we speak; `ports` are
    even ones for RTP; `random` gives octets."""

    name = "answer"
    on = on

    def __init__(self, domain: str, addresses: Sequence[str], networks: Sequence[Network], ports: range,
                 random: Callable[[int], bytes]) -> None:
        self.host = f"answer.{domain}"
        self.addresses = addresses
        self.networks = networks
        self.random = random
        self.calls: dict[Key, Call] = {}
        self._free = list(ports)
        self._versions = itertools.count(1)

    def speaks_to(self, address: str) -> bool:
        """Whether that is a phone; a description that names a stranger would make us flood him."""
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self.networks) and bool(self.address_for(address))

    def address_for(self, address: str) -> str:
        """Ours of the same family; empty where we have none."""
        return next((ours for ours in self.addresses if (":" in ours) == (":" in address)), "")

    def take_port(self) -> int | None:
        """A port that no call has; None when all are taken."""
        return self._free.pop(0) if self._free else None

    def give_back(self, port: int) -> None:
        """The call is over. The longest unused port is taken next, so that late packets find nobody."""
        self._free.append(port)

    def next_version(self) -> int:
        """Of a session description."""
        return next(self._versions)

    def call_of(self, request: SipRequest, rx: Rx) -> Call:
        """The call that a request in a dialog is about. Raises ProtocolError (481)."""
        call = self.calls.get((request.call_id, request.from_.tag))
        if call is None or request.to.tag not in ("", call.tag):
            raise ProtocolError("no such call", cause=481, clause="RFC 3261, 12.2.2")
        rx.subject, rx.state = call.key[0], call.state
        return call

    def refuse(self, error: ProtocolError, rx: Rx) -> Effects:
        """The status of the error."""
        return refusal.refuse(self, error, rx)
