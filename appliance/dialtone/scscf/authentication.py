# SPDX-License-Identifier: Apache-2.0
"""Authentication of a REGISTER by IMS AKA (TS 24.229, 5.4.1.2; TS 33.203, 6.1; RFC 3310; RFC 4169; TS 29.228, 6.3).

A challenge serves once: who repeats an answer gets a new challenge, never a registration. CK and IK go to the P-CSCF in
the 401; it keeps them from the phone.
"""

from functools import partial
from hmac import compare_digest
from typing import TYPE_CHECKING, NamedTuple

from dialtone.codec.diameter import AssignmentType, MultimediaAuthAnswer, MultimediaAuthRequest, SipAuthDataItem
from dialtone.codec.sip import AuthParams, SipUri
from dialtone.crypto import sip_digest
from dialtone.crypto.sip_digest import AKA_V1, AKA_V2
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, StartTimer, StopTimer, Unanswered, Verdict
from dialtone.errors import ProtocolError
from dialtone.scscf import assignment
from dialtone.scscf.cx import outcome, why
from dialtone.scscf.element import Scscf, on
from dialtone.scscf.states import RegistrationState
from dialtone.scscf.timers import REG_AWAIT_AUTH
from dialtone.scscf.user import Challenge, User

if TYPE_CHECKING:
    from dialtone.scscf.register import Attempt

SCHEME = "Digest-AKAv1-MD5"  # of Cx, whatever the digest makes of the vector (TS 29.229, 6.3.9)
QOP = "auth"


class _Vector(NamedTuple):
    """An authentication vector (TS 33.203, 6.1)."""

    rand: bytes
    autn: bytes
    xres: bytes
    ck: bytes
    ik: bytes

    @classmethod
    def of(cls, item: SipAuthDataItem) -> "_Vector | None":
        """Of an answer; None where a part is missing."""
        question, xres, ck, ik = (item.sip_authenticate, item.sip_authorization, item.confidentiality_key,
                                  item.integrity_key)
        if question is None or len(question) != 32 or not xres or not ck or not ik:
            return None
        return cls(question[:16], question[16:], xres, ck, ik)


def check(scscf: Scscf, attempt: "Attempt", rx: Rx) -> Effects:
    """The HSS lets the user try: compare what he answered, or ask him."""
    user, auth = scscf.users.get(attempt.impi), attempt.auth
    challenge = user.challenge if user else None
    if user is not None and challenge is not None and auth.get("nonce") == challenge.nonce:
        yield from _answered(scscf, user, challenge, attempt, rx)
    elif user is not None and attempt.protected and not scscf.config.ims.challenge_always and (
            user.state is RegistrationState.REGISTERED):
        yield from assignment.register(scscf, attempt, rx)  # the security association proves who it is (5.4.1.2.2)
    else:
        yield from challenge_with_new_vector(scscf, attempt)


def _answered(scscf: Scscf, user: User, challenge: Challenge, attempt: "Attempt", rx: Rx) -> Effects:
    user.challenge = None
    yield StopTimer(REG_AWAIT_AUTH.name, user.impi)
    if attempt.auth.get("auts"):
        yield from _resynchronise(scscf, attempt)
    elif not attempt.auth.get("response"):  # the card could not verify the network (RFC 3310, 3.2; 5.4.1.2.3)
        yield from _failed(scscf, attempt, "The SIM could not verify this network")
    elif not _right(challenge, attempt):
        yield from _failed(scscf, attempt, "Authentication failed")
    else:
        yield from assignment.register(scscf, attempt, rx)


def _right(challenge: Challenge, attempt: "Attempt") -> bool:
    """Whether the response is the one that only the SIM can make (RFC 3310, 3.3)."""
    auth, request = attempt.auth, attempt.request
    if auth.get("algorithm", challenge.algorithm).lower() != challenge.algorithm.lower() or (
            _host(auth.get("uri")) != _host(request.uri)):
        return False
    expected = sip_digest.response_of(
        challenge.password, username=auth.get("username"), realm=auth.get("realm"), method=request.method,
        uri=auth.get("uri"), nonce=challenge.nonce, qop=auth.get("qop"), cnonce=auth.get("cnonce"), nc=auth.get("nc"),
        body=request.body)
    return compare_digest(expected.encode(), auth.get("response").lower().encode("utf-8", "replace"))


def _host(uri: str) -> str:
    try:
        return SipUri.parse(uri).host
    except ProtocolError:
        return ""


