# SPDX-License-Identifier: Apache-2.0
"""Rules on what lies below SIP: ports that nobody listens at, and ESP that the kernel refuses (TS 33.203, 7)."""

from dialtone.sip.flow import Flow
from dialtone.trace.diagnose.sip_steps import answers, later, leaves, registers
from dialtone.trace.diagnose.story import Step, Story
from dialtone.trace.diagnose.verdict import Found, failure, rule

_AGAIN = "Have the phone register again."
_ESP = {
    "XfrmInStateProtoError": ("the phone's ESP does not verify: the two ends have different keys or algorithms",
                              "Compare the algorithms of Security-Client and Security-Server in the 401; if they are "
                              "the same, the SIM computes another CK or IK: check K and OPc."),
    "XfrmInNoStates": ("the phone sends ESP with an SPI that is not known here: it uses SAs of before",
                       "Wait for its next REGISTER, or have it start IMS anew."),
    "XfrmInStateMismatch": ("ESP came from or to another port than the SAs are for",
                            "Compare the ports of Security-Client with those that the phone uses."),
    "XfrmInStateSeqError": ("ESP packets came a second time, or far too late: they were replayed",
                            "Look for who repeats packets on the way: this is an attack, or a loop."),
    "XfrmInTmplMismatch": ("something was sent in plain text to a protected port, and was dropped",
                           "Nothing to mend here: somebody tried it without IPsec."),
}
_OUT = {
    "XfrmOutNoStates": ("nothing can be sent to the phone: its SAs are gone", _AGAIN),
    "XfrmOutPolBlock": ("an answer would have left in plain text, and was not sent: there is no policy or SA for it",
                        f"The P-CSCF needs SAs for UDP and TCP, towards the phone as well. {_AGAIN}"),
    "XfrmOutStateExpired": ("nothing can be sent to the phone: its SAs have expired", _AGAIN),
}
COUNTERS = _ESP | _OUT
"""What the kernel counts (kernel/ipsec.py), for people: the meaning, and the remedy."""
_GONE = ("XfrmInNoStates", "XfrmOutNoStates", "XfrmOutStateExpired", "XfrmInStateExpired")
_TURNED_DOWN = ("refused", "RST", "unreachable")


def _refused(story: Story, *names: str) -> tuple[list[Step], str] | None:
    """What the kernel said last of these counters, and which it was."""
    found = [(step, step.event.info.removeprefix("failed: ").partition(" ")[0])
             for step in story.done("verdict", "Xfrm") if step.event.name == "esp"]
    steps = [step for step, counter in found if counter in names]
    return (steps, next(counter for step, counter in reversed(found) if counter in names)) if steps else None


def _before(story: Story, step: Step) -> bool:
    """Whether the phone was registered before this."""
    return any(answer.id < step.id for answer in answers(story, 200))


@rule("ims-esp-refused", "D18", attach=True, instead_of=("ims-challenge-unanswered", "ims-challenge-lost"),
      network="By the kernel's counter: other keys or algorithms, an unknown SPI, other ports, a replay, plain text.")
def esp_refused(story: Story) -> Found:
    """The kernel refused what came to the protected ports (/proc/net/xfrm_stat)."""
    found = _refused(story, *_ESP)
    if found is None or (found[1] in _GONE and _before(story, found[0][-1])) or later(
            story, found[0][-1], answers(story, 200)):
        return None
    text, remedy = _ESP[found[1]]
    return failure("ims-esp-refused", story, f"IPsec: {text} ({found[1]}).", found[0], network=remedy)


@rule("ims-esp-blocked", "D19", attach=True, instead_of=("ims-answer-lost", "ims-challenge-unanswered"),
      network="The P-CSCF needs SAs and policies for UDP and TCP, towards the phone as well.")
def esp_blocked(story: Story) -> Found:
    """The kernel did not let out what was to go to the phone: it would have left in the clear, or by no SA."""
    found = _refused(story, *_OUT)
    if found is None or (found[1] in _GONE and _before(story, found[0][-1])):
        return None
    text, remedy = _OUT[found[1]]
    return failure("ims-esp-blocked", story, f"IPsec: {text} ({found[1]}).",
                   [*registers(story)[-1:], *found[0]], network=remedy)


@rule("ims-sas-lost", "D25", attach=True, instead_of=("ims-answer-lost",), network="Keep the old SAs of a phone until "
      "it uses the new ones, and let SAs live as long as the registration and a margin.",
      phone="At the phone: flight mode on and off, so that it registers anew.")
def sas_lost(story: Story) -> Found:
    """A registered phone and its P-CSCF no longer have the same SAs (TS 33.203, 7.4)."""
    found = _refused(story, *_GONE)
    if found is None or not _before(story, found[0][-1]) or later(story, found[0][-1], answers(story, 200)):
        return None
    accepted = answers(story, 200)[-1]
    if leaves(story, accepted):
        return None  # with its registration the SAs went, too
    text = COUNTERS.get(found[1], ("the SAs it uses have expired", ""))[0]
    again = len(answers(story, 200)) > 1
    when = "it registered again" if again else "it registered"
    return failure("ims-sas-lost", story, f"The phone was registered, and cannot be reached any more since {when}: "
                   f"{text} ({found[1]}). It will miss calls.", [accepted, *found[0][-3:]])


@rule("ims-port-closed", "D10", attach=True, instead_of=("ims-no-sip",), network="Have the P-CSCF listen on UDP and "
      "TCP, at the address that the phone is told: ours does.")
def port_closed(story: Story) -> Found:
    """TCP RST, or ICMP port unreachable, for the first SIP message of a phone (RFC 3261, 18.1.1)."""
    for step in reversed(story.steps):
        event = step.event
        below = event.point == "Gm" and step.message is None
        if any(word in f"{event.name} {event.info}" for word in _TURNED_DOWN) and (
                below or (event.point == "peer" and event.src.startswith("ims-"))):
            flow = Flow.find(event.name) or Flow.find(event.dst)
            if flow is None or later(story, step, answers(story)):
                return None
            return failure("ims-port-closed", story, f"The phone tried {flow.transport.upper()} to port {flow.port} "
                           f"of the P-CSCF {flow.host}, and nobody listens there.", [*registers(story)[-1:], step])
    return None
