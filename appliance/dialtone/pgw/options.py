# SPDX-License-Identifier: Apache-2.0
"""What the gateway answers to a phone's protocol configuration options (TS 24.008, 10.5.6.3; TS 29.061, 11.2 and 13a).

Ids that are unknown, or that only say what the phone can do, are taken in silence.
"""

from ipaddress import IPv4Address, IPv6Address

from dialtone.codec.pco import (
    CONFIGURE_ACK,
    CONFIGURE_NAK,
    CONFIGURE_REJECT,
    PRIMARY_DNS,
    SECONDARY_DNS,
    Id,
    PppPacket,
    ProtocolConfigurationOptions,
)
from dialtone.config import MTU, Apn, Config
from dialtone.errors import ProtocolError
from dialtone.pgw.addresses import IPV4, IPV6

PAP_REQUEST, PAP_ACK = 1, 2  # RFC 1334, 2.2
CHAP_RESPONSE, CHAP_SUCCESS = 2, 3  # RFC 1994, 4
MS_AND_NETWORK = b"\x02"
"""Selected bearer control mode: either side may ask for bearers."""


def answer(config: Config, apn: str, kind: int, asked: bytes | None) -> bytes:
    """The value for a phone with PDN type `kind`: what it asked for; if it asked nothing, DNS and MTU all the same."""
    settings, ims = config.apn[apn], config.apn.get("ims")
    request = _read(asked)
    out = ProtocolConfigurationOptions(from_network=True)
    servers, servers6 = servers_of(settings)
    if request is not None:
        _ppp(request, servers if kind & IPV4 else [], out)
    asks_dns = request is not None and (request.asks_for(Id.DNS_IPV4) or request.asks_for(Id.DNS_IPV6))
    silent = not asks_dns and not any(number == Id.IPCP for number, _ in out.containers)
    for version, number, addresses in ((IPV4, Id.DNS_IPV4, servers), (IPV6, Id.DNS_IPV6, servers6)):
        if kind & version and (silent or (request is not None and request.asks_for(number))):
            for server in addresses:
                out.add(number, server.packed)
    if request is not None and ims is not None:
        if kind & IPV6 and request.asks_for(Id.P_CSCF_IPV6) and ims.gateway6 is not None:
            out.add(Id.P_CSCF_IPV6, ims.gateway6.packed)
        if kind & IPV4 and request.asks_for(Id.P_CSCF_IPV4):
            out.add(Id.P_CSCF_IPV4, ims.gateway.packed)
    if request is not None and request.asks_for(Id.BEARER_CONTROL_MODE):
        out.add(Id.BEARER_CONTROL_MODE, MS_AND_NETWORK)
    if kind & IPV4 and (request is None or request.asks_for(Id.IPV4_LINK_MTU)):
        out.add(Id.IPV4_LINK_MTU, MTU.to_bytes(2))
    return out.to_bytes()


def servers_of(apn: Apn) -> tuple[list[IPv4Address], list[IPv6Address]]:
    """The name servers by version; our own where none of that version is configured."""
    ipv4 = [IPv4Address(server) for server in apn.dns if ":" not in server] or [apn.gateway]
    ipv6 = [IPv6Address(server) for server in apn.dns if ":" in server]
    return ipv4, ipv6 or ([apn.gateway6] if apn.gateway6 else [])


def _read(asked: bytes | None) -> ProtocolConfigurationOptions | None:
    """What cannot be read counts as not sent."""
    try:
        return ProtocolConfigurationOptions.of_ue(asked) if asked else None
    except ProtocolError:
        return None


def _ppp(request: ProtocolConfigurationOptions, servers: list[IPv4Address], out: ProtocolConfigurationOptions) -> None:
    """Answer the PPP packets. A name and its password are accepted whatever they are: the SIM proved who it is."""
    for number, contents in request.containers:
        try:
            packet = PppPacket.from_bytes(contents) if number in (Id.PAP, Id.CHAP, Id.IPCP) else None
            if packet is None:
                continue
            if number == Id.PAP and packet.code == PAP_REQUEST:
                out.add(number, PppPacket(PAP_ACK, packet.identifier, b"\0").to_bytes())
            elif number == Id.CHAP and packet.code == CHAP_RESPONSE:
                out.add(number, PppPacket(CHAP_SUCCESS, packet.identifier).to_bytes())
            elif number == Id.IPCP and servers:
                out.add(number, _ipcp(packet, servers).to_bytes())
        except ProtocolError:
            continue


def _ipcp(packet: PppPacket, servers: list[IPv4Address]) -> PppPacket:
    """Answer the phone's Configure-Request for DNS servers (RFC 1332, RFC 1877): ours, by a Nak."""
    ours = {PRIMARY_DNS: servers[0].packed, SECONDARY_DNS: servers[-1].packed}
    asked = packet.options
    if other := [(kind, value) for kind, value in asked if kind not in ours]:
        return PppPacket.of_options(CONFIGURE_REJECT, packet.identifier, other)
    if wrong := [(kind, ours[kind]) for kind, value in asked if value != ours[kind]]:
        return PppPacket.of_options(CONFIGURE_NAK, packet.identifier, wrong)
    return PppPacket.of_options(CONFIGURE_ACK, packet.identifier, asked)
