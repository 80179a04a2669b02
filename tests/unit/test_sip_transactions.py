# SPDX-License-Identifier: Apache-2.0
"""SIP transactions against the timers and figures of RFC 3261, 17, and RFC 6026, in virtual time."""

from collections.abc import Iterator

import pytest
from sip_rig import PHONE, TCP, Rig, answer, ours, request

from dialtone import dispatch
from dialtone.codec import sip
from dialtone.codec.sip import SipRequest, SipResponse
from dialtone.effects import Answer, Request, Send
from dialtone.sip import timers
from dialtone.sip.client import cancel_of
from dialtone.sip.timers import RADIO, TIMERS


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    kept = dispatch.ALL.copy()
    yield
    dispatch.ALL[:] = kept  # the message index is of the product's elements only


def say(*statuses: int, to: str = "") -> object:
    """What an element does that answers everything so."""

    def then(message: object, rx: object) -> list[Answer]:
        if not isinstance(message, SipRequest) or message.method == "ACK":
            return []
        return [Answer(sip.response(message, status)) for status in statuses]

    return then


# ---- requests of ours ------------------------------------------------------------------------------


def test_a_request_is_repeated_as_timer_e_says_and_given_up_by_timer_f() -> None:
    rig = Rig()
    rig.do(Request("Gm", PHONE, ours("MESSAGE")))
    rig.until(40)
    assert rig.times("MESSAGE") == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert rig.unanswered == ["MESSAGE"]
    assert [event.info for event in rig.loop.bus.ring if event.info == "retransmission"] == ["retransmission"] * 10
    rig.idle()


def test_on_gm_the_timers_are_those_of_24_229() -> None:
    rig = Rig(pace=RADIO)
    rig.do(Request("Gm", PHONE, ours("REGISTER")))
    rig.until(130)
    assert rig.times("REGISTER")[:6] == [0, 2, 6, 14, 30, 46]
    assert rig.unanswered == ["REGISTER"]
    assert timers.seconds("D", RADIO) == 128
    assert (timers.seconds("K", RADIO), timers.seconds("K", RADIO, reliable=True)) == (17, 0)
    assert {name for name, timer in TIMERS.items() if timer.wire} == set("ADEGIJK")


def test_an_answer_comes_with_its_request_and_a_second_one_is_dropped() -> None:
    rig = Rig()
    rig.do(Request("Gm", PHONE, ours("MESSAGE"), context="text"))
    wire = rig.last()
    assert wire.all("Via") == ["SIP/2.0/UDP rig.example.org:5060;branch=z9hG4bK1"]
    rig.receive(answer(wire, 100), answer(wire, 200), answer(wire, 200), answer(wire, 100))
    assert [(message.label, message.all("Via")) for message in rig.got] == [
        ("100 Trying (MESSAGE)", []), ("200 OK (MESSAGE)", [])]
    assert [rx.request.context for rx in rig.rx if rx.request] == ["text", "text"]
    assert rig.loop.counters == {"Gm duplicate": 1, "Gm late": 1}
    rig.until(4.9)
    assert rig.transactions.clients
    rig.until(5.1)  # Timer K
    rig.receive(answer(wire, 200))
    assert rig.loop.counters["Gm stray"] == 1
    rig.idle()


def test_after_a_provisional_answer_the_pause_is_t2() -> None:
    rig = Rig()
    rig.do(Request("Gm", PHONE, ours("MESSAGE")))
    rig.receive(answer(rig.last(), 100))
    rig.until(33)
    assert rig.times("MESSAGE") == [0, 0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5]
    assert rig.unanswered == ["MESSAGE"]


def test_invite_is_repeated_until_a_provisional_answer_and_may_then_ring_for_ever() -> None:
    rig = Rig()
    rig.do(Request("Gm", PHONE, ours("INVITE")))
    rig.until(2)
    assert rig.times("INVITE") == [0, 0.5, 1.5]
    rig.receive(answer(rig.last(), 180))
    rig.until(500)
    assert rig.times("INVITE") == [0, 0.5, 1.5]
    assert rig.unanswered == []


