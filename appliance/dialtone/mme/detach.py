# SPDX-License-Identifier: Apache-2.0
"""Detach by the phone and by the network (TS 24.301, 5.5.2)."""

from dataclasses import dataclass

from dialtone.codec.nas import DetachAccept, DetachRequestUEOriginating, DetachRequestUETerminated
from dialtone.codec.nas.values import SWITCH_OFF, NetworkDetachType, UeDetachType
from dialtone.codec.s1ap.causes import Cause
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, Send, Verdict
from dialtone.mme import paging, retransmission
from dialtone.mme.context import Errand, Ue
from dialtone.mme.context_release import drop, end
from dialtone.mme.element import Mme, on
from dialtone.mme.states import EcmState, EmmState


@dataclass(slots=True)
class DetachUe(Event):
    """A command: detach the phone, which comes back at once with `reattach`. One that is idle is called first with
    `page`, so that it knows; else it learns it by its next message. `by_hss`: the HSS knows already."""

    imsi: str
    reattach: bool = False
    page: bool = False
    by_hss: bool = False


@on("NAS", DetachRequestUEOriginating)
def on_detach_request_ue_originating(mme: Mme, msg: DetachRequestUEOriginating, rx: Rx) -> Effects:
    """Sessions and addresses are freed; an answer unless the phone is switching off (5.5.2.2)."""
    ue: Ue = rx.peer
    if ue.verified and ue.claimed and not ue.imsi:  # a proven phone on a new connection
        ue.secured = True
        mme.identify(ue, ue.claimed, rx)
    switch_off = msg.detach_type & SWITCH_OFF
    if not switch_off:
        yield Send("NAS", ue, DetachAccept())
    if msg.detach_type & 7 == UeDetachType.IMSI and ue.emm is EmmState.REGISTERED:
        ue.sms = False  # only texts over NAS go: there is nothing else on that side
        return
    how = "is switched off" if switch_off else "has detached"
    if not ue.verified:  # nobody vouches for it: it ends its own connection, and nobody's registration
        yield Verdict("detach", True, f"a phone says that it {how}, without proof: nothing but this connection ends")
        yield from drop(mme, ue, rx)
        return
    yield Verdict("detach", True, f"the phone {how}")
    registered = mme.by_imsi.get(ue.imsi)
    if registered is not None and registered is not ue:
        yield from _gone(mme, registered, rx)
    yield from _gone(mme, ue, rx)


def _gone(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    mme.memory.keep(ue)
    return end(mme, ue, rx, Cause.of("nas", "detach"))


@on.event(DetachUe)
def on_detach_ue(mme: Mme, event: DetachUe, rx: Rx) -> Effects:
    """Ask the phone to go (5.5.2.3)."""
    ue = mme.by_imsi.get(event.imsi)
    if ue is None:
        return
    rx.subject = ue.label
    ue.purge = not (event.reattach or event.by_hss)
    if ue.emm is not EmmState.REGISTERED or (ue.ecm is EcmState.IDLE and not event.page):
        yield from _untold(mme, ue, rx)
    elif ue.ecm is EcmState.IDLE:
        yield from paging.reach(mme, ue, rx, Errand(
            lambda mme, ue, rx: begin(ue, reattach=event.reattach), _untold))
    else:
        yield from begin(ue, reattach=event.reattach)


def _untold(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    yield Verdict("detach", True, "detached by the network, without telling the phone")
    yield from _gone(mme, ue, rx)


def begin(ue: Ue, *, reattach: bool) -> Effects:
    """Ask a connected phone to go, and with `reattach` to come back at once."""
    yield from ue.move("network detach")
    ue.detach_type = NetworkDetachType.REATTACH_REQUIRED if reattach else NetworkDetachType.REATTACH_NOT_REQUIRED
    yield from request_again(ue)


def request_again(ue: Ue) -> Effects:
    """The request; again where the phone comes back by another connection before it has answered."""
    yield from retransmission.send(ue, "T3422", DetachRequestUETerminated(detach_type=ue.detach_type))


@on("NAS", DetachAccept)
def on_detach_accept(mme: Mme, msg: DetachAccept, rx: Rx) -> Effects:
    """The phone has gone as it was told."""
    ue: Ue = rx.peer
    yield from retransmission.stop(ue, "T3422")
    yield Verdict("detach", True, "detached by the network")
    yield from _gone(mme, ue, rx)


@on.timer("T3422", "TS 24.301, 5.5.2.3.4 a")
def on_t3422(mme: Mme, number: int, rx: Rx) -> Effects:
    """No answer after four repetitions: gone all the same."""
    ue, effects = retransmission.again(mme, number, "T3422", rx)
    yield from effects
    if ue and not effects:
        yield Verdict("detach", True, "detached by the network; the phone did not confirm")
        yield from _gone(mme, ue, rx)
