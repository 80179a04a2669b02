# SPDX-License-Identifier: Apache-2.0
"""Requests through the S-CSCF (TS 24.229, 5.4.3): from and to phones, to absent ones, past application servers."""

from collections.abc import Iterator

import pytest
from scscf_rig import DOMAIN, Do, Rig, impi, subscription, tel

from dialtone.codec import sip
from dialtone.codec.ims_subscription import ApplicationServer, InitialFilterCriteria, Spt, TriggerPoint
from dialtone.codec.sip import SipRequest, SipResponse
from dialtone.effects import Answer, Request, Send
from dialtone.scscf.deregistration import Deregister
from dialtone.sip.client import cancel_of


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    rig.register(1)
    rig.register(2)
    yield rig
    over(rig)


def over(rig: Rig) -> None:
    for user in list(rig.scscf.users.values()):
        rig.loop.tell("scscf", Deregister(user.impi))
    rig.run(100_000)
    rig.clean()


def last(rig: Rig, method: str) -> SipRequest:
    return rig.pcscf.requests(method)[-1]


@pytest.mark.parametrize("dialled", [
    tel(2), f"sip:+15550002@{DOMAIN};user=phone", f"sip:+15550002@{DOMAIN}", f"tel:0002;phone-context={DOMAIN}",
    f"sip:0002;phone-context=0002@{DOMAIN};user=phone", "tel:15550002;phone-context=+44"])
def test_a_text(rig: Rig, dialled: str) -> None:
    message = rig.outgoing("MESSAGE", dialled, 1, ("P-Preferred-Service", "urn:urn-7:3gpp-service.ims.icsi.mmtel"),
                           ("X-Strange", "kept,  as it came"))
    message.content("text/plain", b"hello")
    answer = rig.request(message)
    assert answer.status == 200
    got = last(rig, "MESSAGE")
    assert (got.uri, got.body) == ("sip:10.46.0.2:5060", b"hello")
    assert got.all("Route") == [f"<sip:term@pcscf.{DOMAIN};lr>"]
    assert got.first("P-Called-Party-ID") == f"<{tel(2)}>"
    assert got.all("P-Asserted-Identity") == [f"<sip:+15550001@{DOMAIN}>", f"<{tel(1)}>"]
    assert (got.first("Max-Forwards"), got.first("X-Strange")) == ("69", "kept")
    assert "X-Strange: kept,  as it came" in [line.text for line in got.lines]
    assert got.first("Record-Route") is None
    assert rig.hss.asked[-1].public_identity == tel(2)


def test_the_rewrite_is_told(rig: Rig) -> None:
    rig.request(rig.outgoing("MESSAGE", f"tel:0002;phone-context={DOMAIN}"))
    assert any("was read as tel:+15550002" in text for text in rig.verdicts())


@pytest.mark.parametrize(("dialled", "status", "text"), [
    ("tel:+15559999", 404, "Nobody in this network has the number +15559999"),
    (f"sip:0039876543@{DOMAIN};user=phone", 404, "Nobody in this network has the number 0039876543"),
    (f"sip:nobody@{DOMAIN}", 404, "nobody"), (f"sip:{impi(2)}", 404, "cannot be called"),
    ("sip:bob@example.org", 404, "example.org is nobody that this network reaches"),
    (f"sip:{DOMAIN}", 484, "names nobody"), ("tel:*#06#", 404, "*#06#"), ("urn:service:fire", 416, "")])
def test_numbers_that_reach_nobody(rig: Rig, dialled: str, status: int, text: str) -> None:
    answer = rig.request(rig.outgoing("MESSAGE", dialled))
    assert (answer.status, text in answer.reason) == (status, True), answer.reason


def test_a_phone_that_is_away(rig: Rig) -> None:
    rig.register(2, expires=0)
    answer = rig.request(rig.outgoing("INVITE", tel(2)))
    assert (answer.status, "off, out of reach" in answer.reason) == (480, True)
    assert rig.saved[-1].record.status == 480


