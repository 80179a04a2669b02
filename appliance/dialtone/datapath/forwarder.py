# SPDX-License-Identifier: Apache-2.0
"""The Python slow path of the P-GW, a complete user plane without input or output of its own.

`uplink` takes a datagram from S1-U, `downlink` a packet from the TUN device; both return what to write where. IPv4 and
IPv6 inside, IPv4 outside; all addresses are packed octets.
"""

import socket
from collections.abc import Mapping
from struct import Struct

from dialtone.codec.gtpu import END_MARKER, G_PDU, EndMarker, ErrorIndication, encode, gpdu, split
from dialtone.datapath.flow import read
from dialtone.datapath.path import PORT, Address, Out, Path, Trace, no_trace
from dialtone.datapath.policing import DOWN, UP
from dialtone.datapath.router import UNSPECIFIED, Router, is_local
from dialtone.datapath.sessions import Bearer, Session, Sessions
from dialtone.datapath.supervision import INTERVAL, Supervision
from dialtone.datapath.waiting import Waiting
from dialtone.effects import (
    DownlinkWaiting,
    Event,
    OpenRelay,
    OpenTunnel,
    PathFailed,
    StrayMedia,
    TunnelRefused,
)
from dialtone.errors import ProtocolError
from dialtone.qci import DSCP

_U16 = Struct(">H")
MAX_PACKET = 1500
"""Longest inner packet taken from a phone that ignored the link MTU we gave it."""


Passed = tuple[tuple[int, int], tuple[int, int]]


