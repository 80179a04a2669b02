# SPDX-License-Identifier: Apache-2.0
"""A UDP link: one datagram, one message (GTPv2-C, SIP)."""

import asyncio
import logging
import socket
from typing import Protocol

from dialtone.links.names import family_of, peer_address, peer_name, refused

log = logging.getLogger("dialtone.links.udp")

_BATCH = 64
_NAMES = 4096


class Above(Protocol):
    """What this link needs of a loop."""

    def deliver(self, element: str, point: str, peer: str, data: bytes, stream: int = 0) -> None: ...
    def count(self, what: str) -> None: ...


class Udp:
    """A link over UDP (`dialtone.loop.Link`); a peer's name is its address and port."""

    def __init__(self, loop: Above, element: str, point: str, *, receive_buffer: int = 1 << 20) -> None:
        self.loop = loop
        self.element = element
        self.point = point
        self.receive_buffer = receive_buffer
        self._addresses: dict[str, tuple[str, int]] = {}
        self._sock: socket.socket | None = None
        self._aio = asyncio.get_running_loop()

    def listen(self, host: str, port: int) -> int:
        """Bind to this very address; returns the port (for port 0). Raises LocalError."""
        sock = socket.socket(family_of(host), socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
            sock.bind((host, port))
        except OSError as error:
            sock.close()
            raise refused(f"UDP for {self.point}", host, port, error) from error
        self._sock = sock
        self._aio.add_reader(sock.fileno(), self._readable, sock)
        return int(sock.getsockname()[1])

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """Send one datagram; what the network does not take is lost and counted, as on any wire."""
        if self._sock is None:  # closed a moment ago
            self.loop.count(f"{self.point} send failed")
            return
        address = self._addresses.get(peer)
        if address is None:
            if len(self._addresses) >= _NAMES:
                self._addresses.clear()
            address = self._addresses[peer] = peer_address(peer)
        try:
            self._sock.sendto(data, address)
        except OSError as error:
            self.loop.count(f"{self.point} send failed")
            log.debug("%s to %s: %s", self.point, peer, error)

    def close(self) -> None:
        """Close the socket."""
        if self._sock is not None:
            self._aio.remove_reader(self._sock.fileno())
            self._sock.close()
            self._sock = None

    def _readable(self, sock: socket.socket) -> None:
        for _ in range(_BATCH):
            try:
                data, address = sock.recvfrom(65_535)
            except BlockingIOError:
                return
            except OSError as error:
                self.loop.count(f"{self.point} receive failed")
                log.debug("%s: %s", self.point, error)
                continue
            self.loop.deliver(self.element, self.point, peer_name(address), data)
