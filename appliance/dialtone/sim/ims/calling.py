# SPDX-License-Identifier: Apache-2.0
"""The caller's part of a call (TS 24.229, 5.1.3; RFC 3262; RFC 3312).

INVITE -> 183 -> PRACK -> (own bearer) UPDATE -> 180 -> 200 -> ACK; CANCEL before the answer.
"""

from collections.abc import Iterator

from dialtone.codec.sip import InviteRequest, InviteResponse, PrackResponse, SipResponse
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, Request, Send, Tell, Unanswered
from dialtone.errors import ProtocolError
from dialtone.sim.emergency import CallForHelp
from dialtone.sim.ims import emergency, restoration, session
from dialtone.sim.ims.call import (
    CALL_PROCEDURE,
    HANG_UP,
    SDP,
    Call,
    CallCommand,
    connect,
    described,
    move,
    named,
    new,
    over,
)
from dialtone.sim.ims.call import has_bearer as _has_bearer
from dialtone.sim.ims.client import ALLOW, ICSI, MMTEL, ImsClient, on
from dialtone.sim.ims.media import has_preconditions
from dialtone.sim.ims.states import CallState
from dialtone.sip.client import cancel_of
from dialtone.sip.dialog import Dialog

_OPEN = (CallState.OFFERED, CallState.PROGRESS)
CALL_LIMIT = 8
ALTERNATIVE_SERVICE, INTERVAL_TOO_SMALL = 380, 422


@on.event(CallCommand)
def on_call_command(client: ImsClient, event: CallCommand, rx: Rx) -> Effects:
    """A person dials."""
    client.mark(rx)
    if emergency.is_emergency(event.to):
        yield Tell(client.phone, CallForHelp(event.to))
    else:
        yield from dial(client, event.to, video=event.video)


def dial(client: ImsClient, to: str, *, video: bool = False) -> Effects:
    """Call, if that is possible."""
    if not client.registered:
        yield client.outcome(CALL_PROCEDURE, False, "not called: the phone is not registered to IMS")
    elif len(client.calls) >= CALL_LIMIT:
        yield client.outcome(CALL_PROCEDURE, False, "not called: the phone has too many calls")
    else:
        yield invite(client, to, client.handset.session_expires, video=video)


def invite(client: ImsClient, to: str, session_expires: int, least: int = 0, *, video: bool = False) -> Request:
    """The INVITE of a handset (5.1.3.1)."""
    message = client.request("INVITE", client.target(to))
    call = new(client, message, to)
    call.preconditions = client.handset.preconditions
    call.local.video = video or None
    named(client, message)
    if client.registered:
        message.append("P-Preferred-Identity", f"<{client.impu}>")
    elif client.access:
        message.append("P-Access-Network-Info", client.access)
    message.append("P-Preferred-Service", MMTEL)
    message.append("Accept-Contact", f"*;{ICSI}")
    message.append("P-Early-Media", "supported")
    message.append("Supported", "timer, 100rel, precondition" if call.preconditions else "timer, 100rel")
    message.append("Allow", ALLOW)
    message.append("Accept", f"{SDP}, application/3gpp-ims+xml")
    message.append("Session-Expires", f"{session_expires};refresher=uac")
    message.append("Min-SE", str(max(90, least)))
    described(client, call, message)
    call.session_expires = session_expires
    return client.ask(message, call)


@on("Gm", InviteResponse)
def on_invite_response(client: ImsClient, msg: InviteResponse, rx: Rx) -> Effects:
    """Everything that the other end says to INVITE, the first or a later one."""
    assert rx.request is not None
    context = rx.request.context
    if isinstance(context, session.Change):
        yield from session.changed(client, context, msg)
    elif context.call_id not in client.calls:  # over already; a 2xx that is late is acknowledged and ended
        yield from _too_late(client, context, msg)
    elif msg.status < 200:
        yield from _progress(client, context, msg)
    elif msg.status < 300:
        yield from _answered(client, context, msg)
    else:
        yield from _refused(client, context, msg)