def _failed(scscf: Scscf, attempt: "Attempt", reason: str) -> Effects:
    """The phone did not prove who it is; the HSS learns it (TS 29.228, 6.1.2)."""
    yield from _given_up(scscf, attempt, 403, reason)
    yield assignment.inform(scscf, attempt.impi, attempt.impu, AssignmentType.AUTHENTICATION_FAILURE)


def _given_up(scscf: Scscf, attempt: "Attempt", status: int, reason: str) -> Effects:
    yield Answer(scscf.response(attempt.request, status, reason), to=attempt.rx)
    yield Verdict("IMS registration", False, f"{status} {reason}")
    if (user := scscf.users.get(attempt.impi)) is not None:
        scscf.tidy(user)


def challenge_with_new_vector(scscf: Scscf, attempt: "Attempt", resync: bytes | None = None) -> Effects:
    """Ask the HSS for a vector; `resync` is RAND and AUTS of a card whose SQN is another (TS 29.228, 6.3)."""
    item = SipAuthDataItem(sip_authentication_scheme=SCHEME, sip_authorization=resync)
    yield scscf.ask(MultimediaAuthRequest(
        **scscf.header(), user_name=attempt.impi, public_identity=attempt.impu, sip_auth_data_item=item,
        sip_number_auth_items=1, server_name=scscf.uri,
    ), partial(_challenge, attempt))


def _resynchronise(scscf: Scscf, attempt: "Attempt") -> Effects:
    """The card's SQN goes to the HSS, which verifies it before it moves its own (TS 33.102, 6.3.5)."""
    try:
        rand, _ = sip_digest.split_nonce(attempt.auth.get("nonce"))
        auts = sip_digest.decode_base64(attempt.auth.get("auts"))
    except ProtocolError as error:
        yield from _given_up(scscf, attempt, 400, error.text)
        return
    yield from challenge_with_new_vector(scscf, attempt, rand + auts)


@on("Cx", MultimediaAuthAnswer)
def on_multimedia_auth_answer(scscf: Scscf, msg: MultimediaAuthAnswer, rx: Rx) -> Effects:
    """Goes on with the REGISTER that it is about."""
    assert rx.request is not None
    yield from rx.request.context(scscf, msg, rx)


@on.unanswered(MultimediaAuthRequest)
def on_no_multimedia_auth_answer(scscf: Scscf, event: Unanswered, rx: Rx) -> Effects:
    """The HSS is silent."""
    yield from event.request.context(scscf, None, rx)


def _challenge(attempt: "Attempt", scscf: Scscf, answer: MultimediaAuthAnswer | None, rx: Rx) -> Effects:
    rx.subject = attempt.subject
    items = answer.sip_auth_data_item if answer is not None else ()
    if answer is None or outcome(answer) != 2001 or not items:
        status, reason = (504, "The HSS does not answer") if answer is None else (403, why(outcome(answer)))
        yield from _given_up(scscf, attempt, status, reason)
        return
    vector = _Vector.of(items[0])
    if vector is None:
        yield from _given_up(scscf, attempt, 500, "The HSS gave an incomplete vector")
        return
    algorithm = AKA_V2 if attempt.auth.get("algorithm").lower() == AKA_V2.lower() else AKA_V1
    user = scscf.user(attempt.impi)
    nonce = sip_digest.make_nonce(vector.rand, vector.autn)
    user.challenge = Challenge(nonce, algorithm, sip_digest.password_of(algorithm, vector.xres, vector.ik, vector.ck))
    question = scscf.response(attempt.request, 401)
    question.append("WWW-Authenticate", str(AuthParams("Digest", {
        "realm": scscf.domain, "nonce": nonce, "algorithm": algorithm, "qop": QOP,
        "ck": vector.ck.hex(), "ik": vector.ik.hex()})))
    yield StartTimer(REG_AWAIT_AUTH.name, user.impi, REG_AWAIT_AUTH.seconds)
    yield Answer(question, to=attempt.rx)


@on.timer(REG_AWAIT_AUTH.name, REG_AWAIT_AUTH.clause)
def on_reg_await_auth_expired(scscf: Scscf, impi: str, rx: Rx) -> Effects:
    """The phone never answered its challenge; an earlier registration of it stays (5.4.1.2.1)."""
    user = scscf.users.get(impi)
    if user is None or user.challenge is None:
        return
    rx.subject = user.subject
    user.challenge = None
    yield Verdict("IMS registration", False, "the phone did not answer the challenge (401)")
    identity = next((each.identity for each in user.identities), f"sip:{impi}")
    yield assignment.inform(scscf, impi, identity, AssignmentType.AUTHENTICATION_TIMEOUT)
    scscf.tidy(user)
