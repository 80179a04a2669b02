# SPDX-License-Identifier: Apache-2.0
"""S1 handover at source and target eNB (TS 36.413, 8.4.1 to 8.4.7).

HandoverRequired -> HandoverCommand -> eNBStatusTransfer at the source; HandoverRequest -> HandoverRequestAcknowledge
-> MMEStatusTransfer, HandoverNotify at the target.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialtone.codec.s1ap.bearers import ERABItem
from dialtone.codec.s1ap.causes import Cause
from dialtone.codec.s1ap.container import (
    BearerStatus,
    CellSize,
    CellType,
    CountValue,
    ERABInformationItem,
    LastVisitedEUTRANCell,
    SourceToTarget,
    StatusTransfer,
    TargetToSource,
    VisitedCell,
    decode_container,
    encode_container,
)
from dialtone.codec.s1ap.handover import (
    ENBStatusTransfer,
    ERABAdmittedItem,
    HandoverCancel,
    HandoverCancelAcknowledge,
    HandoverCommand,
    HandoverFailure,
    HandoverNotify,
    HandoverPreparationFailure,
    HandoverRequest,
    HandoverRequestAcknowledge,
    HandoverRequired,
    HandoverType,
    MMEStatusTransfer,
)
from dialtone.codec.s1ap.target import TargetENBID, TargetID
from dialtone.codec.s1ap.values import ENBID, GlobalENBID
from dialtone.crypto.kdf import derive_kenb_star
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event
from dialtone.sim import location, moving, rrc
from dialtone.sim.enb import EARFCN, Enb, EnbUe, RadioBearerDown, on
from dialtone.sim.ue_context import EIA1_EIA2, NO_RESOURCES

if TYPE_CHECKING:
    from dialtone.sim.moving import HandOver

DESIRABLE = Cause.of("radioNetwork", "handover-desirable-for-radio-reason")
CANCELLED = Cause.of("radioNetwork", "handover-cancelled")
FULL = Cause.of("radioNetwork", "no-radio-resources-available-in-target-cell")
NO_ALGORITHM = Cause.of("radioNetwork", "encryption-and-or-integrity-protection-algorithms-not-supported")


@dataclass(slots=True)
class CancelHandover(Event):
    """The phone stays after all."""

    phone: str


# ---- source ----------------------------------------------------------------------------------------------


def begin(enb: Enb, ue: EnbUe, event: "HandOver") -> Effects:
    """Ask the MME (8.4.1.2)."""
    assert ue.mme_ue_s1ap_id is not None
    target = event.target.config
    proposal = 0 if event.forward else None
    container = SourceToTarget(
        rrc_container=rrc.PREPARATION,
        e_rab_information_list=tuple(ERABInformationItem(ebi, proposal) for ebi in ue.bearers),
        target_cell_id=target.ecgi,
        ue_history_information=(VisitedCell("e-UTRAN-Cell", LastVisitedEUTRANCell(
            enb.config.ecgi, CellType(CellSize.SMALL), 0)),),
    )
    yield enb.send(HandoverRequired(
        mme_ue_s1ap_id=ue.mme_ue_s1ap_id,
        enb_ue_s1ap_id=ue.enb_ue_s1ap_id,
        handover_type=HandoverType.INTRALTE,
        cause=DESIRABLE,
        target_id=TargetID("targeteNB-ID", TargetENBID(
            GlobalENBID(target.plmn, ENBID("macroENB-ID", target.enb_id)), target.tai)),
        direct_forwarding_path_availability=0 if event.direct else None,
        source_to_target_transparent_container=encode_container(container),
    ), ue)


@on("S1-MME", HandoverCommand)
def on_handover_command(enb: Enb, msg: HandoverCommand, rx: Rx) -> Effects:
    """Send the phone away, tell the target our counts, forward what comes (8.4.1.2, 8.4.6)."""
    ue = enb.associated(msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    if ue.leaving is None:
        return
    order = decode_container(TargetToSource, msg.target_to_source_transparent_container).rrc_container
    for item in msg.e_rab_to_release_list:
        if (bearer := ue.bearers.pop(item.e_rab_id, None)) is not None:
            yield RadioBearerDown(enb.name, ue.phone, bearer.ebi, bearer.teid_in)
    tunnels = {item.e_rab_id: (item.dl_transport_layer_address[:4], item.dl_gtp_teid)
               for item in msg.e_rab_subject_to_data_forwarding_list
               if item.dl_transport_layer_address and item.dl_gtp_teid is not None}
    yield from moving.send_away(enb, ue, order, tunnels)
    if not ue.bearers:  # its context was not complete yet: there is no status to tell
        return
    nothing = CountValue(0, 0)  # there is no PDCP here, so nothing was counted
    yield enb.send(ENBStatusTransfer(
        mme_ue_s1ap_id=msg.mme_ue_s1ap_id, enb_ue_s1ap_id=msg.enb_ue_s1ap_id,
        enb_status_transfer_transparent_container=encode_container(StatusTransfer(tuple(
            BearerStatus(ebi, nothing, nothing) for ebi in ue.bearers)))), ue)


@on("S1-MME", HandoverPreparationFailure)
def on_handover_preparation_failure(enb: Enb, msg: HandoverPreparationFailure, rx: Rx) -> Effects:
    """The phone stays."""
    ue = enb.associated(msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    yield from moving.stay(ue)
    yield enb.outcome("handover", False, f"the MME refuses: {msg.cause}")


@on.event(CancelHandover)
def on_cancel_handover(enb: Enb, event: CancelHandover, rx: Rx) -> Effects:
    """Tell the MME (8.4.5)."""
    ue = enb.by_phone.get(event.phone)
    if ue is not None and ue.leaving is not None:
        rx.subject = ue.label
        yield from moving.stay(ue)
        assert ue.mme_ue_s1ap_id is not None
        yield enb.send(HandoverCancel(
            mme_ue_s1ap_id=ue.mme_ue_s1ap_id, enb_ue_s1ap_id=ue.enb_ue_s1ap_id, cause=CANCELLED), ue)


@on("S1-MME", HandoverCancelAcknowledge)
def on_handover_cancel_acknowledge(enb: Enb, msg: HandoverCancelAcknowledge, rx: Rx) -> Effects:
    """The target knows."""
    enb.associated(msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    yield enb.outcome("handover", False, "cancelled")


# ---- target ----------------------------------------------------------------------------------------------


@on("S1-MME", HandoverRequest)
def on_handover_request(enb: Enb, msg: HandoverRequest, rx: Rx) -> Effects:
    """Room for the phone, and the order for it (8.4.2.2); the key of this cell comes from NH."""
    items = [item for item in msg.e_rab_to_be_setup_list if item.e_rab_id not in enb.refused_bearers]
    refusal = None
    if not msg.ue_security_capabilities.integrity_protection_algorithms & EIA1_EIA2:
        refusal = NO_ALGORITHM
    elif enb.full or not items:
        refusal = FULL
    if refusal is not None:
        yield enb.send(HandoverFailure(mme_ue_s1ap_id=msg.mme_ue_s1ap_id, cause=refusal))
        return
    container = decode_container(SourceToTarget, msg.source_to_target_transparent_container)
    wanted = {item.e_rab_id for item in container.e_rab_information_list if item.dl_forwarding is not None}
    context = msg.security_context
    key = derive_kenb_star(context.next_hop_parameter, enb.config.pci, EARFCN)
    ue = moving.expect(enb, key, context.next_hop_chaining_count)
    ue.mme_ue_s1ap_id, ue.reporting, ue.capabilities = (
        msg.mme_ue_s1ap_id, msg.request_type, msg.ue_security_capabilities)
    ue.radio_capability_known = True  # it is in the source's container
    yield from enb.move_ue(ue, "HandoverRequest")
    for item in items:
        yield from moving.admit(enb, ue, item.e_rab_id, item.e_rab_level_qos_parameters.qci,
                                item.transport_layer_address[:4], item.gtp_teid, forward=item.e_rab_id in wanted)
    address = enb.config.address.packed
    yield enb.send(HandoverRequestAcknowledge(
        mme_ue_s1ap_id=msg.mme_ue_s1ap_id,
        enb_ue_s1ap_id=ue.enb_ue_s1ap_id,
        e_rab_admitted_list=tuple(
            ERABAdmittedItem(bearer.ebi, address, bearer.teid_in, address if bearer.forward_in else None,
                             bearer.forward_in) for bearer in ue.bearers.values()),
        e_rab_failed_to_setup_list=tuple(
            ERABItem(item.e_rab_id, NO_RESOURCES) for item in msg.e_rab_to_be_setup_list if item not in items),
        target_to_source_transparent_container=encode_container(TargetToSource(moving.order_for(enb, ue))),
    ), ue)


@on("S1-MME", MMEStatusTransfer)
def on_mme_status_transfer(enb: Enb, msg: MMEStatusTransfer, rx: Rx) -> Effects:
    """The counts of the source (8.4.7)."""
    ue = enb.associated(msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    status = decode_container(StatusTransfer, msg.enb_status_transfer_transparent_container)
    enb.counters["status transfer"] += len([one for one in status.bearers if one.e_rab_id in ue.bearers])
    return ()


def arrived(enb: Enb, ue: EnbUe) -> Effects:
    """Tell the MME (8.4.3.2)."""
    assert ue.mme_ue_s1ap_id is not None
    yield enb.send(HandoverNotify(
        mme_ue_s1ap_id=ue.mme_ue_s1ap_id, enb_ue_s1ap_id=ue.enb_ue_s1ap_id, eutran_cgi=enb.config.ecgi,
        tai=enb.config.tai), ue)
    if ue.reporting is not None:
        yield location.report(enb, ue, ue.reporting)
    yield enb.outcome("handover", True, f"the phone is at {enb.config.enb_name}, by S1")
