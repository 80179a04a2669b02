# SPDX-License-Identifier: Apache-2.0
"""Rules on registration to IMS over IPsec (TS 24.229, 5.2.2; TS 33.203; RFC 3329)."""

from dialtone.codec.sip import AuthParams, SipMessage
from dialtone.errors import ProtocolError
from dialtone.sip.security_agreement import Mechanism, mechanisms
from dialtone.trace.diagnose.story import Step, Story
from dialtone.trace.diagnose.verdict import Found, failure, rule

REQUEST, ANSWER = "REGISTER", "REGISTER response"
_PATIENCE = 12.0  # a phone has answered a challenge long before, seconds
_LONGEST = 1300  # octets of a datagram that surely arrives whole

_ESP = {
    "XfrmInStateProtoError": ("the phone's ESP does not verify: the two ends have different keys or algorithms",
                              "Compare the algorithms of Security-Client and Security-Server in the 401; if they are "
                              "the same, the SIM computes another CK or IK: check K and OPc."),
    "XfrmInNoStates": ("the phone sends ESP with an SPI that is not known here: it uses SAs of before",
                       "Wait for its next REGISTER, or have it start IMS anew."),
    "XfrmInStateMismatch": ("ESP came from or to another port than the SAs are for", ""),
    "XfrmInStateSeqError": ("ESP packets came a second time, or far too late: they were replayed", ""),
    "XfrmInTmplMismatch": ("something was sent in plain text to a protected port, and was dropped", ""),
    "XfrmOutNoStates": ("nothing can be sent to the phone: its SAs are gone", "Have the phone register again."),
    "XfrmOutPolBlock": ("an answer would have left in plain text, and was not sent: the SAs for it are gone",
                        "Have the phone register again."),
}
"""What the kernel counts (kernel/ipsec.py), for people."""
_AT_PHONE = "At the phone: flight mode on and off, so that IMS starts anew."


def _down(story: Story, status: int) -> list[Step]:
    """Answers to REGISTER with this status that went to the phone."""
    return [step for step in story.all(ANSWER) if step.event.point == "Gm" and step.message.status == status]


def _up(story: Story) -> list[Step]:
    return [step for step in story.all(REQUEST) if step.event.point == "Gm"]


def _after(story: Story, step: Step) -> list[Step]:
    place = story.steps.index(step)
    return [other for other in _up(story) if story.steps.index(other) > place]


def _asked(story: Story, answer: Step) -> Step | None:
    """The REGISTER that this answers."""
    for step in _up(story):
        if (step.message.call_id, str(step.message.cseq)) == (answer.message.call_id, str(answer.message.cseq)):
            return step
    return None


def _mechanisms(message: SipMessage, header: str) -> list[Mechanism]:
    try:
        return mechanisms(message, header)
    except ProtocolError:
        return []


def _credentials(step: Step) -> AuthParams:
    try:
        return AuthParams.parse(step.message.first("Authorization") or "Digest")
    except ProtocolError:
        return AuthParams("Digest")


@rule("ims-no-ipsec")
def no_ipsec(story: Story) -> Found:
    """421: the phone offers no IPsec, and its subscriber must have it (TS 33.203, 7.2)."""
    refused = _down(story, 421)
    if not refused or _after(story, refused[-1]):
        return None
    asked = _asked(story, refused[-1])
    return failure("ims-no-ipsec", story, "The phone registers to IMS without offering IPsec (no Security-Client), as "
                   "softphones and some carrier profiles do, and this subscriber must use it.", [asked, refused[-1]],
                   network=f"If that is wanted: dialtone subscriber edit {story.imsi or 'IMSI'} --ipsec optional; its "
                           "signalling then can be read and forged by others.")


@rule("ims-no-common-algorithm")
def no_common_algorithm(story: Story) -> Found:
    """494 without a Security-Verify: no mechanism of the offer is one of ours (RFC 3329, 2.3.1)."""
    for refused in _down(story, 494):
        asked = _asked(story, refused)
        if asked is not None and not asked.message.has("Security-Verify"):
            return failure("ims-no-common-algorithm", story, "The phone offers no IPsec algorithms that this network "
                           "may use.", [asked, refused], network="Compare its Security-Client with integrity and "
                           "encryption in [ims].")
    return None


@rule("ims-security-verify")
def security_verify(story: Story) -> Found:
    """494: Security-Verify is not what Security-Server said (RFC 3329, 2.3.1)."""
    for refused in _down(story, 494):
        asked = _asked(story, refused)
        challenge = next(iter(_down(story, 401)[-1:]), None)
        if asked is not None and challenge is not None and (asked.message.has("Security-Verify")
                                                            or _credentials(asked).get("response")):
            said = asked.message.first("Security-Verify") or "nothing"
            return failure("ims-security-verify", story, f"The phone must repeat the network's Security-Server in "
                           f"Security-Verify, and said {said}: something on the way changed one of the two, or the "
                           "phone mixes two registrations up.", [challenge, asked, refused], phone=_AT_PHONE)
    return None


@rule("ims-full")
def full(story: Story) -> Found:
    """The P-CSCF has no place left for another registration."""
    refused = _down(story, 503)
    if not refused or not [step for step in story.done("verdict", "[ims] phones") if step.event.src == "pcscf"]:
        return None
    return failure("ims-full", story, "All places for registrations are taken, so the phone was told to come back "
                   "later.", [_asked(story, refused[-1]), refused[-1]], network="Raise phones in [ims] to the number "
                   "of your subscribers.")


