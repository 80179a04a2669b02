# SPDX-License-Identifier: Apache-2.0
"""Dedicated bearers by policy: set up, changed, taken away, lost (TS 24.301, 6.4.2 to 6.4.4; TS 23.401, 5.4)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from network import NOTHING, ONE_TRY, Network, imsi_of
from probe import protected

from dialtone.codec import gtpc, nas, s1ap
from dialtone.codec.gtpc.bearer_context import UpdateBearerResponseBearerContext
from dialtone.codec.gtpc.values import BearerQos, Cause, Fteid
from dialtone.codec.ipfilter import FilterRule
from dialtone.codec.nas.bitrates import EpsQos
from dialtone.codec.tft import Direction, PacketFilter, Tft, host
from dialtone.config import Config
from dialtone.config_policy import PolicyConfig
from dialtone.control import Args
from dialtone.errors import LocalError
from dialtone.links.memory import Weather
from dialtone.mme.states import EsmState
from dialtone.pgw.policy import InstallRules, RemoveRules
from dialtone.pgw.rule import Rule
from dialtone.sim.pdn import ClosePdn, OpenPdn
from dialtone.sim.phone import Phone
from dialtone.sim.states import EmmState
from dialtone.sim.ue_context import InactivityCommand

Make = Callable[..., Network]
IMSI = imsi_of(1)
UE = f"ue-{IMSI}"
RTP = FilterRule.from_text("permit out 17 from 192.0.2.7 5000-5001 to assigned 4000")
VIDEO = FilterRule.from_text("permit out 17 from 192.0.2.7 6000 to assigned")
CALL = Rule("call", 1, (RTP,), (2, 1, 0), (128, 128), (80, 80))


def installed(net: Network, *rules: Rule, apn: str = "internet", seconds: float = 1.0) -> Phone:
    """An attached phone for whom policy wants these bearers."""
    phone = net.phones[IMSI]
    if phone.emm != EmmState.REGISTERED:
        net.attach()
    net.command("pgw", InstallRules(IMSI, apn, rules or (CALL,)), seconds)
    return phone


def same_view(net: Network, *dedicated: int) -> None:
    """Phone, MME, gateway, user plane and eNB agree on the dedicated bearers."""
    phone, ue = net.phones[IMSI], net.core.mme.by_imsi[IMSI]
    sessions = [session for (imsi, _), session in net.core.pgw.sessions.items() if imsi == IMSI]
    default = {pdn.ebi for pdn in ue.pdns.values()}
    assert set(phone.dedicated) == set(dedicated)
    assert {bearer.ebi for bearer in ue.bearers()} - default == set(dedicated)
    assert {ebi for session in sessions for ebi in session.bearers} - default == set(dedicated)
    assert {bearer.ebi for bearer in net.forwarder.bearers.values()} - default == set(dedicated)
    assert set(net.enbs[0].by_phone[UE].bearers) - default == set(dedicated)
    assert all(bearer.state is EsmState.ACTIVE and bearer.step is None for bearer in ue.bearers())
    assert not any(session.coming for session in sessions)
    assert not ue.errands
    for ebi in dedicated:
        gateway = next(session.bearers[ebi] for session in sessions if ebi in session.bearers)
        assert tuple(phone.dedicated[ebi].filters.values()) == gateway.filters
        assert phone.dedicated[ebi].qos.qci == gateway.qci


def create(net: Network, linked: int = 5, teid: int | None = None, **fields: Any) -> gtpc.CreateBearerRequest:
    """A request to the MME from a gateway of the test's own hand."""
    udp = PacketFilter(1, Direction.BIDIRECTIONAL, 99, protocol=17)
    values: dict[str, Any] = {
        "ebi": 0, "tft": Tft.create([udp]).to_bytes(), "s1_u_sgw_f_teid": Fteid(1, 0x777, bytes((10, 0, 0, 9))),
        "bearer_qos": BearerQos(8, 8, 1, 0)}
    own = net.core.mme.by_imsi[IMSI].s11_teid if teid is None else teid
    return gtpc.CreateBearerRequest(teid=own, linked_ebi=linked, bearer_contexts=(
        gtpc.CreateBearerRequestBearerContext(**(values | fields)),))


