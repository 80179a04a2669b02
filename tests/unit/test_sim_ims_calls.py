# SPDX-License-Identifier: Apache-2.0
"""Texts and calls of the simulated phone: both ends of each branch."""

from collections.abc import Callable

import pytest
from ims_core import DOMAIN, Lab

from dialtone.codec import sdp, sip
from dialtone.codec.sip import SipRequest, SipResponse
from dialtone.sim.ims.call import AnswerCommand, CallCommand, HangUpCommand, HoldCommand
from dialtone.sim.ims.client import ImsHandset
from dialtone.sim.ims.media import is_ready
from dialtone.sim.ims.states import CallState
from dialtone.sim.ims.text import TextCommand
from dialtone.sim.phone import BearerIsDown
from dialtone.sim.power import BreakCommand

Message = SipRequest | SipResponse
PLAIN = ImsHandset(preconditions=False)


def calling(lab: Lab, number: str = "+1002") -> Lab:
    lab.connect()
    lab.tell(lab.phones[0], CallCommand(number))
    return lab


def talking(lab: Lab) -> Lab:
    calling(lab)
    lab.bearers()
    lab.tell(lab.phones[1], AnswerCommand())
    assert [next(iter(phone.calls.values())).state for phone in lab.phones] == [CallState.ACTIVE] * 2
    return lab


def empty(lab: Lab) -> bool:
    """Nothing of a call is left, also after every transaction has ended."""
    lab.run(300)
    assert lab.loop.counters.get("internal error", 0) == 0
    return not lab.media and not any(phone.calls for phone in lab.phones)


def test_text() -> None:
    lab = Lab(2).connect()
    lab.tell(lab.phones[0], TextCommand("+1002", "hé"))
    assert lab.said()[-2:] == ["ok: from +1001: hé", "ok: sent to +1002"]
    assert [text.text for text in lab.phones[1].inbox] == ["hé"]
    lab.tell(lab.phones[0], TextCommand("1009", "x"))
    assert lab.said()[-1] == "failed: to 1009 refused: 404 Not Found"
    assert lab.sent("MESSAGE")[-1].uri == f"sip:1009;phone-context={DOMAIN}@{DOMAIN};user=phone"
    lab.core.alter["200 MESSAGE"] = lambda message: None
    lab.tell(lab.phones[0], TextCommand("+1002", "x"), 130)
    assert lab.said()[-2] == "failed: no answer to the text to +1002"
    assert lab.said()[-1].startswith("ok: registered"), "it sees whether the network is still there"


def test_text_without_registration_or_of_another_kind() -> None:
    lab = Lab(2)
    lab.tell(lab.phones[0], TextCommand("+1002", "x"))
    assert lab.said()[-1] == "failed: not sent: the phone is not registered to IMS"
    lab.connect()

    def picture(message: Message) -> Message:
        message.set("Content-Type", "image/png")
        return message

    lab.core.alter["MESSAGE"] = picture
    lab.tell(lab.phones[0], TextCommand("+1002", "x"))
    assert lab.said()[-1] == "failed: to +1002 refused: 415 Unsupported Media Type"


def test_call_with_preconditions_hold_and_hang_up() -> None:
    lab = calling(Lab(2))
    caller, called = lab.phones
    lab.run(10)
    assert next(iter(called.calls.values())).state == CallState.INCOMING  # no bearer: it does not ring
    assert not lab.sent("UPDATE")
    lab.bearers()
    (update,) = lab.sent("UPDATE")
    assert is_ready(sdp.decode(update.body))
    assert lab.said()[-1] == "ok: +1001 calls: it rings"
    lab.tell(called, AnswerCommand())
    assert lab.said()[-2:] == ["ok: +1002 has answered", "ok: talking with +1001"]
    assert {effect.remote for effect in lab.media.values()} == {("10.46.0.2", 50_000), ("10.46.0.3", 50_000)}
    lab.tell(caller, HoldCommand())
    assert sdp.decode(lab.sent("INVITE")[-1].body).media[0].direction == "sendonly"
    theirs = lab.media[called.imsi, next(iter(called.calls))].stream
    assert not theirs.sends
    lab.tell(caller, HoldCommand(resume=True))
    assert theirs.sends
    assert lab.said()[-1] == "ok: +1002 is back"
    lab.tell(called, HangUpCommand())
    assert lab.said()[-2:] == ['ok: +1002 has hung up (SIP;cause=200;text="User ended call")',
                               "ok: the call with +1001 is over"]
    assert empty(lab)


def test_call_without_preconditions() -> None:
    lab = calling(Lab(2, PLAIN))
    assert lab.said()[-1] == "ok: +1001 calls: it rings"
    lab.tell(lab.phones[1], AnswerCommand())
    assert len(lab.media) == 2
    assert not lab.sent("PRACK")
    lab.tell(lab.phones[0], HangUpCommand())
    assert empty(lab)


def test_answers_by_itself() -> None:
    lab = calling(Lab(2, ImsHandset(preconditions=False, rings=3.0)))
    lab.run(3)
    assert lab.said()[-1] == "ok: talking with +1001"


def test_cancel() -> None:
    lab = calling(Lab(2))
    lab.tell(lab.phones[0], HangUpCommand())
    assert lab.said()[-2:] == ["failed: +1001 has given up",
                               "ok: the call to +1002 was given up before the answer"]
    assert empty(lab)


