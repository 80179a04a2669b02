# SPDX-License-Identifier: Apache-2.0
"""Tracking area updates that are refused, or have to be proven (TS 24.301, 5.5.3.2.5, 4.4.4.3)."""

from collections.abc import Callable
from typing import Any

from network import NOTHING, Network
from probe import HOME, Probe
from update_flows import IMSI, PHONE, integrity_protected, is_registered

from dialtone.codec import nas
from dialtone.ids import Plmn, Tai
from dialtone.links.memory import Weather
from dialtone.mme.detach import DetachUe
from dialtone.sim import tracking
from dialtone.sim.enb import EnbConfig
from dialtone.sim.phone import Cell
from dialtone.sim.power import BreakCommand, MoveCommand
from dialtone.sim.service import ServiceCommand
from dialtone.sim.states import EmmState
from dialtone.sim.tracking import AreaUpdateCommand


def test_an_unknown_guti_attaches_by_imsi(idle: Network) -> None:
    phone = idle.phones[IMSI]
    idle.loop.tell(PHONE, BreakCommand("unknown_guti"))
    idle.loop.tell(PHONE, AreaUpdateCommand())
    idle.command(PHONE, BreakCommand(None))
    reject: Any = idle.nas("Tracking area update reject")
    assert reject.emm_cause == 9
    assert phone.emm == EmmState.REGISTERED
    assert len(idle.sent("Authentication request")) == 2
    assert len(idle.core.mme.ues) == 1


def test_a_phone_that_was_detached_meanwhile(idle: Network) -> None:
    idle.command("mme", DetachUe(IMSI))
    idle.command(PHONE, AreaUpdateCommand())
    reject: Any = idle.nas("Tracking area update reject")
    assert reject.emm_cause == 10
    assert idle.phones[IMSI].emm == EmmState.REGISTERED
    assert len(idle.sent("Authentication request")) == 1


def test_an_area_of_ours_that_is_not_served_leaves_the_phone_registered(idle: Network) -> None:
    phone = idle.phones[IMSI]
    probe = Probe(idle)
    probe.initial(integrity_protected(idle, tracking.request(phone)), guti=phone.guti, tai=Tai(HOME, 9))
    reject: Any = idle.nas("Tracking area update reject")
    assert reject.emm_cause == 15
    probe.released()
    assert idle.core.mme.by_imsi[IMSI].ecm == "ECM-IDLE"


def test_another_network(idle: Network) -> None:
    phone = idle.phones[IMSI]
    probe = Probe(idle)
    probe.initial(integrity_protected(idle, tracking.request(phone)), guti=phone.guti, tai=Tai(Plmn("999", "70"), 1))
    reject: Any = idle.nas("Tracking area update reject")
    assert reject.emm_cause == 11
    probe.released()
    assert idle.leaks() == NOTHING


def test_a_phone_takes_a_barred_area_to_heart(make_network: Callable[..., Network]) -> None:
    net = make_network(enbs=(EnbConfig(), EnbConfig(
        enb_id=0x102, enb_name="sim-enb2", areas=((2, (HOME,)), (1, (HOME,))))))
    phone = net.attach()
    net.idle()
    net.command(PHONE, MoveCommand(Cell("enb2", Tai(HOME, 2))))
    assert phone.emm == EmmState.REGISTERED
    assert phone.forbidden_tais == {Tai(HOME, 2): 15}
    assert "avoids this tracking area" in phone.last
    net.command(PHONE, MoveCommand(net.enbs[0].cell))
    net.command(PHONE, ServiceCommand())
    assert phone.connected


# ---- without a good MAC ------------------------------------------------------------------------------------------


def test_a_wrong_mac_is_answered_by_a_challenge_and_the_registration_goes_on(idle: Network) -> None:
    phone = idle.phones[IMSI]
    idle.loop.tell(PHONE, BreakCommand("wrong_mac"))
    idle.loop.tell(PHONE, AreaUpdateCommand())
    idle.command(PHONE, BreakCommand(None))
    assert len(idle.sent("Authentication request")) == 2
    assert len(idle.sent("Security mode command")) == 2
    assert phone.last.startswith("updated, 10.45.0.2")
    assert len(idle.sent("Create Session Request")) == 1
    is_registered(idle, connected=False)
    idle.command(PHONE, ServiceCommand())
    assert phone.counters["K_eNB equal"] == 2
    idle.idle()
    idle.loop.tell(PHONE, BreakCommand("wrong_mac"))
    idle.loop.tell(PHONE, AreaUpdateCommand(active=True))
    idle.command(PHONE, BreakCommand(None))
    assert phone.counters["K_eNB equal"] == 3
    is_registered(idle, connected=True)


def test_who_cannot_answer_the_challenge_harms_nobody(net: Network) -> None:
    phone = net.attach()
    net.idle()
    probe = Probe(net)
    probe.initial(nas.encode(tracking.request(phone)), guti=phone.guti)
    assert probe.names == ["Authentication request"]
    probe.uplink(nas.encode(nas.AuthenticationResponse(res=bytes(8))))
    assert probe.names[1] == "Identity request"  # the GUTI may have named the wrong one
    net.run(40)
    probe.released()
    is_registered(net, connected=False)


def test_an_update_while_the_hss_is_silent(idle: Network) -> None:
    idle.link("S6a").weather = Weather(1, loss=1.0)
    phone = idle.phones[IMSI]
    probe = Probe(idle)
    probe.initial(nas.encode(tracking.request(phone)), guti=phone.guti)
    idle.run(11)
    assert probe.nas.NAME == "Tracking area update reject"
    assert probe.nas.emm_cause == 17
    probe.released()
    assert len(idle.core.mme.ues) == 1


def test_an_update_that_was_changed_on_the_way_is_replaced(idle: Network) -> None:
    idle.loop.tell(PHONE, BreakCommand("wrong_mac"))
    idle.loop.tell(PHONE, AreaUpdateCommand())
    idle.command(PHONE, BreakCommand("altered_request"))
    complete: Any = idle.nas("Security mode complete")
    assert complete.replayed_nas_message_container[:2] == b"\x07\x48"
    assert idle.phones[IMSI].last.startswith("updated")
