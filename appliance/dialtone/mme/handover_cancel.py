# SPDX-License-Identifier: Apache-2.0
"""Handover Cancel (TS 36.413, 8.4.5): the source has changed its mind, or the phone came back to it."""

from dialtone.codec.s1ap import HandoverCancel, HandoverCancelAcknowledge
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Send, Verdict
from dialtone.mme.element import Mme, on
from dialtone.mme.handover import stay


@on("S1-MME", HandoverCancel)
def on_handover_cancel(mme: Mme, msg: HandoverCancel, rx: Rx) -> Effects:
    """Always acknowledged, also where there is nothing to cancel any longer; the target is released."""
    ue = mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    if ue.handover is not None:
        yield from stay(mme, ue, rx)
        yield Verdict("S1 handover", False, f"cancelled by the source: {msg.cause}")
    yield Send("S1-MME", rx.peer, HandoverCancelAcknowledge(
        mme_ue_s1ap_id=msg.mme_ue_s1ap_id, enb_ue_s1ap_id=msg.enb_ue_s1ap_id), stream=rx.stream)
