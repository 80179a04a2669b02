# SPDX-License-Identifier: Apache-2.0
"""A reference point over a pair of connected sockets that keep message boundaries, as SCTP and UDP do."""

import socket
import time
from struct import Struct

from dialtone.loop import Loop

_HEAD = Struct(">HB")  # the stream, and the length of the peer's name, which follows


def frame(name: str, data: bytes, stream: int = 0) -> bytes:
    """What goes over the sockets: a message, and who the core's peer is."""
    return _HEAD.pack(stream, len(name)) + name.encode() + data


def read(data: bytes) -> tuple[str, bytes, int]:
    """The reverse: the name of the core's peer, the message, the stream."""
    stream, length = _HEAD.unpack_from(data)
    start = _HEAD.size + length
    return data[_HEAD.size:start].decode(), data[start:], stream


class FdLink:
    """One `element` of the core at one end, all its peers at the other, which is not the `core`.

    `waited` adds up the seconds from each last message out to the next one in.
    """

    def __init__(self, loop: Loop, point: str, sock: socket.socket, *, core: bool, element: str = "mme") -> None:
        self.loop, self.point, self.sock, self.core, self.element = loop, point, sock, core, element
        self.waited = 0.0
        self._sent: float | None = None

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """Send at once; the socket is large enough for a storm."""
        self._sent = time.perf_counter()
        self.sock.send(frame(peer if self.core else element, data, stream))

    def receive(self) -> None:
        """Deliver all that is there."""
        while True:
            try:
                data = self.sock.recv(65536)
            except BlockingIOError:
                return
            if not data:
                raise ConnectionError("the other end is gone")
            if self._sent is not None:
                self.waited += time.perf_counter() - self._sent
                self._sent = None
            name, message, stream = read(data)
            ends = (self.element, name) if self.core else (name, self.element)
            self.loop.deliver(ends[0], self.point, ends[1], message, stream)
