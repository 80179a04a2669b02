# SPDX-License-Identifier: Apache-2.0
"""What the HSS knows of a subscriber. Keys never appear in a repr, and so neither in a log nor in a trace."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Network

FixedAddress = IPv4Address | IPv6Network


def fixed_address(text: str) -> FixedAddress:
    """An IPv4 address, or an IPv6 prefix of 64 bits, as a phone gets it. Raises ValueError for anything else."""
    if ":" not in text:
        return IPv4Address(text)
    prefix = IPv6Network(text if "/" in text else f"{text}/64")
    if prefix.prefixlen != 64:
        raise ValueError(f"{text} has not 64 bits")
    return prefix


@dataclass(frozen=True, slots=True)
class Apn:
    """An APN configuration (TS 29.272, 7.3.35). AMBR in bit/s; ARP as in TS 29.272, 7.3.45 to 7.3.48.

    `pdn_type` is IPv4, IPv6, IPv4v6 or IPv4_OR_IPv6 (TS 29.272, 7.3.62). `context` is the Context-Identifier
    (7.3.27), which the store gives to an APN when it becomes one of a profile.
    """

    name: str
    pdn_type: str = "IPv4v6"
    qci: int = 9
    arp_priority: int = 8
    arp_may_preempt: bool = False
    arp_preemptable: bool = True
    ambr_dl: int = 1_000_000_000
    ambr_ul: int = 1_000_000_000
    context: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Profile:
    """A subscription that many subscribers share. The first APN is the default one. AMBR in bit/s.

    `access_restriction` is Access-Restriction-Data (TS 29.272, 7.3.31); without `roaming` only the home network may
    serve the subscriber. `ifc` is `sms` (the filter criteria of short messages), `none`, or an IMSSubscription document
    whose criteria they are.
    """

    name: str
    apns: tuple[Apn, ...]
    ambr_dl: int = 1_000_000_000
    ambr_ul: int = 1_000_000_000
    access_restriction: int = 0
    roaming: bool = True
    ifc: str = "sms"

    def apn(self, name: str) -> Apn | None:
        """The configuration for APN network identifier `name`, whatever its case; None if not subscribed."""
        wanted = name.lower()
        return next((apn for apn in self.apns if apn.name.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One subscriber.

    `k` and `opc` have 16 octets, `amf` 2; `isim_k` and `isim_opc` are set only where the ISIM has keys of its own.
    With TUAK `k` has 16 or 32 octets and `opc` is TOPc, 32; `res` is the octets of RES, `iterations` how often Keccak
    is applied (TS 35.231, 5.1). Without `ipsec` the phone may register for IMS in clear, too.
    MSISDNs are digits without `+`. `addresses` are pairs of APN name and what the subscriber owns there.
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
    addresses: tuple[tuple[str, FixedAddress], ...] = ()
    algorithm: str = "milenage"
    res: int = 8
    iterations: int = 1
    ipsec: bool = True

    def addresses_at(self, apn: str) -> tuple[FixedAddress, ...]:
        """What the subscriber owns at APN `apn`: an IPv4 address, an IPv6 prefix, both, or nothing (any will do)."""
        wanted = apn.lower()
        return tuple(address for name, address in self.addresses if name.lower() == wanted)


@dataclass(frozen=True, slots=True)
class Seen:
    """An unknown IMSI that tried to attach: when first and last (Unix seconds), how often, and what it was told."""

    imsi: str
    first: int
    last: int
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class Registration:
    """Who serves a subscriber (TS 29.272, 5.2.1.1): Diameter host and realm of the MME, in the network `plmn`.

    `since` in Unix seconds. `purged`: that MME has forgotten the phone (5.2.1.3). `imei` as the MME told it.
    """

    imsi: str
    mme: str
    realm: str
    plmn: str
    since: int
    imei: str = ""
    purged: bool = False


@dataclass(frozen=True, slots=True)
class ImsRegistration:
    """The S-CSCF of a subscriber by its SIP URI and its Diameter identity, and in which `state` the public identities
    are, which are one implicit registration set (TS 29.228, 3.1; the states of hss/ims.py). `since` in Unix seconds.
    `pending`: an authentication is under way."""

    imsi: str
    scscf: str
    host: str
    realm: str
    state: str
    pending: bool
    since: int
