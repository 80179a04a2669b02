# SPDX-License-Identifier: Apache-2.0
"""A call that stands: hold and other changes by re-INVITE and UPDATE, the session timer, the end (RFC 3261, 14 and 15;
RFC 3311; RFC 4028).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dialtone.codec.sip import (
    AckRequest,
    ByeRequest,
    ByeResponse,
    OptionsRequest,
    PrackRequest,
    SipRequest,
    SipResponse,
    UpdateRequest,
    UpdateResponse,
)
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effect, Effects, Request, Send, StopTimer, Tell, Unanswered
from dialtone.errors import ProtocolError
from dialtone.sim.ims.call import (
    CALL_PROCEDURE,
    HANG_UP,
    HOLD,
    SDP,
    VIDEO,
    Call,
    HangUpCommand,
    HoldCommand,
    VideoCommand,
    connect,
    current,
    described,
    move,
    named,
    over,
    replied,
    timer,
)
from dialtone.sim.ims.client import ALLOW, ImsClient, on
from dialtone.sim.ims.states import CallState

DOES_NOT_EXIST, REQUEST_PENDING = 481, 491


@dataclass(slots=True, eq=False)
class Change:
    """A re-INVITE or UPDATE of ours; `before` is the direction that holds if it is refused."""

    call: Call
    message: SipRequest
    before: str
    purpose: str  # hold, resume, video, voice, refresh, or preconditions


# ---- ours -----------------------------------------------------------------------------------------------


def offer(client: ImsClient, call: Call, method: str, purpose: str = "preconditions", before: str = "") -> Effects:
    """A change of ours, with an offer; that of the session timer alone has none."""
    assert call.dialog is not None
    message = client.inside(call.dialog, method)
    named(client, message)
    message.append("Supported", "timer, 100rel, precondition" if call.preconditions else "timer, 100rel")
    message.append("Allow", ALLOW)
    if call.session_expires and purpose != "preconditions":
        message.append("Session-Expires", f"{call.session_expires};refresher=uac")
    if purpose != "refresh":
        described(client, call, message)
    call.pending = Change(call, message, before, purpose)
    yield client.ask(message, call.pending)


@on.event(HoldCommand)
def on_hold_command(client: ImsClient, event: HoldCommand, rx: Rx) -> Effects:
    """Hold is sendonly, and back is sendrecv (TS 24.610, 4.5.2.1)."""
    client.mark(rx)
    call = current(client, CallState.ACTIVE)
    wanted = "sendrecv" if event.resume else "sendonly"
    if call is None:
        yield client.outcome(HOLD, False, "there is no call that stands")
    elif call.pending is not None:
        yield client.outcome(HOLD, False, "another change of the call is under way")
    elif call.local.direction == wanted:
        yield client.outcome(HOLD, True, "nothing to change")
    else:
        before, call.local.direction = call.local.direction, wanted
        yield from offer(client, call, "INVITE", "resume" if event.resume else "hold", before)


@on.event(VideoCommand)
def on_video_command(client: ImsClient, event: VideoCommand, rx: Rx) -> Effects:
    """A line for video more, or its port 0 (RFC 3264, 8.1 and 8.2; IR.94, 2.2.3)."""
    client.mark(rx)
    call = current(client, CallState.ACTIVE)
    if call is None:
        yield client.outcome(VIDEO, False, "there is no call that stands")
    elif call.pending is not None:
        yield client.outcome(VIDEO, False, "another change of the call is under way")
    elif bool(call.local.video) is not event.off:
        yield client.outcome(VIDEO, True, "nothing to change")
    else:
        call.local.video = not event.off
        yield from offer(client, call, "INVITE", "voice" if event.off else "video")


def changed(client: ImsClient, change: Change, msg: SipResponse) -> Effects:
    """The answer to a change of ours."""
    call = change.call
    if not msg.final:
        return
    if msg.status >= 300:
        yield from failed(client, change, f"{msg.status} {msg.reason}".rstrip(), msg.status)
        return
    assert call.dialog is not None
    call.dialog.refresh(msg)
    if change.message.method == "INVITE":
        yield Send("Gm", client.peer(), call.dialog.ack(msg.cseq.number))
    call.pending = None
    if call.call_id not in client.calls:
        return
    if msg.content_type == SDP:
        call.take(msg)
    if call.state == CallState.ACTIVE:
        yield from keep(client, call, msg)
        yield from connect(client, call)
    if change.purpose in ("hold", "resume"):
        text = f"{call.other} is on hold" if change.purpose == "hold" else f"{call.other} is back"
        yield client.outcome(HOLD, True, text)
    elif change.purpose in ("video", "voice"):
        seen = bool(call.local.video)
        text = f"{call.other} {'is seen' if seen else 'is heard only'}"
        yield client.outcome(VIDEO, seen == (change.purpose == "video"), text)


def failed(client: ImsClient, change: Change, why: str, status: int = 0) -> Effects:
    """A change of ours came to nothing: what was before holds. 408 and 481 end the dialog (RFC 3261, 12.2.1.2)."""
    call, call.pending = change.call, None
    call.local.direction = change.before or call.local.direction
    if call.call_id not in client.calls:
        return
    if status in (0, 408, DOES_NOT_EXIST):
        yield from over(client, call)
        yield client.outcome(CALL_PROCEDURE, False,
                             f"the call with {call.other} is lost: {why} to {change.message.method}")
    elif change.purpose in ("hold", "resume"):
        yield client.outcome(HOLD, False, f"refused: {why}")
    elif change.purpose in ("video", "voice"):
        call.local.video = change.purpose == "voice"
        yield client.outcome(VIDEO, False, f"refused: {why}")
    elif change.purpose == "preconditions":
        call.told_ready = False


@on("Gm", UpdateResponse)
def on_update_response(client: ImsClient, msg: UpdateResponse, rx: Rx) -> Effects:
    """The answer to our UPDATE."""
    assert rx.request is not None
    return changed(client, rx.request.context, msg)


@on.unanswered(UpdateRequest)
def on_no_answer_to_update(client: ImsClient, event: Unanswered, rx: Rx) -> Effects:
    """Timer F."""
    client.mark(rx)
    return failed(client, event.request.context, "no answer")


@on.unanswered(PrackRequest)
def on_no_answer_to_prack(client: ImsClient, event: Unanswered, rx: Rx) -> Effects:
    """Timer F: the dialog is gone."""
    client.mark(rx)
    call = event.request.context
    if call.call_id in client.calls:
        yield from over(client, call)
        yield client.outcome(CALL_PROCEDURE, False, f"the call to {call.other} is lost: no answer to PRACK")


# ---- the other end's -------------------------------------------------------------------------------------


@on("Gm", UpdateRequest)
def on_update_request(client: ImsClient, msg: UpdateRequest, rx: Rx) -> Effects:
    """The other end changes the session, before or after the answer (RFC 3311, 5.2)."""
    return asked(client, msg, rx)


def asked(client: ImsClient, msg: SipRequest, rx: Rx) -> Effects:
    """A re-INVITE or UPDATE: answered with what we have, 491 while one of ours is under way (RFC 3261, 14.2)."""
    call = client.calls.get(msg.call_id)
    if call is None or call.dialog is None or msg.to.tag != call.dialog.local_tag:
        yield client.answer(msg, DOES_NOT_EXIST, rx)
        return
    call.dialog.accept(msg)
    if call.pending is not None:
        yield client.answer(msg, REQUEST_PENDING, rx)
        return
    answer = client.response(msg, 200)
    named(client, answer)
    answer.append("Allow", ALLOW)
    if msg.content_type == SDP:
        before = call.remote
        try:
            call.take(msg)
            replied(client, call, answer)
        except ProtocolError:
            call.remote = before
            raise
    elif msg.method == "INVITE":
        described(client, call, answer)
    grant(call, msg, answer)
    yield Answer(answer, to=rx)
    if call.state == CallState.ACTIVE:
        yield from connect(client, call)
        if call.session_expires:
            yield _session_timer(call)
    from dialtone.sim.ims import called  # which is built on this file

    if not call.outgoing:
        yield from called.go_on(client, call)


@on("Gm", AckRequest)
def on_ack_request(client: ImsClient, msg: AckRequest, rx: Rx) -> Effects:
    """Our 2xx has arrived: the call stands."""
    call = client.calls.get(msg.call_id)
    if call is None or call.state not in (CallState.ANSWERED, CallState.ACTIVE):
        return
    first = call.state == CallState.ANSWERED
    yield from move(client, call, "ACK")
    if msg.content_type == SDP:  # the answer to an offer of ours in the 200
        call.take(msg)
    yield from connect(client, call)
    if first:
        if call.session_expires:
            yield _session_timer(call)
        yield client.outcome(CALL_PROCEDURE, True, f"talking with {call.other}")


# ---- the session timer -------------------------------------------------------------------------------------


def grant(call: Call, request: SipRequest, answer: SipResponse) -> None:
    """Our word on the session timer of a request (RFC 4028, 9)."""
    interval, refresher = _interval(request)
    if not interval or "timer" not in request.options("Supported"):
        return
    call.session_expires, call.refresher = interval, refresher == "uas"
    answer.append("Require", "timer")
    answer.append("Session-Expires", f"{interval};refresher={refresher or 'uac'}")


def keep(client: ImsClient, call: Call, answer: SipResponse) -> Iterator[Effect]:
    """The other end's word on it; without one there is no timer (RFC 4028, 7.2)."""
    interval, refresher = _interval(answer)
    call.session_expires, call.refresher = interval, bool(interval) and refresher != "uas"
    yield _session_timer(call) if interval else StopTimer("Session-Expires", call.call_id)


