# SPDX-License-Identifier: Apache-2.0
"""Session management in the phone: default bearer, ESM information, status (TS 24.301, 6.4.1, 6.6, 6.7).

PDN connectivity request -> (ESM information request -> response) -> Activate default EPS bearer context
request -> accept. In an attach the first and the last travel inside of it.
"""

from collections.abc import Collection, Iterator
from ipaddress import IPv6Address

from dialtone.codec import nas
from dialtone.codec.nas.causes import EsmCause
from dialtone.codec.nas.values import PdnType, RequestType
from dialtone.codec.pco import Id, ProtocolConfigurationOptions
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects
from dialtone.sim import volte
from dialtone.sim.phone import Dedicated, InterfaceUp, Pdn, Phone, on
from dialtone.sim.states import BEARER, EmmState
from dialtone.sim.transaction import ATTACH_PTI

DEFAULT_MTU = 1400
"""Octets, where the network names none: what every guide takes."""
UNKNOWN_APN = "no.such.apn"


def asked_options(phone: Phone) -> ProtocolConfigurationOptions:
    """What a VoLTE phone asks for (TS 24.008, 10.5.6.3): P-CSCF, DNS, MTU, the address by NAS."""
    asked = ProtocolConfigurationOptions()
    numbers = [Id.IM_CN_SIGNALLING_FLAG, Id.BEARER_CONTROL_MODE]
    if phone.handset.pdn_type != PdnType.IPV4:
        numbers += [Id.P_CSCF_IPV6, Id.DNS_IPV6]
    if phone.handset.pdn_type != PdnType.IPV6:
        numbers += [Id.P_CSCF_IPV4, Id.DNS_IPV4, Id.IPV4_VIA_NAS, Id.IPV4_LINK_MTU]
    for number in numbers:
        asked.add(number)
    return asked


def wanted_apn(phone: Phone) -> str:
    """The APN to ask for; empty for the subscription's own."""
    if phone.faults.ims_as_default:
        return phone.handset.ims
    return UNKNOWN_APN if phone.faults.wrong_apn else phone.handset.apn


def connectivity_request(phone: Phone) -> nas.PDNConnectivityRequest:
    """For the attach: an APN is never in it, it follows under protection (6.5.1.2)."""
    later = phone.handset.esm_information or bool(wanted_apn(phone))
    return nas.PDNConnectivityRequest(
        procedure_transaction_identity=ATTACH_PTI,
        request_type=RequestType.EMERGENCY if phone.urgent else RequestType.INITIAL,
        pdn_type=phone.handset.pdn_type,
        esm_information_transfer_flag=1 if later else None,
        protocol_configuration_options=asked_options(phone),
    )


@on("NAS", nas.ESMInformationRequest)
def on_esm_information_request(phone: Phone, msg: nas.ESMInformationRequest, rx: Rx) -> Effects:
    """APN and options, now that the line is protected (6.6.1.2.3)."""
    pti = msg.procedure_transaction_identity
    asked = phone.transactions.get(pti)
    attaching = pti == ATTACH_PTI and phone.emm == EmmState.REGISTERED_INITIATED
    if asked is None and not attaching:
        yield phone.send(nas.ESMStatus(procedure_transaction_identity=pti, esm_cause=EsmCause.INVALID_PTI_VALUE))
        return
    yield phone.send(nas.ESMInformationResponse(
        procedure_transaction_identity=pti,
        access_point_name=asked.about if asked else wanted_apn(phone) or None,
        protocol_configuration_options=asked_options(phone),
    ))


def activate_default(
    phone: Phone, msg: nas.ActivateDefaultEPSBearerContextRequest, *, emergency: bool = False
) -> tuple[nas.ActivateDefaultEPSBearerContextAccept, Iterator[Effect]]:
    """Take a default bearer; returns the answer and what to do besides (6.4.1.3)."""
    given = msg.protocol_configuration_options or ProtocolConfigurationOptions()
    ebi = msg.eps_bearer_identity
    state = phone.pdns[ebi].state if ebi in phone.pdns else BEARER.initial
    pdn = Pdn(ebi, msg.access_point_name, msg.pdn_address.ipv4, msg.eps_qos.qci,
              (*given.dns_ipv4, *given.dns_ipv6), (*given.p_cscf_ipv4, *given.p_cscf_ipv6), given.ipv4_link_mtu,
              BEARER.after(state, msg.NAME), msg.pdn_address.interface_identifier or b"", msg.esm_cause,
              (msg.apn_ambr.downlink, msg.apn_ambr.uplink) if msg.apn_ambr else (0, 0), emergency)
    answer = nas.ActivateDefaultEPSBearerContextAccept(eps_bearer_identity=ebi)
    repeated = ebi in phone.pdns
    phone.pdns[ebi] = pdn
    return answer, iter(()) if repeated else interface_up(phone, pdn)


def interface_up(phone: Phone, pdn: Pdn, dedicated: Dedicated | None = None) -> Iterator[Effect]:
    """The device's part in a PDN connection: all of it, or what a dedicated bearer carries; and a word to IMS."""
    up = InterfaceUp(phone.name, phone.imsi, pdn.ebi, pdn.address, pdn.dns, pdn.mtu or DEFAULT_MTU, pdn.identifier)
    if dedicated is not None:
        up.ebi, up.filters = dedicated.ebi, tuple(dedicated.filters.values())
    yield up
    yield from volte.up(phone, pdn, dedicated)


def keep_only(phone: Phone, active: Collection[int]) -> Iterator[Effect]:
    """Deactivate locally what is not among the EPS bearer identities `active` (6.4.4.6); without any, detach."""
    for ebi in [ebi for ebi in (*phone.dedicated, *phone.pdns) if ebi not in active]:
        phone.counters["bearer deactivated locally"] += 1
        yield from take(phone, ebi, "local deactivation")
    if not phone.pdns:
        yield from phone.move("local detach")


def take(phone: Phone, ebi: int, event: str) -> Iterator[Effect]:
    """A bearer ends; with a default bearer all of its PDN connection."""
    if (dedicated := phone.dedicated.pop(ebi, None)) is not None:
        dedicated.state = BEARER.after(dedicated.state, event)
        yield from phone.interface_down(ebi)
    pdn = phone.pdns.pop(ebi, None)
    if pdn is None:
        return
    pdn.state = BEARER.after(pdn.state, event)
    for other in [number for number, bearer in phone.dedicated.items() if bearer.linked == ebi]:
        yield from take(phone, other, event)
    yield from phone.interface_down(ebi)


@on("NAS", nas.ESMStatus)
def on_esm_status(phone: Phone, msg: nas.ESMStatus, rx: Rx) -> Effects:
    """The network did not like an ESM message of ours (6.7)."""
    phone.counters[f"ESM status {msg.esm_cause}"] += 1
    return ()


def summary(phone: Phone) -> str:
    """`10.45.0.7, APN internet`, for each PDN connection."""
    return "; ".join(map(line, phone.pdns.values())) or "no PDN connection"


def line(pdn: Pdn) -> str:
    """`10.45.0.7, APN internet`."""
    return f"{_addresses(pdn)}, APN {pdn.apn}"


def _addresses(pdn: Pdn) -> str:
    link_local = IPv6Address(bytes.fromhex("fe80000000000000") + pdn.identifier) if pdn.identifier else None
    return " and ".join(str(address) for address in (pdn.address, link_local) if address) or "no address"
