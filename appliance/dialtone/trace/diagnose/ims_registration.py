# SPDX-License-Identifier: Apache-2.0
"""Rules on registration for calls and texts (TS 24.229, 5.4.1 and 5.3.1), as REGISTER and its answers show it."""

from dialtone.codec.diameter import CxResult, ResultCode
from dialtone.codec.sip import SipRequest, SipResponse
from dialtone.hss.identities import domains
from dialtone.trace.diagnose.sip_steps import answers, credentials, question, registered, same
from dialtone.trace.diagnose.story import Step, Story
from dialtone.trace.diagnose.verdict import Found, Level, Verdict, failure, rule

_ISIM = ("If the SIM has an ISIM, its EF_IMPI wins over the IMSI: give the subscriber this identity (dialtone "
         "subscriber edit {imsi} --impi {impi}), or correct the card.")
_QUIET = 12.0  # seconds without a further REGISTER that mean the phone has stopped
_HOUR = 3600


def _refused(story: Story, *statuses: int) -> tuple[Step, Step] | None:
    """The last REGISTER that was neither challenged nor is under way, and its answer, where that is one of these."""
    final = [step for step in story.all("REGISTER response") if isinstance(step.message, SipResponse)
             and step.event.point != "ISC" and step.message.final and step.message.status != 401]
    if not final or final[-1].message.status not in statuses:
        return None
    asked = question(story, final[-1])
    return None if asked is None else (asked, final[-1])


@rule("ims-other-domain", "D11", attach=True, network="The domain is ims.mncXXX.mccYYY.3gppnetwork.org, with three "
      "digits of MNC, of mcc and mnc in [network].", phone="With an ISIM on the card its EF_DOMAIN decides: correct "
      "it, or use a card without ISIM.")
def other_domain(story: Story) -> Found:
    """The phone registers at a domain that is not this network's (TS 23.003, 13.2)."""
    found = _refused(story, 404, 478, 500)
    if found is None:
        return None
    asked, answer = found
    domain = asked.message.uri.removeprefix("sip:").partition(";")[0]
    if answer.message.status == 500 and domain in domains(story.imsi):
        return None  # the right one: something else is broken there
    hint = ("The domain has to be ims.mncXXX.mccYYY.3gppnetwork.org with three digits of MNC"
            if "pub." in domain or "mnc" not in domain or len(domain.partition("mnc")[2].partition(".")[0]) != 3 else
            "Compare it with the network's own, which follows from mcc and mnc in [network]")
    return failure("ims-other-domain", story, f"The phone registers at {domain[:100]}, which this network does not "
                   f"serve ({answer.message.status}).", found, network=f"{hint}.",
                   phone="With an ISIM on the card its EF_DOMAIN decides: correct it, or use a card without ISIM.")


@rule("ims-unknown-subscriber", "D12", attach=True, network="Give the subscriber the private identity that the phone "
      "uses (--impi), or correct EF_IMPI on the card.")
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
    impi = credentials(found[0]).get("username") or found[0].message.to.uri.removeprefix("sip:")
    return failure("ims-unknown-subscriber", story, "The HSS has no subscriber with the private identity "
                   f"{impi[:100]}, or it belongs to another public one.", [*found, *codes[-1:]],
                   network=_ISIM.format(imsi=story.imsi or "IMSI", impi=impi[:100]))


@rule("ims-no-visited-network", "D13", attach=True, network="Have the P-CSCF add P-Visited-Network-ID; ours does.")
def no_visited_network(story: Story) -> Found:
    """A P-CSCF must say where the phone is (TS 24.229, 5.2.2.1); an I-CSCF cannot ask the HSS without it."""
    found = _refused(story, 400)
    behind = _onward(story, found[0]) if found else []
    if found is None or (behind or found[:1])[-1].message.has("P-Visited-Network-ID") or not (
            behind or found[0].event.point != "Gm" or "visited" in found[1].message.reason.lower()):
        return None
    return failure("ims-no-visited-network", story, "The P-CSCF passed REGISTER on without P-Visited-Network-ID, and "
                   "was refused for that (400).", [*_onward(story, found[0]), *found])


def _onward(story: Story, asked: Step) -> list[Step]:
    """The same request behind the P-CSCF, where the trace has it."""
    return [step for step in story.all(asked.name) if step.event.point == "Mw" and same(step, asked)][-1:]


@rule("ims-resync-failed", "D15", attach=True, instead_of=("ims-wrong-answer", "ims-challenge-unanswered",
      "ims-challenge-lost", "ims-unknown-subscriber"), network="Let one HSS count for S6a and Cx, and compare K and "
      "OPc with the card's: an auts that was made with other keys does not verify.",
      phone="If the card has an ISIM with keys of its own, enter them (--isim-k, --isim-opc).")
