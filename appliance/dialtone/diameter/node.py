# SPDX-License-Identifier: Apache-2.0
"""The node as an element: its identity, peers, connections, and whom it serves."""

import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from dialtone.codec.diameter import COMMANDS, DiameterError, DiameterMessage, ResultCode, read_header, refusal
from dialtone.config_diameter import DiameterConfig
from dialtone.diameter.effects import HangUp
from dialtone.diameter.peer import Connection, Peer
from dialtone.diameter.states import PEER, WATCHDOG
from dialtone.diameter.transactions import Ours, Theirs
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Changed, Effect, Effects, Send, SendOctets
from dialtone.element import Element
from dialtone.errors import ProtocolError

on = Handlers("diameter")

POINT = "Diameter"
WAIT = 10.0  # seconds for a connection, a CER, a CEA, a DPA: the Timeout of RFC 6733, 5.6


@dataclass(slots=True)
class Service:
    """An application: its reference point, and our elements that speak it."""

    point: str
    elements: Sequence[Element]

    def server(self, command: int, application: int) -> str:
        """The element that handles a request; raises DiameterError (3001) where none does."""
        cls = COMMANDS.get((command, application, True))
        for element in self.elements:
            if cls is not None and (self.point, cls) in element.on.messages:
                return element.name
        raise DiameterError(f"command {command} is not served", cause=ResultCode.DIAMETER_COMMAND_UNSUPPORTED,
                            clause="RFC 6733, 7.1.3")


class Node(Element):
    """A Diameter node. `address` is what it says in Host-IP-Address, `random` gives octets, `now` is the time of its
    start: Origin-State-Id, and the upper bits of End-to-End Identifiers (RFC 6733, 3)."""

    name = "diameter"
    on = on

    def __init__(self, config: DiameterConfig, host: str, realm: str, address: str, random: Callable[[int], bytes],
                 now: float) -> None:
        self.config = config
        self.host = host
        self.realm = realm
        self.address = ip_address(address)
        self.random = random
        self.origin_state_id = int(now)
        self.peers = {name: Peer(name, peer, realm=peer.realm) for name, peer in config.peer.items()}
        self.connections: dict[str, Connection] = {}
        self.services: dict[int, Service] = {}
        self.identities, self.realms = {host}, {realm}
        self.ours: dict[int, Ours] = {}  # by our Hop-by-Hop Identifier
        self.theirs: OrderedDict[int, Theirs] = OrderedDict()  # by the Hop-by-Hop Identifier our element sees
        self.seen: dict[tuple[str, int], Theirs] = {}  # by Origin-Host and End-to-End Identifier
        self.counters: dict[str, int] = {}
        self._hop_by_hop = itertools.count(int.from_bytes(random(4), "big"))
        self._end_to_end = itertools.count((int(now) & 0xFFF) << 20 | int.from_bytes(random(3), "big") & 0xFFFFF)

    def serve(self, application: int, point: str, *elements: Element) -> None:
        """Announce an application; requests for its commands go to the element that handles them."""
        self.services[application] = Service(point, elements)

    def answer_to(self, host: str, realm: str) -> None:
        """Take requests for this Destination-Host and Destination-Realm too: an element's own identity."""
        self.identities.add(host.lower())
        self.realms.add(realm.lower())

    def states(self) -> list[dict[str, Any]]:
        """The peers, as plain data for CLI and API."""
        waiting = [ours.at for ours in {id(ours): ours for ours in self.ours.values()}.values()]
        return [peer.as_data(waiting.count(peer.host)) for peer in self.peers.values()]

    # ---- for the procedures ------------------------------------------------------------------------

    def request(self, connection: str, message: DiameterMessage) -> Send:
        """A request of the base protocol."""
        message.hop_by_hop, message.end_to_end = self.hop_by_hop(), self.end_to_end()
        return Send(POINT, connection, message)

    def answer(self, connection: str, request: DiameterMessage, message: DiameterMessage) -> Send:
        """The answer to a request of the base protocol."""
        message.hop_by_hop, message.end_to_end = request.hop_by_hop, request.end_to_end
        return Send(POINT, connection, message)

    def hop_by_hop(self) -> int:
        """A new Hop-by-Hop Identifier."""
        return next(self._hop_by_hop) & 0xFFFFFFFF

    def end_to_end(self) -> int:
        """A new End-to-End Identifier."""
        return next(self._end_to_end) & 0xFFFFFFFF

    def count(self, what: str) -> None:
        """Count an occurrence."""
        self.counters[what] = self.counters.get(what, 0) + 1

    def peer_of(self, connection: str) -> Peer | None:
        """The peer of a connection, None before its CER and after its end."""
        found = self.connections.get(connection)
        return self.peers.get(found.host) if found else None

    def step(self, peer: Peer, event: str) -> Iterator[Effect]:
        """Move the peer's state machine; raises ProtocolError for an event that the table does not have."""
        old, peer.state = peer.state, PEER.after(peer.state, event)
        if peer.state != old:
            yield Changed(PEER.name, peer.host, old, peer.state)

    def feel(self, peer: Peer, event: str) -> Iterator[Effect]:
        """Move the peer's watchdog state."""
        old, peer.health = peer.health, WATCHDOG.after(peer.health, event)
        if peer.health != old:
            yield Changed(WATCHDOG.name, peer.host, old, peer.health)

    def forget(self, connection: str) -> Iterator[Effect]:
        """Close a connection that nothing depends on any more."""
        if connection:
            self.connections.pop(connection, None)
            yield HangUp(connection)

    def hang_up(self, connection: str, why: str) -> Iterator[Effect]:
        """Close a connection; the PeerDown that follows moves its peer, as if the peer had closed it."""
        self.connections[connection].why = why
        yield HangUp(connection)

    # ---- what the loop asks --------------------------------------------------------------------------

    def gate(self, rx: Rx) -> None:
        """Names the peer for the trace; before capabilities are exchanged nothing else is taken."""
        connection, name = self.connections.get(rx.peer), rx.message.NAME if rx.message else ""
        peer = self.peer_of(rx.peer)
        rx.subject, rx.state = (peer.host, peer.state) if peer else ("", "")
        if connection is None:
            raise ProtocolError(f"{name} over a connection that is closed")
        if peer is None and not name.startswith("Capabilities-Exchange"):
            raise ProtocolError(f"{name} before Capabilities-Exchange", clause="RFC 6733, 5.3")

    def refuse(self, error: ProtocolError, rx: Rx) -> Effects:
        """The answer with the Result-Code; the end of a connection that lost its framing or never began."""
        if rx.peer not in self.connections:
            return
        fault = error if isinstance(error, DiameterError) else DiameterError(
            error.text, cause=ResultCode.DIAMETER_UNABLE_TO_COMPLY, clause=error.clause)
        if rx.message is not None:
            fault.header = read_header(rx.octets)
        answer = refusal(rx.octets, fault, self.host, self.realm)
        if answer is not None:
            yield SendOctets(rx.point, rx.peer, f"refusal, Result-Code {fault.cause}", answer)
        peer = self.peer_of(rx.peer)
        if fault.header is None or peer is None or not peer.open:
            yield from self.hang_up(rx.peer, error.text)
