# SPDX-License-Identifier: Apache-2.0
"""Calls through the P-CSCF: when bearers are asked for and given back, and how a call without one ends (TS 24.229,
5.2.7 and 5.2.8)."""


from typing import Any

import pytest
from pcscf_rig import DOMAIN, Phone, Rig, messages

from dialtone.codec import diameter, sip
from dialtone.codec.diameter import SpecificAction
from dialtone.codec.sip import SipMessage
from dialtone.requests import DIAMETER

FAR = f"sip:+15550199@{DOMAIN}"
FAILED = SpecificAction.INDICATION_OF_FAILED_RESOURCES_ALLOCATION
MADE = SpecificAction.INDICATION_OF_SUCCESSFUL_RESOURCES_ALLOCATION


class Policy:
    """The other end of Rx, in a test's own hand: answers everything with 2001."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.got: list[Any] = []
        self.said: list[Any] = []
        rig.loop.bind("pcscf", "Rx", diameter, self, policy=DIAMETER)

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        message: Any = diameter.decode(data)
        if not message.REQUEST:
            self.said.append(message)
            return
        self.got.append(message)
        kind: Any = diameter.COMMANDS[message.COMMAND, message.APPLICATION_ID, False]
        answer = kind(session_id=message.session_id, result_code=2001, origin_host="pcrf", origin_realm="epc")
        answer.hop_by_hop, answer.end_to_end = message.hop_by_hop, message.end_to_end
        self.rig.loop.deliver("pcscf", "Rx", "pgw", diameter.encode(answer))

    def tell(self, kind: type[Any], **fields: Any) -> list[Any]:
        """A request of policy about the last call."""
        message = kind(session_id=self.got[-1].session_id, origin_host="pcrf", origin_realm="epc",
                       destination_host="pcscf", destination_realm=DOMAIN, **fields)
        message.hop_by_hop = message.end_to_end = 1000 + len(self.said)
        self.rig.loop.deliver("pcscf", "Rx", "pgw", diameter.encode(message))
        return self.rig.run()

    def names(self) -> list[str]:
        return [type(message).__name__ for message in self.got]


class Call:
    """One call of a registered phone: by it, or to it."""

    def __init__(self, calling: bool = True, qos: bool = False) -> None:
        self.rig, self.phone = Rig(), Phone()
        self.rig.register(self.phone)
        self.policy = Policy(self.rig)
        self.calling, self.qos = calling, qos
        self.phone.call_id = "call-1"
        if calling:
            (self.invite,) = messages(self.phone_sends("INVITE", f"Contact: <sip:{self.phone.host}:6300>",
                                                       body=self.sdp(self.phone.host, 49120)), "Mw")
        else:
            (self.invite,) = messages(self.core_sends("INVITE", self.sdp("10.46.0.3", 50000)), "Gm")

    def sdp(self, address: str, port: int, *lines: str) -> bytes:
        text = ["v=0", f"o=- 1 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0",
                f"m=audio {port} RTP/AVP 116", "b=AS:41", *lines]
        text += ["a=des:qos mandatory local sendrecv"] if self.qos else []
        return "\r\n".join([*text, ""]).encode()

    def phone_sends(self, method: str, *lines: str, to: str = "", body: bytes = b"") -> list[Any]:
        more = ["Content-Type: application/sdp"] if body else []
        return self.rig.gm(self.phone.protected, self.phone.request(
            method, FAR, *lines, *more, to=to or f"<{FAR}>", body=body))

    def core_sends(self, method: str, body: bytes = b"", to: str = "<sip:a@b>") -> list[Any]:
        request = sip.request(method, f"sip:{self.phone.host}:{self.phone.port_s}")
        for name, value in (("Via", f"SIP/2.0/UDP scscf.{DOMAIN};branch=z9hG4bK{method}"),
                            ("Route", f"<sip:term@pcscf.{DOMAIN};lr>"), ("Max-Forwards", "60"),
                            ("Record-Route", f"<sip:scscf.{DOMAIN};lr>"), ("From", f"<{FAR}>;tag=far"), ("To", to),
                            ("Call-ID", "call-1"), ("CSeq", f"7 {method}"), ("Contact", "<sip:10.46.0.3:6300>")):
            request.append(name, value)
        if body:
            request.content("application/sdp", body)
        return self.rig.mw(request)

    def answers(self, status: int, body: bytes = b"") -> list[Any]:
        """Whoever is called answers."""
        answer = sip.response(self.invite, status)
        if not answer.to.tag:
            answer.set("To", f"{answer.first('To')};tag=called")
        answer.append("Contact", "<sip:10.46.0.3:6300>" if self.calling else f"<sip:{self.phone.host}:6300>")
        if body:
            answer.content("application/sdp", body)
        if self.calling:
            return self.rig.mw(answer)
        flow = messages_peer(self.rig, self.invite)
        return self.rig.gm(flow, sip.encode(answer))

    def answer_body(self) -> bytes:
        return self.sdp("10.46.0.3", 50000) if self.calling else self.sdp(self.phone.host, 49120)


def messages_peer(rig: Rig, message: SipMessage) -> str:
    """The flow that a message went to the phone by, seen from here."""
    return next(str(entry[1]) for entry in reversed(rig.log) if entry[0] == "Gm" and entry[2] is message)


@pytest.mark.parametrize("calling", [True, False])
def test_bearers_come_with_the_acceptance(calling: bool) -> None:
    call = Call(calling)
    call.answers(183, call.answer_body())
    assert call.policy.names() == []
    call.answers(200, call.answer_body())
    (asked,) = call.policy.got
    assert asked.framed_ip_address == bytes((10, 46, 0, 2))
    flow = asked.media_component_description[0].media_sub_component[0].flow_description[0]
    assert flow == "permit out 17 from 10.46.0.3 50000 to 10.46.0.2 49120"
    assert asked.af_charging_identifier or not calling


@pytest.mark.parametrize("calling", [True, False])
def test_with_preconditions_at_the_first_answer(calling: bool) -> None:
    call = Call(calling, qos=True)
    call.answers(183, call.answer_body())
    assert call.policy.names() == ["AARequest"]
    call.answers(200)
    assert call.policy.names() == ["AARequest"]


def test_hanging_up() -> None:
    call = Call()
    call.answers(200, call.answer_body())
    call.phone_sends("BYE", to=f"<{FAR}>;tag=called")
    assert call.policy.names() == ["AARequest", "SessionTerminationRequest"]
    assert call.rig.pcscf.passing == call.rig.pcscf.calls.by_id == {}


def test_hung_up_by_the_other_end() -> None:
    call = Call(calling=False)
    call.answers(200, call.answer_body())
    call.core_sends("BYE", to="<sip:a@b>;tag=called")
    assert call.policy.names()[-1] == "SessionTerminationRequest"
    assert call.rig.pcscf.passing == {}


@pytest.mark.parametrize("status", [486, 487, 603])
def test_a_call_that_nobody_takes(status: int) -> None:
    call = Call(qos=True)
    call.answers(183, call.answer_body())
    call.answers(status)
    assert call.policy.names() == ["AARequest", "SessionTerminationRequest"]
    assert call.rig.pcscf.passing == {}


def test_a_call_that_nobody_takes_before_anything_was_asked() -> None:
    call = Call()
    call.answers(486)
    assert call.policy.names() == []
    assert call.rig.pcscf.passing == call.rig.pcscf.calls.by_id == {}


def test_a_call_that_nobody_answers() -> None:
    call = Call()
    call.rig.run(300.0)
    assert call.rig.pcscf.passing == call.rig.pcscf.calls.by_id == {}


def lost(call: Call) -> list[Any]:
    return call.policy.tell(diameter.AbortSessionRequest, abort_cause=0)


@pytest.mark.parametrize("calling", [True, False])
def test_lost_radio_ends_an_established_call_at_both_ends(calling: bool) -> None:
    call = Call(calling)
    call.answers(200, call.answer_body())
    done = lost(call)
    (to_phone,), (to_core,) = messages(done, "Gm"), messages(done, "Mw")
    for bye in (to_phone, to_core):
        assert (bye.method, bye.call_id) == ("BYE", "call-1")
        assert "cause=503" in bye.first("Reason")
    phone_tag, far_tag = ("p1", "called") if calling else ("called", "far")
    assert (to_phone.from_.tag, to_phone.to.tag) == (far_tag, phone_tag)
    assert (to_core.from_.tag, to_core.to.tag) == (phone_tag, far_tag)
    assert (to_phone.uri, to_core.uri) == (f"sip:{call.phone.host}:6300", "sip:10.46.0.3:6300")
    assert to_phone.all("Route") == []
    assert to_core.cseq.number > (call.invite.cseq.number if calling else 0)
    assert call.policy.said[-1].result_code == 2001
    assert call.policy.names()[-1] == "SessionTerminationRequest"
    assert call.rig.pcscf.passing == call.rig.pcscf.calls.by_id == {}


def test_no_bearer_while_it_is_set_up_ends_it_with_503() -> None:
    call = Call(qos=True)
    call.answers(183, call.answer_body())
    done = call.policy.tell(diameter.ReAuthRequest, specific_action=(FAILED,), flows=(
        diameter.Flows(media_component_number=1),))
    assert [answer.status for answer in messages(done, "Gm")] == [503]
    assert [request.method for request in messages(done, "Mw")] == ["CANCEL"]
    assert any("the call was given up: the bearer could not be set up" in text for text in call.rig.verdicts())
    assert call.policy.names()[-1] == "SessionTerminationRequest"


def test_a_bearer_that_stands_changes_nothing() -> None:
    call = Call(qos=True)
    call.answers(183, call.answer_body())
    assert not messages(call.policy.tell(diameter.ReAuthRequest, specific_action=(MADE,)), "Gm")
    assert call.rig.pcscf.passing


def test_a_description_that_cannot_be_read_passes_all_the_same() -> None:
    call = Call()
    assert [answer.status for answer in messages(call.answers(200, b"nonsense"), "Gm")] == [200]
    assert call.policy.names() == []
    assert any("cannot be read" in text for text in call.rig.verdicts())