def resync_failed(story: Story) -> Found:
    """The card's SQN was told (auts), and the phone stopped or came again with the same (TS 33.102, 6.3.5)."""
    told = [step for step in story.all("REGISTER") if isinstance(step.message, SipRequest)
            and credentials(step).get("auts")]
    if not told:
        return None
    heard = [step for step in story.all("REGISTER response") if step.id > told[-1].id
               and isinstance(step.message, SipResponse)]
    last = max((step.event.time for step in story.all("REGISTER")), default=0.0)
    if any(step.message.status == 200 for step in heard) or (
            story.end - last < _QUIET and all(step.message.status == 401 for step in heard) and len(told) < 2):
        return None
    return failure("ims-resync-failed", story, "The SIM found the sequence number of the challenge stale and told its "
                   "own (auts), and that did not help: the HSS did not take it, or counts calls and data apart.",
                   [*told, *heard[-1:]])


@rule("ims-register-gated", "D24", attach=True, instead_of=("ims-wrong-answer", "ims-unknown-subscriber",
      "ims-answer-lost"), network="Have the P-CSCF let a phone register whether or not Rx gives it a bearer for "
      "signalling; ours asks Rx for calls only.")
def register_gated(story: Story) -> Found:
    """The registrar accepts, and the P-CSCF refuses: because of Rx, most often (TS 29.214, 4.4.5)."""
    found = _refused(story, 403)
    if found is None:
        return None
    accepted = [step for step in story.all("REGISTER response") if step.event.point == "Mw"
                and step.message.status == 200 and same(step, found[1])]
    rx = [step for step in story.all("AA Answer") if getattr(step.message, "result_code", None) not in (
        None, ResultCode.DIAMETER_SUCCESS)]
    if "qos" not in found[1].message.reason.lower() and not (accepted and found[1].event.point == "Gm"):
        return None
    return failure("ims-register-gated", story, "The phone's registration was good, and the P-CSCF refused it all the "
                   f"same ({found[1].message.status} {found[1].message.reason[:80]}): it makes registration depend on "
                   "a bearer from the policy function.", [*accepted[-1:], *rx[-1:], *found])


@rule("ims-wrong-answer", "D21", attach=True, network="The answer is MD5 of these and RES as octets. Where LTE works "
      "and this does not, the card's ISIM has another K or OPc than its USIM (--isim-k, --isim-opc); a proxy that "
      "changes the Authorization line or the body does the same.", phone="Another firmware, if it computes the "
      "answer over something else than it says.")
def wrong_answer(story: Story) -> Found:
    """403 after the phone answered the challenge (RFC 3310, 3.3)."""
    found = _refused(story, 403)
    if found is None:
        return None
    auth = credentials(found[0])
    if not auth.get("response"):
        return None
    said = ", ".join(f"{name} {auth.get(name)[:60]}" for name in ("algorithm", "qop", "uri", "realm", "nc")
                     if auth.get(name))
    return failure("ims-wrong-answer", story, "The phone answered the challenge, and the answer is not the one "
                   f"expected (403). It was made over: username {auth.get('username')[:80]}, {said}.", found)


@rule("ims-too-brief", "D23", attach=True, network="Let the registrar grant anything from 60 seconds on; ours does.",
      phone="At the phone: an update of its firmware; it should ask again for the time it was told.")
def too_brief(story: Story) -> Found:
    """423 again and again: what the phone asks for and what the registrar grants do not meet (RFC 3261, 10.2.8)."""
    refused = answers(story, 423) or [step for step in story.all("REGISTER response")
                                      if isinstance(step.message, SipResponse) and step.message.status == 423]
    found = _refused(story, 423)
    if found is None or len(refused) < 2:
        return None
    least = (found[1].message.first("Min-Expires") or "?")[:10]
    network = phone = ""
    if least.isdigit() and int(least) > _HOUR:
        network = "Let the registrar grant anything from 60 seconds on; ours does."
    else:
        phone = f"At the phone: an update of its firmware; it should ask again for the {least} s it was told."
    return failure("ims-too-brief", story, "The phone asks for a shorter registration than the registrar grants (423, "
                   f"at least {least} s), and they do not come together.", [found[0], *refused[-3:]], network=network,
                   phone=phone)


@rule("ims-registered", attach=True)
def ims_registered(story: Story) -> Found:
    """The last word on a registration was 200 (TS 24.229, 5.1.1.2)."""
    answer = registered(story)
    if answer is None:
        return None
    return Verdict("ims-registered", Level.OK, "It is registered for calls and texts over LTE.", story.imsi,
                   evidence=tuple(step.id for step in (question(story, answer), answer) if step))


@rule("ims-refused", attach=True, general=True)
def ims_refused(story: Story) -> Found:
    """Any refusal of a registration that no other rule explains."""
    final = [step for step in answers(story) if step.message.status != 401]
    if not final or final[-1].message.status < 300:
        return None
    said = f"{final[-1].message.status} {final[-1].message.reason[:100]}".rstrip()
    return failure("ims-refused", story, f"The network refused to register the phone for calls: {said}.",
                   [question(story, final[-1]), final[-1]], network="See the refusal in the trace, and what the S-CSCF "
                   "and the HSS said before it.")
