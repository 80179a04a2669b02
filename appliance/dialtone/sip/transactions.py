# SPDX-License-Identifier: Apache-2.0
"""The transactions of one reference point (RFC 3261, 17 and 18; RFC 6026): what `Request` and `Answer` mean in SIP.

Our Via is put on top of what leaves and taken off what comes back, so elements see the Via of others only. A request
that is too long for a datagram goes over TCP, and over UDP after all where there is no connection.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

from dialtone.codec import sip
from dialtone.codec.message import Message
from dialtone.codec.sip import AckRequest, CancelRequest, PrackRequest, SipRequest, SipResponse, Via
from dialtone.codec.sip.grammar import Known
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effect, Request, Send
from dialtone.port import Arrival, Port
from dialtone.sip import timers
from dialtone.sip.client import Client, Done
from dialtone.sip.flow import Flow, answer_to, received
from dialtone.sip.server import Answered, Server
from dialtone.sip.states import ServerState
from dialtone.sip.timers import Pace

MAGIC = "z9hG4bK"
DATAGRAM = 1300
"""Octets of the longest request over UDP where the path's MTU is not known (RFC 3261, 18.1.1)."""


class Key(NamedTuple):
    """What a request and its repetitions, ACK and CANCEL have in common (RFC 3261, 17.2.3)."""

    branch: str
    sent_by: str
    method: str
    host: str


def own_via(host: str) -> Callable[[str], Via]:
    """The Via of an element with one name: the transport and our port of the flow; inside the box the name alone."""

    def via(peer: str) -> Via:
        flow = Flow.find(peer)
        return Via("UDP", host) if flow is None else Via(flow.transport.upper(), host, flow.local_port)

    return Known(via).__getitem__


@dataclass(frozen=True, slots=True)
class SipPolicy:
    """How a reference point does SIP.

    `via` makes our Via for a peer, `reply` says where the answer to a request with this Via goes. An `endpoint` ends
    dialogs: it repeats its 2xx and reliable provisional answers until they are acknowledged, and its ACK when a 2xx
    comes again; a proxy passes these on. `limit` is of all requests of peers, `pending` of those of one address that
    have no answer yet. `reliable`: whether nothing is lost between elements of this process.
    """

    via: Callable[[str], Via]
    pace: Pace = timers.CORE
    endpoint: bool = False
    reply: Callable[[str, Via], str] = answer_to
    datagram: int = DATAGRAM
    limit: int = 100_000
    pending: int = 500
    reliable: bool = True

    def start(self, port: Port, numbers: Iterator[int]) -> "Transactions":
        """The transactions of one reference point."""
        return Transactions(self, port, numbers)