def ask(net: Network, message: Any, seconds: float = 1.0) -> Any:
    """Let the MME answer a gateway's request."""
    message.sequence = net.rng.randrange(0x600000, 0x700000)
    net.loop.deliver("mme", "S11", "pgw", gtpc.encode(message))
    net.run(seconds)
    answers = [gtpc.decode(event.data) for event in net.events("S11") if event.src == "mme" and event.kind == "tx"]
    return next((answer for answer in reversed(answers) if answer.sequence == message.sequence), None)


def test_a_bearer_for_a_call(net: Network) -> None:
    phone = installed(net)
    same_view(net, 6)
    request: Any = s1ap.decode(net.sent("E-RABSetupRequest")[-1].data)
    (item,) = request.e_rab_to_be_setup_list
    qos = item.e_rab_level_qos_parameters
    assert (qos.qci, qos.allocation_retention_priority.priority_level) == (1, 2)
    assert (qos.gbr_qos_information.e_rab_maximum_bitrate_dl, qos.gbr_qos_information.e_rab_guaranteed_bitrate_ul) == (
        128_000, 80_000)
    asked: Any = net.nas("Activate dedicated EPS bearer context request")
    assert asked.linked_eps_bearer_identity == 5
    assert asked.eps_qos == EpsQos.of(1, 128, 128, 80, 80)
    assert Tft.from_bytes(asked.tft).filters == (PacketFilter(
        1, Direction.BIDIRECTIONAL, 16, remote=host("192.0.2.7"), protocol=17, local_ports=(4000, 4000),
        remote_ports=(5000, 5001)),)
    assert phone.last == "bearer 6: QCI 1, 1 packet filters"
    assert net.verdicts("pgw")[-1] == "ok: call: EBI 6 with QCI 1 beside internet"
    net.detach()
    assert net.leaks() == NOTHING


def test_two_bearers_in_one_request(net: Network) -> None:
    installed(net, CALL, Rule("video", 2, (VIDEO,), mbr=(512, 512), gbr=(384, 384)))
    same_view(net, 6, 7)
    assert len(net.sent("Create Bearer Request", "pgw")) == 1
    assert len(net.sent("E-RABSetupRequest")) == 1
    assert len(net.sent("Activate dedicated EPS bearer context request")) == 2


def test_a_second_call_gets_a_bearer_of_its_own(net: Network) -> None:
    phone = installed(net)
    installed(net, replace(CALL, name="second", flows=(VIDEO,)))
    same_view(net, 6, 7)
    precedences = {one.precedence for bearer in phone.dedicated.values() for one in bearer.filters.values()}
    assert len(precedences) == 2
    net.command("pgw", RemoveRules(IMSI, "internet", ("call",)))
    same_view(net, 7)


def test_beside_the_right_connection(net: Network) -> None:
    net.attach()
    net.command(UE, OpenPdn("ims"))
    phone = installed(net, apn="ims")
    same_view(net, 7)
    assert phone.dedicated[7].linked == 6
    net.command(UE, ClosePdn("ims"))
    same_view(net)
    assert len(net.core.mme.by_imsi[IMSI].bearers()) == 1


def test_a_bearer_is_taken_away(net: Network) -> None:
    installed(net)
    net.command("pgw", RemoveRules(IMSI, "internet", ("call", "no such rule")))
    same_view(net)
    command: Any = s1ap.decode(net.sent("E-RABReleaseCommand")[-1].data)
    assert [item.e_rab_id for item in command.e_rab_to_be_released_list] == [6]
    asked: Any = net.nas("Deactivate EPS bearer context request")
    assert (asked.eps_bearer_identity, asked.esm_cause) == (6, 36)


