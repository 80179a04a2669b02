# SPDX-License-Identifier: Apache-2.0
"""What SCTP and TCP links share: a listener, connectors that try again, peers, and bounded send queues.

A peer is named by its address and port, or by the name its connector was given. The element is told
PeerUp and PeerDown. A peer that does not read what it is sent is cut off, not waited for.
"""

import asyncio
import contextlib
import errno
import logging
import os
import socket
import struct
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from dialtone.effects import Event, PeerDown, PeerUp
from dialtone.links.names import family_of, peer_name, refused

log = logging.getLogger("dialtone.links")

_ABORT = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close() sends ABORT (SCTP) or RST (TCP)
_BATCH = 16  # reads per wake-up: a peer that floods us leaves room for the others
_BACKLOG = 16


class Above(Protocol):
    """What these links need of a loop."""

    def deliver(self, element: str, point: str, peer: str, data: bytes, stream: int = 0) -> None: ...
    def discard(self, element: str, point: str, peer: str, data: bytes, why: str) -> None: ...
    def tell(self, element: str, event: Event) -> None: ...
    def count(self, what: str) -> None: ...


class Connection:
    """One peer: its socket, what it has not taken yet, and the message it is in the middle of."""

    __slots__ = ("name", "partial", "queue", "queued", "sock", "streams")

    def __init__(self, sock: socket.socket, name: str) -> None:
        self.sock = sock
        self.name = name
        self.queue: deque[tuple[bytes, int]] = deque()
        self.queued = 0  # octets in `queue`
        self.partial = bytearray()
        self.streams = 1  # outbound streams the peer accepts


