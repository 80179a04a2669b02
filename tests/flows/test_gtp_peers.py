# SPDX-License-Identifier: Apache-2.0
"""GTPv2-C with elements of other makers: our gateway serves a foreign MME and S-GW, our MME uses a foreign S-GW."""

from collections.abc import Callable
from typing import Any

import pytest
from gtp_peers import MME, OURS, SGW, Sgw, Wire, create, delete, octets, with_gtp
from network import NOTHING, Network, imsi_of

from dialtone.codec import gtpc
from dialtone.codec.gtpc.values import Ambr, BearerQos, Fteid
from dialtone.control import Args
from dialtone.mme.states import EmmState

IMSI = imsi_of(1)
Make = Callable[..., Network]


@pytest.fixture
def wire(make_network: Make) -> Wire:
    """Our gateway, and strangers that it serves."""
    wire = Wire(make_network(config=with_gtp(peers=(SGW, MME))))
    wire.net.run()
    return wire


@pytest.fixture
def sgw(make_network: Make) -> Sgw:
    """Our MME with a foreign S-GW, which has our gateway for its P-GW."""
    return Sgw(Wire(make_network(config=with_gtp(sgw=SGW))), SGW)


def downlink(net: Network) -> set[tuple[str, int | None]]:
    """Where packets for phones go: address and TEID of each bearer."""
    return {(bearer.to[0], bearer.remote_teid) for bearer in net.forwarder.bearers.values() if bearer.to}


# ---- our gateway ------------------------------------------------------------------------------------------


def test_a_foreign_mme(wire: Wire) -> None:
    """S11: our F-TEIDs are those of an S-GW at our own address, and name the P-GW's ends, too."""
    answer = wire.say(MME, create(MME, 10), port=40001)  # the answer goes to the port that asked (TS 29.274, 4.2)
    assert (answer.teid, answer.sequence, answer.cause.value) == (0x77, 1, 16)
    assert answer.sender_f_teid[::2] == (11, octets(OURS))
    assert answer.pgw_s5_s8_f_teid[::2] == (7, octets(OURS))
    [bearer] = answer.bearer_contexts_created
    assert bearer.s1_u_sgw_f_teid[::2] == (1, octets(OURS))
    assert bearer.s5_s8_u_pgw_f_teid.interface_type == 5
    assert (answer.apn_restriction, bearer.charging_id) == (0, None)
    teid = answer.sender_f_teid.teid
    modified = wire.say(MME, gtpc.ModifyBearerRequest(
        teid=teid, sequence=2, bearer_contexts_to_be_modified=(gtpc.BearerContextToBeModified(
            ebi=5, s1_u_enodeb_f_teid=Fteid(0, 0x55, octets("192.0.2.20"))),)))
    assert modified.cause.value == 16
    assert modified.bearer_contexts_modified[0].s1_u_sgw_f_teid == bearer.s1_u_sgw_f_teid
    assert downlink(wire.net) == {("192.0.2.20", 0x55)}
    released = wire.say(MME, gtpc.ReleaseAccessBearersRequest(teid=teid, sequence=3))
    assert released.cause.value == 16
    assert wire.say(MME, delete(teid, 4)).cause.value == 16
    assert wire.net.leaks() == NOTHING


