# SPDX-License-Identifier: Apache-2.0
"""A call to an answer service, from INVITE to BYE (RFC 3261, 13.3 and 15.1; TS 24.229, 5.7).

INVITE -> [183 -> PRACK -> UPDATE, where the caller has a bearer to reserve] -> 200 -> ACK -> words -> BYE
"""

from typing import Any

from dialtone.answer import offer as offers
from dialtone.answer import reply, session
from dialtone.answer.element import (
    AnswerServices,
    Call,
    CloseStream,
    OpenStream,
    StreamFailed,
    StreamFinished,
    on,
)
from dialtone.answer.service import Caller, script
from dialtone.answer.states import CALL, CallState
from dialtone.codec import sip
from dialtone.codec.sip import (
    AckRequest,
    ByeRequest,
    ByeResponse,
    CancelRequest,
    InviteRequest,
    NameAddr,
    SipError,
    SipRequest,
    SipUri,
    TelUri,
)
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Request, StartTimer, StopTimer, Unanswered, Verdict
from dialtone.errors import ProtocolError
from dialtone.sip.server import Unacknowledged

WAITS = 120.0
"""Seconds for the caller's bearer, and its word of it: no proxy gives up before (RFC 3261, 16.6, 11)."""
KNOWN = {"100rel", "precondition", "timer"}
SOS = "urn:service:sos"


@on("ISC", InviteRequest)
def on_invite_request(services: AnswerServices, msg: InviteRequest, rx: Rx) -> Effects:
    """Somebody calls, or changes a call that stands."""
    if msg.to.tag:
        yield from session.changed(services, msg, rx)
        return
    if unknown := sorted(msg.options("Require") - KNOWN):
        raise SipError(f"{', '.join(unknown)} is not supported here", cause=420, clause="RFC 3261, 8.2.2.3",
                       headers=(("Unsupported", ", ".join(unknown)),))
    service = "sos" if msg.uri.lower().startswith(SOS) else SipUri.parse(msg.uri).user
    offer = reply.offer_of(msg)
    agreed = offers.choose(offer, services.speaks_to)
    words = script(service, agreed, _caller(msg))
    if words is None:
        raise ProtocolError(f"there is no service {service}", cause=404, clause="RFC 3261, 21.4.5")
    key = (msg.call_id, msg.from_.tag)
    if key in services.calls:
        raise ProtocolError("this call is here already", cause=482, clause="RFC 3261, 8.2.2.2")
    target = NameAddr.parse(msg.first("Contact") or "").uri
    port = services.take_port()
    if port is None:
        raise ProtocolError("all lines are busy", cause=486, clause="RFC 3261, 21.4.24")
    call = services.calls[key] = Call(
        key, services.random(8).hex(), rx.peer, service, agreed, words, port, rx, msg, target,
        msg.all("Record-Route"))
    rx.subject, rx.state = msg.call_id, call.state
    if offers.waits(offer, agreed) and "100rel" in msg.options("Supported") | msg.options("Require"):
        yield call.move("183")
        progress = reply.response(services, call, 183)
        progress.append("Require", "100rel, precondition")
        progress.append("RSeq", "1")
        reply.describe(services, call, offer, progress)
        yield Answer(progress)
        yield StartTimer(reply.SESSION_EXPIRES, key, WAITS)
    else:
        yield from reply.pick_up(services, call, offer)


def _caller(msg: SipRequest) -> Caller:
    """Whom the network says it is: the number among the asserted identities (RFC 3325, 9.1)."""
    number = ""
    for value in msg.all("P-Asserted-Identity"):
        uri = NameAddr.parse(value).uri
        user = TelUri.parse(uri).digits if uri.lower().startswith("tel:") else SipUri.parse(uri).user
        if user.lstrip("+").isdecimal() and len(user) <= len(number or user):
            number = user
    return Caller(number, msg.first("P-Access-Network-Info") or "")


@on("ISC", AckRequest)
def on_ack_request(services: AnswerServices, msg: AckRequest, rx: Rx) -> Effects:
    """The caller listens."""
    call = services.call_of(msg, rx)
    if not CALL.allows(call.state, "ACK"):
        return
    first = call.state is CallState.ANSWERED
    yield call.move("ACK")
    if first:
        yield OpenStream(call.key, services.address_for(call.agreed.address), call.port, call.agreed, call.script,
                         StreamFailed(call.key))
        yield Verdict("answer service", True, f"{call.service}: {call.agreed.format.name} with {call.agreed.address}")


