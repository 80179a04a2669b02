# SPDX-License-Identifier: Apache-2.0
"""A TCP link that cuts the stream into messages (Diameter; SIP brings a framing of its own)."""

import socket
from collections.abc import Callable
from typing import Any

from dialtone.errors import ProtocolError
from dialtone.links.connections import Above, Connection, Connections

Framing = Callable[[bytearray], int]
"""Length of the message that the buffer begins with, 0 while that is not known yet. Raises ProtocolError."""

_CHUNK = 65_536


def diameter(buffer: bytearray) -> int:
    """The length in octets 2 to 4 of a Diameter header (RFC 6733, 3)."""
    if len(buffer) < 4:
        return 0
    length = int.from_bytes(buffer[1:4], "big")
    if buffer[0] != 1 or length < 20 or length % 4:
        raise ProtocolError("what came is no Diameter header", cause=5011 if buffer[0] != 1 else 5015,
                            clause="RFC 6733, 3")
    return length


class Tcp(Connections):
    """A link over TCP."""

    transport = "TCP"

    def __init__(self, loop: Above, element: str, point: str, *, framing: Framing = diameter,
                 **limits: Any) -> None:
        super().__init__(loop, element, point, **limits)
        self._framing = framing

    def _open(self, family: socket.AddressFamily) -> socket.socket:
        return socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)

    def _ready(self, connection: Connection) -> None:
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _read(self, connection: Connection) -> str | None:
        data = connection.sock.recv(_CHUNK)
        if not data:
            return "closed by the peer"
        buffer = connection.partial
        buffer += data
        try:
            while buffer and (length := self._framing(buffer)):
                if length > self.message_limit:
                    raise ProtocolError(f"a message of {length} octets is too long")
                if len(buffer) < length:
                    break
                message = bytes(buffer[:length])
                del buffer[:length]
                self._message(connection, message)
        except ProtocolError as error:  # a stream that lost its frames cannot be followed any further
            self.loop.discard(self.element, self.point, connection.name, bytes(buffer[:64]), "no frame")
            self._abort(connection, str(error))
        return None

    def _message(self, connection: Connection, data: bytes) -> None:
        """A whole message came."""
        self.loop.deliver(self.element, self.point, connection.name, data)

    def _write(self, connection: Connection, data: bytes, stream: int) -> int:
        return connection.sock.send(data)
