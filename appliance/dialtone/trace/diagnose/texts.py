# SPDX-License-Identifier: Apache-2.0
"""Rules on texts, over NAS and over IP (TS 24.011; TS 29.338; TS 24.341)."""

from collections.abc import Iterator

from dialtone.codec.diameter import ResultCode
from dialtone.codec.diameter.sgd import DeliveryFailure, MTForwardShortMessageAnswer, SgdResult
from dialtone.codec.sip import SipRequest
from dialtone.codec.sms import CPData, RPAck, RPData, RPError, RpMessage, rp
from dialtone.errors import ProtocolError
from dialtone.trace.diagnose.sip_steps import pairs, registers
from dialtone.trace.diagnose.story import Step, Story
from dialtone.trace.diagnose.verdict import Found, failure, rule

CONTAINER = "application/vnd.3gpp.sms"
PATIENCE = 40.0  # seconds: TR1M and TR1N (TS 24.011, 10)
_REFUSED = {
    1: ("the service centre's number is wrong", "At the phone: set the SMS centre's number to that of [sms] number."),
    21: ("nobody here has that number", "At the phone: check the number; `dialtone subscriber list` shows all."),
    28: ("the sender is no subscriber", ""),
    38: ("the SMS centre did not answer", ""),
    42: ("too many texts: the recipient's mailbox is full, or the phone sends too fast", ""),
}
_KEPT = {
    SgdResult.ABSENT_USER: ("it is switched off, or did not answer when it was called",
                            "At the phone: is it switched on, out of flight mode? It gets the text when it is back."),
    SgdResult.USER_BUSY_FOR_MT_SMS: ("it is busy with other texts", ""),
}


def relayed(story: Story) -> Iterator[tuple[Step, RpMessage]]:
    """Every RP message of the phone, whatever carried it: over IP as Gm shows it, where the trace has that."""
    radio = any(step.event.point == "Gm" and step.message is not None for step in story.steps)
    for step in story.steps:
        octets = b""
        if isinstance(step.message, CPData):
            octets = step.message.user_data
        elif isinstance(step.message, SipRequest) and step.message.content_type == CONTAINER and (
                step.event.point == "Gm" or not radio):
            octets = step.message.body
        if octets:
            try:
                yield step, rp.decode(octets)
            except ProtocolError:
                continue


@rule("text-refused", attach=True)
def text_refused(story: Story) -> Found:
    """RP-ERROR to the phone: its text is not on its way (TS 24.011, 8.2.5.4)."""
    found = [(step, message) for step, message in relayed(story) if not message.uplink]
    if not found or not isinstance(found[-1][1], RPError):
        return None
    step, error = found[-1]
    assert isinstance(error, RPError)
    why, phone = _REFUSED.get(error.cause, ("the text breaks the protocol, or asks for what is not served", ""))
    return failure("text-refused", story, f"The phone's text was refused: {why} (RP cause #{error.cause}).", [step],
                   phone=phone)


@rule("text-not-taken-by-proxy", "D34", attach=True, instead_of=("ims-unknown-number", "text-answer-missing"),
      network="Route every MESSAGE with application/vnd.3gpp.sms to the SMS centre, whatever its address: ours does.",
      phone="At the phone: set the SMS centre's number to that of [sms] number.")
def text_not_taken(story: Story) -> Found:
    """A MESSAGE with a short message is refused on its way: it goes to what the card names as service centre."""
    sent = [pair for pair in pairs(story, "MESSAGE", up=True) if pair[0].message.content_type == CONTAINER]
    if not sent or sent[-1][1].message.status < 300 or "sms" in sent[-1][0].message.uri:
        return None
    asked, answer = sent[-1]
    return failure("text-not-taken-by-proxy", story, f"The phone's text to {asked.message.uri} got "
                   f"{answer.message.status}: its card names no service centre of this network.", [asked, answer])


@rule("text-no-carrier", "D35", attach=True, instead_of=("text-kept",), phone="At the phone: switch VoLTE on, or let "
      "it use 2G and 3G, too, so that it asks for a combined attach.", network="Texts over NAS need [sms] nas.")
def text_no_carrier(story: Story) -> Found:
    """A text, and no way to the phone: neither SMS over NAS nor a contact with +g.3gpp.smsip (TS 24.341, 5.3.2)."""
    step = _not_delivered(story)
    if step is None or step.message.experimental_result_code != SgdResult.FACILITY_NOT_SUPPORTED:
        return None
    contact = next((one for one in reversed(registers(story)) if one.message.has("Contact")), None)
    ims = ("and not registered to IMS with +g.3gpp.smsip" if contact is None else
           "and its contact in IMS does not say +g.3gpp.smsip")
    return failure("text-no-carrier", story, "A text did not reach the phone: it is attached without SMS over NAS, "
                   f"{ims}.",
                   [contact, step])


def _not_delivered(story: Story) -> Step | None:
    step = story.last("MT-Forward-Short-Message Answer")
    answer = step.message if step is not None else None
    failed = isinstance(answer, MTForwardShortMessageAnswer) and answer.result_code != ResultCode.DIAMETER_SUCCESS
    return step if failed else None


@rule("text-kept", attach=True)
def text_kept(story: Story) -> Found:
    """The last attempt to bring a text to the phone failed."""
    step = _not_delivered(story)
    if step is None:
        return None
    answer = step.message
    code, cause = answer.experimental_result_code, answer.sm_delivery_failure_cause
    if cause is not None and cause.cause == DeliveryFailure.MEMORY_CAPACITY_EXCEEDED:
        why, phone = "its memory for texts is full", "At the phone: delete some texts."
    elif cause is not None:
        why, phone = "it refused the text, or did not say that it has it", ""
    else:
        why, phone = _KEPT.get(SgdResult(code), ("", "")) if code in list(SgdResult) else ("", "")
    return failure("text-kept", story, f"A text did not reach the phone: {why or f'the MME answered {code}'}.", [step],
                   phone=phone)


@rule("text-answer-missing", "D36", attach=True, instead_of=("text-kept", "text-no-carrier"),
      network="The SMS centre must answer under the same RP-MR, over IP with In-Reply-To.",
      phone="At the phone: restart it; another firmware may be needed.")
def text_answer_missing(story: Story) -> Found:
    """RP-DATA without the RP-ACK that names it: one side believes that the text did not arrive (TS 24.011, 6.3.1)."""
    if not story.imsi:
        return None  # between elements nobody is named, and the answer went another way
    waiting: dict[tuple[bool, int], Step] = {}
    strange: dict[bool, tuple[Step, RpMessage]] = {}
    for step, message in relayed(story):
        if isinstance(message, RPData):
            waiting[message.uplink, message.reference] = step
        elif isinstance(message, RPAck | RPError):
            asked = (not message.uplink, message.reference)
            if waiting.pop(asked, None) is None and any(up == asked[0] for up, _ in waiting):
                strange[asked[0]] = (step, message)
    for (up, reference), step in waiting.items():
        if story.end - step.event.time < PATIENCE:
            continue
        other = strange.get(up)
        how = f"was answered under another number ({other[1].reference})" if other else "was never answered"
        who = "The phone shows its text as not sent" if up else "The network cannot know whether the phone has the text"
        phone = "" if up else "At the phone: restart it; another firmware may be needed."
        network = "The SMS centre must answer under the same RP-MR, over IP with In-Reply-To." if up else ""
        return failure("text-answer-missing", story, f"{who}: RP-DATA {reference} {how}.", [step, other and other[0]],
                       network=network, phone=phone)
    return None
