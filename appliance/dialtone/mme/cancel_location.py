# SPDX-License-Identifier: Apache-2.0
"""Cancel Location (TS 29.272, 5.2.1.2; TS 23.401, 5.3.8.4): the phone is another MME's, or has no subscription."""

from dialtone.codec.diameter import CancelLocationAnswer, CancelLocationRequest, ResultCode
from dialtone.codec.s1ap.causes import Cause
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Verdict
from dialtone.mme.context_release import end
from dialtone.mme.detach import DetachUe, on_detach_ue
from dialtone.mme.element import Mme, on

SUBSCRIPTION_WITHDRAWAL = 2  # Cancellation-Type (7.3.24)
REATTACH_REQUIRED = 1 << 1  # CLR-Flags (7.3.152)


@on("S6a", CancelLocationRequest)
def on_cancel_location_request(mme: Mme, msg: CancelLocationRequest, rx: Rx) -> Effects:
    """Success also for a phone that is not known (5.2.1.2.2). One that moved away is not told, it knows."""
    rx.subject = msg.user_name
    yield Answer(CancelLocationAnswer(**mme.s6a_answer(msg), result_code=ResultCode.DIAMETER_SUCCESS))
    mme.memory.forget(msg.user_name)
    ue = mme.by_imsi.get(msg.user_name)
    if ue is None:
        return
    rx.state = ue.emm
    if msg.cancellation_type == SUBSCRIPTION_WITHDRAWAL:
        reattach = bool((msg.clr_flags or 0) & REATTACH_REQUIRED)
        yield Verdict("cancel location", True, "the HSS withdrew the subscription")
        yield from on_detach_ue(mme, DetachUe(ue.imsi, reattach, page=True, by_hss=True), rx)
    else:
        yield Verdict("cancel location", True, "another MME serves the phone")
        yield from end(mme, ue, rx, Cause.of("nas", "normal-release"))
