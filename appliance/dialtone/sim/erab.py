# SPDX-License-Identifier: Apache-2.0
"""E-RAB management by the eNB (TS 36.413, 8.2 and 8.3.4): bearers beside those of the context setup.

E-RABSetupRequest, -ModifyRequest, -ReleaseCommand -> Response; E-RABReleaseIndication; UE Context Modification.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dialtone.codec.s1ap.bearers import ERABItem
from dialtone.codec.s1ap.causes import Cause
from dialtone.codec.s1ap.erab import (
    ERABModifyItemBearerModRes,
    ERABModifyRequest,
    ERABModifyResponse,
    ERABReleaseCommand,
    ERABReleaseIndication,
    ERABReleaseItemBearerRelComp,
    ERABReleaseResponse,
    ERABSetupItemBearerSURes,
    ERABSetupRequest,
    ERABSetupResponse,
)
from dialtone.codec.s1ap.modification import UEContextModificationRequest, UEContextModificationResponse
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, Event, Tell
from dialtone.sim.air import BearersDown, KeyChange, NasDown
from dialtone.sim.enb import Enb, EnbUe, RadioBearer, RadioBearerDown, RadioBearerUp, on

NOT_SUPPORTED = Cause.of("radioNetwork", "not-supported-qci-value")
IN_USE = Cause.of("radioNetwork", "multiple-e-rab-id-instances")
UNKNOWN = Cause.of("radioNetwork", "unknown-e-rab-id")
NO_RADIO = Cause.of("radioNetwork", "radio-resources-not-available")


@dataclass(slots=True)
class BearerLostCommand(Event):
    """The radio bearer of a phone is lost; the others stay (8.2.3.2.2)."""

    phone: str
    ebi: int


@dataclass(slots=True)
class BearerFailed(Event):
    """The user plane could not take this bearer of the phone."""

    phone: str
    ebi: int


@on("S1-MME", ERABSetupRequest)
def on_erab_setup_request(enb: Enb, msg: ERABSetupRequest, rx: Rx) -> Effects:
    """Set up what can be; the NAS message of what cannot is not handed on (8.2.1.2, 8.2.1.3)."""
    ue = enb.associated(msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    address = enb.config.address.packed
    failed: list[ERABItem] = []
    done: list[RadioBearer] = []
    for item in msg.e_rab_to_be_setup_list:
        qci = item.e_rab_level_qos_parameters.qci
        if item.e_rab_id in ue.bearers:
            failed.append(ERABItem(item.e_rab_id, IN_USE))
        elif qci in enb.config.refused_qcis or ue.lost:
            failed.append(ERABItem(item.e_rab_id, NOT_SUPPORTED))
        else:
            bearer = ue.bearers[item.e_rab_id] = RadioBearer(
                item.e_rab_id, qci, item.transport_layer_address[:4], item.gtp_teid, enb.new_teid())
            done.append(bearer)
            yield RadioBearerUp(enb.name, ue.phone, bearer.ebi, address, bearer.uplink, bearer.teid_out,
                                bearer.teid_in, BearerFailed(ue.phone, bearer.ebi))
    ue.ambr = msg.ue_aggregate_maximum_bitrate or ue.ambr
    yield enb.send(ERABSetupResponse(
        mme_ue_s1ap_id=msg.mme_ue_s1ap_id, enb_ue_s1ap_id=msg.enb_ue_s1ap_id,
        e_rab_setup_list=tuple(ERABSetupItemBearerSURes(b.ebi, address, b.teid_in) for b in done),
        e_rab_failed_to_setup_list=tuple(failed)), ue)
    for item in msg.e_rab_to_be_setup_list:
        if any(bearer.ebi == item.e_rab_id for bearer in done):
            yield Tell(ue.phone, NasDown(enb.name, item.nas_pdu))


@on("S1-MME", ERABModifyRequest)
def on_erab_modify_request(enb: Enb, msg: ERABModifyRequest, rx: Rx) -> Effects:
    """Another quality for bearers (8.2.2.2)."""
    ue = enb.associated(msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    failed: list[ERABItem] = []
    done: list[int] = []
    for item in msg.e_rab_to_be_modified_list:
        qci = item.e_rab_level_qos_parameters.qci
        if item.e_rab_id not in ue.bearers:
            failed.append(ERABItem(item.e_rab_id, UNKNOWN))
        elif qci in enb.config.refused_qcis:
            failed.append(ERABItem(item.e_rab_id, NOT_SUPPORTED))
        else:
            ue.bearers[item.e_rab_id] = replace(ue.bearers[item.e_rab_id], qci=qci)
            done.append(item.e_rab_id)
    ue.ambr = msg.ue_aggregate_maximum_bitrate or ue.ambr
    yield enb.send(ERABModifyResponse(
        mme_ue_s1ap_id=msg.mme_ue_s1ap_id, enb_ue_s1ap_id=msg.enb_ue_s1ap_id,
        e_rab_modify_list=tuple(ERABModifyItemBearerModRes(ebi) for ebi in done),
        e_rab_failed_to_modify_list=tuple(failed)), ue)
    for item in msg.e_rab_to_be_modified_list:
        if item.e_rab_id in done:
            yield Tell(ue.phone, NasDown(enb.name, item.nas_pdu))


@on("S1-MME", ERABReleaseCommand)
def on_erab_release_command(enb: Enb, msg: ERABReleaseCommand, rx: Rx) -> Effects:
    """The NAS message first, while its bearer is there (8.2.3.2.1)."""
    ue = enb.associated(msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    if msg.nas_pdu is not None:
        yield Tell(ue.phone, NasDown(enb.name, msg.nas_pdu))
    ebis = [item.e_rab_id for item in msg.e_rab_to_be_released_list]
    known = [ebi for ebi in ebis if ebi in ue.bearers]
    yield from _drop(enb, ue, known)
    ue.ambr = msg.ue_aggregate_maximum_bitrate or ue.ambr
    yield enb.send(ERABReleaseResponse(
        mme_ue_s1ap_id=msg.mme_ue_s1ap_id, enb_ue_s1ap_id=msg.enb_ue_s1ap_id,
        e_rab_release_list=tuple(ERABReleaseItemBearerRelComp(ebi) for ebi in known),
        e_rab_failed_to_release_list=tuple(ERABItem(ebi, UNKNOWN) for ebi in ebis if ebi not in known)), ue)


def _drop(enb: Enb, ue: EnbUe, ebis: list[int]) -> Iterator[Effect]:
    for ebi in ebis:
        bearer = ue.bearers.pop(ebi)
        yield RadioBearerDown(enb.name, ue.phone, ebi, bearer.teid_in)
    if ebis:
        yield Tell(ue.phone, BearersDown(enb.name, tuple(ebis)))


@on.event(BearerLostCommand)
def on_bearer_lost_command(enb: Enb, event: BearerLostCommand, rx: Rx) -> Effects:
    """Tell the MME of a radio bearer that is no more (8.2.3.2.2)."""
    return _lost(enb, event.phone, event.ebi, rx, NO_RADIO)


@on.event(BearerFailed)
def on_bearer_failed(enb: Enb, event: BearerFailed, rx: Rx) -> Effects:
    """Our own user plane refused: the bearer is lost as soon as it was made."""
    return _lost(enb, event.phone, event.ebi, rx, Cause.of("transport", "transport-resource-unavailable"))


def _lost(enb: Enb, phone: str, ebi: int, rx: Rx, cause: Cause) -> Effects:
    ue = enb.by_phone.get(phone)
    if ue is None or ebi not in ue.bearers or ue.mme_ue_s1ap_id is None:
        return
    rx.subject = ue.label
    yield from _drop(enb, ue, [ebi])
    yield enb.send(ERABReleaseIndication(
        mme_ue_s1ap_id=ue.mme_ue_s1ap_id, enb_ue_s1ap_id=ue.enb_ue_s1ap_id,
        e_rab_released_list=(ERABItem(ebi, cause),)), ue)


@on("S1-MME", UEContextModificationRequest)
def on_ue_context_modification_request(enb: Enb, msg: UEContextModificationRequest, rx: Rx) -> Effects:
    """Another AMBR, other keys (8.3.4.2)."""
    ue = enb.associated(msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    if msg.security_key is not None:
        ue.k_enb, ue.ncc, ue.fresh = msg.security_key, 0, None
        ue.capabilities = msg.ue_security_capabilities or ue.capabilities
        yield Tell(ue.phone, KeyChange(enb.name, msg.security_key))
    ue.ambr = msg.ue_aggregate_maximum_bitrate or ue.ambr
    yield enb.send(UEContextModificationResponse(
        mme_ue_s1ap_id=msg.mme_ue_s1ap_id, enb_ue_s1ap_id=msg.enb_ue_s1ap_id), ue)
