# SPDX-License-Identifier: Apache-2.0
"""What the rules on SIP share: requests and their answers between the phone and its P-CSCF, as a story has them."""

from dialtone.codec.sip import AuthParams, SipMessage, SipRequest, SipResponse
from dialtone.errors import ProtocolError
from dialtone.sip.security_agreement import NAME, Mechanism
from dialtone.trace.diagnose.story import Step, Story


def registers(story: Story) -> list[Step]:
    """REGISTER of the phone."""
    return [step for step in story.all("REGISTER") if step.event.point == "Gm"]


def answers(story: Story, *statuses: int) -> list[Step]:
    """Answers to REGISTER that went to the phone: with these statuses, or all that are final."""
    return [step for step in story.all("REGISTER response") if step.event.point == "Gm" and (
        step.message.status in statuses if statuses else step.message.final)]


def later(story: Story, step: Step, others: list[Step]) -> list[Step]:
    """Those of the others that come after it."""
    return [other for other in others if other.id > step.id]


def registered(story: Story) -> Step | None:
    """The 200 by which the phone is registered at the end of the story: its last word is that, and no other answer."""
    accepted = [step for step in answers(story, 200) if not leaves(story, step)]
    last = [step for step in answers(story) if step.message.status != 401]
    return accepted[-1] if accepted and last[-1] is accepted[-1] else None


def mended(story: Story, step: Step) -> bool:
    """Whether the phone was registered after this."""
    return bool(later(story, step, answers(story, 200)))


def leaves(story: Story, answer: Step) -> bool:
    """Whether it is the answer to a de-registration."""
    asked = question(story, answer)
    return asked is not None and ((asked.message.first("Expires") or "").strip() == "0"
                                  or "expires=0" in (asked.message.first("Contact") or "").replace(" ", ""))


def question(story: Story, answer: Step) -> Step | None:
    """The last request before an answer that it is to: that at Gm where there are several."""
    asked = [step for step in story.all(answer.message.METHOD) if isinstance(step.message, SipRequest)
             and same(step, answer) and step.id < answer.id]
    return next((step for step in reversed(asked) if step.event.point == answer.event.point),
                asked[-1] if asked else None)


def same(one: Step, other: Step) -> bool:
    """Whether two steps are of one transaction: by Call-ID and CSeq, which no hop changes."""
    return bool(one.message.call_id == other.message.call_id and one.message.cseq == other.message.cseq)


def pairs(story: Story, *methods: str, up: bool | None = None) -> list[tuple[Step, Step]]:
    """Requests with their final answers, in the order of the answers. `up`: of the phone, or of the network, as Gm
    shows it; in a trace without Gm, whatever there is."""
    radio = any(step.event.point == "Gm" and step.event.data for step in story.steps)
    found = []
    for method in methods:
        for answer in story.all(f"{method} response"):
            if not isinstance(answer.message, SipResponse) or not answer.message.final:
                continue
            if radio and (answer.event.point != "Gm" or (up is not None and answer.up == up)):
                continue
            asked = question(story, answer)
            if asked is not None:
                found.append((asked, answer))
    return sorted(found, key=lambda pair: pair[1].id)


def credentials(step: Step) -> AuthParams:
    """Its Authorization; empty for none, or for what cannot be read."""
    try:
        return AuthParams.parse(step.message.first("Authorization") or "Digest")
    except ProtocolError:
        return AuthParams("Digest")


def offered(message: SipMessage, header: str) -> list[Mechanism]:
    """The IPsec mechanisms of a header, those that nobody here has among them; what cannot be read is left out."""
    found = []
    for text in message.all(header):
        if text.partition(";")[0].strip().lower() == NAME:
            try:
                found.append(Mechanism.parse(text))
            except ProtocolError:
                continue
    return found
