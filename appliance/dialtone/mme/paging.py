# SPDX-License-Identifier: Apache-2.0
"""Paging (TS 24.301, 5.6.2; TS 23.401, 5.3.4.3; TS 36.413, 8.5): call an idle phone, and what it is wanted for.

Whoever wants something of a phone says `reach`: at once where it is connected, after paging where it is idle.
"""

from dialtone.codec.s1ap import Paging
from dialtone.codec.s1ap.paging import CNDomain, TAIItem
from dialtone.codec.s1ap.values import PagingDRX, STmsi
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Send, StartTimer, StopTimer, Verdict
from dialtone.mme.context import Errand, Ue
from dialtone.mme.element import Mme, on
from dialtone.mme.states import EcmState, EmmState
from dialtone.mme.timers import TIMERS

CYCLES = {32: PagingDRX.V32, 64: PagingDRX.V64, 128: PagingDRX.V128, 256: PagingDRX.V256}
COMMON_STREAM = 0  # of procedures that belong to no phone (TS 36.412, 7)


def reach(mme: Mme, ue: Ue, rx: Rx, errand: Errand) -> Effects:
    """Do the errand now that the phone has its connection and bearers, or when it has come, or come back."""
    if ue.ending or ue.emm not in (EmmState.REGISTERED, EmmState.COMMON):
        yield from errand.failed(mme, ue, rx)
        return
    busy = ue.returning or ue.releasing or ue.handover or ue.relocation
    if ue.emm is EmmState.REGISTERED and ue.context_sent and not busy:
        yield from errand.then(mme, ue, rx)
        return
    ue.errands.append(errand)
    # It may be on its way by itself; and while a connection is being released nobody listens to paging.
    if ue.ecm is EcmState.IDLE and len(ue.errands) == 1:
        yield from page(mme, ue, rx)


def page(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    """The call, by every eNB that serves a tracking area of the phone's list."""
    ue.pages = 0
    yield from _call(mme, ue)


def _call(mme: Mme, ue: Ue) -> Effects:
    # One that may have missed its new GUTI is called by the old one first, then by either (TS 24.301, 5.4.1.6).
    guti = ue.new_guti if ue.new_guti and (ue.guti is None or ue.pages % 2) else ue.guti
    assert guti is not None
    for enb in mme.enbs.values():
        if any(tai in enb.tais for tai in ue.tais):
            yield Send("S1-MME", enb.peer, Paging(
                ue_identity_index_value=int(ue.imsi) % 1024 if ue.proven else 0,  # TS 36.304, 7.1
                ue_paging_id=STmsi(guti.mme_code, guti.m_tmsi),
                paging_drx=CYCLES.get(ue.drx),
                cn_domain=CNDomain.PS,
                tai_list=tuple(TAIItem(tai) for tai in ue.tais),
            ), stream=COMMON_STREAM)
    yield StartTimer("T3413", ue.number, TIMERS["T3413"].seconds)


@on.timer("T3413", "TS 24.301, 5.6.2.2.1")
def on_t3413(mme: Mme, number: int, rx: Rx) -> Effects:
    """No answer yet: call again, and after the last time give up what the phone was wanted for."""
    ue = mme.ues.get(number)
    if ue is None or ue.ecm is not EcmState.IDLE:
        return
    rx.subject, rx.state = ue.label, ue.emm
    if ue.pages < TIMERS["T3413"].repeats:
        ue.pages += 1
        yield from _call(mme, ue)
        return
    why = f"the phone did not answer {ue.pages + 1} calls: is it switched off or out of reach?"
    yield Verdict("paging", False, why)
    yield from failed(mme, ue, rx)


def reached(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    """The phone is there with its bearers: everything that waited for it."""
    errands, ue.errands = ue.errands, []
    for errand in errands:
        yield from errand.then(mme, ue, rx)


def failed(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    """The phone did not come."""
    yield StopTimer("T3413", ue.number)
    errands, ue.errands = ue.errands, []
    for errand in errands:
        yield from errand.failed(mme, ue, rx)