def test_refused_busy_unknown_and_unanswered() -> None:
    lab = calling(Lab(3, PLAIN))
    lab.tell(lab.phones[2], CallCommand("+1002"))
    assert lab.said()[-1] == "failed: +1002: 486 Busy Here"
    lab.tell(lab.phones[1], HangUpCommand())
    assert lab.said()[-2:] == ["ok: the call of +1001 was refused", "failed: +1002: 486 Busy Here"]
    lab.tell(lab.phones[0], CallCommand("+1009"))
    assert lab.said()[-1] == "failed: +1009: 404 Not Found"
    lab.core.alter["INVITE"] = lambda message: None
    lab.tell(lab.phones[0], CallCommand("+1002"), 130)
    assert lab.said()[-2] == "failed: no answer to the call to +1002"
    assert lab.said()[-1].startswith("ok: registered"), "it sees whether the network is still there"
    assert empty(lab)


def test_stuck_at_183_without_a_bearer() -> None:
    lab = Lab(2)
    lab.tell(lab.phones[0], BreakCommand("stuck_at_183"))
    calling(lab)
    lab.bearers()
    lab.run(60)
    assert not lab.sent("UPDATE")
    lab.tell(lab.phones[0], HangUpCommand())
    assert empty(lab)


@pytest.mark.parametrize(("change", "status"), [
    (lambda message: message.set("Require", "holography") or message, "420 Bad Extension"),
    (lambda message: message.content("application/sdp", message.body.replace(b"AMR", b"EVS")) or message,
     "488 Not Acceptable Here"),
    (lambda message: message.content("application/sdp", b"nonsense") or message, "400 Bad Request"),
    (lambda message: message.remove("Contact") or message, "400 Bad Request"),
])
def test_invites_that_are_refused(change: Callable[[SipRequest], SipRequest], status: str) -> None:
    lab = Lab(2)
    lab.core.alter["INVITE"] = change  # type: ignore[assignment]
    calling(lab)
    assert lab.said()[-1] == f"failed: +1002: {status}"
    assert empty(lab)


def test_session_timer_keeps_and_ends_a_call() -> None:
    lab = talking(Lab(2, ImsHandset(session_expires=200)))
    updates = len(lab.sent("UPDATE"))
    lab.run(250)
    assert len(lab.sent("UPDATE")) == updates + 2
    lab.core.alter["UPDATE"] = lambda message: None
    lab.run(500)
    assert any("nobody refreshed the session" in text for text in lab.said())
    assert empty(lab)


def test_interval_too_small() -> None:
    lab = Lab(2, ImsHandset(preconditions=False, session_expires=90))

    def least(message: Message) -> Message | None:
        if "90;" not in (message.first("Session-Expires") or ""):
            return message
        return None

    lab.core.alter["INVITE"] = least
    calling(lab)
    (invite,) = lab.sent("INVITE")
    answer = sip.response(invite, 422)
    answer.pop("Via")
    answer.append("Min-SE", "600")
    lab.core._tell(lab.phones[0].name, lab.core.requests[-1][0], answer)
    lab.run(1)
    assert lab.sent("INVITE")[-1].first("Session-Expires") == "600;refresher=uac"
    assert lab.said()[-1] == "ok: +1001 calls: it rings"


def test_changes_that_fail() -> None:
    lab = talking(Lab(2))

    def refused(message: Message) -> Message:
        assert isinstance(message, SipResponse)
        message.status, message.reason = 488, "No"
        message.body = b""
        message.remove("Content-Type")
        return message

    lab.core.alter["200 INVITE"] = refused
    lab.tell(lab.phones[0], HoldCommand())
    assert lab.said()[-1] == "failed: refused: 488 No"
    assert next(iter(lab.phones[0].calls.values())).local.direction == "sendrecv"
    lab.core.alter.clear()
    lab.tell(lab.phones[1], HangUpCommand())
    assert empty(lab)


def test_both_put_each_other_on_hold_at_once() -> None:
    lab = talking(Lab(2))
    for phone in lab.phones:
        lab.loop.tell(phone.name, HoldCommand())
    lab.run(1)
    assert "failed: refused: 491 Request Pending" in lab.said()
    assert all(call.pending is None for phone in lab.phones for call in phone.calls.values())


def test_loss_of_the_connection_and_requests_after_it() -> None:
    lab = talking(Lab(2))
    caller, called = lab.phones
    lab.tell(called, BearerIsDown(6))
    assert "failed: the call with +1001 is lost: the IMS connection is gone" in lab.said()
    lab.connect()
    lab.tell(caller, HangUpCommand())  # the called knows nothing of the call any more: 481
    assert lab.said()[-1] == "ok: the call with +1002 is over"
    assert empty(lab)


def test_no_ack_and_no_prack() -> None:
    lab = Lab(2, PLAIN)
    lab.core.alter["ACK"] = lambda message: None
    calling(lab)
    lab.tell(lab.phones[1], AnswerCommand(), 200)
    assert any("no ACK came" in text for text in lab.said())
    assert empty(lab)
    lab = Lab(2)
    lab.core.alter["PRACK"] = lambda message: None
    calling(lab)
    lab.run(300)
    assert any("no PRACK came for our 183" in text for text in lab.said())
    assert empty(lab)


def test_commands_without_a_call() -> None:
    lab = Lab().connect()
    (phone,) = lab.phones
    for command, said in ((AnswerCommand(), "nothing rings"), (HoldCommand(), "there is no call that stands"),
                          (HangUpCommand(), "there is no call")):
        lab.tell(phone, command)
        assert lab.said()[-1] == f"failed: {said}"


def test_options() -> None:
    lab = Lab(2).connect()
    request = lab.phones[0].request("OPTIONS", "tel:+1002")
    lab.core._forward(lab.phones[0].name, lab.core.requests[-1][0], _with_via(request))
    lab.run(1)
    assert lab.names()[-1] == "200 OK (OPTIONS)"


def _with_via(request: SipRequest) -> SipRequest:
    request.prepend("Via", "SIP/2.0/UDP 10.46.0.2:6301;branch=z9hG4bKoptions")
    return request
