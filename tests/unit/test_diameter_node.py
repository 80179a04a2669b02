# SPDX-License-Identifier: Apache-2.0
"""The Diameter node between nodes of its kind, in virtual time. Against a foreign node: tests/host, tests/kernel."""

import random
from dataclasses import replace

import pytest
from diameter_rig import LATENCY, REALM, START, World, air, forwarded, said
from hypothesis import given, settings
from hypothesis import strategies as st

from dialtone.codec import diameter
from dialtone.codec.diameter import CapabilitiesExchangeAnswer, DisconnectPeerRequest, ResultCode
from dialtone.config_diameter import PeerConfig, RouteConfig
from dialtone.diameter.states import PEER, WATCHDOG, Health, State

TW = 30.0


@pytest.fixture
def world() -> World:
    return World()


def test_two_nodes_open_and_say_so(world: World) -> None:
    mme, hss = world.pair()
    assert (mme.peer("hss").state, hss.peer("mme").state) == (State.I_OPEN, State.R_OPEN)
    assert said(mme) == ["Capabilities-Exchange Request"] == said(hss, "rx")
    assert said(hss) == ["Capabilities-Exchange Answer"] == said(mme, "rx")
    (row,) = mme.node.states()
    assert row == {
        "host": "hss", "realm": REALM, "known": True, "mode": "connect", "state": "I-Open", "watchdog": "OKAY",
        "address": "tcp hss:3868", "addresses": ["127.0.0.1"], "since": pytest.approx(START + LATENCY),
        "product": "Dialtone", "applications": [diameter.S6A], "waiting": 0, "last": "",
    }  # fmt: skip
    assert hss.node.states()[0]["address"].startswith("tcp mme:")
    verdicts = [event.info for event in mme.loop.bus.ring if event.point == "verdict"]
    assert verdicts == ["ok: hss at hss is open"]


def test_a_request_and_its_answer_pass(world: World) -> None:
    mme, hss = world.pair()
    for _ in range(3):
        mme.ask()
    world.run()
    assert [answer.result_code for answer in mme.client.answers] == [2001] * 3
    assert [peer for peer, _ in hss.server.asked] == ["mme.home.org"] * 3
    asked = [diameter.decode(data) for data in forwarded(mme)]
    assert {message.destination_realm for message in asked} == {REALM}  # our MME's own is home.org
    assert len({message.end_to_end for message in asked}) == len({message.hop_by_hop for message in asked}) == 3
    assert asked[0].end_to_end >> 20 == int(START) & 0xFFF
    assert not any(message.retransmit for message in asked)
    assert not mme.node.ours
    rows = [(event.kind, event.src, event.dst, event.name) for event in hss.loop.bus.ring if event.point == "S6a"][:2]
    assert rows == [("rx", "mme.home.org", "server", "3GPP-Authentication-Information Request"),
                    ("tx", "server", "mme.home.org", "3GPP-Authentication-Information Answer")]


def test_nobody_to_ask(world: World) -> None:
    mme = world.box("mme", "hss")
    mme.ask()
    world.run()
    (answer,) = mme.client.answers
    assert (answer.result_code, answer.error) == (ResultCode.DIAMETER_UNABLE_TO_DELIVER, True)
    assert mme.node.counters == {"undeliverable": 1}


def test_it_tries_again_after_tc(world: World) -> None:
    mme = world.box("mme", "hss", tc=20.0)
    world.run(1)
    assert (mme.peer("hss").state, mme.peer("hss").last) == (State.CLOSED, "no connection: refused")
    world.box("hss", accept=("mme",))
    world.run(18)
    assert mme.peer("hss").state is State.CLOSED
    world.run(2)
    assert mme.peer("hss").state is State.I_OPEN


def test_silence_is_asked_about_and_requests_fail_over(world: World) -> None:
    """RFC 3539, 3.4: DWR after Tw, failover after twice Tw, the end of the connection after three times Tw."""
    one, two = world.box("hss1", accept=("mme",)), world.box("hss2", accept=("mme",))
    mme = world.box("mme", "hss1", "hss2", tx=300.0)
    world.run()
    one.server.mute = True
    mme.ask()
    world.run()
    assert len(one.server.asked) == 1
    world.dead = {"hss1"}
    world.run(TW + 3)
    assert ("hss1", "Device-Watchdog Request") in [(event.dst, event.name) for event in mme.loop.bus.ring]
    assert not two.server.asked
    world.run(TW + 2)
    assert mme.peer("hss1").health is Health.SUSPECT
    ((_, again),) = two.server.asked
    first = one.server.asked[0][1]
    assert again.retransmit
    assert not first.retransmit
    assert diameter.decode(forwarded(mme)[0]).end_to_end == diameter.decode(forwarded(mme)[1]).end_to_end
    assert [answer.result_code for answer in mme.client.answers] == [2001]
    mme.ask()
    world.run()
    assert len(two.server.asked) == 2
    world.run(TW + 3)
    assert mme.peer("hss1").state is State.CLOSED
    assert mme.peer("hss1").health is Health.DOWN
    assert "silent" in mme.peer("hss1").last
    assert not mme.node.ours


