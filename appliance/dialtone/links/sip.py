# SPDX-License-Identifier: Apache-2.0
"""A SIP link: UDP and TCP on any number of our ports, which come and go while it runs (RFC 3261, 18).

A peer is a flow (sip/flow.py). What goes to a TCP flow takes the connection there is, otherwise one is made, from the
very port of ours that the flow names; when none comes about, the element is told PeerDown, and the transactions fall
back to UDP. Keep-alives (RFC 5626, 4.4.1) end here.
"""

import contextlib
import re
import socket
from asyncio import TimerHandle
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from ipaddress import ip_address
from typing import NamedTuple

from dialtone.effects import Event, PeerDown, PeerUp
from dialtone.errors import ProtocolError
from dialtone.links.connections import Above, Connection
from dialtone.links.names import peer_address, peer_name
from dialtone.links.tcp import Tcp
from dialtone.links.udp import Udp
from dialtone.sip.flow import Flow

CONNECT_SECONDS = 4.0
"""How long a connection may take: a request has to have time left for UDP."""

_PING, _PONG = b"\r\n\r\n", b"\r\n"
_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:[ \t]*(\d{1,6})[ \t]*\r\n", re.IGNORECASE)
_HAS_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:", re.IGNORECASE)
_MESSAGE_LIMIT = 65_535
_EARLY_LIMIT = 32  # messages that wait for a connection


def framing(buffer: bytearray) -> int:
    """Where the message ends that the buffer begins with, 0 while that is not known (RFC 3261, 18.3). A ping and a pong
    count as messages. Raises ProtocolError for a length that is none."""
    if buffer.startswith(_PONG):
        return 0 if len(buffer) < len(_PING) and _PING.startswith(buffer) else 4 if buffer.startswith(_PING) else 2
    head = buffer.find(b"\r\n\r\n")
    if head < 0:
        if len(buffer) > _MESSAGE_LIMIT:
            raise ProtocolError("the header has no end")
        return 0
    match = _LENGTH.search(buffer, 0, head + 2)
    if match is None and _HAS_LENGTH.search(buffer, 0, head + 2):
        raise ProtocolError("Content-Length is no number")
    return head + 4 + (int(match[1]) if match else 0)


class SipTcp(Tcp):
    """The connections of one port of ours."""

    transport = "TCP for SIP"

    def __init__(self, loop: Above, element: str, point: str, host: str) -> None:
        super().__init__(loop, element, point, framing=framing, peer_limit=4096, queue_limit=1 << 20,
                         message_limit=_MESSAGE_LIMIT)
        self.host = host
        self._early: dict[str, list[bytes]] = {}
        self._deadlines: dict[str, TimerHandle] = {}

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """Send over the connection with this peer; first make one where there is none."""
        if peer in self.peers:
            super().send(element, peer, data, stream)
            return
        early = self._early.setdefault(peer, [])
        if len(early) >= _EARLY_LIMIT:
            self.loop.count(f"{self.point} send failed")
            return
        early.append(data)
        if len(early) == 1:
            self._deadlines[peer] = self._aio.call_later(CONNECT_SECONDS, self._too_late, peer)
            self.connect(*peer_address(peer), local=self.host)

    def close(self) -> None:
        """End everything; tells nobody."""
        for deadline in self._deadlines.values():
            deadline.cancel()
        self._early.clear()
        super().close()

    def _open(self, family: socket.AddressFamily) -> socket.socket:
        sock = super()._open(family)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # we also connect from the port that we listen on
        return sock

    def _up(self, sock: socket.socket, name: str) -> None:
        super()._up(sock, name)
        for data in self._settle(name):
            super().send(self.element, name, data, 0)

    def _not_up(self, peer: str, reason: str) -> None:
        self._settle(peer)
        super()._not_up(peer, reason)

    def _too_late(self, peer: str) -> None:
        if (waiting := self._waiting.pop(peer, None)) is not None:
            self._forget(waiting)
            self._not_up(peer, "no answer")

    def _settle(self, peer: str) -> list[bytes]:
        """The connection is there, or there will be none: what waited for it."""
        if (deadline := self._deadlines.pop(peer, None)) is not None:
            deadline.cancel()
        return self._early.pop(peer, [])

    def _message(self, connection: Connection, data: bytes) -> None:
        if data == _PING:
            self.send(self.element, connection.name, _PONG, 0)
        elif data != _PONG:
            super()._message(connection, data)


