# SPDX-License-Identifier: Apache-2.0
"""Authentication (TS 24.301, 5.4.2): AIR to the HSS, the challenge to the phone, every way it can fail."""

import hmac
from collections.abc import Iterator

from dialtone.codec.diameter import (
    AuthenticationInformationAnswer,
    AuthenticationInformationRequest,
    RequestedEutranAuthenticationInfo,
)
from dialtone.codec.nas import (
    AuthenticationFailure,
    AuthenticationReject,
    AuthenticationRequest,
    AuthenticationResponse,
    TrackingAreaUpdateRequest,
)
from dialtone.codec.nas.values import NO_KEY
from dialtone.codec.s1ap.causes import Cause
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, Send, Unanswered, Verdict
from dialtone.errors import ProtocolError
from dialtone.ids import Guti
from dialtone.mme import identification, reject, retransmission
from dialtone.mme.context import Challenge, Next, SecurityContext, Ue
from dialtone.mme.context_release import drop, end
from dialtone.mme.element import NOT_EXPECTED, Mme, on

MAC_FAILURE, SYNCH_FAILURE, NON_EPS = 20, 21, 26
STICKY = "The phone now refuses this network until it is switched off and on (or its SIM is taken out)."


def start(mme: Mme, ue: Ue, rx: Rx, then: Next, resynchronise: bytes | None = None) -> Effects:
    """Get a vector for the phone's IMSI and challenge it, then go on with `then`."""
    ue.then = then
    yield ue.ask(mme.s6a.element, AuthenticationInformationRequest(
        **mme.s6a_header(),
        user_name=ue.imsi,
        requested_eutran_authentication_info=RequestedEutranAuthenticationInfo(
            number_of_requested_vectors=1, immediate_response_preferred=0, re_synchronization_info=resynchronise),
        visited_plmn_id=mme.plmn,
    ))


@on("S6a", AuthenticationInformationAnswer)
def on_authentication_information_answer(mme: Mme, msg: AuthenticationInformationAnswer, rx: Rx) -> Effects:
    """The vector came, or the reason why there is none (TS 29.272, annex A maps it to an EMM cause)."""
    assert rx.request is not None
    ue: Ue = rx.request.context
    if not ue.answered(rx.request):
        return
    rx.subject, rx.state = ue.label, ue.emm
    info = msg.authentication_info
    if msg.result_code != 2001 or info is None or not info.eutran_vector:
        cause, why = reject.reason(msg.result_code, msg.experimental_result, msg.error_diagnostic)
        yield from _unless_in_need(mme, ue, rx, why, reject.request(mme, ue, rx, cause, why))
        return
    vector = info.eutran_vector[0]
    resynchronised = ue.challenge is not None and ue.challenge.resynchronised
    ue.challenge = Challenge(vector.rand, vector.autn, vector.xres, vector.kasme, _new_ksi(ue), resynchronised)
    yield from retransmission.send(ue, "T3460", AuthenticationRequest(
        nas_key_set_identifier=ue.challenge.ksi, rand=vector.rand, autn=vector.autn))


def _new_ksi(ue: Ue) -> int:
    """A key set identifier that the phone does not hold yet (TS 24.301, 5.4.2.2)."""
    used = {ue.security.ksi} if ue.security else set()
    if ue.request is not None:
        used.add(ue.request.nas_key_set_identifier & 7)
    return next(ksi for ksi in range(NO_KEY) if ksi not in used)


@on.unanswered(AuthenticationInformationRequest)
def on_no_authentication_information_answer(mme: Mme, event: Unanswered, rx: Rx) -> Effects:
    """The HSS is silent: network failure, which the phone does not hold against the SIM."""
    ue: Ue = event.request.context
    if ue.answered(event.request):
        rx.subject = ue.label
        why = "the HSS does not answer"
        yield from _unless_in_need(mme, ue, rx, why, reject.request(mme, ue, rx, reject.NETWORK_FAILURE, why))


