# SPDX-License-Identifier: Apache-2.0
"""Reset, by the eNB and by us (TS 36.413, 8.7.1), and Error Indication (8.7.2)."""

from dataclasses import dataclass

from dialtone.codec.s1ap import ErrorIndication, Reset, ResetAcknowledge, ResetAll, UEassociatedLogicalS1ConnectionItem
from dialtone.codec.s1ap.causes import Cause
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, Send, StartTimer, StopTimer, Verdict
from dialtone.mme.context import Enb, Ue
from dialtone.mme.context_release import lose_connection
from dialtone.mme.element import Mme, on
from dialtone.mme.timers import RESET, TIMERS

UNKNOWN_IDS = tuple(Cause.of("radioNetwork", cause) for cause in (
    "unknown-mme-ue-s1ap-id", "unknown-enb-ue-s1ap-id", "unknown-pair-ue-s1ap-id"))


@on("S1-MME", Reset)
def on_reset(mme: Mme, msg: Reset, rx: Rx) -> Effects:
    """All connections of the eNB, or those it lists; what it lists is acknowledged even when unknown."""
    enb = mme.enbs[rx.peer]
    items = msg.part_of_s1_interface
    if items is None:  # the whole interface
        gone = list(enb.ues.values())
    else:
        gone = [ue for ue in enb.ues.values() if any(_names(item, ue) for item in items)]
    for ue in gone:
        yield from lose_connection(mme, ue, rx, f"the eNB reset the connection ({msg.cause})")
    rx.subject = ""
    yield Send("S1-MME", rx.peer, ResetAcknowledge(
        ue_associated_logical_s1_connection_list=items or ()), stream=rx.stream)
    yield Verdict("S1 Reset", True, f"{enb.name} reset {len(gone)} connections")


def _names(item: object, ue: Ue) -> bool:
    mme_id = getattr(item, "mme_ue_s1ap_id", None)
    enb_id = getattr(item, "enb_ue_s1ap_id", None)
    return (mme_id is not None or enb_id is not None) and mme_id in (None, ue.number) and enb_id in (
        None, ue.enb_ue_s1ap_id)


@on("S1-MME", ErrorIndication)
def on_error_indication(mme: Mme, msg: ErrorIndication, rx: Rx) -> Effects:
    """Never answered. Where the eNB does not know our ids, the connection is dead; else the guards decide (10.6)."""
    ue = mme.enbs[rx.peer].ues.get(msg.mme_ue_s1ap_id or 0)
    rx.subject = ue.label if ue else ""
    yield Verdict("S1", False, f"the eNB reports an error: {msg.cause or msg.criticality_diagnostics}")
    if ue is not None and msg.cause in UNKNOWN_IDS:
        yield from lose_connection(mme, ue, rx, "the eNB does not know the connection any more")


# ---- by us -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class ResetEnb(Event):
    """A command: reset all connections of the eNB behind `peer`, or those of the phones `imsis` alone."""

    peer: str
    imsis: tuple[str, ...] = ()


@on.event(ResetEnb)
def on_reset_enb(mme: Mme, event: ResetEnb, rx: Rx) -> Effects:
    """Our side lets go at once; the Reset is repeated until the eNB has confirmed (8.7.1.2.1)."""
    enb = mme.enbs.get(event.peer)
    if enb is None:
        return
    gone = [ue for ue in enb.ues.values() if not event.imsis or ue.imsi in event.imsis]
    if event.imsis and not gone:
        return
    part = tuple(UEassociatedLogicalS1ConnectionItem(ue.number, None if ue.unanswered else ue.enb_ue_s1ap_id)
                 for ue in gone)
    enb.reset = Reset(cause=Cause.of("misc", "om-intervention"), reset_type=part if event.imsis else ResetAll.RESET_ALL)
    enb.resets_left = TIMERS[RESET].repeats
    for ue in gone:
        yield from lose_connection(mme, ue, rx, "the connection was reset by command")
    rx.subject = ""
    yield from _send(enb)


def _send(enb: Enb) -> Effects:
    assert enb.reset is not None
    yield Send("S1-MME", enb.peer, enb.reset)
    yield StartTimer(RESET, enb.peer, TIMERS[RESET].seconds)


@on("S1-MME", ResetAcknowledge)
def on_reset_acknowledge(mme: Mme, msg: ResetAcknowledge, rx: Rx) -> Effects:
    """The eNB has let go, too."""
    enb = mme.enbs[rx.peer]
    enb.reset = None
    yield StopTimer(RESET, rx.peer)
    yield Verdict("S1 Reset", True, f"{enb.name} has confirmed")


@on.timer(RESET, "TS 36.413, 8.7.1.2.1")
def on_reset_guard(mme: Mme, peer: str, rx: Rx) -> Effects:
    """No answer: once more, and after that the connections are free all the same."""
    enb = mme.enbs.get(peer)
    if enb is None or enb.reset is None:
        return
    if enb.resets_left:
        enb.resets_left -= 1
        yield from _send(enb)
    else:
        enb.reset = None
        yield Verdict("S1 Reset", False, f"{enb.name} does not confirm the Reset")
