# SPDX-License-Identifier: Apache-2.0
"""PDN connections: what the phone may have, ESM information (TS 24.301, 6.5.1, 6.6.1.2), sessions on S11 (TS 29.274).

`connect` serves whoever needs a PDN connection; it ends in the `connected` or `refused` it was given.
"""

import re
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address

from dialtone.codec import gtpc
from dialtone.codec.diameter import AllocationRetentionPriority, ApnConfiguration, SubscriptionData
from dialtone.codec.gtpc import (
    PORT,
    CreateSessionRequest,
    CreateSessionResponse,
    DeleteBearerCommand,
    DeleteSessionRequest,
    DeleteSessionResponse,
    Indication,
)
from dialtone.codec.gtpc.bearer_context import LostBearerContext
from dialtone.codec.gtpc.values import Ambr, BearerQos, Fteid, Uli
from dialtone.codec.nas import ESMInformationRequest, ESMInformationResponse, PDNConnectivityRequest
from dialtone.codec.nas.causes import EsmCause
from dialtone.codec.nas.values import RequestType
from dialtone.codec.pco import ProtocolConfigurationOptions
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, Request, Unanswered
from dialtone.errors import ProtocolError
from dialtone.mme import causes, emergency, pdn_type, retransmission
from dialtone.mme.context import Bearer, Connected, Pdn, Refused, Ue, Wish
from dialtone.mme.element import Mme, on
from dialtone.mme.states import EsmState

PREFERRED_PDN_TYPE_NOT_SUPPORTED = 83
EUTRAN = 6  # RAT type (TS 29.274, 8.17)
S5C_PGW, S11_MME = 7, 10  # F-TEID interface types (TS 29.274, 8.22)
OPERATOR_IDENTIFIER = re.compile(r"\.mnc\d{3}\.mcc\d{3}\.gprs$", re.IGNORECASE)


def connect(mme: Mme, ue: Ue, rx: Rx, request: PDNConnectivityRequest, connected: Connected,
            refused: Refused) -> Effects:
    """Ask for APN and PCO when the phone keeps them for after security, then create the session."""
    pti = request.procedure_transaction_identity
    wish = ue.wishes[pti] = Wish(ue, request, connected, refused, request.access_point_name or "",
                                 request.protocol_configuration_options)
    if request.esm_information_transfer_flag:
        yield from retransmission.send(
            ue, "T3489", ESMInformationRequest(procedure_transaction_identity=pti), about=pti)
        return
    yield from _create(mme, ue, rx, wish)


@on("NAS", ESMInformationResponse)
def on_esm_information_response(mme: Mme, msg: ESMInformationResponse, rx: Rx) -> Effects:
    """APN and PCO, ciphered (TS 24.301, 6.6.1.2.3)."""
    ue: Ue = rx.peer
    pti = msg.procedure_transaction_identity
    if not retransmission.runs(ue, "T3489", pti):
        raise ProtocolError(f"no ESM information was asked for with PTI {pti}", cause=EsmCause.PTI_MISMATCH,
                            clause="TS 24.301, 7.3.1")
    wish = ue.wishes[pti]
    yield from retransmission.stop(ue, "T3489", pti)
    wish.apn = msg.access_point_name or wish.apn
    wish.pco = msg.protocol_configuration_options or wish.pco
    yield from _create(mme, ue, rx, wish)


@on.timer("T3489", "TS 24.301, 6.6.1.2.6")
def on_t3489(mme: Mme, key: tuple[int, int], rx: Rx) -> Effects:
    """The phone that promised ESM information is silent: ESM cause #53."""
    ue, effects = retransmission.again(mme, key, "T3489", rx)
    yield from effects
    if ue and not effects and (wish := ue.wishes.pop(key[1], None)) is not None:
        why = "the phone did not tell its APN (T3489 expired 3 times)"
        yield from wish.refused(mme, ue, rx, key[1], EsmCause.ESM_INFORMATION_NOT_RECEIVED, why)


