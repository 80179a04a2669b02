# SPDX-License-Identifier: Apache-2.0
"""Tracking Area Update (TS 24.301, 5.5.3; TS 23.401, 5.3.3): the phone moved, T3412 expired, or it has something new.

Tracking Area Update Request -> Accept -> Complete where the accept brings a new GUTI. With the active flag, or when
something waits for the phone, the accept travels in the Initial Context Setup Request; without, the connection goes.
A request without a good MAC, or under keys that are nearly used up, is answered by authentication, where the GUTI is
known (5.5.3.2.3; TS 33.401, 6.5).
"""

from collections.abc import Iterator

from dialtone.codec.nas import TrackingAreaUpdateAccept, TrackingAreaUpdateComplete, TrackingAreaUpdateRequest
from dialtone.codec.nas.capabilities import EPSBearerContextStatus
from dialtone.codec.nas.identities import TaiList
from dialtone.codec.nas.ies import GprsTimer
from dialtone.codec.nas.values import ACTIVE, EpsUpdateType
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, Send, StartTimer, Verdict
from dialtone.errors import ProtocolError
from dialtone.mme import (
    authentication,
    bearer_status,
    combined,
    context_setup,
    detach,
    emergency,
    reject,
    retransmission,
    security_mode,
)
from dialtone.mme.attach import NO_SUITABLE_CELLS, PLMN_NOT_ALLOWED, take_tai_list
from dialtone.mme.context import Ue
from dialtone.mme.context_release import to_idle
from dialtone.mme.element import NOT_EXPECTED, Mme, on
from dialtone.mme.resume import RELEASED, resume
from dialtone.mme.states import EmmState

IDENTITY_NOT_DERIVED, IMPLICITLY_DETACHED, NO_BEARER = 9, 10, 40
UPDATE = "tracking area update"
COMBINED = (EpsUpdateType.COMBINED, EpsUpdateType.COMBINED_WITH_IMSI_ATTACH)
TA_UPDATED, COMBINED_UPDATED = 0, 1  # EPS update result (9.9.3.13)


@on("NAS", TrackingAreaUpdateRequest)
def on_tracking_area_update_request(mme: Mme, msg: TrackingAreaUpdateRequest, rx: Rx) -> Effects:
    """Whose is it: a registered phone's, proven; a registered phone's, to be proven; or nobody's."""
    ue: Ue = rx.peer
    if rx.octets == ue.request_octets and (ue.request is not None or "T3450" in ue.retries):
        yield from _repeated(ue)
        return
    owner = mme.by_imsi.get(ue.claimed)
    renew = owner is not None and owner is not ue and ue.security is not None and ue.security.worn
    if ue.verified and not renew:
        yield from _proven(mme, ue, msg, rx)
        return
    if owner is None or owner.emm is not EmmState.REGISTERED or not owner.proven:
        ue.take_update(msg, rx.octets)
        yield from reject.request(mme, ue, rx, IDENTITY_NOT_DERIVED, "its GUTI names nobody here: it attaches again")
        return
    yield from retransmission.stop_all(ue)
    ue.give_up()
    ue.disown()
    ue.capability, ue.ms_capability, ue.nr_capability = owner.capability, owner.ms_capability, owner.nr_capability
    ue.take_update(msg, rx.octets)
    ue.request_verified = False
    mme.identify(ue, owner.imsi, rx)
    yield from ue.move("common procedure")
    yield from authentication.start(mme, ue, rx, _authenticated)


def _repeated(ue: Ue) -> Effects:
    """The accept again if it was sent, else the first one is still being served (5.5.3.2.7 d)."""
    if (retry := ue.retries.get("T3450")) is not None:
        yield Send("NAS", ue, retry.message)
        yield StartTimer("T3450", ue.number, retry.seconds)


