# SPDX-License-Identifier: Apache-2.0
"""Rules on the network's own side: S1 Setup, and the HSS."""

from typing import Any

from dialtone.trace.diagnose.sticky import sticky
from dialtone.trace.diagnose.story import Step, Story
from dialtone.trace.diagnose.verdict import Found, failure, rule

USER_UNKNOWN = 5001
_S6A = ("Authentication-Information", "Update-Location")


@rule("s1-setup-refused")
def s1_setup_refused(story: Story) -> Found:
    """The last S1 Setup was refused (TS 36.413, 8.7.3.3)."""
    refused = story.last("S1SetupFailure")
    if refused is None or story.after(refused, "S1SetupResponse"):
        return None
    asked = next((step for step in reversed(story.all("S1SetupRequest")) if step.event.id < refused.id), None)
    return failure("s1-setup-refused", story, f"The eNB was refused: {compare(asked, refused, story)}",
                   [asked, refused], network="Make both sides equal: mcc, mnc and tac in "
                   "[network] of dialtone.toml, or PLMN and TAC at the eNB (is one side hexadecimal? has the MNC two "
                   "digits or three?).")


def compare(asked: Step | None, refused: Step, story: Story) -> str:
    """The sentence that sets what an eNB offers beside what is served."""
    areas = [f"PLMN {plmn} TAC {ta.tac} (0x{ta.tac:04x})" for ta in asked.message.supported_tas
             for plmn in ta.broadcast_plmns] if asked is not None and asked.message is not None else []
    offers = f"it announces {', '.join(areas)}" if areas else "what it announces was not traced"
    serves = f"; the network serves {', '.join(story.served)}." if story.served else (
        f"; the network answered {refused.message.cause}.")
    return offers + serves


@rule("unknown-imsi", instead_of=("attach-reject", "under-way", "no-answer"))
def unknown_imsi(story: Story) -> Found:
    """The HSS answers DIAMETER_ERROR_USER_UNKNOWN (TS 29.272, 7.4.3.1)."""
    answer = next((step for step in story.steps if step.event.point == "S6a" and _result(step) == USER_UNKNOWN), None)
    if answer is None:
        return None
    who = f"IMSI {story.imsi}" if story.imsi else "this IMSI"
    return failure("unknown-imsi", story, f"The HSS does not know {who}: the SIM is not provisioned.",
                   [answer, story.last("Attach reject")], phone=sticky(story),
                   network=f"Add it: dialtone subscriber add {story.imsi or 'IMSI'} --k ... --opc ....")


def _result(step: Step) -> int:
    message: Any = step.message
    experimental = getattr(message, "experimental_result", None)
    if experimental is not None:
        return int(experimental.experimental_result_code)
    return int(getattr(message, "result_code", None) or 0)


@rule("hss-unreachable", instead_of=("attach-reject", "under-way", "no-answer"))
def hss_unreachable(story: Story) -> Found:
    """A request at S6a without an answer, or one that could not be delivered (RFC 6733, 7.1.3)."""
    lost = [step for step in story.steps if _result(step) == 3002] + story.done("timer", "-Information Request")
    lost += story.done("timer", "Update-Location Request")
    for step in story.steps:
        if step.event.point == "S6a" and any(f"{part} Request" in step.name for part in _S6A):
            answered = any(other.event.point == "S6a" and other.name.endswith("Answer") and other.id > step.id
                           for other in story.steps)
            if not answered and story.end - step.event.time > 10:
                lost.append(step)
    if not lost:
        return None
    return failure("hss-unreachable", story, "The HSS did not answer, so the network could not check the SIM.",
                   [*lost, story.last("Attach reject")], phone=sticky(story),
                   network="See that the HSS runs and is reached: [diameter] in dialtone.toml, dialtone status.")


@rule("defect", instead_of=("under-way", "no-answer", "phone-silent"))
def defect(story: Story) -> Found:
    """What the core's own trace calls an internal error: our fault, and nobody else's."""
    found = story.done("error", "internal error")
    if not found:
        return None
    return failure("defect", story, "A defect of Dialtone stopped this.", found[-1:],
                   network="Please report it with the core's log and this trace: dialtone trace --record FILE.")
