# SPDX-License-Identifier: Apache-2.0
"""Service Request and Extended Service Request (TS 24.301, 5.6.1; TS 23.401, 5.3.4.1): back from idle.

Service Request -> Initial Context Setup with every active bearer -> Modify Bearer. There is no answer on NAS
but the bearers; what a bearer could not be set up for is deactivated on both sides without a word (5.6.1.4.1).
"""

from dialtone.codec.nas import ExtendedServiceRequest, ServiceReject, ServiceRequest
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Send, Verdict
from dialtone.mme import bearer_status, context_setup, detach
from dialtone.mme.attach import NO_SUITABLE_CELLS, PLMN_NOT_ALLOWED
from dialtone.mme.combined import CS_NOT_AVAILABLE
from dialtone.mme.context import Ue
from dialtone.mme.context_release import drop, to_idle
from dialtone.mme.element import Mme, on
from dialtone.mme.resume import RELEASED, resume
from dialtone.mme.states import EmmState

IDENTITY_NOT_DERIVED, IMPLICITLY_DETACHED, NO_BEARER = 9, 10, 40
PACKET_SERVICES = 8  # service types from 8 on want bearers, those below a call in a circuit switched network (9.9.3.27)
SERVICE, EXTENDED = "service request", "extended service request"


@on("NAS", ServiceRequest)
def on_service_request(mme: Mme, msg: ServiceRequest, rx: Rx) -> Effects:
    """An idle phone wants its bearers: uplink data, signalling, or the answer to a paging."""
    ue: Ue = rx.peer
    if not ue.verified:
        yield from _unknown(mme, ue, rx, SERVICE)
        return
    returned = yield from resume(mme, ue, rx)
    if returned is None:
        yield from _detached(mme, ue, rx, SERVICE)
    else:
        yield from _serve(mme, returned, rx, SERVICE)


@on("NAS", ExtendedServiceRequest)
def on_extended_service_request(mme: Mme, msg: ExtendedServiceRequest, rx: Rx) -> Effects:
    """An idle phone wants its bearers, or any phone a circuit switched call, which we do not have (5.6.1.5)."""
    ue: Ue = rx.peer
    if not ue.verified:
        yield from _unknown(mme, ue, rx, EXTENDED)
        return
    returned = yield from resume(mme, ue, rx)
    if returned is None:
        yield from _detached(mme, ue, rx, EXTENDED)
        return
    if msg.eps_bearer_context_status is not None:
        yield from bearer_status.forget_all_but(returned, msg.eps_bearer_context_status.active)
    if msg.service_type >= PACKET_SERVICES:
        yield from _serve(mme, returned, rx, EXTENDED)
    else:
        yield from _refuse(returned, EXTENDED, CS_NOT_AVAILABLE, "calls are made by VoLTE here, not by falling back to "
                           "2G or 3G: the phone must have VoLTE switched on")


def _serve(mme: Mme, ue: Ue, rx: Rx, what: str) -> Effects:
    assert ue.tai is not None
    if ue.emm is EmmState.DEREGISTERING:  # the detach goes on where the phone is now (5.5.2.3.5)
        yield from detach.request_again(ue)
        return
    if ue.context_sent:  # the same once more: it is being served (5.6.1.7 c)
        return
    if ue.tai not in mme.tais:
        cause = NO_SUITABLE_CELLS if ue.tai.plmn == mme.plmn else PLMN_NOT_ALLOWED
        yield from _refuse(ue, what, cause, f"{ue.tai} is not served here")
        return
    assert ue.security is not None
    if not ue.active_bearers():
        yield from _begin_anew(mme, ue, rx, what, NO_BEARER, "no bearer is left")
        return
    if ue.security.worn:  # the attach brings new keys (TS 33.401, 6.5)
        yield from _begin_anew(mme, ue, rx, what, IMPLICITLY_DETACHED, "its keys are nearly used up")
        return
    yield from context_setup.restore(mme, ue, rx, what)


def _begin_anew(mme: Mme, ue: Ue, rx: Rx, what: str, cause: int, why: str) -> Effects:
    """A registered phone that has to attach again; it is still known by its GUTI."""
    yield Send("NAS", ue, ServiceReject(emm_cause=cause))
    yield Verdict(what, False, f"refused with cause #{cause}: {why}; the phone attaches again")
    mme.memory.keep(ue)
    yield from drop(mme, ue, rx)


def _unknown(mme: Mme, ue: Ue, rx: Rx, what: str) -> Effects:
    """Nobody vouches for it: this connection ends, and nobody's registration (TS 24.301, 4.4.4.3)."""
    yield Send("NAS", ue, ServiceReject(emm_cause=IDENTITY_NOT_DERIVED))
    yield Verdict(what, False, f"refused with cause #{IDENTITY_NOT_DERIVED}: the phone attaches again by itself")
    yield from drop(mme, ue, rx)


def _detached(mme: Mme, ue: Ue, rx: Rx, what: str) -> Effects:
    """It is who it says, and was detached meanwhile."""
    yield Send("NAS", ue, ServiceReject(emm_cause=IMPLICITLY_DETACHED))
    yield Verdict(what, False, f"refused with cause #{IMPLICITLY_DETACHED}: the phone attaches again by itself")
    half_made = mme.by_imsi.get(ue.imsi)
    if half_made is not None and half_made is not ue:
        yield from drop(mme, half_made, rx)
    yield from drop(mme, ue, rx)


def _refuse(ue: Ue, what: str, cause: int, why: str) -> Effects:
    """It stays registered: what was connected stays so, what was idle is idle again."""
    yield Send("NAS", ue, ServiceReject(emm_cause=cause))
    yield Verdict(what, False, f"refused with cause #{cause}: {why}")
    if not ue.context_sent:
        yield from to_idle(ue, RELEASED)