@rule("ims-no-security-server", instead_of=("ims-challenge-unanswered",))
def no_security_server(story: Story) -> Found:
    """A 401 without Security-Server to a phone that offered IPsec: such a P-CSCF has no SAs left."""
    for challenge in _down(story, 401)[-1:]:
        asked = _asked(story, challenge)
        if asked is not None and _mechanisms(asked.message, "Security-Client") and not (
                challenge.message.has("Security-Server")):
            return failure("ims-no-security-server", story, "The phone offered IPsec, and the challenge says nothing "
                           "to that (no Security-Server): the P-CSCF has no SAs or ports left.", [asked, challenge],
                           network="Make its pool of ports as large as the number of subscribers.")
    return None


@rule("ims-algorithm-not-offered", instead_of=("ims-challenge-unanswered",))
def algorithm_not_offered(story: Story) -> Found:
    """Security-Server has algorithms that are not in the Security-Client of this very REGISTER."""
    for challenge in _down(story, 401)[-1:]:
        asked = _asked(story, challenge)
        offered = {(one.alg, one.ealg) for one in _mechanisms(asked.message, "Security-Client")} if asked else set()
        for chosen in _mechanisms(challenge.message, "Security-Server"):
            if offered and (chosen.alg, chosen.ealg) not in offered:
                return failure("ims-algorithm-not-offered", story, f"The P-CSCF chose {chosen.alg} with {chosen.ealg}, "
                               "which the phone did not offer this time; phones are silent then. It may remember an "
                               "earlier offer.", [asked, challenge], network="Restart that P-CSCF, so that it forgets "
                               "the earlier registration.")
    return None


@rule("ims-wrong-key", instead_of=("ims-challenge-unanswered",))
def wrong_key(story: Story) -> Found:
    """A REGISTER with an empty response and no AUTS: the SIM could not verify the network (TS 24.229, 5.1.1.5.3)."""
    for challenge in _down(story, 401):
        for again in _after(story, challenge)[:1]:
            credentials = _credentials(again)
            if credentials.get("nonce") and not credentials.get("response") and not credentials.get("auts"):
                return failure("ims-wrong-key", story, _WRONG_KEY.format(_lte(story)), [challenge, again],
                               network=f"Compare the keys: dialtone subscriber edit {story.imsi or 'IMSI'} --k ... "
                                       "--opc ..., and --isim-k, --isim-opc where the ISIM has its own.")
    return None


_WRONG_KEY = "The SIM could not verify the network's challenge for IMS (its MAC is wrong): {}."


def _lte(story: Story) -> str:
    """What LTE's own authentication says of the keys."""
    if story.last("Security mode complete") or story.last("Attach complete"):
        return "in LTE it could, so the card has an ISIM with keys of its own"
    return "K or OPc differ from the card's"


@rule("ims-challenge-unanswered")
def challenge_unanswered(story: Story) -> Found:
    """401, then silence: nothing came over the new SAs."""
    challenges = _down(story, 401)
    if not challenges or _after(story, challenges[-1]) or story.end - challenges[-1].event.time < _PATIENCE:
        return None
    challenge = challenges[-1]
    if story.done("verdict", "Xfrm"):
        return None  # something came, and the kernel refused it: that rule says more
    asked = _asked(story, challenge)
    size = len(challenge.event.data)
    if size > _LONGEST and challenge.event.dst.startswith("udp"):
        text = f"the 401 has {size} octets and may not have come through in one piece"
    elif story.last("Security mode complete") or story.last("Attach complete"):
        text = ("in LTE the same SIM could answer, so either the ISIM has keys of its own, or the phone does not like "
                "the IPsec it was offered")
    else:
        text = "K or OPc differ from the card's, or the phone does not like the IPsec it was offered"
    return failure("ims-challenge-unanswered", story, f"The phone was challenged for IMS and fell silent: {text}.",
                   [asked, challenge], phone=_AT_PHONE, network="Compare Security-Client and Security-Server in the "
                   "two messages, and the keys of the ISIM with the card's data sheet.")


@rule("ims-esp-refused")
def esp_refused(story: Story) -> Found:
    """The kernel refused what came to, or left, the protected ports (/proc/net/xfrm_stat)."""
    refused = [step for step in story.done("verdict", "Xfrm") if step.event.name == "esp"]
    for step in reversed(refused):
        counter = step.event.info.removeprefix("failed: ").partition(" ")[0]
        if counter in _ESP:
            text, remedy = _ESP[counter]
            return failure("ims-esp-refused", story, f"IPsec: {text} ({counter}).", refused, network=remedy)
    return None


@rule("ims-answer-lost")
def answer_lost(story: Story) -> Found:
    """The phone repeats a REGISTER that was answered by 200: the answer does not reach it."""
    for answer in _down(story, 200):
        same = [step for step in _after(story, answer) if step.message.call_id == answer.message.call_id
                and step.message.cseq == answer.message.cseq]
        if len(same) > 1 and not any(step.message.cseq.number > answer.message.cseq.number
                                     for step in _after(story, answer)):
            return failure("ims-answer-lost", story, f"The network has accepted the registration, and the phone "
                           f"repeats it {len(same)} times: the answer to {answer.event.dst} does not reach it, "
                           "or comes from another port or SA than it expects.", [answer, *same], phone=_AT_PHONE,
                           network="See `dialtone ipsec sas` whether the SA towards the phone has carried it.")
    return None
