# SPDX-License-Identifier: Apache-2.0
"""Notification to the HSS (TS 29.272, 5.2.5.1): the phone it asked about can be reached (TS 23.401, 5.7.2)."""

from dialtone.codec.diameter import NotifyAnswer, NotifyRequest
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Request, Verdict
from dialtone.mme import mt_sms, update_location
from dialtone.mme.context import Ue
from dialtone.mme.element import Mme, on
from dialtone.mme.states import EcmState, EmmState

REACHABLE, S6A = 1 << 3, 1 << 8  # NOR-Flags: UE Reachable from MME, S6a/S6d indicator (TS 29.272, 7.3.49)
UE_PRESENT = 0  # Alert-Reason (7.3.83)
SUCCESS = 2001


def heard(mme: Mme, ue: Ue, rx: Rx) -> Effects:
    """A registered phone is in contact: what the HSS waits for, or has lost, is told now."""
    if ue.emm is not EmmState.REGISTERED or ue.ecm is not EcmState.CONNECTED:
        return
    yield from update_location.confirm(mme, ue, rx)
    yield from mt_sms.heard(mme, ue)
    if ue.notify_reachable:
        ue.notify_reachable = False
        yield Request("S6a", mme.s6a.element, NotifyRequest(
            **mme.s6a_header(), user_name=ue.imsi, alert_reason=UE_PRESENT, nor_flags=REACHABLE | S6A),
            context=ue.imsi)


@on("S6a", NotifyAnswer)
def on_notify_answer(mme: Mme, msg: NotifyAnswer, rx: Rx) -> Effects:
    """Noted, or the HSS thinks that another MME serves the phone (5423)."""
    assert rx.request is not None
    rx.subject = rx.request.context
    code = msg.result_code or msg.experimental_result_code
    if code != SUCCESS:
        yield Verdict("notification", False, f"the HSS answered {code}")