def test_invite_without_an_answer_ends_by_timer_b() -> None:
    rig = Rig()
    rig.do(Request("Gm", PHONE, ours("INVITE")))
    rig.until(40)
    assert rig.times("INVITE") == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert rig.unanswered == ["INVITE"]
    rig.idle()


def test_a_refused_invite_is_acknowledged_on_its_way_each_time() -> None:
    rig = Rig()
    rig.do(Request("Gm", PHONE, ours("INVITE", "Route: <sip:proxy.example.org;lr>")))
    invite = rig.last()
    rig.receive(answer(invite, 486, "x"), answer(invite, 486, "x"))
    assert [message.label for message in rig.got] == ["486 Busy Here (INVITE)"]
    assert rig.times("ACK") == [0, 0]
    ack = rig.last()
    assert isinstance(ack, sip.AckRequest)
    assert (ack.uri, ack.all("Via"), ack.all("Route")) == (invite.uri, invite.all("Via"), invite.all("Route"))
    assert (ack.to.tag, str(ack.cseq), ack.call_id) == ("x", "7 ACK", "out")
    rig.until(31)
    assert rig.transactions.clients
    rig.until(33)  # Timer D
    rig.idle()


def test_every_branch_that_accepts_is_heard_and_a_repeated_2xx_gets_our_ack_again() -> None:
    rig = Rig(endpoint=True)
    rig.do(Request("Gm", PHONE, ours("INVITE")))
    invite = rig.last()
    rig.receive(answer(invite, 200, "x"))
    ack = ours("ACK")
    ack.set("To", "<sip:a@example.org>;tag=x")
    rig.do(Send("Gm", PHONE, ack))
    assert rig.last().via.branch != invite.via.branch
    rig.receive(answer(invite, 200, "x"), answer(invite, 200, "y"), answer(invite, 486, "z"))
    assert [message.to.tag for message in rig.got] == ["x", "y"]
    assert rig.times("ACK") == [0, 0]
    rig.until(33)  # Timer M
    rig.idle()


def test_a_proxy_hears_every_2xx() -> None:
    rig = Rig()
    rig.do(Request("Gm", PHONE, ours("INVITE")))
    rig.receive(*[answer(rig.last(), 200, "x")] * 3)
    assert len(rig.got) == 3


def test_cancel_waits_for_a_provisional_answer_and_takes_the_way_of_its_invite() -> None:
    rig = Rig()
    effect = Request("Gm", PHONE, ours("INVITE"))
    rig.do(effect)
    invite = rig.last()
    assert isinstance(effect.message, SipRequest)
    cancel = Request("Gm", "", cancel_of(effect.message))
    rig.do(cancel)
    assert len(rig.sent) == 1
    rig.receive(answer(invite, 100, ""))
    _, peer, wire = rig.sent[-1]
    assert (peer, wire.label, wire.all("Via")) == (PHONE, "CANCEL", invite.all("Via"))
    assert str(wire.cseq) == "7 CANCEL"
    rig.receive(answer(wire, 200), answer(invite, 487))
    assert [message.label for message in rig.got] == ["100 Trying (INVITE)", "487 Request Terminated (INVITE)"]
    rig.until(40)
    rig.idle()


def test_a_cancelled_invite_that_stays_unanswered_ends() -> None:
    rig = Rig()
    effect = Request("Gm", PHONE, ours("INVITE"))
    rig.do(effect)
    rig.receive(answer(rig.last(), 180))
    assert isinstance(effect.message, SipRequest)
    for _ in range(2):
        rig.do(Request("Gm", "", cancel_of(effect.message)))
    rig.until(40)
    assert rig.times("INVITE") == [0]
    assert rig.unanswered == ["INVITE"]
    assert len(rig.times("CANCEL")) == 11
    rig.idle()


