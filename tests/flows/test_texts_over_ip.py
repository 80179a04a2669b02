# SPDX-License-Identifier: Apache-2.0
"""Texts over IP at ISC, with a stand-in for the S-CSCF: registration, both ways, fall-back to NAS, page mode."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from leaks import held
from network import Network
from text_flows import ALICE, ALICES, BOB, BOBS, got, text, two

from dialtone.codec import sip
from dialtone.codec.sip import MessageRequest, RegisterRequest, SipRequest, SipResponse
from dialtone.codec.sms import RPAck, RPData, RPError, RpMessage, RPSmma, SmsDeliver, SmsSubmitReport, rp, tpdu
from dialtone.codec.sms.address import Address
from dialtone.codec.sms.errors import RpCause
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Answer, Effects, Event, Request
from dialtone.element import Element
from dialtone.ids import Plmn
from dialtone.links.memory import Memory
from dialtone.sim.power import BreakCommand
from dialtone.sim.texts import Texts
from dialtone.sip.transactions import SipPolicy, own_via

on = Handlers("stand-in")
DOMAIN = Plmn("001", "01").ims_domain
IMPU = {ALICE: f"sip:+{ALICES}@{DOMAIN}", BOB: f"sip:+{BOBS}@{DOMAIN}"}
CONTAINER = "application/vnd.3gpp.sms"


@dataclass(slots=True)
class Say(Event):
    """Send this to the SMS centre."""

    message: SipRequest


@dataclass
class StandIn(Element):
    """An S-CSCF and the phones behind it. `answers` is the status of each MESSAGE that comes for a phone."""

    name = "stand-in"
    on = on
    answers: int = 200
    got: list[MessageRequest] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@on.event(Say)
def on_say(element: StandIn, event: Say, rx: Rx) -> Effects:
    yield Request("ISC", "sms", event.message)


@on("ISC", MessageRequest)
def on_message_request(element: StandIn, msg: MessageRequest, rx: Rx) -> Effects:
    element.got.append(msg)
    if element.answers:
        yield Answer(sip.response(msg, element.answers))


@on("ISC", SipResponse)
def on_sip_response(element: StandIn, msg: SipResponse, rx: Rx) -> Effects:
    element.statuses.append(msg.status)
    return ()


class Isc:
    """The network with the stand-in; phones registered to IMS answer by hand."""

    def __init__(self, net: Network) -> None:
        self.net, self.scscf, self.count = net, StandIn(), 0
        net.loop.add(self.scscf)
        net.loop.bind("stand-in", "ISC", sip, Memory(net.loop, "ISC"), inside=True,
                      policy=SipPolicy(own_via("scscf.test")))

    def say(self, message: SipRequest, seconds: float = 0.2) -> int:
        """Send it; the last status that came back."""
        self.count += 1
        for name, value in (("Max-Forwards", "70"), ("Call-ID", f"call-{self.count}"),
                            ("CSeq", f"1 {message.method}")):
            message.append(name, value)
        self.net.command("stand-in", Say(message), seconds)
        return self.scscf.statuses[-1] if self.scscf.statuses else 0

    def register(self, imsi: str, *, smsip: bool = True, expires: int = 3600) -> int:
        inner = RegisterRequest(uri=f"sip:{DOMAIN}")
        for name, value in (("Via", "SIP/2.0/UDP 10.46.0.2;branch=z9hG4bKx"), ("From", f"<{IMPU[imsi]}>;tag=1"),
                            ("To", f"<{IMPU[imsi]}>"), ("Call-ID", "x"), ("CSeq", "1 REGISTER"),
                            ("Contact", "<sip:10.46.0.2>" + (";+g.3gpp.smsip" if smsip else ""))):
            inner.append(name, value)
        message = RegisterRequest(uri=f"sip:sms.{DOMAIN}")
        message.append("From", "<sip:scscf.test>;tag=1")
        message.append("To", f"<{IMPU[imsi]}>")
        message.append("Contact", "<sip:scscf.test>")
        message.append("Expires", str(expires))
        message.content("message/sip", sip.encode(inner))
        return self.say(message)

    def message(self, imsi: str, body: bytes, kind: str = CONTAINER, uri: str = "tel:+7", reply: str = "") -> int:
        message = MessageRequest(uri=uri)
        message.append("From", f"<{IMPU[imsi]}>;tag=7")
        message.append("To", f"<{uri}>")
        message.append("P-Asserted-Identity", f"<{IMPU[imsi]}>")
        if reply:
            message.append("In-Reply-To", reply)
        message.content(kind, body)
        return self.say(message)

    def rp(self, imsi: str, message: RpMessage, reply: str = "") -> int:
        return self.message(imsi, rp.encode(message), reply=reply)

    def last(self) -> RpMessage:
        return rp.decode(self.scscf.got[-1].body)

    def states(self) -> list[str]:
        return [str(one.state) for one in self.net.core.sms.box.latest(100)]


@pytest.fixture
def isc(tmp_path: Path) -> Isc:
    net = Network(tmp_path)
    two(net)
    return Isc(net)


def submit(to: str = f"+{BOBS}", words: str = "Hello", **more: object) -> RPData:
    return Texts().submit(to, words, **more)[0]  # type: ignore[arg-type]


def test_a_phone_submits_over_ip(isc: Isc) -> None:
    """202, and then the RP-ACK in a MESSAGE of its own, in reply to the submission (TS 24.341, 5.3.3.4.2)."""
    isc.register(ALICE)
    assert isc.rp(ALICE, submit()) == 202
    (report,) = isc.scscf.got
    assert report.uri == IMPU[ALICE]
    assert report.first("In-Reply-To") == "call-2"
    assert report.first("Accept-Contact") == "*;+g.3gpp.smsip;require;explicit"
    assert report.first("Request-Disposition") == "no-fork"
    assert report.content_type == CONTAINER
    answer = isc.last()
    assert isinstance(answer, RPAck)
    assert answer.reference == 0
    assert answer.user_data is not None
    assert isinstance(tpdu.decode(answer.user_data, uplink=False), SmsSubmitReport)
    isc.net.run(2)
    assert got(isc.net.phones[BOB]) == [(f"+{ALICES}", "Hello")]


def test_nothing_is_acknowledged_before_it_is_on_the_disk(isc: Isc) -> None:
    isc.net.save_fails = OSError("disk full")
    assert isc.rp(ALICE, submit()) == 202
    answer = isc.last()
    assert isinstance(answer, RPError)
    assert answer.cause == RpCause.TEMPORARY_FAILURE
    assert isc.states() == []


@pytest.mark.parametrize(("message", "cause"), [
    (submit("+15550199"), RpCause.SHORT_MESSAGE_TRANSFER_REJECTED),
    (RPData(reference=5, user_data=b"\1\0"), RpCause.INVALID_MANDATORY_INFORMATION),
    (RPData(reference=5, uplink=False, user_data=b"\1\0"), RpCause.NOT_COMPATIBLE_WITH_STATE)])
def test_what_is_not_taken(isc: Isc, message: RPData, cause: RpCause) -> None:
    assert isc.rp(ALICE, message) == 202
    answer = isc.last()
    assert isinstance(answer, RPError)
    assert (answer.cause, answer.reference) == (cause, message.reference)


def test_what_is_no_short_message(isc: Isc) -> None:
    assert isc.message(ALICE, b"\7\5") == 202
    assert isinstance(isc.last(), RPError)
    assert isc.message(ALICE, b"\7") == 400
    assert isc.message(ALICE, b"x", "image/png") == 415
    stranger = MessageRequest(uri="tel:+7")
    stranger.append("From", "<sip:nobody@example.org>;tag=1")
    stranger.append("To", "<tel:+7>")
    stranger.content(CONTAINER, rp.encode(submit()))
    assert isc.say(stranger) == 403


def test_a_text_goes_over_ip_where_the_phone_is_registered_and_only_there(isc: Isc) -> None:
    isc.register(BOB)
    text(isc.net)
    (sent,) = isc.scscf.got
    assert sent.uri == IMPU[BOB]
    assert sent.first("P-Asserted-Identity") == f"<sip:sms.{DOMAIN}>"
    told = isc.last()
    assert isinstance(told, RPData)
    assert told.originator == Address("15550100")
    deliver = tpdu.decode(told.user_data, uplink=False)
    assert isinstance(deliver, SmsDeliver)
    assert (str(deliver.originator), deliver.ud.text) == (f"+{ALICES}", "Hello")
    assert isc.rp(BOB, RPAck(reference=told.reference), sent.call_id) == 202
    assert isc.states() == ["delivered"]
    isc.net.run(7200)
    assert got(isc.net.phones[BOB]) == []  # once, and not over NAS, too
    assert len(isc.scscf.got) == 1


def test_over_nas_after_silence(isc: Isc) -> None:
    """TR1N: 40 s without RP-ACK."""
    isc.register(BOB)
    text(isc.net, seconds=30)
    assert isc.states() == ["waiting"]
    isc.net.run(20)
    assert got(isc.net.phones[BOB]) == [(f"+{ALICES}", "Hello")]
    assert isc.states() == ["delivered"]


@pytest.mark.parametrize("status", [480, 404, 0])
def test_over_nas_after_a_refusal_or_no_answer(isc: Isc, status: int) -> None:
    isc.scscf.answers = status
    isc.register(BOB)
    text(isc.net, seconds=45)
    assert got(isc.net.phones[BOB]) == [(f"+{ALICES}", "Hello")]
    assert isc.states() == ["delivered"]


def test_an_rp_ack_that_comes_late_counts(isc: Isc) -> None:
    """The text is on its way over NAS by then, which is given up."""
    isc.register(BOB)
    text(isc.net)
    told, call = isc.last(), isc.scscf.got[-1].call_id
    isc.net.command(isc.net.phones[BOB].name, BreakCommand("no_cp_ack"))
    isc.net.run(38)
    assert isc.net.names("SGd").count("MT-Forward-Short-Message Request") == 1
    isc.rp(BOB, RPAck(reference=told.reference), call)
    assert isc.states() == ["delivered"]
    isc.net.run(60)
    isc.net.command(isc.net.phones[BOB].name, BreakCommand(None), 7200)
    assert got(isc.net.phones[BOB]) == []
    assert isc.states() == ["delivered"]


def test_over_nas_after_rp_error(isc: Isc) -> None:
    isc.register(BOB)
    text(isc.net)
    told = isc.last()
    isc.rp(BOB, RPError(reference=told.reference, cause=111), isc.scscf.got[-1].call_id)
    isc.net.run(2)
    assert got(isc.net.phones[BOB]) == [(f"+{ALICES}", "Hello")]


def test_a_full_phone_is_not_tried_over_nas(isc: Isc) -> None:
    isc.register(BOB)
    text(isc.net)
    isc.rp(BOB, RPError(reference=isc.last().reference, cause=22), isc.scscf.got[-1].call_id)
    isc.net.run(2)
    assert isc.states() == ["waiting"]
    isc.rp(BOB, RPSmma(reference=9))
    assert [rp.decode(one.body).NAME for one in isc.scscf.got] == ["RP-DATA", "RP-ACK", "RP-DATA"]


def test_an_rp_ack_that_answers_something_else(isc: Isc) -> None:
    isc.register(BOB)
    text(isc.net)
    told, call = isc.last(), isc.scscf.got[-1].call_id
    isc.rp(BOB, RPAck(reference=told.reference ^ 1), call)
    isc.rp(BOB, RPAck(reference=told.reference), "another-call")
    assert isc.states() == ["waiting"]
    assert sum("does not answer RP-DATA" in line for line in isc.net.verdicts("sms")) == 2
    isc.rp(BOB, RPAck(reference=told.reference))
    assert isc.states() == ["delivered"]
    isc.rp(BOB, RPAck(reference=told.reference))
    assert any("answers no text" in line for line in isc.net.verdicts("sms"))


def test_a_phone_without_smsip_is_reached_over_nas(isc: Isc) -> None:
    isc.register(BOB, smsip=False)
    text(isc.net)
    assert isc.scscf.got == []
    assert got(isc.net.phones[BOB]) == [(f"+{ALICES}", "Hello")]


def test_a_phone_that_registers_gets_what_waits(isc: Isc) -> None:
    isc.net.detach(BOB, switch_off=True)
    text(isc.net)
    assert isc.states() == ["waiting"]
    isc.register(BOB)
    isc.rp(BOB, RPAck(reference=isc.last().reference), isc.scscf.got[-1].call_id)
    assert isc.states() == ["delivered"]


@pytest.mark.parametrize("gone", ["deregistered", "expired"])
def test_a_registration_ends(isc: Isc, gone: str) -> None:
    isc.register(BOB)
    if gone == "deregistered":
        isc.register(BOB, expires=0)
    else:
        isc.net.run(3700)
    text(isc.net)
    assert isc.scscf.got == []
    assert got(isc.net.phones[BOB]) == [(f"+{ALICES}", "Hello")]


def test_a_registration_of_nobody(isc: Isc) -> None:
    message = RegisterRequest(uri=f"sip:sms.{DOMAIN}")
    message.append("From", "<sip:scscf.test>;tag=1")
    message.append("To", "<sip:nobody@example.org>")
    assert isc.say(message) == 404


def test_a_page_for_a_phone_that_is_away(isc: Isc) -> None:
    """text/plain (RFC 3428): 202 once it is kept; it comes as a short message."""
    isc.net.detach(BOB, switch_off=True)
    assert isc.message(ALICE, "Grüße 😀".encode(), "text/plain", IMPU[BOB]) == 202
    assert isc.states() == ["waiting"]
    isc.net.attach(BOB, seconds=5)
    assert got(isc.net.phones[BOB]) == [(f"+{ALICES}", "Grüße 😀")]


def test_pages_that_are_not_kept(isc: Isc) -> None:
    assert isc.message(ALICE, b"x", "text/plain", f"sip:+15550199@{DOMAIN}") == 404
    assert isc.message(ALICE, b"", "text/plain", IMPU[BOB]) == 400
    assert isc.message(ALICE, b"x" * 50_000, "text/plain", IMPU[BOB]) == 513
    isc.net.save_fails = OSError("disk full")
    assert isc.message(ALICE, b"x", "text/plain", IMPU[BOB]) == 503
    assert isc.states() == []


def test_other_methods_are_refused(isc: Isc) -> None:
    for method, status in (("INVITE", 405), ("FOO", 501)):
        message = sip.request(method, f"sip:sms.{DOMAIN}")
        message.append("From", f"<{IMPU[ALICE]}>;tag=1")
        message.append("To", f"<sip:sms.{DOMAIN}>")
        isc.say(message)
        answers = [event.name for event in isc.net.sent(f"{status}", "sms")] or [
            event.name for event in isc.net.events("ISC") if event.src == "sms" and event.name.startswith(str(status))]
        assert answers, (method, [event.name for event in isc.net.events("ISC")][-3:])


def test_nothing_stays(isc: Isc) -> None:
    before = held(isc.net)
    isc.register(BOB)
    text(isc.net)
    isc.rp(BOB, RPAck(reference=isc.last().reference), isc.scscf.got[-1].call_id)
    isc.register(BOB, expires=0)
    isc.net.run(100)
    after = {path: size for path, size in held(isc.net).items() if path.startswith("sms.") and "budgets" not in path}
    assert {path: size for path, size in after.items() if size > before.get(path, 0)} == {}
