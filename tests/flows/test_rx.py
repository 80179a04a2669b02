# SPDX-License-Identifier: Apache-2.0
"""Rx: a call's media become bearers, and the AF hears what became of them (TS 29.214; TS 29.213, 6.3)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from network import NOTHING, ONE_TRY, Network, imsi_of
from rx_peer import FAR, HOST, REALM, SESSION, Af, audio, video

from dialtone.codec import diameter
from dialtone.codec.diameter import (
    AAAnswer,
    AbortCause,
    FlowStatus,
    FlowUsage,
    MediaSubComponent,
    MediaType,
    RxResult,
    SpecificAction,
)
from dialtone.codec.tft import Direction, PacketFilter, host
from dialtone.links.memory import Weather
from dialtone.mme.detach import DetachUe
from dialtone.pgw.rx.af_session import MOST_SESSIONS
from dialtone.sim.enb import EnbConfig
from dialtone.sim.erab import BearerLostCommand
from dialtone.sim.ue_context import InactivityCommand

Make = Callable[..., Network]
IMSI = imsi_of(1)
RAR, ASR = "ReAuthRequest", "AbortSessionRequest"
MADE = SpecificAction.INDICATION_OF_SUCCESSFUL_RESOURCES_ALLOCATION
FAILED = SpecificAction.INDICATION_OF_FAILED_RESOURCES_ALLOCATION
RELEASED = SpecificAction.INDICATION_OF_RELEASE_OF_BEARER
LOST = SpecificAction.INDICATION_OF_LOSS_OF_BEARER


@pytest.fixture
def af(net: Network) -> Af:
    net.attach()
    return Af(net)


def bearers(net: Network, imsi: str = IMSI) -> dict[int, Any]:
    """Dedicated bearers that phone and gateway agree on."""
    phone = net.phones[imsi]
    (session,) = net.core.pgw.sessions_of(imsi)
    found = {ebi: bearer for ebi, bearer in session.bearers.items() if bearer.rule}
    assert set(found) == set(phone.dedicated)
    assert all(tuple(phone.dedicated[ebi].filters.values()) == bearer.filters for ebi, bearer in found.items())
    return found


def code(answer: Any) -> int:
    return int(answer.result_code or answer.experimental_result_code)


def test_a_voice_call_has_its_bearer(net: Network, af: Af) -> None:
    answer = af.aar(audio())
    assert code(answer) == 2001
    assert (answer.session_id, answer.ip_can_type, answer.rat_type) == (SESSION, 5, 1004)
    (bearer,) = bearers(net).values()
    assert bearer.rule.qci == 1
    assert bearer.rule.gbr == bearer.rule.mbr == (44, 44)  # 41 kbit/s, and 5 % of RTCP
    assert bearer.rule.arp == (2, 0, 1)
    assert bearer.filters == tuple(
        PacketFilter(number, way, 15 + number, remote=host(FAR), protocol=17, local_ports=(own, own),
                     remote_ports=(far, far))
        for number, (way, own, far) in enumerate((
            (Direction.DOWNLINK, 49120, 50000), (Direction.UPLINK, 49120, 50000),
            (Direction.DOWNLINK, 49121, 50001), (Direction.UPLINK, 49121, 50001)), 1))
    assert af.told() == [(RAR, MADE)]
    assert (af.got[0].destination_host, af.got[0].flows[0].media_component_number) == (HOST, 1)
    assert code(af.end()) == 2001
    net.run(1.0)
    assert bearers(net) == {}
    assert af.told() == [(RAR, MADE)]
    net.detach()
    assert net.leaks() == NOTHING


def test_rtcp_has_the_bandwidth_that_the_call_says(net: Network, af: Af) -> None:
    af.aar(audio(rs_bandwidth=600, rr_bandwidth=2000))
    assert [bearer.rule.gbr for bearer in bearers(net).values()] == [(44, 44)]  # 43.6
    af.aar(audio(rs_bandwidth=8000, rr_bandwidth=24000))
    assert [bearer.rule.gbr for bearer in bearers(net).values()] == [(73, 73)]


def test_a_call_without_bandwidth_has_some_all_the_same(net: Network, af: Af) -> None:
    af.aar(audio(max_requested_bandwidth_ul=None, max_requested_bandwidth_dl=0))
    assert [bearer.rule.gbr for bearer in bearers(net).values()] == [(68, 68)]


def test_video_has_a_bearer_of_its_own(net: Network, af: Af) -> None:
    af.aar(audio(), video())
    assert sorted((bearer.rule.qci, bearer.rule.gbr[0]) for bearer in bearers(net).values()) == [(1, 44), (2, 538)]
    assert len(net.sent("Create Bearer Request", "pgw")) == 1
    af.aar(video(flow_status=FlowStatus.REMOVED))
    net.run(1.0)
    assert [bearer.rule.qci for bearer in bearers(net).values()] == [1]
    assert af.told() == [(RAR, MADE), (RAR, MADE)]  # what was wanted so is not told


def test_other_media_have_no_guaranteed_rate(net: Network, af: Af) -> None:
    af.aar(audio(kind=MediaType.MESSAGE, kbit=64))
    assert [(bearer.rule.qci, bearer.rule.gbr, bearer.rule.mbr[0] > 0) for bearer in bearers(net).values()] == [
        (7, (0, 0), True)]


def test_a_second_call_has_a_bearer_of_its_own(net: Network, af: Af) -> None:
    af.aar(audio())
    af.aar(audio(port=49140, far_port=51000), session_id="second")
    found = bearers(net)
    assert len(found) == 2
    assert len({one.precedence for bearer in found.values() for one in bearer.filters}) == 8
    af.end()
    net.run(1.0)
    (left,) = bearers(net).values()
    assert left.filters[0].local_ports == (49140, 49140)


def test_another_codec_changes_the_bearer(net: Network, af: Af) -> None:
    af.aar(audio())
    before = set(bearers(net))
    af.aar(audio(kbit=90, far_port=52000))
    ((ebi, bearer),) = bearers(net).items()
    assert {ebi} == before
    assert (bearer.rule.gbr, bearer.filters[0].remote_ports) == ((95, 95), (52000, 52000))
    af.aar(audio(kbit=90, far_port=52000))
    assert len(net.sent("Update Bearer Request", "pgw")) == 1  # the same again is no change


def test_changes_while_the_bearer_is_being_made(net: Network, af: Af) -> None:
    for far_port in (50000, 51000, 52000):
        af.post_aar(audio(far_port=far_port))
    net.run(1.0)
    (bearer,) = bearers(net).values()
    assert bearer.filters[0].remote_ports == (52000, 52000)
    assert len(net.sent("Create Bearer Request", "pgw")) == 1
    af.end()


def test_a_call_that_is_over_before_its_bearer_stands(net: Network, af: Af) -> None:
    af.post_aar(audio())
    af.post(diameter.SessionTerminationRequest, termination_cause=1)
    net.run(2.0)
    assert bearers(net) == {}
    assert af.told() == []
    assert net.core.pgw.af_sessions == {}


def test_media_that_come_back_while_they_are_taken_away(net: Network, af: Af) -> None:
    af.aar(audio(), video())
    for media in (video(flow_status=FlowStatus.REMOVED), video()):
        af.post_aar(media)
    net.run(2.0)
    assert sorted(bearer.rule.qci for bearer in bearers(net).values()) == [1, 2]
    for media in (video(flow_status=FlowStatus.REMOVED), video(), video(flow_status=FlowStatus.REMOVED)):
        af.post_aar(media)
    net.run(2.0)
    assert [bearer.rule.qci for bearer in bearers(net).values()] == [1]


def test_what_a_change_leaves_out_stays(net: Network, af: Af) -> None:
    af.aar(audio())
    af.aar(diameter.MediaComponentDescription(media_component_number=1, flow_status=FlowStatus.DISABLED))
    (bearer,) = bearers(net).values()
    assert len(bearer.filters) == 4
    assert bearer.rule.gbr == (44, 44)
    assert net.sent("Update Bearer Request", "pgw") == []


def test_an_offer_has_no_bearer_yet(net: Network, af: Af) -> None:
    assert code(af.aar(audio(), service_info_status=1)) == 2001
    assert bearers(net) == {}
    af.aar(audio(), service_info_status=0)
    assert len(bearers(net)) == 1


def test_a_forked_call_has_the_flows_of_all_dialogues(net: Network, af: Af) -> None:
    af.aar(audio())
    af.aar(audio(far_port=52000, kbit=90), sip_forking_indication=1)
    (bearer,) = bearers(net).values()
    assert {one.remote_ports[0] for one in bearer.filters} == {50000, 50001, 52000, 52001}
    assert bearer.rule.gbr == (95, 95)
    af.aar(audio(far_port=52000, kbit=41), sip_forking_indication=0)
    (bearer,) = bearers(net).values()
    assert {one.remote_ports[0] for one in bearer.filters} == {52000, 52001}


def test_a_call_that_only_hears_has_an_uplink_filter_all_the_same(net: Network, af: Af) -> None:
    """Else everything would leave the phone by that bearer (TS 23.060, 15.3.3.4)."""
    af.aar(audio(media_sub_component=(MediaSubComponent(
        flow_number=1, flow_description=(f"permit out 17 from {FAR} 50000 to 10.45.0.2 49120",)),)))
    (bearer,) = bearers(net).values()
    assert [one.direction for one in bearer.filters] == [Direction.DOWNLINK, Direction.UPLINK]
    assert bearer.filters[1].remote_ports == (9, 9)


def test_signalling_stays_where_it_is(net: Network, af: Af) -> None:
    """What another IMS asks for at a registration."""
    flows = tuple(f"permit {way} ip from 10.45.0.2 5060 to 10.46.0.1 5060" for way in ("out", "in"))
    answer = af.aar(audio(kind=MediaType.CONTROL, media_sub_component=(MediaSubComponent(
        flow_number=1, flow_usage=FlowUsage.AF_SIGNALLING, flow_description=flows * 2),)))
    assert code(answer) == 2001
    assert bearers(net) == {}
    net.detach()
    assert af.told() == [(ASR, AbortCause.BEARER_RELEASED)]
    af.end()


def test_the_call_of_an_idle_phone(net: Network, af: Af) -> None:
    net.idle()
    af.aar(audio())
    net.run(5.0)
    assert len(bearers(net)) == 1
    assert af.told() == [(RAR, MADE)]


def test_an_emergency_call_goes_first(net: Network, af: Af) -> None:
    af.aar(audio(), service_urn=b"sos.police")
    assert [bearer.rule.arp for bearer in bearers(net).values()] == [(1, 0, 1)]


def test_an_ipv6_phone(make_network: Make) -> None:
    net = make_network(handset=replace(ONE_TRY, pdn_type=2))
    net.attach()
    (session,) = net.core.pgw.sessions_of(IMSI)
    assert session.paa.ipv6
    af = Af(net)
    assert code(af.aar(audio("2001:db8::2", far="2001:db8::7"), framed_ip_address=None,
                       framed_ipv6_prefix=b"\0\x40" + session.paa.ipv6[:8])) == 2001
    (bearer,) = bearers(net).values()
    assert bearer.filters[0].remote == host("2001:db8::7")


# ---- what is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fields", "expected"), [
    ({"framed_ip_address": bytes((10, 45, 9, 9))}, RxResult.IP_CAN_SESSION_NOT_AVAILABLE),
    ({"called_station_id": "ims"}, RxResult.IP_CAN_SESSION_NOT_AVAILABLE),
    ({"framed_ip_address": None, "framed_ipv6_prefix": b"\0"}, RxResult.IP_CAN_SESSION_NOT_AVAILABLE),
    ({"framed_ip_address": None}, 5005),
])
def test_a_phone_that_is_not_there(net: Network, af: Af, fields: dict[str, Any], expected: int) -> None:
    assert code(af.aar(audio(), **fields)) == expected
    assert net.core.pgw.af_sessions == {}


def test_media_that_cannot_be(net: Network, af: Af) -> None:
    def flow(text: str) -> MediaSubComponent:
        return MediaSubComponent(flow_number=1, flow_description=(text,))

    for media, expected in (
        ((audio(media_type=None),), RxResult.INVALID_SERVICE_INFORMATION),
        ((audio(), audio(port=49130)), RxResult.INVALID_SERVICE_INFORMATION),
        ((audio(media_sub_component=(flow("deny out 17 from any to assigned"),)),), RxResult.FILTER_RESTRICTIONS),
        ((audio(media_sub_component=(flow("permit out 17 from any 1,2 to assigned"),)),), RxResult.FILTER_RESTRICTIONS),
        ((audio(media_sub_component=(flow(""),)),), RxResult.FILTER_RESTRICTIONS),
        ((audio(media_sub_component=tuple(
            MediaSubComponent(flow_number=number, flow_description=(
                f"permit out 17 from {FAR} {number} to assigned", f"permit in 17 from assigned to {FAR} {number}"))
            for number in range(1, 9))),), RxResult.FILTER_RESTRICTIONS),
    ):
        answer = af.aar(*media)
        assert code(answer) == expected
        assert answer.error_message
    assert net.core.pgw.af_sessions == {}
    assert bearers(net) == {}


def test_a_bad_change_leaves_all_as_it_was(net: Network, af: Af) -> None:
    af.aar(audio())
    before = bearers(net)
    assert code(af.aar(video(media_type=None))) == RxResult.INVALID_SERVICE_INFORMATION
    assert bearers(net) == before
    assert list(net.core.pgw.af_sessions) == [SESSION]


def test_sessions_belong_to_their_af(net: Network, af: Af) -> None:
    af.aar(audio())
    assert code(af.ask(diameter.AARequest, origin_host="other.example.org")) == 5002
    foreign = af.ask(diameter.SessionTerminationRequest, origin_host="other.example.org", termination_cause=1)
    assert code(foreign) == 5002
    assert len(bearers(net)) == 1


def test_an_unknown_session(af: Af) -> None:
    assert code(af.end()) == 5002


def test_a_phone_has_so_many_sessions_and_no_more(net: Network, af: Af) -> None:
    answers = [code(af.aar(session_id=f"{HOST};2;{number}")) for number in range(MOST_SESSIONS + 1)]
    assert answers == [2001] * MOST_SESSIONS + [5006]


def test_a_repeated_request_is_done_once(net: Network, af: Af) -> None:
    message: Any = diameter.AARequest(
        session_id=SESSION, origin_host=HOST, origin_realm=REALM, destination_realm=REALM,
        framed_ip_address=bytes((10, 45, 0, 2)), media_component_description=(audio(),))
    message.hop_by_hop = message.end_to_end = 77
    for _ in range(3):
        net.loop.deliver("pgw", "Rx", HOST, diameter.encode(message))
        net.run(1.0)
    assert [type(one) for one in af.said] == [AAAnswer] * 3
    assert len(net.sent("Create Bearer Request", "pgw")) == 1


def test_sponsored_data(net: Network, af: Af) -> None:
    """What must be understood and is not (RFC 6733, 4.1): Sponsored-Connectivity-Data."""
    af.post(diameter.AARequest, framed_ip_address=bytes((10, 45, 0, 2)), unknown=(
        diameter.UnknownAvp(530, diameter.TGPP, 0xC0, b""),))
    net.run(0.1)
    assert code(af.said[-1]) == 5001
    assert net.core.pgw.af_sessions == {}


def test_a_request_that_cannot_be_read(net: Network, af: Af) -> None:
    octets = diameter.encode(diameter.SessionTerminationRequest(
        session_id=SESSION, origin_host=HOST, origin_realm=REALM, destination_realm=REALM, termination_cause=1))
    without = octets.replace((295).to_bytes(4, "big"), (1).to_bytes(4, "big"))  # Termination-Cause is User-Name now
    net.loop.deliver("pgw", "Rx", HOST, without)
    net.run(0.1)
    assert code(af.said[-1]) in (5001, 5005)


# ---- what becomes of the bearers --------------------------------------------------------------------------


def test_an_enb_without_voice_bearers(make_network: Make) -> None:
    net = make_network(enbs=(EnbConfig(refused_qcis=frozenset((1,))),))
    net.attach()
    af = Af(net)
    af.aar(audio(), video())
    net.run(2.0)
    assert sorted(af.told()) == [(RAR, MADE), (RAR, FAILED)]
    failed = next(one for one in af.got if one.specific_action[0] == FAILED)
    assert failed.flows[0].media_component_number == 1
    assert [bearer.rule.qci for bearer in bearers(net).values()] == [2]
    af.end()


def test_an_af_that_knows_of_lost_bearers_only(make_network: Make) -> None:
    """As the CSCFs of Release 7 do: a call that gets no bearer at all is aborted."""
    net = make_network(enbs=(EnbConfig(refused_qcis=frozenset((1,))),))
    net.attach()
    af = Af(net)
    af.aar(audio(), specific_action=(LOST,))
    net.run(2.0)
    assert af.told() == [(ASR, AbortCause.INSUFFICIENT_BEARER_RESOURCES)]
    assert code(af.end()) == 2001


def test_an_af_that_wants_to_hear_nothing(net: Network, af: Af) -> None:
    af.aar(audio(), specific_action=())
    assert len(bearers(net)) == 1
    assert af.got == []


def test_the_only_bearer_is_lost(net: Network, af: Af) -> None:
    af.aar(audio())
    lose(net, 1)
    assert af.told() == [(RAR, MADE), (ASR, AbortCause.BEARER_RELEASED)]
    assert code(af.aar(audio())) == RxResult.IP_CAN_SESSION_NOT_AVAILABLE
    assert code(af.end()) == 2001


def test_one_of_two_bearers_is_lost(net: Network, af: Af) -> None:
    af.aar(audio(), video())
    lose(net, 2)
    assert af.told()[2:] == [(RAR, RELEASED)]
    assert af.got[-1].flows[0].media_component_number == 2
    assert [bearer.rule.qci for bearer in bearers(net).values()] == [1]
    af.aar(video())  # once more
    assert sorted(bearer.rule.qci for bearer in bearers(net).values()) == [1, 2]


def lose(net: Network, qci: int) -> None:
    """The eNB gives a bearer up."""
    ebi = next(ebi for ebi, bearer in bearers(net).items() if bearer.qci == qci)
    net.command(net.enbs[0].name, BearerLostCommand(net.phones[IMSI].name, ebi), 2.0)


def test_the_connection_goes(net: Network, af: Af) -> None:
    af.aar(audio())
    af.aar(audio(port=49140), session_id="second")
    net.command("mme", DetachUe(IMSI))
    assert [told for told in af.told() if told[0] == ASR] == [(ASR, AbortCause.BEARER_RELEASED)] * 2
    assert code(af.end()) == code(af.end("second")) == 2001
    assert net.leaks() == NOTHING


@pytest.mark.parametrize("answers", [None, 5002, 2001])
def test_an_af_that_does_not_end_its_session(net: Network, af: Af, answers: int | None) -> None:
    af.aar(audio())
    af.answers = answers
    net.detach()
    net.run(60.0)
    assert net.core.pgw.af_sessions == {}
    assert net.leaks() == NOTHING


def test_an_af_that_has_forgotten_the_call(net: Network, af: Af) -> None:
    af.answers = 5002
    af.aar(audio())
    net.run(1.0)
    assert net.core.pgw.af_sessions == {}
    assert bearers(net) == {}


def test_a_silent_mme_refuses_the_change(net: Network, af: Af) -> None:
    af.aar(audio())
    net.link("S11").weather = Weather(loss=1.0)
    af.aar(audio(kbit=90))
    net.run(120.0)
    assert af.told() == [(RAR, MADE), (RAR, FAILED)]
    net.link("S11").weather = Weather()


def test_calls_over_idle_times(net: Network, af: Af) -> None:
    af.aar(audio())
    net.command(net.enbs[0].name, InactivityCommand(net.phones[IMSI].name), 1.0)
    assert net.core.pgw.af_sessions[SESSION].rules
    assert af.told() == [(RAR, MADE)]
    af.end()
