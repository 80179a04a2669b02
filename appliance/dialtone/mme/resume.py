# SPDX-License-Identifier: Apache-2.0
"""A registered phone comes back on a new connection (TS 24.301, 5.3.1.1): its context takes that connection."""

from collections.abc import Generator

from dialtone.codec.s1ap.causes import Cause
from dialtone.dispatch import Rx
from dialtone.effects import Effect, StopTimer
from dialtone.mme import esm_procedure, notify, retransmission
from dialtone.mme.context import Ue
from dialtone.mme.context_release import end, give_up_handover
from dialtone.mme.element import Mme
from dialtone.mme.states import EmmState

RELEASED = Cause.of("nas", "normal-release")


def resume(mme: Mme, fresh: Ue, rx: Rx) -> Generator[Effect, None, Ue | None]:
    """The context of the phone that has proven itself on the connection of `fresh`, None where none is registered.

    A connection that it had before is released, with the procedures that were under way on it.
    """
    fresh.secured = True
    if not fresh.imsi:
        mme.identify(fresh, fresh.claimed, rx)
    ue = mme.by_imsi.get(fresh.imsi)
    if ue is None or ue.emm not in (EmmState.REGISTERED, EmmState.DEREGISTERING):
        return None
    if ue is fresh:
        return ue
    yield StopTimer("T3413", ue.number)
    yield from esm_procedure.abandon(mme, ue, rx, ue.bearers(), "the phone came back on another connection")
    yield from retransmission.stop_all(ue)
    yield from give_up_handover(mme, ue, rx)
    ue.give_up()
    mme.move_connection(ue, fresh)
    ue.returning = ""
    ue.security, ue.kenb_count = fresh.security, fresh.kenb_count
    if ue.new_guti is not None and fresh.called == ue.new_guti.m_tmsi:
        mme.confirm_guti(ue)
    yield from end(mme, fresh, rx, RELEASED)
    rx.subject, rx.state = ue.label, ue.emm
    yield from notify.heard(mme, ue, rx)
    return ue
