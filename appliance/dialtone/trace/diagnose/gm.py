# SPDX-License-Identifier: Apache-2.0
"""Rules on registration to IMS over IPsec (TS 24.229, 5.2.2; TS 33.203; RFC 3329)."""

from dialtone.trace.diagnose.sip_steps import answers, credentials, later, mended, offered, question, registers, same
from dialtone.trace.diagnose.story import Step, Story
from dialtone.trace.diagnose.verdict import Found, failure, rule

_PATIENCE = 12.0  # a phone has answered a challenge long before, seconds
_LONGEST = 1300  # octets of a datagram that surely arrives whole
_AT_PHONE = "At the phone: flight mode on and off, so that IMS starts anew."


def _challenge(story: Story) -> Step | None:
    """The last 401, unless the phone was registered after it."""
    found = answers(story, 401)
    return found[-1] if found and not mended(story, found[-1]) else None


@rule("ims-no-ipsec", "D37", attach=True, network="If that is wanted: dialtone subscriber edit {imsi} --ipsec "
      "optional; its signalling then can be read and forged by others.")
def no_ipsec(story: Story) -> Found:
    """421: the phone offers no IPsec, and its subscriber must have it (TS 33.203, 7.2)."""
    refused = answers(story, 421)
    if not refused or mended(story, refused[-1]):
        return None
    asked = question(story, refused[-1])
    how = credentials(asked).get("algorithm") if asked else ""
    softphone = f" and asks for Digest {how[:20]}" if how and not how.upper().startswith("AKA") else ""
    return failure("ims-no-ipsec", story, "The phone registers to IMS without offering IPsec (no Security-Client)"
                   f"{softphone}, as softphones and some carrier profiles do, and this subscriber must use it.",
                   [asked, refused[-1]])


@rule("ims-no-common-algorithm", "D14", attach=True, network="Compare its Security-Client with integrity and "
      "encryption in [ims].")
def no_common_algorithm(story: Story) -> Found:
    """494 without a Security-Verify: no mechanism of the offer is one of ours (RFC 3329, 2.3.1)."""
    for refused in reversed(answers(story, 494)):
        asked = question(story, refused)
        if asked is not None and not asked.message.has("Security-Verify") and not mended(story, refused):
            return failure("ims-no-common-algorithm", story, "The phone offers no IPsec algorithms that this network "
                           "may use.", [asked, refused])
    return None


@rule("ims-security-verify", "D20", attach=True, phone=_AT_PHONE, network="Whatever stands between phone and P-CSCF "
      "must leave Security-Server and Security-Verify as they are, octet by octet.")
def security_verify(story: Story) -> Found:
    """494: Security-Verify is not what Security-Server said (RFC 3329, 2.3.1)."""
    for refused in reversed(answers(story, 494)):
        asked = question(story, refused)
        challenge = next(iter(answers(story, 401)[-1:]), None)
        if asked is not None and challenge is not None and not mended(story, refused) and (
                asked.message.has("Security-Verify") or credentials(asked).get("response")):
            said = asked.message.first("Security-Verify") or "nothing"
            return failure("ims-security-verify", story, f"The phone must repeat the network's Security-Server in "
                           f"Security-Verify, and said {said}: something on the way changed one of the two, or the "
                           "phone mixes two registrations up.", [challenge, asked, refused])
    return None


@rule("ims-full", "D16", attach=True, network="Raise phones in [ims] to the number of your subscribers.")
def full(story: Story) -> Found:
    """The P-CSCF has no place left for another registration."""
    refused = answers(story, 503)
    if not refused or mended(story, refused[-1]) or not [
            step for step in story.done("verdict", "[ims] phones") if step.event.src == "pcscf"]:
        return None
    return failure("ims-full", story, "All places for registrations are taken, so the phone was told to come back "
                   "later.", [question(story, refused[-1]), refused[-1]])


@rule("ims-no-security-server", "D16", attach=True, instead_of=("ims-challenge-unanswered", "ims-challenge-lost"),
      network="Make its pool of SAs and ports as large as the number of subscribers ([ims] phones), and have an alarm.")
def no_security_server(story: Story) -> Found:
    """A 401 without Security-Server to a phone that offered IPsec: such a P-CSCF has no SAs left."""
    challenge = _challenge(story)
    asked = question(story, challenge) if challenge else None
    if asked is None or challenge is None or challenge.message.has("Security-Server") or not (
            offered(asked.message, "Security-Client")):
        return None
    return failure("ims-no-security-server", story, "The phone offered IPsec, and the challenge says nothing to that "
                   "(no Security-Server): the P-CSCF has no SAs or ports left.", [asked, challenge])


@rule("ims-algorithm-not-offered", "D17", attach=True, instead_of=("ims-challenge-unanswered", "ims-challenge-lost"),
      network="Have the P-CSCF choose from the Security-Client of this very REGISTER; until it does, restart it, so "
      "that it forgets the earlier registration.")
