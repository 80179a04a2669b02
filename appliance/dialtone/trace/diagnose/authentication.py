# SPDX-License-Identifier: Apache-2.0
"""Rules on authentication and security mode (TS 24.301, 5.4.2 and 5.4.3; TS 33.401)."""

from dialtone.trace.diagnose.sticky import RESTART, sticky
from dialtone.trace.diagnose.story import Step, Story
from dialtone.trace.diagnose.verdict import Found, failure, rule

_KEYS = "Compare the keys with the card's data sheet: dialtone subscriber edit {imsi} --k ... --opc ... (or --op ...)."
_LATER = ("attach-reject", "authentication-reject", "phone-silent", "no-answer", "under-way")


def _failures(story: Story, cause: int) -> list[Step]:
    return [step for step in story.all("Authentication failure") if step.message.emm_cause == cause]


@rule("wrong-key", instead_of=_LATER)
def wrong_key(story: Story) -> Found:
    """Authentication failure #20: the MAC in AUTN was made with another K or OPc (TS 24.301, 5.4.2.6 c)."""
    failed = _failures(story, 20)
    if not failed:
        return None
    return failure("wrong-key", story, "The SIM could not verify the network (MAC failure, #20): K or OPc of this "
                   "subscriber differ from the card's; most often OP was entered where OPc belongs.",
                   [story.last("Authentication request"), *failed, story.last("Attach reject")],
                   network=_KEYS.format(imsi=story.imsi or "IMSI"), phone=sticky(story))


@rule("sqn-out-of-range", instead_of=_LATER)
def sqn_out_of_range(story: Story) -> Found:
    """Authentication failure #21 that a resynchronisation did not mend (TS 33.102, 6.3.5)."""
    failed = _failures(story, 21)
    if not failed or story.after(failed[-1], "Security mode command") or not _over(story, failed[-1]):
        return None
    again = story.after(failed[0], "Authentication request")
    if again is None or len(failed) == 1:
        text = ("The SIM found the sequence number stale (synch failure, #21), and the resynchronisation with the HSS "
                "failed: the AUTS it sent did not verify, which points to a wrong K or OPc.")
    else:
        text = ("The SIM found the sequence number stale (synch failure, #21) again right after a resynchronisation: "
                "another HSS counts for the same card, or the HSS was restored from an old copy.")
    return failure("sqn-out-of-range", story, text, [*failed, again], phone=sticky(story),
                   network=_KEYS.format(imsi=story.imsi or "IMSI") if again is None else
                   "Let one HSS only serve this card, then try again.")


def _over(story: Story, step: Step) -> bool:
    """The attempt ended after `step`: refused, or nothing for as long as timers run."""
    ended = any(story.after(step, name) for name in ("Attach reject", "Authentication reject"))
    return ended or story.end - step.event.time > 12


@rule("amf-separation-bit", instead_of=_LATER)
def separation_bit(story: Story) -> Found:
    """Authentication failure #26: the separation bit of the AMF field is 0 (TS 33.401, 6.1.1)."""
    failed = _failures(story, 26)
    if not failed:
        return None
    return failure("amf-separation-bit", story, "The SIM refuses the challenge (#26): the first bit of AMF, which "
                   "marks LTE, is not set.", failed, phone=sticky(story),
                   network=f"Set AMF to 8000: dialtone subscriber edit {story.imsi or 'IMSI'} --amf 8000.")


@rule("authentication-reject", instead_of=("no-answer", "under-way"))
def authentication_reject(story: Story) -> Found:
    """RES differs from XRES (TS 24.301, 5.4.2.5)."""
    reject = story.last("Authentication reject")
    if reject is None:
        return None
    return failure("authentication-reject", story, "The network refused the SIM: its answer to the challenge (RES) is "
                   "wrong although it had verified the network. The card computes with another algorithm or key.",
                   [story.last("Authentication response"), reject], phone=RESTART,
                   network="Check that the card uses Milenage and has this K and OPc.")


@rule("security-mode-reject", instead_of=("attach-reject", "no-answer", "under-way"))
def security_mode_reject(story: Story) -> Found:
    """Security mode reject (TS 24.301, 5.4.3.5)."""
    reject = story.last("Security mode reject")
    if reject is None:
        return None
    if reject.message.emm_cause == 23:
        text = ("The phone refused to switch on ciphering (#23): the capabilities it got back are not those it had "
                "sent. Somebody on the way changed them, or the network lost a part of them.")
    else:
        text = (f"The phone refused to switch on ciphering (#{reject.message.emm_cause}): it accepts none of the "
                "chosen algorithms, or could not verify the command.")
    return failure("security-mode-reject", story, text, [story.last("Security mode command"), reject],
                   network="Compare the capabilities in Attach request and Security mode command.",
                   phone=sticky(story))


@rule("phone-silent", instead_of=("no-answer", "under-way"))
def phone_silent(story: Story) -> Found:
    """The phone stops after the Authentication request, without a word (TS 24.301, 5.4.2.7 h, TS 36.304, 5.3.1)."""
    asked = story.last("Authentication request")
    if asked is None or story.after(asked, up=True) or story.end - asked.event.time < 12:
        return None
    return failure("phone-silent", story, "The phone said nothing after the network's challenge. After several "
                   "challenges that it could not verify a phone bars the cell without a word; or it lost the radio.",
                   story.all("Authentication request"), phone="At the phone: switch it off and on, near the antenna.",
                   network=_KEYS.format(imsi=story.imsi or "IMSI"))