@on("ISC", CancelRequest)
def on_cancel_request(services: AnswerServices, msg: CancelRequest, rx: Rx) -> Effects:
    """The caller gives up; its INVITE gets 487 (RFC 3261, 9.2)."""
    call = services.calls.get((msg.call_id, msg.from_.tag))
    if call is not None and CALL.allows(call.state, "CANCEL"):
        yield call.move("CANCEL")
        yield Answer(reply.response(services, call, 487), to=call.invite)
        yield from _over(services, call)


@on("ISC", ByeRequest)
def on_bye_request(services: AnswerServices, msg: ByeRequest, rx: Rx) -> Effects:
    """The caller hangs up."""
    call = services.call_of(msg, rx)
    waiting = call.state is CallState.WAITING
    yield call.move("BYE")
    yield Answer(sip.response(msg, 200))
    if waiting:  # an early dialog that its caller ends so: its INVITE gets an answer all the same (RFC 3261, 15.1.2)
        yield Answer(reply.response(services, call, 487), to=call.invite)
    yield from _over(services, call)


@on.event(StreamFinished)
def on_stream_finished(services: AnswerServices, event: StreamFinished, rx: Rx) -> Effects:
    """All is said: hang up."""
    return _hang_up(services, event.key, rx, 16, "Normal call clearing")


@on.event(StreamFailed)
def on_stream_failed(services: AnswerServices, event: StreamFailed, rx: Rx) -> Effects:
    """The port could not be opened: hang up, with the reason."""
    return _hang_up(services, event.key, rx, 47, "Resource unavailable")


@on.event(Unacknowledged)
def on_unacknowledged(services: AnswerServices, event: Unacknowledged, rx: Rx) -> Effects:
    """Neither ACK nor PRACK comes (RFC 3261, 13.3.1.4; RFC 3262, 3)."""
    request = event.answer
    call = services.calls.get((request.call_id, request.from_.tag))
    if call is None:
        return
    if call.state is CallState.WAITING:
        yield from _too_late(services, call)
    else:
        yield from _hang_up(services, call.key, rx, 102, "Recovery on timer expiry")


@on.timer(reply.SESSION_EXPIRES, "RFC 4028, 10")
def on_session_expires(services: AnswerServices, key: Any, rx: Rx) -> Effects:
    """Nobody has refreshed the session; or the caller, who has our 183, says nothing of its bearer."""
    call = services.calls.get(key)
    if call is not None and call.state is CallState.WAITING:
        yield from _too_late(services, call)
    else:
        yield from _hang_up(services, key, rx, 102, "Recovery on timer expiry")


def _too_late(services: AnswerServices, call: Call) -> Effects:
    yield call.move("end")
    yield Answer(reply.response(services, call, 504), to=call.invite)
    yield from _over(services, call)


def _hang_up(services: AnswerServices, key: tuple[str, str], rx: Rx, cause: int, text: str) -> Effects:
    """End a call from our side. Some phones stay in a call whose BYE has no Reason."""
    call = services.calls.get(key)
    if call is None or call.state not in (CallState.ANSWERED, CallState.CONFIRMED):
        return
    rx.subject = call.key[0]
    yield call.move("end")
    call.cseq += 1
    bye = ByeRequest(uri=call.target)
    for value in call.route:
        bye.append("Route", value)
    for name, value in (("Max-Forwards", "70"), ("From", f"{call.request.first('To')};tag={call.tag}"),
                        ("To", call.request.first("From") or ""), ("Call-ID", call.request.call_id),
                        ("CSeq", f"{call.cseq} BYE"), ("Reason", f'Q.850;cause={cause};text="{text}"')):
        bye.append(name, value)
    yield from _over(services, call)
    yield Request("ISC", call.peer, bye, context=call.key)


@on("ISC", ByeResponse)
def on_bye_response(services: AnswerServices, msg: ByeResponse, rx: Rx) -> Effects:
    """The caller knows; whatever it says, the call is over."""
    return ()


@on.unanswered(ByeRequest)
def on_no_bye_response(services: AnswerServices, event: Unanswered, rx: Rx) -> Effects:
    """Nor does silence change that."""
    return ()


def _over(services: AnswerServices, call: Call) -> Effects:
    del services.calls[call.key]
    services.give_back(call.port)
    yield StopTimer(reply.SESSION_EXPIRES, call.key)
    yield CloseStream(call.key)