@dataclass(slots=True)
class Transactions:
    """Client and server transactions, and their matching (RFC 3261, 17.1.3 and 17.2.3)."""

    policy: SipPolicy
    port: Port
    numbers: Iterator[int]
    clients: dict[tuple[str, str], Client | Done] = field(default_factory=dict)
    servers: dict[Key, Server | Answered] = field(default_factory=dict)
    pending: dict[str, int] = field(default_factory=dict)  # requests of an address that have no final answer
    called: dict[tuple[str, int], Client] = field(default_factory=dict)  # an endpoint's INVITEs, by Call-ID and CSeq
    calls: dict[tuple[str, int], Server] = field(default_factory=dict)  # those of its peers

    # ---- for the loop ------------------------------------------------------------------------------

    def arrived(self, rx: Rx, message: Message, data: bytes) -> Arrival:
        """Match a message to its transaction."""
        if isinstance(message, SipResponse):
            client = self.clients.get((message.via.branch, message.cseq.method))
            if client is None or _host(client.peer) != _host(rx.peer):  # a stranger may guess our branches
                return Arrival("stray")
            return client.received(message, rx)
        assert isinstance(message, SipRequest)
        via = message.via
        noted = received(rx.peer, via)
        if noted.params != via.params:
            message.swap("Via", str(noted))
        key = _key(message, via, rx)
        if isinstance(message, AckRequest):
            return self._ack(message, key)
        known = self.servers.get(key)
        if known is not None:
            rx.subject = known.subject
            return known.again()
        if len(self.servers) >= self.policy.limit or self.pending.get(key.host, 0) >= self.policy.pending:
            busy = sip.response(message, 503)
            busy.append("Retry-After", "10")
            return Arrival("overload", [Send(rx.point, self.policy.reply(rx.peer, noted), busy)])
        return self._accept(Server(self, key, rx, message, self.policy.reply(rx.peer, noted), self._tag()), rx)

    def request(self, effect: Request, rx: Rx) -> None:
        """Start a client transaction. A CANCEL goes the way of its INVITE, and not before that was answered
        provisionally; where it is too late for one, it is not sent (RFC 3261, 9.1)."""
        message = effect.message
        assert isinstance(message, SipRequest)
        branch = f"{MAGIC}{next(self.numbers):x}"
        if isinstance(message, CancelRequest):
            branch = message.via.branch
            invite = self.clients.get((branch, "INVITE"))
            if not isinstance(invite, Client) or not invite.give_up():
                if isinstance(invite, Client) and not invite.cancelled:
                    invite.cancel = effect
                return
            effect.peer = invite.peer
        client = Client(self, effect, message, rx, branch)
        self.clients[client.key] = client
        if client.invite and self.policy.endpoint:
            self.called[_call(message)] = client
        client.start()

    def answer(self, message: Any, rx: Rx) -> None:
        """Answer through the server transaction; once that is over, nothing is sent."""
        if isinstance(rx.transaction, Server):
            rx.transaction.answer(message)
        else:
            self.port.loop.count(f"{self.port.point} late answer")

    def send(self, effect: Send, rx: Rx) -> None:
        """An ACK to a 2xx, or an answer without a transaction."""
        message, peer = effect.message, effect.peer
        if not isinstance(message, SipRequest):
            self.port.out(peer, message, rx)
            return
        peer, data = self.stamp(message, peer, f"{MAGIC}{next(self.numbers):x}")
        if (client := self.called.get(_call(message))) is not None:
            client.acks[message.to.tag] = (peer, data)
        self.port.octets(peer, message.label, data, rx)

    def lost(self, peer: str) -> None:
        """A connection is gone, or none came about."""
        flow = Flow.find(peer)
        if flow is None or not flow.reliable:
            return
        for client in [client for client in self.clients.values() if client.peer == peer]:
            if isinstance(client, Client):
                client.failed()
        for server in self.servers.values():
            if server.peer == peer:
                server.lost()

    def waiting(self) -> list[Request]:
        """Our requests that have no answer yet, and INVITEs for which more may come."""
        return [client.request for client in self.clients.values() if isinstance(client, Client)]

    # ---- for the transactions ------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """The loop's time, in seconds."""
        return self.port.loop.clock()

    def seconds(self, timer: str, peer: str) -> float:
        """How long a timer runs towards this peer."""
        flow = Flow.find(peer)
        reliable = self.policy.reliable if flow is None else flow.reliable
        return timers.seconds(timer, self.policy.pace, reliable=reliable)

    def stamp(self, message: SipRequest, peer: str, branch: str, *, datagram: bool = False) -> tuple[str, bytes]:
        """Put our Via on top and encode; returns where the request goes and its octets (RFC 3261, 18.1.1). With
        `datagram` it goes over UDP, however long it is."""
        via = self.policy.via(peer)
        message.prepend("Via", f"{via};branch={branch}")
        data = sip.encode(message)
        flow = Flow.find(peer)
        if flow is None or flow.reliable or datagram or len(data) <= self.policy.datagram:
            return peer, data
        peer = str(flow.over("tcp"))
        message.swap("Via", f"{replace(via, transport='TCP')};branch={branch}")
        return peer, sip.encode(message)

    def ended(self, client: Client) -> None:
        """No answer to this request can come any more."""
        self.port.cancel(("client", *client.key))
        if self.clients.get(client.key) is client:
            del self.clients[client.key]
        if client.invite and self.called.get(call := _call(client.message)) is client:
            del self.called[call]

    def done(self, client: Client, seconds: float) -> None:
        """It is answered, and that may come again for so long."""
        self.clients[client.key] = Done(client.peer)
        self.port.later(("client", *client.key), seconds, partial(self._forget_client, client.key))

    def close(self, server: Server, left: Answered) -> None:
        """It is answered, and may come again until Timer J."""
        server.rx.transaction = None
        seconds = self.seconds("J", server.peer)
        if seconds:
            self.servers[server.key] = left
            self.port.later(("server", *server.key), seconds, partial(self._forget_server, server.key))
        else:
            self.port.cancel(("server", *server.key))
            del self.servers[server.key]

    def answered(self, server: Server) -> None:
        """It has its final answer."""
        left = self.pending.get(server.key.host, 0) - 1
        if left > 0:
            self.pending[server.key.host] = left
        else:
            self.pending.pop(server.key.host, None)

    def forget(self, server: Server) -> None:
        """This request cannot come again."""
        self.port.cancel(("server", *server.key))
        del self.servers[server.key]
        server.rx.transaction = None
        if server.invite and self.calls.get(call := _call(server.message)) is server:
            del self.calls[call]

    # ---- inside --------------------------------------------------------------------------------------

    def _forget_client(self, key: tuple[str, str]) -> None:
        del self.clients[key]

    def _forget_server(self, key: Key) -> None:
        del self.servers[key]

    def _tag(self) -> str:
        return f"{next(self.numbers):x}"

    def _accept(self, server: Server, rx: Rx) -> Arrival:
        message, key = server.message, server.key
        rx.transaction = self.servers[key] = server
        self.pending[key.host] = self.pending.get(key.host, 0) + 1
        if isinstance(message, CancelRequest):
            return self._cancel(server, rx)
        if server.invite and self.policy.endpoint:
            self.calls[_call(message)] = server
        elif isinstance(message, PrackRequest):
            self._prack(message)
        server.start()
        return Arrival()

    def _cancel(self, server: Server, rx: Rx) -> Arrival:
        """Answer a CANCEL, and tell the element whose INVITE is given up (RFC 3261, 9.2)."""
        invite = self.servers.get(server.key._replace(method="INVITE"))
        effects: list[Effect] = [Answer(sip.response(server.message, 481 if invite is None else 200), to=rx)]
        if not isinstance(invite, Server) or invite.state != ServerState.PROCEEDING:
            return Arrival("absorbed", effects)
        server.tag = invite.tag
        rx.cancels = invite.rx
        return Arrival("", effects)

    def _ack(self, message: AckRequest, key: Key) -> Arrival:
        server = self.servers.get(key._replace(method="INVITE"))
        if not isinstance(server, Server):
            server = self.calls.get(_call(message))
            if server is None or server.state != ServerState.ACCEPTED:
                return Arrival()
        return Arrival() if server.acknowledged() else Arrival("absorbed")

    def _prack(self, message: PrackRequest) -> None:
        rack = message.first("RAck") or ""
        number = rack.split()[1] if len(rack.split()) == 3 else ""
        if number.isascii() and number.isdigit():
            invite = self.calls.get((message.call_id, int(number[:10])))
            if invite is not None:
                invite.provisional_acknowledged(rack)


def _host(peer: str) -> str:
    """Whose flow it is."""
    flow = Flow.find(peer)
    return peer if flow is None else flow.host


def _call(message: SipRequest) -> tuple[str, int]:
    """An INVITE of a call, and what belongs to it."""
    return message.call_id, message.cseq.number


def _key(message: SipRequest, via: Via, rx: Rx) -> Key:
    host = _host(rx.peer)
    if via.branch.startswith(MAGIC) and via.branch != MAGIC:
        return Key(via.branch, via.sent_by.lower(), message.method, host)
    cseq = message.cseq.number  # as of RFC 2543: whatever else tells requests apart
    old = f"{message.call_id} {cseq} {message.from_.tag} {message.uri} {via.branch}"
    return Key(old, via.sent_by.lower(), message.method, host)
