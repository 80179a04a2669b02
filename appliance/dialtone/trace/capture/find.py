# SPDX-License-Identifier: Apache-2.0
"""Finds the messages in the packets of a capture: in UDP, SCTP and TCP, inside GTP-U and ESP, in GSMTAP and exported
PDUs. A packet that was caught at several places gives its message once.
"""

import hashlib
import re
from collections import Counter, OrderedDict
from collections.abc import Iterator
from ipaddress import ip_address
from typing import NamedTuple

from dialtone.codec import diameter, gtpc, gtpu
from dialtone.errors import ProtocolError
from dialtone.links.sip import framing as sip_framing
from dialtone.trace.capture import esp
from dialtone.trace.capture.files import Packet
from dialtone.trace.capture.layers import LINKS, Datagram, Ip
from dialtone.trace.capture.streams import Framing, Sctp, Tcp
from dialtone.trace.pcapng import DISSECTORS

S1AP, NAS, GTPC, GTPU, DIAMETER, SIP, SMS = "s1ap", "nas-eps", "gtpv2", "gtp", "diameter", "sip", "gsm_a_dtap"
EXPORTED, SRS_NAS, SRS_S1AP = 252, 148, 150
_ESP, _TCP, _UDP, _SCTP, _IPV4, _IPV6 = 50, 6, 17, 132, 4, 41
_GTPU_PORT, _GTPC_PORT, _DIAMETER_PORT, _S1AP_PORT, _GSMTAP_PORT, _NAT_PORT = 2152, 2123, 3868, 36412, 4729, 4500
_PPIDS = {18: S1AP, 46: DIAMETER}
_SIP_START = re.compile(rb"(?:SIP/2\.0 [1-6]\d\d|[A-Z]{3,20} [^\r\n ]{1,2000} SIP/2\.0\r\n)")
_COPY_SECONDS = 0.4  # less than T1 of SIP, the shortest time after which a sender repeats itself
_COPIES = 8192
_DEEPEST = 4  # tunnels in tunnels
_TUNNELS = 20_000
_GSMTAP_NAS, _UPLINK = 0x12, 0x4000


class End(NamedTuple):
    """One end of a message."""

    address: str
    port: int = 0


class Found(NamedTuple):
    """A message: when, of which protocol, from and to where, its octets. `transport` is udp, tcp or sctp; `tunnelled`
    and `protected` tell of GTP-U and ESP around it, `uplink` of its direction where the capture said so."""

    time: float
    protocol: str
    src: End
    dst: End
    data: bytes
    transport: str = ""
    tunnelled: bool = False
    cut: bool = False
    uplink: bool | None = None
    protected: bool = False


class _Way(NamedTuple):
    """How a packet was carried."""

    packet: Packet
    depth: int = 0
    protected: bool = False


def is_sip(data: bytes) -> bool:
    """Whether a SIP message begins here."""
    return _SIP_START.match(data) is not None


def _is_diameter(data: bytes) -> bool:
    """A header of a version, flags and a command that exist (RFC 6733, 3)."""
    if len(data) < 20 or data[0] != 1 or data[4] & 0x0F:
        return False
    length = int.from_bytes(data[1:4], "big")
    command = int.from_bytes(data[5:8], "big")
    return 20 <= length <= 1 << 20 and not length & 3 and (257 <= command <= 330 or 8388600 <= command <= 8388740)