@pytest.mark.parametrize(("code", "status"), [(None, 504), (5012, 480)])
def test_an_hss_that_does_not_tell(rig: Rig, code: int | None, status: int) -> None:
    rig.hss.say["LocationInfoRequest"] = code
    assert rig.request(rig.outgoing("MESSAGE", tel(2)), 5).status == status


def test_who_may_call(rig: Rig) -> None:
    message = rig.outgoing("MESSAGE", tel(2))
    message.set("P-Asserted-Identity", f"<sip:{impi(1)}>")
    assert rig.request(message).reason == "This identity is for registration only"
    message = rig.outgoing("MESSAGE", tel(2))
    message.set("P-Asserted-Identity", "<sip:+15557777@example.org>")
    assert rig.request(message).reason == "The caller is not registered"


def call(rig: Rig, *lines: tuple[str, str]) -> tuple[SipRequest, SipRequest]:
    """A call that rings: the INVITE that was sent, and as it arrived."""
    rig.pcscf.script = lambda request: None if request.method == "INVITE" else 200
    invite = rig.outgoing("INVITE", tel(2), 1, ("Supported", "timer,100rel,precondition"), ("Require", "precondition"),
                          ("Session-Expires", "1800"), ("Request-Disposition", "no-fork"), *lines)
    invite.content("application/sdp", b"v=0\r\na=curr:qos local none\r\n")
    rig.send(invite)
    return invite, last(rig, "INVITE")


def say(rig: Rig, status: int, *lines: tuple[str, str], method: str = "INVITE", tag: str = "t2") -> SipResponse:
    """The called phone answers."""
    rx = next(rx for rx in reversed(rig.pcscf.rx) if isinstance(rx.message, SipRequest) and rx.message.method == method)
    assert isinstance(rx.message, SipRequest)
    answer = sip.response(rx.message, status)
    answer.set("To", f"{answer.first('To')};tag={tag}")
    for line in (f"<sip:mt@pcscf.{DOMAIN};lr>", *rx.message.all("Record-Route")):
        answer.append("Record-Route", line)
    for name, value in lines:
        answer.append(name, value)
    rig.loop.tell("pcscf", Do((Answer(answer, to=rx),)))
    rig.run(0.1)
    return rig.pcscf.answers(method)[-1]


def within(rig: Rig, method: str, invite: SipRequest, answer: SipResponse, cseq: int, *lines: tuple[str, str]
           ) -> SipRequest:
    """A request of the caller inside of the dialog."""
    message = sip.request(method, "sip:10.46.0.2:5060")
    for name, value in (("Max-Forwards", "70"), ("From", invite.first("From") or ""), ("To", answer.first("To") or ""),
                        ("Call-ID", invite.call_id), ("CSeq", f"{cseq} {method}"), *lines):
        message.append(name, value)
    for route in answer.all("Record-Route")[::-1][1:]:  # the caller's P-CSCF took itself off
        message.append("Route", route)
    return message


