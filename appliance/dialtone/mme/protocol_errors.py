# SPDX-License-Identifier: Apache-2.0
"""What is answered to octets and messages that break a protocol, or that nobody here expects.

S1AP: S1 Setup Failure and Error Indication (TS 36.413, 10). NAS: Attach Reject, EMM Status, ESM Status
(TS 24.301, 7). An answer on S6a or S11 that is of no use ends the attach that waits for it.
"""

from collections.abc import Iterator

from dialtone.codec.diameter import DiameterError, refusal
from dialtone.codec.nas import AttachReject, EMMStatus, ESMStatus, ServiceReject, TrackingAreaUpdateReject
from dialtone.codec.nas.security import split
from dialtone.codec.nas.tables import EPD_EMM, EsmMessage
from dialtone.codec.s1ap import (
    ErrorIndication,
    S1apMessage,
    S1SetupFailure,
    TriggeringMessage,
    criticality_notifications,
)
from dialtone.codec.s1ap.causes import Cause
from dialtone.codec.s1ap.errors import S1apError
from dialtone.codec.s1ap.notation import Criticality
from dialtone.codec.s1ap.values import CriticalityDiagnostics, CriticalityDiagnosticsIEItem
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, Send, SendOctets, Verdict
from dialtone.errors import ProtocolError
from dialtone.mme import gateway_request, short_message
from dialtone.mme.context import Ue, Wish
from dialtone.mme.context_release import drop
from dialtone.mme.element import Mme, UnknownUe
from dialtone.mme.relocation import Relocation
from dialtone.mme.states import EmmState

ERROR_INDICATION, S1_SETUP = 15, 17  # procedure codes (TS 36.413, 9.3.7)
REQUESTS = {bytes((EPD_EMM, kind)): name for kind, name in (
    (0x41, "Attach request"), (0x48, "Tracking area update request"), (0x4C, "Extended service request"))}
REJECTS: dict[str, type[AttachReject | TrackingAreaUpdateReject | ServiceReject]] = {
    "Attach request": AttachReject, "Tracking area update request": TrackingAreaUpdateReject,
    "Extended service request": ServiceReject}
NOT_IMPLEMENTED = 97  # message type non-existent or not implemented


def answer(mme: Mme, error: ProtocolError, rx: Rx) -> Effects:
    """The protocol's own answer."""
    if rx.point == "S1-MME":
        return _s1ap(error, rx)
    if rx.point == "NAS":
        return _nas(mme, error, rx)
    if rx.point == "SMS":
        return short_message.broken(error, rx)
    if rx.point == "SGd":
        return _sgd(mme, error, rx)
    if rx.point == "S11" and (rx.request is None or type(rx.message) in gateway_request.ANSWERS):
        return gateway_request.refuse(mme, error, rx)
    return drop_phone(mme, rx, f"the answer of {rx.peer} is of no use: {error}")


def notify(rx: Rx, message: S1apMessage, effects: list[Effect]) -> list[Effect]:
    """IEs to be ignored and told of: in the response if there is one, else in an Error Indication (10.3.4.2)."""
    faulty = criticality_notifications(message)
    if not faulty or isinstance(message, ErrorIndication):
        return effects
    diagnostics = CriticalityDiagnostics(
        message.PROCEDURE_CODE, message.KIND, message.CRITICALITY,
        tuple(CriticalityDiagnosticsIEItem(*ie) for ie in faulty))
    for effect in effects:
        if (isinstance(effect, Send) and isinstance(effect.message, S1apMessage)
                and effect.message.PROCEDURE_CODE == message.PROCEDURE_CODE
                and hasattr(effect.message, "criticality_diagnostics")):
            effect.message.criticality_diagnostics = diagnostics
            return effects
    return [*effects, Send(rx.point, rx.peer, ErrorIndication(
        mme_ue_s1ap_id=getattr(message, "mme_ue_s1ap_id", None),
        enb_ue_s1ap_id=getattr(message, "enb_ue_s1ap_id", None),
        criticality_diagnostics=diagnostics), stream=rx.stream)]


def _s1ap(error: ProtocolError, rx: Rx) -> Iterator[Effect]:
    if isinstance(rx.message, ErrorIndication):  # no answer to it, or two nodes would never stop
        return
    if isinstance(error, S1apError):
        yield from _unreadable(error, rx)
        return
    known = not isinstance(error, UnknownUe)
    if known and isinstance(rx.message, S1apMessage) and rx.message.KIND != TriggeringMessage.INITIATING_MESSAGE:
        return  # an answer that nobody waits for is dealt with where it is, and not answered (10.4)
    cause = Cause.of("protocol", "message-not-compatible-with-receiver-state")
    if isinstance(error, UnknownUe):
        cause = Cause.of("radioNetwork", error.s1_cause)
    yield Send(rx.point, rx.peer, ErrorIndication(
        mme_ue_s1ap_id=getattr(rx.message, "mme_ue_s1ap_id", None),
        enb_ue_s1ap_id=getattr(rx.message, "enb_ue_s1ap_id", None), cause=cause), stream=rx.stream)