def test_a_bearer_is_changed(net: Network) -> None:
    phone = installed(net)
    wider = replace(CALL, flows=(RTP, VIDEO), gbr=(160, 160), mbr=(160, 160))
    installed(net, wider)
    same_view(net, 6)
    assert len(net.sent("E-RABModifyRequest")) == 1
    assert phone.dedicated[6].qos.gbr_downlink == 160
    assert len(phone.dedicated[6].filters) == 2
    installed(net, replace(wider, flows=(VIDEO,)))  # another template alone: nothing to do for the eNB
    same_view(net, 6)
    assert len(net.sent("E-RABModifyRequest")) == 1
    assert len(phone.dedicated[6].filters) == 1


STATIC = replace(Config(), policy={
    "games": PolicyConfig("internet", 3, gbr_up=64, gbr_down=64,
                          filters=("permit out 17 from 198.51.100.0/24 to any",)),
    "video": PolicyConfig("internet", 7, filters=("permit out ip from 192.0.2.0/24 to any",)),
    "other": PolicyConfig("ims", 8, filters=("permit out ip from any to any",)),
})  # fmt: skip


def test_static_bearers_follow_the_attach(make_network: Make) -> None:
    net = make_network(config=STATIC)
    phone = net.attach()
    same_view(net, 6, 7)
    assert sorted(bearer.qos.qci for bearer in phone.dedicated.values()) == [3, 7]
    net.command(UE, OpenPdn("ims"))
    same_view(net, 6, 7, 9)
    net.detach()
    assert net.leaks() == NOTHING
    net.attach()
    same_view(net, 6, 7)


def test_an_old_phone_takes_our_templates(make_network: Make) -> None:
    net = make_network(handset=replace(ONE_TRY, local_address_in_tft=False))
    installed(net, replace(CALL, flows=(FilterRule.from_text("permit out 17 from 192.0.2.7 5000 to 10.45.0.2 4000"),)))
    same_view(net, 6)


def test_a_silent_phone(net: Network) -> None:
    net.attach()
    net.fault("silent")
    installed(net, seconds=60)
    assert len(net.sent("Activate dedicated EPS bearer context request")) == 5
    assert "the phone does not answer" in net.verdicts("pgw")[-1]
    assert len(net.core.mme.by_imsi[IMSI].bearers()) == 1


def test_a_silent_phone_loses_a_bearer_all_the_same(net: Network) -> None:
    installed(net)
    net.fault("silent")
    net.command("pgw", RemoveRules(IMSI, "internet", ("call",)), 60)
    assert len(net.sent("Deactivate EPS bearer context request")) == 5
    assert len(net.core.mme.by_imsi[IMSI].bearers()) == 1
    assert len(net.forwarder.bearers) == 1


def test_an_idle_phone_is_called(net: Network) -> None:
    net.attach()
    net.command("enb1", InactivityCommand(UE))
    installed(net, seconds=4)
    assert net.sent("Paging")
    same_view(net, 6)


def test_an_idle_phone_that_does_not_come(net: Network) -> None:
    net.attach()
    net.command("enb1", InactivityCommand(UE))
    net.fault("silent")
    installed(net, seconds=60)
    answer: Any = gtpc.decode(net.sent("Create Bearer Response")[-1].data)
    assert answer.cause.value == 90
    assert len(net.core.mme.by_imsi[IMSI].bearers()) == 1
    assert not any(session.coming for session in net.core.pgw.sessions.values())


def test_an_idle_phone_loses_a_bearer_without_being_called(net: Network) -> None:
    installed(net)
    net.command("enb1", InactivityCommand(UE))
    net.command("pgw", RemoveRules(IMSI, "internet", ("call",)))
    assert not net.sent("Paging")
    assert len(net.core.mme.by_imsi[IMSI].bearers()) == 1
    assert len(net.forwarder.bearers) == 1


def test_bearers_come_back_from_idle(net: Network) -> None:
    from dialtone.sim.service import ServiceCommand

    installed(net)
    net.command("enb1", InactivityCommand(UE))
    net.command(UE, ServiceCommand())
    same_view(net, 6)
    assert all(bearer.to is not None for bearer in net.forwarder.bearers.values())


