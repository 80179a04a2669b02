# SPDX-License-Identifier: Apache-2.0
"""Texts over IP (TS 24.341, 5.3.3): the duties of an IP-SM-GW on ISC.

REGISTER of the S-CSCF says who is here. MESSAGE with RP-DATA -> 202 -> (the text is on the disk) -> RP-ACK in a
MESSAGE of its own. MESSAGE with RP-DATA to the phone -> 200 -> its RP-ACK in another one.
"""

from dataclasses import dataclass
from typing import NamedTuple

from dialtone.codec import sip
from dialtone.codec.sip import MessageRequest, MessageResponse, NameAddr, RegisterRequest, SipError
from dialtone.codec.sms import RPAck, RPData, RPError, RpMessage, RPSmma, rp
from dialtone.codec.sms.errors import RpCause, RpFault
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Event, Request, Save, StartTimer, StopTimer, Tell, Unanswered, Verdict
from dialtone.hss.subscriber import Subscriber
from dialtone.sms import page_mode, paths, queue, submission
from dialtone.sms.element import Contact, Sms, on
from dialtone.sms.queue import Stored
from dialtone.sms.submission import Refusal
from dialtone.sms.text import PutTexts, Text

CONTAINER, PLAIN = "application/vnd.3gpp.sms", "text/plain"
SMSIP = "+g.3gpp.smsip"
TR1N = 40.0  # seconds for the phone's RP-ACK (TS 24.011, 10)


class Route(NamedTuple):
    """Whom a report goes to, by way of which S-CSCF, and in reply to which Call-ID."""

    peer: str
    uri: str
    call_id: str


@dataclass(slots=True)
class NotSaved(Event):
    """The text could not be committed: the phone must not believe that it is on its way."""

    route: Route
    reference: int
    imsi: str


# ---- who is here -----------------------------------------------------------------------------------------


@on("ISC", RegisterRequest)
def on_register_request(sms: Sms, msg: RegisterRequest, rx: Rx) -> Effects:
    """Third-party registration (TS 24.229, 5.4.1.7): a phone has come, or gone."""
    identity = msg.to.uri
    subscriber = sms.owner(identity)
    if subscriber is None:
        yield Answer(sms.response(msg, 404))
        return
    imsi = rx.subject = subscriber.imsi
    expires = _expires(msg)
    yield Answer(sms.response(msg, 200))
    if not expires:
        sms.contacts.pop(imsi, None)
        return
    capable = _capable(msg)
    before = sms.contacts.get(imsi)
    if capable is None:  # a refresh that does not say
        capable = before is not None and before.capable
    sms.contacts[imsi] = Contact(identity, rx.peer, rx.now + expires, capable)
    yield from queue.back(sms, imsi, rx)


def _expires(msg: RegisterRequest) -> int:
    text = msg.first("Expires") or NameAddr.parse(msg.first("Contact") or "*").params.get("expires") or "0"
    if not (text.isascii() and text.isdigit()):
        raise SipError(f"{text[:20]!r} are no seconds", clause="RFC 3261, 20.19")
    return min(int(text), 1 << 31)


def _capable(msg: RegisterRequest) -> bool | None:
    """Whether a contact of the phone has +g.3gpp.smsip, by its own REGISTER inside; None where that is not there."""
    if msg.content_type != "message/sip":
        return None
    inner = sip.decode(msg.body)
    return any(SMSIP in NameAddr.parse(contact).params for contact in inner.all("Contact") if contact != "*")


# ---- from the phone ------------------------------------------------------------------------------------