class Finder:
    """`messages(packet)` for each packet of a file. `copies` counts, for each protocol, messages that were seen before
    at another place; `other` what is not followed further; `tunnels` has the ends of a packet in each GTP-U tunnel."""

    def __init__(self, keys: esp.Keys | None = None) -> None:
        self.keys = keys or {}
        self.copies: Counter[str] = Counter()
        self.other: Counter[str] = Counter()
        self.tunnels: dict[tuple[str, str, int], tuple[str, str]] = {}
        self._ip = Ip()
        self._inner = Ip()
        self._sctp = Sctp()
        self._tcp = Tcp((Framing(SIP, is_sip, sip_framing), Framing(DIAMETER, _is_diameter, _diameter_length)))
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def messages(self, packet: Packet) -> Iterator[Found]:
        """The messages that are whole with this packet."""
        if packet.link in LINKS:
            datagram = self._ip.frame(packet.link, packet.data)
            if datagram is not None:
                yield from self._datagram(_Way(packet), datagram)
        elif packet.link == EXPORTED:
            yield from exported(packet)
        elif packet.link in (SRS_NAS, SRS_S1AP):
            protocol = NAS if packet.link == SRS_NAS else S1AP
            yield Found(packet.time, protocol, End(""), End(""), packet.data, cut=packet.cut)
        else:
            self.other[f"link type {packet.link}"] += 1

    def _datagram(self, way: _Way, datagram: Datagram) -> Iterator[Found]:
        src, dst, protocol, payload, _ = datagram
        if protocol == _UDP:
            yield from self._udp(way, datagram)
        elif protocol == _TCP:
            for name, octets in self._tcp.segment(src, dst, payload):
                yield self._found(way, name, datagram, octets, "tcp")
        elif protocol == _SCTP:
            before = self._sctp.copies
            for chunk in self._sctp.packet(payload):
                yield from self._chunk(way, datagram, chunk.ppid, chunk.data)
            self.copies["SCTP chunks"] += self._sctp.copies - before
        elif protocol == _ESP:
            yield from self._esp(way, datagram)
        elif protocol in (_IPV4, _IPV6) and way.depth < _DEEPEST:
            inner = self._inner.packet(payload)
            if inner is not None:
                yield from self._datagram(way._replace(depth=way.depth + 1), inner)

    def _udp(self, way: _Way, datagram: Datagram) -> Iterator[Found]:
        payload = datagram.payload
        ports = {int.from_bytes(payload[:2], "big"), int.from_bytes(payload[2:4], "big")}
        data = payload[8:int.from_bytes(payload[4:6], "big") or len(payload)]
        if len(payload) <= 8:
            return
        if _GTPU_PORT in ports:
            yield from self._gtpu(way, datagram, data)
        elif _GTPC_PORT in ports:
            for part in _gtpc_parts(data):
                yield from self._once(way, GTPC, datagram, part)
        elif _GSMTAP_PORT in ports and data[:1] == b"\x02" and len(data) >= 16:
            yield from self._gsmtap(way, datagram, data)
        elif _NAT_PORT in ports and data[:4] != bytes(4) and len(data) > 1:
            yield from self._esp(way, datagram._replace(payload=data))
        elif is_sip(data):
            yield from self._once(way, SIP, datagram, data)

    def _gtpu(self, way: _Way, datagram: Datagram, data: bytes) -> Iterator[Found]:
        try:
            kind, teid, start = gtpu.split(data)[:3]
        except ProtocolError:
            self.other["GTP-U that is none"] += 1
            return
        if kind != gtpu.G_PDU:
            yield from self._once(way, GTPU, datagram, data)
        elif way.depth < _DEEPEST and (inner := self._inner.packet(data[start:])) is not None:
            if len(self.tunnels) < _TUNNELS:
                self.tunnels.setdefault((datagram.src, datagram.dst, teid), (inner.src, inner.dst))
            yield from self._datagram(way._replace(depth=way.depth + 1), inner)

    def _esp(self, way: _Way, datagram: Datagram) -> Iterator[Found]:
        inner = esp.unwrap(datagram.dst, datagram.payload, self.keys)
        if inner is None:
            self.other["ESP that could not be read"] += 1
        elif inner.fault:
            self.other[f"ESP: {inner.fault}"] += 1
        else:
            carried = datagram._replace(protocol=inner.protocol, payload=inner.payload)
            yield from self._datagram(way._replace(protected=True), carried)

    def _chunk(self, way: _Way, datagram: Datagram, ppid: int, data: bytes) -> Iterator[Found]:
        ports = {int.from_bytes(datagram.payload[:2], "big"), int.from_bytes(datagram.payload[2:4], "big")}
        by_port = S1AP if _S1AP_PORT in ports else DIAMETER if _DIAMETER_PORT in ports else ""
        protocol = _PPIDS.get(ppid) or (by_port if ppid == 0 else "")
        if protocol:
            yield self._found(way, protocol, datagram, data, "sctp")
        else:
            self.other[f"SCTP payload protocol {ppid}"] += 1

    def _gsmtap(self, way: _Way, datagram: Datagram, data: bytes) -> Iterator[Found]:
        start, kind = data[1] * 4, data[2]
        if kind == _GSMTAP_NAS and 16 <= start < len(data):
            found = self._found(way, NAS, datagram, data[start:], "udp")
            uplink = bool(int.from_bytes(data[4:6], "big") & _UPLINK)
            yield found._replace(src=End("", 1 if uplink else 0), dst=End("", 0 if uplink else 1), uplink=uplink)
        else:
            self.other[f"GSMTAP type {kind}"] += 1

    def _once(self, way: _Way, protocol: str, datagram: Datagram, data: bytes) -> Iterator[Found]:
        """A message over UDP, unless the same packet was caught before on its way."""
        ends = f"{datagram.src} {datagram.dst} ".encode() + datagram.payload[:4]  # not the checksum: a card fills it in
        key = hashlib.blake2b(ends + data, digest_size=16).digest()
        before = self._seen.pop(key, None)
        self._seen[key] = way.packet.time
        if len(self._seen) > _COPIES:
            self._seen.popitem(last=False)
        if before is not None and abs(way.packet.time - before) < _COPY_SECONDS:
            self.copies[protocol] += 1
        else:
            yield self._found(way, protocol, datagram, data, "udp")

    def _found(self, way: _Way, protocol: str, datagram: Datagram, data: bytes, transport: str) -> Found:
        ports = int.from_bytes(datagram.payload[:2], "big"), int.from_bytes(datagram.payload[2:4], "big")
        return Found(way.packet.time, protocol, End(datagram.src, ports[0]), End(datagram.dst, ports[1]), data,
                     transport, bool(way.depth), way.packet.cut, None, way.protected)


