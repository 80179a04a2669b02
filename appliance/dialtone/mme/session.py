# SPDX-License-Identifier: Apache-2.0
"""PDN connections: ESM information and default bearers (TS 24.301, 6.4.1, 6.5.1, 6.6.1.2), S11 (TS 29.274).

`connect` serves whoever needs a PDN connection; it ends in the `connected` or `refused` it was given.
"""

import re
from collections.abc import Iterator
from ipaddress import IPv4Address

from dialtone.codec import gtpc
from dialtone.codec.diameter import AllocationRetentionPriority, ApnConfiguration
from dialtone.codec.gtpc import (
    PORT,
    CreateSessionRequest,
    CreateSessionResponse,
    DeleteSessionRequest,
    DeleteSessionResponse,
    Indication,
)
from dialtone.codec.gtpc.values import Ambr, BearerQos, Fteid, Uli
from dialtone.codec.nas import (
    ActivateDefaultEPSBearerContextAccept,
    ActivateDefaultEPSBearerContextRequest,
    ESMInformationRequest,
    ESMInformationResponse,
    PDNConnectivityRequest,
)
from dialtone.codec.nas.bitrates import ApnAmbr, EpsQos
from dialtone.codec.pco import ProtocolConfigurationOptions
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, Request, Unanswered
from dialtone.errors import ProtocolError
from dialtone.mme import pdn_type, retransmission
from dialtone.mme.context import Bearer, Connected, Pdn, Refused, Ue, Wish
from dialtone.mme.element import NOT_EXPECTED, Mme, on
from dialtone.mme.states import ESM, EsmState

UNKNOWN_APN, REFUSED_BY_GATEWAY, NETWORK_FAILURE, INFORMATION_NOT_RECEIVED = 27, 30, 38, 53
PREFERRED_PDN_TYPE_NOT_SUPPORTED = 83
ESM_BY_GTP = {78: UNKNOWN_APN, 93: UNKNOWN_APN, 84: 26, 73: 26, 92: 29}
"""GTP cause to ESM cause (TS 29.274, annex C)."""
FIRST_EBI = 5
EUTRAN = 6  # RAT type (TS 29.274, 8.17)
S5C_PGW, S11_MME = 7, 10  # F-TEID interface types (TS 29.274, 8.22)
OPERATOR_IDENTIFIER = re.compile(r"\.mnc\d{3}\.mcc\d{3}\.gprs$", re.IGNORECASE)


def connect(mme: Mme, ue: Ue, rx: Rx, request: PDNConnectivityRequest, connected: Connected,
            refused: Refused) -> Effects:
    """Ask for APN and PCO when the phone keeps them for after security, then create the session."""
    ue.wish = Wish(ue, request, connected, refused, request.access_point_name or "",
                   request.protocol_configuration_options)
    if request.esm_information_transfer_flag:
        yield from retransmission.send(ue, "T3489", ESMInformationRequest(
            procedure_transaction_identity=request.procedure_transaction_identity))
        return
    yield from _create(mme, ue, rx, ue.wish)


@on("NAS", ESMInformationResponse)
def on_esm_information_response(mme: Mme, msg: ESMInformationResponse, rx: Rx) -> Effects:
    """APN and PCO, ciphered (TS 24.301, 6.6.1.2.3)."""
    ue: Ue = rx.peer
    wish = ue.wish
    if wish is None or "T3489" not in ue.retries:
        raise ProtocolError("no ESM information was asked for", cause=NOT_EXPECTED, clause="TS 24.301, 7.4")
    if msg.procedure_transaction_identity != wish.request.procedure_transaction_identity:
        raise ProtocolError("the PTI is of another transaction", cause=47, clause="TS 24.301, 7.3.1")
    yield from retransmission.stop(ue, "T3489")
    wish.apn = msg.access_point_name or wish.apn
    wish.pco = msg.protocol_configuration_options or wish.pco
    yield from _create(mme, ue, rx, wish)


