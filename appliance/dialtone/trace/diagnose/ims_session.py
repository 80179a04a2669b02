# SPDX-License-Identifier: Apache-2.0
"""Rules on what a registered phone asks for: the registration event, calls and texts (TS 24.229, 5.4.2 and 5.4.3)."""

from dialtone.codec.sip import SipRequest, SipResponse
from dialtone.trace.diagnose.story import Step, Story
from dialtone.trace.diagnose.verdict import Found, failure, rule

_PATIENCE = 5.0  # seconds in which a NOTIFY must follow


def _pairs(story: Story, method: str) -> list[tuple[Step, Step]]:
    """Requests of a method with their final answers, as far as both are in the trace."""
    requests = {(step.message.call_id, step.message.cseq.number): step for step in story.all(method)
                if isinstance(step.message, SipRequest)}
    found = []
    for answer in story.all(f"{method} response"):
        if isinstance(answer.message, SipResponse) and answer.message.final:
            asked = requests.get((answer.message.call_id, answer.message.cseq.number))
            if asked is not None:
                found.append((asked, answer))
    return found


@rule("ims-no-notify")
def no_notify(story: Story) -> Found:
    """A phone that hears nothing of its registration registers again, or gives up (RFC 3680; TS 24.229, 5.1.1.3)."""
    pairs = [pair for pair in _pairs(story, "SUBSCRIBE")
             if (pair[0].message.first("Event") or "").lower().startswith("reg")]
    if not pairs:
        return None
    asked, answer = pairs[-1]
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
                   [asked, answer, *told[-1:]],
                   network="NOTIFY goes through the P-CSCF, from its protected client port to the phone's server port.")


@rule("ims-unknown-number")
def unknown_number(story: Story) -> Found:
    """404, 484 or 604 to a call or text of this phone: the number reaches nobody (TS 24.229, 5.4.3.2)."""
    pairs = [pair for method in ("INVITE", "MESSAGE") for pair in _pairs(story, method)]
    if not pairs:
        return None
    asked, answer = max(pairs, key=lambda pair: pair[1].id)
    if answer.message.status not in (404, 484, 604):
        return None
    what = "call" if asked.name == "INVITE" else "text"
    return failure("ims-unknown-number", story, f"The {what} reached nobody ({answer.message.status} "
                   f"{answer.message.reason[:80]}). The phone dialled {asked.message.uri[:100]}.", [asked, answer],
                   network="See the numbers with `dialtone subscriber list`; what stands for a leading 0 is "
                   "country_code in [ims], and numbers of services are short_codes there.",
                   phone="Dial the number with + and country code.")
