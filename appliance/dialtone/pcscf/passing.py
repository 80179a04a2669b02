# SPDX-License-Identifier: Apache-2.0
"""What passes in the middle of a request's transaction: answers, CANCEL, silence (RFC 3261, 16.7 to 16.10)."""

from collections.abc import Hashable

from dialtone.codec.sip import CancelRequest, SipRequest, SipResponse
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Unanswered
from dialtone.pcscf.element import Pcscf, on
from dialtone.sip.proxy import TIMER_C


@on("Gm", SipResponse)
@on("Mw", SipResponse)
def on_sip_response(pcscf: Pcscf, msg: SipResponse, rx: Rx) -> Effects:
    return pcscf.proxy.answered(msg, rx)


@on("Gm", CancelRequest)
@on("Mw", CancelRequest)
def on_cancel_request(pcscf: Pcscf, msg: CancelRequest, rx: Rx) -> Effects:
    return pcscf.proxy.cancelled(rx)


@on.unanswered(SipRequest)
def on_no_answer(pcscf: Pcscf, event: Unanswered, rx: Rx) -> Effects:
    return pcscf.proxy.unanswered(event)


@on.timer(TIMER_C, "RFC 3261, 16.8")
def on_timer_c(pcscf: Pcscf, key: Hashable, rx: Rx) -> Effects:
    return pcscf.proxy.expired(key)