def test_one_tunnel_for_all_pdn_connections_of_a_phone(wire: Wire) -> None:
    """TS 29.274, 4.1: the second Create Session Request comes by the tunnel of the first, and so do all others."""
    def bearer(ebi: int) -> tuple[gtpc.BearerContextToBeCreated, ...]:
        return (gtpc.BearerContextToBeCreated(ebi=ebi, bearer_qos=BearerQos(9, 8, 1, 0)),)

    first = wire.say(MME, create(MME, 10))
    teid = first.sender_f_teid.teid
    second = wire.say(MME, create(MME, 10, teid=teid, sequence=2, apn="ims", bearer_contexts_to_be_created=bearer(6)))
    assert second.cause.value == 16
    assert second.sender_f_teid == first.sender_f_teid
    assert len(wire.net.core.pgw.sessions) == 2
    ends = tuple(gtpc.BearerContextToBeModified(ebi=ebi, s1_u_enodeb_f_teid=Fteid(0, ebi, octets("192.0.2.20")))
                 for ebi in (5, 6))
    for number, end in enumerate(ends, 3):
        assert wire.say(MME, gtpc.ModifyBearerRequest(
            teid=teid, sequence=number, bearer_contexts_to_be_modified=(end,))).cause.value == 16
    assert downlink(wire.net) == {("192.0.2.20", 5), ("192.0.2.20", 6)}
    wire.say(MME, gtpc.ReleaseAccessBearersRequest(teid=teid, sequence=5))
    assert downlink(wire.net) == set()
    assert wire.say(MME, delete(teid, 6, ebi=7)).cause.value == 64
    assert wire.say(MME, delete(teid, 7, ebi=5)).cause.value == 16
    assert wire.say(MME, gtpc.ReleaseAccessBearersRequest(teid=teid, sequence=8)).cause.value == 16
    # A default bearer that is there already is replaced; and so is everything of a phone that comes with TEID 0.
    again = wire.say(MME, create(MME, 10, teid=teid, sequence=9, bearer_contexts_to_be_created=bearer(6)))
    assert again.cause.value == 16
    assert len(wire.net.core.pgw.sessions) == 1
    anew = wire.say(MME, create(MME, 10, sequence=10, apn="ims"))
    assert anew.sender_f_teid.teid != teid
    assert len(wire.net.core.pgw.sessions) == 1
    assert wire.say(MME, delete(anew.sender_f_teid.teid, 11)).cause.value == 16
    assert wire.net.leaks() == NOTHING


def test_a_foreign_sgw(wire: Wire) -> None:
    """S5/S8: a tunnel for each PDN connection, user data to the S-GW from the start, a Charging ID for each bearer."""
    answer = wire.say(SGW, create(SGW, 6))
    assert (answer.teid, answer.cause.value, answer.sender_f_teid) == (0x77, 16, None)
    assert answer.pgw_s5_s8_f_teid[::2] == (7, octets(OURS))
    [bearer] = answer.bearer_contexts_created
    assert bearer.s1_u_sgw_f_teid is None
    assert bearer.s5_s8_u_pgw_f_teid[::2] == (5, octets(OURS))
    assert bearer.charging_id
    assert (answer.apn_restriction, answer.ambr) == (0, Ambr(1000, 1000))
    assert downlink(wire.net) == {(SGW, 0x305)}
    other = wire.say(SGW, create(SGW, 6, sequence=2, apn="ims", bearer_contexts_to_be_created=(
        gtpc.BearerContextToBeCreated(ebi=6, bearer_qos=BearerQos(5, 8, 1, 0),
                                      s5_s8_u_sgw_f_teid=Fteid(4, 0x306, octets(SGW))),)))
    teid = answer.pgw_s5_s8_f_teid.teid
    assert other.pgw_s5_s8_f_teid.teid != teid
    # A new S-GW takes the connection over (TS 23.401, 5.5.1.1.3): both its ends move.
    moved = wire.say(MME, gtpc.ModifyBearerRequest(
        teid=teid, sequence=1, sender_f_teid=Fteid(6, 0x78, octets(MME)), bearer_contexts_to_be_modified=(
            gtpc.BearerContextToBeModified(ebi=5, s5_s8_u_sgw_f_teid=Fteid(4, 0x999, octets(MME))),)))
    assert (moved.teid, moved.cause.value) == (0x78, 16)
    assert moved.bearer_contexts_modified[0].s1_u_sgw_f_teid is None
    assert (MME, 0x999) in downlink(wire.net)
    # One that only tells where the phone is has no bearers.
    assert wire.say(MME, gtpc.ModifyBearerRequest(teid=teid, sequence=2, rat_type=6)).cause.value == 16
    assert wire.say(MME, delete(teid, 3)).teid == 0x78
    assert wire.say(SGW, delete(other.pgw_s5_s8_f_teid.teid, 4, ebi=6)).cause.value == 16
    assert wire.net.leaks() == NOTHING
    assert {event.point for event in wire.net.loop.bus.ring if "Session" in event.name} == {"S5/S8"}


