# SPDX-License-Identifier: Apache-2.0
"""Which PDN type a phone may have, by subscription and gateway (TS 24.301, 6.5.1.3; TS 23.401, 5.3.1.1).

PDN types are bits here: 1 IPv4, 2 IPv6, and both are IPv4v6.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network

from dialtone.codec.diameter import ApnConfiguration
from dialtone.codec.gtpc.values import Paa
from dialtone.codec.nas.ies import PdnAddress
from dialtone.mme.context import Pdn

IPV4, IPV6, IPV4V6 = 1, 2, 3
UNKNOWN_PDN_TYPE, IPV4_ONLY, IPV6_ONLY, SINGLE_ADDRESS = 28, 50, 51, 52  # ESM causes (TS 24.301, 9.9.4.4)
ONLY = {IPV4: IPV4_ONLY, IPV6: IPV6_ONLY}
SUBSCRIBED = {0: IPV4, 1: IPV6, 2: IPV4V6, 3: IPV4V6}
"""PDN-Type of S6a (TS 29.272, 7.3.62); with 3, IPv4_OR_IPv6, one of them at a time."""
ONE_AT_A_TIME = 3
NAMES = {IPV4: "IPv4", IPV6: "IPv6", IPV4V6: "IPv4v6"}
NETWORK_PREFERENCE, SINGLE_ADDRESS_BEARER = 18, 19  # causes of GTPv2-C (TS 29.274, 8.4)


def asked(value: int) -> int:
    """The PDN type of a request; 4 is unused, and means IPv6 where it comes all the same (TS 24.301, 9.9.4.10)."""
    return IPV6 if value & 7 == 4 else value & 7


def granted(asked: int, configuration: ApnConfiguration) -> tuple[int, int | None]:
    """The type to ask the gateway for (0: none), and the ESM cause that tells the phone why it is another one."""
    if asked not in NAMES:
        return 0, UNKNOWN_PDN_TYPE
    subscribed = SUBSCRIBED.get(configuration.pdn_type, IPV4V6)
    if asked == IPV4V6 and configuration.pdn_type == ONE_AT_A_TIME:
        return IPV4, SINGLE_ADDRESS
    kind = asked & subscribed
    return kind, None if kind == asked else ONLY[subscribed]


def why_not(asked: int, cause: int, apn: str) -> str:
    """A sentence for people: the phone cannot have what it asked for."""
    if cause == UNKNOWN_PDN_TYPE:
        return f"the phone wants PDN type {asked}, which is not IP"
    only = NAMES[IPV4 if cause == IPV4_ONLY else IPV6]
    return f"the phone wants {NAMES[asked]}, and APN {apn} has {only} only: set its APN to {only} or IPv4v6"


def request(kind: int, configuration: ApnConfiguration) -> Paa:
    """The PAA of a Create Session Request: the subscriber's fixed addresses, zeros for any (TS 29.274, 8.14)."""
    fixed = configuration.served_party_ip_address
    ipv4 = next((address.packed for address in fixed if isinstance(address, IPv4Address)), bytes(4))
    ipv6 = next((address.packed for address in fixed if isinstance(address, IPv6Address)), bytes(16))
    length = 64 if any(ipv6) else 0
    return Paa(kind, ipv4 if kind & IPV4 else None, length if kind & IPV6 else 0, ipv6 if kind & IPV6 else None)


def take(pdn: Pdn, paa: Paa, cause: int) -> bool:
    """Keep what the gateway gave; False when it is not what its type says, or no part of what was asked for."""
    if paa.pdn_type not in NAMES or paa.pdn_type & ~pdn.pdn_type:
        return False
    pdn.pdn_type = paa.pdn_type
    pdn.address = IPv4Address(paa.ipv4) if paa.ipv4 else None
    if paa.ipv6:
        pdn.prefix, pdn.interface_identifier = IPv6Network((paa.ipv6[:8] + bytes(8), 64)), paa.ipv6[8:]
    if cause == SINGLE_ADDRESS_BEARER:
        pdn.esm_cause = SINGLE_ADDRESS
    elif cause == NETWORK_PREFERENCE:
        pdn.esm_cause = ONLY.get(paa.pdn_type)
    return True


def address_for_phone(pdn: Pdn) -> PdnAddress:
    """The PDN address IE: a phone learns its prefix by router advertisement alone (TS 24.301, 9.9.4.9)."""
    return PdnAddress(pdn.pdn_type, pdn.address, pdn.interface_identifier)
