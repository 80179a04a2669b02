# SPDX-License-Identifier: Apache-2.0
"""Update Location (TS 29.272, 5.2.1.1): the MME serves the subscriber and gets the subscription.

Update-Location Request -> (the registration is on the disk) -> Cancel-Location Request to the MME of before
-> Update-Location Answer
"""

from dialtone.codec.diameter import (
    ExperimentalResultCode,
    ResultCode,
    TerminalInformation,
    UpdateLocationAnswer,
    UpdateLocationRequest,
)
from dialtone.codec.diameter.table import UnknownAvp
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Event, Save, Send, Verdict
from dialtone.hss import cancel_location, subscription
from dialtone.hss.element import Hss, on, result
from dialtone.hss.subscriber import Registration, Subscriber
from dialtone.hss.writes import PutRegistration

EUTRAN, EUTRAN_NB_IOT = 1004, 1005  # RAT-Type (TS 29.212, 5.3.31)
RESTRICTED = {EUTRAN: 1 << 4, EUTRAN_NB_IOT: 1 << 6, 1000: 1 << 0, 1001: 1 << 1}
"""RAT-Type to the bit of Access-Restriction-Data that forbids it (TS 29.272, 7.3.31)."""
SKIP_SUBSCRIBER_DATA = 1 << 2  # ULR-Flags (7.3.7)
SEPARATION = 1 << 0  # ULA-Flags: the MME may keep what an SGSN has (7.3.8)
NO_GPRS_DATA_SUBSCRIBED = 1  # Error-Diagnostic (7.3.128)
PERIODIC_UPDATE = UnknownAvp(1619, 10415, 0x80, (3240).to_bytes(4))
"""Subscribed-Periodic-RAU-TAU-Timer (7.3.134), seconds. Its place is in Subscription-Data; NextEPC's MME looks for it
beside that, and attaches nobody without it."""


class LocationNotSaved(Event):
    """The registration could not be committed: the MME must not believe that it serves the subscriber."""

    __slots__ = ("peer", "request")

    def __init__(self, peer: str, request: UpdateLocationRequest) -> None:
        self.peer = peer
        self.request = request


@on("S6a", UpdateLocationRequest)
def on_update_location_request(hss: Hss, msg: UpdateLocationRequest, rx: Rx) -> Effects:
    """Check, register, cancel elsewhere, answer (5.2.1.1.3)."""
    imsi = rx.subject = msg.user_name
    subscriber = hss.subscribers.get(imsi)
    objection = _objection(hss, subscriber, msg)
    if subscriber is None or objection is not None:
        answer = _answer(hss, msg, objection or ExperimentalResultCode.DIAMETER_ERROR_USER_UNKNOWN)
        if objection is ExperimentalResultCode.DIAMETER_ERROR_UNKNOWN_EPS_SUBSCRIPTION:
            answer.error_diagnostic = NO_GPRS_DATA_SUBSCRIBED
        yield Answer(answer)
        return
    before = hss.subscribers.registration(imsi)
    after = Registration(imsi, msg.origin_host, msg.origin_realm, str(msg.visited_plmn_id), int(rx.now),
                         imei_of(msg.terminal_information) or (before.imei if before else ""))
    if before is None or _differ(before, after):
        yield Save((PutRegistration(after),), failed=LocationNotSaved(rx.peer, msg))
    if before is not None and before.mme != after.mme:
        yield cancel_location.request(hss, before, cancel_location.MME_UPDATE)
    answer = _answer(hss, msg, ResultCode.DIAMETER_SUCCESS)
    answer.ula_flags = SEPARATION
    if not msg.ulr_flags & SKIP_SUBSCRIBER_DATA:
        answer.subscription_data = subscription.data(subscriber)
        answer.unknown = (PERIODIC_UPDATE,)
    yield Answer(answer)


def _objection(hss: Hss, subscriber: Subscriber | None, msg: UpdateLocationRequest) -> ExperimentalResultCode | None:
    """Why this network or this radio may not serve the subscriber."""
    if subscriber is None:
        return ExperimentalResultCode.DIAMETER_ERROR_USER_UNKNOWN
    profile = subscriber.profile
    if not profile.apns:
        return ExperimentalResultCode.DIAMETER_ERROR_UNKNOWN_EPS_SUBSCRIPTION
    if RESTRICTED.get(msg.rat_type, 0) & profile.access_restriction:
        return ExperimentalResultCode.DIAMETER_ERROR_RAT_NOT_ALLOWED
    if msg.visited_plmn_id != hss.plmn and not profile.roaming:
        return ExperimentalResultCode.DIAMETER_ERROR_ROAMING_NOT_ALLOWED
    return None


def imei_of(terminal: TerminalInformation | None) -> str:
    """IMEI and software version as one text, as far as they are told."""
    return (terminal.imei or "") + (terminal.software_version or "") if terminal else ""


def _differ(before: Registration, after: Registration) -> bool:
    """Whether there is anything to write: a phone that comes back to the same MME costs no fsync."""
    return (before.mme, before.realm, before.plmn, before.imei, before.purged) != (
        after.mme, after.realm, after.plmn, after.imei, after.purged)


def _answer(hss: Hss, request: UpdateLocationRequest, code: ResultCode | ExperimentalResultCode
            ) -> UpdateLocationAnswer:
    return UpdateLocationAnswer(session_id=request.session_id, origin_host=hss.origin_host,
                                origin_realm=hss.origin_realm, proxy_info=request.proxy_info, **result(code))


@on.event(LocationNotSaved)
def on_location_not_saved(hss: Hss, event: LocationNotSaved, rx: Rx) -> Effects:
    """The disk is at fault, or the subscriber was removed in this moment."""
    rx.subject = event.request.user_name
    answer = _answer(hss, event.request, ResultCode.DIAMETER_UNABLE_TO_COMPLY)
    answer.hop_by_hop, answer.end_to_end = event.request.hop_by_hop, event.request.end_to_end
    yield Send("S6a", event.peer, answer)
    yield Verdict("update location", False, "the registration could not be saved: is the disk full or read-only?")