def test_a_cancel_that_comes_too_late_is_not_sent() -> None:
    rig = Rig()
    effect = Request("Gm", PHONE, ours("INVITE"))
    rig.do(effect)
    rig.receive(answer(rig.last(), 200))
    assert isinstance(effect.message, SipRequest)
    rig.do(Request("Gm", "", cancel_of(effect.message)))
    assert rig.times("CANCEL") == []


def test_over_tcp_nothing_is_repeated_and_nothing_lingers() -> None:
    rig = Rig()
    rig.do(Request("Gm", TCP, ours("MESSAGE")), Request("Gm", TCP, ours("OPTIONS")))
    assert rig.last().via.transport == "TCP"
    rig.receive(answer(rig.last(), 200), peer=TCP)
    assert len(rig.transactions.clients) == 1
    rig.until(33)
    assert len(rig.sent) == 2
    assert rig.unanswered == ["MESSAGE"]
    rig.idle()


def test_what_is_too_long_for_a_datagram_goes_over_tcp_and_back_to_udp_where_that_fails() -> None:
    rig = Rig()
    rig.do(Request("Gm", PHONE, ours("MESSAGE", f"Subject: {'x' * 1300}")))
    rig.down(TCP)
    assert [(peer, message.via.transport) for _, peer, message in rig.sent] == [(TCP, "TCP"), (PHONE, "UDP")]
    assert len(rig.last().all("Via")) == 1
    rig.receive(answer(rig.last(), 200))
    assert [message.label for message in rig.got] == ["200 OK (MESSAGE)"]


def test_a_call_in_progress_does_not_mind_a_lost_connection() -> None:
    rig = Rig()
    rig.do(Request("Gm", TCP, ours("INVITE")))
    rig.receive(answer(rig.last(), 180), peer=TCP)
    rig.down(TCP)
    assert len(rig.sent) == 1
    assert rig.unanswered == []


# ---- requests of peers -------------------------------------------------------------------------------


def test_a_repeated_request_gets_the_same_answer_until_timer_j() -> None:
    rig = Rig()
    rig.then = say(200)  # type: ignore[assignment]
    rig.receive(request("MESSAGE"), request("MESSAGE"), peer=PHONE)
    assert len(rig.got) == 1
    first, second = (message for _, _, message in rig.sent)
    assert sip.encode(first) == sip.encode(second)
    assert first.to.tag
    rig.until(31)
    assert rig.transactions.servers
    rig.until(33)
    rig.idle()


def test_while_the_element_is_at_work_a_repetition_is_dropped() -> None:
    rig = Rig()
    rig.receive(request("MESSAGE"), request("MESSAGE"))
    assert (len(rig.got), rig.sent) == (1, [])
    rig.until(33)  # its sender waits no longer
    assert rig.loop.counters["Gm never answered"] == 1
    rig.idle()


def test_a_silent_element_has_its_100_sent_after_200_ms() -> None:
    rig = Rig()
    rig.receive(request("INVITE"))
    rig.until(1)
    assert rig.times("100 Trying (INVITE)") == [0.2]
    rig.receive(request("INVITE"))
    assert rig.times("100 Trying (INVITE)") == [0.2, 1]
    rig.do(Answer(sip.response(rig.got[0], 180), to=rig.rx[0]))  # type: ignore[arg-type]
    rig.receive(request("INVITE"))
    assert rig.times("180 Ringing (INVITE)") == [1, 1]
    assert len(rig.got) == 1


def test_a_refusal_of_invite_is_repeated_until_its_ack_which_the_element_never_sees() -> None:
    rig = Rig()
    rig.then = say(486)  # type: ignore[assignment]
    rig.receive(request("INVITE"))
    rig.until(4)
    assert rig.times("486 Busy Here (INVITE)") == [0, 0.5, 1.5, 3.5]
    rig.receive(request("ACK", tag="x"), request("ACK", tag="x"))
    rig.until(8.9)
    assert rig.times("486 Busy Here (INVITE)")[4:] == []
    assert len(rig.got) == 1
    rig.until(9.1)  # Timer I
    rig.idle()


