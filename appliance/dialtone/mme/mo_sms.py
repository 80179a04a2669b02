# SPDX-License-Identifier: Apache-2.0
"""Texts of a phone (TS 24.011, 6.3.1; TS 29.338, 5.2): RP-DATA -> MO-Forward-Short-Message -> RP-ACK or RP-ERROR;
RP-SMMA -> Alert-Service-Centre -> RP-ACK."""

from dialtone.codec.diameter import ResultCode
from dialtone.codec.diameter.sgd import (
    AlertServiceCentreAnswer,
    AlertServiceCentreRequest,
    DeliveryFailure,
    MOForwardShortMessageAnswer,
    MOForwardShortMessageRequest,
    UserIdentifier,
)
from dialtone.codec.sms import RPAck, RPData, RPError, RpMessage, RPSmma
from dialtone.codec.sms.address import Address
from dialtone.codec.sms.errors import RpCause
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Request, Unanswered, Verdict
from dialtone.mme import exchange
from dialtone.mme.context import Ue
from dialtone.mme.element import Mme, on
from dialtone.mme.exchange import Exchange
from dialtone.mme.states import SmState

AVAILABLE = 1 << 0  # SMS-GMSC-Alert-Event: UE Available For MT SMS (TS 29.338, 6.3.3.26)
CAUSES = {
    DeliveryFailure.UNKNOWN_SERVICE_CENTRE: RpCause.UNASSIGNED_NUMBER,
    DeliveryFailure.SC_CONGESTION: RpCause.CONGESTION,
    DeliveryFailure.INVALID_SME_ADDRESS: RpCause.SHORT_MESSAGE_TRANSFER_REJECTED,
    DeliveryFailure.USER_NOT_SC_USER: RpCause.UNIDENTIFIED_SUBSCRIBER,
}
"""TS 24.011, annex E.2; everything else is a protocol error."""


def relay(mme: Mme, ue: Ue, ti: int, message: RpMessage, heard: bytes, rx: Rx) -> Effects:
    """What a phone begins, to the service centre."""
    this = Exchange(ue, ti, False, message.reference, lost, heard=heard)
    yield from exchange.begin(mme, this, "RP-DATA or RP-SMMA of the phone")
    user = UserIdentifier(user_name=ue.imsi, msisdn=ue.subscription.msisdn if ue.subscription else None)
    match message:
        case RPData(uplink=True):
            yield Request("SGd", mme.sms_centre, MOForwardShortMessageRequest(
                **mme.s6a_header(), sc_address=_digits(mme, message.destination), user_identifier=user,
                sm_rp_ui=message.user_data), context=this)
        case RPSmma():
            yield Request("SGd", mme.sms_centre, AlertServiceCentreRequest(
                **mme.s6a_header(), sc_address=_digits(mme, None), user_identifier=user,
                sms_gmsc_alert_event=AVAILABLE), context=this)
        case _:
            yield from refuse(mme, this, RpCause.NOT_COMPATIBLE_WITH_STATE, rx)


def _digits(mme: Mme, centre: Address | None) -> str:
    """The number of the service centre; ours where the card has none, or nonsense."""
    value = centre.value if centre is not None else ""
    return value if value.isdigit() else mme.config.sms.number.lstrip("+")


def refuse(mme: Mme, this: Exchange, cause: int, rx: Rx, report: bytes | None = None) -> Effects:
    """RP-ERROR."""
    yield Verdict("text", False, f"refused with RP cause #{cause}: the phone says that it was not sent")
    yield from _answer(mme, this, RPError(reference=this.reference, uplink=False, cause=cause, user_data=report), rx)


def _answer(mme: Mme, this: Exchange, message: RpMessage, rx: Rx) -> Effects:
    yield from this.move("answer of the service centre")
    yield from exchange.carry(mme, this, message, rx)


def _waiting(mme: Mme, this: Exchange, rx: Rx) -> bool:
    rx.subject, rx.state = this.ue.label, this.state
    return mme.exchanges.get(this.key) is this and this.state is SmState.RELAYED


@on("SGd", MOForwardShortMessageAnswer)
def on_mo_forward_short_message_answer(mme: Mme, msg: MOForwardShortMessageAnswer, rx: Rx) -> Effects:
    """The centre has it on its disk, or refuses it."""
    assert rx.request is not None
    this: Exchange = rx.request.context
    if not _waiting(mme, this, rx):
        return
    if msg.result_code == ResultCode.DIAMETER_SUCCESS:
        yield Verdict("text", True, "the service centre has taken the phone's text")
        yield from _answer(mme, this, RPAck(reference=this.reference, uplink=False, user_data=msg.sm_rp_ui), rx)
        return
    failure = msg.sm_delivery_failure_cause
    if failure is None:
        yield from refuse(mme, this, RpCause.NETWORK_OUT_OF_ORDER, rx)
        return
    known = CAUSES.get(DeliveryFailure(failure.cause)) if failure.cause in list(DeliveryFailure) else None
    yield from refuse(mme, this, known or RpCause.PROTOCOL_ERROR, rx, failure.diagnostic)


@on("SGd", AlertServiceCentreAnswer)
def on_alert_service_centre_answer(mme: Mme, msg: AlertServiceCentreAnswer, rx: Rx) -> Effects:
    """It knows: to an RP-SMMA that is the answer; an alert of our own needs none."""
    assert rx.request is not None
    this: Exchange | None = rx.request.context
    if this is None or not _waiting(mme, this, rx):
        return
    if msg.result_code == ResultCode.DIAMETER_SUCCESS:
        yield from _answer(mme, this, RPAck(reference=this.reference, uplink=False), rx)
    else:
        yield from refuse(mme, this, RpCause.NETWORK_OUT_OF_ORDER, rx)


@on.unanswered(MOForwardShortMessageRequest)
def on_no_mo_forward_short_message_answer(mme: Mme, event: Unanswered, rx: Rx) -> Effects:
    """The service centre is not there; most likely TR2N has said so already."""
    if _waiting(mme, event.request.context, rx):
        yield from refuse(mme, event.request.context, RpCause.NETWORK_OUT_OF_ORDER, rx)


def lost(mme: Mme, this: Exchange, rx: Rx, why: str) -> Effects:
    """The centre is silent: the phone is told. The phone is: it tries again by itself."""
    if this.state is SmState.RELAYED:
        yield from refuse(mme, this, RpCause.NETWORK_OUT_OF_ORDER, rx)
        return
    yield Verdict("text", False, f"the answer to the phone's text did not arrive: {why}")
    yield from exchange.close(mme, this, "given up")
