# SPDX-License-Identifier: Apache-2.0
"""Initial Context Setup (TS 36.413, 8.3.1): keys, capabilities and bearers to the eNB; its TEIDs to the gateway."""

from dialtone.codec.gtpc import ModifyBearerRequest, ModifyBearerResponse
from dialtone.codec.message import Message
from dialtone.codec.s1ap import (
    InitialContextSetupFailure,
    InitialContextSetupRequest,
    InitialContextSetupResponse,
    UECapabilityInfoIndication,
)
from dialtone.codec.s1ap.bearers import (
    AllocationAndRetentionPriority,
    ERABLevelQoSParameters,
    GBRQosInformation,
    UEAggregateMaximumBitrate,
)
from dialtone.codec.s1ap.causes import Cause
from dialtone.codec.s1ap.context import ERABToBeSetupItemCtxtSUReq
from dialtone.codec.s1ap.values import NRUESecurityCapabilities, UESecurityCapabilities
from dialtone.crypto.kdf import derive_kenb
from dialtone.crypto.next_hop import NextHop
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Send, StartTimer, StopTimer, Unanswered, Verdict
from dialtone.mme import bearer_status, detach, paging, retransmission
from dialtone.mme.context import Bearer, Ue
from dialtone.mme.context_release import drop, to_idle
from dialtone.mme.element import Mme, on
from dialtone.mme.relocation import Relocation, answered, tell_gateway, user_end
from dialtone.mme.states import EmmState
from dialtone.mme.timers import CONTEXT_SETUP, TIMERS


def restore(mme: Mme, ue: Ue, rx: Rx, procedure: str, message: Message | None = None, timer: str = "") -> Effects:
    """Give a registered phone its active bearers back, with a NAS message if there is one, guarded by `timer`."""
    assert ue.security is not None
    ue.returning, ue.since, ue.kenb_count = procedure, rx.now, ue.security.ul_count
    setup = initial_context_setup(mme, ue)
    if message is None:
        assert ue.enb is not None
        yield Send("S1-MME", ue.enb.peer, setup, stream=ue.stream)
    elif timer:
        yield from retransmission.send(ue, timer, message, via=setup)
    else:
        yield Send("NAS", ue, message, via=setup)
    yield guard(ue)


def initial_context_setup(mme: Mme, ue: Ue) -> InitialContextSetupRequest:
    """The request with every bearer of the phone; the NAS link puts its message into the first of them."""
    assert ue.security is not None
    ue.context_sent = True
    k_enb = derive_kenb(ue.security.kasme, ue.kenb_count)
    ue.next_hop = NextHop.first(ue.security.kasme, k_enb)
    return InitialContextSetupRequest(
        mme_ue_s1ap_id=ue.number,
        enb_ue_s1ap_id=ue.enb_ue_s1ap_id,
        ue_aggregate_maximum_bitrate=aggregate(ue),
        e_rab_to_be_setup_list=tuple(
            ERABToBeSetupItemCtxtSUReq(
                e_rab_id=bearer.ebi,
                e_rab_level_qos_parameters=e_rab_qos(bearer),
                transport_layer_address=bearer.sgw[0],
                gtp_teid=bearer.sgw[1],
            )
            for bearer in (ue.active_bearers() if ue.returning else ue.bearers())
        ),
        ue_security_capabilities=UESecurityCapabilities(*algorithms(ue)),
        security_key=k_enb,
        ue_radio_capability=ue.radio_capability,
        nr_ue_security_capabilities=nr_algorithms(ue),
    )


def e_rab_qos(bearer: Bearer) -> ERABLevelQoSParameters:
    """QCI and ARP, with the rates of a GBR bearer in bit/s (TS 36.413, 9.2.1.15)."""
    rates = [1000 * rate for rate in (*bearer.mbr, *bearer.gbr)]
    return ERABLevelQoSParameters(bearer.qci, AllocationAndRetentionPriority(*bearer.arp),
                                  GBRQosInformation(*rates) if any(bearer.gbr) else None)


def aggregate(ue: Ue) -> UEAggregateMaximumBitrate:
    """The sum of the APN-AMBRs in bit/s, no more than the subscribed UE-AMBR (TS 23.401, 4.7.3)."""
    down = sum(pdn.ambr[0] for pdn in ue.pdns.values()) * 1000
    up = sum(pdn.ambr[1] for pdn in ue.pdns.values()) * 1000
    if ue.subscription and (most := ue.subscription.ambr):
        down, up = min(down, most.max_requested_bandwidth_dl), min(up, most.max_requested_bandwidth_ul)
    return UEAggregateMaximumBitrate(down, up)


def algorithms(ue: Ue) -> tuple[int, int]:
    """EEA1 to 16 and EIA1 to 16, the first the highest bit; algorithm 0 has none (TS 36.413, 9.2.1.40).

    A phone that has made no keys with us gets none on the radio either (TS 33.401, 15.2.2).
    """
    if ue.security is not None and ue.security.null:
        return 0, 0
    capability = ue.capability
    return (capability[0] << 9) & 0xFFFF, (capability[1] << 9) & 0xFFFF


