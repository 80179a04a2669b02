# SPDX-License-Identifier: Apache-2.0
"""GUTI reallocation (TS 24.301, 5.4.1), and T3450, which guards every message that brings a new GUTI."""

from dataclasses import dataclass

from dialtone.codec.nas import GUTIReallocationCommand, GUTIReallocationComplete
from dialtone.codec.nas.identities import TaiList
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, Verdict
from dialtone.errors import ProtocolError
from dialtone.mme import paging, retransmission
from dialtone.mme.attach import take_tai_list
from dialtone.mme.context import Errand, Ue
from dialtone.mme.context_release import drop, to_idle
from dialtone.mme.element import NOT_EXPECTED, Mme, on
from dialtone.mme.resume import RELEASED
from dialtone.mme.states import EmmState

REALLOCATION = "GUTI reallocation"


@dataclass(slots=True)
class ReallocateGuti(Event):
    """A command: give the phone another temporary identity; one that is idle is paged."""

    imsi: str


@on.event(ReallocateGuti)
def on_reallocate_guti(mme: Mme, event: ReallocateGuti, rx: Rx) -> Effects:
    """To a registered phone, when it is there."""
    ue = mme.by_imsi.get(event.imsi)
    if ue is not None and ue.emm is EmmState.REGISTERED:
        rx.subject, rx.state = ue.label, ue.emm
        yield from paging.reach(mme, ue, rx, Errand(_command, _in_vain))


def _command(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    if "T3450" in ue.retries:  # another message with a new GUTI is on its way
        return
    guti = mme.new_guti(ue)
    yield from retransmission.send(ue, "T3450", GUTIReallocationCommand(
        guti=guti, tai_list=TaiList.of(*take_tai_list(mme, ue))))


def _in_vain(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    yield Verdict(REALLOCATION, False, f"the phone could not be reached: it stays {ue.guti}")


@on("NAS", GUTIReallocationComplete)
def on_guti_reallocation_complete(mme: Mme, msg: GUTIReallocationComplete, rx: Rx) -> Effects:
    """The new GUTI holds (5.4.1.4)."""
    ue: Ue = rx.peer
    retry = ue.retries.get("T3450")
    if retry is None or not isinstance(retry.message, GUTIReallocationCommand):
        raise ProtocolError("no GUTI reallocation is under way", cause=NOT_EXPECTED, clause="TS 24.301, 7.4")
    yield from retransmission.stop(ue, "T3450")
    mme.confirm_guti(ue)
    yield Verdict(REALLOCATION, True, f"the phone is {ue.guti} now")


@on.timer("T3450", "TS 24.301, 5.4.1.6, 5.5.1.2.7 c, 5.5.3.2.7 c")
def on_t3450(mme: Mme, number: int, rx: Rx) -> Effects:
    """No answer: repeat four times, then give up. A registered phone has either GUTI, and both stay valid."""
    ue, effects = retransmission.again(mme, number, "T3450", rx)
    yield from effects
    if ue is None or effects:
        return
    if ue.emm is not EmmState.REGISTERED:
        yield Verdict("attach", False, "the phone never confirmed the Attach Accept (T3450 expired 5 times)")
        yield from drop(mme, ue, rx)
        return
    yield Verdict(REALLOCATION, False, "the phone never confirmed its new GUTI (T3450 expired 5 times): both are valid")
    if not ue.context_sent:
        yield from to_idle(ue, RELEASED)