def _authenticated(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    return security_mode.start(mme, ue, rx, _secured)


def _secured(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    """The phone has answered the challenge, and maybe sent the request again that it meant."""
    assert isinstance(ue.request, TrackingAreaUpdateRequest)
    rx.octets = ue.request_octets
    return _proven(mme, ue, ue.request, rx)


def _proven(mme: Mme, ue: Ue, msg: TrackingAreaUpdateRequest, rx: Rx) -> Effects:
    octets = rx.octets
    returned = yield from resume(mme, ue, rx)
    if returned is None:
        ue.take_update(msg, octets)
        yield from reject.request(mme, ue, rx, IMPLICITLY_DETACHED, "it was detached meanwhile: it attaches again")
    elif returned.emm is EmmState.DEREGISTERING:  # the detach goes on where the phone is now (5.5.2.3.5)
        if "T3422" not in returned.retries:
            yield from detach.request_again(returned)
    else:
        yield from retransmission.stop(returned, "T3450")
        returned.take_update(msg, octets)
        yield from _serve(mme, returned, msg, rx)
        returned.request = None


def _serve(mme: Mme, ue: Ue, msg: TrackingAreaUpdateRequest, rx: Rx) -> Effects:
    assert ue.tai is not None
    if ue.tai not in mme.tais:
        if ue.tai.plmn == mme.plmn:
            yield from reject.only(mme, ue, NO_SUITABLE_CELLS, f"{ue.tai} is not served here")
            yield from to_idle(ue, RELEASED)
        else:
            yield from reject.request(mme, ue, rx, PLMN_NOT_ALLOWED, f"{ue.tai} is not served here")
        return
    if msg.eps_bearer_context_status is not None:
        yield from bearer_status.forget_all_but(ue, msg.eps_bearer_context_status.active)
    if not ue.active_bearers():
        mme.memory.keep(ue)
        yield from reject.request(mme, ue, rx, NO_BEARER, "no bearer is left: it attaches again")
        return
    periodic = msg.eps_update_type & 7 == EpsUpdateType.PERIODIC
    accept = _accept(mme, ue, msg, new_guti=not periodic or ue.new_guti is not None)
    timer = "T3450" if accept.guti is not None else ""
    if not ue.context_sent and (msg.eps_update_type & ACTIVE or ue.errands):
        yield from context_setup.restore(mme, ue, rx, UPDATE, accept, timer)
        return
    if timer:
        yield from retransmission.send(ue, timer, accept)
        return
    yield Send("NAS", ue, accept)
    yield from finish(mme, ue, rx)


def _accept(mme: Mme, ue: Ue, msg: TrackingAreaUpdateRequest, *, new_guti: bool) -> TrackingAreaUpdateAccept:
    """What the phone may rely on until its next update (5.5.3.2.4, 5.5.3.3.4)."""
    asked = msg.eps_update_type & 7 in COMBINED
    side = combined.grant(mme, asked, msg.additional_update_type)
    if asked:
        ue.sms = side.combined
    status = msg.eps_bearer_context_status
    return TrackingAreaUpdateAccept(
        eps_update_result=COMBINED_UPDATED if side.combined else TA_UPDATED,
        t3412_value=GprsTimer.of(int(mme.config.s1.t3412)),
        guti=mme.new_guti(ue) if new_guti else None,
        tai_list=TaiList.of(*take_tai_list(mme, ue)),
        eps_bearer_context_status=None if status is None else EPSBearerContextStatus.of(
            bearer.ebi for bearer in ue.active_bearers()),
        location_area_identification=side.lai,
        emm_cause=side.emm_cause,
        eps_network_feature_support=emergency.features(mme),
        additional_update_result=side.additional_update_result,
    )


def finish(mme: Mme, ue: Ue, rx: Rx) -> Iterator[Effect]:
    """The update is over: a phone that did not ask for its bearers goes, unless something came for it meanwhile."""
    yield Verdict(UPDATE, True, f"updated in {ue.tai}, as {ue.guti}")
    if ue.context_sent:
        return
    if ue.errands:
        yield from context_setup.restore(mme, ue, rx, UPDATE)
    else:
        yield from to_idle(ue, RELEASED)


@on("NAS", TrackingAreaUpdateComplete)
def on_tracking_area_update_complete(mme: Mme, msg: TrackingAreaUpdateComplete, rx: Rx) -> Effects:
    """The phone has its new GUTI (5.5.3.2.4)."""
    ue: Ue = rx.peer
    retry = ue.retries.get("T3450")
    if retry is None or not isinstance(retry.message, TrackingAreaUpdateAccept):
        raise ProtocolError("no tracking area update accept is outstanding", cause=NOT_EXPECTED,
                            clause="TS 24.301, 7.4")
    yield from retransmission.stop(ue, "T3450")
    mme.confirm_guti(ue)
    yield from finish(mme, ue, rx)