def _gtpc_parts(data: bytes) -> list[bytes]:
    try:
        return gtpc.split(data)
    except ProtocolError:
        return [data]


def _diameter_length(buffer: bytearray) -> int:
    return diameter.frame_length(bytes(buffer[:4])) or 0


_PROTOCOLS = {**{name: name for name in DISSECTORS.values()}, "nas-eps_plain": NAS}


def exported(packet: Packet) -> Iterator[Found]:
    """The message of an exported PDU (link type 252), where Wireshark named one of our protocols."""
    protocol, ends, ports, at = "", ["", ""], [0, 0], 0
    data = packet.data
    while at + 4 <= len(data):
        code, length = int.from_bytes(data[at:at + 2], "big"), int.from_bytes(data[at + 2:at + 4], "big")
        value, at = data[at + 4:at + 4 + length], at + 4 + length
        if code == 0:
            break
        if code == 12:
            protocol = _PROTOCOLS.get(value.rstrip(b"\0").decode("ascii", "replace"), "")
        elif code in (20, 21, 22, 23) and length in (4, 16):  # IPv4 and IPv6, source and destination
            ends[code & 1] = str(ip_address(value))
        elif code in (25, 26) and length == 4:
            ports[code - 25] = int.from_bytes(value, "big")
    if protocol and at < len(data):
        src, dst = (End(end, port) for end, port in zip(ends, ports, strict=True))
        yield Found(packet.time, protocol, src, dst, data[at:], cut=packet.cut)
