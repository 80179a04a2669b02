# SPDX-License-Identifier: Apache-2.0
"""Texts over NAS by way of the MME (TS 29.338, 5): SGd, whose requests carry TPDUs.

MO-Forward-Short-Message Request -> (the text is on the disk) -> Answer with the report for the phone.
MT-Forward-Short-Message Request -> Answer when the phone has it, or why not.
"""

from dataclasses import dataclass

from dialtone.codec.diameter import ResultCode
from dialtone.codec.diameter.sgd import (
    DeliveryFailure,
    MOForwardShortMessageAnswer,
    MOForwardShortMessageRequest,
    MTForwardShortMessageAnswer,
    MTForwardShortMessageRequest,
    SgdResult,
    SmDeliveryFailureCause,
    UserIdentifier,
)
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Event, Request, Save, Tell, Unanswered, Verdict
from dialtone.hss.subscriber import Subscriber
from dialtone.sms import paths, queue, submission
from dialtone.sms.element import Sms, on
from dialtone.sms.queue import Stored
from dialtone.sms.submission import Refusal
from dialtone.sms.text import PutTexts, Text

MORE_MESSAGES = 1 << 0  # TFR-Flags (6.3.3.2)
DELIVERY_TIMER = 60  # seconds that we wait for an answer (6.3.3.6)
FINAL = (SgdResult.USER_UNKNOWN, SgdResult.ILLEGAL_USER, SgdResult.ILLEGAL_EQUIPMENT,
         SgdResult.SERVICE_NOT_SUBSCRIBED, SgdResult.SERVICE_BARRED)
WORDS: dict[int, str] = {
    SgdResult.ABSENT_USER: "the phone is switched off or out of reach",
    SgdResult.USER_BUSY_FOR_MT_SMS: "the phone is busy with other texts",
    SgdResult.FACILITY_NOT_SUPPORTED: "the phone is attached without SMS: it asked for no combined attach",
}


@dataclass(slots=True)
class NotSaved(Event):
    """The text could not be committed: the phone must not believe that it is on its way."""

    rx: Rx
    request: MOForwardShortMessageRequest


@on("SGd", MOForwardShortMessageRequest)
def on_mo_forward_short_message_request(sms: Sms, msg: MOForwardShortMessageRequest, rx: Rx) -> Effects:
    """A text of a phone."""
    sender = _sender(sms, msg.user_identifier)
    rx.subject = sender.imsi if sender else ""
    verdict = submission.judge(sms, sender, msg.sm_rp_ui, rx.now)
    if isinstance(verdict, Refusal):
        yield _refuse(sms, msg, verdict, rx)
        yield Verdict("text", False, f"refused: {verdict.text}")
        return
    yield Save((PutTexts((verdict,)),), failed=NotSaved(rx, msg))
    yield Answer(MOForwardShortMessageAnswer(**sms.answer(msg, ResultCode.DIAMETER_SUCCESS),
                                             sm_rp_ui=submission.acknowledged(sms, rx.now)))
    yield Tell(sms.name, Stored((verdict,)))


def _sender(sms: Sms, user: UserIdentifier) -> Subscriber | None:
    imsi = user.user_name or (sms.directory.owner("msisdn", user.msisdn) if user.msisdn else None)
    return sms.directory.get(imsi) if imsi else None


def _refuse(sms: Sms, msg: MOForwardShortMessageRequest, refusal: Refusal, rx: Rx) -> Answer:
    return Answer(MOForwardShortMessageAnswer(
        **sms.answer(msg, SgdResult.SM_DELIVERY_FAILURE),
        sm_delivery_failure_cause=SmDeliveryFailureCause(cause=refusal.sgd, diagnostic=refusal.report(sms, rx.now))),
        to=rx)


@on.event(NotSaved)
def on_not_saved(sms: Sms, event: NotSaved, rx: Rx) -> Effects:
    """The disk is at fault, or the recipient was removed in this moment."""
    rx.subject = event.rx.subject
    yield _refuse(sms, event.request, submission.SAVE_FAILED, event.rx)
    yield Verdict("text", False, f"refused: {submission.SAVE_FAILED.text}")


def _send(sms: Sms, text: Text, octets: bytes, more: bool, rx: Rx) -> Effects:
    peer, host, realm = sms.mme_of(text.recipient)
    yield Request("SGd", peer, MTForwardShortMessageRequest(
        **sms.header(host, realm), user_name=text.recipient, sc_address=sms.number.value, sm_rp_ui=octets,
        tfr_flags=MORE_MESSAGES if more else 0, sm_delivery_timer=DELIVERY_TIMER, sm_delivery_start_time=int(rx.now),
        sms_gmsc_address=sms.number.value), context=(text.recipient, text.id))


paths.register(paths.Path("NAS", lambda sms, imsi, now: True, _send))


@on("SGd", MTForwardShortMessageAnswer)
def on_mt_forward_short_message_answer(sms: Sms, msg: MTForwardShortMessageAnswer, rx: Rx) -> Effects:
    """What became of it."""
    assert rx.request is not None
    text = queue.out(sms, *rx.request.context)
    if text is None:
        return
    code = msg.result_code or msg.experimental_result_code or 0
    if code == ResultCode.DIAMETER_SUCCESS:
        yield from queue.arrived(sms, text, rx)
        return
    failure = msg.sm_delivery_failure_cause
    if code == SgdResult.SM_DELIVERY_FAILURE and failure is not None:
        if failure.cause == DeliveryFailure.MEMORY_CAPACITY_EXCEEDED:
            yield from queue.refused(sms, text, "the phone's memory is full", rx)
        else:
            yield from queue.refused(sms, text, "the phone refused the text", rx, final=True)
        return
    why = WORDS.get(code, f"the MME answered {code}")
    yield from queue.refused(sms, text, why, rx, final=code in FINAL)


@on.unanswered(MTForwardShortMessageRequest)
def on_no_mt_forward_short_message_answer(sms: Sms, event: Unanswered, rx: Rx) -> Effects:
    """The MME is silent."""
    text = queue.out(sms, *event.request.context)
    if text is not None:
        yield from queue.refused(sms, text, f"{event.request.peer} does not answer on SGd", rx)
