# SPDX-License-Identifier: Apache-2.0
"""A user plane without sockets: GTP-U between the simulated eNBs and the gateway inside one process.

The same forwarders as on real wires; beyond the gateway there is nothing but the gateway itself, which answers pings.
"""

import socket
import struct
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address

from dialtone.codec.tft import PacketFilter
from dialtone.datapath.forwarder import Forwarder
from dialtone.datapath.path import PORT, Address, Out
from dialtone.datapath.radio_forwarder import RadioBearer, RadioForwarder

ICMP, ECHO_REQUEST, ECHO_REPLY = 1, 8, 0
TTL = 64

Seen = Callable[[str, bytes, bool], None]
"""Address of the eNB, datagram on S1-U, whether the gateway sent it."""


class MemoryRadio:
    """One eNB's end (`dialtone.sim.network.Plane`)."""

    def __init__(self, address: IPv4Address) -> None:
        self.mtu = 1400
        self.address = str(address)
        self.forwarder = RadioForwarder(address.packed)

    def open_bearer(self, imsi: str, ebi: int, ue: bytes, teid: int, remote: bytes, remote_teid: int, *,
                    namespace: str, identifier: bytes = b"", filters: tuple[PacketFilter, ...] = ()) -> None:
        """A bearer was set up."""
        to = (socket.inet_ntoa(remote), PORT)
        self.forwarder.add(RadioBearer(imsi, ebi, ue, teid, remote_teid, to, identifier, filters))
        self.forwarder.handovers.arrived(teid)

    def close_bearer(self, teid: int) -> None:
        """A bearer was released."""
        self.forwarder.remove(teid)

    def expect_bearer(self, teid: int, forward_teid: int | None) -> None:
        """A phone is to come here in a handover."""
        self.forwarder.handovers.expect(teid, forward_teid)

    def flush_bearer(self, teid: int) -> None:
        """No more forwarded data is waited for."""
        self.forwarder.handovers.flush(teid)

    def forward_bearer(self, teid: int, remote: bytes, remote_teid: int) -> None:
        """The phone is sent away."""
        to = (socket.inet_ntoa(remote), PORT) if remote else None
        self.forwarder.handovers.send_away(teid, to, remote_teid)


class MemoryUserPlane:
    """The wire of S1-U. `gateways` answer pings; `seen` is told of every datagram."""

    def __init__(self, gateway: Forwarder, gateways: frozenset[bytes], radios: Mapping[str, MemoryRadio],
                 seen: Seen) -> None:
        self.gateway = gateway
        self.gateways = gateways
        self.radios = radios  # by the eNB's name
        self.seen = seen

    def from_phone(self, enb: str, imsi: str, packet: bytes, now: float) -> list[tuple[str, bytes]]:
        """A phone sends; what comes to phones because of it as (imsi, packet). Nothing without a bearer."""
        radio = self.radios[enb]
        out = radio.forwarder.from_phone(imsi, packet)
        if out is None:
            return []
        self.seen(radio.address, out[0], False)
        beyond = self.gateway.uplink(out[0], (radio.address, PORT), now)
        if isinstance(beyond, tuple):
            return self.to_phones([beyond], now)
        answer = None if beyond is None else self._answer(beyond)
        back = None if answer is None else self.gateway.downlink(answer, now)
        return [] if back is None else self.to_phones([back], now)

    def to_phones(self, datagrams: list[Out], now: float) -> list[tuple[str, bytes]]:
        """What the gateway sends to eNBs, as it arrives at phones: (imsi, packet)."""
        found = []
        for octets, (address, _), _ in datagrams:
            self.seen(address, octets, True)
            radio = next((radio for radio in self.radios.values() if radio.address == address), None)
            here = None if radio is None else radio.forwarder.from_core(octets, _GATEWAY, now)
            if here is not None and len(here) == 2:
                found.append(here)
        return found

    def _answer(self, packet: bytes) -> bytes | None:
        """The gateway's answer to a ping of it."""
        start = 4 * (packet[0] & 15)
        for_us = packet[0] >> 4 == 4 and packet[9] == ICMP and packet[16:20] in self.gateways
        if not for_us or packet[start] != ECHO_REQUEST:
            return None
        return ping(packet[16:20], packet[12:16], ECHO_REPLY, packet[start + 4:])


_GATEWAY: Address = ("", PORT)


def ping(source: bytes, destination: bytes, kind: int, rest: bytes) -> bytes:
    """An ICMP echo in IPv4 (RFC 792): `rest` is identifier, sequence number and data."""
    message = bytes((kind, 0, 0, 0)) + rest
    message = message[:2] + _checksum(message) + message[4:]
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(message), 0, 0, TTL, ICMP, 0) + source + destination
    return head[:10] + _checksum(head) + head[12:] + message


def _checksum(octets: bytes) -> bytes:
    even = octets + b"\0" * (len(octets) % 2)
    total: int = sum(struct.unpack(f">{len(even) // 2}H", even))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF).to_bytes(2)
