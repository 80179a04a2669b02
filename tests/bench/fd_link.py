# SPDX-License-Identifier: Apache-2.0
"""A reference point over a pair of connected sockets that keep message boundaries, as SCTP does."""

import socket
import time
from struct import Struct

from dialtone.loop import Loop

_HEAD = Struct(">HH")  # the stream, and the number of the eNB


class FdLink:
    """All eNBs (`enb1` and on) at one end, the `core` with the element `mme` at the other.

    `waited` adds up the seconds from each last message out to the next one in.
    """

    def __init__(self, loop: Loop, point: str, sock: socket.socket, *, core: bool) -> None:
        self.loop, self.point, self.sock, self.core = loop, point, sock, core
        self.waited = 0.0
        self._sent: float | None = None

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """Send at once; the socket is large enough for a storm."""
        self._sent = time.perf_counter()
        enb = peer if self.core else element
        self.sock.send(_HEAD.pack(stream, int(enb.removeprefix("enb"))) + data)

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
            stream, number = _HEAD.unpack_from(data)
            ends = ("mme", f"enb{number}") if self.core else (f"enb{number}", "mme")
            self.loop.deliver(ends[0], self.point, ends[1], data[_HEAD.size:], stream)
