# SPDX-License-Identifier: Apache-2.0
"""From a frame to an IP packet, and from IP packets to what they carry; fragments are put together."""

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_address
from typing import NamedTuple

FRAGMENTED = 512
"""Datagrams that may wait for a fragment at a time; the oldest is given up."""
_IPV4, _IPV6 = 0x0800, 0x86DD
_TAGS = {0x8100, 0x88A8, 0x9100}  # VLAN
_EXTENSIONS = {0, 43, 60}  # hop by hop, routing, destination options
_FRAGMENT = 44


class Datagram(NamedTuple):
    """What an IP packet carries. `ident` tells copies of one packet from others with the same content."""

    src: str
    dst: str
    protocol: int
    payload: bytes
    ident: int


def _ethernet(frame: bytes) -> tuple[int, bytes]:
    return _tagged(frame, 12)


def _tagged(frame: bytes, at: int) -> tuple[int, bytes]:
    kind = int.from_bytes(frame[at:at + 2], "big")
    while kind in _TAGS:
        at += 4
        kind = int.from_bytes(frame[at:at + 2], "big")
    return kind, frame[at + 2:]


def _raw(frame: bytes) -> tuple[int, bytes]:
    return {4: _IPV4, 6: _IPV6}.get(frame[0] >> 4, 0) if frame else 0, frame


def _null(frame: bytes) -> tuple[int, bytes]:
    return _raw(frame[4:])


def _ppp(frame: bytes) -> tuple[int, bytes]:
    frame = frame.removeprefix(b"\xff\x03")
    return {0x21: _IPV4, 0x57: _IPV6}.get(int.from_bytes(frame[:2], "big"), 0), frame[2:]


LINKS: dict[int, Callable[[bytes], tuple[int, bytes]]] = {
    0: _null, 1: _ethernet, 9: _ppp, 12: _raw, 14: _raw, 101: _raw, 108: _null, 113: lambda frame: _tagged(frame, 14),
    228: _raw, 229: _raw, 276: lambda frame: (int.from_bytes(frame[:2], "big"), frame[20:]),
}
"""Link type -> the EtherType and the packet in a frame: BSD loopback, Ethernet, PPP, raw IP, Linux cooked 1 and 2."""


class Ip:
    """Takes IP packets, gives what they carry, whole."""

    def __init__(self) -> None:
        self._parts: OrderedDict[tuple[bytes, bytes, int, int], _Parts] = OrderedDict()

    def frame(self, link: int, frame: bytes) -> Datagram | None:
        """From a frame of this link type."""
        kind, packet = LINKS[link](frame)
        return self.packet(packet) if kind in (_IPV4, _IPV6) else None

    def packet(self, packet: bytes) -> Datagram | None:
        """From an IP packet: None for a fragment that is not the last to come, and for what is none."""
        version = packet[0] >> 4 if len(packet) >= 20 else 0
        if version == 4:
            return self._ipv4(packet)
        return self._ipv6(packet) if version == 6 and len(packet) >= 40 else None

    def _ipv4(self, packet: bytes) -> Datagram | None:
        start, total = (packet[0] & 15) * 4, int.from_bytes(packet[2:4], "big")
        ident, where = int.from_bytes(packet[4:6], "big"), int.from_bytes(packet[6:8], "big")
        if start < 20 or len(packet) < start:
            return None
        payload = packet[start:total or len(packet)]  # an offloading card leaves the length 0
        src, dst, protocol = packet[12:16], packet[16:20], packet[9]
        if where & 0x3FFF:
            whole = self._whole((src, dst, protocol, ident), (where & 0x1FFF) * 8, bool(where & 0x2000), payload)
            if whole is None:
                return None
            payload = whole
        return Datagram(_address(src), _address(dst), protocol, payload, ident)

    def _ipv6(self, packet: bytes) -> Datagram | None:
        src, dst, protocol, at = packet[8:24], packet[24:40], packet[6], 40
        end = 40 + int.from_bytes(packet[4:6], "big")
        ident = 0
        for _ in range(8):
            if protocol in _EXTENSIONS and at + 2 <= len(packet):
                protocol, at = packet[at], at + 8 + 8 * packet[at + 1]
            elif protocol == _FRAGMENT and at + 8 <= len(packet):
                where = int.from_bytes(packet[at + 2:at + 4], "big")
                ident = int.from_bytes(packet[at + 4:at + 8], "big")
                protocol, at = packet[at], at + 8
                whole = self._whole((src, dst, protocol, ident), where & 0xFFF8, bool(where & 1), packet[at:end])
                return None if whole is None else Datagram(_address(src), _address(dst), protocol, whole, ident)
        return Datagram(_address(src), _address(dst), protocol, packet[at:end], ident)

    def _whole(self, key: tuple[bytes, bytes, int, int], offset: int, more: bool, payload: bytes) -> bytes | None:
        parts = self._parts.pop(key, None) or _Parts({}, None)
        parts.pieces[offset] = payload
        if not more:
            parts = parts._replace(size=offset + len(payload))
        if parts.size is not None:
            whole, end = bytearray(), 0
            for at, piece in sorted(parts.pieces.items()):
                if at != end:
                    break
                whole += piece
                end += len(piece)
            if end == parts.size:
                return bytes(whole)
        if len(parts.pieces) <= 64:
            self._parts[key] = parts
            if len(self._parts) > FRAGMENTED:
                self._parts.popitem(last=False)
        return None


class _Parts(NamedTuple):
    pieces: dict[int, bytes]
    size: int | None


_KNOWN: dict[bytes, str] = {}


def _address(octets: bytes) -> str:
    text = _KNOWN.get(octets)
    if text is None:
        if len(_KNOWN) > 65_536:
            _KNOWN.clear()
        text = _KNOWN[octets] = str(ip_address(octets))
    return text