def algorithm_not_offered(story: Story) -> Found:
    """Security-Server has algorithms that are not in the Security-Client of this very REGISTER."""
    challenge = _challenge(story)
    asked = question(story, challenge) if challenge else None
    if asked is None or challenge is None:
        return None
    offer = {(one.alg, one.ealg) for one in offered(asked.message, "Security-Client")}
    for chosen in offered(challenge.message, "Security-Server"):
        if offer and (chosen.alg, chosen.ealg) not in offer:
            return failure("ims-algorithm-not-offered", story, f"The P-CSCF chose {chosen.alg} with {chosen.ealg}, "
                           "which the phone did not offer this time; phones are silent then. It may remember an "
                           "earlier offer.", [asked, challenge])
    return None


@rule("ims-wrong-key", "D14", attach=True, instead_of=("ims-challenge-unanswered", "ims-challenge-lost"),
      network="Compare the keys: dialtone subscriber edit {imsi} --k ... --opc ..., and --isim-k, --isim-opc where the "
      "ISIM has its own.")
def wrong_key(story: Story) -> Found:
    """A REGISTER with an empty response and no AUTS: the SIM could not verify the network (TS 24.229, 5.1.1.5.3)."""
    for again in reversed(registers(story)):
        given = credentials(again)
        if given.get("nonce") and not given.get("response") and not given.get("auts") and not mended(story, again):
            challenge = next((one for one in reversed(answers(story, 401)) if one.id < again.id), None)
            return failure("ims-wrong-key", story, _WRONG_KEY.format(_lte(story)), [challenge, again])
    return None


_WRONG_KEY = "The SIM could not verify the network's challenge for IMS (its MAC is wrong): {}."


def _in_lte(story: Story) -> bool:
    return bool(story.last("Security mode complete") or story.last("Attach complete"))


def _lte(story: Story) -> str:
    """What LTE's own authentication says of the keys."""
    return ("in LTE it could, so the card has an ISIM with keys of its own" if _in_lte(story) else
            "K or OPc differ from the card's")


@rule("ims-challenge-lost", "D14", attach=True, instead_of=("ims-challenge-unanswered",), network="Look at the way "
      "from the P-CSCF to the phone: the 401 must leave from the port that REGISTER came to, and fit one packet (MTU).")
def challenge_lost(story: Story) -> Found:
    """The phone repeats the REGISTER that was answered by 401: the challenge does not reach it (RFC 3261, 17.1.2.2)."""
    last = _challenge(story)
    if last is None:
        return None
    challenge = next(one for one in answers(story, 401) if same(one, last))
    again = [step for step in later(story, challenge, registers(story)) if same(step, challenge)]
    anew = later(story, challenge, [step for step in registers(story) if not same(step, challenge)])
    if len(again) < 2 or any(credentials(step).get("nonce") for step in anew):
        return None
    return failure("ims-challenge-lost", story, f"The phone was challenged for IMS, and repeated its REGISTER "
                   f"{len(again)} times as if nothing had come: the 401 ({len(challenge.event.data)} octets) does not "
                   "reach it.", [challenge, *again[-2:]])


@rule("ims-challenge-unanswered", "D14", attach=True, phone=_AT_PHONE, network="Compare Security-Client and "
      "Security-Server in the two messages, and the keys of the ISIM with the card's data sheet.")
def challenge_unanswered(story: Story) -> Found:
    """401, then silence: nothing came over the new SAs."""
    challenge = _challenge(story)
    if challenge is None or story.end - challenge.event.time < _PATIENCE:
        return None
    if later(story, challenge, registers(story)) or story.done("verdict", "Xfrm"):
        return None  # what came, or was refused by the kernel, says more
    size = len(challenge.event.data)
    if size > _LONGEST and challenge.event.dst.startswith("udp"):
        text = f"the 401 has {size} octets and may not have come through in one piece"
    elif _in_lte(story):
        text = ("in LTE the same SIM could answer, so either the ISIM has keys of its own, or the phone does not like "
                "the IPsec it was offered")
    else:
        text = "K or OPc differ from the card's, or the phone does not like the IPsec it was offered"
    return failure("ims-challenge-unanswered", story, f"The phone was challenged for IMS and fell silent: {text}.",
                   [question(story, challenge), challenge])


@rule("ims-answer-lost", "D22", attach=True, phone=_AT_PHONE, network="The 200 must leave by the SA or TCP connection "
      "that REGISTER came by: see `dialtone ipsec sas` whether the SA towards the phone has carried it.")
def answer_lost(story: Story) -> Found:
    """The phone repeats a REGISTER that was answered by 200, or begins anew: the answer does not reach it."""
    for answer in answers(story, 200):
        if story.done("verdict", "XfrmOut"):
            return None
        after = later(story, answer, registers(story))
        again = [step for step in after if same(step, answer)]
        anew = [step for step in after if step.message.call_id != answer.message.call_id
                and not credentials(step).get("response")]
        used = [step for step in later(story, answer, story.steps) if step.event.point == "Gm" and step.up
                and step.name != "REGISTER" and not step.name.endswith("response") and step.message is not None]
        heard = [step for step in after if step.message.call_id == answer.message.call_id and not same(step, answer)]
        if max(len(again), len(anew)) > 1 and not used and not heard:
            how = f"repeats it {len(again)} times" if len(again) > 1 else f"begins anew {len(anew)} times"
            return failure("ims-answer-lost", story, f"The network has accepted the registration, and the phone {how}: "
                           f"the answer to {answer.event.dst} does not reach it, or comes from another port or SA than "
                           "it expects.", [answer, *(again if len(again) > 1 else anew)])
    return None
