# SPDX-License-Identifier: Apache-2.0
"""Store and forward (TS 23.040, 3.2.8 and 10.1): one text at a time to each phone, retries, validity, status reports.

A phone that is registered for it gets its text over IP; over NAS where it is not, or after RP-ERROR or silence.
"""

from dataclasses import dataclass

from dialtone.codec.sms import SmsStatusReport, tpdu
from dialtone.codec.sms.address import Address
from dialtone.codec.sms.times import Stamp
from dialtone.codec.sms.tpdu import MORE
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, Save, StartTimer, StopTimer, Tell, Verdict
from dialtone.sms import paths
from dialtone.sms.element import Mailbox, Sms, on
from dialtone.sms.text import EndText, PutTexts, State, Text

RETRY = "retry"
FIRST_PAUSE, LONGEST_PAUSE = 60.0, 3600.0
"""Seconds before the first further attempt; each one doubles it up to the longest."""
RECEIVED, NOT_POSSIBLE, EXPIRED = 0x00, 0x40, 0x46
"""TP-Status: received by the phone; permanent error; validity period expired (9.2.3.15)."""


@dataclass(slots=True)
class Stored(Event):
    """These texts are on the disk: deliver them."""

    texts: tuple[Text, ...]


@on.event(Stored)
def on_stored(sms: Sms, event: Stored, rx: Rx) -> Effects:
    """Into the mailboxes, and out again at once where the phone is free."""
    for text in event.texts:
        sms.mailbox(text.recipient).texts[text.id] = text
    for imsi in dict.fromkeys(text.recipient for text in event.texts):
        yield from attend(sms, imsi, rx)


@dataclass(slots=True)
class Begin(Event):
    """The core has started: texts of before may wait."""


@on.event(Begin)
def on_begin(sms: Sms, event: Begin, rx: Rx) -> Effects:
    """Every phone that something waits for is tried; one that is away is noted by its MME, which alerts us."""
    for imsi in list(sms.boxes):
        yield from attend(sms, imsi, rx)


def full(sms: Sms, imsi: str, more: int = 1) -> bool:
    """Whether no further text may wait for that phone."""
    box = sms.boxes.get(imsi)
    return box is not None and len(box.texts) + more > sms.config.waiting


def attend(sms: Sms, imsi: str, rx: Rx) -> Effects:
    """The next text of a phone goes out, unless one is out already or a pause is being made."""
    box = sms.boxes.get(imsi)
    if box is None or box.tried is not None or box.due > rx.now:
        return
    yield from _expire(sms, box, rx)
    if not box.texts:
        yield from take_down(sms, box)
        return
    if sms.directory.get(imsi) is None:  # removed meanwhile, and its texts with it
        box.texts.clear()
        yield from take_down(sms, box)
        return
    text = next(iter(box.texts.values()))
    box.tried, box.path = text.id, ""
    yield StopTimer(RETRY, imsi)
    yield from _next_path(sms, box, text, rx)


def _next_path(sms: Sms, box: Mailbox, text: Text, rx: Rx) -> Effects:
    """Hand the text to the next carrier that this phone can be reached by."""
    path = paths.after(sms, box.imsi, box.path, rx.now)
    if path is None:
        yield from _pause(sms, box, rx)
        return
    box.path = path.name
    octets = text.tpdu
    if len(box.texts) > 1:
        octets = bytes((octets[0] & ~MORE,)) + octets[1:]
    yield from path.send(sms, text, octets, len(box.texts) > 1, rx)


def out(sms: Sms, imsi: str, number: int) -> Text | None:
    """The text of that number while it is out; None when what is said of it comes too late."""
    box = sms.boxes.get(imsi)
    return box.texts.get(number) if box is not None and box.tried == number else None


def arrived(sms: Sms, text: Text, rx: Rx) -> Effects:
    """The phone has it."""
    box = sms.boxes[text.recipient]
    rx.subject = text.recipient
    box.tried, box.failures, box.last, box.due, box.call_id = None, 0, "", 0.0, ""
    yield Verdict("text", True, f"delivered over {box.path} {rx.now - text.submitted:.0f} s after it was sent")
    yield from end(sms, box, text, State.DELIVERED, f"over {box.path}", RECEIVED, rx)
    yield from attend(sms, text.recipient, rx)


