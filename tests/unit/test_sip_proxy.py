# SPDX-License-Identifier: Apache-2.0
"""The duties of a stateful proxy, RFC 3261, 16, clause by clause."""

import gc
from collections.abc import Iterator

import pytest
from sip_rig import PHONE, Rig, answer, request

from dialtone import dispatch
from dialtone.codec import sip
from dialtone.codec.sip import CancelRequest, SipMessage, SipRequest, SipResponse, SipUri
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Unanswered
from dialtone.sip.client import Client
from dialtone.sip.proxy import TIMER_C, Branch, Context, Proxy, Target, best_of, next_hop
from dialtone.sip.server import Server

ONE, TWO = "udp:192.0.2.1:5060/5060", "udp:192.0.2.2:5060/5060"


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    kept = dispatch.ALL.copy()
    yield
    dispatch.ALL[:] = kept


class ProxyRig(Rig):
    """A proxy at one point: requests go to `targets`."""

    def __init__(self, *peers: str) -> None:
        super().__init__()
        self.proxy = Proxy(lambda uri: uri.host == "rig.example.org", frozenset({"path"}))
        self.targets = [Target("Gm", peer) for peer in peers or (ONE,)]
        self.record: tuple[str, ...] = ()
        self.then = self.serve
        self.on.no_answer.clear()

        @self.on.unanswered(SipRequest)
        def on_no_answer(rig: "ProxyRig", event: Unanswered, rx: Rx) -> Effects:
            return rig.proxy.unanswered(event)

        @self.on.timer(TIMER_C, "RFC 3261, 16.8")
        def on_timer_c(rig: "ProxyRig", key: object, rx: Rx) -> Effects:
            return rig.proxy.expired(key)

    def serve(self, message: SipMessage, rx: Rx) -> Effects:
        if isinstance(message, SipResponse):
            yield from self.proxy.answered(message, rx)
        elif isinstance(message, CancelRequest):
            yield from self.proxy.cancelled(rx)
        elif isinstance(message, SipRequest):
            context = self.proxy.receive(message, rx)
            self.route = context.route
            yield from self.proxy.forward(context, self.targets, self.record)

    def to(self, peer: str) -> list[SipMessage]:
        return [message for _, to, message in self.sent if to == peer]

    def back(self) -> list[str]:
        return [message.label for message in self.to(PHONE)]

    def idle(self) -> None:
        super().idle()
        assert self.proxy.contexts == {}


def status(rig: Rig) -> tuple[int, str]:
    reply = rig.last()
    assert isinstance(reply, SipResponse)
    return reply.status, reply.reason


# ---- 16.3: validation -------------------------------------------------------------------------------


REFUSALS = [
    (b"MESSAGE sip:b@example.org SIP", b"MESSAGE nobodyknows:b@example.org SIP", 416),
    (b"MESSAGE sip:b@example.org SIP", b"MESSAGE sip:b@example.org:99999 SIP", 400),
    (b"MESSAGE sip:b@example.org SIP", b"MESSAGE tel:@ SIP", 416),
    (b"Max-Forwards: 70", b"Max-Forwards: 0", 483),
    (b"Max-Forwards: 70", b"Max-Forwards: many", 400),
    (b"Max-Forwards: 70", b"Proxy-Require: path, teleport", 420),
]


def answered_refusals(rig: Rig) -> None:
    """Have the element refuse what it does not take."""
    for number, (old, new, _) in enumerate(REFUSALS):
        rig.receive(request("MESSAGE", branch=f"z9hG4bKrefused{number}", cseq=100 + number).replace(old, new))


@pytest.mark.parametrize(("old", "new", "code"), REFUSALS)
def test_what_a_proxy_does_not_take(old: bytes, new: bytes, code: int) -> None:
    rig = ProxyRig()
    rig.receive(request("MESSAGE").replace(old, new))
    assert status(rig)[0] == code
    assert rig.to(ONE) == []
    if code == 420:
        assert rig.last().all("Unsupported") == ["teleport"]
    if code == 400:
        assert status(rig)[1] not in ("", "Bad Request")
    rig.until(40)
    rig.idle()


def test_an_emergency_urn_and_a_tel_uri_pass() -> None:
    rig = ProxyRig()
    rig.receive(request("INVITE", uri="urn:service:sos"), request("MESSAGE", uri="tel:+15551234"))
    assert [message.label for message in rig.to(ONE)] == ["INVITE", "MESSAGE"]


def test_a_request_that_comes_round_is_refused_and_one_with_a_new_target_is_not() -> None:
    rig = ProxyRig()
    rig.receive(request("INVITE"))
    out = rig.last()
    assert isinstance(out, SipRequest)
    back = out.copy()
    back.prepend("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKelsewhere")
    rig.receive(sip.encode(back), peer=ONE)
    assert status(rig) == (482, "Loop Detected")
    spiral = out.copy()
    spiral.uri = "sip:c@example.org"
    spiral.prepend("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKspiral")
    rig.receive(sip.encode(spiral), peer=ONE)
    assert isinstance(rig.last(), SipRequest)


