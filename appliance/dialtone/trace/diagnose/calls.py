# SPDX-License-Identifier: Apache-2.0
"""Rules on the media of calls: a bearer for voice that never came, and voice that nobody hears."""

from dialtone.codec.nas.causes import EsmCause, cause_name
from dialtone.codec.tft import PacketFilter, Tft
from dialtone.errors import ProtocolError
from dialtone.qci import GBR
from dialtone.trace.diagnose.legs import description, last_leg
from dialtone.trace.diagnose.story import Step, Story
from dialtone.trace.diagnose.verdict import Found, failure, rule

TEMPLATE_CAUSES = (41, 42, 44, 45)
ENB = ("Does this eNB carry bearers of QCI 1 and 2? Look for dedicated or GBR bearers in its settings and licence, and "
       "at its lowest AMBR.")


@rule("call-without-bearer", "D28", attach=True, network=ENB, phone="At the phone: restart it, and call again.",
      instead_of=("call-stuck", "call-bearer-not-asked"))
def call_without_bearer(story: Story) -> Found:
    """The dedicated bearer of a call was refused, or never answered (TS 24.301, 6.4.2; TS 36.413, 8.2.1)."""
    asked = story.last("Create Bearer Request")
    if asked is None or asked.message is None:
        return None
    contexts = asked.message.bearer_contexts
    if not any(context.bearer_qos.qci in GBR for context in contexts):
        return None
    answer = story.after(asked, "Create Bearer Response")
    if answer is None or answer.message is None or any(one.cause.accepted for one in answer.message.bearer_contexts):
        return None
    what = "voice" if any(context.bearer_qos.qci == 1 for context in contexts) else "video"
    why, remedy, phone, step = _why(story, asked)
    return failure("call-without-bearer", story, f"The call got no bearer for its {what}: {why}.",
                   [asked, step, answer], network=remedy, phone=phone)


def _why(story: Story, asked: Step) -> tuple[str, str, str, Step | None]:
    """Sentence, remedy for the network, remedy at the phone, evidence."""
    refused = story.after(asked, "E-RABSetupResponse")
    if refused is not None and refused.message is not None and refused.message.e_rab_failed_to_setup_list:
        return f"the eNB refused it ({refused.message.e_rab_failed_to_setup_list[0].cause})", ENB, "", refused
    reject = story.after(asked, "Activate dedicated EPS bearer context reject")
    if reject is not None and reject.message is not None:
        cause = int(reject.message.esm_cause)
        said = f"the phone refused it with ESM cause {cause_name(EsmCause, cause)}"
        if cause in TEMPLATE_CAUSES:
            return said, "It does not take the packet filters: say which phone it is, and attach the trace.", "", reject
        return said, "", "At the phone: restart it, and call again.", reject
    expired = [step for step in story.done("timer", "T3485") if step.id > asked.id]
    if expired:
        return ("the phone does not answer", "Is its radio good enough? See its cell in dialtone ue list.", "",
                expired[-1])
    return "the network gave none", ENB, "", None


@rule("call-not-heard", "D29", attach=True, instead_of=("call-filters",), network="Compare these ports with those in "
      "the SDP of INVITE and its answer: a phone that uses others cannot be helped from here.")
def call_not_heard(story: Story) -> Found:
    """A phone in a call sends where no call leads: its ports are others than it said (TS 23.203, 4.3.3.1)."""
    stray = [step for step in story.done("verdict", "belong to no call") if step.event.name == "media"]
    if not stray:
        return None
    said = stray[-1].event.info.removeprefix("failed: ")
    return failure("call-not-heard", story, f"A call was not heard on one side: {said}.", stray[-1:])


@rule("call-filters", "D29", attach=True, network="Make the packet filters of SDP: address and port of the other end's "
      "media, and the phone's own port.")
def call_filters(story: Story) -> Found:
    """The filters of the voice bearer let none of the call's media through (TS 29.213, 6.2; TS 24.008, 10.5.6.12)."""
    leg = last_leg(story)
    bearers = [step for name in ("Activate dedicated EPS bearer context request", "Modify EPS bearer context request")
               for step in story.all(name) if leg and step.id > leg.invite.id and getattr(step.message, "tft", None)]
    filters = [one for step in bearers for one in _filters(step.message.tft)]
    if leg is None or not any(one.local_ports or one.remote_ports for one in filters):
        return None
    for up, side in ((True, "the phone"), (False, "the other end")):
        said = next((step for step in reversed(leg.steps) if step.up == up and description(step)), None)
        ports = [media.port for media in description(said).media] if said else []  # type: ignore[union-attr]
        spans = [one.local_ports if up else one.remote_ports for one in filters]
        if ports and all(span is not None and not any(span[0] <= port <= span[1] for port in ports) for span in spans):
            return failure("call-filters", story, f"The call's voice has no bearer that fits: {side} has its media "
                           f"at port {ports[0]}, and the packet filters are for "
                           f"{min(span[0] for span in spans if span)} and on.",
                           [said, *bearers[-1:]])
    return None


def _filters(octets: bytes) -> tuple[PacketFilter, ...]:
    try:
        return Tft.from_bytes(octets).filters
    except ProtocolError:
        return ()


@rule("bearer-change-refused", "D30", attach=True, network="Serve the phone's Bearer resource modification, also for "
      "single packet filters: ours does.")
def bearer_change_refused(story: Story) -> Found:
    """What the phone asked to be changed of a bearer was refused (TS 24.301, 6.5.4.4)."""
    reject = story.last("Bearer resource modification reject") or story.last("Bearer resource allocation reject")
    if reject is None or reject.message is None:
        return None
    asked = [step for name in ("modification", "allocation") for step in story.all(f"Bearer resource {name} request")
             if step.id < reject.id]
    why = cause_name(EsmCause, reject.message.esm_cause)
    return failure("bearer-change-refused", story, f"The phone wanted its bearers otherwise, as for a second call or "
                   f"video, and was refused ({why}): that part of the call will fail.", [*asked[-1:], reject])
