# SPDX-License-Identifier: Apache-2.0
"""Texts that are taken back before they are delivered (TS 23.040, 9.2.3.15: deleted by SC administration)."""

from dataclasses import dataclass

from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, Verdict
from dialtone.sms import queue
from dialtone.sms.element import Sms, on
from dialtone.sms.text import CANCELLED, State, Text

DELETED = 0x48


@dataclass(slots=True)
class Cancel(Event):
    """The texts with these numbers are not wanted any more."""

    ids: frozenset[int]


def at_rest(sms: Sms) -> list[Text]:
    """All texts that wait, without those that are on their way to their phone just now: nobody gets them back."""
    return [text for box in sms.boxes.values() for text in box.texts.values() if text.id != box.tried]


@on.event(Cancel)
def on_cancel(sms: Sms, event: Cancel, rx: Rx) -> Effects:
    """Out of the mailboxes; a sender that asked for a status report hears of it."""
    for text in at_rest(sms):
        if text.id in event.ids:
            box = sms.boxes[text.recipient]
            rx.subject = text.recipient
            yield Verdict("text", True, f"text {text.id} is cancelled: it does not go out any more")
            yield from queue.end(sms, box, text, State.FAILED, CANCELLED, DELETED, rx)
            if not box.texts:
                yield from queue.take_down(sms, box)