def _interval(message: SipRequest | SipResponse) -> tuple[int, str]:
    text, _, rest = (message.first("Session-Expires") or "").partition(";")
    text = text.strip()
    return (int(text[:6]) if text.isascii() and text.isdigit() else 0), rest.partition("refresher=")[2].strip()


def _session_timer(call: Call) -> Effect:
    """Half of the time for who refreshes, nearly all of it for who waits (RFC 4028, 10)."""
    interval = call.session_expires
    return timer("Session-Expires", call, interval / 2 if call.refresher else interval - min(32, interval / 3))


@on.timer("Session-Expires", "RFC 4028, 10")
def on_session_expires(client: ImsClient, key: str, rx: Rx) -> Effects:
    """Refresh the session, or end one that nobody refreshed."""
    client.mark(rx)
    call = client.calls.get(key)
    if call is None or call.state != CallState.ACTIVE:
        return
    if call.refresher:
        if call.pending is None and not client.faults.no_session_refresh:
            yield from offer(client, call, "UPDATE", "refresh")
        return
    call.why = "nobody refreshed the session (Session-Expires)"
    yield bye(client, call, "Session timer expired", ok=False)


# ---- the end ---------------------------------------------------------------------------------------------


@on.event(HangUpCommand)
def on_hang_up_command(client: ImsClient, event: HangUpCommand, rx: Rx) -> Effects:
    """A person has had enough of the last call."""
    from dialtone.sim.ims import called, calling  # both are built on this file

    client.mark(rx)
    if not client.calls and client.help is not None and client.help.calls:
        yield Tell(client.help.name, event)
        return
    if not client.calls:
        yield client.outcome(HANG_UP, False, "there is no call")
        return
    call = list(client.calls.values())[-1]
    match call.state:
        case CallState.OFFERED | CallState.PROGRESS:
            yield from calling.cancel(client, call)
        case CallState.INCOMING | CallState.RINGING:
            yield from called.refuse(client, call)
        case CallState.ANSWERED | CallState.ACTIVE:
            yield from move(client, call, "BYE")
            yield bye(client, call, "User ended call")
        case _:
            yield client.outcome(HANG_UP, False, "the call is being ended already")