def _subscribed(ue: Ue, apn: str) -> ApnConfiguration | None:
    """The APN in the subscription: compared without case, space or operator identifier; default if none is asked."""
    assert ue.subscription is not None
    profile = ue.subscription.apn_configuration_profile
    if profile is None:
        return None
    wanted = OPERATOR_IDENTIFIER.sub("", apn.strip()).lower()
    for configuration in profile.apn_configuration:
        if wanted == configuration.service_selection.lower():
            return configuration
        if not wanted and configuration.context_identifier == profile.context_identifier:
            return configuration
    return None


def _arp(arp: AllocationRetentionPriority) -> tuple[int, int, int]:
    """Priority, capability, vulnerability; of these 0 enables, and absence is not to pre-empt but to be pre-empted."""
    capability, vulnerability = arp.pre_emption_capability, arp.pre_emption_vulnerability
    return arp.priority_level, 1 if capability is None else capability, vulnerability or 0


def _objection(wish: Wish, configuration: ApnConfiguration | None) -> tuple[int, str] | None:
    """Why the wish cannot be granted, with the ESM cause (TS 24.301, 6.5.1.4)."""
    if configuration is None:
        return EsmCause.MISSING_OR_UNKNOWN_APN, f"the APN {wish.apn.strip()!r} is not among those of the subscriber"
    asked = pdn_type.asked(wish.request.pdn_type)
    apn = configuration.service_selection
    kind, cause = pdn_type.granted(asked, configuration)
    if not kind and cause:
        return cause, pdn_type.why_not(asked, cause, apn)
    if apn in wish.ue.pdns or any(
            other.pdn and other.pdn.apn == apn for other in wish.ue.wishes.values()):
        return (EsmCause.MULTIPLE_PDN_CONNECTIONS_FOR_A_GIVEN_APN_NOT_ALLOWED,
                f"the phone has a PDN connection to {apn} already")
    if wish.ue.free_ebi() is None:
        return EsmCause.MAXIMUM_NUMBER_OF_EPS_BEARERS_REACHED, "the phone has 11 bearers, and may not have more"
    return None


