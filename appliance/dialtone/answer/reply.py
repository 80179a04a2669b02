# SPDX-License-Identifier: Apache-2.0
"""Answers to INVITE, UPDATE and PRACK: what they have in common."""

from typing import Any

from dialtone.answer import offer as offers
from dialtone.answer.element import AnswerServices, Call
from dialtone.codec import sdp, sip
from dialtone.codec.sip import SipError, SipRequest, SipResponse
from dialtone.effects import Answer, Effects, StartTimer, StopTimer

ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE"
SESSION_EXPIRES = "Session-Expires"
SHORTEST = 90  # seconds (RFC 4028, 4)


def offer_of(msg: SipRequest) -> sdp.Session:
    """The offer that a request brings. Raises SipError: 488 without one, 415 for something else."""
    if not msg.body:
        raise SipError("a call to a service begins with an offer", cause=488, clause="RFC 3261, 13.2.1")
    if msg.content_type != "application/sdp":
        raise SipError(f"{msg.content_type} is no session description", cause=415, clause="RFC 3261, 8.2.3",
                       headers=(("Accept", "application/sdp"),))
    return sdp.decode(msg.body)


def response(services: AnswerServices, call: Call, status: int) -> Any:
    answer = sip.response(call.request, status)
    answer.set("To", f"{call.request.first('To')};tag={call.tag}")
    for value in call.route:
        answer.append("Record-Route", value)
    answer.append("Contact", f"<sip:{services.host}>")
    answer.append("Allow", ALLOW)
    return answer


def pick_up(services: AnswerServices, call: Call, offer: sdp.Session | None = None) -> Effects:
    """Answer the INVITE; `offer` is the one that has no answer yet."""
    yield call.move("200")
    yield StopTimer(SESSION_EXPIRES, call.key)
    answer = response(services, call, 200)
    if offer is not None:
        describe(services, call, offer, answer)
    yield from timed(call, call.request, answer)
    yield Answer(answer, to=call.invite)


def describe(services: AnswerServices, call: Call, offer: sdp.Session, answer: SipResponse) -> None:
    """Our session description into an answer."""
    call.version = services.next_version()
    ours = offers.answer(offer, call.agreed, services.address_for(call.agreed.address), call.port, call.version)
    answer.content("application/sdp", sdp.encode(ours))


def timed(call: Call, msg: SipRequest, answer: SipResponse) -> Effects:
    """Let the caller refresh the session where it knows how to (RFC 4028, 9)."""
    wanted = (msg.first(SESSION_EXPIRES) or "").partition(";")[0].strip()
    if "timer" not in msg.options("Supported") or not wanted.isascii() or not wanted.isdigit():
        return
    call.expires = max(min(int(wanted[:9]), 86_400), SHORTEST)
    answer.append(SESSION_EXPIRES, f"{call.expires};refresher=uac")
    answer.append("Require", "timer")
    yield StartTimer(SESSION_EXPIRES, call.key, call.expires)
