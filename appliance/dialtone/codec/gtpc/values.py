# SPDX-License-Identifier: Apache-2.0
"""Values of information elements that have parts (TS 29.274, 8).

`from_bytes` takes the value of one IE (its octets after the four of the header). A value that breaks its
format raises ValueError, IndexError, struct.error or ProtocolError; the generated decoders turn those into
the answer of TS 29.274, 7.7.8. Octets beyond the format are ignored, as TS 29.274, 8.1 asks.
"""

from struct import Struct
from typing import NamedTuple

from dialtone.ids import Ecgi, Plmn, Tai

_FTEID = Struct(">BI")
_TWO_U32 = Struct(">II")


class UnknownIe(NamedTuple):
    """An IE kept as it came: unknown, repeated, or optional and incorrect (TS 29.274, 7.7.8 to 7.7.10)."""

    type: int
    instance: int
    value: bytes


class Cause(NamedTuple):
    """TS 29.274, 8.4. `offending` is (IE type, instance) of the IE at fault."""

    value: int
    pdn_connection_ie_error: bool = False
    bearer_context_ie_error: bool = False
    cause_source: bool = False
    offending: tuple[int, int] | None = None

    @property
    def accepted(self) -> bool:
        """16 to 63 are the acceptance causes of table 8.4-1."""
        return 16 <= self.value < 64

    @classmethod
    def from_bytes(cls, octets: bytes) -> "Cause":
        flags = octets[1]
        return cls(
            octets[0], bool(flags & 4), bool(flags & 2), bool(flags & 1),
            (octets[2], octets[5] & 15) if len(octets) >= 6 else None,
        )  # fmt: skip

    def to_bytes(self) -> bytes:
        value, pce, bce, source, offending = self
        octets = bytes((value, pce << 2 | bce << 1 | source))
        return octets if offending is None else octets + bytes((offending[0], 0, 0, offending[1]))


class Fteid(NamedTuple):
    """Fully qualified TEID (TS 29.274, 8.22). Addresses are 4 and 16 octets; at least one of them is there."""

    interface_type: int
    teid: int
    ipv4: bytes | None = None
    ipv6: bytes | None = None

    @classmethod
    def from_bytes(cls, octets: bytes) -> "Fteid":
        flags, teid = _FTEID.unpack_from(octets)
        if flags & 0xC0 == 0x80 and len(octets) >= 9:
            return cls(flags & 0x3F, teid, octets[5:9])
        if flags & 0xC0 == 0x40 and len(octets) >= 21:
            return cls(flags & 0x3F, teid, None, octets[5:21])
        if flags & 0xC0 == 0xC0 and len(octets) >= 25:
            return cls(flags & 0x3F, teid, octets[5:9], octets[9:25])
        raise ValueError("F-TEID without the address that its flags announce")

    def to_bytes(self) -> bytes:
        interface_type, teid, ipv4, ipv6 = self
        flags = interface_type | (0x80 if ipv4 else 0) | (0x40 if ipv6 else 0)
        return _FTEID.pack(flags, teid) + (ipv4 or b"") + (ipv6 or b"")


class Paa(NamedTuple):
    """PDN address allocation (TS 29.274, 8.14). `pdn_type` 1 IPv4, 2 IPv6, 3 IPv4v6, 4 Non-IP, 5 Ethernet."""

    pdn_type: int
    ipv4: bytes | None = None
    ipv6_prefix_length: int = 0
    ipv6: bytes | None = None

    @classmethod
    def from_bytes(cls, octets: bytes) -> "Paa":
        kind, size = octets[0] & 7, len(octets)
        if kind == 1 and size >= 5:
            return cls(1, octets[1:5])
        if kind == 2 and size >= 18:
            return cls(2, None, octets[1], octets[2:18])
        if kind == 3 and size >= 22:
            return cls(3, octets[18:22], octets[1], octets[2:18])
        if kind in (4, 5):
            return cls(kind)
        raise ValueError("PAA without the address of its PDN type")

    def to_bytes(self) -> bytes:
        kind, ipv4, prefix_length, ipv6 = self
        octets = bytes((kind,))
        if ipv6 is not None:
            octets += bytes((prefix_length,)) + ipv6
        return octets if ipv4 is None else octets + ipv4


class Ambr(NamedTuple):
    """Aggregate maximum bit rate in kbit/s (TS 29.274, 8.7)."""

    uplink: int
    downlink: int

    @classmethod
    def from_bytes(cls, octets: bytes) -> "Ambr":
        return cls._make(_TWO_U32.unpack_from(octets))

    def to_bytes(self) -> bytes:
        return _TWO_U32.pack(*self)


