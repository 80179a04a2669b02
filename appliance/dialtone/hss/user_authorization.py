# SPDX-License-Identifier: Apache-2.0
"""User registration status query (TS 29.228, 6.1.1): may this user register, and with which S-CSCF?"""

from dialtone.codec.diameter import (
    AuthorizationType,
    CxResult,
    ResultCode,
    UserAuthorizationAnswer,
    UserAuthorizationRequest,
)
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Save, Verdict
from dialtone.hss import ims
from dialtone.hss.element import Hss, on
from dialtone.hss.writes import NoteSeen

EMERGENCY = 1
"""UAR-Flags: an emergency registration, which roaming does not keep from (TS 29.228, 6.1.1.1)."""


@on("Cx", UserAuthorizationRequest)
def on_user_authorization_request(hss: Hss, msg: UserAuthorizationRequest, rx: Rx) -> Effects:
    """Nothing is changed by the question, not even by that before a de-registration."""
    rx.subject = ims.imsi_of(msg.user_name) or msg.user_name
    try:
        answer = _answer(hss, msg, rx)
    except ims.Refused as refused:
        yield Answer(ims.answer(hss, UserAuthorizationAnswer, msg, refused.code))
        yield Verdict("IMS registration", False, refused.why)
        if refused.code == CxResult.DIAMETER_ERROR_USER_UNKNOWN and ims.imsi_of(msg.user_name):
            yield Save((NoteSeen(ims.imsi_of(msg.user_name), int(rx.now), "tried to register for IMS"),))
        return
    yield Answer(answer)


def _answer(hss: Hss, msg: UserAuthorizationRequest, rx: Rx) -> UserAuthorizationAnswer:
    """The steps of TS 29.228, 6.1.1.1. Raises Refused."""
    subscriber = ims.by_both(hss, msg.user_name, msg.public_identity)
    rx.subject = subscriber.imsi
    kind = msg.user_authorization_type or AuthorizationType.REGISTRATION
    leaves = kind == AuthorizationType.DE_REGISTRATION
    urgent = bool((msg.uar_flags or 0) & EMERGENCY)
    if not leaves and not urgent and not subscriber.profile.roaming and not _home(hss, msg.visited_network_identifier):
        raise ims.Refused(CxResult.DIAMETER_ERROR_ROAMING_NOT_ALLOWED,
                          f"it may not register in {msg.visited_network_identifier.decode(errors='replace')}")
    served = ims.registration(hss, subscriber.imsi)
    if kind == AuthorizationType.REGISTRATION_AND_CAPABILITIES:
        return ims.answer(hss, UserAuthorizationAnswer, msg, ResultCode.DIAMETER_SUCCESS,
                          server_capabilities=ims.capabilities(hss))
    if leaves:
        if served.state == ims.NOT_REGISTERED:
            raise ims.Refused(CxResult.DIAMETER_ERROR_IDENTITY_NOT_REGISTERED, "it is not registered")
        return ims.answer(hss, UserAuthorizationAnswer, msg, ResultCode.DIAMETER_SUCCESS, server_name=served.scscf)
    if served.scscf:  # registered, or being authenticated, or served while away
        return ims.answer(hss, UserAuthorizationAnswer, msg, CxResult.DIAMETER_SUBSEQUENT_REGISTRATION,
                          server_name=served.scscf)
    return ims.answer(hss, UserAuthorizationAnswer, msg, CxResult.DIAMETER_FIRST_REGISTRATION,
                      server_capabilities=ims.capabilities(hss))


def _home(hss: Hss, visited: bytes) -> bool:
    """Whether the visited network is ours; its identifier is a domain name of it (TS 24.229, 5.2.2.1)."""
    name = visited.decode(errors="replace").strip('"').lower()
    return name == hss.plmn.domain or name.endswith(f".{hss.plmn.domain}")
