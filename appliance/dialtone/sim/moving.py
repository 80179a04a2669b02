# SPDX-License-Identifier: Apache-2.0
"""What X2 and S1 handover have in common at the eNBs: keys, the order to the phone, its arrival (TS 36.300, 10.1.2).

The target gives the phone a C-RNTI before it knows which phone that is, and holds what comes for it; the source
forwards what it still gets, which the target delivers first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from dialtone.codec.s1ap.causes import Cause
from dialtone.codec.s1ap.context import UEContextReleaseRequest
from dialtone.codec.s1ap.handover import HandoverCancel
from dialtone.crypto.kdf import derive_kenb_star
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, StartTimer, StopTimer, Tell
from dialtone.sim import handover, rrc, x2
from dialtone.sim.air import Arrived, HandoverOrder
from dialtone.sim.enb import (
    EARFCN,
    Enb,
    EnbConfig,
    EnbUe,
    RadioBearer,
    RadioBearerUp,
    RadioExpect,
    RadioFlush,
    RadioForward,
    on,
)
from dialtone.sim.phone import Cell
from dialtone.sim.states import RadioState

Tunnels = Mapping[int, tuple[bytes, int]]
"""Where forwarded data goes: address (4 octets) and TEID, by E-RAB."""
PREPARATION, OVERALL = "TRELOCprep", "TRELOCoverall"
PREPARATION_SECONDS, OVERALL_SECONDS = 8.0, 15.0
"""Longer than the guards of an MME: who is asked speaks first."""
END_MARKER = "end marker"
END_MARKER_SECONDS = 1.0
"""How long fresh data waits for the end of the forwarded data."""


class Neighbour(NamedTuple):
    """Another eNB as its neighbours know it: the element's name, and what its cell broadcasts."""

    element: str
    config: EnbConfig

    @property
    def cell(self) -> Cell:
        """Where a phone goes that is handed over to it."""
        return Cell(self.element, self.config.tai)


@dataclass(slots=True)
class HandOver(Event):
    """Hand a phone over: by X2, or by way of the MME with `s1`. `forward`: what still comes for it goes along, and
    `direct`: not by way of the gateway."""

    phone: str
    target: Neighbour
    s1: bool = False
    forward: bool = True
    direct: bool = True


@on.event(HandOver)
def on_hand_over(enb: Enb, event: HandOver, rx: Rx) -> Effects:
    """Measurements say that the phone is better off elsewhere."""
    ue = enb.by_phone.get(event.phone)
    if ue is None or ue.state != RadioState.CONTEXT or ue.leaving is not None:
        yield enb.outcome("handover", False, f"{event.phone} has no connection that could be handed over")
        return
    rx.subject = ue.label
    ue.leaving, ue.leaving_by = event.target, "s1" if event.s1 else "x2"
    yield StartTimer(PREPARATION, ue.enb_ue_s1ap_id, PREPARATION_SECONDS)
    yield from (handover if event.s1 else x2).begin(enb, ue, event)


# ---- source ----------------------------------------------------------------------------------------------


def key_for(ue: EnbUe, target: EnbConfig) -> tuple[bytes, int]:
    """K_eNB* and its NCC: from the NH that the MME gave where it is unused, else from the present key (TS 33.401,
    7.2.8.4.2)."""
    ncc, base = ue.fresh or (ue.ncc, ue.k_enb)
    return derive_kenb_star(base, target.pci, EARFCN), ncc


def send_away(enb: Enb, ue: EnbUe, order: bytes, tunnels: Tunnels) -> Effects:
    """The phone goes; what has no tunnel is lost from now on."""
    assert ue.leaving is not None
    yield StopTimer(PREPARATION, ue.enb_ue_s1ap_id)
    yield StartTimer(OVERALL, ue.enb_ue_s1ap_id, OVERALL_SECONDS)
    enb.by_phone.pop(ue.phone, None)
    yield Tell(ue.phone, HandoverOrder(enb.name, ue.leaving.cell, order))
    for bearer in ue.bearers.values():
        yield RadioForward(enb.name, bearer.teid_in, *tunnels.get(bearer.ebi, (b"", 0)))


def stay(ue: EnbUe) -> Effects:
    """No handover: the phone is where it was."""
    ue.leaving = None
    yield StopTimer(PREPARATION, ue.enb_ue_s1ap_id)