@on.timer("T3489", "TS 24.301, 6.6.1.2.6")
def on_t3489(mme: Mme, number: int, rx: Rx) -> Effects:
    """The phone that promised ESM information is silent: ESM cause #53."""
    ue, effects = retransmission.again(mme, number, "T3489", rx)
    yield from effects
    if ue and not effects and ue.wish is not None:
        pti = ue.wish.request.procedure_transaction_identity
        why = "the phone did not tell its APN (T3489 expired 3 times)"
        yield from ue.wish.refused(mme, ue, rx, pti, INFORMATION_NOT_RECEIVED, why)


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
        return UNKNOWN_APN, f"the APN {wish.apn.strip()!r} is not among those of the subscriber"
    asked = wish.request.pdn_type & 7
    kind, cause = pdn_type.granted(asked, configuration)
    if not kind and cause:
        return cause, pdn_type.why_not(asked, cause, configuration.service_selection)
    return None


def _create(mme: Mme, ue: Ue, rx: Rx, wish: Wish) -> Effects:
    """Create Session Request for the wanted APN (TS 23.401, 5.3.2.1, step 12)."""
    pti = wish.request.procedure_transaction_identity
    configuration = _subscribed(ue, wish.apn)
    if (objection := _objection(wish, configuration)) is not None:
        ue.wish = None
        yield from wish.refused(mme, ue, rx, pti, *objection)
        return
    assert ue.subscription is not None
    assert configuration is not None
    qos = configuration.eps_subscribed_qos_profile
    qci, arp = (qos.qos_class_identifier, _arp(qos.allocation_retention_priority)) if qos else (9, (8, 1, 0))
    ebi = next(ebi for ebi in range(FIRST_EBI, 16) if all(ebi != bearer.ebi for bearer in ue.bearers()))
    apn = configuration.service_selection
    ambr = configuration.ambr or ue.subscription.ambr
    up, down = (ambr.max_requested_bandwidth_ul // 1000, ambr.max_requested_bandwidth_dl // 1000) if ambr else (0, 0)
    kind, cause = pdn_type.granted(wish.request.pdn_type & 7, configuration)
    wish.pdn = Pdn(apn, pti, ebi, kind, wish.pco, esm_cause=cause, ambr=(down, up), gateway=mme.s11.gateway)
    # A phone has one tunnel on S11: its first session makes it, with TEID 0, the others come by it.
    present = next(iter(ue.pdns.values()), None)
    if present is not None:
        wish.pdn.gateway, wish.pdn.s11_teid = present.gateway, present.s11_teid
    wish.pdn.bearers[ebi] = Bearer(ebi, qci, (arp[0], 1 - arp[1], 1 - arp[2]))
    assert ue.tai is not None
    yield Request("S11", wish.pdn.gateway, CreateSessionRequest(
        teid=wish.pdn.s11_teid,
        imsi=ue.imsi,
        msisdn=ue.subscription.msisdn,
        mei=ue.imeisv or None,
        uli=Uli(ue.tai, ue.ecgi),
        serving_network=mme.plmn,
        rat_type=EUTRAN,
        indication_flags=Indication.of("DAF") if kind == pdn_type.IPV4V6 else None,
        sender_f_teid=Fteid(S11_MME, ue.s11_teid, mme.s11.control),
        pgw_s5_s8_address=Fteid(S5C_PGW, 0, mme.s11.pgw),
        apn=apn,
        selection_mode=0,
        pdn_type=kind,
        paa=pdn_type.request(kind, configuration),
        maximum_apn_restriction=0,
        ambr=Ambr(up, down),
        pco=wish.pco.to_bytes() if wish.pco else None,
        bearer_contexts_to_be_created=(gtpc.BearerContextToBeCreated(
            ebi=ebi, bearer_qos=BearerQos(qci, *arp)),),
        recovery=mme.s11.recovery,
    ), context=wish)



@on("S11", CreateSessionResponse)
def on_create_session_response(mme: Mme, msg: CreateSessionResponse, rx: Rx) -> Effects:
    """The gateway's address, TEIDs and PCO, or its cause as an ESM cause."""
    assert rx.request is not None
    wish: Wish = rx.request.context
    ue, pdn = wish.ue, wish.pdn
    assert pdn is not None
    rx.subject, rx.state = ue.label, ue.emm
    usable = msg.cause.accepted and _fill(pdn, msg)
    if msg.cause.accepted and msg.sender_f_teid and (ue.wish is not wish or not usable):
        pdn.s11_teid, pdn.gateway = msg.sender_f_teid.teid, gateway_at(pdn.gateway, msg.sender_f_teid)
        yield _delete(pdn)  # the phone has gone meanwhile, or has no use for it
    if ue.wish is not wish:
        return
    ue.wish = None
    if not usable:
        esm_cause = ESM_BY_GTP.get(msg.cause.value, REFUSED_BY_GATEWAY)
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
    if ue.wish is wish:
        rx.subject, ue.wish = ue.label, None
        pti = wish.request.procedure_transaction_identity
        yield from wish.refused(mme, ue, rx, pti, NETWORK_FAILURE, "the gateway does not answer")


def activate(ue: Ue, pdn: Pdn) -> ActivateDefaultEPSBearerContextRequest:
    """The request for the default bearer of `pdn` (TS 24.301, 6.4.1.2)."""
    bearer = pdn.bearers[pdn.ebi]
    down, up = pdn.ambr
    return ActivateDefaultEPSBearerContextRequest(
        eps_bearer_identity=pdn.ebi,
        procedure_transaction_identity=pdn.pti,
        eps_qos=EpsQos.of(bearer.qci),
        access_point_name=pdn.apn,
        pdn_address=pdn_type.address_for_phone(pdn),
        apn_ambr=ApnAmbr.of(down, up),
        esm_cause=pdn.esm_cause,
        protocol_configuration_options=pdn.answer_pco,
    )


def start_bearer(ue: Ue, pdn: Pdn) -> Effect:
    """The activation is on its way to the phone."""
    return ue.move_bearer(pdn.bearers[pdn.ebi], "activation")


@on("NAS", ActivateDefaultEPSBearerContextAccept)
def on_activate_default_eps_bearer_context_accept(
    mme: Mme, msg: ActivateDefaultEPSBearerContextAccept, rx: Rx
) -> Effects:
    """The default bearer is active."""
    ue: Ue = rx.peer
    bearer = next((bearer for bearer in ue.bearers() if bearer.ebi == msg.eps_bearer_identity), None)
    if bearer is None or not ESM.allows(bearer.state, "accepted"):
        raise ProtocolError(f"no activation of EPS bearer {msg.eps_bearer_identity} is under way", cause=43,
                            clause="TS 24.301, 7.3.2")
    yield ue.move_bearer(bearer, "accepted")


def delete_all(ue: Ue) -> Iterator[Effect]:
    """Give every session back to the gateway; nobody waits for the answers."""
    for pdn in list(ue.pdns.values()):
        yield from delete(ue, pdn)
    ue.wish = None


def delete(ue: Ue, pdn: Pdn) -> Iterator[Effect]:
    """Give one session back to the gateway, with all its bearers."""
    for bearer in pdn.bearers.values():
        if bearer.state is not EsmState.INACTIVE:
            yield ue.move_bearer(bearer, "local deactivation")
    if pdn.s11_teid:
        yield _delete(pdn)
    del ue.pdns[pdn.apn]


def _delete(pdn: Pdn) -> Request:
    """OI: an S-GW that is not our gateway tells the P-GW, too (TS 29.274, 7.2.9.1)."""
    return Request("S11", pdn.gateway, DeleteSessionRequest(teid=pdn.s11_teid, linked_ebi=pdn.ebi,
                                                            indication_flags=Indication.of("OI")))


@on("S11", DeleteSessionResponse)
def on_delete_session_response(mme: Mme, msg: DeleteSessionResponse, rx: Rx) -> Effects:
    """The session is gone; the phone's context went before."""
    return ()
