# SPDX-License-Identifier: Apache-2.0
"""E-RAB management (TS 36.413, 8.2): bearers set up, changed and released at the eNB of a connected phone."""

from collections.abc import Iterable, Iterator

from dialtone.codec.s1ap import (
    ERABModifyRequest,
    ERABModifyResponse,
    ERABReleaseCommand,
    ERABReleaseResponse,
    ERABSetupRequest,
    ERABSetupResponse,
)
from dialtone.codec.s1ap.bearers import ERABItem
from dialtone.codec.s1ap.causes import Cause
from dialtone.codec.s1ap.erab import ERABToBeModifiedItemBearerModReq, ERABToBeSetupItemBearerSUReq
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, Send
from dialtone.mme import esm_procedure
from dialtone.mme.context import Bearer, Ue
from dialtone.mme.context_setup import aggregate, e_rab_qos
from dialtone.mme.element import Mme, on
from dialtone.mme.relocation import user_end

NORMAL = Cause.of("nas", "normal-release")


def setup_request(ue: Ue, bearers: Iterable[Bearer]) -> ERABSetupRequest:
    """One request for all of them; the NAS link puts a message into each."""
    return ERABSetupRequest(
        mme_ue_s1ap_id=ue.number,
        enb_ue_s1ap_id=ue.enb_ue_s1ap_id,
        ue_aggregate_maximum_bitrate=aggregate(ue),
        e_rab_to_be_setup_list=tuple(
            ERABToBeSetupItemBearerSUReq(bearer.ebi, e_rab_qos(bearer), *bearer.sgw, nas_pdu=b"")
            for bearer in bearers),
    )


def modify_request(ue: Ue, bearers: Iterable[Bearer]) -> ERABModifyRequest:
    """Likewise, for another quality of service."""
    return ERABModifyRequest(
        mme_ue_s1ap_id=ue.number,
        enb_ue_s1ap_id=ue.enb_ue_s1ap_id,
        ue_aggregate_maximum_bitrate=aggregate(ue),
        e_rab_to_be_modified_list=tuple(
            ERABToBeModifiedItemBearerModReq(bearer.ebi, e_rab_qos(bearer), nas_pdu=b"") for bearer in bearers),
    )


def release_command(ue: Ue, bearers: Iterable[Bearer], cause: Cause = NORMAL) -> ERABReleaseCommand:
    """Has room for one NAS message (8.2.3.2): that of the first bearer, with a default bearer all of its PDN go."""
    return ERABReleaseCommand(
        mme_ue_s1ap_id=ue.number,
        enb_ue_s1ap_id=ue.enb_ue_s1ap_id,
        ue_aggregate_maximum_bitrate=aggregate(ue),
        e_rab_to_be_released_list=tuple(ERABItem(bearer.ebi, cause) for bearer in bearers),
    )


def release(ue: Ue, *bearers: Bearer) -> Iterator[Effect]:
    """Take radio bearers away without a word to the phone on NAS; its RRC tells it (TS 24.301, 6.4.4.1)."""
    if ue.enb is not None:
        yield Send("S1-MME", ue.enb.peer, release_command(ue, bearers), stream=ue.stream)


@on("S1-MME", ERABSetupResponse)
def on_erab_setup_response(mme: Mme, msg: ERABSetupResponse, rx: Rx) -> Effects:
    """The eNB's ends of the bearers; what is in neither list counts as failed when its guard expires."""
    ue = mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    for item in msg.e_rab_setup_list:
        if (bearer := ue.bearer(item.e_rab_id)) is None or bearer.step is None:
            continue
        bearer.enb = user_end(item.transport_layer_address, item.gtp_teid)
        if bearer.enb is None:
            yield from release(ue, bearer)
            yield from esm_procedure.radio_failed(mme, ue, rx, bearer, None)
        else:
            yield from esm_procedure.radio_done(mme, ue, rx, bearer)
    yield from _failed(mme, ue, rx, msg.e_rab_failed_to_setup_list)


@on("S1-MME", ERABModifyResponse)
def on_erab_modify_response(mme: Mme, msg: ERABModifyResponse, rx: Rx) -> Effects:
    """The radio bearers have their new quality, or keep the old one."""
    ue = mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    for item in msg.e_rab_modify_list:
        if (bearer := ue.bearer(item.e_rab_id)) is not None:
            yield from esm_procedure.radio_done(mme, ue, rx, bearer)
    yield from _failed(mme, ue, rx, msg.e_rab_failed_to_modify_list)


def _failed(mme: Mme, ue: Ue, rx: Rx, items: tuple[ERABItem, ...]) -> Effects:
    for item in items:
        if (bearer := ue.bearer(item.e_rab_id)) is not None:
            yield from esm_procedure.radio_failed(mme, ue, rx, bearer, item.cause)


@on("S1-MME", ERABReleaseResponse)
def on_erab_release_response(mme: Mme, msg: ERABReleaseResponse, rx: Rx) -> Effects:
    """Gone. What the eNB failed to release it did not have."""
    ue = mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    gone = [item.e_rab_id for item in msg.e_rab_release_list]
    for ebi in (*gone, *(item.e_rab_id for item in msg.e_rab_failed_to_release_list)):
        if (bearer := ue.bearer(ebi)) is not None and bearer.step is not None and bearer.step.timer == "T3495":
            yield from esm_procedure.radio_done(mme, ue, rx, bearer)
