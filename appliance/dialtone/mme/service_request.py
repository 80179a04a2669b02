# SPDX-License-Identifier: Apache-2.0
"""Service Request (TS 24.301, 5.6.1) and Tracking Area Update (5.5.3) of a phone that we cannot serve so yet.

Both are refused with a cause that makes the phone attach again at once: #10 (implicitly detached) where the
message proves who sent it, and its registration goes; #9 (the identity cannot be derived) where it does not,
and nobody's registration is touched.
"""

from dialtone.codec.nas import (
    ExtendedServiceRequest,
    ServiceReject,
    ServiceRequest,
    TrackingAreaUpdateReject,
    TrackingAreaUpdateRequest,
)
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Send, Verdict
from dialtone.mme.context import Ue
from dialtone.mme.context_release import drop
from dialtone.mme.element import Mme, on

IDENTITY_NOT_DERIVED, IMPLICITLY_DETACHED = 9, 10


@on("NAS", ServiceRequest)
def on_service_request(mme: Mme, msg: ServiceRequest, rx: Rx) -> Effects:
    """An idle phone wants its bearers."""
    yield from _refuse(mme, rx, ServiceReject, "service request")


@on("NAS", ExtendedServiceRequest)
def on_extended_service_request(mme: Mme, msg: ExtendedServiceRequest, rx: Rx) -> Effects:
    """An idle phone wants a circuit switched call, which we do not have, or its bearers."""
    yield from _refuse(mme, rx, ServiceReject, "extended service request")


@on("NAS", TrackingAreaUpdateRequest)
def on_tracking_area_update_request(mme: Mme, msg: TrackingAreaUpdateRequest, rx: Rx) -> Effects:
    """A phone came to another area, or its T3412 expired."""
    yield from _refuse(mme, rx, TrackingAreaUpdateReject, "tracking area update")


def _refuse(mme: Mme, rx: Rx, kind: type[ServiceReject] | type[TrackingAreaUpdateReject], what: str) -> Effects:
    ue: Ue = rx.peer
    proven = ue.verified and bool(ue.claimed or ue.imsi)
    if proven and not ue.imsi:
        ue.secured = True
        mme.identify(ue, ue.claimed, rx)
    cause = IMPLICITLY_DETACHED if proven else IDENTITY_NOT_DERIVED
    yield Send("NAS", ue, kind(emm_cause=cause))
    yield Verdict(what, False, f"refused with cause #{cause}: the phone attaches again by itself")
    registered = mme.by_imsi.get(ue.imsi) if proven else None
    if registered is not None and registered is not ue:
        mme.memory.keep(registered)
        yield from drop(mme, registered, rx)
    if ue.guti:
        mme.memory.keep(ue)
    yield from drop(mme, ue, rx)
