# SPDX-License-Identifier: Apache-2.0
"""Which PDN type a session gets, and its addresses (TS 23.401, 5.3.1.1 and 5.3.1.2; TS 29.274, 8.14 and 8.34).

An IPv6 phone gets a /64 of its own and an interface identifier for its link-local address; it makes the rest of its
addresses itself. A subscriber's fixed address comes in the request's PAA.
"""

from collections.abc import Callable
from ipaddress import ip_address

from dialtone.codec.gtpc import CauseValue, CreateSessionRequest
from dialtone.codec.gtpc.values import Paa
from dialtone.config import Apn
from dialtone.errors import ProtocolError
from dialtone.pgw.pool import Pool

IPV4, IPV6, IPV4V6 = 1, 2, 3  # as bits: the third is both
PREFIX_LENGTH = 64
GATEWAY_IDENTIFIER = bytes((0, 0, 0, 0, 0, 0, 0, 1))
"""The gateway is fe80::1 on every phone's link."""


class Addresses:
    """The pools of one APN, whose `apn` settings say what is to be had; `random` gives octets."""

    def __init__(self, apn: Apn, random: Callable[[int], bytes]) -> None:
        self.types = apn.pdn_types
        self.pools = {IPV4: Pool(apn.pool)} | ({IPV6: Pool(apn.pool6)} if apn.pool6 else {})
        self._random = random

    @property
    def used(self) -> int:
        """How many addresses and prefixes are somebody's."""
        return sum(len(pool.used) for pool in self.pools.values())

    def kind(self, msg: CreateSessionRequest) -> tuple[int, CauseValue]:
        """The PDN type and the cause that tells the MME about it; raises ProtocolError where there is none.

        Without the dual address flag the phone may roam to where a bearer has one address only (TS 29.274, 8.12).
        """
        asked = msg.pdn_type or 0
        if asked not in (IPV4, IPV6, IPV4V6) or not asked & self.types:
            raise ProtocolError(f"PDN type {asked} is not to be had at this APN",
                                cause=CauseValue.PREFERRED_PDN_TYPE_NOT_SUPPORTED)
        if asked & self.types != asked:
            return asked & self.types, CauseValue.NEW_PDN_TYPE_DUE_TO_NETWORK_PREFERENCE
        if asked == IPV4V6 and not (msg.indication_flags and msg.indication_flags.has("DAF")):
            return IPV4, CauseValue.NEW_PDN_TYPE_DUE_TO_SINGLE_ADDRESS_BEARER_ONLY
        return asked, CauseValue.REQUEST_ACCEPTED

    def check(self, kind: int, asked: Paa | None, own: Paa | None) -> None:
        """Raise ProtocolError when a session of this type cannot be; what is `own` is about to be given back."""
        for version, wanted in _fixed(asked).items():
            if not kind & version:
                continue
            pool, text = self.pools[version], _text(wanted)
            if not pool.has(wanted):
                raise ProtocolError(f"the subscriber's own address {text} is not one of {pool.network}",
                                    cause=CauseValue.REQUEST_REJECTED)
            if not pool.free(wanted) and wanted != parts(own).get(version):
                raise ProtocolError(f"the subscriber's own address {text} is in use by another phone",
                                    cause=CauseValue.NO_RESOURCES_AVAILABLE)
        for version, pool in self.pools.items():
            if kind & version and pool.full and version not in _fixed(asked) and version not in parts(own):
                raise ProtocolError(f"all addresses of {pool.network} are in use",
                                    cause=CauseValue.ALL_DYNAMIC_ADDRESSES_ARE_OCCUPIED)

    def take(self, kind: int, asked: Paa | None) -> Paa:
        """Addresses of this type, after `check`."""
        fixed = _fixed(asked)
        ipv4 = self.pools[IPV4].take(fixed.get(IPV4, b"")) if kind & IPV4 else None
        if not kind & IPV6:
            return Paa(kind, ipv4)
        prefix = self.pools[IPV6].take(fixed.get(IPV6, b""))
        return Paa(kind, ipv4, PREFIX_LENGTH, prefix + self._identifier())

    def give_back(self, paa: Paa) -> None:
        """The session is over."""
        for version, address in parts(paa).items():
            self.pools[version].give_back(address)

    def _identifier(self) -> bytes:
        while (octets := self._random(8)) in (bytes(8), GATEWAY_IDENTIFIER):
            pass
        return octets


def parts(paa: Paa | None) -> dict[int, bytes]:
    """By version: the IPv4 address, the IPv6 prefix (8 octets)."""
    found = {} if paa is None else {IPV4: paa.ipv4, IPV6: paa.ipv6[:8] if paa.ipv6 else None}
    return {version: part for version, part in found.items() if part}


def _fixed(asked: Paa | None) -> dict[int, bytes]:
    """What the request names; zeros name nothing."""
    return {version: part for version, part in parts(asked).items() if any(part)}


def _text(address: bytes) -> str:
    return f"{ip_address(address + bytes(8))}/64" if len(address) == 8 else str(ip_address(address))
