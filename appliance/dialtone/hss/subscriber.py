# SPDX-License-Identifier: Apache-2.0
"""What the HSS knows of a subscriber. Keys never appear in a repr, and so neither in a log nor in a trace."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address


@dataclass(frozen=True, slots=True)
class Apn:
    """An APN configuration (TS 29.272, 7.3.35). AMBR in bit/s; ARP as in TS 29.272, 7.3.45 to 7.3.48.

    `pdn_type` is IPv4, IPv6, IPv4v6 or IPv4_OR_IPv6 (TS 29.272, 7.3.62).
    """

    name: str
    pdn_type: str = "IPv4v6"
    qci: int = 9
    arp_priority: int = 8
    arp_may_preempt: bool = False
    arp_preemptable: bool = True
    ambr_dl: int = 1_000_000_000
    ambr_ul: int = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Profile:
    """A subscription that many subscribers share. The first APN is the default one. AMBR in bit/s."""

    name: str
    apns: tuple[Apn, ...]
    ambr_dl: int = 1_000_000_000
    ambr_ul: int = 1_000_000_000

    def apn(self, name: str) -> Apn | None:
        """The configuration for APN network identifier `name`, whatever its case; None if not subscribed."""
        wanted = name.lower()
        return next((apn for apn in self.apns if apn.name.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One subscriber.

    `k` and `opc` have 16 octets, `amf` 2; `isim_k` and `isim_opc` are set only where the ISIM has keys of its own.
    MSISDNs are digits without `+`. `addresses` are pairs of APN name and fixed IPv4 address.
    """

    imsi: str
    k: bytes = field(repr=False)
    opc: bytes = field(repr=False)
    profile: Profile
    amf: bytes = b"\x80\x00"
    msisdns: tuple[str, ...] = ()
    impi: str = ""
    impus: tuple[str, ...] = ()
    isim_k: bytes | None = field(default=None, repr=False)
    isim_opc: bytes | None = field(default=None, repr=False)
    tags: tuple[str, ...] = ()
    addresses: tuple[tuple[str, IPv4Address], ...] = ()

    def address(self, apn: str) -> IPv4Address | None:
        """The fixed IPv4 address at APN `apn`, None when any will do."""
        wanted = apn.lower()
        return next((ipv4 for name, ipv4 in self.addresses if name.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class Seen:
    """An unknown IMSI that tried to attach: when first and last (Unix seconds), how often, and what it was told."""

    imsi: str
    first: int
    last: int
    count: int
    reason: str
