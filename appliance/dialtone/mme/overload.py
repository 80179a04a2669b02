# SPDX-License-Identifier: Apache-2.0
"""Overload Start and Stop (TS 36.413, 8.7.6): eNBs keep phones away, by command or because too many attach at once.

By load it begins when the phones on their way to a registration are more than `overload` in [s1], and ends when they
are fewer than half of that.
"""

from dataclasses import dataclass

from dialtone.codec.s1ap import OverloadAction, OverloadStart, OverloadStop
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, Send, StartTimer, StopTimer, Verdict
from dialtone.mme.context import Enb
from dialtone.mme.element import Mme, on
from dialtone.mme.timers import OVERLOAD, TIMERS


@dataclass(slots=True)
class SetOverload(Event):
    """A command: ask all eNBs for less, or (None) no longer. It stands until the next command."""

    action: OverloadAction | None


@on.event(SetOverload)
def on_set_overload(mme: Mme, event: SetOverload, rx: Rx) -> Effects:
    """By hand: the load does not end what was begun so."""
    yield StopTimer(OVERLOAD, "mme")
    if event.action is None:
        yield from _stop(mme, "by command")
    else:
        yield from _start(mme, event.action, "by command")


def watch(mme: Mme) -> Effects:
    """A phone came: is it one too many?"""
    if mme.overload is None and 0 < mme.config.s1.overload < mme.on_their_way:
        yield from _start(mme, OverloadAction.REJECT_RRC_CR_SIGNALLING, f"{mme.on_their_way} phones attach at once")
        yield StartTimer(OVERLOAD, "mme", TIMERS[OVERLOAD].seconds)


@on.timer(OVERLOAD, "TS 36.413, 8.7.6")
def on_overload(mme: Mme, key: str, rx: Rx) -> Effects:
    """Look whether the load is gone."""
    if mme.on_their_way * 2 < mme.config.s1.overload:
        yield from _stop(mme, f"{mme.on_their_way} phones are on their way")
    else:
        yield StartTimer(OVERLOAD, "mme", TIMERS[OVERLOAD].seconds)


def newcomer(mme: Mme, enb: Enb) -> Effects:
    """An eNB that has just set up S1 must know, too."""
    if mme.overload is not None:
        yield Send("S1-MME", enb.peer, OverloadStart(overload_response=mme.overload))


def _start(mme: Mme, action: OverloadAction, why: str) -> Effects:
    mme.overload = action
    for enb in mme.enbs.values():
        yield from newcomer(mme, enb)
    yield Verdict("overload", False, f"eNBs are asked to keep phones away: {why}")


def _stop(mme: Mme, why: str) -> Effects:
    if mme.overload is None:
        return
    mme.overload = None
    for enb in mme.enbs.values():
        yield Send("S1-MME", enb.peer, OverloadStop())
    yield Verdict("overload", True, f"eNBs may let phones in again: {why}")
