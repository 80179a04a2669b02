# SPDX-License-Identifier: Apache-2.0
"""What the phone's user does besides attaching: break it, switch it off and on, carry it away."""

from dataclasses import dataclass

from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, Tell
from dialtone.sim import tracking
from dialtone.sim.air import Camped
from dialtone.sim.faults import Faults
from dialtone.sim.phone import Cell, Outgoing, Phone, on
from dialtone.sim.states import EmmState

_TRANSACTION_TIMERS = ("IMS PDN", "T3346", "T3410", "T3411", "T3402", "T3412", "T3416", "T3417", "T3430",
                       "T3418", "T3420", "T3421", "TC1*", "TR1M")


@dataclass(slots=True)
class BreakCommand(Event):
    """Give the phone the fault of this name (sim/faults.py), or none."""

    fault: str | None = None


@dataclass(slots=True)
class PowerCycle(Event):
    """Switch the phone off without a word and on again: clears what sticks until power-off."""


@dataclass(slots=True)
class MoveCommand(Event):
    """Camp on another cell."""

    cell: Cell


@on.event(BreakCommand)
def on_break_command(phone: Phone, event: BreakCommand, rx: Rx) -> Effects:
    """Break the phone on purpose, or mend it."""
    phone.mark(rx)
    phone.faults = Faults.named(event.fault)
    phone.faults.prepare(phone.usim)
    phone.deaf = phone.faults.silent
    return ()


@on.event(PowerCycle)
def on_power_cycle(phone: Phone, event: PowerCycle, rx: Rx) -> Effects:
    """Off without a word, and on: the card is valid again, forbidden areas are forgotten; keys stay."""
    phone.mark(rx)
    yield from phone.stop(*_TRANSACTION_TIMERS)
    yield from phone.drop_connection()
    yield from phone.drop_bearers()
    yield from phone.move("power off")
    yield from phone.move("power on")
    phone.outgoing = Outgoing()
    phone.usim_invalid, phone.for_help = None, ""
    phone.forbidden_tais.clear()
    phone.nas.partial = None
    phone.attempts = phone.authentication_failures = 0
    phone.deaf = phone.switch_off = False
    phone.forget_when_released = phone.attach_when_released = False
    yield phone.outcome("power", True, "switched off and on")


@on.event(MoveCommand)
def on_move_command(phone: Phone, event: MoveCommand, rx: Rx) -> Effects:
    """Camp on another cell; a connection does not survive it (handover is another procedure)."""
    phone.mark(rx)
    yield from phone.drop_connection()
    phone.cell = event.cell
    yield Tell(phone.cell.enb, Camped(phone.name))
    if phone.emm == EmmState.REGISTERED and phone.cell.tai not in phone.tais:
        yield from tracking.begin(phone)

