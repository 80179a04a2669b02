# SPDX-License-Identifier: Apache-2.0
"""Texts for a phone (TS 29.338, 5.3; TS 24.011, 6.3.1): MT-Forward-Short-Message Request -> (paging) -> RP-DATA ->
RP-ACK or RP-ERROR -> Answer. The centre is alerted when a phone that it sought in vain is heard of (5.6)."""

from typing import Any

from dialtone.codec.diameter import ExperimentalResult, ResultCode
from dialtone.codec.diameter.sgd import (
    AlertServiceCentreRequest,
    DeliveryFailure,
    MTForwardShortMessageAnswer,
    MTForwardShortMessageRequest,
    SgdResult,
    SmDeliveryFailureCause,
    UserIdentifier,
)
from dialtone.codec.sms import RPAck, RPData, RPError, RpMessage
from dialtone.codec.sms.address import Address
from dialtone.codec.sms.errors import RpCause
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Request, Verdict
from dialtone.mme import exchange
from dialtone.mme.context import Ue
from dialtone.mme.element import Mme, on
from dialtone.mme.exchange import Exchange
from dialtone.mme.mo_sms import AVAILABLE
from dialtone.mme.states import EmmState

VENDOR_3GPP = 10415
NO_PAGING_RESPONSE, DETACHED = 0, 1  # Absent-User-Diagnostic-SM (TS 23.040, 3.3.2)
MOST_TRANSACTIONS = 7  # transaction identifiers 0 to 6
MOST_SOUGHT = 4096


@on("SGd", MTForwardShortMessageRequest)
def on_mt_forward_short_message_request(mme: Mme, msg: MTForwardShortMessageRequest, rx: Rx) -> Effects:
    """A text for one of our phones, or for one that is not here."""
    rx.subject = msg.user_name
    ue = mme.by_imsi.get(msg.user_name)
    if ue is None or ue.emm is not EmmState.REGISTERED:
        _seek(mme, rx)
        yield _answer(mme, rx, SgdResult.ABSENT_USER, absent_user_diagnostic_sm=DETACHED)
        return
    rx.state = ue.emm
    if not ue.sms:
        yield _answer(mme, rx, SgdResult.FACILITY_NOT_SUPPORTED)
        yield Verdict("text", False, "the phone is attached without SMS: only a combined attach brings texts over NAS")
        return
    ti = next((ti for ti in range(MOST_TRANSACTIONS) if (ue.s11_teid, True, ti) not in mme.exchanges), None)
    if ti is None:
        yield _answer(mme, rx, SgdResult.USER_BUSY_FOR_MT_SMS)
        return
    mme.rp_reference = mme.rp_reference + 1 & 0xFF
    this = Exchange(ue, ti, True, mme.rp_reference, _lost, request=rx)
    yield from exchange.begin(mme, this, "text for the phone")
    yield from exchange.carry(mme, this, RPData(
        reference=this.reference, uplink=False, originator=Address(msg.sc_address), user_data=msg.sm_rp_ui), rx)


def answered(mme: Mme, this: Exchange, message: RpMessage, rx: Rx) -> Effects:
    """What the phone says of the text."""
    if not message.uplink or message.reference != this.reference or not isinstance(message, RPAck | RPError):
        yield Verdict("text", False, f"{message.NAME} {message.reference} does not answer RP-DATA {this.reference}")
        return  # ignored (TS 24.011, 9.3.2): TR1N ends it
    assert this.request is not None
    if isinstance(message, RPAck):
        yield _answer(mme, this.request, ResultCode.DIAMETER_SUCCESS, sm_rp_ui=message.user_data)
        yield Verdict("text", True, "the phone has taken a text")
    else:
        full = message.cause == RpCause.MEMORY_CAPACITY_EXCEEDED
        cause = DeliveryFailure.MEMORY_CAPACITY_EXCEEDED if full else DeliveryFailure.EQUIPMENT_PROTOCOL_ERROR
        yield _failed(mme, this.request, cause, message.user_data)
        yield Verdict("text", False, f"the phone refused a text with RP cause #{message.cause}")
    yield from exchange.close(mme, this, "RP answer")


def refused(mme: Mme, this: Exchange, cause: int, rx: Rx) -> Effects:
    """CP-ERROR of the phone."""
    assert this.request is not None
    yield _failed(mme, this.request, DeliveryFailure.EQUIPMENT_PROTOCOL_ERROR)
    yield Verdict("text", False, f"the phone refused a text with CP cause #{cause}")
    yield from exchange.close(mme, this, "given up")


def _lost(mme: Mme, this: Exchange, rx: Rx, why: str) -> Effects:
    """It did not come when it was called, or fell silent; a phone that confirmed the CP-DATA may have the text."""
    assert this.request is not None
    if this.message is None:
        yield _failed(mme, this.request, DeliveryFailure.EQUIPMENT_PROTOCOL_ERROR)
    else:
        _seek(mme, this.request)
        yield _answer(mme, this.request, SgdResult.ABSENT_USER, absent_user_diagnostic_sm=NO_PAGING_RESPONSE)
    yield Verdict("text", False, f"not delivered: {why}")
    yield from exchange.close(mme, this, "given up")


def _failed(mme: Mme, request: Rx, cause: DeliveryFailure, report: bytes | None = None) -> Answer:
    return _answer(mme, request, SgdResult.SM_DELIVERY_FAILURE,
                   sm_delivery_failure_cause=SmDeliveryFailureCause(cause=cause, diagnostic=report))


def _answer(mme: Mme, request: Rx, code: int, **more: Any) -> Answer:
    result: dict[str, Any] = {"result_code": code}
    if code != ResultCode.DIAMETER_SUCCESS:
        result = {"experimental_result": ExperimentalResult(vendor_id=VENDOR_3GPP, experimental_result_code=code)}
    message = request.message
    assert isinstance(message, MTForwardShortMessageRequest)
    return Answer(MTForwardShortMessageAnswer(**mme.s6a_answer(message), **result, **more), to=request)


def _seek(mme: Mme, request: Rx) -> None:
    """Remember who wants to know when this phone is heard of; the oldest are forgotten first."""
    message = request.message
    assert isinstance(message, MTForwardShortMessageRequest)
    mme.sought.pop(message.user_name, None)
    mme.sought[message.user_name] = (request.peer, message.sms_gmsc_address or message.sc_address)
    if len(mme.sought) > MOST_SOUGHT:
        del mme.sought[next(iter(mme.sought))]


def heard(mme: Mme, ue: Ue) -> Effects:
    """A registered phone is in contact: whoever sought it in vain is told."""
    wanted = mme.sought.pop(ue.imsi, None)
    if wanted is not None:
        peer, centre = wanted
        yield Request("SGd", peer, AlertServiceCentreRequest(
            **mme.s6a_header(), sc_address=centre, user_identifier=UserIdentifier(
                user_name=ue.imsi, msisdn=ue.subscription.msisdn if ue.subscription else None),
            sms_gmsc_alert_event=AVAILABLE))