def refused(sms: Sms, text: Text, why: str, rx: Rx, *, final: bool = False, elsewhere: bool = True) -> Effects:
    """This carrier did not bring it: another one may, where `elsewhere` makes sense, or later; `final`: nobody will."""
    box = sms.boxes[text.recipient]
    rx.subject = text.recipient
    box.last = f"over {box.path}: {why}"
    if final:
        box.tried = None
        yield Verdict("text", False, f"not delivered, and not tried again: {box.last}")
        yield from end(sms, box, text, State.FAILED, box.last, NOT_POSSIBLE, rx)
        yield from attend(sms, text.recipient, rx)
    elif elsewhere:
        yield from _next_path(sms, box, text, rx)
    else:
        yield from _pause(sms, box, rx)


def _pause(sms: Sms, box: Mailbox, rx: Rx) -> Effects:
    """Nobody brought it: again after a pause that doubles, or as soon as the phone is heard of."""
    pause = min(FIRST_PAUSE * 2**box.failures, LONGEST_PAUSE)
    box.failures = min(box.failures + 1, 10)
    box.tried, box.due = None, rx.now + pause
    why = box.last or "the phone is registered nowhere"
    yield Verdict("text", False, f"kept: {why}; goes out as soon as the phone is back, tried again in {pause:.0f} s")
    yield _alarm(box, rx.now)


def _alarm(box: Mailbox, now: float) -> StartTimer:
    """At the next attempt, or when the first text expires."""
    when = min([box.due, *(text.expires for text in box.texts.values())])
    return StartTimer(RETRY, box.imsi, max(when - now, 0.0))


@on.timer(RETRY, "TS 23.040, 3.2.8")
def on_retry(sms: Sms, imsi: str, rx: Rx) -> Effects:
    """The pause is over, or a text has expired in it."""
    box = sms.boxes.get(imsi)
    if box is None or box.tried is not None:
        return
    rx.subject = imsi
    if box.due > rx.now:
        yield from _expire(sms, box, rx)
        if box.texts:
            yield _alarm(box, rx.now)
        else:
            yield from take_down(sms, box)
        return
    yield from attend(sms, imsi, rx)


def back(sms: Sms, imsi: str, rx: Rx) -> Effects:
    """The phone was heard of: no pause any longer."""
    box = sms.boxes.get(imsi)
    if box is not None:
        box.due, box.failures = 0.0, 0
        yield from attend(sms, imsi, rx)


def _expire(sms: Sms, box: Mailbox, rx: Rx) -> Effects:
    for text in [text for text in box.texts.values() if text.expires <= rx.now]:
        yield Verdict("text", False, f"expired after {text.expires - text.submitted} s: {box.last or 'never tried'}")
        yield from end(sms, box, text, State.EXPIRED, box.last, EXPIRED, rx)


def take_down(sms: Sms, box: Mailbox) -> Effects:
    """Nothing waits any more."""
    del sms.boxes[box.imsi]
    yield StopTimer(RETRY, box.imsi)


def end(sms: Sms, box: Mailbox, text: Text, state: State, why: str, status: int, rx: Rx) -> Effects:
    """It is done with: written down, and its sender told where it wants to know."""
    del box.texts[text.id]
    report = _report(sms, text, status, rx.now)
    writes = (EndText(text.id, state, int(rx.now), why),)
    yield Save((*writes, PutTexts((report,))) if report else writes)
    if report is not None:
        yield Tell(sms.name, Stored((report,)))


def _report(sms: Sms, text: Text, status: int, now: float) -> Text | None:
    """A status report, itself a text that waits for its phone (9.2.2.3)."""
    if text.reference is None or not text.sender_imsi or sms.directory.get(text.sender_imsi) is None or (
            full(sms, text.sender_imsi)):
        return None
    report = SmsStatusReport(
        reference=text.reference, recipient=Address.of(text.destination),
        stamp=Stamp(text.submitted, sms.stamp(text.submitted).offset), discharge=sms.stamp(now), status=status)
    return Text(sms.next_id(), text.sender_imsi, text.sender, text.destination, tpdu.encode(report), int(now),
                int(now) + sms.config.validity)