def test_a_peer_that_was_lost_has_to_prove_itself(world: World) -> None:
    mme, hss = world.pair(tc=5.0)
    hss.crash()
    world.run(1)
    assert mme.peer("hss").health is Health.DOWN
    world.run(5)
    assert (mme.peer("hss").state, mme.peer("hss").health) == (State.I_OPEN, Health.REOPEN)
    mme.ask()  # better a doubtful peer than none
    world.run(1)
    assert len(mme.client.answers) == 1
    world.run(2 * TW + 5)
    assert mme.peer("hss").health is Health.OKAY
    assert said(mme).count("Device-Watchdog Request") >= 3


def test_watchdogs_keep_a_quiet_connection(world: World) -> None:
    mme, hss = world.pair()
    world.run(1000)
    assert (mme.peer("hss").health, hss.peer("mme").health) == (Health.OKAY, Health.OKAY)
    asked = said(mme).count("Device-Watchdog Request") + said(hss).count("Device-Watchdog Request")
    assert 1000 / (TW + 2) - 2 <= asked <= 2 * 1000 / (TW - 2) + 2


def test_a_broken_connection_fails_over_with_the_t_flag(world: World) -> None:
    one, two = world.box("hss1", accept=("mme",)), world.box("hss2", accept=("mme",))
    mme = world.box("mme", "hss1", "hss2")
    world.run()
    one.server.mute = True
    mme.ask()
    world.run(0.5)
    one.crash()
    world.run(0.5)
    assert two.server.asked[0][1].retransmit
    assert [answer.result_code for answer in mme.client.answers] == [2001]
    assert mme.node.counters == {"failover": 1}


@pytest.mark.parametrize("code", [3002, 3004])
def test_a_peer_that_cannot_or_will_not_leaves_it_to_the_next(world: World, code: int) -> None:
    one, two = world.box("hss1", accept=("mme",)), world.box("hss2", accept=("mme",))
    mme = world.box("mme", "hss1", "hss2")
    world.run()
    one.server.mute = True
    mme.ask()
    world.run(0.5)
    (request,) = (diameter.decode(data) for data in forwarded(mme))
    answer = diameter.AuthenticationInformationAnswer(
        session_id=request.session_id, result_code=code, error=True, origin_host="hss1", origin_realm=REALM,
        hop_by_hop=request.hop_by_hop, end_to_end=request.end_to_end)
    mme.inject(mme.peer("hss1").connection, diameter.encode(answer))
    world.run(0.5)
    ((_, asked),) = two.server.asked
    assert not asked.retransmit, "it was not handled"
    assert [answer.result_code for answer in mme.client.answers] == [2001]
    assert mme.node.counters == {"declined": 1}
    assert not mme.node.ours


def test_the_last_peer_that_declines_is_believed(world: World) -> None:
    mme, hss = world.pair()
    hss.server.mute = True
    mme.ask()
    world.run(0.5)
    (request,) = (diameter.decode(data) for data in forwarded(mme))
    answer = diameter.AuthenticationInformationAnswer(
        session_id=request.session_id, result_code=3004, error=True, origin_host="hss", origin_realm=REALM,
        hop_by_hop=request.hop_by_hop, end_to_end=request.end_to_end)
    mme.inject(mme.peer("hss").connection, diameter.encode(answer))
    world.run(0.5)
    assert [answer.result_code for answer in mme.client.answers] == [3004]
    assert not mme.node.ours


def test_a_lost_answer_is_the_elements_own_matter(world: World) -> None:
    mme, hss = world.pair()
    hss.server.mute = True
    mme.ask()
    world.run(11)
    assert mme.client.unanswered == 1
    assert mme.node.counters == {"unanswered": 1}
    assert not mme.node.ours


def test_leave_taking_and_coming_back(world: World) -> None:
    mme, hss = world.pair(tc=5.0)
    hss.stop(cause=0)
    world.run(1)
    assert said(hss)[-1] == "Disconnect-Peer Request"
    assert said(mme)[-1] == "Disconnect-Peer Answer"
    assert mme.peer("hss").last == "it took leave: rebooting"
    assert (mme.peer("hss").state, hss.peer("mme").state) == (State.CLOSED, State.CLOSED)
    assert not mme.ends
    world.run(5)
    assert mme.peer("hss").state is State.I_OPEN
    assert mme.peer("hss").health is Health.OKAY  # it left in good order