def test_a_call_through_the_s_cscf(rig: Rig) -> None:
    """183, PRACK, UPDATE, 180, 200, ACK, BYE: extensions and bodies pass untouched, the S-CSCF stays on the way."""
    invite, arrived = call(rig)
    assert arrived.all("Record-Route") == [f"<sip:dialog@scscf.{DOMAIN};lr>", f"<sip:mo@pcscf.{DOMAIN};lr>"]
    assert (arrived.first("Supported"), arrived.all("Supported"), arrived.first("Require")) == (
        "timer", ["timer", "100rel", "precondition"], "precondition")
    assert (arrived.first("Session-Expires"), arrived.body) == ("1800", invite.body)
    progress = say(rig, 183, ("Require", "100rel"), ("RSeq", "1"), ("P-Early-Media", "supported"))
    assert (progress.status, progress.first("RSeq"), progress.first("P-Early-Media")) == (183, "1", "supported")
    for cseq, method in enumerate(("PRACK", "UPDATE"), 2):
        message = within(rig, method, invite, progress, cseq, ("RAck", "1 1 INVITE"))
        assert rig.request(message).status == 200
        got = last(rig, method)
        assert (got.uri, got.all("Route"), got.first("RAck")) == (
            "sip:10.46.0.2:5060", [f"<sip:mt@pcscf.{DOMAIN};lr>"], "1 1 INVITE")
    assert say(rig, 180).status == 180
    answer = say(rig, 200, ("Session-Expires", "1800;refresher=uac"))
    assert (answer.status, answer.first("Session-Expires")) == (200, "1800;refresher=uac")
    rig.loop.tell("pcscf", Do((Send("Mw", "scscf", within(rig, "ACK", invite, answer, 1)),)))
    rig.run(60)
    assert last(rig, "ACK").uri == "sip:10.46.0.2:5060"
    assert rig.request(within(rig, "BYE", invite, answer, 4, ("Reason", 'SIP;cause=200;text="done"'))).status == 200
    (saved,) = rig.saved
    record = saved.record
    assert (record.caller, record.called, record.status, round(record.seconds)) == (
        f"sip:+15550001@{DOMAIN}", "+15550002", 200, 60)
    assert record.reason == 'SIP;cause=200;text="done"'


def test_the_called_phone_hangs_up_and_changes(rig: Rig) -> None:
    invite, arrived = call(rig)
    answer = say(rig, 200)
    bye = sip.request("BYE", "sip:10.46.0.1:5060")
    for name, value in (("Max-Forwards", "70"), ("From", answer.first("To") or ""), ("To", invite.first("From") or ""),
                        ("Call-ID", invite.call_id), ("CSeq", "1 BYE")):
        bye.append(name, value)
    for route in arrived.all("Record-Route"):
        bye.append("Route", route)
    assert rig.request(bye).status == 200
    got = last(rig, "BYE")
    assert (got.uri, got.all("Route")) == ("sip:10.46.0.1:5060", [f"<sip:mo@pcscf.{DOMAIN};lr>"])
    assert rig.saved[-1].record.reason == "hung up"


def test_the_caller_gives_up(rig: Rig) -> None:
    invite, _ = call(rig)
    say(rig, 180)
    rig.loop.tell("pcscf", Do((Request("Mw", "scscf", cancel_of(invite)),)))
    rig.run(0.1)
    assert last(rig, "CANCEL").uri == "sip:10.46.0.2:5060"
    assert say(rig, 487).status == 487
    assert rig.saved[-1].record.status == 487


def test_the_caller_gives_up_before_anybody_is_found(rig: Rig) -> None:
    rig.hss.say["LocationInfoRequest"] = None
    invite = rig.outgoing("INVITE", tel(2))
    rig.send(invite)
    rig.run(0.5)
    rig.loop.tell("pcscf", Do((Request("Mw", "scscf", cancel_of(invite)),)))
    rig.run(5)
    assert rig.pcscf.answers("INVITE")[-1].status == 487
    assert rig.pcscf.requests("INVITE") == []


@pytest.mark.parametrize("status", [486, 480, 603, 408, 500])
def test_the_phone_refuses(rig: Rig, status: int) -> None:
    call(rig)
    assert say(rig, status).status == status
    assert rig.saved[-1].record.status == status


def test_a_phone_rings_for_too_long(rig: Rig) -> None:
    call(rig)
    say(rig, 180)
    rig.run(182)
    assert last(rig, "CANCEL")
    say(rig, 487)


def test_a_call_without_end(rig: Rig) -> None:
    """Both phones lost their radio: the session timer ends the record."""
    call(rig)
    say(rig, 200, ("Session-Expires", "90"))
    rig.run(130)
    assert "session timer" in rig.saved[-1].record.reason


def fork(rig: Rig) -> None:
    """A second and a third phone with the same number; the third is a last resort."""
    phone = rig.phones[1]
    phone.contact, phone.params, phone.call_id = "sip:10.46.0.3:5060", '+sip.instance="<urn:x:3>"', "reg-3"
    rig.register(2)
    phone.contact, phone.params, phone.call_id = "sip:10.46.0.4:5060", '+sip.instance="<urn:x:4>";q=0.1', "reg-4"
    rig.register(2)


