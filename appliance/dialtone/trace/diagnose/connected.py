# SPDX-License-Identifier: Apache-2.0
"""A call that works: what a capture of nothing else says."""

from dialtone.codec.gtpc import CreateBearerRequest, CreateBearerResponse
from dialtone.qci import GBR
from dialtone.trace.diagnose.legs import last_leg
from dialtone.trace.diagnose.story import Step, Story
from dialtone.trace.diagnose.verdict import Found, Level, Verdict, rule


@rule("call-connected")
def call_connected(story: Story) -> Found:
    """Answered, acknowledged, and carried by a bearer of its own (TS 23.228, 5.7; TS 23.401, 5.4.1). A trace that shows
    the phone's attach tells of that."""
    leg = last_leg(story)
    if leg is None or story.last("Attach request") or leg.final is None or leg.final.message.status >= 300 or (
            not leg.requests("ACK")):
        return None
    answer, bearer = leg.final, _bearer(story)
    if bearer is None:
        text = "The call was answered; no bearer of its own is seen in this trace."
    else:
        later = (bearer.event.time - answer.event.time) * 1000
        text = (f"The call was answered, and its media got a bearer of their own {abs(later):.0f} ms "
                f"{'after' if later > 0 else 'before'} that; nothing to mend.")
    return Verdict("call-connected", Level.OK, text, story.imsi,
                   evidence=tuple(step.id for step in (leg.invite, answer, bearer) if step is not None))


def _bearer(story: Story) -> Step | None:
    """The answer that grants a bearer with a rate of its own."""
    asked = [step for step in story.steps if isinstance(step.message, CreateBearerRequest)
             and any(context.bearer_qos.qci in GBR for context in step.message.bearer_contexts)]
    granted = [step for step in story.steps if isinstance(step.message, CreateBearerResponse)
               and any(context.cause.accepted for context in step.message.bearer_contexts)]
    return granted[-1] if asked and granted else None
