# SPDX-License-Identifier: Apache-2.0
"""Calls to the answer services, message by message, as an S-CSCF passes them on."""

import itertools
from ipaddress import IPv4Network

import pytest
from test_answer import CALLER, HANDSET

from dialtone.answer import AnswerServices
from dialtone.answer.element import CloseStream, OpenStream, StreamFinished
from dialtone.codec import sdp, sip
from dialtone.codec.sip import SipMessage, SipRequest, SipResponse
from dialtone.effects import Effect
from dialtone.errors import LocalError
from dialtone.loop import Loop
from dialtone.sip.transactions import SipPolicy, own_via

DOMAIN = "ims.mnc001.mcc001.3gppnetwork.org"
CALL_ID, TAG = "call-1", "caller"
READY = HANDSET.replace(b"curr:qos local none", b"curr:qos local sendrecv")
PLAIN = b"\r\n".join(line for line in HANDSET.split(b"\r\n") if b"qos" not in line)


class Lab:
    """The element, what it sends, and what it asks of the user plane."""

    def __init__(self, ports: range = range(49000, 49004, 2)) -> None:
        self.now = 1000.0
        self.loop = Loop(lambda: self.now)
        self.services = AnswerServices(DOMAIN, ("10.46.0.1",), (IPv4Network("10.46.0.0/16"),), ports, bytes)
        self.loop.add(self.services)
        self.loop.bind("answer", "ISC", sip, self, policy=SipPolicy(own_via(self.services.host), endpoint=True),
                       numbers=itertools.count(1))
        self.sent: list[SipMessage] = []
        self.streams: dict[tuple[str, str], OpenStream] = {}
        self.fails: LocalError | None = None
        self.loop.performers[OpenStream] = self._open
        self.loop.performers[CloseStream] = lambda effect, done: (self.streams.pop(effect.key, None), done(None))
        self.branch = itertools.count(1)

    def _open(self, effect: Effect, done: object) -> None:
        assert isinstance(effect, OpenStream)
        if self.fails is None:
            self.streams[effect.key] = effect
        done(self.fails)  # type: ignore[operator]

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        assert (element, peer) == ("answer", "scscf")
        self.sent.append(sip.decode(data))

    def say(self, method: str, *, uri: str = f"sip:echo@answer.{DOMAIN}", body: bytes = b"", cseq: int = 1,
            branch: str = "", **headers: str) -> list[SipMessage]:
        """A request of the caller; returns what came back at once."""
        message = sip.request(method, uri)
        to = f"<{uri}>" + (f";tag={self.tag}" if self.tag and method not in ("CANCEL",) else "")
        lines = {"Via": f"SIP/2.0/UDP scscf.{DOMAIN};branch=z9hG4bK{branch or next(self.branch)}",
                 "Max-Forwards": "68", "From": f"<tel:{CALLER.number}>;tag={TAG}", "To": to, "Call-ID": CALL_ID,
                 "CSeq": f"{cseq} {method}", "Contact": "<sip:10.46.0.2:6300>",
                 "Record-Route": f"<sip:mo@scscf.{DOMAIN};lr>, <sip:mo@pcscf.{DOMAIN};lr>",
                 "P-Asserted-Identity": f"<tel:{CALLER.number}>",
                 "Supported": "timer,100rel,precondition", **{name.replace("_", "-"): value
                                                              for name, value in headers.items()}}
        for name, value in lines.items():
            if value:
                message.append(name, value)
        if body:
            message.content("application/sdp", body)
        before = len(self.sent)
        self.loop.deliver("answer", "ISC", "scscf", sip.encode(message))
        self.loop.run()
        return self.sent[before:]

    tag = ""

    def invite(self, body: bytes = PLAIN, **more: str) -> SipResponse:
        (answer,) = self.say("INVITE", body=body, **more)
        assert isinstance(answer, SipResponse)
        self.tag = answer.to.tag if answer.status < 300 else ""
        return answer

    def until(self, seconds: float) -> None:
        end = self.now + seconds
        while (due := self.loop.due()) is not None and due <= end:
            self.now = due
            self.loop.expire()
            self.loop.run()
        self.now = end

    def nothing_left(self) -> None:
        self.until(200)
        assert not self.services.calls
        assert not self.streams
        assert sorted(self.services._free) == [49000, 49002]
        assert self.loop.timers() == []
        assert self.loop.counters.get("internal error", 0) == 0