def test_a_refusal_without_ack_ends_by_timer_h() -> None:
    rig = Rig()
    rig.then = say(486)  # type: ignore[assignment]
    rig.receive(request("INVITE"))
    rig.until(33)
    assert len(rig.sent) == 11
    rig.idle()


def test_an_endpoint_repeats_its_2xx_until_ack_over_any_transport() -> None:
    rig = Rig(endpoint=True)
    rig.then = say(200)  # type: ignore[assignment]
    rig.receive(request("INVITE"), peer=TCP)
    rig.until(2)
    assert rig.times("200 OK (INVITE)") == [0, 0.5, 1.5]
    rig.receive(request("ACK", tag=rig.last().to.tag, branch="z9hG4bKother"), peer=TCP)
    rig.until(50)
    assert len(rig.sent) == 3
    assert [message.label for message in rig.got] == ["INVITE", "ACK"]
    assert rig.unacknowledged == []
    rig.idle()


def test_an_endpoint_hears_that_no_ack_came() -> None:
    rig = Rig(endpoint=True)
    rig.then = say(200)  # type: ignore[assignment]
    rig.receive(request("INVITE"))
    rig.until(33)
    assert rig.unacknowledged == [200]
    rig.idle()


def test_a_reliable_provisional_answer_is_repeated_until_prack() -> None:
    rig = Rig(endpoint=True)
    rig.receive(request("INVITE"))
    ringing = sip.response(rig.got[0], 183)  # type: ignore[arg-type]
    ringing.append("RSeq", "5")
    rig.do(Answer(ringing, to=rig.rx[0]))
    rig.until(1)
    rig.receive(request("PRACK", "RAck: 6 1 INVITE", cseq=2, branch="z9hG4bKb"))
    rig.until(2)
    rig.receive(request("PRACK", "RAck: 5 1 INVITE", cseq=3, branch="z9hG4bKc"))
    rig.until(200)
    assert rig.times("183 Session Progress (INVITE)") == [0, 0.5, 1.5]


def test_a_reliable_provisional_answer_without_prack_is_told() -> None:
    rig = Rig(endpoint=True)
    rig.receive(request("INVITE"))
    ringing = sip.response(rig.got[0], 183)  # type: ignore[arg-type]
    ringing.append("RSeq", "5")
    rig.do(Answer(ringing, to=rig.rx[0]))
    rig.until(33)
    assert rig.unacknowledged == [183]
    rig.do(Answer(sip.response(rig.got[0], 504), to=rig.rx[0]))  # type: ignore[arg-type]
    assert rig.last().label == "504 Server Time-out (INVITE)"


def test_a_proxy_sends_every_2xx_of_its_branches_and_no_refusal_after_one() -> None:
    rig = Rig()
    rig.then = say(200, 200, 486)  # type: ignore[assignment]
    rig.receive(request("INVITE"), request("INVITE"))
    assert rig.times("200 OK (INVITE)") == [0, 0]
    assert rig.loop.counters == {"Gm late answer": 1, "Gm duplicate": 1}
    rig.until(33)  # Timer L
    rig.idle()


def test_cancel_is_answered_and_the_element_told_which_invite_it_is_of() -> None:
    rig = Rig()
    rig.receive(request("INVITE"), request("CANCEL"))
    assert rig.times("200 OK (CANCEL)") == [0]
    assert rig.rx[1].cancels is rig.rx[0]
    rig.do(Answer(sip.response(rig.got[0], 487), to=rig.rx[0]))  # type: ignore[arg-type]
    rig.receive(request("CANCEL", branch="z9hG4bKa", cseq=1))  # again
    rig.receive(request("CANCEL", branch="z9hG4bKnone"))
    assert rig.last().label == "481 Call/Transaction Does Not Exist (CANCEL)"
    assert [message.label for message in rig.got] == ["INVITE", "CANCEL"]


def test_cancel_after_the_final_answer_changes_nothing() -> None:
    rig = Rig()
    rig.then = say(200)  # type: ignore[assignment]
    rig.receive(request("INVITE"), request("CANCEL"))
    assert rig.last().label == "200 OK (CANCEL)"
    assert len(rig.got) == 1