@pytest.mark.parametrize("when", [0.0, 0.03, 0.05, 0.07, 0.1])
def test_going_idle_meanwhile(net: Network, when: float) -> None:
    """A bearer set up while the connection goes: there on all sides, or on none."""
    net.attach()
    net.link("S11").weather = Weather(delay=0.02)
    net.s1_mme.weather = Weather(delay=0.01)
    net.loop.tell("pgw", InstallRules(IMSI, "internet", (CALL,)))
    net.run(when)
    net.command("enb1", InactivityCommand(UE), 20)
    ue = net.core.mme.by_imsi[IMSI]
    assert all(bearer.step is None for bearer in ue.bearers())
    (session,) = net.core.pgw.sessions.values()
    assert {bearer.ebi for bearer in ue.bearers()} == set(session.bearers)
    assert not session.coming


def test_removed_while_it_is_made(net: Network) -> None:
    net.attach()
    net.link("S11").weather = Weather(delay=0.05)
    net.loop.tell("pgw", InstallRules(IMSI, "internet", (CALL,)))
    net.run(0.01)
    net.command("pgw", RemoveRules(IMSI, "internet", ("call",)))
    same_view(net)
    assert len(net.sent("Delete Bearer Request", "pgw")) == 1


@pytest.mark.parametrize("when", [0.0, 0.03, 0.06, 0.09])
def test_detach_meanwhile(net: Network, when: float) -> None:
    net.attach()
    net.link("S11").weather = Weather(delay=0.02)
    net.s1_mme.weather = Weather(delay=0.01)
    net.loop.tell("pgw", InstallRules(IMSI, "internet", (CALL,)))
    net.run(when)
    net.detach(seconds=20)
    assert net.leaks() == NOTHING
    assert not net.core.pgw.sessions
    assert not net.core.pgw._bearer_teids


def test_a_silent_mme(net: Network) -> None:
    net.attach()
    net.link("S11").weather = Weather(loss=1.0)
    installed(net, seconds=100)
    net.link("S11").weather = Weather()
    assert "the MME does not answer" in net.verdicts("pgw")[-1]
    assert len(net.core.pgw._bearer_teids) == 1


def test_the_gateway_ends_a_connection(net: Network) -> None:
    net.attach()
    net.command(UE, OpenPdn("ims"))
    installed(net, apn="ims")
    ue = net.core.mme.by_imsi[IMSI]
    answer = ask(net, gtpc.DeleteBearerRequest(teid=ue.s11_teid, linked_ebi=6, cause=gtpc.Cause(8)), 2)
    assert (answer.cause.value, answer.linked_ebi) == (16, 6)
    asked: Any = net.nas("Deactivate EPS bearer context request")
    assert asked.esm_cause == 39
    assert {pdn.apn for pdn in net.phones[IMSI].pdns.values()} == {"internet", "ims"}  # it came again at once
    assert not net.phones[IMSI].dedicated


def test_the_gateway_ends_the_last_connection(net: Network) -> None:
    phone = net.attach()
    ue = net.core.mme.by_imsi[IMSI]
    answer = ask(net, gtpc.DeleteBearerRequest(teid=ue.s11_teid, linked_ebi=5))
    assert answer.cause.value == 16
    assert phone.emm == EmmState.DEREGISTERED
    (tunnel,) = net.core.pgw.tunnels  # the real gateway knows nothing of it
    net.loop.deliver("pgw", "S11", "mme", gtpc.encode(gtpc.DeleteSessionRequest(teid=tunnel, linked_ebi=5)))
    net.run(1)


def test_another_ambr(net: Network) -> None:
    """Of the connection for the phone, of the phone for the eNB (TS 36.413, 8.3.4)."""
    phone = net.attach()
    ue = net.core.mme.by_imsi[IMSI]
    answer = ask(net, gtpc.UpdateBearerRequest(teid=ue.s11_teid, ambr=gtpc.Ambr(2048, 4096), bearer_contexts=(
        gtpc.UpdateBearerRequestBearerContext(ebi=5),)))
    assert answer.cause.value == 16
    assert phone.pdns[5].ambr == (4096, 2048)
    assert net.enbs[0].by_phone[UE].ambr == s1ap.UEAggregateMaximumBitrate(4_096_000, 2_048_000)
    assert len(net.sent("UEContextModificationRequest")) == 1
    assert not net.sent("E-RABModifyRequest")


