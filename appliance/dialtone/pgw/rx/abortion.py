# SPDX-License-Identifier: Apache-2.0
"""No bearer of an AF session is left: Abort-Session-Request (TS 29.214, 4.4.6.1 and 4.4.6.2; RFC 6733, 8.5)."""

from dialtone.codec.diameter import AbortCause, AbortSessionAnswer, AbortSessionRequest, ResultCode
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Request, StartTimer, StopTimer, Unanswered
from dialtone.pgw import policy
from dialtone.pgw.element import Pgw, Session, on
from dialtone.pgw.rx.af_session import RX, AfSession, header, media, sessions_of

SESSION_TIMEOUT = 30.0
"""Seconds for the AF to end a session that it has agreed to abort."""


def abort(pgw: Pgw, af: AfSession, cause: AbortCause) -> Effects:
    """The AF is told; it ends the session itself (TS 29.214, 4.4.4)."""
    if af.aborted:
        return
    af.aborted, af.flows = True, ()
    yield from media(pgw, af.session)
    yield Request(RX, af.peer, AbortSessionRequest(**header(pgw, af), abort_cause=cause), context=af)


def abort_all(pgw: Pgw, session: Session) -> Effects:
    """The PDN connection ends, and all its calls with it (4.4.6.1)."""
    for af in sessions_of(pgw, session):
        af.rules.clear()
        yield from abort(pgw, af, AbortCause.BEARER_RELEASED)


def forget(pgw: Pgw, af: AfSession) -> Effects:
    """The session is over: its bearers go, its flows are closed."""
    if pgw.af_sessions.get(af.id) is not af:
        return
    del pgw.af_sessions[af.id]
    yield StopTimer("Session-Timeout", af.id)
    yield from media(pgw, af.session)
    names, af.rules = list(af.rules), {}
    yield from policy.remove(pgw, af.session, names)


@on(RX, AbortSessionAnswer)
def on_abort_session_answer(pgw: Pgw, msg: AbortSessionAnswer, rx: Rx) -> Effects:
    """Session-Termination-Request follows, unless the AF knows nothing of it."""
    assert rx.request is not None
    af: AfSession = rx.request.context
    rx.subject = af.session.imsi
    if msg.result_code == ResultCode.DIAMETER_SUCCESS and pgw.af_sessions.get(af.id) is af:
        yield StartTimer("Session-Timeout", af.id, SESSION_TIMEOUT)
    else:
        yield from forget(pgw, af)


@on.unanswered(AbortSessionRequest)
def on_no_abort_session_answer(pgw: Pgw, event: Unanswered, rx: Rx) -> Effects:
    """The AF is silent."""
    rx.subject = event.request.context.session.imsi
    return forget(pgw, event.request.context)


@on.timer("Session-Timeout", "RFC 6733, 8.13")
def on_session_timeout(pgw: Pgw, key: str, rx: Rx) -> Effects:
    """It agreed, and went no further."""
    if (af := pgw.af_sessions.get(key)) is not None:
        rx.subject = af.session.imsi
        yield from forget(pgw, af)