def test_where_a_request_came_from_is_noted_and_its_answer_goes_there() -> None:
    rig = Rig()
    rig.then = say(200)  # type: ignore[assignment]
    rig.receive(request("MESSAGE", via="SIP/2.0/UDP 192.0.2.9:9;rport"), peer="udp:10.46.0.2:4444/5060")
    assert rig.sent[0][1] == "udp:10.46.0.2:4444/5060"
    assert rig.last().via.params == {"rport": "4444", "branch": "z9hG4bKa", "received": "10.46.0.2"}
    rig.receive(request("MESSAGE", via="SIP/2.0/UDP 10.46.0.2:6300"), peer="udp:10.46.0.2:4444/5060")
    assert rig.sent[1][1] == "udp:10.46.0.2:6300/5060"


def test_an_answer_to_a_connection_that_is_gone_goes_to_a_new_one() -> None:
    rig = Rig()
    rig.receive(request("MESSAGE", via="SIP/2.0/TCP 10.46.0.2:6300"), peer="tcp:10.46.0.2:4444/5060")
    rig.down("tcp:10.46.0.2:4444/5060")
    rig.do(Answer(sip.response(rig.got[0], 200), to=rig.rx[0]))  # type: ignore[arg-type]
    assert rig.sent[-1][1] == "tcp:10.46.0.2:6300/5060"


def test_the_same_branch_from_another_address_is_another_request() -> None:
    rig = Rig()
    rig.receive(request("MESSAGE"))
    rig.receive(request("MESSAGE"), peer="udp:10.46.0.3:5060/5060")
    assert len(rig.got) == 2


def test_requests_as_of_rfc_2543_are_told_apart_without_a_branch() -> None:
    rig = Rig()
    rig.then = say(486)  # type: ignore[assignment]
    rig.receive(request("INVITE", branch="1"), request("INVITE", branch="1"), request("ACK", tag="x", branch="1"),
                request("INVITE", branch="1", cseq=2))
    assert [message.cseq.number for message in rig.got] == [1, 2]


def test_a_flood_of_one_address_is_turned_away_and_others_are_served() -> None:
    rig = Rig(pending=3)
    rig.receive(*[request("INVITE", branch=f"z9hG4bK{number}", cseq=number) for number in range(5)])
    assert [message.label for _, _, message in rig.sent] == ["503 Service Unavailable (INVITE)"] * 2
    assert rig.last().first("Retry-After") == "10"
    rig.receive(request("INVITE"), peer="udp:10.46.0.3:5060/5060")
    rig.do(Answer(sip.response(rig.got[0], 486), to=rig.rx[0]))  # type: ignore[arg-type]
    rig.receive(request("INVITE", branch="z9hG4bKlater"))
    assert len(rig.got) == 5
    assert rig.loop.counters["Gm overload"] == 2


@pytest.mark.parametrize(("data", "status"), [
    (request("MESSAGE").replace(b"CSeq: 1 MESSAGE", b"CSeq: 1 INVITE"), 400),
    (request("MESSAGE").replace(b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia"), 505),
    (request("MESSAGE").replace(b"Call-ID: call", b"Call-ID: call\r\nCall-ID: other"), 400)])
def test_what_is_malformed_is_answered(data: bytes, status: int) -> None:
    rig = Rig()
    rig.receive(data)
    reply = rig.last()
    assert isinstance(reply, SipResponse)
    assert reply.status == status
    assert rig.got == []
    rig.idle()


def test_a_malformed_ack_and_octets_that_are_nothing_get_no_answer() -> None:
    rig = Rig()
    rig.receive(request("ACK").replace(b"Call-ID: call", b"Call-ID:"), b"\x00" * 100, b"SIP/2.0 200 OK\r\n\r\n",
                request("MESSAGE").replace(b"Via: SIP/2.0/UDP", b"Via: nothing"))
    assert (rig.got, rig.sent) == ([], [])
    assert rig.loop.counters == {"Gm undecodable": 4}
