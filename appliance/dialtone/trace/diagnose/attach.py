# SPDX-License-Identifier: Apache-2.0
"""Rules on attach, its rejects and its silences (TS 24.301, 5.5.1)."""

from typing import Any

from dialtone.codec.nas import decode as decode_nas
from dialtone.codec.nas.causes import EmmCause, EsmCause, cause_name
from dialtone.codec.pco import Id
from dialtone.errors import ProtocolError
from dialtone.trace.diagnose.sticky import sticky
from dialtone.trace.diagnose.story import Step, Story
from dialtone.trace.diagnose.verdict import Found, Level, Verdict, failure, rule

_WHY = {
    2: "the HSS does not know this SIM",
    3: "the network does not accept this SIM (illegal UE)",
    5: "the network does not accept emergency calls without a valid IMEI",
    6: "the network does not accept this phone (illegal ME): its IMEI is barred",
    7: "this subscriber may not use data services",
    8: "this subscriber is unknown, or may use neither data nor voice",
    9: "the network could not tell who the phone is",
    11: "this subscriber may not use this network (PLMN not allowed)",
    12: "this subscriber may not use this tracking area",
    13: "this subscriber may not roam in this tracking area",
    14: "this subscriber may not use data in this network",
    15: "this subscriber may not use LTE in this tracking area",
    17: "the network has a problem of its own; the phone will try again by itself",
    19: "the connection to the packet network was refused",
    22: "the network is congested; the phone will try again by itself",
    25: "this cell is for a closed group",
    111: "the network could not understand the phone's request",
}
_ANSWER_TO = {
    "Authentication request": "T3460", "Security mode command": "T3460", "Identity request": "T3470",
    "ESM information request": "T3489", "Attach accept": "T3450", "Detach request": "T3422",
}
"""What the network waits for, and the timer it repeats the message by (TS 24.301, table 10.2.2)."""
_ONLY = {50: ("IPv4", "IPv6"), 51: ("IPv6", "IPv4")}
"""ESM cause: the version that is to be had, and the one that was asked for."""
_PATIENCE = 24.0  # seconds: any of them has expired at least twice


@rule("unknown-apn", instead_of=("attach-reject", "session-refused", "under-way"))
def unknown_apn(story: Story) -> Found:
    """ESM cause #27, alone or inside an Attach reject with #19 (TS 24.301, 6.5.1.4)."""
    reject, refused, cause = _refusal(story)
    if cause != EsmCause.MISSING_OR_UNKNOWN_APN:
        return None
    asked = _apn_asked(story)
    which = f"The APN {asked!r} that the phone asks for" if asked else "The APN that the phone asks for"
    return failure("unknown-apn", story, f"{which} is not in this subscription (ESM cause #27).",
                   [story.last("ESM information response"), refused, reject], phone="At the phone: correct the APN, or "
                   "delete it, so that the default one is used.",
                   network=f"Or add the APN to the profile: dialtone subscriber show {story.imsi or 'IMSI'}.")


@rule("pdn-type", instead_of=("attach-reject", "session-refused", "under-way"))
def pdn_type(story: Story) -> Found:
    """ESM cause #50 or #51, likewise (TS 24.301, 6.5.1.4)."""
    reject, refused, cause = _refusal(story)
    if cause not in _ONLY:
        return None
    only, other = _ONLY[cause]
    return failure("pdn-type", story, f"The phone asks for {other}, and the APN has {only} only (ESM cause #{cause}).",
                   [refused, reject], phone="At the phone: set the APN protocol to IPv4/IPv6 (IPv4v6).",
                   network=f"Or allow {other}: pdn_type in [apn.<name>], and the APN of the subscription's profile.")


def _refusal(story: Story) -> tuple[Step | None, Step | None, int]:
    """The Attach reject, the PDN connectivity reject that came alone, and the ESM cause of either."""
    reject, refused = story.last("Attach reject"), story.last("PDN connectivity reject")
    esm = refused.message if refused else _inside(reject.message) if reject else None
    return reject, refused, getattr(esm, "esm_cause", 0)


def _inside(message: Any) -> Any:
    """The ESM message in the container of an EMM message; None without one."""
    container = getattr(message, "esm_message_container", None)
    try:
        return decode_nas(container) if container else None
    except ProtocolError:
        return None


def _requests(story: Story) -> list[Any]:
    """The messages in which a phone asks for a connection: with APN and options, or a part of them."""
    attach = story.last("Attach request")
    found = [_inside(attach.message)] if attach else []
    for name in ("PDN connectivity request", "ESM information response"):
        found += [step.message for step in story.all(name)]
    return [message for message in found if message is not None]


def _apn_asked(story: Story) -> str:
    names = [getattr(message, "access_point_name", None) for message in _requests(story)]
    return next((str(name) for name in reversed(names) if name), "")


