# SPDX-License-Identifier: Apache-2.0
"""Rules on handovers: why a phone stayed, or was lost on the way."""

from dialtone.codec.s1ap.causes import CauseRadioNetwork
from dialtone.trace.diagnose.story import Story
from dialtone.trace.diagnose.verdict import Found, failure, rule

REMEDIES = {
    CauseRadioNetwork.UNKNOWN_TARGETID:
        "The source eNB names a neighbour that is not connected here: compare the target in its HandoverRequired with "
        "dialtone enb list, and mend its neighbour list.",
    CauseRadioNetwork.HO_TARGET_NOT_ALLOWED:
        "The target's tracking area is not served, or source and target are one eNB: see tac in [network] of "
        "dialtone.toml, and the neighbour list of the source.",
    CauseRadioNetwork.NO_RADIO_RESOURCES_AVAILABLE_IN_TARGET_CELL:
        "The target cell has no room for the phone's bearers: is it full, or locked?",
    CauseRadioNetwork.HO_FAILURE_IN_TARGET_EPC_ENB_OR_TARGET_SYSTEM:
        "The target eNB did not answer or took no default bearer, or the gateway did not: see its lines in the trace.",
    CauseRadioNetwork.UNKNOWN_MME_UE_S1AP_ID:
        "The eNBs agreed on X2 about a phone that the network has forgotten: the phone comes back by itself.",
}
FAILURES = ("HandoverPreparationFailure", "PathSwitchRequestFailure")
SUCCESSES = ("HandoverNotify", "PathSwitchRequestAcknowledge")


@rule("handover-failed")
def handover_failed(story: Story) -> Found:
    """The last handover came to nothing (TS 36.413, 8.4.1.3 and 8.4.4.3)."""
    refused = [step for name in FAILURES for step in story.all(name) if step.message is not None]
    if not refused:
        return None
    last = max(refused, key=lambda step: step.id)
    if any(story.after(last, name) for name in SUCCESSES):
        return None
    cause = last.message.cause
    remedy = REMEDIES.get(cause.value) if cause is not None and cause.group == "radioNetwork" else None
    kind = "An S1 handover" if last.name == FAILURES[0] else "An X2 handover"
    return failure("handover-failed", story, f"{kind} was refused: {cause}.", [story.last("HandoverRequired"), last],
                   network=remedy or "Look at what the target and the gateway answered before.")