def statuses(messages: list[SipMessage]) -> list[int]:
    return [message.status for message in messages if isinstance(message, SipResponse)]


def test_a_call_from_invite_to_bye() -> None:
    lab = Lab()
    answer = lab.invite()
    assert answer.status == 200
    ours = sdp.decode(answer.body)
    assert (ours.address, ours.media[0].port, ours.media[0].formats) == ("10.46.0.1", 49000, ["116"])
    assert answer.all("Record-Route") == [f"<sip:mo@scscf.{DOMAIN};lr>", f"<sip:mo@pcscf.{DOMAIN};lr>"]
    assert not lab.streams, "nobody listens yet"
    lab.say("ACK")
    (stream,) = lab.streams.values()
    assert (stream.port, stream.agreed.address, stream.script.echo) == (49000, "10.46.0.2", True)
    assert statuses(lab.say("BYE", cseq=2)) == [200]
    lab.nothing_left()


def test_the_caller_reserves_first() -> None:
    """TS 24.229, 5.1.4: 183 with our description, PRACK, UPDATE when its bearer stands, and only then 200."""
    lab = Lab()
    progress = lab.invite(HANDSET)
    assert (progress.status, progress.options("Require")) == (183, {"100rel", "precondition"})
    assert sdp.decode(progress.body).media[0].preconditions("conf")
    assert statuses(lab.say("PRACK", cseq=2, RAck=f"{progress.first('RSeq')} 1 INVITE")) == [200]
    update, final = lab.say("UPDATE", cseq=3, body=READY)
    assert isinstance(update, sip.UpdateResponse)
    assert isinstance(final, sip.InviteResponse)
    assert (update.status, final.status, final.body) == (200, 200, b"")
    assert {(line.status, line.direction) for line in sdp.decode(update.body).media[0].preconditions("curr")} == {
        ("local", "sendrecv"), ("remote", "sendrecv")}
    assert final.to.tag == progress.to.tag
    lab.say("ACK")
    lab.say("BYE", cseq=4)
    lab.nothing_left()


def test_a_caller_whose_bearer_stands_already_is_answered_at_once() -> None:
    lab = Lab()
    assert lab.invite(READY).status == 200
    lab.say("ACK")
    lab.say("BYE", cseq=2)
    lab.nothing_left()


def test_all_is_said_and_we_hang_up() -> None:
    lab = Lab()
    lab.invite(uri=f"sip:info@answer.{DOMAIN}")
    lab.say("ACK")
    (key,) = lab.streams
    lab.loop.tell("answer", StreamFinished(key))
    lab.loop.run()
    bye = lab.sent[-1]
    assert isinstance(bye, sip.ByeRequest)
    assert bye.uri == "sip:10.46.0.2:6300"
    assert bye.all("Route") == [f"<sip:mo@scscf.{DOMAIN};lr>", f"<sip:mo@pcscf.{DOMAIN};lr>"]
    assert (bye.from_.tag, bye.to.tag, bye.call_id) == (lab.tag, TAG, CALL_ID)
    assert bye.first("Reason") == 'Q.850;cause=16;text="Normal call clearing"'
    lab.nothing_left()


def test_a_port_that_cannot_be_opened_ends_the_call() -> None:
    lab = Lab()
    lab.invite()
    lab.fails = LocalError("the port is taken")
    lab.say("ACK")
    assert "cause=47" in (lab.sent[-1].first("Reason") or "")
    lab.nothing_left()