@on.timer(PREPARATION, "TS 36.413, 8.4.1.3")
def on_handover_preparation(enb: Enb, number: int, rx: Rx) -> Effects:
    """No answer: the phone stays, and the MME is told if it was asked."""
    ue = enb.ues.get(number)
    if ue is None or ue.leaving is None or ue.mme_ue_s1ap_id is None:
        return
    rx.subject = ue.label
    yield from stay(ue)
    if ue.leaving_by == "s1":
        yield enb.send(HandoverCancel(
            mme_ue_s1ap_id=ue.mme_ue_s1ap_id, enb_ue_s1ap_id=ue.enb_ue_s1ap_id,
            cause=Cause.of("radioNetwork", "tS1relocprep-expiry")), ue)
    else:
        yield enb.outcome("handover", False, "the target does not answer")


@on.timer(OVERALL, "TS 36.413, 8.3.2.2")
def on_handover_overall(enb: Enb, number: int, rx: Rx) -> Effects:
    """Nobody has told us to forget the phone: it was lost on the way."""
    ue = enb.ues.get(number)
    if ue is None or ue.mme_ue_s1ap_id is None or ue.state != RadioState.CONTEXT:
        return
    rx.subject = ue.label
    ue.lost = True
    yield from enb.move_ue(ue, "UEContextReleaseRequest")
    yield enb.send(UEContextReleaseRequest(
        mme_ue_s1ap_id=ue.mme_ue_s1ap_id, enb_ue_s1ap_id=ue.enb_ue_s1ap_id,
        cause=Cause.of("radioNetwork", f"t{ue.leaving_by.upper()}relocoverall-expiry")), ue)


# ---- target ----------------------------------------------------------------------------------------------


def expect(enb: Enb, key: bytes, ncc: int) -> EnbUe:
    """A context for a phone that is to come."""
    ue = enb.new_ue("")
    ue.k_enb, ue.ncc = key, ncc
    ue.crnti = 1 + ue.enb_ue_s1ap_id % 0xFFF3  # C-RNTIs end at FFF3 (TS 36.321, 7.1)
    enb.expected[ue.crnti] = ue
    return ue


def admit(enb: Enb, ue: EnbUe, ebi: int, qci: int, uplink: bytes, teid_out: int, *, forward: bool) -> Effects:
    """A bearer of the phone that is to come."""
    bearer = ue.bearers[ebi] = RadioBearer(ebi, qci, uplink, teid_out, enb.new_teid())
    if forward:
        bearer.forward_in = enb.new_teid()
    yield RadioExpect(enb.name, bearer.teid_in, bearer.forward_in)


def order_for(enb: Enb, ue: EnbUe) -> bytes:
    """The message for the phone, which the source passes on."""
    return rrc.encode(rrc.Order(enb.config.pci, ue.crnti, ue.ncc))


@on.event(Arrived)
def on_arrived(enb: Enb, event: Arrived, rx: Rx) -> Effects:
    """The phone is here, if it has the right key; the core is told."""
    ue = enb.expected.pop(event.crnti, None)
    if ue is None:
        enb.counters["stranger"] += 1
        return
    ue.phone = event.phone
    rx.subject = ue.label
    if event.k_enb != ue.k_enb:
        enb.counters["K_eNB* different"] += 1
        ue.lost = True
        yield enb.outcome("handover", False, f"K_eNB* of eNB and phone differ at NCC {ue.ncc}")
        if ue.source:  # the MME knows nothing of it yet
            yield from enb.drop(ue, "local release", "another key")
        return
    enb.counters["K_eNB* equal"] += 1
    enb.by_phone[event.phone] = ue
    yield from enb.move_ue(ue, "arrival")
    address = enb.config.address.packed
    for bearer in ue.bearers.values():
        yield RadioBearerUp(enb.name, ue.phone, bearer.ebi, address, bearer.uplink, bearer.teid_out, bearer.teid_in)
    if any(bearer.forward_in for bearer in ue.bearers.values()):
        yield StartTimer(END_MARKER, ue.enb_ue_s1ap_id, END_MARKER_SECONDS)
    yield from (x2 if ue.source else handover).arrived(enb, ue)


@on.timer(END_MARKER, "TS 36.300, 10.1.2.3")
def on_end_marker(enb: Enb, number: int, rx: Rx) -> Effects:
    """Nothing more is forwarded: fresh data need not wait any longer."""
    ue = enb.ues.get(number)
    if ue is not None:
        rx.subject = ue.label
        for bearer in ue.bearers.values():
            yield RadioFlush(enb.name, bearer.teid_in)
