# SPDX-License-Identifier: Apache-2.0
"""Rules on what a registered phone asks for: the registration event, calls and texts (TS 24.229, 5.4.2 and 5.4.3)."""

from dialtone.trace.diagnose.sip_steps import pairs
from dialtone.trace.diagnose.story import Step, Story
from dialtone.trace.diagnose.verdict import Found, failure, rule

_PATIENCE = 5.0  # seconds in which a NOTIFY must follow


@rule("ims-no-notify", "D26", attach=True, network="NOTIFY goes through the P-CSCF, from its protected client port to "
      "the phone's server port.")
def no_notify(story: Story) -> Found:
    """A phone that hears nothing of its registration registers again, or gives up (RFC 3680; TS 24.229, 5.1.1.3)."""
    found = [pair for pair in pairs(story, "SUBSCRIBE", up=True)
             if (pair[0].message.first("Event") or "").lower().startswith("reg")]
    if not found:
        return None
    asked, answer = found[-1]
    status = answer.message.status
    if status >= 300:
        return failure("ims-no-notify", story, "The phone asked to be told of its registration and was refused "
                       f"({status} {answer.message.reason[:80]}): the identity it uses is not one of its registration.",
                       [asked, answer], network="Compare its From with P-Associated-URI in the 200 to REGISTER: a "
                       "malformed entry there is used ever after.")
    told = [step for step in story.all("NOTIFY") if step.message.call_id == asked.message.call_id]
    taken = [step for step in story.all("NOTIFY response") if step.message.call_id == asked.message.call_id
             and step.message.status == 200]
    if taken or story.end - answer.event.time < _PATIENCE:
        return None
    why = ("none was sent" if not told else
           "the phone took none: it went in clear, or outside of the security association")
    return failure("ims-no-notify", story, f"The phone subscribed to its registration and got no NOTIFY: {why}.",
                   [asked, answer, *told[-1:]])


@rule("ims-unknown-number", "D27", attach=True, network="See the numbers with `dialtone subscriber list`; what "
      "stands for a leading 0 is country_code in [ims], and numbers of services are short_codes there.",
      phone="Dial the number with + and country code.")
def unknown_number(story: Story) -> Found:
    """404, 484 or 604 to a call or text of this phone: the number reaches nobody (TS 24.229, 5.4.3.2)."""
    found = pairs(story, "INVITE", "MESSAGE", up=True)
    if not found:
        return None
    asked, answer = found[-1]
    if answer.message.status not in (404, 484, 604):
        return None
    what = "call" if asked.name == "INVITE" else "text"
    looked = _looked_for(story, asked, answer)
    understood = f", and the network looked for {looked.message.public_identity[:100]}" if looked else ""
    return failure("ims-unknown-number", story, f"The {what} reached nobody ({answer.message.status} "
                   f"{answer.message.reason[:80]}). The phone dialled {asked.message.uri[:100]}{understood}.",
                   [asked, looked, answer])


def _looked_for(story: Story, asked: Step, answer: Step) -> Step | None:
    """The question to the HSS for who was dialled: it shows what became of the number."""
    return next((step for step in reversed(story.all("Location-Info Request"))
                 if asked.id < step.id < answer.id), None)