def _unreadable(error: S1apError, rx: Rx) -> Iterator[Effect]:
    """Nothing for what may be ignored; an erroneous answer is left to the guard of its procedure (10.3.5)."""
    if error.criticality == Criticality.IGNORE or error.triggering_message or (
            error.procedure_code == ERROR_INDICATION):
        return
    cause, diagnostics = Cause.of("protocol", error.CAUSE), CriticalityDiagnostics.of(error)
    if error.procedure_code == S1_SETUP:
        yield Send(rx.point, rx.peer, S1SetupFailure(cause=cause, criticality_diagnostics=diagnostics),
                   stream=rx.stream)
        yield Verdict("S1 Setup", False, f"the S1 Setup Request of {rx.peer} breaks the protocol: {error}")
        return
    yield Send(rx.point, rx.peer, ErrorIndication(
        mme_ue_s1ap_id=error.mme_ue_s1ap_id, enb_ue_s1ap_id=error.enb_ue_s1ap_id, cause=cause,
        criticality_diagnostics=diagnostics), stream=rx.stream)


def _nas(mme: Mme, error: ProtocolError, rx: Rx) -> Iterator[Effect]:
    ue: Ue = rx.peer
    rx.subject, rx.state = ue.label, ue.emm
    if ue.ending or ue.enb is None or (ue.secured and not ue.verified):
        return
    cause = error.cause
    if rx.message is not None and (rx.point, type(rx.message)) not in mme.on.messages:
        cause = NOT_IMPLEMENTED
    if cause is not None and (kind := _initial(rx)) is not None:  # TS 24.301, 5.5.1.2.7 b, 5.5.3.2.7 b, 5.6.1.7 b
        yield Send("NAS", ue, REJECTS[kind](emm_cause=cause))
        yield Verdict(kind.removesuffix(" request").lower(), False,
                      f"refused with cause #{cause}: the {kind} breaks the protocol: {error}")
        if ue.emm is not EmmState.REGISTERED:
            yield from drop(mme, ue, rx)
        return
    if cause is not None:
        yield Send("NAS", ue, _status(rx, cause))
    if ue.emm is EmmState.DEREGISTERED and ue.request is None:  # nothing began: give the connection back
        yield Verdict("NAS", False, f"the first message of a phone is of no use: {error}")
        yield from drop(mme, ue, rx)


def _initial(rx: Rx) -> str | None:
    """The name of a request that a phone begins with and that has a reject of its own."""
    if rx.message is not None:
        return rx.message.NAME if rx.message.NAME in REJECTS else None
    try:
        cover = split(rx.octets)
    except ProtocolError:
        return None
    return None if cover.ciphered else REQUESTS.get(cover.message[:2])


def _status(rx: Rx, cause: int) -> EMMStatus | ESMStatus:
    """In the message's own protocol, for ESM with the identities of the message (TS 24.301, 8.3.15)."""
    if not isinstance(rx.message, EsmMessage):
        return EMMStatus(emm_cause=cause)
    return ESMStatus(esm_cause=cause, eps_bearer_identity=rx.message.eps_bearer_identity,
                     procedure_transaction_identity=rx.message.procedure_transaction_identity)


def _sgd(mme: Mme, error: ProtocolError, rx: Rx) -> Iterator[Effect]:
    """A request is refused with the Result-Code of the error; the guard of its exchange replaces a useless answer."""
    if isinstance(error, DiameterError):
        octets = refusal(rx.octets, error, mme.s6a.origin_host, mme.s6a.origin_realm)
        if octets is not None:
            yield SendOctets(rx.point, rx.peer, f"refusal, Result-Code {error.cause}", octets)


def drop_phone(mme: Mme, rx: Rx, why: str = "a defect of the core; see its log") -> Effects:
    """End what the phone that `rx` is about has here."""
    ue = _phone(mme, rx)
    if ue is not None and not ue.ending:
        rx.subject = ue.label
        yield Verdict("attach", False, why)
        yield from drop(mme, ue, rx)


def _phone(mme: Mme, rx: Rx) -> Ue | None:
    number = getattr(rx.message, "mme_ue_s1ap_id", None)
    for found in (rx.peer, rx.request.context if rx.request else None, number):
        if isinstance(found, Wish | Relocation):
            found = found.ue
        if isinstance(found, int):
            found = mme.ues.get(found)
        if isinstance(found, Ue):
            return found
    return None
