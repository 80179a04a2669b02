# SPDX-License-Identifier: Apache-2.0
"""What a phone remembers of a refusal, and what frees it (TS 24.301, 5.5.1.2.5 and 5.4.2.5)."""

from dialtone.trace.diagnose.story import Story

RESTART = "At the phone: the SIM counts as invalid now; switch the phone off and on, or take the SIM out and in."
_AREA = "At the phone: it avoids this tracking area now; when the cause is mended, switch it off and on."
AT_THE_PHONE = {
    3: RESTART,
    6: "At the phone: it counts itself as refused for good; switch it off and on, or take the SIM out and in.",
    7: "At the phone: it gives up LTE; switch it off and on.",
    8: RESTART,
    11: "At the phone: this network is on its forbidden list; choose it by hand, or switch the phone off and on.",
    12: _AREA, 13: _AREA, 14: "At the phone: it gives up data in this network; switch it off and on.", 15: _AREA,
}
"""What frees a phone from a cause that it remembers (TS 24.301, 5.5.1.2.5)."""


def sticky(story: Story) -> str:
    """What must be done at the phone after what the network has sent it in this attempt."""
    if story.last("Authentication reject"):
        return RESTART
    reject = story.last("Attach reject")
    return AT_THE_PHONE.get(reject.message.emm_cause, "") if reject else ""
