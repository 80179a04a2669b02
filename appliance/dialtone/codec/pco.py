# SPDX-License-Identifier: Apache-2.0
"""Protocol configuration options: DNS, P-CSCF, MTU and more between phone and P-GW (TS 24.008, 10.5.6.3).

The same octets travel in NAS (ESM) and in GTPv2-C (TS 29.274, 8.13), as PCO and as extended PCO. A list
of containers is kept as received, unknown ids included, so that nothing is lost on the way through an
MME. What an id means depends on who sent it: the UE's 000C asks for a P-CSCF, the network's 000C is one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address

from dialtone.errors import ProtocolError


class Id(IntEnum):
    """Protocol and container ids. The comment is what the UE says with it; the network answers it."""

    LCP = 0xC021
    PAP = 0xC023  # authenticate-request (RFC 1334)
    CHAP = 0xC223  # challenge and response (RFC 1994)
    IPCP = 0x8021  # configure-request with DNS options (RFC 1332, 1877)
    P_CSCF_IPV6 = 0x0001  # send me an address
    IM_CN_SIGNALLING_FLAG = 0x0002  # this bearer is for IMS signalling
    DNS_IPV6 = 0x0003  # send me an address
    POLICY_CONTROL_REJECTION_CODE = 0x0004  # (network only)
    BEARER_CONTROL_MODE = 0x0005  # the network may ask for bearers
    MSISDN = 0x000E
    IFOM = 0x000F
    IPV4_VIA_NAS = 0x000A  # the address comes in NAS signalling
    IPV4_VIA_DHCP = 0x000B
    P_CSCF_IPV4 = 0x000C  # send me an address
    DNS_IPV4 = 0x000D  # send me an address
    IPV4_LINK_MTU = 0x0010  # send me a value
    LOCAL_ADDRESS_IN_TFT = 0x0011  # supported
    P_CSCF_RESELECTION = 0x0012  # supported
    PS_DATA_OFF = 0x0017  # state of 3GPP PS data off


_LONG_FROM_UE = frozenset((0x0041,))
_LONG_FROM_NETWORK = frozenset((0x0023, 0x0024, 0x0030, 0x0031, 0x0032, 0x0041))
"""Containers whose length has two octets: "with the length of two octets" in the tables of 10.5.6.3. A
network that also serves 5G sends some of them; of the UE's 0023 the length has one octet."""

_CLAUSE = "TS 24.008, 10.5.6.3"


def _read(octets: bytes, long: frozenset[int]) -> list[tuple[int, bytes]]:
    end = len(octets)
    if not end:
        raise ProtocolError("protocol configuration options without octets", clause=_CLAUSE)
    containers = []
    at = 1
    try:
        while at < end:
            number = octets[at] << 8 | octets[at + 1]
            start, size = at + 3, octets[at + 2]
            if number in long:
                start, size = at + 4, size << 8 | octets[at + 3]
            at = start + size
            containers.append((number, octets[start:at]))
    except IndexError:
        at = end + 1
    if at > end:
        raise ProtocolError("protocol configuration options are cut short", clause=_CLAUSE)
    return containers


