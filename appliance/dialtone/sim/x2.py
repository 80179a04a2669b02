# SPDX-License-Identifier: Apache-2.0
"""X2 handover between simulated eNBs (TS 36.423, 8.2), and the path switch after it (TS 36.413, 8.4.4).

X2 itself is events inside the process; keys, tunnels and forwarded data are as on a wire.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dialtone.codec.s1ap.location import RequestType
from dialtone.codec.s1ap.modification import (
    ERABToBeSwitchedDLItem,
    PathSwitchRequest,
    PathSwitchRequestAcknowledge,
    PathSwitchRequestFailure,
)
from dialtone.codec.s1ap.values import UESecurityCapabilities
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, Tell
from dialtone.sim import location, moving
from dialtone.sim.enb import Enb, EnbUe, RadioBearer, RadioBearerDown, on

if TYPE_CHECKING:
    from dialtone.sim.moving import HandOver


@dataclass(slots=True)
class X2HandoverRequest(Event):
    """Take this phone (TS 36.423, 9.1.1.1). `number` is its id at the source, `bearers` are those it has there."""

    source: str
    number: int
    mme_ue_s1ap_id: int
    k_enb_star: bytes = field(repr=False)
    ncc: int
    capabilities: UESecurityCapabilities
    bearers: tuple[RadioBearer, ...]
    forward: bool
    reporting: RequestType | None


@dataclass(slots=True)
class X2HandoverAcknowledge(Event):
    """The target is ready (9.1.1.2): the order for the phone, and where data is to be forwarded."""

    number: int
    order: bytes
    tunnels: dict[int, tuple[bytes, int]]


@dataclass(slots=True)
class X2HandoverPreparationFailure(Event):
    """The target has no room (9.1.1.3)."""

    number: int
    why: str


@dataclass(slots=True)
class X2ContextRelease(Event):
    """The phone is well at the target: forget it (9.1.1.5)."""

    number: int


# ---- source ----------------------------------------------------------------------------------------------


def begin(enb: Enb, ue: EnbUe, event: "HandOver") -> Effects:
    """Ask the target, with the key that it is to use."""
    assert ue.mme_ue_s1ap_id is not None
    key, ncc = moving.key_for(ue, event.target.config)
    yield Tell(event.target.element, X2HandoverRequest(
        enb.name, ue.enb_ue_s1ap_id, ue.mme_ue_s1ap_id, key, ncc, ue.capabilities, tuple(ue.bearers.values()),
        event.forward, ue.reporting))


@on.event(X2HandoverAcknowledge)
def on_x2_handover_acknowledge(enb: Enb, event: X2HandoverAcknowledge, rx: Rx) -> Effects:
    """Send the phone away."""
    ue = enb.ues.get(event.number)
    if ue is not None and ue.leaving is not None:
        rx.subject = ue.label
        yield from moving.send_away(enb, ue, event.order, event.tunnels)


@on.event(X2HandoverPreparationFailure)
def on_x2_handover_preparation_failure(enb: Enb, event: X2HandoverPreparationFailure, rx: Rx) -> Effects:
    """The phone stays."""
    ue = enb.ues.get(event.number)
    if ue is not None:
        rx.subject = ue.label
        yield from moving.stay(ue)
        yield enb.outcome("handover", False, event.why)


@on.event(X2ContextRelease)
def on_x2_context_release(enb: Enb, event: X2ContextRelease, rx: Rx) -> Effects:
    """Forget the phone; the MME knows already."""
    ue = enb.ues.get(event.number)
    if ue is not None:
        rx.subject = ue.label
        yield from enb.drop(ue, "local release", "handed over")


# ---- target ----------------------------------------------------------------------------------------------


@on.event(X2HandoverRequest)
def on_x2_handover_request(enb: Enb, event: X2HandoverRequest, rx: Rx) -> Effects:
    """Room for the phone, and the order for it."""
    bearers = [bearer for bearer in event.bearers if bearer.ebi not in enb.refused_bearers]
    if enb.full or not bearers:
        yield Tell(event.source, X2HandoverPreparationFailure(event.number, f"{enb.config.enb_name} has no room"))
        return
    ue = moving.expect(enb, event.k_enb_star, event.ncc)
    ue.source, ue.source_number, ue.mme_ue_s1ap_id = event.source, event.number, event.mme_ue_s1ap_id
    ue.capabilities, ue.reporting, ue.radio_capability_known = event.capabilities, event.reporting, True
    yield from enb.move_ue(ue, "HandoverRequest")
    for bearer in bearers:
        yield from moving.admit(enb, ue, bearer.ebi, bearer.qci, bearer.uplink, bearer.teid_out, forward=event.forward)
    address = enb.config.address.packed
    yield Tell(event.source, X2HandoverAcknowledge(event.number, moving.order_for(enb, ue), {
        bearer.ebi: (address, bearer.forward_in) for bearer in ue.bearers.values() if bearer.forward_in}))


def arrived(enb: Enb, ue: EnbUe) -> Effects:
    """Tell the MME, under the id that the source has from it (8.4.4.2)."""
    assert ue.mme_ue_s1ap_id is not None
    address = enb.config.address.packed
    yield enb.send(PathSwitchRequest(
        enb_ue_s1ap_id=ue.enb_ue_s1ap_id,
        e_rab_to_be_switched_dl_list=tuple(
            ERABToBeSwitchedDLItem(bearer.ebi, address, bearer.teid_in) for bearer in ue.bearers.values()),
        source_mme_ue_s1ap_id=ue.mme_ue_s1ap_id,
        eutran_cgi=enb.config.ecgi,
        tai=enb.config.tai,
        ue_security_capabilities=ue.capabilities,
    ), ue)


@on("S1-MME", PathSwitchRequestAcknowledge)
def on_path_switch_request_acknowledge(enb: Enb, msg: PathSwitchRequestAcknowledge, rx: Rx) -> Effects:
    """The path is here; NH is for the next handover, and the source may forget the phone."""
    if (ue := enb.ues.get(msg.enb_ue_s1ap_id)) is not None:
        ue.mme_ue_s1ap_id = msg.mme_ue_s1ap_id
    ue = enb.associated(msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    context = msg.security_context
    ue.fresh = (context.next_hop_chaining_count, context.next_hop_parameter)
    ue.capabilities = msg.ue_security_capabilities or ue.capabilities
    for item in msg.e_rab_to_be_released_list:
        if (bearer := ue.bearers.pop(item.e_rab_id, None)) is not None:
            yield RadioBearerDown(enb.name, ue.phone, bearer.ebi, bearer.teid_in)
    if ue.source:
        yield Tell(ue.source, X2ContextRelease(ue.source_number))
    yield enb.outcome("handover", True, f"the phone is at {enb.config.enb_name}, by X2")
    if ue.reporting is not None:
        yield location.report(enb, ue, ue.reporting)


@on("S1-MME", PathSwitchRequestFailure)
def on_path_switch_request_failure(enb: Enb, msg: PathSwitchRequestFailure, rx: Rx) -> Effects:
    """The core does not follow: the phone is let go, here and at the source (8.4.4.3)."""
    ue = enb.ues.get(msg.enb_ue_s1ap_id)
    if ue is None:
        return
    rx.subject = ue.label
    if ue.source:
        yield Tell(ue.source, X2ContextRelease(ue.source_number))
    yield enb.outcome("handover", False, f"the MME refuses the path switch: {msg.cause}")
    yield from enb.drop(ue, "local release", f"path switch refused: {msg.cause}")
