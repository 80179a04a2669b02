# SPDX-License-Identifier: Apache-2.0
"""A reference point over a pair of connected sockets that keep message boundaries, as SCTP does."""

import socket
import time
from struct import Struct

from dialtone.loop import Loop

_STREAM = Struct(">H")


class FdLink:
    """One peer at the other end; the stream number travels before the octets.

    `waited` adds up the seconds from each last message out to the next one in.
    """

    def __init__(self, loop: Loop, element: str, point: str, peer: str, sock: socket.socket) -> None:
        self.loop, self.element, self.point, self.peer, self.sock = loop, element, point, peer, sock
        self.waited = 0.0
        self._sent: float | None = None

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """Send at once; the other end is quick enough never to fill the socket."""
        self._sent = time.perf_counter()
        self.sock.send(_STREAM.pack(stream) + data)

    def receive(self) -> None:
        """Deliver all that is there."""
        while True:
            try:
                data = self.sock.recv(65536)
            except BlockingIOError:
                return
            if not data:
                raise ConnectionError(f"{self.peer} is gone")
            if self._sent is not None:
                self.waited += time.perf_counter() - self._sent
                self._sent = None
            self.loop.deliver(self.element, self.point, self.peer, data[_STREAM.size:], _STREAM.unpack_from(data)[0])