def test_who_has_nothing_to_say_is_called_when_there_is(world: World) -> None:
    mme, hss = world.pair(tc=5.0)
    hss.stop(cause=2)
    world.run(100)
    assert mme.peer("hss").state is State.CLOSED
    mme.ask()
    world.run(1)
    assert mme.peer("hss").state is State.I_OPEN
    mme.ask()
    world.run(1)
    assert [answer.result_code for answer in mme.client.answers] == [3002, 2001]


def test_no_answer_to_a_disconnect_request(world: World) -> None:
    mme, hss = world.pair()
    world.dead = {"mme"}
    hss.stop()
    world.run(9)
    assert hss.peer("mme").state is State.CLOSING
    world.run(2)
    assert hss.peer("mme").state is State.CLOSED
    assert not hss.ends
    del mme


def test_unknown_peers(world: World) -> None:
    hss = world.box("hss")
    mme = world.box("mme", "hss")
    world.run()
    assert said(hss) == ["Capabilities-Exchange Answer"]
    assert mme.peer("hss").last == "it answered Result-Code 3010 mme is no peer of hss"
    assert (hss.node.states(), hss.ends) == ([], {})
    hss.node.config = replace(hss.node.config, accept_unknown=True)
    world.run(31)
    assert mme.peer("hss").state is State.I_OPEN
    assert [row["known"] for row in hss.node.states()] == [False]
    mme.stop()
    world.run()
    assert hss.node.states() == []


def test_a_peer_under_another_name(world: World) -> None:
    hss = world.box("hss", accept=("mme",))
    mme = world.box("mme")
    mme.node.peers.clear()
    mme = world.box("mme", "wrong")
    world.boxes["wrong"] = hss
    world.run()
    assert mme.peer("wrong").last == "it calls itself hss, the configuration calls it wrong"
    assert mme.peer("wrong").state is State.CLOSED


def test_nothing_in_common(world: World) -> None:
    hss = world.box("hss", accept=("mme",))
    hss.node.services.clear()
    hss.node.serve(16777216, "Cx")
    mme = world.box("mme", "hss")
    world.run()
    assert "5010" in mme.peer("hss").last
    assert not hss.ends


def test_an_unanswered_cer(world: World) -> None:
    world.box("hss", accept=("mme",))
    world.dead = {"hss"}
    mme = world.box("mme", "hss")
    world.run(1)
    assert mme.peer("hss").state is State.WAIT_I_CEA
    world.run(10)
    assert mme.peer("hss").state is State.CLOSED
    assert "Wait-I-CEA" in mme.peer("hss").last
    assert not mme.ends


def test_election(world: World) -> None:
    """Both connect at once; one connection is left (RFC 6733, 5.6.4)."""
    a = world.box("a", "b")
    b = world.box("b", "a")
    world.run()
    assert len(a.ends) == len(b.ends) == 1
    assert (a.peer("b").state, b.peer("a").state) == (State.I_OPEN, State.R_OPEN)  # b > a keeps what it accepted
    a.ask()
    b.ask()
    world.run()
    assert (len(a.client.answers), len(b.client.answers)) == (1, 1)
    world.run(100)
    assert len(a.ends) == 1


def test_elections_at_any_offset() -> None:
    for step in range(40):
        world = World()
        a = world.box("a", "b")
        world.run(step * LATENCY / 4)
        b = world.box("b", "a")
        if a.peer("b").state is State.CLOSED:  # it was refused before b was there
            a.loop.cancel(("diameter", "Tc", "b"))
            a.start()
        world.run(5)
        assert a.peer("b").open, step
        assert b.peer("a").open, step
        assert len(a.ends) == len(b.ends) == 1, step


def test_a_second_connection_is_rejected_and_the_first_one_asked(world: World) -> None:
    mme, hss = world.pair()
    name = mme.call(hss)
    world.run(0.1)
    cer = next(data for data in mme.sent if data[5:8] == (257).to_bytes(3, "big"))
    hss.inject(name, cer)
    world.run(1)
    assert name not in hss.ends
    assert said(hss)[-1] == "Device-Watchdog Request"
    assert hss.peer("mme").open
    assert hss.node.counters == {"second connection rejected": 1}


