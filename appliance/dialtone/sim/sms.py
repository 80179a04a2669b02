# SPDX-License-Identifier: Apache-2.0
"""Texts over NAS, the phone's side (TS 24.301, 5.6.3; TS 24.011, 5.2 and 6.3.1)."""

from collections.abc import Iterator
from dataclasses import dataclass

from dialtone.codec import nas
from dialtone.codec.sms import CPAck, CPData, CPError, RPAck, RPData, RPError, RpMessage, RPSmma, rp
from dialtone.codec.sms.errors import CpCause, RpFault
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, Event, Send, StartTimer, StopTimer, Up
from dialtone.sim import service
from dialtone.sim.air import EstablishmentCause
from dialtone.sim.phone import BackOnline, Phone, on
from dialtone.sim.states import EmmState
from dialtone.sim.texts import MemoryCommand
from dialtone.sim.timers import TIMERS

TI = 0
"""A phone has one transaction of its own at a time."""


@dataclass(slots=True)
class TextCommand(Event):
    """Send a text over NAS. `report`: the sender wants to know when it arrives; `validity` in seconds, 0 for as long
    as the centre likes."""

    to: str
    text: str
    report: bool = False
    validity: int = 0


@on.event(TextCommand)
def on_text_command(phone: Phone, event: TextCommand, rx: Rx) -> Effects:
    """Split what is long, and send one part after the other."""
    phone.mark(rx)
    if not phone.sms or phone.emm != EmmState.REGISTERED:
        yield phone.outcome("text", False, "not sent: the phone has no SMS over NAS, which a combined attach brings")
        return
    try:
        parts = phone.texts.submit(event.to, event.text, report=event.report, validity=event.validity)
    except ValueError as error:
        yield phone.outcome("text", False, f"not sent: {error}")
        return
    phone.outgoing.waiting.extend(parts)
    yield from _next(phone)


@on.event(MemoryCommand)
def on_memory_command(phone: Phone, event: MemoryCommand, rx: Rx) -> Effects:
    """Texts are refused from now on, or wanted again."""
    phone.mark(rx)
    if event.full:
        phone.texts.full = True
        return
    phone.outgoing.waiting.append(phone.texts.room())
    yield from _next(phone)


def _next(phone: Phone) -> Iterator[Effect]:
    """The next one, as soon as there is a connection."""
    out = phone.outgoing
    if out.underway is not None or not out.waiting or phone.deaf:
        return
    if not phone.connected or phone.emm != EmmState.REGISTERED:
        if phone.emm == EmmState.REGISTERED:
            yield from service.begin(phone, EstablishmentCause.MO_SIGNALLING)
        return
    out.underway = out.waiting.popleft()
    out.mine, out.attempts = CPData(ti=TI, user_data=rp.encode(out.underway)), 0
    yield from _transmit(phone, out.mine)
    yield StartTimer("TR1M", phone.imsi, TIMERS["TR1M"].seconds)


def _transmit(phone: Phone, message: CPData) -> Iterator[Effect]:
    yield Send("SMS", "mme", message)
    if not message.answering:
        yield StartTimer("TC1*", phone.imsi, TIMERS["TC1*"].seconds)


@on.event(BackOnline)
def on_back_online(phone: Phone, event: BackOnline, rx: Rx) -> Effects:
    """What waited for a connection goes out."""
    phone.mark(rx)
    yield from _next(phone)


@on("NAS", nas.DownlinkNASTransport)
def on_downlink_nas_transport(phone: Phone, msg: nas.DownlinkNASTransport, rx: Rx) -> Effects:
    """A CP message of the network."""
    yield Up("SMS", "mme", msg.nas_message_container)


@on("SMS", CPData)
def on_cp_data(phone: Phone, msg: CPData, rx: Rx) -> Effects:
    """A text of the network, or its answer to one of ours."""
    phone.mark(rx)
    if phone.faults.no_cp_ack:
        return
    yield Send("SMS", "mme", CPAck(ti=msg.ti, answering=not msg.answering))
    try:
        message = rp.decode(msg.user_data)
    except RpFault as fault:
        phone.texts.counters["unreadable RP message"] += 1
        yield Send("SMS", "mme", CPError(ti=msg.ti, answering=not msg.answering,
                                         cause=fault.cause or CpCause.PROTOCOL_ERROR))
        return
    if msg.answering:
        yield from _answered(phone, message)
    elif isinstance(message, RPData) and not message.uplink:
        answer = phone.texts.take(message, "NAS")
        if phone.faults.wrong_rp_reference:
            answer.reference ^= 0x55
        if phone.faults.no_rp_ack:
            return
        phone.last = "a text has come" if isinstance(answer, RPAck) else "a text was refused: no room, or unreadable"
        yield from _transmit(phone, CPData(ti=msg.ti, answering=True, user_data=rp.encode(answer)))


def _answered(phone: Phone, message: RpMessage) -> Iterator[Effect]:
    """The service centre has spoken."""
    out, ours = phone.outgoing, phone.outgoing.underway
    if ours is None or message.uplink or message.reference != ours.reference or (
            not isinstance(message, RPAck | RPError)):
        phone.texts.counters["answer to nothing"] += 1
        return
    out.underway = out.mine = None
    for timer in ("TC1*", "TR1M"):
        yield StopTimer(timer, phone.imsi)
    if isinstance(ours, RPSmma):
        yield phone.outcome("memory", isinstance(message, RPAck), "the network knows that there is room again")
    else:
        sent = phone.texts.answered(message)
        assert sent is not None
        if not sent.done:
            yield phone.outcome("text", False, f"not sent: the network refused it with RP cause #{sent.cause}")
        elif not out.waiting:
            yield phone.outcome("text", True, f"the service centre has the text for {sent.to}")
    yield from _next(phone)


@on("SMS", CPAck)
def on_cp_ack(phone: Phone, msg: CPAck, rx: Rx) -> Effects:
    """The network has our CP-DATA."""
    phone.mark(rx)
    if msg.answering:
        phone.outgoing.mine = None
        yield StopTimer("TC1*", phone.imsi)


@on("SMS", CPError)
def on_cp_error(phone: Phone, msg: CPError, rx: Rx) -> Effects:
    """The network ends the transaction."""
    phone.mark(rx)
    if msg.answering and phone.outgoing.underway is not None:
        yield from _given_up(phone, f"CP cause #{msg.cause}")


@on.timer("TC1*", "TS 24.011, 5.3.2.1")
def on_tc1(phone: Phone, key: str, rx: Rx) -> Effects:
    """No CP-ACK."""
    phone.mark(rx)
    out = phone.outgoing
    if out.mine is None or phone.deaf:
        return
    out.attempts += 1
    if out.attempts < TIMERS["TC1*"].attempts and phone.connected:
        yield from _transmit(phone, out.mine)
    else:
        yield from _given_up(phone, "the network does not confirm CP-DATA (TC1*)")


@on.timer("TR1M", "TS 24.011, 6.3.1")
def on_tr1m(phone: Phone, key: str, rx: Rx) -> Effects:
    """No RP-ACK."""
    phone.mark(rx)
    if phone.outgoing.underway is not None and not phone.deaf:
        yield from _given_up(phone, "no answer of the service centre (TR1M)")


def _given_up(phone: Phone, why: str) -> Iterator[Effect]:
    out = phone.outgoing
    if out.underway is not None:
        phone.texts.gave_up(out.underway.reference)
    out.underway = out.mine = None
    for timer in ("TC1*", "TR1M"):
        yield StopTimer(timer, phone.imsi)
    yield phone.outcome("text", False, f"not sent: {why}")
    yield from _next(phone)