def test_two_phones_ring_and_one_answers(rig: Rig) -> None:
    fork(rig)
    rig.pcscf.script = lambda request: None if request.method == "INVITE" else 200
    rig.send(rig.outgoing("INVITE", tel(2)))
    assert [each.uri for each in rig.pcscf.requests("INVITE")] == ["sip:10.46.0.2:5060", "sip:10.46.0.3:5060"]
    say(rig, 180)
    assert say(rig, 200).status == 200
    rig.run(0.1)
    first = next(rx for rx in rig.pcscf.rx if rx.message in rig.pcscf.requests("INVITE"))
    assert isinstance(first.message, SipRequest)
    rig.loop.tell("pcscf", Do((Answer(sip.response(first.message, 180), to=first),)))
    rig.run(0.1)
    assert [each.uri for each in rig.pcscf.requests("CANCEL")] == ["sip:10.46.0.2:5060"]
    rig.loop.tell("pcscf", Do((Answer(sip.response(first.message, 487), to=first),)))
    rig.run(0.1)
    assert [each.status for each in rig.pcscf.answers("INVITE") if each.final] == [200]


def test_the_last_resort_rings_when_the_others_refused(rig: Rig) -> None:
    fork(rig)
    rig.pcscf.script = lambda request: 486 if request.uri != "sip:10.46.0.4:5060" else 200
    assert rig.request(rig.outgoing("MESSAGE", tel(2))).status == 200
    assert [each.uri for each in rig.pcscf.requests("MESSAGE")] == [f"sip:10.46.0.{n}:5060" for n in (2, 3, 4)]
    rig.pcscf.script = lambda request: 603
    assert rig.request(rig.outgoing("MESSAGE", tel(2), cseq=2)).status == 603
    assert len(rig.pcscf.requests("MESSAGE")) == 5  # 6xx ends it


def test_no_fork_and_features(rig: Rig) -> None:
    fork(rig)
    rig.request(rig.outgoing("MESSAGE", tel(2), 1, ("Request-Disposition", "no-fork")))
    assert len(rig.pcscf.requests("MESSAGE")) == 1
    rig.request(rig.outgoing("MESSAGE", tel(2), 1, ("Accept-Contact", "*;+g.3gpp.smsip;require;explicit"), cseq=2))
    assert [each.uri for each in rig.pcscf.requests("MESSAGE")][1:] == ["sip:10.46.0.2:5060"]
    answer = rig.request(rig.outgoing("MESSAGE", tel(2), 1, ("Accept-Contact", "*;video;require;explicit"), cseq=3))
    assert (answer.status, "can do what is asked" in answer.reason) == (480, True)


def test_hops_are_counted(rig: Rig) -> None:
    message = rig.outgoing("MESSAGE", tel(2))
    message.set("Max-Forwards", "0")
    assert rig.request(message).status == 483


def test_a_request_from_outside(rig: Rig) -> None:
    """Without a Service-Route it is for somebody of ours (TS 24.229, 5.3.2.1)."""
    message = rig.outgoing("OPTIONS", tel(2))
    message.remove("Route")
    assert rig.request(message).status == 200
    assert last(rig, "OPTIONS").uri == "sip:10.46.0.2:5060"


# ---- application servers ---------------------------------------------------------------------------

SERVER = f"sip:sms.{DOMAIN}"
MESSAGES = TriggerPoint(True, (Spt("Method", "MESSAGE"), Spt("SessionCase", "0", groups=(1,))))
TERMINATING = TriggerPoint(False, (Spt("SessionCase", "1"), Spt("SessionCase", "2", groups=(1,))))


def serving(*criteria: InitialFilterCriteria) -> Rig:
    rig = Rig(criteria=criteria)
    rig.register(1)
    rig.register(2)
    return rig