@pytest.mark.parametrize("early", [False, True])
def test_no_ack_or_prack(early: bool) -> None:
    lab = Lab()
    lab.invite(HANDSET if early else PLAIN)
    lab.until(40)
    last = [message for message in lab.sent if isinstance(message, SipRequest) or message.status >= 300]  # type: ignore[attr-defined]
    assert (statuses(last) == [504]) if early else isinstance(last[0], sip.ByeRequest)
    lab.nothing_left()


def test_a_caller_that_gives_up() -> None:
    lab = Lab()
    lab.invite(HANDSET, branch="one")
    assert statuses(lab.say("CANCEL", branch="one")) == [200, 487]
    lab.say("ACK", branch="one")
    lab.nothing_left()


def test_bye_before_the_answer() -> None:
    lab = Lab()
    lab.invite(HANDSET)
    assert statuses(lab.say("BYE", cseq=2)) == [200, 487]
    lab.nothing_left()


def test_hold_and_resume() -> None:
    lab = Lab()
    lab.invite()
    lab.say("ACK")
    held = lab.say("INVITE", cseq=2, body=PLAIN.replace(b"a=sendrecv", b"a=sendonly"))
    assert statuses(held) == [200]
    assert sdp.decode(held[0].body).media[0].direction == "recvonly"
    lab.say("ACK", cseq=2)
    (stream,) = lab.streams.values()
    assert stream.agreed.direction == "recvonly"
    back = lab.say("INVITE", cseq=3, body=PLAIN)
    assert sdp.decode(back[0].body).media[0].direction == "sendrecv"
    lab.say("ACK", cseq=3)
    lab.say("BYE", cseq=4)
    lab.nothing_left()


def test_the_session_timer() -> None:
    lab = Lab()
    answer = lab.invite(Session_Expires="1800")
    assert (answer.first("Session-Expires"), answer.options("Require")) == ("1800;refresher=uac", {"timer"})
    lab.say("ACK")
    lab.until(1700)
    refreshed = lab.say("UPDATE", cseq=2, Session_Expires="1800")
    assert statuses(refreshed) == [200]
    lab.until(1700)
    assert lab.streams
    lab.until(200)
    assert isinstance(next(message for message in lab.sent if isinstance(message, SipRequest)), sip.ByeRequest)
    lab.nothing_left()


@pytest.mark.parametrize(("headers", "body", "status"), [
    ({"uri": f"sip:nobody@answer.{DOMAIN}"}, PLAIN, 404),
    ({}, PLAIN.replace(b"AMR", b"PCMU"), 488),
    ({}, PLAIN.replace(b"10.46.0.2", b"192.0.2.9"), 488),
    ({}, b"", 488),
    ({}, b"nothing of the kind", 400),
    ({"Require": "gruu"}, PLAIN, 420),
    ({"Contact": ""}, PLAIN, 400),
])
def test_what_is_refused(headers: dict[str, str], body: bytes, status: int) -> None:
    lab = Lab()
    answer = lab.invite(body, **headers)
    assert answer.status == status
    if status == 420:
        assert answer.first("Unsupported") == "gruu"
    lab.say("ACK", branch="")
    lab.nothing_left()


@pytest.mark.parametrize("method", ["BYE", "UPDATE", "PRACK"])
def test_a_call_that_is_not(method: str) -> None:
    lab = Lab()
    assert statuses(lab.say(method)) == [481]
    lab.nothing_left()


def test_busy_lines_and_options() -> None:
    lab = Lab(range(0))
    assert lab.invite().status == 486
    (options,) = lab.say("OPTIONS")
    assert "UPDATE" in options.options("Allow") or "update" in options.options("Allow")


def test_emergency_calls_are_told_where_they_are() -> None:
    lab = Lab()
    lab.invite(uri="urn:service:sos.police")
    lab.say("ACK", uri="urn:service:sos.police")
    (stream,) = lab.streams.values()
    assert stream.script.words[0] == "emergency"
    lab.say("BYE", cseq=2)
    lab.nothing_left()
