# SPDX-License-Identifier: Apache-2.0
"""The called phone's part of a call (TS 24.229, 5.1.4; RFC 3262; RFC 3312).

INVITE -> 183 with 100rel -> (PRACK, UPDATE, own bearer) -> 180 -> 200 -> ACK; without preconditions 180 at once.
"""

from collections.abc import Iterator

from dialtone.codec.sip import CancelRequest, InviteRequest, PrackRequest, SipResponse
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effect, Effects
from dialtone.errors import ProtocolError
from dialtone.sim.ims import media, session
from dialtone.sim.ims.call import (
    HANG_UP,
    INCOMING,
    SDP,
    AnswerCommand,
    Call,
    current,
    described,
    has_bearer,
    move,
    named,
    new,
    over,
    replied,
    timer,
)
from dialtone.sim.ims.client import ALLOW, MMTEL, Asserted, ImsClient, on
from dialtone.sim.ims.states import CallState
from dialtone.sip.dialog import Dialog
from dialtone.sip.server import Unacknowledged

BUSY_HERE, REQUEST_TERMINATED, DOES_NOT_EXIST = 486, 487, 481
_WAITING = (CallState.INCOMING, CallState.RINGING)


@on("Gm", InviteRequest)
def on_invite_request(client: ImsClient, msg: InviteRequest, rx: Rx) -> Effects:
    """A call, or a change of one."""
    if msg.to.tag:
        yield from session.asked(client, msg, rx)
        return
    if (refusal := client.bad_extension(msg)) is not None:
        yield Answer(refusal, to=rx)
        return
    if client.calls or not client.registered:
        yield client.answer(msg, BUSY_HERE, rx)
        return
    call = new(client, msg, Asserted.of(msg).number, rx=rx)
    try:
        dialog = Dialog.of_called(msg, client.token(), early=True)
        if msg.content_type == SDP:
            call.take(msg)
            call.agreed = False  # our answer is still to come
            assert call.remote is not None
            call.preconditions = client.handset.preconditions and media.has_preconditions(call.remote)
    except ProtocolError:
        del client.calls[call.call_id]
        raise
    call.dialog = dialog
    if call.preconditions and "100rel" in msg.options("Supported") | msg.options("Require"):
        yield _provisional(client, call, 183)
    yield from go_on(client, call)


def _provisional(client: ImsClient, call: Call, status: int) -> Answer:
    """183 with our answer, reliable; or 180."""
    answer = _answer(client, call, status)
    if status == 183:
        call.rseq += 1
        answer.append("Require", "100rel, precondition")
        answer.append("RSeq", str(call.rseq))
        replied(client, call, answer, confirm=not call.remote_ready)
        call.agreed = True
    return Answer(answer, to=call.rx)


def _answer(client: ImsClient, call: Call, status: int) -> SipResponse:
    answer = client.response(call.invite, status)
    assert call.dialog is not None
    answer.set("To", call.dialog.local)
    for route in call.invite.all("Record-Route"):
        answer.append("Record-Route", route)
    named(client, answer)
    answer.append("Allow", ALLOW)
    answer.append("P-Preferred-Identity", f"<{client.impu}>")
    if client.access:
        answer.append("P-Access-Network-Info", client.access)
    return answer


def go_on(client: ImsClient, call: Call) -> Iterator[Effect]:
    """Ring, once both ends have what they wait for (RFC 3312, 7)."""
    if call.state != CallState.INCOMING:
        return
    if call.preconditions and not (call.remote_ready and has_bearer(client)):
        return
    yield from move(client, call, "ring")
    yield _provisional(client, call, 180)
    yield client.outcome(INCOMING, True, f"{call.other} calls: it rings")
    if client.handset.rings is not None:
        yield timer("answer by itself", call, client.handset.rings)


@on("Gm", PrackRequest)
def on_prack_request(client: ImsClient, msg: PrackRequest, rx: Rx) -> Effects:
    """The caller has our 183 (RFC 3262, 3)."""
    call = client.calls.get(msg.call_id)
    if call is None or call.dialog is None or call.outgoing:
        yield client.answer(msg, DOES_NOT_EXIST, rx)
        return
    call.dialog.accept(msg)
    wanted = f"{call.rseq} {call.invite.cseq.number} INVITE"
    yield client.answer(msg, 200 if msg.first("RAck") == wanted else DOES_NOT_EXIST, rx)


@on.timer("answer by itself", "TS 24.229, 5.1.4")
def on_answer_by_itself(client: ImsClient, key: str, rx: Rx) -> Effects:
    """It has rung long enough."""
    client.mark(rx)
    call = client.calls.get(key)
    if call is not None and call.state == CallState.RINGING:
        yield from _accept(client, call)


@on.event(AnswerCommand)
def on_answer_command(client: ImsClient, event: AnswerCommand, rx: Rx) -> Effects:
    """A person takes the call."""
    client.mark(rx)
    call = current(client, CallState.RINGING)
    if call is None:
        yield client.outcome(INCOMING, False, "nothing rings")
    else:
        yield from _accept(client, call)


def _accept(client: ImsClient, call: Call) -> Iterator[Effect]:
    yield from move(client, call, "answer")
    answer = _answer(client, call, 200)
    answer.append("P-Preferred-Service", MMTEL)
    session.grant(call, call.invite, answer)
    if call.remote is None:  # an INVITE without an offer: it is ours to make (RFC 3261, 13.2.1)
        described(client, call, answer)
    elif not call.agreed:
        replied(client, call, answer)
        call.agreed = True
    if call.dialog is not None:
        call.dialog.early = False  # our 2xx confirms it; no later one says its way anew
    yield Answer(answer, to=call.rx)


@on("Gm", CancelRequest)
def on_cancel_request(client: ImsClient, msg: CancelRequest, rx: Rx) -> Effects:
    """The caller has given up (RFC 3261, 9.2); the CANCEL itself is answered already."""
    call = client.calls.get(msg.call_id)
    if call is None or rx.cancels is None or call.state not in _WAITING:
        return
    yield Answer(_answer(client, call, REQUEST_TERMINATED), to=call.rx)
    yield from over(client, call)
    yield client.outcome(INCOMING, False, f"{call.other} has given up")


def refuse(client: ImsClient, call: Call) -> Iterator[Effect]:
    """Do not take the call."""
    yield Answer(_answer(client, call, BUSY_HERE), to=call.rx)
    yield from over(client, call)
    yield client.outcome(HANG_UP, True, f"the call of {call.other} was refused")


@on.event(Unacknowledged)
def on_unacknowledged(client: ImsClient, event: Unacknowledged, rx: Rx) -> Effects:
    """Nobody acknowledged our 200, or our 183: the call ends (RFC 3261, 13.3.1.4; RFC 3262, 3)."""
    client.mark(rx)
    call = next((call for call in client.calls.values() if call.rx is event.rx), None)
    if call is None:
        return
    if event.answer.final:
        call.why = "no ACK came"
        yield session.bye(client, call, "No ACK", ok=False)
        return
    yield Answer(_answer(client, call, 504), to=call.rx)
    yield from over(client, call)
    yield client.outcome(INCOMING, False, f"the call of {call.other} is lost: no PRACK came for our 183")
