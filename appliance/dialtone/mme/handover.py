# SPDX-License-Identifier: Apache-2.0
"""S1 handover, preparation and execution (TS 36.413, 8.4.1 to 8.4.3; TS 23.401, 5.5.1.2.2; TS 33.401, 7.2.8.4.3).

Handover Required -> Handover Request -> Acknowledge (-> Create Indirect Data Forwarding Tunnel) -> Handover Command
-> Status Transfer -> Handover Notify -> Modify Bearer -> release of the source. The connection at the target has a
context of its own, `arrival`, until the phone is there: then the two exchange their connections.
"""

from functools import partial

from dialtone.codec.s1ap import (
    ENBStatusTransfer,
    ERABDataForwardingItem,
    ERABItem,
    ERABToBeSetupItemHOReq,
    HandoverCommand,
    HandoverFailure,
    HandoverNotify,
    HandoverPreparationFailure,
    HandoverRequest,
    HandoverRequestAcknowledge,
    HandoverRequired,
    HandoverType,
    MMEStatusTransfer,
    SecurityContext,
    TargetENBID,
    UESecurityCapabilities,
)
from dialtone.codec.s1ap.causes import Cause
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Send, StartTimer, StopTimer, Verdict
from dialtone.errors import ProtocolError
from dialtone.mme import bearer_status, forwarding, paging, retransmission
from dialtone.mme.context import UNKNOWN, Enb, Handover, Ue
from dialtone.mme.context_release import drop, end, give_up_handover
from dialtone.mme.context_setup import aggregate, algorithms, e_rab_qos, nr_algorithms
from dialtone.mme.element import Mme, on
from dialtone.mme.relocation import move_bearers, user_end
from dialtone.mme.states import EcmState, EmmState, HandoverState
from dialtone.mme.timers import HANDOVER_EXECUTION, HANDOVER_PREPARATION, IMPLICIT_DETACH, SOURCE_RELEASE, TIMERS

FAILED = Cause.of("radioNetwork", "ho-failure-in-target-EPC-eNB-or-target-system")
BUSY = Cause.of("radioNetwork", "interaction-with-other-procedure")
UNKNOWN_TARGET = Cause.of("radioNetwork", "unknown-targetID")
NOT_ALLOWED = Cause.of("radioNetwork", "ho-target-not-allowed")
CANCELLED = Cause.of("radioNetwork", "handover-cancelled")
SUCCESSFUL = Cause.of("radioNetwork", "successful-handover")
NO_ROOM = Cause.of("radioNetwork", "no-radio-resources-available-in-target-cell")


# ---- preparation -----------------------------------------------------------------------------------------


@on("S1-MME", HandoverRequired)
def on_handover_required(mme: Mme, msg: HandoverRequired, rx: Rx) -> Effects:
    """The source wants the phone handed over: ask the target, with the next {NH, NCC} (8.4.1.2)."""
    ue = mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    target, cause, why = _target(mme, ue, msg)
    if target is None:
        yield _preparation_failure(ue, cause)
        yield Verdict("S1 handover", False, why)
        return
    assert ue.next_hop is not None
    ue.next_hop = ue.next_hop.following()
    arrival = mme.new_ue(target, rx.now)
    arrival.imsi, arrival.stands_for, arrival.enb_ue_s1ap_id = ue.imsi, ue, UNKNOWN
    arrival.secured = arrival.context_sent = True
    arrival.ecm = EcmState.CONNECTED
    arrival.stream = 1 + arrival.number % 15
    ue.handover = Handover(arrival, direct=msg.direct_forwarding_path_availability is not None, since=rx.now)
    ue.abandon, arrival.abandon = _source_gone, _target_gone
    yield from ue.handover.move(ue.label, "HandoverRequired")
    yield Send("S1-MME", target.peer, HandoverRequest(
        mme_ue_s1ap_id=arrival.number,
        handover_type=HandoverType.INTRALTE,
        cause=msg.cause or Cause.of("radioNetwork", "unspecified"),
        ue_aggregate_maximum_bitrate=aggregate(ue),
        e_rab_to_be_setup_list=tuple(
            ERABToBeSetupItemHOReq(bearer.ebi, bearer.sgw[0], bearer.sgw[1], e_rab_qos(bearer))
            for bearer in ue.active_bearers()),
        source_to_target_transparent_container=msg.source_to_target_transparent_container,
        ue_security_capabilities=UESecurityCapabilities(*algorithms(ue)),
        request_type=ue.reporting,
        security_context=SecurityContext(ue.next_hop.ncc, ue.next_hop.nh),
        nr_ue_security_capabilities=nr_algorithms(ue),
    ), stream=arrival.stream)
    yield StartTimer(HANDOVER_PREPARATION, arrival.number, TIMERS[HANDOVER_PREPARATION].seconds)