# ---- 16.4, 16.6: routes -------------------------------------------------------------------------------


def test_what_a_copy_looks_like() -> None:
    rig = ProxyRig()
    rig.record = ("<sip:inner@rig.example.org;lr>", "<sip:outer@rig.example.org;lr>")
    rig.targets[0].uri = "sip:b@192.0.2.1"
    rig.targets[0].route = ("<sip:p1.example.org;lr>", "<sip:p2.example.org;lr>")
    rig.receive(request("INVITE", "Route: <sip:orig@rig.example.org;lr>, <sip:p3.example.org;lr>",
                        "Record-Route: <sip:a.example.org;lr>", "X-Unknown:   stays "))
    copy = rig.last()
    assert isinstance(copy, SipRequest)
    assert rig.route == SipUri("rig.example.org", "orig", params={"lr": None})
    assert copy.uri == "sip:b@192.0.2.1"
    assert copy.first("Max-Forwards") == "69"
    assert copy.all("Via") == ["SIP/2.0/UDP rig.example.org:5060;branch=z9hG4bK2",
                               "SIP/2.0/UDP 10.46.0.2:5060;branch=z9hG4bKa"]
    assert copy.all("Route") == ["<sip:p1.example.org;lr>", "<sip:p2.example.org;lr>", "<sip:p3.example.org;lr>"]
    assert copy.all("Record-Route") == ["<sip:outer@rig.example.org;lr>", "<sip:inner@rig.example.org;lr>",
                                        "<sip:a.example.org;lr>"]
    assert "X-Unknown:   stays " in [line.text for line in copy.lines]
    assert next_hop(copy) == "sip:p1.example.org;lr"


def test_strict_routers_before_and_behind_us() -> None:
    rig = ProxyRig()
    rig.receive(request("MESSAGE", "Route: <sip:next.example.org;lr>, <sip:b@192.0.2.1>",
                        uri="sip:term@rig.example.org;lr"))
    copy = rig.last()
    assert isinstance(copy, SipRequest)
    assert (copy.uri, copy.all("Route")) == ("sip:b@192.0.2.1", ["<sip:next.example.org;lr>"])
    assert rig.route is not None
    rig.receive(request("MESSAGE", "Route: <sip:old.example.org>", branch="z9hG4bKb"))
    copy = rig.last()
    assert isinstance(copy, SipRequest)
    assert (copy.uri, copy.all("Route")) == ("sip:old.example.org", ["<sip:b@example.org>"])


def test_a_message_gets_no_record_route_and_a_missing_max_forwards_is_70() -> None:
    rig = ProxyRig()
    rig.record = ("<sip:rig.example.org;lr>",)
    rig.receive(request("MESSAGE").replace(b"Max-Forwards: 70\r\n", b""))
    assert not rig.last().has("Record-Route")
    assert rig.last().first("Max-Forwards") == "69"


def test_ack_to_2xx_passes_without_a_transaction() -> None:
    rig = ProxyRig()
    rig.receive(request("INVITE"))
    rig.receive(answer(rig.last(), 200), peer=ONE)
    rig.receive(request("ACK", tag="t", branch="z9hG4bKack"))
    assert [message.label for message in rig.to(ONE)] == ["INVITE", "ACK"]
    rig.until(40)
    rig.idle()


# ---- 16.7: answers ----------------------------------------------------------------------------------------


def test_provisional_answers_and_every_2xx_go_back_at_once() -> None:
    rig = ProxyRig(ONE, TWO)
    rig.receive(request("INVITE"))
    one, two = rig.to(ONE)[0], rig.to(TWO)[0]
    rig.receive(answer(one, 100), answer(one, 180, "1"), peer=ONE)
    rig.receive(answer(two, 183, "2"), answer(two, 200, "2"), peer=TWO)
    assert rig.back() == ["180 Ringing (INVITE)", "183 Session Progress (INVITE)", "200 OK (INVITE)"]
    assert [message.label for message in rig.to(ONE)] == ["INVITE", "CANCEL"]
    rig.receive(answer(one, 200, "1"), peer=ONE)  # crossed the CANCEL
    rig.receive(answer(two, 200, "2"), peer=TWO)  # its repetition
    assert rig.back()[3:] == ["200 OK (INVITE)"] * 2
    assert [message.to.tag for message in rig.to(PHONE)][2:] == ["2", "1", "2"]
    assert all(message.all("Via") == ["SIP/2.0/UDP 10.46.0.2:5060;branch=z9hG4bKa"] for message in rig.to(PHONE))
    rig.until(100)
    rig.idle()


def test_the_best_answer_waits_for_all_branches() -> None:
    rig = ProxyRig(ONE, TWO)
    rig.receive(request("INVITE"))
    rig.receive(answer(rig.to(ONE)[0], 486), peer=ONE)
    assert rig.back() == []
    rig.receive(answer(rig.to(TWO)[0], 401, "t", "WWW-Authenticate: Digest realm=\"x\""), peer=TWO)
    assert rig.back() == ["401 Unauthorized (INVITE)"]
    rig.receive(request("ACK", tag="t"))
    rig.until(100)
    rig.idle()


