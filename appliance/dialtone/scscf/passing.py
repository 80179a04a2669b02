# SPDX-License-Identifier: Apache-2.0
"""Requests on their way through the S-CSCF: sent to groups of targets, one group after the other, and what comes back.

The duties of a proxy are in sip/proxy.py. Nothing of a message is changed but what they, and TS 24.229, 5.4.3 want:
extensions, session timers, reliable provisional answers and preconditions are the phones' affair.
"""

from collections.abc import Sequence
from functools import partial

from dialtone.codec.sip import CancelRequest, SipRequest, SipResponse
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Unanswered, Verdict
from dialtone.scscf import calls
from dialtone.scscf.element import DIALOG, Scscf, on
from dialtone.sip import timers
from dialtone.sip.proxy import TIMER_C, Branch, Context, Target

Groups = Sequence[Sequence[Target]]


def begin(scscf: Scscf, context: Context) -> None:
    """A request was let in and waits, for the HSS perhaps: until it is sent on, CANCEL finds it here."""
    scscf.waiting[context.key] = context


def send(scscf: Scscf, context: Context, groups: Groups) -> Effects:
    """Send it to the first group; to the next one when nobody of that takes it."""
    if scscf.waiting.pop(context.key, None) is None:
        return  # cancelled meanwhile
    first, *rest = groups
    context.settle = partial(_next, scscf, context, rest) if rest else None
    yield from scscf.proxy.forward(context, first, [f"<sip:{DIALOG}@{scscf.host};lr>"])


def _next(scscf: Scscf, context: Context, groups: Groups, refusal: SipResponse) -> Effects | None:
    if refusal.status >= 600:
        return None
    begin(scscf, context)
    return send(scscf, context, groups)


def refuse(scscf: Scscf, context: Context, status: int, reason: str) -> Effects:
    """The end, with a plain reason."""
    if scscf.waiting.pop(context.key, None) is None:
        return
    yield Answer(scscf.response(context.request, status, reason), to=context.rx)
    yield Verdict(context.request.method, False, f"{status} {reason}")
    yield from calls.refused(scscf, context, status, reason)


@on("Mw", SipResponse)
@on("ISC", SipResponse)
def on_sip_response(scscf: Scscf, msg: SipResponse, rx: Rx) -> Effects:
    """An answer to what was sent on, or to a request of our own."""
    assert rx.request is not None
    branch = rx.request.context
    if isinstance(branch, Branch):
        yield from scscf.proxy.answered(msg, rx)
        yield from calls.answered(scscf, branch.context, msg, rx)
    elif branch is not None:
        yield from branch(scscf, msg, rx)


@on.unanswered(SipRequest)
def on_no_sip_response(scscf: Scscf, event: Unanswered, rx: Rx) -> Effects:
    """The next hop is silent."""
    if isinstance(event.request.context, Branch):
        yield from scscf.proxy.unanswered(event)
        yield from calls.silent(scscf, event.request.context.context, rx.now)
    elif event.request.context is not None:
        yield from event.request.context(scscf, None, rx)


@on("Mw", CancelRequest)
@on("ISC", CancelRequest)
def on_cancel_request(scscf: Scscf, msg: CancelRequest, rx: Rx) -> Effects:
    """The caller gave up: so do all branches, and their 487 goes back (RFC 3261, 16.10)."""
    assert rx.cancels is not None
    context = scscf.waiting.pop(rx.cancels.transaction.key, None)
    if context is not None:
        rx.subject = context.rx.subject
        yield Answer(scscf.response(context.request, 487), to=context.rx)
        yield from calls.refused(scscf, context, 487, "the caller gave up")
    else:
        yield from scscf.proxy.cancelled(rx)


@on.timer(TIMER_C, timers.TIMERS["C"].clause)
def on_timer_c(scscf: Scscf, key: object, rx: Rx) -> Effects:
    """A phone rings for too long (RFC 3261, 16.8)."""
    context = scscf.proxy.contexts.get(key)
    yield from scscf.proxy.expired(key)
    if context is not None:
        yield from calls.silent(scscf, context, rx.now)
