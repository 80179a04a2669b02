# SPDX-License-Identifier: Apache-2.0
"""Detach in the phone, by itself and by the network (TS 24.301, 5.5.2).

Detach request -> Detach accept, except that a phone that is switched off waits for none. T3421.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dialtone.codec import nas
from dialtone.codec.nas.identities import Imsi
from dialtone.codec.nas.values import NO_KEY, SWITCH_OFF, NetworkDetachType, UeDetachType
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, Event
from dialtone.sim import attach, causes
from dialtone.sim.phone import Phone, on
from dialtone.sim.states import IS_REGISTERED, EmmState
from dialtone.sim.timers import TIMERS


@dataclass(slots=True)
class DetachCommand(Event):
    """Leave the network; `switch_off` as a phone that is being switched off."""

    switch_off: bool = False


@on.event(DetachCommand)
def on_detach_command(phone: Phone, event: DetachCommand, rx: Rx) -> Effects:
    """A person has had enough (5.5.2.2.1)."""
    phone.mark(rx)
    yield from phone.stop("T3411", "T3402")
    if phone.emm not in (*IS_REGISTERED, EmmState.REGISTERED_INITIATED):
        yield phone.outcome("detach", True, "detached already")
        return
    phone.switch_off, phone.detach_attempts = event.switch_off, 0
    yield from phone.stop("T3410", "T3417", "T3418", "T3420")
    yield from phone.move("detach")
    yield request(phone)
    if phone.switch_off:
        yield from finish(phone, "detach given up", "detached: switched off")
    else:
        yield phone.start("T3421")


def request(phone: Phone) -> Effect:
    """The Detach request (5.5.2.2.1)."""
    current = phone.nas.current
    return phone.send(nas.DetachRequestUEOriginating(
        detach_type=UeDetachType.EPS | (SWITCH_OFF if phone.switch_off else 0),
        nas_key_set_identifier=NO_KEY if current is None else current.ksi,
        eps_mobile_identity=phone.guti or Imsi(phone.faults.imsi(phone.usim)),
    ))


def finish(phone: Phone, event: str, text: str) -> Iterator[Effect]:
    """Every bearer goes, GUTI and keys stay for the next time (5.5.2.1)."""
    yield from phone.stop("T3421", "T3418", "T3420")
    yield from phone.drop_bearers()
    yield from phone.move(event)
    phone.for_help = ""
    yield phone.outcome("detach", True, text)


@on("NAS", nas.DetachAccept)
def on_detach_accept(phone: Phone, msg: nas.DetachAccept, rx: Rx) -> Effects:
    """The network has let us go (5.5.2.2.2)."""
    yield from finish(phone, "Detach accept", "detached")


@on.timer("T3421", "TS 24.301, 5.5.2.2.6")
def on_t3421(phone: Phone, key: str, rx: Rx) -> Effects:
    """No answer: once more, and after the fifth time without one."""
    phone.mark(rx)
    if phone.emm != EmmState.DEREGISTERED_INITIATED or phone.deaf:
        return
    phone.detach_attempts += 1
    if phone.detach_attempts < TIMERS["T3421"].attempts:
        yield request(phone)
        yield phone.start("T3421")
    else:
        yield from phone.drop_connection()
        yield from finish(phone, "detach given up", "detached without an answer (T3421)")


@on("NAS", nas.DetachRequestUETerminated)
def on_detach_request_ue_terminated(phone: Phone, msg: nas.DetachRequestUETerminated, rx: Rx) -> Effects:
    """The network throws us out, or wants us to come again (5.5.2.3.2)."""
    if msg.detach_type & 7 == NetworkDetachType.IMSI:  # only the circuit switched side goes
        yield phone.send(nas.DetachAccept())
        return
    yield from phone.stop("T3410", "T3417", "T3418", "T3420", "T3421")
    yield phone.send(nas.DetachAccept())
    yield from phone.drop_bearers()
    yield from phone.move("Detach request")
    if msg.detach_type & 7 == NetworkDetachType.REATTACH_REQUIRED:
        phone.attach_when_released = True
        phone.attempts = 0
        yield phone.outcome("detach", True, "detached by the network, which asks for a new attach")
        return
    yield from _without_return(phone, msg.emm_cause)


def _without_return(phone: Phone, cause: int | None) -> Effects:
    text = "detached by the network"
    if cause is not None:
        text += f": cause {causes.emm(cause)}"
    # The Detach accept still goes out under the keys that this cause deletes.
    kept = phone.nas.current, phone.nas.partial, phone.nas.secure
    sticky = attach.remember(phone, cause)
    if phone.nas.current is None and phone.connected:
        phone.nas.current, phone.nas.partial, phone.nas.secure = kept
        phone.forget_when_released = True
    yield phone.outcome("detach", True, f"{text}; {sticky}" if sticky else text)
