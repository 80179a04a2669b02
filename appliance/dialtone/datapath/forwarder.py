# SPDX-License-Identifier: Apache-2.0
"""The Python slow path of the P-GW, a complete user plane without input or output of its own.

`uplink` takes a datagram from S1-U, `downlink` a packet from the TUN device; both return what to write
where. IPv4 inside and out; all addresses are packed octets.
"""

import socket
from collections import deque
from dataclasses import dataclass
from struct import Struct

from dialtone.codec.gtpu import G_PDU, EndMarker, ErrorIndication, encode, gpdu, split
from dialtone.datapath.path import PORT, Address, Out, Path, Trace, no_trace
from dialtone.effects import DownlinkWaiting, Event, OpenTunnel, TunnelRefused
from dialtone.errors import LocalError, ProtocolError

_TOTAL_LENGTH = Struct(">H")
MAX_PACKET = 1500
"""Longest inner packet taken from a phone that ignored the link MTU we gave it."""
BUFFER = 64
"""Most packets kept for an idle phone; the oldest makes room."""


@dataclass(slots=True)
class Bearer:
    """One EPS bearer. Counters are of inner IP packets and octets that passed, as in TS 32.298."""

    imsi: str
    ebi: int
    ue: bytes
    teid: int
    qci: int = 9
    remote_teid: int = 0
    to: Address | None = None  # the eNB; None while the phone is idle
    up_packets: int = 0
    up_bytes: int = 0
    down_packets: int = 0
    down_bytes: int = 0


