# SPDX-License-Identifier: Apache-2.0
"""UE Context Release (TS 36.413, 8.3.2 and 8.3.3): to idle, and to the end."""

from dialtone.codec.gtpc import ReleaseAccessBearersRequest, ReleaseAccessBearersResponse
from dialtone.codec.s1ap import UEContextReleaseCommand, UEContextReleaseComplete, UEContextReleaseRequest
from dialtone.codec.s1ap.causes import Cause
from dialtone.codec.s1ap.values import UES1APIDPair
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Request, Send, StartTimer, StopTimer, Verdict
from dialtone.mme import esm_procedure, paging, purge, retransmission, session
from dialtone.mme.context import Ue
from dialtone.mme.element import Mme, on
from dialtone.mme.states import EcmState, EmmState, HandoverState
from dialtone.mme.timers import CONTEXT_RELEASE, CONTEXT_SETUP, IMPLICIT_DETACH, SOURCE_RELEASE, TIMERS
from dialtone.qci import GBR

UNSPECIFIED = Cause.of("nas", "unspecified")
ACCIDENTS = frozenset(Cause.of(group, name) for group, name in (
    ("radioNetwork", "radio-connection-with-ue-lost"), ("radioNetwork", "failure-in-radio-interface-procedure"),
    ("misc", "hardware-failure")))
"""Releases after which the bearers with a guaranteed rate are taken away (TS 23.401, 5.3.5)."""


def end(mme: Mme, ue: Ue, rx: Rx, cause: Cause) -> Effects:
    """Give everything back: sessions, timers, identities; then the S1 connection, and last the context."""
    yield from give_up_handover(mme, ue, rx)
    rx.subject = ue.label
    ue.give_up()
    yield from esm_procedure.abandon(mme, ue, rx, ue.bearers(), "the phone is leaving")
    yield from retransmission.stop_all(ue)
    yield from paging.failed(mme, ue, rx)
    yield from session.delete_all(ue)
    for timer in (CONTEXT_SETUP, IMPLICIT_DETACH, SOURCE_RELEASE):
        yield StopTimer(timer, ue.number)
    if ue.emm is not EmmState.DEREGISTERED:
        yield from ue.move("context ended")
    if ue.purge:
        ue.purge = False
        if ue.proven:
            yield purge.purge(mme, ue)
    mme.unregister(ue)
    if ue.enb is None:
        mme.forget(ue)
    elif not ue.ending:
        ue.ending = True
        yield from _release(ue, cause)


