# SPDX-License-Identifier: Apache-2.0
"""Rules on registration for calls and texts (TS 24.229, 5.4.1 and 5.3.1), as REGISTER and its answers show it."""

from dialtone.codec.diameter import CxResult
from dialtone.codec.sip import AuthParams, SipRequest, SipResponse
from dialtone.errors import ProtocolError
from dialtone.trace.diagnose.story import Step, Story
from dialtone.trace.diagnose.verdict import Found, failure, rule

_ISIM = ("If the SIM has an ISIM, its EF_IMPI wins over the IMSI: give the subscriber this identity (dialtone "
         "subscriber edit {imsi} --impi {impi}), or correct the card.")
_QUIET = 12.0  # seconds without a further REGISTER that mean the phone has stopped


def _refused(story: Story, *statuses: int) -> tuple[Step, Step] | None:
    """The last REGISTER and its answer, where that is one of these and nothing better followed."""
    answer = story.last("REGISTER response")
    if answer is None or not isinstance(answer.message, SipResponse) or answer.message.status not in statuses:
        return None
    asked = _question(story, answer)
    return None if asked is None else (asked, answer)


def _question(story: Story, answer: Step) -> Step | None:
    """The REGISTER that an answer is to."""
    mine = [step for step in story.all("REGISTER") if isinstance(step.message, SipRequest)
            and step.message.call_id == answer.message.call_id and step.message.cseq == answer.message.cseq]
    return mine[-1] if mine else None


def _authorization(step: Step) -> AuthParams:
    try:
        return AuthParams.parse(step.message.first("Authorization") or "Digest")
    except ProtocolError:
        return AuthParams("Digest")


@rule("ims-other-domain")
def other_domain(story: Story) -> Found:
    """The phone registers at a domain that is not this network's (TS 23.003, 13.2)."""
    found = _refused(story, 404, 478, 500)
    if found is None:
        return None
    asked, answer = found
    domain = asked.message.uri.removeprefix("sip:").partition(";")[0]
    hint = ("The domain has to be ims.mncXXX.mccYYY.3gppnetwork.org with three digits of MNC"
            if "pub." in domain or "mnc" not in domain or len(domain.partition("mnc")[2].partition(".")[0]) != 3 else
            "Compare it with the network's own, which follows from mcc and mnc in [network]")
    return failure("ims-other-domain", story, f"The phone registers at {domain[:100]}, which this network does not "
                   f"serve ({answer.message.status}).", found, network=f"{hint}.",
                   phone="With an ISIM on the card its EF_DOMAIN decides: correct it, or use a card without ISIM.")


@rule("ims-unknown-subscriber")
def unknown_subscriber(story: Story) -> Found:
    """The HSS does not know the private identity, or not as this phone's (TS 29.228, 6.1.1.1)."""
    found = _refused(story, 403)
    if found is None:
        return None
    codes = [step for step in story.all("User-Authorization Answer") if step.message.experimental_result_code in (
        CxResult.DIAMETER_ERROR_USER_UNKNOWN, CxResult.DIAMETER_ERROR_IDENTITIES_DONT_MATCH)]
    reason = found[1].message.reason.lower()
    if not codes and not any(text in reason for text in ("unknown", "does not know", "private entity not found",
                                                         "different subscribers")):
        return None
    impi = _authorization(found[0]).get("username") or found[0].message.to.uri.removeprefix("sip:")
    return failure("ims-unknown-subscriber", story, "The HSS has no subscriber with the private identity "
                   f"{impi[:100]}, or it belongs to another public one.", [*found, *codes[-1:]],
                   network=_ISIM.format(imsi=story.imsi or "IMSI", impi=impi[:100]))


@rule("ims-no-visited-network")
def no_visited_network(story: Story) -> Found:
    """A P-CSCF must say where the phone is (TS 24.229, 5.2.2.1); an I-CSCF cannot ask the HSS without it."""
    found = _refused(story, 400)
    if found is None or found[0].message.has("P-Visited-Network-ID"):
        return None
    return failure("ims-no-visited-network", story, "The P-CSCF passed REGISTER on without P-Visited-Network-ID, and "
                   "was refused for that (400).", found,
                   network="Have the P-CSCF add P-Visited-Network-ID; ours does.")


@rule("ims-resync-failed", instead_of=("ims-wrong-answer",))
def resync_failed(story: Story) -> Found:
    """The card's SQN was told (auts), and the phone stopped or came again with the same (TS 33.102, 6.3.5)."""
    told = [step for step in story.all("REGISTER") if isinstance(step.message, SipRequest)
            and _authorization(step).get("auts")]
    if not told:
        return None
    answers = [step for step in story.all("REGISTER response") if step.id > told[-1].id
               and isinstance(step.message, SipResponse)]
    last = max((step.event.time for step in story.all("REGISTER")), default=0.0)
    if any(step.message.status == 200 for step in answers) or (
            story.end - last < _QUIET and all(step.message.status == 401 for step in answers) and len(told) < 2):
        return None
    return failure("ims-resync-failed", story, "The SIM found the sequence number of the challenge stale and told its "
                   "own (auts), and that did not help: the HSS did not take it, or counts calls and data apart.",
                   [*told, *answers[-1:]],
                   network="Let one HSS count for S6a and Cx, and compare K and OPc with the card's: an auts that was "
                   "made with other keys does not verify.",
                   phone="If the card has an ISIM with keys of its own, enter them (--isim-k, --isim-opc).")


@rule("ims-wrong-answer")
def wrong_answer(story: Story) -> Found:
    """403 after the phone answered the challenge (RFC 3310, 3.3)."""
    found = _refused(story, 403)
    if found is None:
        return None
    auth = _authorization(found[0])
    if not auth.get("response"):
        return None
    said = ", ".join(f"{name} {auth.get(name)[:60]}" for name in ("algorithm", "qop", "uri", "realm", "nc")
                     if auth.get(name))
    return failure("ims-wrong-answer", story, "The phone answered the challenge, and the answer is not the one "
                   f"expected (403). It was made over: username {auth.get('username')[:80]}, {said}.", found,
                   network="The answer is MD5 of these and RES as octets. Where LTE works and this does not, the "
                   "card's ISIM has another K or OPc than its USIM (--isim-k, --isim-opc); a proxy that changes the "
                   "Authorization line or the body does the same.")


@rule("ims-too-brief")
def too_brief(story: Story) -> Found:
    """423 again and again: a registrar whose shortest registration the phone never asks for (RFC 3261, 10.2.8)."""
    refused = [step for step in story.all("REGISTER response") if isinstance(step.message, SipResponse)
               and step.message.status == 423]
    if len(refused) < 2 or refused[-1] is not story.last("REGISTER response"):
        return None
    least = refused[-1].message.first("Min-Expires") or "?"
    return failure("ims-too-brief", story, "The phone asks for a shorter registration than the registrar grants (423, "
                   f"at least {least[:10]} s), and does not give in.", refused[-3:],
                   network="Let the registrar grant anything from 60 seconds on; ours does.")
