# SPDX-License-Identifier: Apache-2.0
"""Page-mode texts, text/plain in MESSAGE (RFC 3428; TS 24.247), for phones that are away: kept, and sent as short
messages when they are back, over IP or NAS."""

from dialtone.codec.sip import MessageRequest, SipResponse
from dialtone.codec.sms import SmsDeliver, tpdu
from dialtone.codec.sms.user_data import split
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Event, Save, Tell, Verdict
from dialtone.hss.subscriber import Subscriber
from dialtone.sms import queue, submission
from dialtone.sms.element import Sms, on
from dialtone.sms.queue import Stored
from dialtone.sms.text import PutTexts, Text


class PageNotSaved(Event):
    """It could not be committed."""

    __slots__ = ("msg", "rx")

    def __init__(self, msg: MessageRequest, rx: Rx) -> None:
        self.msg = msg
        self.rx = rx


def take(sms: Sms, msg: MessageRequest, sender: Subscriber | None, rx: Rx) -> Effects:
    """202 says that it is kept (RFC 3428, 7): not before it is."""
    recipient = sms.owner(msg.uri) or sms.owner(msg.to.uri)
    if recipient is None:
        yield Answer(sms.response(msg, 404))
        return
    rx.subject = recipient.imsi
    if sender is not None and not submission.within_budget(sms, sender.imsi, rx.now):
        yield Answer(_later(sms, msg))
        return
    origin = submission.origin(sender) if sender is not None else sms.origin(msg.from_.uri)
    try:
        parts = split(msg.body.decode("utf-8", "replace"), sms.next_reference())
    except ValueError as error:
        yield Answer(sms.response(msg, 513, str(error)))
        return
    if not msg.body or queue.full(sms, recipient.imsi, len(parts)):
        yield Answer(_later(sms, msg) if msg.body else sms.response(msg, 400, "An empty text"))
        return
    now = int(rx.now)
    texts = tuple(Text(
        sms.next_id(), recipient.imsi, msg.to.uri, str(origin),
        tpdu.encode(SmsDeliver(originator=origin, stamp=sms.stamp(now), ud=ud)), now, now + sms.config.validity,
        sender.imsi if sender else "") for ud in parts)
    yield Save((PutTexts(texts),), failed=PageNotSaved(msg, rx))
    yield Answer(sms.response(msg, 202))
    yield Verdict("text", True, "kept for a phone that is away")
    yield Tell(sms.name, Stored(texts))


def _later(sms: Sms, msg: MessageRequest) -> SipResponse:
    refusal = sms.response(msg, 503)
    refusal.append("Retry-After", "60")
    return refusal


@on.event(PageNotSaved)
def on_page_not_saved(sms: Sms, event: PageNotSaved, rx: Rx) -> Effects:
    """The disk is at fault."""
    rx.subject = event.rx.subject
    yield Answer(_later(sms, event.msg), to=event.rx)
    yield Verdict("text", False, f"refused: {submission.SAVE_FAILED.text}")