def test_an_application_server_takes_a_text() -> None:
    rig = serving(InitialFilterCriteria(1, ApplicationServer(SERVER), MESSAGES))
    rig.server.script = lambda request: 202
    assert rig.request(rig.outgoing("MESSAGE", "tel:+7")).status == 202
    (got,) = rig.server.requests("MESSAGE")
    assert got.uri == "tel:+7"
    assert got.first("Route") == f"<{SERVER};lr>"
    assert got.all("Route")[1].startswith("<sip:odi-")
    assert got.first("P-Served-User") == f"<sip:+15550001@{DOMAIN}>;sescase=orig;regstate=reg"
    assert rig.scscf.away == {}
    over(rig)


def back(rig: Rig) -> None:
    """The server passes what it gets on, as a proxy does."""
    got = rig.server.requests("MESSAGE")[-1].copy()
    got.pop("Route")
    got.remove("Via")
    got.append("X-Server", "was here")
    rig.loop.tell("sms", Do((Request("ISC", "scscf", got),)))
    rig.run(0.1)


def test_a_request_comes_back_and_goes_on() -> None:
    rig = serving(InitialFilterCriteria(2, ApplicationServer(SERVER), MESSAGES),
                  InitialFilterCriteria(1, ApplicationServer(SERVER), MESSAGES))
    rig.server.script = lambda request: None
    rig.send(rig.outgoing("MESSAGE", tel(2)))
    back(rig)  # from the first to the second
    assert len(rig.server.requests("MESSAGE")) == 2
    back(rig)
    got = last(rig, "MESSAGE")
    assert (got.uri, len(got.all("X-Server")), got.first("P-Served-User")) == ("sip:10.46.0.2:5060", 2, None)
    rig.run(40)
    over(rig)


def test_back_too_late() -> None:
    rig = serving(InitialFilterCriteria(1, ApplicationServer(SERVER), MESSAGES))
    rig.request(rig.outgoing("MESSAGE", tel(2)))
    back(rig)
    assert rig.server.answers("MESSAGE")[-1].status == 481
    over(rig)


@pytest.mark.parametrize("answer", [None, 500, 503, 408])
@pytest.mark.parametrize("handling", [0, 1])
def test_a_server_that_fails(answer: int | None, handling: int) -> None:
    rig = serving(InitialFilterCriteria(1, ApplicationServer(SERVER, handling), MESSAGES))
    rig.server.script = lambda request: answer
    rig.send(rig.outgoing("MESSAGE", tel(2)))
    rig.run(40)
    arrived = [each.uri for each in rig.pcscf.requests("MESSAGE")]
    assert arrived == (["sip:10.46.0.2:5060"] if handling == 0 else [])
    assert any("goes on without it" in text for text in rig.verdicts()) is (handling == 0)
    over(rig)


def test_a_terminating_server_and_an_absent_phone() -> None:
    rig = Rig(criteria=(InitialFilterCriteria(1, ApplicationServer(SERVER), TERMINATING),))
    rig.register(1)
    rig.hss.unregistered_service = True
    rig.server.script = lambda request: 202
    assert rig.request(rig.outgoing("MESSAGE", tel(2))).status == 202
    assert rig.hss.asked[-1].server_assignment_type == 3  # UNREGISTERED_USER
    got = rig.server.requests("MESSAGE")[-1]
    assert got.first("P-Served-User") == f"<{tel(2)}>;sescase=term;regstate=unreg"
    rig.register(2)
    assert rig.request(rig.outgoing("MESSAGE", tel(2), cseq=2)).status == 202
    assert "regstate=reg" in (rig.server.requests("MESSAGE")[-1].first("P-Served-User") or "")
    over(rig)


def test_an_absent_phone_without_service() -> None:
    rig = Rig()
    rig.register(1)
    rig.hss.unregistered_service = True
    assert rig.request(rig.outgoing("MESSAGE", tel(2))).status == 480
    rig.hss.say["ServerAssignmentRequest"] = 5012
    rig.scscf.users.pop(impi(2))
    rig.scscf.served.clear()
    rig.hss.subscriptions[impi(2)] = subscription(2)
    over(rig)