def test_the_gateway_reads_on_s5_s8_what_it_reads_on_s11(wire: Wire) -> None:
    """But for what only a serving gateway is asked."""
    serving = {gtpc.ReleaseAccessBearersRequest, gtpc.DownlinkDataNotificationAcknowledge,
               gtpc.DownlinkDataNotificationFailureIndication, gtpc.CreateIndirectDataForwardingTunnelRequest,
               gtpc.DeleteIndirectDataForwardingTunnelRequest, gtpc.ModifyAccessBearersRequest}
    read = {point: {message for at, message in wire.net.core.pgw.on.messages if at == point}
            for point in ("S11", "S5/S8")}
    assert read["S11"] - serving == read["S5/S8"]


def test_two_peers_may_count_alike(wire: Wire) -> None:
    """A repetition is one of the same address, port, number and octets (TS 29.274, 7.6)."""
    first, second = wire.say(MME, create(MME, 10)), wire.say(SGW, create(SGW, 10, imsi=imsi_of(2)))
    assert first.sender_f_teid.teid != second.sender_f_teid.teid
    assert wire.say(MME, create(MME, 10)) == first
    assert len(wire.net.core.pgw.sessions) == 2
    # Restarted, it counts from the beginning: this is no repetition.
    third = wire.say(MME, create(MME, 10, imsi=imsi_of(3)))
    assert third.sender_f_teid.teid != first.sender_f_teid.teid
    for number, answer in enumerate((first, second, third), 5):
        wire.say(MME, delete(answer.sender_f_teid.teid, number))
    assert wire.net.leaks() == NOTHING


@pytest.mark.parametrize(("changes", "cause", "offending"), [
    ({"apn": "nowhere"}, 78, None), ({"imsi": None}, 103, None), ({"pdn_type": 5}, 83, None),
])
def test_a_refusal_goes_to_the_senders_teid(wire: Wire, changes: Any, cause: int, offending: Any) -> None:
    answer = wire.say(SGW, create(SGW, 6, **changes))
    assert (answer.teid, answer.cause.value, answer.cause.offending) == (0x77, cause, offending)
    assert wire.net.leaks() == NOTHING


def test_a_peer_that_asks_from_one_port_and_listens_on_another(wire: Wire) -> None:
    """The answer goes to the port that asked; once that was of no use, to port 2123 as well."""
    wire.say(MME, create(MME, 10), port=40001)
    assert [peer for peer, message in wire.sent if isinstance(message, gtpc.CreateSessionResponse)] == [f"{MME}:40001"]
    wire.say(MME, create(MME, 10), port=40001)
    answers = [peer for peer, message in wire.sent if isinstance(message, gtpc.CreateSessionResponse)]
    assert answers == [f"{MME}:40001", f"{MME}:40001", f"{MME}:2123"]
    assert len(wire.net.core.pgw.sessions) == 1
    [session] = wire.net.core.pgw.sessions.values()
    wire.say(MME, delete(session.tunnel.teid, 2), port=40001)
    assert [peer for peer, message in wire.sent if isinstance(message, gtpc.DeleteSessionResponse)] == [
        f"{MME}:40001", f"{MME}:2123"]


def test_an_answer_from_another_port_than_the_one_that_was_asked(sgw: Sgw) -> None:
    sgw.port = 40002
    assert sgw.wire.net.attach().emm == EmmState.REGISTERED


def test_a_missing_ie_is_named(wire: Wire) -> None:
    """TS 29.274, 7.7.6: the cause holds type and instance of the offending IE."""
    whole = gtpc.encode(create(MME, 10, recovery=None))
    apn = whole.index(bytes((71, 0, 9, 0)))
    cut = whole[:apn] + whole[apn + 13:]
    answer = wire.octets(MME, cut[:2] + (len(cut) - 4).to_bytes(2) + cut[4:])
    assert (answer.cause.value, answer.cause.offending) == (70, (71, 0))


