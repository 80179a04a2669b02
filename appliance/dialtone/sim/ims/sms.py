# SPDX-License-Identifier: Apache-2.0
"""Short messages over IP, the phone's side (TS 24.341, 5.3.1 and 5.3.2): RP messages of sim/texts.py in MESSAGE."""

from dataclasses import dataclass

from dialtone.codec.sip import MessageRequest, MessageResponse
from dialtone.codec.sms import RPAck, RPData, RPError, RpMessage, rp
from dialtone.codec.sms.errors import RpFault
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event
from dialtone.sim.ims.client import Asserted, ImsClient, on
from dialtone.sim.ims.text import BODIES

CONTAINER = "application/vnd.3gpp.sms"
SMS, RECEIVED = "sms", "sms received"


@dataclass(slots=True)
class SmsCommand(Event):
    """Send a text as a short message, in parts where it is long."""

    to: str
    text: str


@dataclass(slots=True)
class Carried:
    """An RP message under way; the network's answer to MESSAGE says only that it has it."""

    what: str

    def answered(self, client: ImsClient, msg: MessageResponse) -> Effects:
        if msg.status >= 300:
            yield client.outcome(SMS, False, f"{self.what} refused: {msg.status} {msg.reason}".rstrip())

    def unanswered(self, client: ImsClient) -> Effects:
        yield client.outcome(SMS, False, f"no answer to {self.what}")


@on.event(SmsCommand)
def on_sms_command(client: ImsClient, event: SmsCommand, rx: Rx) -> Effects:
    """A person has written one."""
    client.mark(rx)
    if not client.registered:
        yield client.outcome(SMS, False, "not sent: the phone is not registered to IMS")
        return
    for part in client.short.submit(event.to, event.text):
        yield from _carry(client, client.handset.psi, part)


def _carry(client: ImsClient, uri: str, message: RpMessage, reply: str = "") -> Effects:
    request = client.request("MESSAGE", uri)
    request.append("P-Preferred-Identity", f"<{client.impu}>")
    if reply:
        request.append("In-Reply-To", reply)
    request.content(CONTAINER, rp.encode(message))
    yield client.ask(request, Carried(message.NAME))


def _taken(client: ImsClient, msg: MessageRequest, rx: Rx) -> Effects:
    """A text, or the service centre's answer to one of ours. A phone that is off, or away, hears nothing."""
    if not client.registered:
        return
    try:
        message = rp.decode(msg.body)
    except RpFault:
        yield client.answer(msg, 400, rx)
        return
    yield client.answer(msg, 200, rx)
    if isinstance(message, RPData) and not message.uplink:
        answer = client.short.take(message, "IP")
        if not client.faults.no_rp_ack:
            yield from _carry(client, Asserted.of(msg).uri, answer, msg.call_id)
        yield client.outcome(RECEIVED, isinstance(answer, RPAck), "a text has come, over IP")
    elif isinstance(message, RPAck | RPError):
        sent = client.short.answered(message)
        if sent is not None:
            yield client.outcome(SMS, sent.done, f"the service centre has the text for {sent.to}" if sent.done else
                                 f"not sent: refused with RP cause #{sent.cause}")


BODIES[CONTAINER] = _taken