def drop(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    """End it without a word to the phone on NAS."""
    return end(mme, ue, rx, UNSPECIFIED)


def give_up_handover(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    """A handover under way does not survive what comes now, nor do the tunnels of one that is over."""
    abandon, ue.abandon = ue.abandon, None
    if abandon is not None:
        yield from abandon(mme, ue, rx)


def to_idle(ue: Ue, cause: Cause) -> Effects:
    """Release the connection of a registered phone; its bearers wait at the gateway."""
    if ue.context_sent:
        yield from _stop_downlink(ue)
    yield StopTimer(CONTEXT_SETUP, ue.number)
    yield from _release(ue, cause)


def _release(ue: Ue, cause: Cause) -> Effects:
    assert ue.enb is not None
    if ue.releasing:
        return
    ue.releasing = True
    ids = ue.number if ue.unanswered else UES1APIDPair(ue.number, ue.enb_ue_s1ap_id)
    yield Send("S1-MME", ue.enb.peer, UEContextReleaseCommand(ue_s1ap_ids=ids, cause=cause), stream=ue.stream)
    yield StartTimer(CONTEXT_RELEASE, ue.number, TIMERS[CONTEXT_RELEASE].seconds)


@on("S1-MME", UEContextReleaseRequest)
def on_ue_context_release_request(mme: Mme, msg: UEContextReleaseRequest, rx: Rx) -> Effects:
    """The eNB gives the connection up: a registered phone becomes idle, a half-made one is forgotten."""
    ue = mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    if ue.ending:
        return
    cause = msg.cause or UNSPECIFIED
    if ue.emm is EmmState.REGISTERED:
        yield from give_up_handover(mme, ue, rx)
        ue.radio_lost = cause in ACCIDENTS
        yield from to_idle(ue, cause)
    else:
        if ue.stands_for is None:
            yield _lost(ue, f"the eNB gave the connection up ({cause})")
        yield from end(mme, ue, rx, cause)


def _lost(ue: Ue, how: str) -> Verdict:
    if ue.emm is EmmState.DEREGISTERING:
        return Verdict("detach", True, f"detached by the network; {how} before the phone confirmed")
    return Verdict("attach", False, f"{how} before the phone was registered")


def _stop_downlink(ue: Ue) -> Effects:
    """One request for all PDN connections of a tunnel: the TEIDs on S11 are those of the phone (TS 29.274, 4.1)."""
    for gateway, teid in {(pdn.gateway, pdn.s11_teid): None for pdn in ue.pdns.values() if pdn.s11_teid}:
        yield Request("S11", gateway, ReleaseAccessBearersRequest(teid=teid))


@on("S11", ReleaseAccessBearersResponse)
def on_release_access_bearers_response(mme: Mme, msg: ReleaseAccessBearersResponse, rx: Rx) -> Effects:
    """The gateway keeps what comes for the phone from now on."""
    return ()


@on("S1-MME", UEContextReleaseComplete)
def on_ue_context_release_complete(mme: Mme, msg: UEContextReleaseComplete, rx: Rx) -> Effects:
    """The S1 connection is gone."""
    ue = mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    yield from give_up_handover(mme, ue, rx)
    yield from _disconnected(mme, ue, rx)


@on.timer(CONTEXT_RELEASE, "TS 36.413, 8.3.3")
def on_context_release_guard(mme: Mme, number: int, rx: Rx) -> Effects:
    """An eNB that does not confirm has released the phone, or soon will."""
    ue = mme.ues.get(number)
    if ue is not None:
        rx.subject = ue.label
        yield from give_up_handover(mme, ue, rx)
        yield from _disconnected(mme, ue, rx)


def lose_connection(mme: Mme, ue: Ue, rx: Rx, how: str) -> Effects:
    """The eNB or the association is gone, without a release. `how` is for people."""
    rx.subject = ue.label
    if not ue.ending:
        # A phone that was sent to a target may arrive there all the same.
        if ue.handover is None or ue.handover.state is not HandoverState.COMMANDED:
            yield from give_up_handover(mme, ue, rx)
        if ue.emm is EmmState.REGISTERED:
            ue.radio_lost = True
            yield from _stop_downlink(ue)
        elif ue.stands_for is None:
            yield _lost(ue, how)
    yield from _disconnected(mme, ue, rx)


def _disconnected(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    """ECM-IDLE: the connection's ids are free; the registration, if there is one, stays until T3412 says otherwise."""
    for timer in (CONTEXT_RELEASE, CONTEXT_SETUP):
        yield StopTimer(timer, ue.number)
    mme.disconnect(ue)
    ue.wishes.clear()
    yield from esm_procedure.abandon(mme, ue, rx, ue.bearers(), "the connection to the phone was released")
    ue.transactions.clear()
    yield from retransmission.stop_all(ue)
    if ue.ecm is EcmState.CONNECTED:
        yield from ue.connect("released")
    if ue.ending or ue.emm is not EmmState.REGISTERED:
        yield from drop(mme, ue, rx)
        return
    yield from retransmission.stop(ue, "T3450")  # it has either GUTI: both stay valid (TS 24.301, 5.4.1.6)
    for bearer in ue.bearers():
        bearer.enb = None
    if ue.radio_lost:
        ue.radio_lost = False
        yield from session.give_up(ue, *(bearer for bearer in ue.bearers() if bearer.qci in GBR))
    # Four minutes more than T3412 (TS 24.301, 5.3.5).
    yield StartTimer(IMPLICIT_DETACH, ue.number, mme.config.s1.t3412 + TIMERS[IMPLICIT_DETACH].seconds)
    if ue.errands:  # what came while the connection was being released
        yield from paging.page(mme, ue, rx)


@on.timer(IMPLICIT_DETACH, "TS 24.301, 5.3.5")
def on_implicit_detach(mme: Mme, number: int, rx: Rx) -> Effects:
    """The phone missed its periodic update: it is gone."""
    ue = mme.ues.get(number)
    if ue is not None and ue.ecm is EcmState.IDLE:
        rx.subject = ue.label
        mme.memory.keep(ue)
        ue.purge = True
        yield Verdict("detach", True, "detached implicitly: the phone was silent for longer than T3412")
        yield from drop(mme, ue, rx)
