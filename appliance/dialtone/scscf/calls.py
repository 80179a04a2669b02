# SPDX-License-Identifier: Apache-2.0
"""Call detail records: who called whom, when, for how long, and how it ended. One for each call from a
phone of ours; kept in the store.

A call whose BYE never comes ends with its session timer (RFC 4028), or after a day.
"""

from dataclasses import dataclass

from dialtone.codec.sip import ByeRequest, InviteRequest, NameAddr, SipRequest, SipResponse, UpdateRequest
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Save, StartTimer, StopTimer, Verdict
from dialtone.errors import ProtocolError
from dialtone.scscf.element import Scscf, on
from dialtone.scscf.store import CallRecord, PutCall
from dialtone.scscf.timers import SESSION
from dialtone.sip import session_timer
from dialtone.sip.proxy import Context

MOST = 10_000  # calls at once; further ones are carried and not recorded


@dataclass(slots=True)
class Call:
    """A call that is set up or under way. Times in seconds since the epoch."""

    call_id: str
    caller: str
    called: str
    dialled: str
    subject: str
    began: float
    answered: float = 0.0


def offered(scscf: Scscf, request: SipRequest, caller: str, rx: Rx) -> None:
    """A phone of ours calls."""
    if isinstance(request, InviteRequest) and len(scscf.calls) < MOST:
        scscf.calls.setdefault(request.call_id, Call(request.call_id, caller, request.uri, request.uri, rx.subject,
                                                     rx.now))


def subject_of(scscf: Scscf, request: SipRequest) -> str:
    """Whose call a request belongs to, for the trace."""
    call = scscf.calls.get(request.call_id)
    return call.subject if call else ""


def answered(scscf: Scscf, context: Context, answer: SipResponse, rx: Rx) -> Effects:
    """What an answer means for the call that it belongs to."""
    request = context.request
    call = scscf.calls.get(request.call_id)
    if call is None or not answer.final:
        return
    if isinstance(request, InviteRequest) and not request.to.tag:
        if 200 <= answer.status < 300 and not call.answered:
            call.answered, call.called = rx.now, request.uri
            yield _watch(call, answer)
            yield Verdict("call", True, f"{call.caller} talks to {call.called}")
        elif answer.status >= 300 and context.over and not call.answered:
            yield from _over(scscf, call, rx.now, answer.status, answer.reason)
    elif isinstance(request, InviteRequest | UpdateRequest) and answer.status < 300 and call.answered:
        yield _watch(call, answer)
    elif isinstance(request, ByeRequest):
        why = _reason(request) or "hung up"
        yield from _over(scscf, call, rx.now, 200, why)


def silent(scscf: Scscf, context: Context, now: float) -> Effects:
    """Nobody answers: after a BYE the call is over all the same, and one that was given up never began."""
    request, call = context.request, scscf.calls.get(context.request.call_id)
    if call is not None and isinstance(request, ByeRequest):
        yield from _over(scscf, call, now, 200, _reason(request) or "hung up")
    elif call is not None and isinstance(request, InviteRequest) and context.over and not call.answered:
        yield from _over(scscf, call, now, 408, "no answer")


def refused(scscf: Scscf, context: Context, status: int, reason: str) -> Effects:
    """We answered it ourselves."""
    call = scscf.calls.get(context.request.call_id)
    if call is not None and isinstance(context.request, InviteRequest) and not call.answered:
        yield from _over(scscf, call, context.rx.now, status, reason)


def _reason(request: SipRequest) -> str:
    return (request.first("Reason") or "")[:100]


def _watch(call: Call, answer: SipResponse) -> StartTimer:
    """The session timer that both ends agreed on, and what a BYE needs (RFC 4028, 10)."""
    return StartTimer(SESSION.name, call.call_id, session_timer.lasts(answer))


@on.timer(SESSION.name, SESSION.clause)
def on_session_expires(scscf: Scscf, call_id: str, rx: Rx) -> Effects:
    """Neither end refreshed the session."""
    call = scscf.calls.get(call_id)
    if call is not None:
        rx.subject = call.subject
        yield from _over(scscf, call, rx.now, 200, "no word from either end: the session timer ran out")


def _over(scscf: Scscf, call: Call, now: float, status: int, reason: str) -> Effects:
    del scscf.calls[call.call_id]
    yield StopTimer(SESSION.name, call.call_id)
    record = CallRecord(call.began, call.answered, now, _plain(call.caller), _plain(call.called), call.dialled, status,
                        reason[:200], call.call_id)
    talked = f"{record.seconds:.0f} s" if call.answered else f"{status} {reason}"
    yield Verdict("call", status < 300, f"{record.caller} to {record.called}: {talked}")
    yield Save((PutCall(record),))


def _plain(uri: str) -> str:
    """An identity as people know it: the number of a tel URI."""
    try:
        uri = NameAddr.parse(uri).uri
    except ProtocolError:
        return uri[:100]
    return uri.removeprefix("tel:").partition(";")[0][:100]