def _target(mme: Mme, ue: Ue, msg: HandoverRequired) -> tuple[Enb | None, Cause, str]:
    """The target eNB; or the cause to refuse with, and why."""
    busy = (ue.handover or ue.returning or ue.releasing or ue.ending or ue.relocation or not ue.context_sent
            or not ue.active_bearers())
    if ue.emm is not EmmState.REGISTERED or busy or ue.next_hop is None:
        return None, BUSY, "refused: another procedure of the phone is under way"
    target = msg.target_id.target
    if msg.handover_type != HandoverType.INTRALTE or not isinstance(target, TargetENBID):
        return None, UNKNOWN_TARGET, "refused: the target is no LTE eNB, and there is no other radio technology here"
    enb = mme.enb_of(target.global_enb_id)
    if enb is None:
        return None, UNKNOWN_TARGET, f"refused: eNB {target.global_enb_id.enb_id.value:#x} is not connected"
    if enb is ue.enb:
        return None, NOT_ALLOWED, "refused: source and target are the same eNB"
    if target.selected_tai not in mme.tais or target.selected_tai not in enb.tais:
        return None, NOT_ALLOWED, f"refused: {target.selected_tai} is not served by {enb.name} and us"
    return enb, FAILED, ""


def _preparation_failure(ue: Ue, cause: Cause) -> Send:
    assert ue.enb is not None
    return Send("S1-MME", ue.enb.peer, HandoverPreparationFailure(
        mme_ue_s1ap_id=ue.number, enb_ue_s1ap_id=ue.enb_ue_s1ap_id, cause=cause), stream=ue.stream)


def _under_way(arrival: Ue, event: str) -> tuple[Ue, Handover]:
    """The phone and the handover that a message of the target is about; raises ProtocolError where there is none."""
    ue = arrival.stands_for
    if ue is None or ue.handover is None or ue.handover.arrival is not arrival:
        raise ProtocolError(f"{event} without a handover", clause="TS 36.413, 8.4")
    return ue, ue.handover


@on("S1-MME", HandoverRequestAcknowledge)
def on_handover_request_acknowledge(mme: Mme, msg: HandoverRequestAcknowledge, rx: Rx) -> Effects:
    """The target is ready (8.4.2.2): where it wants forwarded data and has no path from the source, we lend ours."""
    arrival = mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, None, rx)
    ue, handover = _under_way(arrival, msg.NAME)
    yield from handover.move(ue.label, msg.NAME)
    yield StopTimer(HANDOVER_PREPARATION, arrival.number)
    arrival.enb_ue_s1ap_id, arrival.stream = msg.enb_ue_s1ap_id, rx.stream
    handover.ends = {item.e_rab_id: end for item in msg.e_rab_admitted_list
                     if (end := user_end(item.transport_layer_address, item.gtp_teid)) is not None}
    handover.container = msg.target_to_source_transparent_container
    if all(pdn.ebi not in handover.ends for pdn in ue.pdns.values()):
        yield from _fail(mme, ue, rx, NO_ROOM, "the target took no default bearer")
        return
    handover.forward = {
        item.e_rab_id: (item.dl_transport_layer_address, item.dl_gtp_teid) for item in msg.e_rab_admitted_list
        if item.e_rab_id in handover.ends and item.dl_transport_layer_address and item.dl_gtp_teid is not None}
    if handover.forward and not handover.direct:
        yield from forwarding.create(ue, handover, partial(_command, ue=ue))
    else:
        yield from _command(mme, rx, ue=ue)