def test_duplicates_are_answered_once_by_the_element(world: World) -> None:
    mme, hss = world.pair()
    mme.ask()
    world.run()
    (request,) = forwarded(mme)
    connection = hss.peer("mme").connection
    hss.inject(connection, request[:12] + b"\0\0\0\7" + request[16:])
    again = bytearray(request)
    again[4] |= 0x10
    hss.inject(connection, bytes(again))
    world.run()
    assert len(hss.server.asked) == 1
    answers = [diameter.decode(data) for data in forwarded(hss)]
    assert [answer.hop_by_hop for answer in answers][1] == 7
    assert len({answer.end_to_end for answer in answers}) == 1
    assert hss.node.counters == {"duplicate": 2}
    assert mme.node.counters == {"unexpected answer": 2}


def test_a_duplicate_that_overtakes_its_answer(world: World) -> None:
    """It came again over another peer while the element was at work: one answer, the new way."""
    hss = world.box("hss", accept=("mme", "agent"))
    mme, agent = world.box("mme", "hss"), world.box("agent", "hss")
    world.run()
    hss.server.mute = True
    mme.ask()
    world.run()
    hss.inject(hss.peer("agent").connection, forwarded(mme)[0][:4] + b"\xd0" + forwarded(mme)[0][5:])
    world.run()
    ((_, request),) = hss.server.asked
    answer = diameter.AuthenticationInformationAnswer(
        session_id=request.session_id, result_code=2001, origin_host="s", origin_realm=REALM,
        hop_by_hop=request.hop_by_hop, end_to_end=request.end_to_end)
    hss.loop.ports["server", "S6a"].link.send("server", "mme.home.org", diameter.encode(answer), 0)
    world.run()
    assert (mme.client.answers, mme.node.counters) == ([], {})
    assert agent.node.counters == {"unexpected answer": 1}


def test_another_request_under_an_old_number_is_no_duplicate(world: World) -> None:
    """Nodes exist that number from 1 again after a restart."""
    mme, hss = world.pair()
    for _ in range(2):
        hss.inject(hss.peer("mme").connection, diameter.encode(air(end_to_end=1, destination_realm=REALM)))
    world.run()
    assert len(hss.server.asked) == 2
    del mme


def test_memory_of_requests_is_bounded(world: World) -> None:
    mme, hss = world.pair()
    for number in range(1500):
        request = air(end_to_end=number, hop_by_hop=number, destination_realm=REALM)
        hss.inject(hss.peer("mme").connection, diameter.encode(request))
    world.run()
    assert len(hss.node.theirs) == len(hss.node.seen) == 1024
    world.run(300)
    hss.inject(hss.peer("mme").connection, diameter.encode(air(end_to_end=1, destination_realm=REALM)))
    world.run()
    assert len(hss.node.theirs) == len(hss.node.seen) == 1
    del mme


@pytest.mark.parametrize(("change", "code"), [
    ({"destination_realm": "elsewhere.org"}, 3003),
    ({"destination_host": "other.example.org", "destination_realm": REALM}, 3002),
    ({"destination_realm": REALM, "route_record": ("dra.example.org", "HSS")}, 3005),
])
def test_requests_for_others(world: World, change: dict[str, str], code: int) -> None:
    mme, hss = world.pair()
    hss.inject(hss.peer("mme").connection, diameter.encode(air(hop_by_hop=9, **change)))
    world.run()
    answer = diameter.decode(forwarded(hss)[0])
    assert (answer.result_code, answer.hop_by_hop, answer.error) == (code, 9, True)
    assert not hss.server.asked
    del mme


@pytest.mark.parametrize(("command", "application", "code"), [(316, diameter.S6A, 3001), (318, 4, 3007)])
def test_requests_that_nobody_serves(world: World, command: int, application: int, code: int) -> None:
    mme, hss = world.pair()
    data = bytearray(diameter.encode(air(destination_realm=REALM)))
    data[5:8], data[8:12] = command.to_bytes(3, "big"), application.to_bytes(4, "big")
    hss.inject(hss.peer("mme").connection, bytes(data))
    world.run()
    (sent,) = forwarded(hss)
    assert sent[5:12] == data[5:12]
    assert b"\0\0\1\x0c\x40\0\0\x0c" + code.to_bytes(4, "big") in sent  # Result-Code
    del mme