def test_challenges_of_all_branches_are_gathered() -> None:
    rig = ProxyRig(ONE, TWO)
    rig.receive(request("MESSAGE"))
    rig.receive(answer(rig.to(ONE)[0], 401, "t", "WWW-Authenticate: Digest realm=\"x\""), peer=ONE)
    rig.receive(answer(rig.to(TWO)[0], 407, "t", "Proxy-Authenticate: Digest realm=\"y\""), peer=TWO)
    assert status(rig)[0] == 401
    assert (rig.last().all("WWW-Authenticate"), rig.last().all("Proxy-Authenticate")) == (
        ['Digest realm="x"'], ['Digest realm="y"'])


def test_a_6xx_gives_up_the_others_and_wins() -> None:
    rig = ProxyRig(ONE, TWO)
    rig.receive(request("INVITE"))
    rig.receive(answer(rig.to(TWO)[0], 180), peer=TWO)
    rig.receive(answer(rig.to(ONE)[0], 603), peer=ONE)
    assert [message.label for message in rig.to(TWO)] == ["INVITE", "CANCEL"]
    rig.receive(answer(rig.to(TWO)[0], 487), peer=TWO)
    assert rig.back() == ["180 Ringing (INVITE)", "603 Decline (INVITE)"]


def test_a_503_further_on_is_not_ours() -> None:
    rig = ProxyRig()
    rig.receive(request("MESSAGE"))
    rig.receive(answer(rig.last(), 503), peer=ONE)
    assert status(rig) == (500, "Server Internal Error")


@pytest.mark.parametrize(("statuses", "best"), [([404, 486, 302], 302), ([503, 404], 404), ([500, 408], 408),
                                                ([404, 603], 603), ([404, 484, 401], 401)])
def test_which_answer_is_best(statuses: list[int], best: int) -> None:
    assert best_of([sip.InviteResponse(status=status) for status in statuses]).status == best


# ---- 16.8 to 16.10 --------------------------------------------------------------------------------------------


def test_an_invite_that_nobody_answers_gets_408_and_another_request_nothing() -> None:
    rig = ProxyRig()
    rig.receive(request("INVITE"), request("MESSAGE", branch="z9hG4bKb", cseq=2))
    rig.until(33)
    assert set(rig.back()) == {"100 Trying (INVITE)", "408 Request Timeout (INVITE)"}
    rig.until(100)
    rig.idle()


def test_timer_c_gives_up_what_rings_for_three_minutes() -> None:
    rig = ProxyRig()
    rig.receive(request("INVITE"))
    invite = rig.last()
    rig.until(20)
    rig.receive(answer(invite, 180), peer=ONE)
    rig.until(200)
    assert [message.label for message in rig.to(ONE) if message.label != "INVITE"] == []
    rig.until(202)
    assert "CANCEL" in [message.label for message in rig.to(ONE)]
    rig.until(300)  # and nothing comes for that either
    assert rig.back()[:3] == ["100 Trying (INVITE)", "180 Ringing (INVITE)", "408 Request Timeout (INVITE)"]
    rig.idle()


def test_a_cancel_goes_to_every_branch_and_its_487_back() -> None:
    rig = ProxyRig(ONE, TWO)
    rig.receive(request("INVITE"))
    one, two = rig.to(ONE)[0], rig.to(TWO)[0]
    rig.receive(answer(one, 180), peer=ONE)
    rig.receive(request("CANCEL"))
    assert [message.label for message in rig.to(ONE)] == ["INVITE", "CANCEL"]
    assert [message.label for message in rig.to(TWO)] == ["INVITE"]
    rig.receive(answer(two, 100), peer=TWO)  # only now it may be cancelled
    assert [message.label for message in rig.to(TWO)] == ["INVITE", "CANCEL"]
    rig.receive(answer(one, 487), peer=ONE)
    rig.receive(answer(two, 487), peer=TWO)
    assert rig.back() == ["180 Ringing (INVITE)", "200 OK (CANCEL)", "487 Request Terminated (INVITE)"]
    rig.receive(request("ACK", tag="t"))
    rig.until(100)
    rig.idle()


def test_nobody_to_send_it_to() -> None:
    rig = ProxyRig()
    rig.targets = []
    rig.receive(request("INVITE"))
    assert status(rig) == (480, "Temporarily Unavailable")


def test_what_is_over_leaves_nothing_to_the_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        rig = ProxyRig(ONE, TWO)
        rig.receive(request("MESSAGE", branch="z9hG4bKm"), request("INVITE", branch="z9hG4bKi", cseq=2))
        for peer in (ONE, TWO):
            for copy in rig.to(peer):
                assert isinstance(copy, SipRequest)
                rig.receive(answer(copy, 486 if copy.method == "INVITE" else 200), peer=peer)
        rig.until(300)
        rig.idle()
        for kept in (rig.got, rig.rx, rig.sent):
            kept.clear()
        left = [each for each in gc.get_objects() if isinstance(each, Context | Branch | Client | Server)]
        assert [type(each).__name__ for each in left] == []
    finally:
        gc.enable()
