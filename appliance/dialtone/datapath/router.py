# SPDX-License-Identifier: Apache-2.0
"""The gateway as an IPv6 router on each phone's link (RFC 4861; TS 29.061, 11.2.1.3; TS 23.401, 5.3.1.2.2).

The link is a point-to-point one: the phone with its /64, and the gateway at fe80::1. What a phone sends to a link-local
or multicast address ends here and never reaches the kernel.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Network
from struct import Struct

GATEWAY = bytes.fromhex("fe80000000000000 0000000000000001")
ALL_NODES = bytes.fromhex("ff02000000000000 0000000000000001")
UNSPECIFIED = bytes(16)
ICMPV6, HOP_LIMIT = 58, 255
ALL_ROUTERS = bytes.fromhex("ff020000000000000000000000000002")
ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT, NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT = 133, 134, 135, 136
ECHO_REQUEST, ECHO_REPLY = 128, 129

MAX_INTERVAL = 21_600.0
"""Seconds between unsolicited advertisements, so that phones sleep (TS 29.061, 11.2.1.3.4: MaxRtrAdvInterval)."""
ROUTER_LIFETIME = 64_800  # three of these
INFINITE = 0xFFFF_FFFF
"""Prefix and resolver are the phone's for as long as it has the PDN connection."""
INITIAL_INTERVAL, INITIAL_ADVERTISEMENTS = 4.0, 3
"""The first ones may find a phone whose stack is not ready yet (RFC 4861, 6.2.4 and 10)."""

_IPV6 = Struct(">IHBB16s16s")
_ADVERTISEMENT = Struct(">BBHBBHII")
_PREFIX = Struct(">BBBBIII16s")
_MTU = Struct(">BBHI")


@dataclass(slots=True)
class Link:
    """The advertisements of one phone's link."""

    prefix: bytes
    sent: int = 0
    last: float = float("-inf")
    configured: bool = False  # the phone was seen to use its /64

    def due(self, now: float) -> bool:
        """Whether an unsolicited advertisement is to go out to a phone that is connected."""
        initial = self.sent < INITIAL_ADVERTISEMENTS and not self.configured
        return now - self.last >= (INITIAL_INTERVAL if initial else MAX_INTERVAL)


@dataclass(slots=True)
class Router:
    """What is advertised. `servers`: for each network of phones the resolvers in it, packed."""

    mtu: int = 1400
    servers: Sequence[tuple[IPv6Network, tuple[bytes, ...]]] = field(default=())

    def advertise(self, link: Link, now: float, to: bytes = ALL_NODES) -> bytes:
        """A router advertisement, as an IPv6 packet: hop limit 255, A=1, L=0."""
        link.sent += 1
        link.last = now
        prefix = link.prefix + bytes(8)
        body = _ADVERTISEMENT.pack(ROUTER_ADVERTISEMENT, 0, 0, 64, 0, ROUTER_LIFETIME, 0, 0)
        body += _PREFIX.pack(3, 4, 64, 0x40, INFINITE, INFINITE, 0, prefix)
        body += _MTU.pack(5, 1, 0, self.mtu)
        for network, servers in self.servers:
            if int(network.network_address) <= int.from_bytes(prefix) <= int(network.broadcast_address) and servers:
                body += _MTU.pack(25, 1 + 2 * len(servers), 0, INFINITE) + b"".join(servers)  # RFC 8106, 5.1
        return _packet(GATEWAY, to, body)

    def local(self, link: Link, packet: bytes, now: float) -> tuple[str, bytes | None]:
        """What a phone says on its link: the cause to count it under ("" for what is in order), and the answer."""
        source, kind = packet[8:24], packet[40:41]
        if packet[6] != ICMPV6 or not kind:
            return "link-local", None  # multicast listener reports (RFC 3810) have an option before them
        if kind[0] == ECHO_REQUEST and packet[24:40] == GATEWAY:
            return "", _packet(GATEWAY, source, bytes((ECHO_REPLY,)) + packet[41:42] + bytes(2) + packet[44:])
        if kind[0] not in (ROUTER_SOLICITATION, NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT):
            return "link-local", None
        if packet[7] != HOP_LIMIT or packet[41] != 0 or checksum(source, packet[24:40], packet[40:]) != 0:
            return "neighbour discovery malformed", None  # RFC 4861, 6.1.1 and 7.1.1
        if kind[0] == ROUTER_SOLICITATION:
            return "", self.advertise(link, now, ALL_NODES if source == UNSPECIFIED else source)
        if kind[0] == NEIGHBOUR_SOLICITATION and packet[48:64] == GATEWAY:
            return "", _neighbour_advertisement(source)
        return "", None  # the phone looks for doubles of its own address: there is nobody else on its link


def solicitation(source: bytes) -> bytes:
    """What a phone with this link-local address asks (RFC 4861, 4.1)."""
    return _packet(source, ALL_ROUTERS, bytes((ROUTER_SOLICITATION, 0, 0, 0, 0, 0, 0, 0)))


def prefix_of(packet: bytes) -> bytes:
    """The prefix, 8 octets, in an advertisement of ours; empty for another packet."""
    return packet[72:80] if packet[6:7] == bytes((ICMPV6,)) and packet[40:41] == bytes((ROUTER_ADVERTISEMENT,)) else b""


def is_local(address: bytes) -> bool:
    """Link-local (fe80::/10) or multicast (ff00::/8): not to be forwarded."""
    return address[0] == 0xFF or (address[0] == 0xFE and address[1] & 0xC0 == 0x80)


def checksum(source: bytes, destination: bytes, body: bytes) -> int:
    """Of ICMPv6 with its pseudo-header (RFC 4443, 2.3); 0 over a body that holds the right one."""
    pseudo = source + destination + len(body).to_bytes(4) + bytes((0, 0, 0, ICMPV6)) + body + bytes(len(body) % 2)
    total = sum(int.from_bytes(pseudo[at : at + 2]) for at in range(0, len(pseudo), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _neighbour_advertisement(source: bytes) -> bytes:
    """Router, solicited unless asked from the unspecified address, no link-layer address (RFC 4861, 7.2.4)."""
    flags = 0x80 if source == UNSPECIFIED else 0xC0
    body = bytes((NEIGHBOUR_ADVERTISEMENT, 0, 0, 0, flags, 0, 0, 0)) + GATEWAY
    return _packet(GATEWAY, ALL_NODES if source == UNSPECIFIED else source, body)


def _packet(source: bytes, destination: bytes, body: bytes) -> bytes:
    """An ICMPv6 body, its checksum zero, as a packet."""
    body = body[:2] + checksum(source, destination, body).to_bytes(2) + body[4:]
    return _IPV6.pack(0x6000_0000, len(body), ICMPV6, HOP_LIMIT, source, destination) + body