def test_routes_by_metric_and_default(world: World) -> None:
    hosts = ("h1", "h2", "h3")
    boxes = {host: world.box(host, accept=("mme",)) for host in hosts}
    for host in hosts[1:]:
        boxes[host].node.answer_to("x", "far.org")
    mme = world.box("mme", *hosts, route={
        REALM: RouteConfig((("h2", 1), ("h1", 5))), "default": RouteConfig((("h3", 1),)),
    })
    world.run()

    def ask(peer: str) -> list[str]:
        before = {host: len(box.server.asked) for host, box in boxes.items()}
        mme.ask(peer)
        world.run()
        return [host for host, box in boxes.items() if len(box.server.asked) > before[host]]

    assert ask(REALM) == ["h2"]
    assert ask("h1") == ["h1"]
    assert ask("far.org") == ["h3"]
    boxes["h2"].stop()
    world.run()
    assert ask(REALM) == ["h1"]


def test_requests_before_capabilities(world: World) -> None:
    mme, hss = world.pair()
    for data in (diameter.encode(air()), diameter.encode(DisconnectPeerRequest(
            origin_host="mme", origin_realm=REALM, disconnect_cause=0))):
        name = mme.call(hss)
        world.run(0.1)
        hss.inject(name, data)
        world.run(0.1)
        assert name not in hss.ends
    assert hss.peer("mme").open
    assert not hss.server.asked


def test_a_caller_who_says_nothing(world: World) -> None:
    mme, hss = world.pair()
    name = mme.call(hss)
    world.run(9)
    assert name in hss.ends
    world.run(2)
    assert name not in hss.ends
    assert hss.node.connections.keys() == hss.ends.keys()


def test_an_answer_that_nobody_asked_for(world: World) -> None:
    mme, hss = world.pair()
    answer = CapabilitiesExchangeAnswer(result_code=2001, origin_host="mme", origin_realm=REALM)
    hss.inject(hss.peer("mme").connection, diameter.encode(answer))
    world.run()
    assert hss.peer("mme").open
    del mme


def test_a_message_without_a_header_ends_the_connection(world: World) -> None:
    mme, hss = world.pair()
    hss.inject(hss.peer("mme").connection, b"GET / HTTP/1.1\r\n\r\n")
    world.run(0.2)
    assert hss.peer("mme").state is State.CLOSED
    assert mme.peer("hss").state is State.CLOSED


_SAMPLE = diameter.encode(air(destination_realm=REALM))


@given(flips=st.lists(st.tuples(st.integers(4, 200), st.integers(1, 255)), min_size=1, max_size=6),
       base=st.booleans())
@settings(max_examples=60, deadline=None)
def test_garbage_within_a_frame(flips: list[tuple[int, int]], base: bool) -> None:
    """Whatever stands in a well-framed message, there is no defect of ours, and the next request is served."""
    world = World()
    mme, hss = world.pair()
    data = bytearray(_SAMPLE)
    for place, bits in flips:
        data[place % len(data) if place % len(data) >= 4 else 4] ^= bits
    if base:
        data[8:12] = bytes(4)
    hss.inject(hss.peer("mme").connection, bytes(data))
    world.run()
    assert "internal error" not in hss.loop.counters
    mme.client.answers.clear()
    mme.ask()
    world.run()
    assert [answer.result_code for answer in mme.client.answers] == [2001]


@pytest.mark.parametrize("seed", range(4))
def test_nodes_that_crash_leave_and_lose_messages_find_back(seed: int) -> None:
    rng = random.Random(seed)
    world = World()
    one = world.box("hss1", accept=("mme",), tw=8.0, tc=5.0)
    two = world.box("hss2", "mme", tw=8.0, tc=5.0)
    mme = world.box("mme", "hss1", "hss2", tw=8.0, tc=5.0)
    boxes = (one, two, mme)
    world.loss = lambda data: rng.random() < 0.1
    asked = 0
    for _ in range(300):
        box = rng.choice(boxes)
        match rng.randrange(20):
            case 0:
                box.crash()
            case 1:
                box.stop()
                world.run(rng.random())
                box.start()
            case 2:
                world.dead = {box.host}
            case 3:
                world.dead = set()
            case _:
                mme.ask(rng.choice((REALM, "hss1", "hss2")))
                asked += 1
        world.run(rng.random() * 10)
    world.dead, world.loss = set(), lambda data: False
    world.run(200)
    assert {peer.health for box in boxes for peer in box.node.peers.values()} == {Health.OKAY}
    assert len(mme.client.answers) + mme.client.unanswered == asked
    for box in boxes:
        assert not box.node.ours
        assert box.node.connections.keys() == box.ends.keys()
        assert "internal error" not in box.loop.counters
        assert {name for _, name, *_ in box.loop.timers()} <= {"Tw", "Tc"}


def test_the_tables_are_those_of_the_rfcs() -> None:
    assert {state for state, _ in PEER.map} == set(State)
    assert {state for state, _ in WATCHDOG.map} == set(Health)
    assert PeerConfig().mode == "connect"
