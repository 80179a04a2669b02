# SPDX-License-Identifier: Apache-2.0
"""What passes in the middle of a request's transaction: answers, CANCEL, silence (RFC 3261, 16.7 to 16.10)."""

from collections.abc import Hashable

from dialtone.codec.sip import CancelRequest, SipRequest, SipResponse
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Unanswered
from dialtone.pcscf import call
from dialtone.pcscf.element import Pcscf, on
from dialtone.sip.proxy import TIMER_C, Branch


@on("Gm", SipResponse)
@on("Mw", SipResponse)
def on_sip_response(pcscf: Pcscf, msg: SipResponse, rx: Rx) -> Effects:
    yield from pcscf.proxy.answered(msg, rx)
    yield from call.answered(pcscf, msg, rx)


@on("Gm", CancelRequest)
@on("Mw", CancelRequest)
def on_cancel_request(pcscf: Pcscf, msg: CancelRequest, rx: Rx) -> Effects:
    return pcscf.proxy.cancelled(rx)


@on.unanswered(SipRequest)
def on_no_answer(pcscf: Pcscf, event: Unanswered, rx: Rx) -> Effects:
    yield from pcscf.proxy.unanswered(event)
    if isinstance(event.request.context, Branch):
        yield from call.silent(pcscf, event.request.context.context)


@on.timer(TIMER_C, "RFC 3261, 16.8")
def on_timer_c(pcscf: Pcscf, key: Hashable, rx: Rx) -> Effects:
    context = pcscf.proxy.contexts.get(key)
    yield from pcscf.proxy.expired(key)
    if context is not None:
        yield from call.silent(pcscf, context)