@on("NAS", AuthenticationResponse)
def on_authentication_response(mme: Mme, msg: AuthenticationResponse, rx: Rx) -> Effects:
    """RES right: the new K_ASME waits for its security mode. RES wrong: TS 24.301, 5.4.2.5."""
    ue: Ue = rx.peer
    challenge = _outstanding(ue)
    yield from retransmission.stop(ue, "T3460")
    ue.challenge = None
    if not hmac.compare_digest(msg.res, challenge.xres):
        yield from _failed(mme, ue, rx, "the SIM answered with a wrong RES: its K differs from the one in the HSS")
        return
    ue.next_security = SecurityContext(challenge.ksi, challenge.kasme)
    assert ue.then is not None
    yield from ue.then(mme, ue, rx)


@on("NAS", AuthenticationFailure)
def on_authentication_failure(mme: Mme, msg: AuthenticationFailure, rx: Rx) -> Effects:
    """The SIM does not take our challenge (TS 24.301, 5.4.2.6 and 5.4.2.7)."""
    ue: Ue = rx.peer
    challenge = _outstanding(ue)
    yield from retransmission.stop(ue, "T3460")
    if msg.emm_cause == SYNCH_FAILURE and msg.authentication_failure_parameter is not None:
        if challenge.resynchronised:
            why = "the SIM asked for resynchronisation twice in a row"
            yield from _unless_in_need(mme, ue, rx, why, _refuse(mme, ue, rx, why))
            return
        challenge.resynchronised = True
        assert ue.then is not None
        yield from start(mme, ue, rx, ue.then, challenge.rand + msg.authentication_failure_parameter)
        return
    ue.challenge = None
    if msg.emm_cause == NON_EPS:
        why = "the SIM says the challenge is not for LTE (#26): the AMF of the subscriber must be 8000"
    else:
        why = ("the SIM does not accept our AUTN (MAC failure, #20): K or OPc in the HSS differ from the SIM's; "
               "the commonest reason is an OP entered as OPc")
    yield from _failed(mme, ue, rx, why)


def _outstanding(ue: Ue) -> Challenge:
    if ue.challenge is None or "T3460" not in ue.retries:
        raise ProtocolError("no authentication is under way", cause=NOT_EXPECTED, clause="TS 24.301, 7.4")
    return ue.challenge


def _failed(mme: Mme, ue: Ue, rx: Rx, why: str) -> Iterator[Effect]:
    """A GUTI may have named the wrong phone: ask the IMSI once and try again, else refuse for good."""
    by_guti = isinstance(ue.request, TrackingAreaUpdateRequest) or (
        ue.request is not None and isinstance(ue.request.eps_mobile_identity, Guti))
    if by_guti and not ue.asked_imsi and (then := ue.then) is not None:
        yield from identification.start(mme, ue, rx, lambda mme, ue, rx: start(mme, ue, rx, then))
        return
    yield from _unless_in_need(mme, ue, rx, why, _refuse(mme, ue, rx, why))


def _unless_in_need(mme: Mme, ue: Ue, rx: Rx, why: str, refusal: Effects) -> Effects:
    """Who attaches for an emergency is served without proof (5.4.2.5, 5.4.2.7; TS 33.401, 15.2.2.1)."""
    if (otherwise := ue.otherwise) is None:
        yield from refusal
        return
    ue.challenge = None
    yield Verdict("authentication", False, f"{why}: served without proof, since it is an emergency")
    yield from otherwise(mme, ue, rx)


def _refuse(mme: Mme, ue: Ue, rx: Rx, why: str) -> Iterator[Effect]:
    if mme.config.network.temporary_rejects:
        yield from reject.request(mme, ue, rx, reject.NETWORK_FAILURE, why)
        return
    yield Send("NAS", ue, AuthenticationReject())
    yield Verdict("authentication", False, f"{why}. {STICKY}")
    yield from end(mme, ue, rx, Cause.of("nas", "authentication-failure"))


@on.timer("T3460", "TS 24.301, 5.4.2.7 and 5.4.3.7")
def on_t3460(mme: Mme, number: int, rx: Rx) -> Effects:
    """Repeat four times, then give up and release; the same timer guards the security mode command."""
    ue, effects = retransmission.again(mme, number, "T3460", rx)
    yield from effects
    if ue and not effects:
        what = "security mode" if ue.challenge is None else "authentication"
        yield Verdict(what, False, "the phone stopped answering (T3460 expired 5 times)")
        yield from drop(mme, ue, rx)