def test_two_messages_in_one_datagram(wire: Wire) -> None:
    """Piggybacking (TS 29.274, 5.5.1): each is served."""
    one = bytearray(gtpc.encode(create(MME, 10)))
    one[0] |= 0x10
    wire.octets(MME, bytes(one) + gtpc.encode(create(MME, 10, sequence=2, imsi=imsi_of(2))))
    answers = wire.to(MME, gtpc.CreateSessionResponse)
    assert [answer.sequence for answer in answers] == [1, 2]
    for number, answer in enumerate(answers, 5):
        wire.say(MME, delete(answer.sender_f_teid.teid, number))


@pytest.mark.parametrize(("data", "answer"), [
    (b"", None), (b"\x48", None), (bytes(7), None), (b"\x48\x20\x00\x08" + bytes(8), gtpc.CreateSessionResponse),
    (b"\x48\xfa\x00\x08" + bytes(8), None), (b"\x32\x01\x00\x04" + bytes(8), gtpc.VersionNotSupportedIndication),
    (b"\x32\x03\x00\x04" + bytes(8), None), (b"\x48\x21\x00\x08" + bytes(8), None), (b"\xff" * 200, Any),
    (b"\x40\x01\x00\x04" + bytes(4), None),
])
def test_garbage_is_counted_and_traced(wire: Wire, data: bytes, answer: Any) -> None:
    before = sum(count for what, count in wire.net.loop.counters.items() if what.startswith("S11"))
    got = wire.octets(MME, data)
    assert answer is Any or (got is None if answer is None else isinstance(got, answer))
    assert sum(count for what, count in wire.net.loop.counters.items() if what.startswith("S11")) == before + 1
    assert wire.net.leaks() == NOTHING


@pytest.mark.parametrize("number", [25, 40, 71, 72, 101, 103, 128, 130, 133, 160, 179, 200])
def test_a_type_that_is_not_served_is_dropped(wire: Wire, number: int) -> None:
    """TS 29.274, 7.7.4: silence, counted and traced."""
    assert number not in gtpc.MESSAGES
    assert wire.octets(MME, bytes((0x48, number, 0, 8)) + bytes(8)) is None
    assert wire.net.loop.counters["S11 undecodable"] == 1
    assert any(f"message type {number} is not served" in event.info for event in wire.net.events("S11"))


def test_a_stranger_is_not_served(wire: Wire) -> None:
    assert wire.say("198.51.100.1", create("198.51.100.1", 10)) is None
    assert wire.say("198.51.100.1", gtpc.EchoRequest(recovery=1, sequence=2)) is None
    assert wire.net.loop.counters["S11 from a stranger"] == 2
    assert wire.net.leaks() == NOTHING


def test_anybody_is_served_where_that_is_wanted(make_network: Make) -> None:
    wire = Wire(make_network(config=with_gtp(accept_unknown=True)))
    answer = wire.say(MME, create(MME, 10, recovery=4))
    assert answer.cause.value == 16
    [peer] = wire.net.commands.gtp_peers(Args())
    assert (peer["peer"], peer["state"], peer["recovery"], peer["sessions"]) == (MME, "UP", 4, 1)
    wire.say(MME, delete(answer.sender_f_teid.teid, 9))


# ---- paths ------------------------------------------------------------------------------------------------


def test_echo_and_restart(wire: Wire) -> None:
    """Another restart counter than before: the sessions of that peer end, and only those (TS 23.007, 18)."""
    assert wire.say(MME, gtpc.EchoRequest(recovery=3, sequence=1)).recovery == wire.net.core.gtp.recovery
    one, other = wire.say(MME, create(MME, 10, sequence=2)), wire.say(SGW, create(SGW, 6, imsi=imsi_of(2)))
    assert wire.say(MME, gtpc.EchoRequest(recovery=3, sequence=3)) is not None
    assert len(wire.net.core.pgw.sessions) == 2
    # The counter in a message of a procedure serves as well: first the old sessions go, then the new one comes.
    anew = wire.say(MME, create(MME, 10, sequence=1, recovery=4))
    assert anew.cause.value == 16
    assert wire.say(MME, delete(one.sender_f_teid.teid, 5)).cause.value == 64
    assert {session.imsi for session in wire.net.core.pgw.sessions.values()} == {IMSI, imsi_of(2)}
    peers = {peer["peer"]: peer for peer in wire.net.commands.gtp_peers(Args())}
    assert (peers[MME]["restarts"], peers[MME]["recovery"], peers[SGW]["restarts"]) == (1, 4, 0)
    assert "was restarted" in peers[MME]["last"]
    wire.say(MME, delete(anew.sender_f_teid.teid, 6))
    wire.say(SGW, delete(other.pgw_s5_s8_f_teid.teid, 7))
    assert wire.net.leaks() == NOTHING


