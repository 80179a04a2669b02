# SPDX-License-Identifier: Apache-2.0
"""Packets and capture files for tests of the import, layer by layer."""

import hmac
import struct
from ipaddress import ip_address
from pathlib import Path

UE, ENB, CORE, HSS = "10.46.0.2", "10.0.1.20", "10.0.1.133", "10.0.1.9"
START = 1_790_000_000


def pcap(path: Path, packets: list[bytes], link: int = 101, order: str = "<", nano: bool = False,
         step: float = 0.01) -> Path:
    """A file of packets, each `step` seconds after the other."""
    ticks = 1_000_000_000 if nano else 1_000_000
    out = struct.pack(order + "IHHiIII", 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0, 262144, link)
    for number, packet in enumerate(packets):
        seconds, fraction = divmod(round(number * step * ticks), ticks)
        out += struct.pack(order + "IIII", START + seconds, fraction, len(packet), len(packet)) + packet
    path.write_bytes(out)
    return path


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, 12 + len(body)) + body + struct.pack(order + "I", 12 + len(body))


def pcapng(path: Path, packets: list[bytes], link: int = 101, order: str = "<", resolution: int = 9) -> Path:
    """A pcapng with one interface."""
    out = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    out += block(1, struct.pack(order + "HHIHHBxxxHH", link, 0, 0, 9, 1, resolution, 0, 0), order)
    for number, packet in enumerate(packets):
        ticks = START * 10**resolution + number * 10**(resolution - 2)
        out += block(6, struct.pack(order + "IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(packet), len(packet))
                     + packet + bytes(-len(packet) % 4), order)
    path.write_bytes(out)
    return path


def ip(protocol: int, payload: bytes, src: str = UE, dst: str = CORE, ident: int = 1, where: int = 0) -> bytes:
    one, other = ip_address(src), ip_address(dst)
    if one.version == 6:
        return struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64) + one.packed + other.packed + payload
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), ident, where, 64, protocol, 0
                       ) + one.packed + other.packed + payload


def fragments(packet: bytes, size: int = 200) -> list[bytes]:
    """An IPv4 packet in pieces of `size` octets (a multiple of 8)."""
    payload = packet[20:]
    src, dst = str(ip_address(packet[12:16])), str(ip_address(packet[16:20]))
    return [ip(packet[9], payload[at:at + size], src, dst, 77, at // 8 | (0x2000 if at + size < len(payload) else 0))
            for at in range(0, len(payload), size)]


def udp(data: bytes, sport: int = 5060, dport: int = 5060) -> bytes:
    return struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data


def tcp(data: bytes, sequence: int, sport: int = 40000, dport: int = 5060, flags: int = 0x18) -> bytes:
    return struct.pack(">HHIIBBHHH", sport, dport, sequence, 0, 0x50, flags, 65535, 0, 0) + data


def data_chunk(data: bytes, tsn: int = 1, ppid: int = 18, flags: int = 3) -> bytes:
    chunk = struct.pack(">BBHIHHI", 0, flags, 16 + len(data), tsn, 1, 0, ppid) + data
    return chunk + bytes(-len(chunk) % 4)


def sctp(*chunks: bytes, sport: int = 40001, dport: int = 36412, tag: int = 7) -> bytes:
    return struct.pack(">HHII", sport, dport, tag, 0) + b"".join(chunks)


def gtpu(packet: bytes, teid: int = 5) -> bytes:
    return struct.pack(">BBHI", 0x30, 255, len(packet), teid) + packet


def esp(payload: bytes, protocol: int, spi: int = 0x64, sequence: int = 1, key: bytes = bytes(16), digest: str = "md5",
        vector: bytes = b"", size: int = 4) -> bytes:
    """The plain form; a cipher is put over `payload`, padding and trailer by `sealed`."""
    return sealed(spi, sequence, trailer(payload, protocol, size), key, digest, vector)


def trailer(payload: bytes, protocol: int, size: int) -> bytes:
    padding = bytes(range(1, 1 + (-(len(payload) + 2)) % size))
    return payload + padding + bytes((len(padding), protocol))


def sealed(spi: int, sequence: int, content: bytes, key: bytes, digest: str, vector: bytes = b"") -> bytes:
    packet = struct.pack(">II", spi, sequence) + vector + content
    return packet + hmac.digest(key, packet, digest)[:12]


def gsmtap(nas: bytes, uplink: bool = True) -> bytes:
    return struct.pack(">BBBBHbbIBBBB", 2, 4, 0x12, 0, 0x4000 if uplink else 0, 0, 0, 0, 0, 0, 0, 0) + nas