class Connections(ABC):
    """A link over connections (`dialtone.loop.Link`) for one reference point of one element.

    `queue_limit`: octets kept for a peer that is slow; `message_limit`: the longest message taken from one;
    `peer_limit`: how many peers may be connected at once; `prefix` begins the names of those that connected to us.
    """

    transport: str

    def __init__(self, loop: Above, element: str, point: str, *, queue_limit: int = 4 << 20,
                 message_limit: int = 256 << 10, peer_limit: int = 64, prefix: str = "") -> None:
        self.loop = loop
        self.element = element
        self.point = point
        self.queue_limit = queue_limit
        self.message_limit = message_limit
        self.peer_limit = peer_limit
        self.prefix = prefix
        self.local_port = 0  # that we connect from; 0 for any
        self.peers: dict[str, Connection] = {}
        self._listeners: list[socket.socket] = []
        self._waiting: dict[str, socket.socket] = {}  # connects under way
        self._retries: set[asyncio.TimerHandle] = set()
        self._redial: dict[str, Any] = {}
        self._aio = asyncio.get_running_loop()
        self.within: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext  # where sockets are made

    # ---- what differs ------------------------------------------------------------------------------

    @abstractmethod
    def _open(self, family: socket.AddressFamily) -> socket.socket:
        """A socket with its options set."""

    @abstractmethod
    def _ready(self, connection: Connection) -> None:
        """The connection is up: settle what only shows now."""

    @abstractmethod
    def _read(self, connection: Connection) -> str | None:
        """Read once and deliver what is complete. Returns why the connection is over, None while it is not;
        raises BlockingIOError when there is nothing to read."""

    @abstractmethod
    def _write(self, connection: Connection, data: bytes, stream: int) -> int:
        """Write once; returns how many octets were taken, raises BlockingIOError for none."""

    # ---- for app.py --------------------------------------------------------------------------------

    def listen(self, host: str, port: int) -> int:
        """Take connections at this very address; returns the port (for port 0). Raises LocalError."""
        family = family_of(host)
        sock: socket.socket | None = None
        try:
            sock = self._open(family)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
            sock.listen(_BACKLOG)
        except OSError as error:
            if sock is not None:
                sock.close()
            raise refused(f"{self.transport} for {self.point}", host, port, error) from error
        self._listeners.append(sock)
        self._aio.add_reader(sock.fileno(), self._accept, sock)
        return int(sock.getsockname()[1])

    def connect(self, host: str, port: int, *, local: str, name: str = "", retry: float | None = None) -> str:
        """Connect from our address `local` in the background; returns the peer's name.

        PeerUp tells success, PeerDown failure or loss; with `retry` it is tried again after so many
        seconds, for as long as the link is open.
        """
        peer = name or peer_name((host, port))
        self._redial[peer] = (host, port, local, retry)
        self._dial(peer)
        return peer

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """Send one message; what the peer does not take at once is queued, up to the limit."""
        connection = self.peers.get(peer)
        if connection is None:  # it went away a moment ago, PeerDown is on its way
            self.loop.count(f"{self.point} peer gone")
            return
        if not connection.queue:
            try:
                taken = self._write(connection, data, stream)
            except BlockingIOError:
                taken = 0
            except OSError as error:
                self._lost(connection, _reason(error))
                return
            if taken == len(data):
                return
            data = data[taken:]
            self._aio.add_writer(connection.sock.fileno(), self._writable, connection)
        connection.queue.append((data, stream))
        connection.queued += len(data)
        if connection.queued > self.queue_limit:
            self.loop.count(f"{self.point} peer never reads")
            self._abort(connection, f"does not read: {connection.queued} octets wait")

    def disconnect(self, peer: str) -> None:
        """Shut a connection down in good order; PeerDown follows. One that is not up yet, or not at all, ends
        without a word."""
        self._redial.pop(peer, None)
        if (waiting := self._waiting.pop(peer, None)) is not None:
            self._forget(waiting)
        connection = self.peers.get(peer)
        if connection is not None:
            self._lost(connection, "closed by us")

    def close(self) -> None:
        """End everything; tells nobody."""
        self._redial.clear()
        for retry in self._retries:
            retry.cancel()
        for connection in self.peers.values():
            self._forget(connection.sock)
        for sock in (*self._listeners, *self._waiting.values()):
            self._forget(sock)
        self.peers.clear()
        self._listeners.clear()
        self._waiting.clear()

    # ---- inside ------------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_BATCH):
            try:
                sock, address = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:  # the peer gave up between its connect and our accept; or EMFILE
                log.warning("%s: accept: %s", self.point, error)
                self.loop.count(f"{self.point} accept failed")
                return
            if len(self.peers) >= self.peer_limit:
                self.loop.count(f"{self.point} too many peers")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
                sock.close()
                continue
            self._up(sock, self.prefix + peer_name(address))

    def _up(self, sock: socket.socket, name: str) -> None:
        sock.setblocking(False)
        if (earlier := self.peers.get(name)) is not None:  # restarted from the same port
            self._lost(earlier, "connected anew")
        connection = Connection(sock, name)
        try:
            self._ready(connection)
        except OSError as error:
            log.info("%s: %s was gone before it began: %s", self.point, name, error)
            sock.close()
            return
        self.peers[name] = connection
        self._aio.add_reader(sock.fileno(), self._readable, connection)
        self.loop.tell(self.element, PeerUp(self.point, name))

    def _readable(self, connection: Connection) -> None:
        for _ in range(_BATCH):
            try:
                over = self._read(connection)
            except BlockingIOError:
                return
            except OSError as error:
                over = _reason(error)
            if self.peers.get(connection.name) is not connection:  # the read itself cut it off
                return
            if over is not None:
                self._lost(connection, over)
                return

    def _writable(self, connection: Connection) -> None:
        queue = connection.queue
        while queue:
            data, stream = queue[0]
            try:
                taken = self._write(connection, data, stream)
            except BlockingIOError:
                return
            except OSError as error:
                self._lost(connection, _reason(error))
                return
            connection.queued -= taken
            if taken < len(data):
                queue[0] = (data[taken:], stream)
                return
            queue.popleft()
        self._aio.remove_writer(connection.sock.fileno())

    def _abort(self, connection: Connection, reason: str) -> None:
        with contextlib.suppress(OSError):
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        self._lost(connection, reason)

    def _lost(self, connection: Connection, reason: str) -> None:
        self._forget(connection.sock)
        del self.peers[connection.name]
        self.loop.tell(self.element, PeerDown(self.point, connection.name, reason))
        self._dial_later(connection.name)

    def _forget(self, sock: socket.socket) -> None:
        if sock.fileno() >= 0:
            self._aio.remove_reader(sock.fileno())
            self._aio.remove_writer(sock.fileno())
            sock.close()

    def _dial(self, peer: str) -> None:
        if peer in self.peers or peer in self._waiting:  # asked for twice
            return
        host, port, local, _ = self._redial[peer]
        sock = None
        try:
            with self.within():
                sock = self._open(family_of(host))
            sock.setblocking(False)
            sock.bind((local, self.local_port))
            problem = sock.connect_ex((host, port))
        except OSError as error:
            if sock is not None:
                sock.close()
            self._not_up(peer, _reason(error))
            return
        if problem not in (0, errno.EINPROGRESS):
            sock.close()
            self._not_up(peer, os.strerror(problem))
            return
        self._waiting[peer] = sock
        self._aio.add_writer(sock.fileno(), self._connected, sock, peer)

    def _connected(self, sock: socket.socket, peer: str) -> None:
        del self._waiting[peer]
        self._aio.remove_writer(sock.fileno())
        problem = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if problem:
            sock.close()
            self._not_up(peer, os.strerror(problem))
            return
        self._up(sock, peer)

    def _not_up(self, peer: str, reason: str) -> None:
        self.loop.tell(self.element, PeerDown(self.point, peer, f"no connection: {reason}"))
        self._dial_later(peer)

    def _dial_later(self, peer: str) -> None:
        known = self._redial.get(peer)
        if known is None or known[3] is None:
            self._redial.pop(peer, None)
            return

        def again() -> None:
            self._retries.discard(handle)
            if peer in self._redial:
                self._dial(peer)

        handle = self._aio.call_later(known[3], again)
        self._retries.add(handle)


def _reason(error: OSError) -> str:
    """A sentence for people: why a connection is over."""
    words = {
        errno.ETIMEDOUT: "silent: no answer to heartbeats or data",
        errno.ECONNRESET: "aborted by the peer",
        errno.ECONNABORTED: "aborted",
        errno.EPIPE: "closed by the peer",
    }
    return words.get(error.errno or 0, error.strerror or str(error))