def test_a_path_fails(wire: Wire) -> None:
    """No answer to T3-RESPONSE times N3-REQUESTS: down; after the maximum path failure duration its sessions end."""
    wire.hosts[MME] = lambda message, data: wire.router.deliver("gtp", "S11", f"{MME}:2123", gtpc.encode(
        gtpc.EchoResponse(recovery=1, sequence=message.sequence))) if isinstance(message, gtpc.EchoRequest) else None
    wire.say(MME, create(MME, 10))
    wire.net.run(61.0)
    del wire.hosts[MME]  # it answered one, and is silent from now on
    wire.sent.clear()
    wire.net.run(75.0)
    assert len(wire.to(MME, gtpc.EchoRequest)) == 4
    assert len({message.sequence for message in wire.to(MME, gtpc.EchoRequest)}) == 1
    [down] = [peer for peer in wire.net.commands.gtp_peers(Args()) if peer["peer"] == MME]
    assert (down["state"], down["last"]) == ("DOWN", "does not answer echo requests")
    assert len(wire.net.core.pgw.sessions) == 1
    # It comes back in time.
    assert wire.say(MME, gtpc.EchoRequest(recovery=1, sequence=2)) is not None
    wire.net.run(200.0)  # the next echo fails again
    assert len(wire.net.core.pgw.sessions) == 1
    wire.net.run(400.0)
    assert wire.net.core.pgw.sessions == {}
    assert any("silent for too long" in text for text in wire.net.verdicts("gtp"))
    assert wire.net.leaks() == NOTHING


def test_a_peer_that_answers_everything_but_echo_is_not_down(wire: Wire) -> None:
    answer = wire.say(MME, create(MME, 10))
    wire.net.run(600.0)
    [peer] = [peer for peer in wire.net.commands.gtp_peers(Args()) if peer["peer"] == MME]
    assert (peer["state"], peer["echo_answered"], peer["last"]) == ("UP", 0, "answers, but no echo requests")
    assert wire.say(MME, delete(answer.sender_f_teid.teid, 2)).cause.value == 16


def test_echo_can_be_left_out(make_network: Make) -> None:
    wire = Wire(make_network(config=with_gtp(peers=(MME,), echo=0.0)))
    wire.say(MME, gtpc.EchoRequest(recovery=3, sequence=1))
    wire.net.run(300.0)
    assert [type(message) for message in wire.to(MME)] == [gtpc.EchoResponse]


def test_nobody_is_asked_where_nobody_is_configured(net: Network) -> None:
    assert net.core.gtp is None
    assert net.commands.gtp_peers(Args()) == []


# ---- our MME with a foreign S-GW ----------------------------------------------------------------------------


def test_a_phone_attaches_through_a_foreign_sgw(sgw: Sgw) -> None:
    net = sgw.wire.net
    phone = net.attach()
    assert phone.emm == EmmState.REGISTERED
    [ue] = net.core.mme.by_imsi.values()
    [pdn] = ue.pdns.values()
    assert (pdn.gateway, pdn.s11_teid) == (f"{SGW}:2123", 0x100)
    assert pdn.bearers[5].sgw == (octets(SGW), 0x405)
    [request] = sgw.wire.to(SGW, gtpc.CreateSessionRequest)
    assert request.sender_f_teid[::2] == (10, octets(OURS))
    assert request.pgw_s5_s8_address == Fteid(7, 0, octets(OURS))
    [modify] = sgw.wire.to(SGW, gtpc.ModifyBearerRequest)
    assert modify.bearer_contexts_to_be_modified[0].s1_u_enodeb_f_teid.interface_type == 0
    [session] = net.core.pgw.sessions.values()
    assert (session.tunnel.point, session.tunnel.peer) == ("S5/S8", f"{SGW}:2123")
    assert downlink(net) == {(SGW, 0x305)}
    peers = net.commands.gtp_peers(Args())
    assert [(peer["state"], peer["pdn_connections"], peer["sessions"]) for peer in peers] == [("UP", 1, 1)]
    net.detach()
    assert sgw.pdns == {}
    assert net.leaks() == NOTHING