def _command(mme: Mme, rx: Rx, *, ue: Ue) -> Effects:
    """Go (8.4.1.2): what the target did not take is released, the rest is forwarded as agreed."""
    handover = ue.handover
    if handover is None or ue.enb is None or handover.state is not HandoverState.PREPARED:
        return
    yield from handover.move(ue.label, "HandoverCommand")
    yield Send("S1-MME", ue.enb.peer, HandoverCommand(
        mme_ue_s1ap_id=ue.number,
        enb_ue_s1ap_id=ue.enb_ue_s1ap_id,
        handover_type=HandoverType.INTRALTE,
        e_rab_subject_to_data_forwarding_list=tuple(
            ERABDataForwardingItem(ebi, *end) for ebi, end in handover.forward.items()),
        e_rab_to_release_list=tuple(
            ERABItem(bearer.ebi, NO_ROOM) for bearer in ue.active_bearers() if bearer.ebi not in handover.ends),
        target_to_source_transparent_container=handover.container,
    ), stream=ue.stream)
    yield StartTimer(HANDOVER_EXECUTION, handover.arrival.number, TIMERS[HANDOVER_EXECUTION].seconds)


@on("S1-MME", HandoverFailure)
def on_handover_failure(mme: Mme, msg: HandoverFailure, rx: Rx) -> Effects:
    """The target does not take the phone (8.4.2.3), and has no context of it."""
    arrival = mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, None, rx)
    ue, handover = _under_way(arrival, msg.NAME)
    yield from handover.move(ue.label, msg.NAME)
    yield from _forget_arrival(mme, arrival)
    yield from _fail(mme, ue, rx, msg.cause or FAILED, f"the target refuses: {msg.cause}")


@on.timer(HANDOVER_PREPARATION, "TS 36.413, 8.4.2")
def on_handover_preparation_guard(mme: Mme, number: int, rx: Rx) -> Effects:
    """The target does not answer: it is told to forget what it may have prepared."""
    arrival = mme.ues.get(number)
    if arrival is not None and arrival.stands_for is not None:
        ue = arrival.stands_for
        rx.subject, rx.state = ue.label, ue.emm
        yield from _fail(mme, ue, rx, FAILED, "the target eNB does not answer")


def _fail(mme: Mme, ue: Ue, rx: Rx, cause: Cause, why: str) -> Effects:
    """No handover: the phone stays where it is."""
    yield _preparation_failure(ue, cause)
    yield Verdict("S1 handover", False, why)
    yield from stay(mme, ue, rx)


