# SPDX-License-Identifier: Apache-2.0
"""Calls as one phone has them: the SIP of the last one, from its INVITE on, with what it says of media."""

from dataclasses import dataclass

from dialtone.codec import sdp
from dialtone.codec.sdp import Session
from dialtone.codec.sip import InviteRequest, SipMessage, SipResponse
from dialtone.errors import ProtocolError
from dialtone.trace.diagnose.story import Step, Story

PATIENCE = 10.0
"""Seconds after which a call that makes no progress waits for something that will not come."""
_SDP = "application/sdp"


@dataclass(slots=True)
class Leg:
    """The last call of a phone. `outgoing`: it is the caller. `steps`: the call's messages between phone and P-CSCF."""

    invite: Step
    outgoing: bool
    steps: list[Step]
    end: float

    def requests(self, method: str, up: bool | None = None) -> list[Step]:
        """Its requests of a method, of the phone, of the network, or of both."""
        return [step for step in self.steps if step.name == method and (up is None or step.up == up)]

    def answers(self, method: str = "INVITE", first: int = 100, last: int = 699) -> list[Step]:
        """Answers to a method with a status of this range."""
        return [step for step in self.steps if isinstance(step.message, SipResponse) and method == step.message.METHOD
                and first <= step.message.status <= last]

    @property
    def final(self) -> Step | None:
        """The answer that ended the call's set-up."""
        found = self.answers(first=200)
        return found[0] if found else None

    def waited(self, step: Step) -> float:
        """Seconds from this step to the end of the set-up, or of the trace."""
        return (self.final.event.time if self.final else self.end) - step.event.time


def last_leg(story: Story) -> Leg | None:
    """The last call of the phone at Gm; None without one."""
    invites = [step for step in story.all("INVITE") if step.event.point == "Gm"
               and isinstance(step.message, InviteRequest) and not step.message.to.tag]
    if not invites:
        return None
    call_id = invites[-1].message.call_id
    first = next(step for step in invites if step.message.call_id == call_id)
    steps = [step for step in story.steps if step.event.point == "Gm" and isinstance(step.message, SipMessage)
             and step.message.call_id == call_id and step.id >= first.id]
    return Leg(first, first.up, steps, story.end)


def description(step: Step) -> Session | None:
    """What a message says of media; None for nothing, or for what cannot be read."""
    if step.message.content_type != _SDP:
        return None
    try:
        return sdp.decode(step.message.body)
    except ProtocolError:
        return None


def waits(step: Step) -> bool | None:
    """Whether the sender of a description has preconditions (RFC 3312); None without a description."""
    session = description(step)
    return None if session is None else any(media.preconditions("des") for media in session.media)