@rule("attach-reject", instead_of=("no-answer", "under-way"))
def attach_reject(story: Story) -> Found:
    """Any Attach reject that no other rule explains better."""
    reject = story.last("Attach reject")
    if reject is None:
        return None
    cause = reject.message.emm_cause
    esm = _inside(reject.message)
    inner = f" Its reason: {cause_name(EsmCause, esm.esm_cause)}." if hasattr(esm, "esm_cause") else ""
    why = _WHY.get(cause, "see TS 24.301, annex A")
    return failure("attach-reject", story, f"The network refused the phone ({cause_name(EmmCause, cause)}): "
                   f"{why}.{inner}", [reject], phone=sticky(story))


@rule("context-setup-failure", instead_of=("attach-reject", "no-answer", "under-way"))
def context_setup_failure(story: Story) -> Found:
    """The eNB could not make the context (TS 36.413, 8.3.1.3)."""
    failed = story.last("InitialContextSetupFailure")
    if failed is None:
        return None
    return failure("context-setup-failure", story, f"The eNB could not serve the phone: {failed.message.cause}.",
                   [failed, story.last("Attach reject")], phone=sticky(story),
                   network="Look at the eNB: radio, licence, and whether it reaches the core's user plane address.")


@rule("session-refused", instead_of=("attach-reject", "under-way"))
def session_refused(story: Story) -> Found:
    """The gateway refused the session (TS 29.274, 8.4): cause 64 to 239."""
    answer = story.last("Create Session Response")
    value = int(answer.message.cause.value) if answer else 16
    if answer is None or value < 64:
        return None
    return failure("session-refused", story, f"The gateway refused the connection (GTPv2 cause {value}).",
                   [story.last("Create Session Request"), answer], phone=sticky(story),
                   network="93 is an unknown APN, 84 an exhausted address pool, 94 a failed authentication.")


@rule("no-answer", instead_of=("under-way",))
def no_answer(story: Story) -> Found:
    """A request of the network stays without an answer: its timer repeats it, then gives up (TS 24.301, 10.2)."""
    waiting = next((step for step in reversed(story.steps)
                    if step.event.point == "NAS" and not step.up and step.name in _ANSWER_TO), None)
    if waiting is None or story.after(waiting, up=True) or story.last("Attach reject"):
        return None
    timer = _ANSWER_TO[waiting.name]
    expired = story.done("timer", timer)
    first = story.all(waiting.name)[0]
    lost = story.last("UEContextReleaseRequest")
    if not expired and lost is None and story.end - first.event.time < _PATIENCE:
        return None
    radio = " The eNB says that it lost the phone." if lost else ""
    return failure("no-answer", story, f"The phone did not answer the {waiting.name} ({timer} expired).{radio}",
                   [first, waiting, *expired[-1:], lost], phone="At the phone: flight mode on and off.",
                   network="Look at the radio: coverage, transmit power, and the eNB's own log.")


@rule("attached")
def attached(story: Story) -> Found:
    """The attach is complete (TS 24.301, 5.5.1.2.4)."""
    done = story.last("Attach complete")
    if done is None or story.last("Attach reject"):
        return None
    start = story.last("Attach request")
    took = f" in {(done.event.time - start.event.time) * 1000:.0f} ms" if start else ""
    ids = tuple(step.id for step in (start, done) if step)
    return Verdict("attached", Level.OK, f"The phone attached{took}; nothing to mend.", story.imsi, evidence=ids)


@rule("no-p-cscf-asked")
def no_p_cscf_asked(story: Story) -> Found:
    """An attached phone that asked for no P-CSCF (TS 24.008, 10.5.6.3) will not find IMS by this connection."""
    apn = _apn_asked(story).lower()
    if story.last("Attach complete") is None or apn not in ("ims", ""):
        return None
    options = [pco for message in _requests(story)
               if (pco := getattr(message, "protocol_configuration_options", None)) is not None]
    asked = {number for pco in options for number, _ in pco.containers}
    if not options or asked & {Id.P_CSCF_IPV4, Id.P_CSCF_IPV6}:
        return None
    return Verdict("no-p-cscf-asked", Level.NOTE, "The phone did not ask for the address of a P-CSCF, so it will not "
                   "register for voice by this connection.", story.imsi,
                   phone="At the phone: switch VoLTE on; some phones ask only on the APN ims.",
                   evidence=tuple(step.id for step in story.all("ESM information response")))


@rule("under-way")
def under_way(story: Story) -> Found:
    """Nothing has gone wrong, nothing is finished."""
    start = story.last("Attach request")
    if start is None or story.last("Attach complete") or story.last("Detach request"):
        return None
    newest = next((step for step in reversed(story.steps) if step.event.kind != "done"), start)
    return Verdict("under-way", Level.NOTE, f"The attach is under way; the last message was {newest.name}.",
                   story.imsi, evidence=(start.id, newest.id))