@on("ISC", MessageRequest)
def on_message_request(sms: Sms, msg: MessageRequest, rx: Rx) -> Effects:
    """By what it carries, whatever its Request-URI: many cards name no service centre, or nonsense."""
    sender = _sender(sms, msg)
    rx.subject = sender.imsi if sender is not None else ""
    if msg.content_type == PLAIN:
        yield from page_mode.take(sms, msg, sender, rx)
        return
    if msg.content_type != CONTAINER:
        refusal = sms.response(msg, 415)
        refusal.append("Accept", f"{CONTAINER}, {PLAIN}")
        yield Answer(refusal)
        return
    if sender is None:
        yield Answer(sms.response(msg, 403, "The sender is no subscriber"))
        return
    route = Route(rx.peer, _asserted(msg), msg.call_id)
    try:
        message = rp.decode(msg.body)
    except RpFault as fault:
        if fault.reference is None:
            raise SipError(f"the short message breaks the protocol: {fault.text}", clause="TS 24.341, 5.3.3") from None
        yield Answer(sms.response(msg, 202))
        yield from _report(sms, route, RPError(reference=fault.reference, uplink=False, cause=fault.cause or 111))
        return
    yield Answer(sms.response(msg, 202))
    match message:
        case RPData(uplink=True):
            yield from _submitted(sms, sender, message, route, rx)
        case RPSmma():
            yield from _report(sms, route, RPAck(reference=message.reference, uplink=False))
            yield from queue.back(sms, sender.imsi, rx)
        case RPAck(uplink=True) | RPError(uplink=True):
            yield from _answered(sms, sender.imsi, message, msg.first("In-Reply-To"), rx)
        case _:
            yield from _report(sms, route, RPError(reference=message.reference, uplink=False,
                                                   cause=RpCause.NOT_COMPATIBLE_WITH_STATE))


def _asserted(msg: MessageRequest) -> str:
    """Who sends, as the P-CSCF asserted it."""
    return NameAddr.parse(msg.first("P-Asserted-Identity") or msg.first("P-Served-User") or msg.first("From") or "").uri


def _sender(sms: Sms, msg: MessageRequest) -> Subscriber | None:
    values = [*msg.all("P-Asserted-Identity"), *msg.all("P-Served-User")] or msg.all("From")
    found = (sms.owner(NameAddr.parse(value).uri) for value in values)
    return next((subscriber for subscriber in found if subscriber is not None), None)


def _submitted(sms: Sms, sender: Subscriber, message: RPData, route: Route, rx: Rx) -> Effects:
    verdict = submission.judge(sms, sender, message.user_data, rx.now)
    if isinstance(verdict, Refusal):
        yield from _report(sms, route, RPError(reference=message.reference, uplink=False, cause=verdict.rp,
                                               user_data=verdict.report(sms, rx.now)))
        yield Verdict("text", False, f"refused: {verdict.text}")
        return
    yield Save((PutTexts((verdict,)),), failed=NotSaved(route, message.reference, sender.imsi))
    yield from _report(sms, route, RPAck(reference=message.reference, uplink=False,
                                         user_data=submission.acknowledged(sms, rx.now)))
    yield Tell(sms.name, Stored((verdict,)))


@on.event(NotSaved)
def on_not_saved_over_ip(sms: Sms, event: NotSaved, rx: Rx) -> Effects:
    """The disk is at fault, or the recipient was removed in this moment."""
    rx.subject = event.imsi
    failure = submission.SAVE_FAILED
    yield from _report(sms, event.route, RPError(reference=event.reference, uplink=False, cause=failure.rp,
                                                 user_data=failure.report(sms, rx.now)))
    yield Verdict("text", False, f"refused: {failure.text}")


def _report(sms: Sms, route: Route, message: RpMessage) -> Effects:
    """RP-ACK or RP-ERROR for what a phone sent, in a MESSAGE of its own (5.3.3.4.2)."""
    request = _message(sms, route.uri, message)
    request.append("In-Reply-To", route.call_id)
    yield Request("ISC", route.peer, request)