class Forwarder:
    """Tunnels, and the packets through them. `events` collects what the elements must be told.

    `dscp` is the code point of the outer header by QCI, `echo` the seconds between echo requests (0: none).
    """

    def __init__(self, local: bytes, *, router: Router | None = None, trace: Trace = no_trace,
                 dscp: Mapping[int, int] = DSCP, echo: float = INTERVAL) -> None:
        self.sessions = Sessions()
        self.bearers = self.sessions.bearers
        self.events: list[Event] = []
        self.drops: dict[str, int] = {}
        self.supervision = Supervision(echo)
        self.path = Path(local, self.drops, self._refused, trace, self.supervision.answered)
        self.router = router or Router()
        self.relays: dict[int, tuple[Address, bytes]] = {}  # by our TEID: where it goes on, the TEID there
        self.waiting: Waiting[Bearer] = Waiting()
        self._dscp = dscp
        self._gone = (0, 0), (0, 0)  # what went through bearers that are no more: packets and octets, up and down

    # ---- tunnels ---------------------------------------------------------------------------------

    def open(self, tunnel: OpenTunnel, now: float) -> list[Out]:
        """Add a bearer, or move it to another eNB or into idle (`remote` None); its counters go on.

        Returns what is to be sent before anything newer: what was kept for it while the phone was idle, and a router
        advertisement that is due. Raises LocalError when the TEID or an address belongs to somebody else.
        """
        bearer = self.sessions.put(tunnel)
        bearer.tos = self._dscp.get(tunnel.qci, 0) << 2
        if tunnel.remote is None:
            bearer.to = None
            return []
        assert tunnel.remote_teid is not None
        bearer.to = (socket.inet_ntoa(tunnel.remote), PORT)
        bearer.remote_teid = tunnel.remote_teid
        kept = [_downlink(bearer, bearer.to, packet) for packet in self.waiting.take(bearer.imsi, bearer)]
        return kept + self._advertise(bearer.session, now)

    def close(self, teid: int) -> None:
        """Remove a bearer or a relay; an unknown TEID is no error."""
        self.relays.pop(teid, None)
        bearer = self.sessions.remove(teid)
        if bearer is not None:
            self._gone = _with(self._gone, bearer)
            self._lose(len(self.waiting.take(bearer.imsi, bearer)))

    def passed(self) -> Passed:
        """Packets and octets that went up, and down, since the start."""
        total = self._gone
        for bearer in self.bearers.values():
            total = _with(total, bearer)
        return total

    def relay(self, effect: OpenRelay) -> None:
        """Pass on what comes for that TEID, as it is but for the TEID (indirect forwarding, TS 23.401, 5.5.1.2.2)."""
        self.relays[effect.teid] = (socket.inet_ntoa(effect.remote), PORT), effect.remote_teid.to_bytes(4)

    def empty(self, imsi: str) -> None:
        """The phone does not come back for what is kept for it."""
        self._lose(self.waiting.empty(imsi))

    def _keep(self, bearer: Bearer, packet: bytes) -> None:
        first, lost = self.waiting.keep(bearer.imsi, bearer, packet)
        self._lose(lost)
        if first:
            self.events.append(DownlinkWaiting(bearer.imsi, bearer.ebi, bearer.teid))

    def _lose(self, packets: int) -> None:
        for _ in range(packets):
            self.path.drop("phone idle")

    def end_marker(self, remote: bytes, remote_teid: int) -> Out:
        """The end marker of the old path at a handover (TS 29.281, 7.3.2)."""
        return encode(EndMarker(teid=remote_teid)), (socket.inet_ntoa(remote), PORT), 0

    def tick(self, now: float) -> list[Out]:
        """What time makes due: echo requests, router advertisements. To be called about once a second."""
        due, lost = self.supervision.tick(now, (bearer.to for bearer in self.bearers.values() if bearer.to is not None))
        for peer in lost:
            self._path_failed(peer)
        for key, session in self.sessions.by_address.items():
            if len(key) == 8:
                due += self._advertise(session, now)
        return due

    def _advertise(self, session: Session, now: float) -> list[Out]:
        """A router advertisement that is due; an idle phone gets it when it comes back, and sleeps on until then."""
        link, bearer = session.link, session.bearers[0]
        if link is None or bearer.to is None or not link.due(now):
            return []
        return self._to_phone(bearer, self.router.advertise(link, now))

    # ---- packets ---------------------------------------------------------------------------------

    def uplink(self, datagram: bytes, peer: Address, now: float) -> bytes | Out | None:
        """A datagram from S1-U: the packet for the TUN device, or what to send, or None.

        A packet whose source is not the phone's own address is dropped (TS 23.401, 5.3.1.1: spoofing).
        """
        try:
            kind, teid, start = split(datagram)
        except ProtocolError as error:
            return self.path.unreadable(datagram, error, peer, now)
        if teid in self.relays and kind in (G_PDU, END_MARKER):
            to, remote_teid = self.relays[teid]
            return datagram[:4] + remote_teid + datagram[8:], to, 0
        if kind != G_PDU:
            return self.path.manage(datagram, peer, now)
        bearer = self.bearers.get(teid)
        if bearer is None:
            return self.path.unknown(datagram, teid, peer, now)
        packet = datagram[start:]
        size = len(packet)
        version = packet[0] >> 4 if size >= 20 else 0
        if version == 4:
            (total,) = _U16.unpack_from(packet, 2)
            whole = 20 <= 4 * (packet[0] & 15) <= total <= size
        elif version == 6:
            total = 40 + _U16.unpack_from(packet, 4)[0]
            whole = total <= size
        else:
            self.path.drop("inner packet not IP")
            return None
        if not whole:
            self.path.drop("inner packet malformed")
            return None
        if version == 4:
            genuine = packet[12:16] == bearer.ue
        elif is_local(packet[24:40]):
            return self._local(bearer, packet[:total], now)
        elif genuine := bearer.session.link is not None and packet[8:16] == bearer.session.link.prefix:
            bearer.session.link.configured = True
        if not genuine:
            self.path.drop("spoofed source")
            return None
        other = self.sessions.by_address.get(packet[16:20] if version == 4 else packet[24:32])
        if other is not None and not (bearer.session.in_call(UP, packet) and other.in_call(DOWN, packet)):
            self.path.drop("to another phone without a call")
            if bearer.session.strays():
                self.events.append(StrayMedia(bearer.imsi, str(read(packet, downlink=False)[0])))
            return None
        if total > MAX_PACKET:
            self.path.drop("oversize")
            return None
        if cause := bearer.policed(UP, total, now):
            self.path.drop(cause)
            return None
        bearer.up_packets += 1
        bearer.up_bytes += total
        return packet if total == size else packet[:total]

    def _local(self, bearer: Bearer, packet: bytes, now: float) -> Out | None:
        """Router and neighbour discovery; the sources are the /64, link-local, and none before the phone has one."""
        link, source = bearer.session.link, packet[8:24]
        if link is None or not (source[:8] == link.prefix or is_local(source) or source == UNSPECIFIED):
            self.path.drop("spoofed source")
            return None
        bearer.up_packets += 1
        bearer.up_bytes += len(packet)
        cause, answer = self.router.local(link, packet, now)
        if cause:
            self.path.drop(cause)
        sent = [] if answer is None else self._to_phone(bearer.session.bearers[0], answer)
        return sent[0] if sent else None

    def downlink(self, packet: bytes, now: float) -> Out | None:
        """A packet from the TUN device: what to send, or None; kept where the phone is idle."""
        version = packet[0] >> 4 if len(packet) >= 20 else 0
        if version == 4:
            session = self.sessions.by_address.get(packet[16:20])
        elif version == 6 and len(packet) >= 40:
            if packet[24] == 0xFF:
                return None  # the kernel's own multicast listener reports
            session = self.sessions.by_address.get(packet[24:32])
        else:
            self.path.drop("downlink not IP")
            return None
        if session is None:
            self.path.drop("no such phone")
            return None
        bearer = session.choose(packet)
        if cause := bearer.policed(DOWN, len(packet), now):
            self.path.drop(cause)
            return None
        if bearer.to is None:
            self._keep(bearer, packet)
            return None
        return _downlink(bearer, bearer.to, packet)

    def _to_phone(self, bearer: Bearer, packet: bytes) -> list[Out]:
        """A packet of the gateway's own, to a phone that is there."""
        if bearer.to is None:
            return []
        return [_downlink(bearer, bearer.to, packet)]

    def _path_failed(self, peer: Address) -> None:
        """The eNB is not to be reached: what comes for its phones is kept, and they are called (TS 23.007, 20.3)."""
        for bearer in self.bearers.values():
            if bearer.to == peer:
                bearer.to = None
        self.events.append(PathFailed(socket.inet_aton(peer[0])))

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
    return gpdu(bearer.remote_teid, packet), to, bearer.tos


def _with(total: Passed, bearer: Bearer) -> Passed:
    (up, up_octets), (down, down_octets) = total
    return (up + bearer.up_packets, up_octets + bearer.up_bytes), (
        down + bearer.down_packets, down_octets + bearer.down_bytes)