def bye(client: ImsClient, call: Call, text: str, *, ok: bool = True) -> Request:
    """BYE with its Reason: some handsets hang without one (RFC 3326)."""
    assert call.dialog is not None
    call.state = CallState.ENDING
    message = client.inside(call.dialog, "BYE")
    message.append("P-Preferred-Identity", f"<{client.impu}>")
    message.append("Reason", f'SIP;cause={200 if ok else 500};text="{text}"')
    return client.ask(message, call)


@on("Gm", ByeResponse)
def on_bye_response(client: ImsClient, msg: ByeResponse, rx: Rx) -> Effects:
    """The other end has let go; whatever it says, the call is over (RFC 3261, 15.1.1)."""
    assert rx.request is not None
    call = rx.request.context
    if msg.final and call is not None and call.call_id in client.calls:
        yield from _ended(client, call)


@on.unanswered(ByeRequest)
def on_no_answer_to_bye(client: ImsClient, event: Unanswered, rx: Rx) -> Effects:
    """Timer F."""
    client.mark(rx)
    call = event.request.context
    if call is not None and call.call_id in client.calls:
        yield from over(client, call)
        yield client.outcome(HANG_UP, False, f"no answer to BYE from {call.other}")


def _ended(client: ImsClient, call: Call) -> Iterator[Effect]:
    yield from over(client, call)
    if call.why and call.why not in ("cancelled", "rings"):
        yield client.outcome(CALL_PROCEDURE, False, f"the call with {call.other} was ended: {call.why}")
    else:
        yield client.outcome(HANG_UP, True, f"the call with {call.other} is over")


@on("Gm", ByeRequest)
def on_bye_request(client: ImsClient, msg: ByeRequest, rx: Rx) -> Effects:
    """The other end hangs up, or the network does for it."""
    call = client.calls.get(msg.call_id)
    if call is None or call.dialog is None or msg.to.tag != call.dialog.local_tag:
        yield client.answer(msg, DOES_NOT_EXIST, rx)
        return
    call.dialog.accept(msg)
    if client.faults.no_answer_to_bye:
        return
    yield client.answer(msg, 200, rx)
    yield from over(client, call)
    reason = msg.first("Reason") or ""
    yield client.outcome(HANG_UP, True, f"{call.other} has hung up" + (f" ({reason})" if reason else ""))


@on("Gm", OptionsRequest)
def on_options_request(client: ImsClient, msg: OptionsRequest, rx: Rx) -> Effects:
    """What the phone can do (RFC 3261, 11.2)."""
    answer = client.response(msg, 200)
    named(client, answer)
    answer.append("Allow", ALLOW)
    answer.append("Accept", SDP)
    yield Answer(answer, to=rx)
