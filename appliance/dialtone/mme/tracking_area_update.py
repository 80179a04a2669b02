# SPDX-License-Identifier: Apache-2.0
"""Tracking Area Update (TS 24.301, 5.5.3) of a phone that we cannot serve so yet: it attaches again at once."""

from dialtone.codec.nas import TrackingAreaUpdateReject, TrackingAreaUpdateRequest
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Send, Verdict
from dialtone.mme.context import Ue
from dialtone.mme.context_release import drop
from dialtone.mme.element import Mme, on
from dialtone.mme.resume import resume

IDENTITY_NOT_DERIVED, IMPLICITLY_DETACHED = 9, 10


@on("NAS", TrackingAreaUpdateRequest)
def on_tracking_area_update_request(mme: Mme, msg: TrackingAreaUpdateRequest, rx: Rx) -> Effects:
    """A phone came to another area, or its T3412 expired."""
    ue: Ue = rx.peer
    if ue.verified:
        ue = (yield from resume(mme, ue, rx)) or ue
        mme.memory.keep(ue)
    cause = IMPLICITLY_DETACHED if ue.verified else IDENTITY_NOT_DERIVED
    yield Send("NAS", ue, TrackingAreaUpdateReject(emm_cause=cause))
    yield Verdict("tracking area update", False, f"refused with cause #{cause}: the phone attaches again by itself")
    yield from drop(mme, ue, rx)