class BearerQos(NamedTuple):
    """Bearer level QoS (TS 29.274, 8.15), rates in kbit/s.

    `pre_emption_capability` and `pre_emption_vulnerability` are the bits: 0 enabled, 1 disabled (TS 29.212, 5.3.46).
    """

    qci: int
    priority_level: int
    pre_emption_capability: int = 1
    pre_emption_vulnerability: int = 0
    mbr_uplink: int = 0
    mbr_downlink: int = 0
    gbr_uplink: int = 0
    gbr_downlink: int = 0

    @classmethod
    def from_bytes(cls, octets: bytes) -> "BearerQos":
        if len(octets) < 22:
            raise ValueError("Bearer QoS has 22 octets")
        arp, qci = octets[0], octets[1]
        rates = int.from_bytes(octets[2:22], "big")
        mask = 0xFF_FFFF_FFFF
        return cls(
            qci, arp >> 2 & 15, arp >> 6 & 1, arp & 1,
            rates >> 120, rates >> 80 & mask, rates >> 40 & mask, rates & mask,
        )  # fmt: skip

    def to_bytes(self) -> bytes:
        qci, level, capability, vulnerability, mbr_ul, mbr_dl, gbr_ul, gbr_dl = self
        rates = mbr_ul << 120 | mbr_dl << 80 | gbr_ul << 40 | gbr_dl
        return bytes((capability << 6 | level << 2 | vulnerability, qci)) + rates.to_bytes(20, "big")


class FlowQos(NamedTuple):
    """Flow QoS (TS 29.274, 8.16), rates in kbit/s."""

    qci: int
    mbr_uplink: int = 0
    mbr_downlink: int = 0
    gbr_uplink: int = 0
    gbr_downlink: int = 0

    @classmethod
    def from_bytes(cls, octets: bytes) -> "FlowQos":
        if len(octets) < 21:
            raise ValueError("Flow QoS has 21 octets")
        return cls(octets[0], *(int.from_bytes(octets[at : at + 5]) for at in (1, 6, 11, 16)))

    def to_bytes(self) -> bytes:
        qci, *rates = self
        return bytes((qci,)) + b"".join(rate.to_bytes(5) for rate in rates)


class Uli(NamedTuple):
    """User location information (TS 29.274, 8.21). TAI and ECGI typed, the others as the octets of their parts."""

    tai: Tai | None = None
    ecgi: Ecgi | None = None
    cgi: bytes | None = None
    sai: bytes | None = None
    rai: bytes | None = None
    lai: bytes | None = None
    macro_enb_id: bytes | None = None
    extended_macro_enb_id: bytes | None = None

    @classmethod
    def from_bytes(cls, octets: bytes) -> "Uli":
        flags = octets[0]
        if flags == 0x18 and len(octets) >= 13:  # what every MME sends
            return cls(_tai(octets[1:6]), _ecgi(octets[6:13]))
        part: dict[int, bytes] = {}
        at = 1
        for bit, size in ((1, 7), (2, 7), (4, 7), (8, 5), (0x10, 7), (0x20, 5), (0x40, 6), (0x80, 6)):
            if flags & bit:
                part[bit] = octets[at : at + size]
                at += size
        if at > len(octets) or not part:
            raise ValueError("User Location Information without the parts that its flags announce")
        return cls(
            _tai(part[8]) if 8 in part else None, _ecgi(part[0x10]) if 0x10 in part else None,
            part.get(1), part.get(2), part.get(4), part.get(0x20), part.get(0x40), part.get(0x80),
        )  # fmt: skip

    def to_bytes(self) -> bytes:
        tai, ecgi, cgi, sai, rai, lai, macro, extended = self
        parts = (
            cgi, sai, rai,
            tai and tai.to_bytes(),
            ecgi and ecgi.to_bytes(),
            lai, macro, extended,
        )  # fmt: skip
        flags = sum(1 << bit for bit, part in enumerate(parts) if part is not None)
        return bytes((flags,)) + b"".join(part for part in parts if part is not None)


class UeTimeZone(NamedTuple):
    """TS 29.274, 8.44: the time zone octet of TS 24.008, 10.5.3.8 and 0, 1 or 2 hours of daylight saving."""

    time_zone: int
    daylight_saving_time: int = 0

    @classmethod
    def from_bytes(cls, octets: bytes) -> "UeTimeZone":
        return cls(octets[0], octets[1] & 3)

    def to_bytes(self) -> bytes:
        return bytes(self)


def _tai(octets: bytes) -> Tai:
    return Tai(Plmn.from_bytes(octets[:3]), octets[3] << 8 | octets[4])


def _ecgi(octets: bytes) -> Ecgi:
    return Ecgi(Plmn.from_bytes(octets[:3]), int.from_bytes(octets[3:7], "big") & 0x0FFF_FFFF)
