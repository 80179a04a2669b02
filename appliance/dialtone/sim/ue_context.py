# SPDX-License-Identifier: Apache-2.0
"""UE context management by the eNB (TS 36.413, 8.3 and 8.9).

InitialContextSetupRequest -> (the phone compares K_eNB) -> InitialContextSetupResponse or -Failure,
UECapabilityInfoIndication; UEContextReleaseRequest, UEContextReleaseCommand -> -Complete.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dialtone.codec.s1ap.bearers import ERABItem
from dialtone.codec.s1ap.causes import Cause
from dialtone.codec.s1ap.context import (
    ERABSetupItemCtxtSURes,
    InitialContextSetupFailure,
    InitialContextSetupRequest,
    InitialContextSetupResponse,
    UECapabilityInfoIndication,
    UEContextReleaseCommand,
    UEContextReleaseComplete,
    UEContextReleaseRequest,
)
from dialtone.codec.s1ap.values import UES1APIDPair
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, Event, Tell
from dialtone.sim.air import ContextReady, ContextSetup, RadioLost
from dialtone.sim.enb import Enb, EnbUe, RadioBearer, RadioBearerUp, UnknownAssociation, on
from dialtone.sim.states import RadioState

NO_RESOURCES = Cause.of("radioNetwork", "radio-resources-not-available")
LOST = "radio-connection-with-ue-lost"

EIA1_EIA2 = 0xC000
"""Bits of the integrity algorithms that this eNB has (9.2.1.40)."""

UE_RADIO_CAPABILITY = bytes.fromhex("00880100e8580001083010381df83762000000")
"""UERadioAccessCapabilityInformation (TS 36.331, 10.2.2) of a category 4 phone of Release 9, bands 3 and 7."""


@dataclass(slots=True)
class InactivityCommand(Event):
    """The phone has been quiet for long enough: let it go idle."""

    phone: str


@dataclass(slots=True)
class BearersFailed(Event):
    """The user plane could not take a bearer of the phone."""

    phone: str


# ---- setup -----------------------------------------------------------------------------------------------


@on("S1-MME", InitialContextSetupRequest)
def on_initial_context_setup_request(enb: Enb, msg: InitialContextSetupRequest, rx: Rx) -> Effects:
    """Security and bearers (8.3.1.2): allocate, then ask the phone."""
    ue = enb.associated(msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    integrity = msg.ue_security_capabilities.integrity_protection_algorithms
    if integrity and not integrity & EIA1_EIA2:  # none at all is a phone in need (TS 33.401, 15.2.2)
        cause = "encryption-and-or-integrity-protection-algorithms-not-supported"
        yield _failure(enb, ue, Cause.of("radioNetwork", cause))
        return
    if ue.lost:
        yield _failure(enb, ue, Cause.of("radioNetwork", LOST))
        return
    items = [item for item in msg.e_rab_to_be_setup_list if item.e_rab_id not in enb.refused_bearers]
    if not items:  # a context without any bearer is none (8.3.1.3)
        yield _failure(enb, ue, NO_RESOURCES)
        return
    yield from enb.move_ue(ue, "InitialContextSetupRequest")
    ue.k_enb, ue.capabilities = msg.security_key, msg.ue_security_capabilities
    ue.ambr = msg.ue_aggregate_maximum_bitrate
    ue.radio_capability_known = msg.ue_radio_capability is not None
    ue.failed = tuple(item.e_rab_id for item in msg.e_rab_to_be_setup_list if item not in items)
    for item in items:
        ue.bearers[item.e_rab_id] = RadioBearer(
            item.e_rab_id, item.e_rab_level_qos_parameters.qci, item.transport_layer_address[:4],
            item.gtp_teid, enb.new_teid())
    nas = tuple(item.nas_pdu for item in items if item.nas_pdu is not None)
    yield Tell(ue.phone, ContextSetup(enb.name, msg.security_key, tuple(ue.bearers), nas))


@on.event(ContextReady)
def on_context_ready(enb: Enb, event: ContextReady, rx: Rx) -> Effects:
    """The phone took security and bearers, or its K_eNB is another one (8.3.1.2, 8.3.1.3)."""
    ue = enb.by_phone.get(event.phone)
    if ue is None or ue.state != RadioState.CONTEXT:
        return
    rx.subject = ue.label
    if event.problem:
        enb.counters["context setup failed"] += 1
        yield enb.outcome("context setup", False, event.problem)
        yield _failure(enb, ue, Cause.of("radioNetwork", "failure-in-radio-interface-procedure"))
        ue.bearers.clear()
        return
    enb.counters["context setup"] += 1
    address = enb.config.address.packed
    for bearer in ue.bearers.values():
        yield RadioBearerUp(enb.name, ue.phone, bearer.ebi, address, bearer.uplink, bearer.teid_out,
                            bearer.teid_in, BearersFailed(ue.phone))
    yield from _response(enb, ue, address)


def _response(enb: Enb, ue: EnbUe, address: bytes) -> Iterator[Effect]:
    assert ue.mme_ue_s1ap_id is not None
    done = tuple(ERABSetupItemCtxtSURes(b.ebi, address, b.teid_in) for b in ue.bearers.values())
    yield enb.send(InitialContextSetupResponse(
        mme_ue_s1ap_id=ue.mme_ue_s1ap_id, enb_ue_s1ap_id=ue.enb_ue_s1ap_id, e_rab_setup_list=done,
        e_rab_failed_to_setup_list=tuple(ERABItem(ebi, NO_RESOURCES) for ebi in ue.failed)), ue)
    if not ue.radio_capability_known:
        ue.radio_capability_known = True
        yield enb.send(UECapabilityInfoIndication(
            mme_ue_s1ap_id=ue.mme_ue_s1ap_id, enb_ue_s1ap_id=ue.enb_ue_s1ap_id,
            ue_radio_capability=UE_RADIO_CAPABILITY), ue)


def _failure(enb: Enb, ue: EnbUe, cause: Cause) -> Effect:
    assert ue.mme_ue_s1ap_id is not None
    return enb.send(InitialContextSetupFailure(
        mme_ue_s1ap_id=ue.mme_ue_s1ap_id, enb_ue_s1ap_id=ue.enb_ue_s1ap_id, cause=cause), ue)


@on.event(BearersFailed)
def on_bearers_failed(enb: Enb, event: BearersFailed, rx: Rx) -> Effects:
    """Our own user plane refused: no context."""
    ue = enb.by_phone.get(event.phone)
    if ue is not None:
        rx.subject = ue.label
        yield from enb.drop_bearers(ue)
        yield _failure(enb, ue, Cause.of("transport", "transport-resource-unavailable"))


# ---- release ---------------------------------------------------------------------------------------------


@on.event(InactivityCommand)
def on_inactivity_command(enb: Enb, event: InactivityCommand, rx: Rx) -> Effects:
    """Ask the MME to release a quiet phone (8.3.2)."""
    ue = enb.by_phone.get(event.phone)
    if ue is not None:
        yield from _ask_release(enb, ue, "user-inactivity", rx)


@on.event(RadioLost)
def on_radio_lost(enb: Enb, event: RadioLost, rx: Rx) -> Effects:
    """A phone is gone without a word."""
    ue = enb.by_phone.pop(event.phone, None)
    if ue is None:
        return
    ue.lost = True
    if ue.mme_ue_s1ap_id is None:  # the MME has not answered yet: there is nothing to release by name
        yield from enb.drop(ue, "local release", "radio connection lost")
    else:
        yield from _ask_release(enb, ue, LOST, rx)


def _ask_release(enb: Enb, ue: EnbUe, cause: str, rx: Rx) -> Iterator[Effect]:
    rx.subject = ue.label
    if ue.mme_ue_s1ap_id is None or ue.state == RadioState.RELEASING:
        return
    yield from enb.move_ue(ue, "UEContextReleaseRequest")
    yield enb.send(UEContextReleaseRequest(
        mme_ue_s1ap_id=ue.mme_ue_s1ap_id, enb_ue_s1ap_id=ue.enb_ue_s1ap_id, cause=Cause.of("radioNetwork", cause)), ue)


@on("S1-MME", UEContextReleaseCommand)
def on_ue_context_release_command(enb: Enb, msg: UEContextReleaseCommand, rx: Rx) -> Effects:
    """The MME lets the phone go (8.3.3)."""
    ue = _named(enb, msg, rx)
    mme_ue_s1ap_id = ue.mme_ue_s1ap_id
    assert mme_ue_s1ap_id is not None
    yield from enb.drop(ue, "UEContextReleaseCommand", str(msg.cause or "no cause"))
    yield enb.send(UEContextReleaseComplete(
        mme_ue_s1ap_id=mme_ue_s1ap_id, enb_ue_s1ap_id=ue.enb_ue_s1ap_id), ue)


def _named(enb: Enb, msg: UEContextReleaseCommand, rx: Rx) -> EnbUe:
    """The context of a pair of ids, or of the MME's alone where the eNB's is not known to it."""
    ids = msg.ue_s1ap_ids
    if isinstance(ids, UES1APIDPair):
        return enb.associated(ids.mme_ue_s1ap_id, ids.enb_ue_s1ap_id, rx)
    for ue in enb.ues.values():
        if ue.mme_ue_s1ap_id == ids:
            rx.subject = ue.label
            return ue
    raise UnknownAssociation(f"there is no MME UE S1AP ID {ids}", "unknown-mme-ue-s1ap-id")