def stay(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    """The phone is where it was: what had to wait for the end of the handover goes on."""
    yield from give_up_handover(mme, ue, rx)
    if ue.ecm is EcmState.CONNECTED and not ue.releasing:
        yield from retransmission.again_if_lost(ue)
        yield from paging.reached(mme, ue, rx)


# ---- execution -------------------------------------------------------------------------------------------


@on("S1-MME", ENBStatusTransfer)
def on_enb_status_transfer(mme: Mme, msg: ENBStatusTransfer, rx: Rx) -> Effects:
    """PDCP counts, from the source to the target (8.4.6, 8.4.7)."""
    ue = mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    handover = ue.handover
    if handover is None:
        raise ProtocolError(f"{msg.NAME} without a handover", clause="TS 36.413, 8.4.6")
    yield from handover.move(ue.label, msg.NAME)
    arrival = handover.arrival
    assert arrival.enb is not None
    yield Send("S1-MME", arrival.enb.peer, MMEStatusTransfer(
        mme_ue_s1ap_id=arrival.number, enb_ue_s1ap_id=arrival.enb_ue_s1ap_id,
        enb_status_transfer_transparent_container=msg.enb_status_transfer_transparent_container),
        stream=arrival.stream)


@on("S1-MME", HandoverNotify)
def on_handover_notify(mme: Mme, msg: HandoverNotify, rx: Rx) -> Effects:
    """The phone is there (8.4.3): its context takes the new connection, and the downlink follows."""
    arrival = mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    ue, handover = _under_way(arrival, msg.NAME)
    yield from handover.move(ue.label, msg.NAME)
    yield StopTimer(HANDOVER_EXECUTION, arrival.number)
    for timer in (IMPLICIT_DETACH, "T3413"):  # they run where the source was lost meanwhile
        yield StopTimer(timer, ue.number)
    before = ue.enb.name if ue.enb else "an eNB that is gone"
    number, waiting = ue.number, retransmission.suspend(ue)
    mme.move_connection(ue, arrival)
    source, ue.handover, ue.abandon = arrival, None, None
    yield from retransmission.resume(ue, number, waiting)
    rx.subject, rx.state = ue.label, ue.emm
    ue.tai, ue.ecgi = msg.tai, msg.eutran_cgi
    source.abandon = partial(forwarding.delete, ue=ue) if handover.tunnels else None
    yield from bearer_status.forget_all_but(ue, handover.ends)
    yield from move_bearers(ue, handover.ends, partial(_arrived, before=before, since=handover.since))
    yield StartTimer(SOURCE_RELEASE, source.number, TIMERS[SOURCE_RELEASE].seconds)


def _arrived(mme: Mme, ue: Ue, rx: Rx, refused: str, *, before: str, since: float) -> Effects:
    if ue.ending or ue.enb is None:
        return
    if refused:
        yield Verdict("S1 handover", False, f"{refused}: the phone must attach again")
        yield from drop(mme, ue, rx)
        return
    yield Verdict("S1 handover", True, f"from {before} to {ue.enb.name}, {len(ue.bearers())} bearers, "
                  f"in {rx.now - since:.3f} s")
    yield from paging.reached(mme, ue, rx)


@on.timer(SOURCE_RELEASE, "TS 23.401, 5.5.1.2.2")
def on_source_release(mme: Mme, number: int, rx: Rx) -> Effects:
    """What the source forwarded has arrived by now: it may forget the phone, and the tunnels go (steps 18 to 21)."""
    source = mme.ues.get(number)
    if source is not None and source.stands_for is not None:
        rx.subject = source.label
        yield from end(mme, source, rx, SUCCESSFUL)


@on.timer(HANDOVER_EXECUTION, "TS 36.413, 8.4.3")
def on_handover_execution_guard(mme: Mme, number: int, rx: Rx) -> Effects:
    """The phone has not arrived: the target forgets it, and the source may still have it."""
    arrival = mme.ues.get(number)
    if arrival is not None and arrival.stands_for is not None:
        ue = arrival.stands_for
        rx.subject, rx.state = ue.label, ue.emm
        yield Verdict("S1 handover", False, "the phone did not arrive at the target")
        yield from stay(mme, ue, rx)


# ---- the ends of one that did not come about -----------------------------------------------------------------


def _source_gone(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    """Given up from the source's side: cancelled, released, failed. The target forgets the phone."""
    handover, ue.handover = ue.handover, None
    if handover is None:
        return
    if handover.state is not HandoverState.NONE:
        yield from handover.move(ue.label, "given up")
    arrival = handover.arrival
    arrival.abandon = None
    for timer in (HANDOVER_PREPARATION, HANDOVER_EXECUTION):
        yield StopTimer(timer, arrival.number)
    if handover.tunnels:
        yield from forwarding.delete(mme, ue, rx, ue=ue)
    if arrival.number in mme.ues:
        yield from end(mme, arrival, rx, CANCELLED)
    rx.subject = ue.label


def _target_gone(mme: Mme, arrival: Ue, rx: Rx) -> Effects:
    """The target is lost, or forgets the phone by itself. Before the command the source is told so."""
    ue, handover = _under_way(arrival, "loss of the target")
    if handover.state is not HandoverState.COMMANDED and ue.enb is not None:
        yield _preparation_failure(ue, FAILED)
    yield Verdict("S1 handover", False, "the target eNB was lost, or gave the phone up")
    yield from stay(mme, ue, rx)


def _forget_arrival(mme: Mme, arrival: Ue) -> Effects:
    """The target has no context: there is nothing to release."""
    yield StopTimer(HANDOVER_PREPARATION, arrival.number)
    mme.disconnect(arrival)
    mme.forget(arrival)