class _Port(NamedTuple):
    host: str
    udp: Udp
    tcp: SipTcp


class _Named:
    """What the sockets of one port see of the loop: here their peers get the names of flows."""

    def __init__(self, loop: Above, transport: str, port: int) -> None:
        self.loop, self.transport, self.port = loop, transport, port

    def flow(self, peer: str) -> str:
        host, port = peer_address(peer)
        return str(Flow(self.transport, host, port, self.port))

    def deliver(self, element: str, point: str, peer: str, data: bytes, stream: int = 0) -> None:
        if data.strip(b"\r\n \0"):
            self.loop.deliver(element, point, self.flow(peer), data, stream)
        else:  # over UDP, a keep-alive that wants no answer
            self.loop.count(f"{point} keep-alive")

    def discard(self, element: str, point: str, peer: str, data: bytes, why: str) -> None:
        self.loop.discard(element, point, self.flow(peer), data, why)

    def tell(self, element: str, event: Event) -> None:
        if isinstance(event, PeerUp | PeerDown):
            event = replace(event, peer=self.flow(event.peer))
        self.loop.tell(element, event)

    def count(self, what: str) -> None:
        self.loop.count(what)


class SipLink:
    """UDP and TCP for one reference point of one element (`dialtone.loop.Link`). `within` is where sockets are made:
    a phone's network namespace."""

    def __init__(self, loop: Above, element: str, point: str, *,
                 within: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext) -> None:
        self.loop = loop
        self.element = element
        self.point = point
        self.within = within
        self._ports: dict[tuple[int, int], _Port] = {}  # by IP version and port

    def listen(self, host: str, port: int) -> int:
        """Take UDP and TCP at this address and port; returns the port (for port 0). Raises LocalError."""
        named = _Named(self.loop, "tcp", port)
        tcp = SipTcp(named, self.element, self.point, host)
        tcp.within = self.within
        datagrams = _Named(self.loop, "udp", port)
        udp = Udp(datagrams, self.element, self.point)
        with self.within():
            port = tcp.listen(host, port)
            try:
                udp.listen(host, port)
            except BaseException:
                tcp.close()
                raise
        named.port = datagrams.port = tcp.local_port = port
        self._ports[ip_address(host).version, port] = _Port(host, udp, tcp)
        return port

    def unlisten(self, host: str, port: int) -> None:
        """Close a port with its connections; one that is not open is no error."""
        entry = self._ports.pop((ip_address(host).version, port), None)
        if entry is not None:
            entry.udp.close()
            entry.tcp.close()

    def listening(self) -> list[tuple[str, int]]:
        """Our addresses and ports."""
        return [(entry.host, port) for (_, port), entry in self._ports.items()]

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """Send one message from the flow's port of ours."""
        flow = Flow.find(peer)
        entry = self._ports.get((ip_address(flow.host).version, flow.local_port)) if flow is not None else None
        if flow is None or entry is None:
            self.loop.discard(element, self.point, peer, data, "no such port of ours")
            if flow is not None and flow.reliable:
                self.loop.tell(element, PeerDown(self.point, peer, "no connection: the port is closed"))
            return
        sockets = entry.tcp if flow.reliable else entry.udp
        sockets.send(element, peer_name((flow.host, flow.port)), data, stream)

    def close(self) -> None:
        """Close all ports."""
        for host, port in self.listening():
            self.unlisten(host, port)