@dataclass(slots=True)
class ProtocolConfigurationOptions:
    """Containers in order, as (id, contents); `configuration_protocol` 0 is PPP for use with IP.

    The addresses and the MTU are those that a network's list gives; `asks_for` reads a UE's list.
    `from_network` matters for a few ids only, whose length the network writes with two octets.
    """

    containers: list[tuple[int, bytes]] = field(default_factory=list)
    configuration_protocol: int = 0
    from_network: bool = field(default=False, compare=False)

    @classmethod
    def of_ue(cls, octets: bytes) -> "ProtocolConfigurationOptions":
        """The value part as a UE sends it. Raises ProtocolError when a container reaches beyond the end."""
        return cls(_read(octets, _LONG_FROM_UE), octets[0] & 7)

    @classmethod
    def of_network(cls, octets: bytes) -> "ProtocolConfigurationOptions":
        """The value part as a P-GW sends it. Raises ProtocolError as `of_ue` does."""
        return cls(_read(octets, _LONG_FROM_NETWORK), octets[0] & 7, True)

    def to_bytes(self) -> bytes:
        """The value part. Raises ValueError for contents that their length octets cannot tell."""
        long = _LONG_FROM_NETWORK if self.from_network else _LONG_FROM_UE
        out = bytearray((0x80 | self.configuration_protocol,))
        for number, contents in self.containers:
            out += bytes((number >> 8, number & 255))
            size = len(contents)
            out += bytes((size >> 8, size & 255)) if number in long else bytes((size,))
            out += contents
        return bytes(out)

    def get(self, number: int) -> bytes | None:
        """The contents of the first container with this id."""
        for found, contents in self.containers:
            if found == number:
                return contents
        return None

    def all(self, number: int) -> list[bytes]:
        """The contents of all containers with this id."""
        return [contents for found, contents in self.containers if found == number]

    def asks_for(self, number: int) -> bool:
        """True if a UE's list has the id: it asks for that, or supports it."""
        return any(found == number for found, _ in self.containers)

    def add(self, number: int, contents: bytes = b"") -> "ProtocolConfigurationOptions":
        """Append a container; returns the list itself."""
        self.containers.append((number, contents))
        return self

    def _ipv4(self, number: int) -> list[IPv4Address]:
        return [IPv4Address(contents) for contents in self.all(number) if len(contents) == 4]

    def _ipv6(self, number: int) -> list[IPv6Address]:
        return [IPv6Address(contents) for contents in self.all(number) if len(contents) == 16]

    @property
    def p_cscf_ipv4(self) -> list[IPv4Address]:
        """P-CSCF addresses the network gives."""
        return self._ipv4(Id.P_CSCF_IPV4)

    @property
    def p_cscf_ipv6(self) -> list[IPv6Address]:
        """P-CSCF addresses the network gives."""
        return self._ipv6(Id.P_CSCF_IPV6)

    @property
    def dns_ipv4(self) -> list[IPv4Address]:
        """DNS server addresses the network gives in containers of their own; see also `ipcp`."""
        return self._ipv4(Id.DNS_IPV4)

    @property
    def dns_ipv6(self) -> list[IPv6Address]:
        """DNS server addresses the network gives."""
        return self._ipv6(Id.DNS_IPV6)

    @property
    def ipv4_link_mtu(self) -> int | None:
        """Octets, as the network gives it."""
        contents = self.get(Id.IPV4_LINK_MTU)
        return int.from_bytes(contents) if contents is not None and len(contents) == 2 else None

    @property
    def ipcp(self) -> "PppPacket | None":
        """The IPCP packet, if there is one that can be read."""
        contents = self.get(Id.IPCP)
        try:
            return None if contents is None else PppPacket.from_bytes(contents)
        except ProtocolError:
            return None


CONFIGURE_REQUEST, CONFIGURE_ACK, CONFIGURE_NAK, CONFIGURE_REJECT = 1, 2, 3, 4
"""Codes of LCP and IPCP (RFC 1661, 5); of PAP 1 is authenticate-request, 2 ack, 3 nak; of CHAP 1 is
challenge, 2 response, 3 success, 4 failure."""
PRIMARY_DNS, SECONDARY_DNS = 129, 131
"""Options of IPCP (RFC 1877, 1.1 and 1.3)."""


@dataclass(slots=True)
class PppPacket:
    """A PPP control packet: code, identifier, data (RFC 1661, 5)."""

    code: int
    identifier: int
    data: bytes = b""

    @classmethod
    def from_bytes(cls, octets: bytes) -> "PppPacket":
        """Octets beyond the length are padding. Raises ProtocolError."""
        length = int.from_bytes(octets[2:4])
        if len(octets) < 4 or not 4 <= length <= len(octets):
            raise ProtocolError("PPP packet is cut short", clause="RFC 1661, 5")
        return cls(octets[0], octets[1], octets[4:length])

    def to_bytes(self) -> bytes:
        """The packet."""
        return bytes((self.code, self.identifier)) + (4 + len(self.data)).to_bytes(2) + self.data

    @property
    def options(self) -> list[tuple[int, bytes]]:
        """Configuration options as (type, contents) (RFC 1661, 6). Raises ProtocolError."""
        found, at = [], 0
        while at < len(self.data):
            length = self.data[at + 1] if at + 1 < len(self.data) else 0
            if length < 2 or at + length > len(self.data):
                raise ProtocolError("PPP option is cut short", clause="RFC 1661, 6")
            found.append((self.data[at], self.data[at + 2 : at + length]))
            at += length
        return found

    @staticmethod
    def of_options(code: int, identifier: int, options: Iterable[tuple[int, bytes]]) -> "PppPacket":
        """A packet of configuration options."""
        data = b"".join(bytes((kind, 2 + len(contents))) + contents for kind, contents in options)
        return PppPacket(code, identifier, data)
