# SPDX-License-Identifier: Apache-2.0
"""UE Context Modification (TS 36.413, 8.3.4): another UE-AMBR for the eNB to enforce."""

from dialtone.codec.s1ap import (
    UEContextModificationFailure,
    UEContextModificationRequest,
    UEContextModificationResponse,
)
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Send, Verdict
from dialtone.mme.context import Ue
from dialtone.mme.context_setup import aggregate
from dialtone.mme.element import Mme, on


def request(ue: Ue) -> Send:
    """Tell the eNB of a connected phone the AMBR of now."""
    assert ue.enb is not None
    return Send("S1-MME", ue.enb.peer, UEContextModificationRequest(
        mme_ue_s1ap_id=ue.number, enb_ue_s1ap_id=ue.enb_ue_s1ap_id, ue_aggregate_maximum_bitrate=aggregate(ue),
    ), stream=ue.stream)


@on("S1-MME", UEContextModificationResponse)
def on_ue_context_modification_response(mme: Mme, msg: UEContextModificationResponse, rx: Rx) -> Effects:
    """The eNB enforces it."""
    mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    return ()


@on("S1-MME", UEContextModificationFailure)
def on_ue_context_modification_failure(mme: Mme, msg: UEContextModificationFailure, rx: Rx) -> Effects:
    """The eNB goes on with the old one; the gateway polices all the same."""
    mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    yield Verdict("UE context modification", False, f"the eNB refused the new AMBR: {msg.cause}")