def test_a_phone_that_comes_back_on_another_connection_meanwhile(net: Network) -> None:
    phone = net.attach()
    net.link("S11").weather = Weather(delay=0.02)
    net.loop.tell("pgw", InstallRules(IMSI, "internet", (CALL,)))
    net.run(0.05)
    net.lose_s1()
    net.run(5)
    ue = net.core.mme.by_imsi[IMSI]
    assert all(bearer.step is None for bearer in ue.bearers())
    assert {bearer.ebi for bearer in ue.bearers()} == set(next(iter(net.core.pgw.sessions.values())).bearers)
    assert phone.emm == EmmState.REGISTERED


def test_user_data_rules_reach_the_user_plane(net: Network) -> None:
    from dialtone.effects import OpenTunnel

    opened: list[OpenTunnel] = []
    before = net.loop.performers[OpenTunnel]
    net.attach()
    net.loop.performers[OpenTunnel] = lambda effect, done: (opened.append(effect), before(effect, done))
    net.command("pgw", InstallRules(IMSI, "internet", (CALL,)))
    (tunnel,) = opened
    assert (tunnel.ebi, tunnel.qci, tunnel.mbr) == (6, 1, (128, 128))
    assert tunnel.filters == tuple(net.phones[IMSI].dedicated[6].filters.values())
    assert tunnel.ambr == (1_000_000, 1_000_000)


def test_a_stray_esm_message_changes_nothing(net: Network) -> None:
    phone = installed(net)
    net.nas_from(phone, protected(phone, nas.ActivateDedicatedEPSBearerContextAccept(eps_bearer_identity=6)))
    status: Any = net.nas("ESM status")
    assert status.esm_cause == 43
    same_view(net, 6)

def test_commands_for_bearers(net: Network) -> None:
    net.attach()
    asked = Args({"imsi": IMSI, "name": "games", "qci": 3, "gbr_up": 64, "gbr_down": 64,
                  "filters": ["permit out 17 from 198.51.100.0/24 3074 to assigned"]})
    assert net.commands.ue_bearer_add(asked) == {"imsi": IMSI, "apn": "internet", "name": "games"}
    net.run(1)
    same_view(net, 6)
    net.commands.ue_bearer_remove(Args({"imsi": IMSI, "name": "games"}))
    net.run(1)
    same_view(net)
    with pytest.raises(LocalError, match="has no bearer 'games'"):
        net.commands.ue_bearer_remove(Args({"imsi": IMSI, "name": "games"}))
    with pytest.raises(LocalError, match="has no connection to ims"):
        net.commands.ue_bearer_add(Args({**asked, "apn": "ims"}))


def test_an_answer_that_the_end_of_the_session_has_overtaken(net: Network) -> None:
    installed(net).deaf = True
    installed(net, replace(CALL, mbr=(160, 160), gbr=(160, 160)))
    asked = gtpc.decode(net.sent("Update Bearer Request", "pgw")[-1].data)
    session = net.core.pgw.sessions[IMSI, "internet"]
    end = gtpc.DeleteSessionRequest(teid=session.tunnel.teid, sequence=0x4000, linked_ebi=session.ebi)
    answer = gtpc.UpdateBearerResponse(
        teid=session.tunnel.teid, sequence=asked.sequence, cause=Cause(16),  # type: ignore[attr-defined]
        bearer_contexts=(UpdateBearerResponseBearerContext(ebi=6, cause=Cause(16)),))
    for message in (end, answer):
        net.loop.deliver("pgw", "S11", "mme", gtpc.encode(message))
        net.run()
    assert not net.forwarder.bearers
