# SPDX-License-Identifier: Apache-2.0
"""Short messages over IP, the phone's side (TS 24.341, 5.3.1; TS 24.011, 6).

MESSAGE with RP-DATA -> 202, then the RP-ACK of the service centre in a MESSAGE of its own, in reply to ours; a text of
the network likewise, the other way round. RP-SMMA, when there is room again, is answered like RP-DATA.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dialtone.codec.sip import MessageRequest, MessageResponse, NameAddr
from dialtone.codec.sms import RPAck, RPData, RPError, RpMessage, rp
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, Event, StartTimer, StopTimer
from dialtone.sim.ims.client import ImsClient, on
from dialtone.sim.ims.text import BODIES, RECEIVED
from dialtone.sim.texts import MemoryCommand

SMS, MEMORY = "sms", "memory"
CONTAINER = "application/vnd.3gpp.sms"
TR1M = 40.0
"""Seconds until the service centre has answered (TS 24.011, 10: 35 to 45)."""


@dataclass(slots=True)
class SmsCommand(Event):
    """Send a short message over IP; long ones go in parts."""

    to: str
    text: str
    report: bool = False


@dataclass(slots=True)
class Submitted:
    """A part under way: `call_id` is that of its MESSAGE, which the RP-ACK names. Without `to` it is RP-SMMA."""

    reference: int
    to: str
    call_id: str

    def answered(self, client: ImsClient, msg: MessageResponse) -> Effects:
        """The network has the MESSAGE, or does not want it."""
        if msg.status >= 300:
            yield from _given_up(client, self, f"refused: {msg.status} {msg.reason}".rstrip())

    def unanswered(self, client: ImsClient) -> Effects:
        """Timer F."""
        return _given_up(client, self, "no answer to MESSAGE")


@on.event(SmsCommand)
def on_sms_command(client: ImsClient, event: SmsCommand, rx: Rx) -> Effects:
    """A person has written one; one part after the other (TS 24.011, 6.3.1)."""
    client.mark(rx)
    if not client.registered:
        yield client.outcome(SMS, False, "not sent: the phone is not registered to IMS")
        return
    try:
        parts = client.texts.submit(event.to, event.text, report=event.report)
    except ValueError as error:
        yield client.outcome(SMS, False, f"not sent: {error}")
        return
    client.waiting.extend((event.to, part) for part in parts)
    yield from _next(client)


@on.event(MemoryCommand)
def on_memory_command(client: ImsClient, event: MemoryCommand, rx: Rx) -> Effects:
    """Texts are refused from now on, or wanted again (TS 24.011, 6.3.1.2)."""
    client.mark(rx)
    if event.full:
        client.texts.full = True
        return
    client.waiting.append(("", client.texts.room()))
    yield from _next(client)


def _next(client: ImsClient) -> Iterator[Effect]:
    if client.submitted or not client.waiting:
        return
    to, part = client.waiting.popleft()
    message = client.request("MESSAGE", client.handset.psi)
    message.append("P-Preferred-Identity", f"<{client.impu}>")
    message.content(CONTAINER, rp.encode(part))
    under_way = client.submitted[part.reference] = Submitted(part.reference, to, message.call_id)
    yield StartTimer("TR1M", client.imsi, TR1M)
    yield client.ask(message, under_way)


def _take(client: ImsClient, msg: MessageRequest, rx: Rx) -> Effects:
    """RP-DATA, or an answer to ours. Raises ProtocolError for octets that are neither."""
    message = rp.decode(msg.body)
    yield client.answer(msg, 200, rx)
    if isinstance(message, RPData):
        before = len(client.texts.inbox)
        answer: RpMessage = client.texts.take(message, "IP")
        if client.faults.wrong_rp_reference:
            answer.reference ^= 0x55
        if client.faults.no_rp_ack:
            return
        yield from _report(client, msg, answer)
        if isinstance(answer, RPError):
            yield client.outcome(RECEIVED, False, "a short message was refused: no room, or unreadable")
        else:
            came = "a short message" if len(client.texts.inbox) > before else "a status report"
            yield client.outcome(RECEIVED, True, f"{came} has come")
    elif isinstance(message, RPAck | RPError):
        yield from _answered(client, message, msg.first("In-Reply-To") or "")


def _report(client: ImsClient, msg: MessageRequest, answer: RpMessage) -> Iterator[Effect]:
    """Our RP-ACK goes to who the network says the text came from: the IP-SM-GW (TS 24.341, 5.3.2.4)."""
    asserted = msg.all("P-Asserted-Identity")
    report = client.request("MESSAGE", NameAddr.parse(asserted[0]).uri if asserted else msg.from_.uri)
    report.append("In-Reply-To", msg.call_id)
    report.append("Request-Disposition", "no-fork")
    report.content(CONTAINER, rp.encode(answer))
    yield client.ask(report, None)


def _answered(client: ImsClient, message: RPAck | RPError, in_reply_to: str) -> Effects:
    under_way = client.submitted.get(message.reference)
    if under_way is None or (in_reply_to and in_reply_to != under_way.call_id):
        client.counters["RP answer to nothing"] += 1
        return
    del client.submitted[message.reference]
    yield StopTimer("TR1M", client.imsi)
    if not under_way.to:
        yield client.outcome(MEMORY, isinstance(message, RPAck), "the network knows that there is room again")
        yield from _next(client)
        return
    sent = client.texts.answered(message)
    if sent is None or not sent.done:
        client.waiting.clear()
        yield client.outcome(SMS, False, f"to {under_way.to} refused by the service centre: "
                                         f"RP cause #{sent.cause if sent else '?'}")
    elif not client.waiting:
        yield client.outcome(SMS, True, f"the service centre has the text for {under_way.to}")
    yield from _next(client)


def _given_up(client: ImsClient, under_way: Submitted, why: str) -> Effects:
    client.texts.gave_up(under_way.reference)
    client.submitted.pop(under_way.reference, None)
    client.waiting.clear()
    yield StopTimer("TR1M", client.imsi)
    yield client.outcome(SMS if under_way.to else MEMORY, False, f"to {under_way.to or 'the network'}: {why}")


@on.timer("TR1M", "TS 24.011, 6.3.1")
def on_tr1m(client: ImsClient, key: str, rx: Rx) -> Effects:
    """No RP-ACK: the phone shows the text as failed."""
    client.mark(rx)
    for under_way in list(client.submitted.values()):
        yield from _given_up(client, under_way, "no RP-ACK of the service centre (TR1M)")


BODIES[CONTAINER] = _take