def test_elements_that_share_an_address_share_their_numbers(sgw: Sgw) -> None:
    """To the S-GW, requests of our MME, our gateway and our paths come from one peer (TS 29.274, 7.6)."""
    net = sgw.wire.net
    net.attach()
    net.detach()
    net.run(130.0)
    requests = {data for _, data in sgw.wire.raw if gtpc.decode(data).NAME.endswith("Request")}  # once each
    numbers = [gtpc.decode(data).sequence for data in requests]
    assert len(numbers) > 4
    assert len(set(numbers)) == len(numbers)
    assert max(numbers) < 1 << 23  # the upper half is for commands


def test_a_foreign_sgw_refuses(sgw: Sgw) -> None:
    net = sgw.wire.net
    sgw.refuses = 73
    assert net.attach().emm != EmmState.REGISTERED
    assert any("GTP cause 73" in text for text in net.verdicts())
    assert net.leaks() == NOTHING


def test_a_foreign_sgw_is_silent(sgw: Sgw) -> None:
    net = sgw.wire.net
    sgw.silent = True
    assert net.attach(seconds=20.0).emm != EmmState.REGISTERED
    assert len(sgw.wire.to(SGW, gtpc.CreateSessionRequest)) == 4  # T3-RESPONSE, N3-REQUESTS
    assert any("the gateway does not answer" in text for text in net.verdicts())


def test_a_foreign_sgw_is_restarted(sgw: Sgw) -> None:
    """Its phones come back at once, by a new session (TS 23.007, 16.1A)."""
    net = sgw.wire.net
    phone = net.attach()
    sgw.pdns.clear()
    sgw.recovery += 1
    net.run(70.0)  # the next echo tells
    assert sgw.wire.to(SGW, gtpc.DeleteSessionRequest) == []  # it knows none
    assert any("was restarted" in text for text in net.verdicts("gtp"))
    assert any("detached by the network" in text for text in net.verdicts())
    if phone.emm != EmmState.REGISTERED:
        net.attach()
    assert phone.emm == EmmState.REGISTERED
    assert net.core.mme.by_imsi[IMSI].emm == EmmState.REGISTERED
    assert set(sgw.pdns) == {5}
    net.detach()
    assert net.leaks() == NOTHING


def test_an_idle_phone_and_the_foreign_sgw(sgw: Sgw) -> None:
    net = sgw.wire.net
    net.attach()
    net.lose_s1()
    assert len(sgw.wire.to(SGW, gtpc.ReleaseAccessBearersRequest)) == 1


def test_a_foreign_sgw_has_data_for_an_idle_phone(sgw: Sgw) -> None:
    """Downlink Data Notification, paging, and the new eNB end by Modify Bearer."""
    net = sgw.wire.net
    net.attach()
    net.idle()
    sgw.wire.sent.clear()
    sgw.page()
    net.run(3.0)
    [answer] = sgw.wire.to(SGW, gtpc.DownlinkDataNotificationAcknowledge)
    assert (answer.teid, answer.cause.value) == (0x100, 16)
    [modify] = sgw.wire.to(SGW, gtpc.ModifyBearerRequest)
    assert modify.bearer_contexts_to_be_modified[0].s1_u_enodeb_f_teid.interface_type == 0
    assert net.core.mme.by_imsi[IMSI].ecm == "ECM-CONNECTED"


def test_an_answer_to_nothing_is_dropped(sgw: Sgw) -> None:
    wire = sgw.wire
    wire.net.run(1.0)
    assert wire.say(SGW, gtpc.DeleteSessionResponse(teid=1, sequence=0x123456, cause=gtpc.Cause(16))) is None
    assert wire.net.loop.counters["S11 duplicate"] == 1
