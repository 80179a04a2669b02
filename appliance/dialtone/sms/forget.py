# SPDX-License-Identifier: Apache-2.0
"""The end of a class: every text is forgotten. One that is on its way just now arrives, and leaves nothing behind."""

import sqlite3
from dataclasses import dataclass

from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, StopTimer
from dialtone.sms.element import Sms, on
from dialtone.sms.queue import RETRY


@dataclass(frozen=True, slots=True)
class ClearTexts:
    """No text at all."""

    def apply(self, db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM text")


@dataclass(slots=True)
class Forget(Event):
    """The texts have been deleted from the disk."""


@on.event(Forget)
def on_forget(sms: Sms, event: Forget, rx: Rx) -> Effects:
    """Empty mailboxes; no pause is waited for any more."""
    for box in list(sms.boxes.values()):
        box.texts = {number: text for number, text in box.texts.items() if number == box.tried}
        if not box.texts:
            del sms.boxes[box.imsi]
            yield StopTimer(RETRY, box.imsi)