def nr_algorithms(ue: Ue) -> NRUESecurityCapabilities | None:
    """NEA1 to 16 and NIA1 to 16 of a phone that also speaks NR, for its secondary node (TS 33.401, E.3.3)."""
    if (capability := ue.nr_capability) is None or not any(algorithms(ue)):
        return None
    return NRUESecurityCapabilities(*(int.from_bytes(capability[i:i + 2]) << 1 & 0xFFFF for i in (0, 2)))


def guard(ue: Ue) -> StartTimer:
    """An eNB that does not answer must not hold a phone for ever."""
    return StartTimer(CONTEXT_SETUP, ue.number, TIMERS[CONTEXT_SETUP].seconds)


@on("S1-MME", InitialContextSetupResponse)
def on_initial_context_setup_response(mme: Mme, msg: InitialContextSetupResponse, rx: Rx) -> Effects:
    """The eNB's ends of the bearers go to the gateway: downlink may flow."""
    ue = mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    yield StopTimer(CONTEXT_SETUP, ue.number)
    ends = {item.e_rab_id: end for item in msg.e_rab_setup_list
            if (end := user_end(item.transport_layer_address, item.gtp_teid)) is not None}
    procedure, ue.returning = ue.returning or "attach", ""
    apns = ", ".join(ue.pdns)
    if ue.emm is EmmState.REGISTERED:
        yield from bearer_status.forget_all_but(ue, ends)
    elif any(pdn.ebi not in ends for pdn in ue.pdns.values()):
        ends.clear()
    if not ue.pdns or not ends:
        yield Verdict(procedure, False, f"the eNB set up no bearer for {apns} that IPv4 can use")
        yield from drop(mme, ue, rx)
        return
    for pdn in ue.pdns.values():
        for bearer in pdn.bearers.values():
            bearer.enb = ends.get(bearer.ebi)
        yield tell_gateway(pdn, ue)
    if procedure != "attach":
        yield Verdict(procedure, True, f"back from idle with {', '.join(ue.pdns)}, in {rx.now - ue.since:.3f} s")
        yield from paging.reached(mme, ue, rx)


@on("S1-MME", InitialContextSetupFailure)
def on_initial_context_setup_failure(mme: Mme, msg: InitialContextSetupFailure, rx: Rx) -> Effects:
    """The eNB cannot serve the phone: it starts again."""
    ue = mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    yield from _failed(mme, ue, rx, f"the eNB refused the initial context setup: {msg.cause}")


def _failed(mme: Mme, ue: Ue, rx: Rx, why: str) -> Effects:
    """An attach is over; a registered phone is idle again (TS 24.301, 5.6.1.7 a), and what it was paged for fails."""
    yield Verdict(ue.returning or "attach", False, why)
    if ue.emm is EmmState.REGISTERED:
        yield from paging.failed(mme, ue, rx)
        yield from to_idle(ue, Cause.of("nas", "unspecified"))
    else:
        yield from drop(mme, ue, rx)


@on.timer(CONTEXT_SETUP, "TS 36.413, 8.3.1")
def on_initial_context_setup_guard(mme: Mme, number: int, rx: Rx) -> Effects:
    """The eNB did not answer at all."""
    ue = mme.ues.get(number)
    if ue is not None:
        rx.subject = ue.label
        yield from _failed(mme, ue, rx, "the eNB did not answer the Initial Context Setup Request")


@on("S11", ModifyBearerResponse)
def on_modify_bearer_response(mme: Mme, msg: ModifyBearerResponse, rx: Rx) -> Effects:
    """A gateway that lost the session (cause 64) leaves the phone without data: it starts again."""
    assert rx.request is not None
    why = "" if msg.cause.accepted else f"the gateway refused the bearer with GTP cause {msg.cause.value}"
    if isinstance(rx.request.context, Relocation):
        yield from answered(mme, rx.request.context, rx, why)
        return
    ue: Ue = rx.request.context
    rx.subject, rx.state = ue.label, ue.emm
    if not msg.cause.accepted:
        yield from _no_downlink(mme, ue, rx, why)


@on.unanswered(ModifyBearerRequest)
def on_no_modify_bearer_response(mme: Mme, event: Unanswered, rx: Rx) -> Effects:
    """The gateway is silent."""
    if isinstance(event.request.context, Relocation):
        yield from answered(mme, event.request.context, rx, "the gateway does not answer")
        return
    ue: Ue = event.request.context
    rx.subject = ue.label
    yield from _no_downlink(mme, ue, rx, "the gateway does not answer")


def _no_downlink(mme: Mme, ue: Ue, rx: Rx, why: str) -> Effects:
    if mme.ues.get(ue.number) is not ue or ue.ending:
        return
    yield Verdict("bearer", False, f"{why}: the phone must attach again")
    if ue.emm is EmmState.REGISTERED and ue.enb is not None:  # it is told so (TS 23.401, 5.3.8.3)
        yield from detach.begin(ue, reattach=True)
    else:
        yield from drop(mme, ue, rx)


@on("S1-MME", UECapabilityInfoIndication)
def on_ue_capability_info_indication(mme: Mme, msg: UECapabilityInfoIndication, rx: Rx) -> Effects:
    """Kept for the next context setup, so that the phone need not send it again over the air."""
    ue = mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    ue.radio_capability = msg.ue_radio_capability
    return ()
