# SPDX-License-Identifier: Apache-2.0
"""Path switch after an X2 handover (TS 36.413, 8.4.4; TS 23.401, 5.5.1.1.2; TS 33.401, 7.2.8.4.2).

The phone is at another eNB already. Path Switch Request -> Modify Bearer -> Path Switch Request Acknowledge with the
next {NH, NCC}. What the new eNB did not take is released; without any default bearer the phone is lost.
"""

from functools import partial

from dialtone.codec.s1ap import (
    ERABItem,
    PathSwitchRequest,
    PathSwitchRequestAcknowledge,
    PathSwitchRequestFailure,
    SecurityContext,
    UESecurityCapabilities,
)
from dialtone.codec.s1ap.causes import Cause
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Send, Verdict
from dialtone.mme import bearer_status, paging
from dialtone.mme.context import Ue
from dialtone.mme.context_release import drop, give_up_handover
from dialtone.mme.context_setup import aggregate, algorithms
from dialtone.mme.element import Mme, on
from dialtone.mme.relocation import move_bearers, user_end
from dialtone.mme.states import EmmState

FAILED = Cause.of("radioNetwork", "ho-failure-in-target-EPC-eNB-or-target-system")
UNKNOWN_BEARER = Cause.of("radioNetwork", "unknown-E-RAB-ID")


@on("S1-MME", PathSwitchRequest)
def on_path_switch_request(mme: Mme, msg: PathSwitchRequest, rx: Rx) -> Effects:
    """Check, move the connection to the new eNB, and the downlink after it."""
    ue = mme.ues.get(msg.source_mme_ue_s1ap_id)
    cause = _objection(ue, msg)
    if cause is not None or ue is None:
        yield _refusal(msg, rx, cause or FAILED)
        yield Verdict("X2 handover", False, f"{mme.enbs[rx.peer].name} asks for a path switch that cannot be: {cause}")
        return
    rx.subject, rx.state = ue.label, ue.emm
    ends = {item.e_rab_id: end for item in msg.e_rab_to_be_switched_dl_list
            if (end := user_end(item.transport_layer_address, item.gtp_teid)) is not None}
    if all(pdn.ebi not in ends for pdn in ue.pdns.values()):
        yield _refusal(msg, rx, FAILED)
        yield Verdict("X2 handover", False, "the new eNB took no default bearer: the phone attaches again")
        yield from drop(mme, ue, rx)
        return
    yield from give_up_handover(mme, ue, rx)
    before = ue.enb.name if ue.enb else ""
    mme.hand_over(ue, mme.enbs[rx.peer], msg.enb_ue_s1ap_id, rx.stream)
    ue.tai, ue.ecgi = msg.tai or ue.tai, msg.eutran_cgi or ue.ecgi
    known = {bearer.ebi for bearer in ue.bearers()}
    yield from bearer_status.forget_all_but(ue, ends)
    if (ours := UESecurityCapabilities(*algorithms(ue))) != msg.ue_security_capabilities:
        yield Verdict("X2 handover", False, f"the eNBs have other security capabilities of the phone than it sent: "
                      f"{msg.ue_security_capabilities}, not {ours}. Did somebody bid it down on X2?")
    strangers = tuple(ERABItem(ebi, UNKNOWN_BEARER) for ebi in ends if ebi not in known)
    yield from move_bearers(ue, ends, partial(_switched, before=before, released=strangers))


def _objection(ue: Ue | None, msg: PathSwitchRequest) -> Cause | None:
    """Why there is nothing to switch."""
    if ue is None or ue.stands_for is not None:
        return Cause.of("radioNetwork", "unknown-mme-ue-s1ap-id")
    if ue.emm is not EmmState.REGISTERED or not ue.context_sent or ue.ending or ue.releasing or ue.returning:
        return Cause.of("radioNetwork", "interaction-with-other-procedure")
    named = [item.e_rab_id for item in msg.e_rab_to_be_switched_dl_list]
    if len(set(named)) < len(named):
        return Cause.of("radioNetwork", "multiple-E-RAB-ID-instances")
    return None


def _refusal(msg: PathSwitchRequest, rx: Rx, cause: Cause) -> Send:
    return Send("S1-MME", rx.peer, PathSwitchRequestFailure(
        mme_ue_s1ap_id=msg.source_mme_ue_s1ap_id, enb_ue_s1ap_id=msg.enb_ue_s1ap_id, cause=cause), stream=rx.stream)


def _switched(mme: Mme, ue: Ue, rx: Rx, refused: str, *, before: str, released: tuple[ERABItem, ...]) -> Effects:
    """The gateways have answered: tell the eNB, with a fresh NH for the next handover."""
    if ue.enb is None or ue.next_hop is None or ue.ending:
        return
    if refused:
        yield Send("S1-MME", ue.enb.peer, PathSwitchRequestFailure(
            mme_ue_s1ap_id=ue.number, enb_ue_s1ap_id=ue.enb_ue_s1ap_id, cause=FAILED), stream=ue.stream)
        yield Verdict("X2 handover", False, f"{refused}: the phone must attach again")
        yield from drop(mme, ue, rx)
        return
    ue.next_hop = ue.next_hop.following()
    yield Send("S1-MME", ue.enb.peer, PathSwitchRequestAcknowledge(
        mme_ue_s1ap_id=ue.number,
        enb_ue_s1ap_id=ue.enb_ue_s1ap_id,
        ue_aggregate_maximum_bitrate=aggregate(ue),
        e_rab_to_be_released_list=released,
        security_context=SecurityContext(ue.next_hop.ncc, ue.next_hop.nh),
        ue_security_capabilities=UESecurityCapabilities(*algorithms(ue)),
    ), stream=ue.stream)
    yield Verdict("X2 handover", True, f"from {before} to {ue.enb.name}, {len(ue.bearers())} bearers")
    yield from paging.reached(mme, ue, rx)
