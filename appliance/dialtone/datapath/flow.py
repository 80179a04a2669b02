# SPDX-License-Identifier: Apache-2.0
"""What packet filters look at in a packet (TS 23.060, 15.3; TS 24.008, 10.5.6.12), fragments included.

`remote` and `local` are the phone's view: of a downlink packet the source is remote, of an uplink one the destination.
"""

from collections.abc import Sequence
from typing import Generic, TypeVar

from dialtone.codec.tft import Flow, PacketFilter

HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION = 0, 43, 44, 60  # IPv6 extension headers (RFC 8200, 4)
ESP, AH = 50, 51
PORTS = frozenset((6, 17, 33, 132, 136))
"""TCP, UDP, DCCP, SCTP, UDP-Lite: source and destination port come first."""
REMEMBERED = 1024

Key = tuple[bytes, bytes, bytes, int]
"""Source, destination, identification and protocol: the same in every fragment of a packet (RFC 791, RFC 8200, 4.5)."""
B = TypeVar("B")


def read(packet: bytes, downlink: bool) -> tuple[Flow, Key | None, bool]:
    """The flow of a whole IPv4 or IPv6 header; for a fragment its key, and whether it is the first one.

    A later fragment has no ports, nor has a packet that ends before them.
    """
    if packet[0] >> 4 == 6:
        source, destination, tos = packet[8:24], packet[24:40], (packet[0] & 15) << 4 | packet[1] >> 4
        protocol, at, offset, key = _extensions(packet, source, destination)
        label = int.from_bytes(packet[1:4]) & 0xFFFFF
    else:
        source, destination, tos, label = packet[12:16], packet[16:20], packet[1], 0
        protocol, at = packet[9], 4 * (packet[0] & 15)
        fragment = int.from_bytes(packet[6:8])
        offset = fragment & 0x1FFF
        key = (source, destination, packet[4:6], protocol) if fragment & 0x3FFF else None
    first: int | None = None
    second: int | None = None
    spi = None
    if offset == 0:
        if protocol in PORTS and len(packet) >= at + 4:
            first, second = int.from_bytes(packet[at : at + 2]), int.from_bytes(packet[at + 2 : at + 4])
        elif protocol == ESP and len(packet) >= at + 4:
            spi = int.from_bytes(packet[at : at + 4])
        elif protocol == AH and len(packet) >= at + 8:
            spi = int.from_bytes(packet[at + 4 : at + 8])
    if downlink:
        flow = Flow(source, destination, protocol, first, second, tos, spi, label)
    else:
        flow = Flow(destination, source, protocol, second, first, tos, spi, label)
    return flow, key, offset == 0


def _extensions(packet: bytes, source: bytes, destination: bytes) -> tuple[int, int, int, Key | None]:
    """Upper protocol, where it begins, fragment offset, and the key of a fragment."""
    kind, at, size = packet[6], 40, len(packet)
    offset, key = 0, None
    while kind in (HOP_BY_HOP, ROUTING, DESTINATION, FRAGMENT) and at + 8 <= size:
        if kind == FRAGMENT:
            offset = int.from_bytes(packet[at + 2 : at + 4]) >> 3
            key = (source, destination, packet[at + 4 : at + 8], FRAGMENT)
            kind, at = packet[at], at + 8
            if offset:
                break
        else:
            kind, at = packet[at], at + 8 + 8 * packet[at + 1]
    return kind, at, offset, key


class Template(Generic[B]):
    """The filters of all bearers of one PDN connection, by precedence, and the fragments that follow their first."""

    def __init__(self, rules: Sequence[tuple[PacketFilter, B]], downlink: bool) -> None:
        self.downlink = downlink
        wanted = [rule for rule in rules if (rule[0].downlink if downlink else rule[0].uplink)]
        self.rules = sorted(wanted, key=lambda rule: rule[0].precedence)
        self._followed: dict[Key, B] = {}

    def choose(self, packet: bytes, default: B) -> B:
        """The bearer of a packet: that of the first filter that it fits, or the default one."""
        if not self.rules:
            return default
        flow, key, first = read(packet, self.downlink)
        if key is not None and not first:
            return self._followed.get(key, default)
        bearer = next((bearer for one, bearer in self.rules if one.matches(flow)), default)
        if key is not None:
            self._followed.pop(key, None)
            if len(self._followed) == REMEMBERED:
                del self._followed[next(iter(self._followed))]
            self._followed[key] = bearer
        return bearer