def _message(sms: Sms, uri: str, message: RpMessage) -> MessageRequest:
    """A MESSAGE to the one contact of a phone that does SMS over IP (5.3.3.4.1)."""
    request = sms.request(MessageRequest(uri=uri), uri)
    request.append("Accept-Contact", f"*;{SMSIP};require;explicit")
    request.append("Request-Disposition", "no-fork")
    request.append("Content-Transfer-Encoding", "binary")
    request.content(CONTAINER, rp.encode(message))
    return request


# ---- to the phone ----------------------------------------------------------------------------------------


def _send(sms: Sms, text: Text, octets: bytes, more: bool, rx: Rx) -> Effects:
    contact, box = sms.contacts[text.recipient], sms.boxes[text.recipient]
    box.reference = box.reference + 1 & 0xFF
    request = _message(sms, contact.identity, RPData(
        reference=box.reference, uplink=False, originator=sms.number, user_data=octets))
    box.call_id = request.call_id
    yield StartTimer("TR1N", text.recipient, TR1N)
    yield Request("ISC", contact.peer, request, context=(text.recipient, text.id))


def _reaches(sms: Sms, imsi: str, now: float) -> bool:
    contact = sms.contacts.get(imsi)
    if contact is not None and contact.until <= now:
        del sms.contacts[imsi]
        return False
    return contact is not None and contact.capable


paths.register(paths.Path("IP", _reaches, _send))


@on("ISC", MessageResponse)
def on_message_response(sms: Sms, msg: MessageResponse, rx: Rx) -> Effects:
    """The phone has the MESSAGE, and its RP-ACK is to come; or nobody could take it there."""
    assert rx.request is not None
    if msg.final and msg.status >= 300:
        yield from _not_taken(sms, rx.request, f"{msg.status} {msg.reason}".rstrip(), rx)


@on.unanswered(MessageRequest)
def on_no_message_response(sms: Sms, event: Unanswered, rx: Rx) -> Effects:
    """Timer F."""
    yield from _not_taken(sms, event.request, "no answer to MESSAGE", rx)


def _not_taken(sms: Sms, request: Request, why: str, rx: Rx) -> Effects:
    if request.context is None:
        yield Verdict("text", False, f"the phone did not get the answer to its text: {why}")
        return
    imsi, number = request.context
    text = queue.out(sms, imsi, number)
    if text is not None and sms.boxes[imsi].path == "IP":
        yield StopTimer("TR1N", imsi)
        yield from queue.refused(sms, text, why, rx)


def _answered(sms: Sms, imsi: str, message: RPAck | RPError, in_reply_to: str | None, rx: Rx) -> Effects:
    """What the phone says of its text, matched by In-Reply-To, and by RP-MR where it does not say."""
    box = sms.boxes.get(imsi)
    text = box.texts.get(box.tried) if box is not None and box.tried is not None else None
    if box is None or text is None or not box.call_id:
        yield Verdict("text", False, f"{message.NAME} {message.reference} answers no text of ours")
        return
    if (in_reply_to or box.call_id) != box.call_id or message.reference != box.reference:
        yield Verdict("text", False, f"{message.NAME} {message.reference}, in reply to {in_reply_to or 'nothing'}, "
                      f"does not answer RP-DATA {box.reference}")
        return
    yield StopTimer("TR1N", imsi)
    if isinstance(message, RPAck):
        box.path = "IP"
        yield from queue.arrived(sms, text, rx)
    elif box.path == "IP":
        full = message.cause == RpCause.MEMORY_CAPACITY_EXCEEDED
        why = "the phone's memory is full" if full else f"RP cause #{message.cause}"
        yield from queue.refused(sms, text, why, rx, elsewhere=not full)


@on.timer("TR1N", "TS 24.011, 6.3.1")
def on_tr1n(sms: Sms, imsi: str, rx: Rx) -> Effects:
    """The phone says nothing of its text: over NAS then."""
    box = sms.boxes.get(imsi)
    if box is not None and box.tried is not None and box.path == "IP":
        yield from queue.refused(sms, box.texts[box.tried], "no RP-ACK (TR1N)", rx)


