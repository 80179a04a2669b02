# SPDX-License-Identifier: Apache-2.0
"""S-CSCF registration and de-registration notification (TS 29.228, 6.1.2): the S-CSCF has a user, or no longer."""

from dataclasses import replace

from dialtone.codec.diameter import (
    AssignmentType,
    CxResult,
    ResultCode,
    ServerAssignmentAnswer,
    ServerAssignmentRequest,
)
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Changed, Effects, Verdict
from dialtone.hss import ims
from dialtone.hss.element import Hss, on
from dialtone.hss.ims_profile import document
from dialtone.hss.subscriber import ImsRegistration, Subscriber

DATA_NOT_AVAILABLE = 0  # User-Data-Already-Available (TS 29.229, 6.3.26)
TYPE = AssignmentType
LEAVING = (TYPE.TIMEOUT_DEREGISTRATION, TYPE.USER_DEREGISTRATION, TYPE.DEREGISTRATION_TOO_MUCH_DATA,
           TYPE.ADMINISTRATIVE_DEREGISTRATION)
KEEPING = (TYPE.TIMEOUT_DEREGISTRATION_STORE_SERVER_NAME, TYPE.USER_DEREGISTRATION_STORE_SERVER_NAME)
FAILED = (TYPE.AUTHENTICATION_FAILURE, TYPE.AUTHENTICATION_TIMEOUT)
PROFILE = (TYPE.NO_ASSIGNMENT, TYPE.REGISTRATION, TYPE.RE_REGISTRATION, TYPE.UNREGISTERED_USER, TYPE.RESTORATION)
"""The types that are answered with the profile."""


@on("Cx", ServerAssignmentRequest)
def on_server_assignment_request(hss: Hss, msg: ServerAssignmentRequest, rx: Rx) -> Effects:
    """Answered when the new state is on the disk."""
    rx.subject = ims.imsi_of(msg.user_name or "") or msg.user_name or "".join(msg.public_identity[:1])
    try:
        subscriber = _whom(hss, msg)
        rx.subject = subscriber.imsi
        before = ims.registration(hss, subscriber.imsi)
        after = _after(before, msg, rx.now)
    except ims.Refused as refused:
        yield Answer(ims.answer(hss, ServerAssignmentAnswer, msg, refused.code, **refused.fields))
        yield Verdict("IMS registration", False, refused.why)
        return
    yield from ims.save(hss, ServerAssignmentAnswer, msg, rx, ims.changes(before, after))
    if after.state != before.state:
        yield Changed("IMS registration", subscriber.imsi, before.state, after.state)
    answer = ims.answer(hss, ServerAssignmentAnswer, msg, ResultCode.DIAMETER_SUCCESS, user_name=subscriber.impi)
    if msg.server_assignment_type in PROFILE and msg.user_data_already_available == DATA_NOT_AVAILABLE:
        answer.user_data = document(hss, subscriber)
    yield Answer(answer)


def _whom(hss: Hss, msg: ServerAssignmentRequest) -> Subscriber:
    """Steps 0 and 1 of TS 29.228, 6.1.2.1. Raises Refused."""
    if msg.user_name is None and not msg.public_identity:
        raise ims.Refused(ResultCode.DIAMETER_MISSING_AVP, "the S-CSCF names nobody")
    if len(msg.public_identity) > 1 and msg.server_assignment_type not in (*LEAVING, *KEEPING):
        raise ims.Refused(ResultCode.DIAMETER_AVP_OCCURS_TOO_MANY_TIMES, "more than one identity is registered at once")
    if msg.user_name is None:
        return ims.by_impu(hss, msg.public_identity[0])
    subscriber = ims.by_impi(hss, msg.user_name)
    for impu in msg.public_identity:
        ims.by_both(hss, msg.user_name, impu)
    return subscriber


def _after(before: ImsRegistration, msg: ServerAssignmentRequest, now: float) -> ImsRegistration:
    """What the registration becomes (step 2). Raises Refused."""
    kind, own = msg.server_assignment_type, before.scscf in ("", msg.server_name)
    if kind in (TYPE.REGISTRATION, TYPE.RE_REGISTRATION, TYPE.UNREGISTERED_USER):
        if not own and not before.pending:
            raise ims.Refused(CxResult.DIAMETER_ERROR_IDENTITY_ALREADY_REGISTERED,
                              f"it is with {before.scscf} already", server_name=before.scscf)
        state = ims.UNREGISTERED if kind == TYPE.UNREGISTERED_USER else ims.REGISTERED
        return ims.assigned(msg, before.imsi, state, now)
    if kind not in TYPE._value2member_map_ or kind in (TYPE.AAA_USER_DATA_REQUEST, TYPE.PGW_UPDATE):
        raise ims.Refused(CxResult.DIAMETER_ERROR_IN_ASSIGNMENT_TYPE, f"Server-Assignment-Type {kind} is not one of Cx")
    if not own or (not before.scscf and kind in (TYPE.NO_ASSIGNMENT, TYPE.RESTORATION)):
        raise ims.Refused(ResultCode.DIAMETER_UNABLE_TO_COMPLY, f"{msg.server_name} does not have this user")
    if kind in KEEPING:
        return ims.assigned(msg, before.imsi, ims.UNREGISTERED, now)
    if kind in LEAVING or (kind in FAILED and before.state != ims.REGISTERED):
        return ImsRegistration(before.imsi, "", "", "", ims.NOT_REGISTERED, False, int(now))
    return replace(before, pending=False) if kind in FAILED else before