class Forwarder:
    """Tunnels, and the packets through them. `events` collects what the elements must be told."""

    def __init__(self, local: bytes, *, trace: Trace = no_trace) -> None:
        self.bearers: dict[int, Bearer] = {}  # by our TEID
        self.events: list[Event] = []
        self.drops: dict[str, int] = {}
        self.path = Path(local, self.drops, self._refused, trace)
        self._sessions: dict[bytes, list[Bearer]] = {}  # by the phone's address; the default bearer first
        self._waiting: dict[str, deque[tuple[Bearer, bytes]]] = {}  # by IMSI: what came for an idle phone, in order

    # ---- tunnels ---------------------------------------------------------------------------------

    def open(self, tunnel: OpenTunnel) -> list[Out]:
        """Add a bearer, or move it to another eNB or into idle (`remote` None); its counters go on.

        Returns what was kept for it while the phone was idle, to be sent before anything newer.
        Raises LocalError when the TEID or the phone's address belongs to somebody else.
        """
        bearer = self.bearers.get(tunnel.teid)
        if bearer is None:
            bearer = self._add(tunnel)
        elif (bearer.imsi, bearer.ue) != (tunnel.imsi, tunnel.ue):
            raise LocalError(f"TEID {tunnel.teid:#010x} belongs to another phone.")
        bearer.ebi, bearer.qci = tunnel.ebi, tunnel.qci
        if tunnel.remote is None:
            bearer.to = None
            return []
        assert tunnel.remote_teid is not None
        bearer.to = (socket.inet_ntoa(tunnel.remote), PORT)
        bearer.remote_teid = tunnel.remote_teid
        return [_downlink(bearer, bearer.to, packet) for packet in self._take(bearer)]

    def _add(self, tunnel: OpenTunnel) -> Bearer:
        if len(tunnel.ue) != 4:
            raise LocalError("The user plane serves IPv4 addresses only.")
        session = self._sessions.setdefault(tunnel.ue, [])
        if session and session[0].imsi != tunnel.imsi:
            raise LocalError(f"Address {socket.inet_ntoa(tunnel.ue)} belongs to another phone.")
        bearer = Bearer(tunnel.imsi, tunnel.ebi, tunnel.ue, tunnel.teid)
        session.append(bearer)
        self.bearers[tunnel.teid] = bearer
        return bearer

    def close(self, teid: int) -> None:
        """Remove a bearer; an unknown TEID is no error."""
        bearer = self.bearers.pop(teid, None)
        if bearer is not None:
            session = self._sessions[bearer.ue]
            session.remove(bearer)
            if not session:
                del self._sessions[bearer.ue]
            self._lose(len(self._take(bearer)))

    # ---- what waits for idle phones ------------------------------------------------------------------

    def empty(self, imsi: str) -> None:
        """The phone does not come back for what is kept for it."""
        self._lose(len(self._waiting.pop(imsi, ())))

    def _keep(self, bearer: Bearer, packet: bytes) -> None:
        waiting = self._waiting.get(bearer.imsi)
        if waiting is None:
            waiting = self._waiting[bearer.imsi] = deque()
            self.events.append(DownlinkWaiting(bearer.imsi, bearer.ebi, bearer.teid))
        if len(waiting) == BUFFER:
            waiting.popleft()
            self._lose(1)
        waiting.append((bearer, packet))

    def _take(self, bearer: Bearer) -> list[bytes]:
        """What waits for one bearer, in order; what waits for others of the phone stays."""
        waiting = self._waiting.pop(bearer.imsi, ())
        if others := deque(entry for entry in waiting if entry[0] is not bearer):
            self._waiting[bearer.imsi] = others
        return [packet for owner, packet in waiting if owner is bearer]

    def _lose(self, packets: int) -> None:
        for _ in range(packets):
            self.path.drop("phone idle")

    def end_marker(self, remote: bytes, remote_teid: int) -> Out:
        """The end marker of the old path at a handover (TS 29.281, 7.3.2)."""
        return encode(EndMarker(teid=remote_teid)), (socket.inet_ntoa(remote), PORT)

    # ---- packets ---------------------------------------------------------------------------------

    def uplink(self, datagram: bytes, peer: Address, now: float) -> bytes | Out | None:
        """A datagram from S1-U: the packet for the TUN device, or (octets, address) to send, or None.

        A packet whose source is not the phone's own address is dropped (TS 23.401, 5.3.1.1: spoofing).
        """
        try:
            kind, teid, start = split(datagram)
        except ProtocolError as error:
            return self.path.unreadable(datagram, error, peer, now)
        if kind != G_PDU:
            return self.path.manage(datagram, peer, now)
        bearer = self.bearers.get(teid)
        if bearer is None:
            return self.path.unknown(datagram, teid, peer, now)
        packet = datagram[start:]
        size = len(packet)
        if size < 20 or packet[0] >> 4 != 4:
            self.path.drop("inner packet not IPv4")
            return None
        (total,) = _TOTAL_LENGTH.unpack_from(packet, 2)
        if not 20 <= 4 * (packet[0] & 15) <= total <= size:
            self.path.drop("inner packet malformed")
            return None
        if packet[12:16] != bearer.ue:
            self.path.drop("spoofed source")
            return None
        if total > MAX_PACKET:
            self.path.drop("oversize")
            return None
        bearer.up_packets += 1
        bearer.up_bytes += total
        return packet if total == size else packet[:total]

    def downlink(self, packet: bytes) -> Out | None:
        """A packet from the TUN device: (octets, address) to send, or None; kept where the phone is idle."""
        if len(packet) < 20 or packet[0] >> 4 != 4:
            self.path.drop("downlink not IPv4")
            return None
        session = self._sessions.get(packet[16:20])
        if session is None:
            self.path.drop("no such phone")
            return None
        bearer = session[0]
        if bearer.to is None:
            self._keep(bearer, packet)
            return None
        return _downlink(bearer, bearer.to, packet)

    def _refused(self, peer: Address, indication: ErrorIndication) -> None:
        """The eNB lost a tunnel: stop sending there and report it once (TS 23.007, 22)."""
        for bearer in self.bearers.values():
            to = bearer.to
            if to is not None and to[0] == peer[0] and bearer.remote_teid == indication.teid_data_i:
                bearer.to = None
                self.events.append(TunnelRefused(bearer.imsi, bearer.ebi, bearer.teid))
                return
        self.path.drop("error indication for no tunnel")


def _downlink(bearer: Bearer, to: Address, packet: bytes) -> Out:
    bearer.down_packets += 1
    bearer.down_bytes += len(packet)
    return gpdu(bearer.remote_teid, packet), to
