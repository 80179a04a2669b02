# SPDX-License-Identifier: Apache-2.0
"""Page-mode texts, text/plain in MESSAGE (RFC 3428; TS 24.247)."""

from collections.abc import Callable
from dataclasses import dataclass

from dialtone.codec.sip import MessageRequest, MessageResponse
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Event, Unanswered
from dialtone.sim.ims import restoration
from dialtone.sim.ims.client import ICSI, Asserted, ImsClient, Text, on

TEXT, RECEIVED = "text", "text received"
PLAIN = "text/plain"
BODIES: dict[str, Callable[[ImsClient, MessageRequest, Rx], Effects]] = {}
"""What is done with a MESSAGE by its Content-Type."""


@dataclass(slots=True)
class TextCommand(Event):
    """Send a text to a number or URI."""

    to: str
    text: str


@dataclass(slots=True)
class Sent:
    """A text under way."""

    to: str


@on.event(TextCommand)
def on_text_command(client: ImsClient, event: TextCommand, rx: Rx) -> Effects:
    """A person has written one."""
    client.mark(rx)
    if not client.registered:
        yield client.outcome(TEXT, False, "not sent: the phone is not registered to IMS")
        return
    message = client.request("MESSAGE", client.target(event.to))
    message.append("P-Preferred-Identity", f"<{client.impu}>")
    message.append("Accept-Contact", f"*;{ICSI}")
    message.content("text/plain; charset=utf-8", event.text.encode())
    yield client.ask(message, Sent(event.to))


@on("Gm", MessageResponse)
def on_message_response(client: ImsClient, msg: MessageResponse, rx: Rx) -> Effects:
    """Taken by the other end, or by the network for it (202), or refused."""
    assert rx.request is not None
    sent = rx.request.context
    if not msg.final or sent is None:
        return
    if not isinstance(sent, Sent):
        yield from sent.answered(client, msg)
    elif msg.status < 300:
        yield client.outcome(TEXT, True, f"sent to {sent.to}" + (", kept by the network" if msg.status == 202 else ""))
    else:
        yield client.outcome(TEXT, False, f"to {sent.to} refused: {msg.status} {msg.reason}".rstrip())
    if msg.status >= 300:
        yield from restoration.refused(client, msg)


@on.unanswered(MessageRequest)
def on_no_answer_to_message(client: ImsClient, event: Unanswered, rx: Rx) -> Effects:
    """Timer F."""
    client.mark(rx)
    if isinstance(event.request.context, Sent):
        yield client.outcome(TEXT, False, f"no answer to the text to {event.request.context.to}")
    elif event.request.context is not None:
        yield from event.request.context.unanswered(client)
    yield from restoration.silent(client)


@on("Gm", MessageRequest)
def on_message_request(client: ImsClient, msg: MessageRequest, rx: Rx) -> Effects:
    """A text, or a short message inside its container (sms.py)."""
    if (bad := client.bad_extension(msg)) is not None:
        yield Answer(bad, to=rx)
        return
    take = BODIES.get(msg.content_type)
    if take is None:
        refusal = client.response(msg, 415)
        refusal.append("Accept", ", ".join(BODIES))
        yield Answer(refusal, to=rx)
        return
    yield from take(client, msg, rx)


def _plain(client: ImsClient, msg: MessageRequest, rx: Rx) -> Effects:
    sender = Asserted.of(msg)
    text = msg.body.decode(errors="replace")
    client.inbox.append(Text(rx.now, sender.uri, text))
    yield client.answer(msg, 200, rx)
    yield client.outcome(RECEIVED, True, f"from {sender.number}: {text}")


BODIES[PLAIN] = _plain