def subscribed_quality(subscription: SubscriptionData, configuration: ApnConfiguration
                       ) -> tuple[int, tuple[int, int, int], Ambr]:
    """QCI, ARP as GTP has it, and APN-AMBR in kbit/s of an APN; without an APN-AMBR that of the phone."""
    qos, most = configuration.eps_subscribed_qos_profile, configuration.ambr or subscription.ambr
    qci, arp = (qos.qos_class_identifier, _arp(qos.allocation_retention_priority)) if qos else (9, (8, 1, 0))
    return qci, arp, Ambr(*((most.max_requested_bandwidth_ul // 1000, most.max_requested_bandwidth_dl // 1000)
                            if most else (0, 0)))


def _create(mme: Mme, ue: Ue, rx: Rx, wish: Wish) -> Effects:
    """Create Session Request for the wanted APN (TS 23.401, 5.3.2.1, step 12)."""
    pti = wish.request.procedure_transaction_identity
    urgent = ue.emergency or wish.request.request_type & 7 == RequestType.EMERGENCY
    configuration = emergency.configuration(mme) if urgent else _subscribed(ue, wish.apn)
    objection = _objection(wish, configuration)
    if urgent and configuration is None:
        objection = EsmCause.SERVICE_OPTION_NOT_SUPPORTED, "emergency calls are not served here"
    if objection is not None:
        del ue.wishes[pti]
        yield from wish.refused(mme, ue, rx, pti, *objection)
        return
    assert configuration is not None
    subscription = ue.subscription or SubscriptionData()
    qci, arp, ambr = subscribed_quality(subscription, configuration)
    ebi = ue.free_ebi()
    assert ebi is not None
    apn = configuration.service_selection
    kind, cause = pdn_type.granted(pdn_type.asked(wish.request.pdn_type), configuration)
    wish.pdn = Pdn(apn, pti, ebi, kind, wish.pco, esm_cause=cause, ambr=(ambr.downlink, ambr.uplink),
                   gateway=mme.s11.gateway)
    # A phone has one tunnel on S11: its first session makes it, with TEID 0, the others come by it.
    present = next(iter(ue.pdns.values()), None)
    if present is not None:
        wish.pdn.gateway, wish.pdn.s11_teid = present.gateway, present.s11_teid
    wish.pdn.bearers[ebi] = Bearer(ebi, qci, (arp[0], 1 - arp[1], 1 - arp[2]))
    assert ue.tai is not None
    yield Request("S11", wish.pdn.gateway, CreateSessionRequest(
        teid=wish.pdn.s11_teid,
        imsi=(ue.imsi if ue.proven else ue.unproven) or None,
        msisdn=subscription.msisdn,
        mei=ue.imeisv or None,
        uli=Uli(ue.tai, ue.ecgi),
        serving_network=mme.plmn,
        rat_type=EUTRAN,
        indication_flags=_indication(ue, kind),
        sender_f_teid=Fteid(S11_MME, ue.s11_teid, mme.s11.control),
        pgw_s5_s8_address=Fteid(S5C_PGW, 0, mme.s11.pgw),
        apn=apn,
        selection_mode=0,
        pdn_type=kind,
        paa=pdn_type.request(kind, configuration),
        maximum_apn_restriction=0,
        ambr=ambr,
        pco=wish.pco.to_bytes() if wish.pco else None,
        bearer_contexts_to_be_created=(gtpc.BearerContextToBeCreated(
            ebi=ebi, bearer_qos=BearerQos(qci, *arp)),),
        recovery=mme.s11.recovery,
    ), context=wish)


def _indication(ue: Ue, kind: int) -> Indication | None:
    """Two addresses may be had at once; an IMSI is not proven (TS 29.274, 8.12)."""
    flags = (["DAF"] if kind == pdn_type.IPV4V6 else []) + ([] if ue.proven or not ue.unproven else ["UIMSI"])
    return Indication.of(*flags) if flags else None


@on("S11", CreateSessionResponse)
def on_create_session_response(mme: Mme, msg: CreateSessionResponse, rx: Rx) -> Effects:
    """The gateway's address, TEIDs and PCO, or its cause as an ESM cause."""
    assert rx.request is not None
    wish: Wish = rx.request.context
    ue, pdn = wish.ue, wish.pdn
    assert pdn is not None
    rx.subject, rx.state = ue.label, ue.emm
    usable = msg.cause.accepted and _fill(pdn, msg)
    wanted = ue.wishes.get(pdn.pti) is wish
    if msg.cause.accepted and msg.sender_f_teid and not (wanted and usable):
        pdn.s11_teid, pdn.gateway = msg.sender_f_teid.teid, gateway_at(pdn.gateway, msg.sender_f_teid)
        yield delete_request(ue, pdn)  # the phone has gone meanwhile, or has no use for it
    if not wanted:
        return
    del ue.wishes[pdn.pti]
    if not usable:
        esm_cause = causes.esm_by_gtp(msg.cause.value)
        why = f"the gateway refused APN {pdn.apn} with GTP cause {msg.cause.value}"
        if msg.cause.value == PREFERRED_PDN_TYPE_NOT_SUPPORTED:
            esm_cause = pdn_type.ONLY.get(pdn_type.IPV4V6 ^ pdn.pdn_type, pdn_type.UNKNOWN_PDN_TYPE)
            why = pdn_type.why_not(pdn.pdn_type, esm_cause, pdn.apn)
        yield from wish.refused(mme, ue, rx, pdn.pti, esm_cause, why)
        return
    ue.pdns[pdn.apn] = pdn
    yield from wish.connected(mme, ue, rx, pdn)


def _fill(pdn: Pdn, msg: CreateSessionResponse) -> bool:
    """Take what the gateway gave; False when it lacks something that a bearer needs."""
    created = msg.bearer_contexts_created[0] if msg.bearer_contexts_created else None
    if not (msg.sender_f_teid and msg.paa and created and created.s1_u_sgw_f_teid):
        return False
    if not created.s1_u_sgw_f_teid.ipv4 or not pdn_type.take(pdn, msg.paa, msg.cause.value):
        return False
    pdn.s11_teid, pdn.gateway = msg.sender_f_teid.teid, gateway_at(pdn.gateway, msg.sender_f_teid)
    pdn.answer_pco = ProtocolConfigurationOptions.of_network(msg.pco) if msg.pco else None
    pdn.bearers[pdn.ebi].sgw = (created.s1_u_sgw_f_teid.ipv4, created.s1_u_sgw_f_teid.teid)
    return True


def gateway_at(gateway: str, end: Fteid) -> str:
    """Where requests go from now on: to the address that the S-GW gave for itself (TS 29.274, 4.2)."""
    return f"{IPv4Address(end.ipv4)}:{PORT}" if ":" in gateway and end.ipv4 else gateway


@on.unanswered(CreateSessionRequest)
def on_no_create_session_response(mme: Mme, event: Unanswered, rx: Rx) -> Effects:
    """The gateway is silent: ESM cause #38, network failure."""
    wish: Wish = event.request.context
    ue = wish.ue
    pti = wish.request.procedure_transaction_identity
    if ue.wishes.get(pti) is wish:
        rx.subject = ue.label
        del ue.wishes[pti]
        yield from wish.refused(mme, ue, rx, pti, EsmCause.NETWORK_FAILURE, "the gateway does not answer")


def delete_all(ue: Ue) -> Iterator[Effect]:
    """Give every session back to the gateway; nobody waits for the answers."""
    for pdn in list(ue.pdns.values()):
        yield from delete(ue, pdn)
    ue.wishes.clear()


def delete(ue: Ue, pdn: Pdn) -> Iterator[Effect]:
    """Give one session back to the gateway, with all its bearers."""
    yield from deactivate_locally(ue, *pdn.bearers.values())
    if pdn.s11_teid:
        yield delete_request(ue, pdn)
    del ue.pdns[pdn.apn]


def give_up(ue: Ue, *bearers: Bearer) -> Iterator[Effect]:
    """Dedicated bearers that the radio lost: the gateway takes them away (TS 23.401, 5.4.4.2)."""
    for bearer in bearers:
        if (pdn := ue.pdn_of(bearer.ebi)) is not None and pdn.s11_teid and not pdn.leaving:
            yield Request("S11", pdn.gateway, DeleteBearerCommand(
                teid=pdn.s11_teid, bearer_contexts=(LostBearerContext(ebi=bearer.ebi),)), context=(ue, bearer.ebi))


def deactivate_locally(ue: Ue, *bearers: Bearer) -> Iterator[Effect]:
    """These bearers are no more, whatever the phone thinks."""
    for bearer in bearers:
        if bearer.state is not EsmState.INACTIVE:
            yield ue.move_bearer(bearer, "local deactivation")


Gone = Callable[[Mme, Ue, Rx, Pdn], Effects]


def delete_request(ue: Ue, pdn: Pdn, then: Gone | None = None) -> Request:
    """`then` goes on when the gateway has answered, or is silent.

    OI: an S-GW that is not our gateway tells the P-GW, too (TS 29.274, 7.2.9.1).
    """
    return Request("S11", pdn.gateway, DeleteSessionRequest(teid=pdn.s11_teid, linked_ebi=pdn.ebi,
                                                            indication_flags=Indication.of("OI")),
                   context=(ue, pdn, then))


@on("S11", DeleteSessionResponse)
def on_delete_session_response(mme: Mme, msg: DeleteSessionResponse, rx: Rx) -> Effects:
    """The session is gone, or was gone before."""
    assert rx.request is not None
    return _deleted(mme, rx.request, rx)


@on.unanswered(DeleteSessionRequest)
def on_no_delete_session_response(mme: Mme, event: Unanswered, rx: Rx) -> Effects:
    """The gateway is silent: here the session is over all the same."""
    return _deleted(mme, event.request, rx)


def _deleted(mme: Mme, request: Request, rx: Rx) -> Effects:
    ue, pdn, then = request.context
    rx.subject, rx.state = ue.label, ue.emm
    if then is not None and ue.pdns.get(pdn.apn) is pdn:
        yield from then(mme, ue, rx, pdn)
