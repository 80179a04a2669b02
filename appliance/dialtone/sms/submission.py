# SPDX-License-Identifier: Apache-2.0
"""What a phone hands in (TS 23.040, 3.2.3 and 10.2): checked, written down, and only then answered.

It is the same over NAS and IP: the carrier asks `judge`, saves what it gets, answers, and tells `queue.Stored`.
"""

from dataclasses import dataclass

from dialtone.codec.diameter.sgd import DeliveryFailure
from dialtone.codec.sms import SmsCommand, SmsDeliver, SmsSubmit, SmsSubmitReport, tpdu
from dialtone.codec.sms.address import Address
from dialtone.codec.sms.errors import FailureCause, RpCause
from dialtone.errors import ProtocolError
from dialtone.hss.subscriber import Subscriber
from dialtone.sms import queue
from dialtone.sms.element import Budget, Sms
from dialtone.sms.text import Text

MINUTE = 60.0
MOST_BUDGETS = 10_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a text is not taken: the cause for TP, for RP, and for SGd, and a sentence for people."""

    failure: FailureCause
    rp: RpCause
    sgd: DeliveryFailure
    text: str

    def report(self, sms: Sms, now: float) -> bytes:
        """The report that goes into RP-ERROR."""
        return tpdu.encode(SmsSubmitReport(failure=self.failure, stamp=sms.stamp(now)))


def acknowledged(sms: Sms, now: float) -> bytes:
    """The report that goes into RP-ACK."""
    return tpdu.encode(SmsSubmitReport(stamp=sms.stamp(now)))


SAVE_FAILED = Refusal(FailureCause.SC_SYSTEM_FAILURE, RpCause.TEMPORARY_FAILURE, DeliveryFailure.SC_CONGESTION,
                      "the text could not be saved: is the disk full or read-only?")


def judge(sms: Sms, sender: Subscriber | None, octets: bytes, now: float) -> Text | Refusal:
    """The text to write down for a TPDU of a phone, or why there is none."""
    if sender is None:
        return Refusal(FailureCause.NO_SC_SUBSCRIPTION, RpCause.UNIDENTIFIED_SUBSCRIBER,
                       DeliveryFailure.USER_NOT_SC_USER, "the sender is no subscriber")
    try:
        submit = tpdu.decode(octets, uplink=True)
    except ProtocolError as error:
        return Refusal(FailureCause.UNSPECIFIED, RpCause.INVALID_MANDATORY_INFORMATION,
                       DeliveryFailure.EQUIPMENT_PROTOCOL_ERROR, f"the TPDU breaks the protocol: {error}")
    if isinstance(submit, SmsCommand):
        return Refusal(FailureCause.COMMAND_UNSUPPORTED, RpCause.FACILITY_NOT_IMPLEMENTED,
                       DeliveryFailure.EQUIPMENT_PROTOCOL_ERROR, "SMS-COMMAND is not served here")
    if not isinstance(submit, SmsSubmit):
        return Refusal(FailureCause.UNSPECIFIED, RpCause.SEMANTICALLY_INCORRECT,
                       DeliveryFailure.EQUIPMENT_PROTOCOL_ERROR, f"{submit.NAME} in RP-DATA")
    if not within_budget(sms, sender.imsi, now):
        return Refusal(FailureCause.SC_BUSY, RpCause.CONGESTION, DeliveryFailure.SC_CONGESTION,
                       f"more than {sms.config.rate} texts in a minute")
    recipient = sms.find(submit.destination)
    if recipient is None:
        return Refusal(FailureCause.INVALID_SME_ADDRESS, RpCause.SHORT_MESSAGE_TRANSFER_REJECTED,
                       DeliveryFailure.INVALID_SME_ADDRESS, f"nobody here has the number {submit.destination}")
    if queue.full(sms, recipient.imsi):
        return Refusal(FailureCause.SC_BUSY, RpCause.CONGESTION, DeliveryFailure.SC_CONGESTION,
                       f"{sms.config.waiting} texts wait for {submit.destination} already")
    sender_address = origin(sender)
    deliver = SmsDeliver(originator=sender_address, stamp=sms.stamp(now), ud=submit.ud, pid=submit.pid,
                         report=submit.report, reply_path=submit.reply_path)
    expires = min(submit.validity.until(int(now), sms.config.validity), int(now) + sms.config.validity)
    return Text(sms.next_id(), recipient.imsi, str(submit.destination), str(sender_address), tpdu.encode(deliver),
                int(now), expires, sender.imsi, submit.reference if submit.report else None)


def origin(sender: Subscriber) -> Address:
    """The sender's number; one without a number is named by the last digits of its IMSI."""
    return Address(sender.msisdns[0]) if sender.msisdns else Address.of(sender.imsi[-10:])


def within_budget(sms: Sms, imsi: str, now: float) -> bool:
    budget = sms.budgets.get(imsi)
    if budget is None or now - budget.since >= MINUTE:
        if len(sms.budgets) >= MOST_BUDGETS:
            sms.budgets.clear()
        budget = sms.budgets[imsi] = Budget(now)
    budget.used += 1
    return budget.used <= sms.config.rate
