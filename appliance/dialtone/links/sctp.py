# SPDX-License-Identifier: Apache-2.0
"""SCTP links: kernel SCTP by the standard library's sockets, one socket for each association.

One-to-one style sockets (RFC 6458, 4), so that a lost eNB is one closed socket. The numbers come from
<linux/sctp.h>; the structures are laid out beside the options that use them.
"""

import logging
import socket
import struct
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from dialtone.links.connections import Above, Connection, Connections

log = logging.getLogger("dialtone.links.sctp")

IPPROTO_SCTP = 132
S1AP_PPID = 18  # TS 36.412, 7

_RTOINFO = (0, struct.Struct("=iIII"))  # association, initial, max, min in ms
_ASSOCINFO = (1, struct.Struct("=iHHIII"))  # association, max retransmissions, then what we leave alone
_INITMSG = (2, struct.Struct("=HHHH"))  # streams out, streams in, attempts, timeout in ms
_NODELAY = 3
_PEER_ADDR_PARAMS = (9, struct.Struct("=i128sIHIIIIB1x"))  # heartbeat ms, path retransmissions ... flags
_STATUS = (14, struct.Struct("=iIIHHHHI"))  # ... unacknowledged, pending, streams in, streams out ...
_STATUS_SIZE = 176
_RECVRCVINFO = 32
_EVENT = (127, struct.Struct("=iHBx"))  # association, type, on
_HEARTBEAT = 1

_SNDINFO = (2, struct.Struct("=HHIII"))  # stream, flags, PPID, context, association
_RCVINFO = (3, struct.Struct("=HHHxxIIIII"))  # stream, SSN, flags, PPID, TSN, cumulative TSN, ...

_ASSOC_CHANGE, _SHUTDOWN_EVENT = 0x8001, 0x8005
_NOTIFICATION = 0x8000  # MSG_NOTIFICATION
_CHANGES = {1: "lost: no answer to heartbeats or data", 2: "restarted", 3: "shut down", 4: "refused"}
_CHUNK = 16_384


@dataclass(frozen=True, slots=True)
class Timing:
    """How soon a silent peer is noticed: after about `retransmissions` + 1 heartbeats, each repeated after
    `rto_max` at the latest. All in seconds. The kernel's own defaults take minutes."""

    heartbeat: float = 2.0
    retransmissions: int = 3
    rto_initial: float = 1.0
    rto_min: float = 0.3
    rto_max: float = 1.0
    attempts: int = 4


class Sctp(Connections):
    """A link over SCTP (TS 36.412 for S1-MME: PPID 18, stream 0 for common signalling). `also`: further PPIDs that
    are taken."""

    transport = "SCTP"

    def __init__(self, loop: Above, element: str, point: str, *, ppid: int = S1AP_PPID, also: Collection[int] = (),
                 streams: int = 16, timing: Timing | None = None, **limits: Any) -> None:
        super().__init__(loop, element, point, **limits)
        self.streams = streams
        self.timing = timing or Timing()
        self._ppid = socket.htonl(ppid)  # the kernel hands it through as it is on the wire
        self._ppids = {self._ppid, *map(socket.htonl, also)}

    def _open(self, family: socket.AddressFamily) -> socket.socket:
        sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK, IPPROTO_SCTP)
        t = self.timing
        ms = [int(1000 * seconds) for seconds in (t.rto_initial, t.rto_max, t.rto_min)]
        beat = (0, b"", int(1000 * t.heartbeat), t.retransmissions, 0, 0, _HEARTBEAT, 0, 0)
        for (option, layout), values in (
            (_INITMSG, (self.streams, self.streams, t.attempts, ms[1])),
            (_RTOINFO, (0, *ms)),
            (_ASSOCINFO, (0, t.retransmissions, 0, 0, 0, 0)),
            (_PEER_ADDR_PARAMS, beat),
            (_EVENT, (0, _ASSOC_CHANGE, 1)),
            (_EVENT, (0, _SHUTDOWN_EVENT, 1)),
        ):
            sock.setsockopt(IPPROTO_SCTP, option, layout.pack(*values))
        sock.setsockopt(IPPROTO_SCTP, _NODELAY, 1)
        sock.setsockopt(IPPROTO_SCTP, _RECVRCVINFO, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * self.message_limit)
        return sock

    def _ready(self, connection: Connection) -> None:
        option, layout = _STATUS
        status = connection.sock.getsockopt(IPPROTO_SCTP, option, _STATUS_SIZE)
        connection.streams = max(1, layout.unpack_from(status)[6])

    def _read(self, connection: Connection) -> str | None:
        data, ancillary, flags, _ = connection.sock.recvmsg(_CHUNK, 256)
        if flags & _NOTIFICATION:
            return _ended(data)
        if not data:
            return "closed by the peer"
        partial = connection.partial
        partial += data
        if len(partial) > self.message_limit:
            self.loop.discard(self.element, self.point, connection.name, bytes(partial[:64]), "message too long")
            self._abort(connection, f"sent a message of more than {self.message_limit} octets")
            return None
        if not flags & socket.MSG_EOR:
            return None
        message = bytes(partial)
        partial.clear()
        stream, ppid = _received_on(ancillary)
        if ppid in self._ppids:
            self.loop.deliver(self.element, self.point, connection.name, message, stream)
        else:
            self.loop.discard(self.element, self.point, connection.name, message, "wrong PPID")
        return None

    def _write(self, connection: Connection, data: bytes, stream: int) -> int:
        if stream >= connection.streams:  # fold: stream 0 stays for common signalling (TS 36.412, 7)
            stream = 1 + (stream - 1) % (connection.streams - 1) if connection.streams > 1 else 0
        kind, layout = _SNDINFO
        info = layout.pack(stream, 0, self._ppid, 0, 0)
        return connection.sock.sendmsg([data], [(IPPROTO_SCTP, kind, info)])


def _received_on(ancillary: list[tuple[int, int, bytes]]) -> tuple[int, int]:
    """Stream and PPID (as on the wire) of a message; PPID -1 if the kernel did not say."""
    for level, kind, info in ancillary:
        if level == IPPROTO_SCTP and kind == _RCVINFO[0]:
            fields = _RCVINFO[1].unpack_from(info)
            return fields[0], fields[3]
    return 0, -1


def _ended(notification: bytes) -> str | None:
    """Why a notification ends the association, None if it does not (RFC 6458, 6.1)."""
    if len(notification) < 10:
        return None
    kind, state = struct.unpack_from("=H6xH", notification)
    if kind == _SHUTDOWN_EVENT:
        return "shut down by the peer"
    if kind == _ASSOC_CHANGE and state in (1, 3, 4):
        return _CHANGES[state]
    return None
