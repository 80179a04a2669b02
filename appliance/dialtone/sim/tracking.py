# SPDX-License-Identifier: Apache-2.0
"""Tracking area update and GUTI reallocation in the phone (TS 24.301, 5.5.3 and 5.4.1).

Tracking area update request -> accept -> complete, where the accept brings a new GUTI; or reject. T3430 guards the
update, T3412 asks for the next one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dialtone.codec import nas
from dialtone.codec.nas.capabilities import EPSBearerContextStatus
from dialtone.codec.nas.values import ACTIVE, EpsUpdateType
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, Event
from dialtone.ids import Guti
from dialtone.sim import attach, combined, esm, service
from dialtone.sim.phone import Phone, on
from dialtone.sim.states import EmmState, EpsUpdateStatus
from dialtone.sim.timers import TIMERS

UPDATE = "tracking area update"


@dataclass(slots=True)
class AreaUpdateCommand(Event):
    """Update the registration. `active`: and ask for the bearers. `periodic`: as if T3412 had expired."""

    active: bool = False
    periodic: bool = False


@on.event(AreaUpdateCommand)
def on_update_command(phone: Phone, event: AreaUpdateCommand, rx: Rx) -> Effects:
    """A person wants it."""
    phone.mark(rx)
    if phone.emm != EmmState.REGISTERED or phone.deaf:
        yield phone.outcome(UPDATE, False, f"not tried: the phone is {phone.emm}")
        return
    yield from begin(phone, active=event.active, periodic=event.periodic)


def begin(phone: Phone, *, active: bool = False, periodic: bool = False) -> Iterator[Effect]:
    """Send the request (5.5.3.2.2, 5.5.3.3.2)."""
    yield from phone.move("Tracking area update request")
    yield from phone.stop("T3411", "T3412")
    yield phone.start("T3430")
    phone.counters["tracking area update"] += 1
    yield phone.send(request(phone, active=active, periodic=periodic))


def request(phone: Phone, *, active: bool = False, periodic: bool = False) -> nas.TrackingAreaUpdateRequest:
    """The request, with the bearers that the phone has."""
    kind, additional = EpsUpdateType.TA_UPDATING, None
    if periodic:
        kind = EpsUpdateType.PERIODIC
    elif phone.handset.combined:
        kind = EpsUpdateType.COMBINED if phone.sms else EpsUpdateType.COMBINED_WITH_IMSI_ATTACH
        additional = combined.additional_update_type(phone)
    assert phone.guti is not None
    assert phone.nas.current is not None
    return nas.TrackingAreaUpdateRequest(
        eps_update_type=kind | (ACTIVE if active else 0),
        nas_key_set_identifier=phone.nas.current.ksi,
        old_guti=phone.guti if not phone.faults.unknown_guti else Guti(phone.cell.tai.plmn, *attach.UNKNOWN_GUTI),
        last_visited_registered_tai=phone.tais[0] if phone.tais else None,
        eps_bearer_context_status=EPSBearerContextStatus.of(phone.bearers),
        additional_update_type=additional,
    )


@on("NAS", nas.TrackingAreaUpdateAccept)
def on_tracking_area_update_accept(phone: Phone, msg: nas.TrackingAreaUpdateAccept, rx: Rx) -> Effects:
    """Take what is new; confirm a new GUTI (5.5.3.2.4)."""
    repeated = phone.emm == EmmState.REGISTERED
    yield from phone.stop("T3430")
    yield from phone.move("Tracking area update accept")
    phone.update_status, phone.attempts = EpsUpdateStatus.EU1_UPDATED, 0
    phone.take_timer(msg.t3412_value)
    phone.take_features(msg.eps_network_feature_support)
    if msg.tai_list is not None:
        phone.tais = tuple(msg.tai_list)
    combined.take(phone, msg.eps_update_result == combined.COMBINED_UPDATED, msg.additional_update_result,
                  msg.location_area_identification)
    if isinstance(msg.guti, Guti):
        phone.guti = msg.guti
        yield phone.send(nas.TrackingAreaUpdateComplete())
    if msg.eps_bearer_context_status is not None:
        yield from esm.keep_only(phone, msg.eps_bearer_context_status.active)
    if not repeated:
        yield phone.outcome(UPDATE, True, f"updated, {esm.summary(phone)}")


@on("NAS", nas.TrackingAreaUpdateReject)
def on_tracking_area_update_reject(phone: Phone, msg: nas.TrackingAreaUpdateReject, rx: Rx) -> Effects:
    """The network's cause decides (5.5.3.2.5)."""
    yield from phone.stop("T3430")
    yield from phone.move("Tracking area update reject")
    phone.update_status = EpsUpdateStatus.EU2_NOT_UPDATED
    yield from service.refused(phone, UPDATE, msg.emm_cause, msg.t3346_value)


def failed(phone: Phone, why: str) -> Iterator[Effect]:
    """Nothing came of it; again after T3411 (5.5.3.2.6)."""
    yield from phone.stop("T3430")
    yield from phone.drop_connection()
    yield from phone.move("tracking area update failed")
    phone.update_status = EpsUpdateStatus.EU2_NOT_UPDATED
    yield phone.outcome(UPDATE, False, f"tracking area update failed: {why}")
    phone.attempts += 1
    if phone.handset.retries:
        yield phone.start("T3411" if phone.attempts < TIMERS["T3430"].attempts else "T3402")


@on.timer("T3430", "TS 24.301, 5.5.3.2.6 c")
def on_t3430(phone: Phone, key: str, rx: Rx) -> Effects:
    """The update took too long."""
    phone.mark(rx)
    if phone.emm == EmmState.TRACKING_AREA_UPDATING_INITIATED and not phone.deaf:
        yield from failed(phone, "no answer in time (T3430)")


@on.timer("T3412", "TS 24.301, 5.3.5")
def on_t3412(phone: Phone, key: str, rx: Rx) -> Effects:
    """Time for a sign of life."""
    phone.mark(rx)
    if phone.emm == EmmState.REGISTERED and not phone.connected and not phone.deaf:
        yield from begin(phone, periodic=True)


@on("NAS", nas.GUTIReallocationCommand)
def on_guti_reallocation_command(phone: Phone, msg: nas.GUTIReallocationCommand, rx: Rx) -> Effects:
    """Another name from now on (5.4.1.3)."""
    if isinstance(msg.guti, Guti):
        phone.guti = msg.guti
    if msg.tai_list is not None:
        phone.tais = tuple(msg.tai_list)
    phone.counters["GUTI reallocation"] += 1
    yield phone.send(nas.GUTIReallocationComplete())