def _progress(client: ImsClient, call: Call, msg: SipResponse) -> Effects:
    yield from move(client, call, "1xx")
    if msg.status == 100 or not msg.to.tag:
        return
    if call.dialog is None or call.dialog.remote_tag != msg.to.tag:
        call.dialog = Dialog.of_caller(call.invite, msg)
        call.rseq = 0
    if msg.status == 180:
        call.why = "rings"
        if client.faults.insists_on_preconditions and call.preconditions and (
                call.remote is None or not has_preconditions(call.remote)):
            yield from cancel(client, call, 580, "Precondition Failure")
            return
    number = msg.first("RSeq")
    if number is None or "100rel" not in msg.options("Require"):
        return
    if not number.isascii() or not number.isdigit() or int(number) <= call.rseq:
        return  # a repetition, or out of order: not acknowledged (RFC 3262, 4)
    call.rseq = int(number)
    if msg.content_type == SDP and not call.agreed:
        call.take(msg)
    prack = client.inside(call.dialog, "PRACK")
    prack.append("RAck", f"{call.rseq} {msg.cseq.number} INVITE")
    yield client.ask(prack, call)


@on("Gm", PrackResponse)
def on_prack_response(client: ImsClient, msg: PrackResponse, rx: Rx) -> Effects:
    """The other end has heard that we heard; with our bearer there, the preconditions go on."""
    assert rx.request is not None
    call = rx.request.context
    if msg.final and call.call_id in client.calls:
        yield from go_on(client, call)


def go_on(client: ImsClient, call: Call) -> Iterator[Effect]:
    """UPDATE, once our bearer is up and the other end has answered the offer (RFC 3312, 5.1.3)."""
    if call.dialog is None or call.state != CallState.PROGRESS or not call.preconditions or not call.agreed:
        return
    if call.told_ready or not _has_bearer(client):
        return
    call.told_ready = True
    yield from session.offer(client, call, "UPDATE")


def _answered(client: ImsClient, call: Call, msg: SipResponse) -> Effects:
    cancelled = call.state == CallState.CANCELLING
    yield from move(client, call, "2xx")
    if call.dialog is None or call.dialog.remote_tag != msg.to.tag:
        call.dialog = Dialog.of_caller(call.invite, msg)
    else:
        call.dialog.refresh(msg)
    yield Send("Gm", client.peer(), call.dialog.ack(msg.cseq.number))
    if cancelled:
        yield session.bye(client, call, "Call cancelled by the caller")
        return
    try:
        if msg.content_type == SDP:
            call.take(msg)
        if not call.agreed:
            raise ProtocolError("the call was answered without a session description", clause="RFC 3261, 13.2.1")
    except ProtocolError as error:
        call.why = error.text
        yield session.bye(client, call, "Session description not understood", ok=False)
        return
    yield from session.keep(client, call, msg)
    yield from connect(client, call)
    yield client.outcome(CALL_PROCEDURE, True, f"{call.other} has answered")


def _refused(client: ImsClient, call: Call, msg: SipResponse) -> Effects:
    yield from over(client, call)
    least = msg.first("Min-SE") or ""
    if msg.status == INTERVAL_TOO_SMALL and least.isdigit() and call.session_expires < int(least[:6]):
        yield invite(client, call.other, int(least[:6]), int(least[:6]), video=bool(call.local.video))
    elif call.state == CallState.OVER and call.why == "cancelled":
        yield client.outcome(HANG_UP, True, f"the call to {call.other} was given up before the answer")
    else:
        elsewhere = msg.status == ALTERNATIVE_SERVICE and restoration.alternative(msg) == "emergency"
        why = emergency.ELSEWHERE if elsewhere else f"{msg.status} {msg.reason}".rstrip()
        yield client.outcome(CALL_PROCEDURE, False, f"{call.other}: {why}")
        yield from restoration.refused(client, msg)


def _too_late(client: ImsClient, call: Call, msg: SipResponse) -> Effects:
    if 200 <= msg.status < 300:
        dialog = Dialog.of_caller(call.invite, msg)
        yield Send("Gm", client.peer(), dialog.ack(msg.cseq.number))
        yield client.ask(client.inside(dialog, "BYE"), None)


@on.unanswered(InviteRequest)
def on_no_answer_to_invite(client: ImsClient, event: Unanswered, rx: Rx) -> Effects:
    """Timer B."""
    client.mark(rx)
    context = event.request.context
    if isinstance(context, session.Change):
        yield from session.failed(client, context, "no answer")
    elif context.call_id in client.calls:
        yield from over(client, context)
        yield client.outcome(CALL_PROCEDURE, False, f"no answer to the call to {context.other}")
        yield from restoration.silent(client)


def cancel(client: ImsClient, call: Call, cause: int = 487, text: str = "Call cancelled by the caller",
           ) -> Iterator[Effect]:
    """Give the call up before it is answered (RFC 3261, 9.1)."""
    yield from move(client, call, "cancel")
    call.why = "cancelled"
    message = cancel_of(call.invite)
    message.append("Reason", f'SIP;cause={cause};text="{text}"')
    yield client.ask(message, None)
