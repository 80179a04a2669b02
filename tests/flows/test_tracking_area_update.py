# SPDX-License-Identifier: Apache-2.0
"""Tracking area update (TS 24.301, 5.5.3), combined procedures (5.5.1.3, 5.5.3.3) and GUTI reallocation (5.4.1)."""

from collections.abc import Callable
from typing import Any

import pytest
from network import Network, settings
from probe import HOME, Probe, protected
from update_flows import IMSI, PHONE, accept_of, integrity_protected, is_registered

from dialtone.codec import nas
from dialtone.codec.nas.identities import Lai
from dialtone.ids import Tai
from dialtone.links.memory import Weather
from dialtone.sim import tracking
from dialtone.sim.enb import EnbConfig
from dialtone.sim.phone import Handset
from dialtone.sim.power import MoveCommand
from dialtone.sim.service import ServiceCommand
from dialtone.sim.states import EmmState
from dialtone.sim.tracking import AreaUpdateCommand

# ---- accepted ----------------------------------------------------------------------------------------------------


def test_an_idle_phone_updates_and_is_idle_again(idle: Network) -> None:
    phone = idle.phones[IMSI]
    old = phone.guti
    idle.command(PHONE, AreaUpdateCommand())
    accept = accept_of(idle)
    assert accept.eps_update_result == 0
    assert accept.eps_network_feature_support.ims_vops
    assert accept.t3412_value.seconds == 3240
    assert list(accept.tai_list) == [Tai(HOME, 1)]
    assert accept.eps_bearer_context_status.active == {5}
    assert accept.emm_cause is None
    assert phone.guti == accept.guti != old
    is_registered(idle, connected=False)
    assert len(idle.sent("InitialContextSetupRequest")) == 1  # that of the attach
    idle.command(PHONE, ServiceCommand())
    assert phone.connected


def test_with_the_active_flag_the_bearers_come_with_the_accept(idle: Network) -> None:
    idle.command(PHONE, AreaUpdateCommand(active=True))
    phone = idle.phones[IMSI]
    assert phone.counters["K_eNB equal"] == 2
    assert all(bearer.to is not None for bearer in idle.forwarder.bearers.values())
    is_registered(idle, connected=True)


def test_a_connected_phone_updates_and_stays_connected(net: Network) -> None:
    net.attach()
    net.command(PHONE, AreaUpdateCommand())
    is_registered(net, connected=True)
    assert accept_of(net).eps_update_result == 0
    net.command(PHONE, AreaUpdateCommand(active=True))  # it has its bearers: no second context setup
    is_registered(net, connected=True)
    assert len(net.sent("InitialContextSetupRequest")) == 1


def test_a_quiet_phone_updates_periodically_and_is_never_detached(idle: Network) -> None:
    phone = idle.phones[IMSI]
    guti = phone.guti
    for times in range(1, 4):
        idle.run(3250)
        assert phone.counters["tracking area update"] == times
    assert accept_of(idle).guti is None  # only its sign of life was wanted
    assert phone.guti == guti
    is_registered(idle, connected=False)
    assert not idle.sent("Paging")


@pytest.mark.parametrize("retried", [False, True])
def test_a_move_to_another_area(make_network: Callable[..., Network], retried: bool) -> None:
    net = make_network(config=settings(tac=(1, 2)), enbs=(
        EnbConfig(), EnbConfig(enb_id=0x102, enb_name="sim-enb2", areas=((2, (HOME,)),))), handset=Handset())
    phone = net.attach()
    net.idle()
    phone.tais = (Tai(HOME, 1),)
    if retried:
        net.s1_mme.weather = Weather(1, loss=1.0)
        net.command(PHONE, MoveCommand(net.enbs[1].cell), 16)
        assert phone.last == "tracking area update failed: no answer in time (T3430)"
        net.s1_mme.weather = None
        net.run(10)
    else:
        net.command(PHONE, MoveCommand(net.enbs[1].cell))
    assert phone.tais == (Tai(HOME, 2), Tai(HOME, 1))
    assert net.core.mme.by_imsi[IMSI].tais == phone.tais
    is_registered(net, connected=False)


def test_data_that_waits_brings_the_bearers_without_being_asked(idle: Network) -> None:
    [bearer] = idle.forwarder.bearers.values()
    idle.downlink(bytes.fromhex("4500001c00000000401100000808080a") + bearer.ue + bytes(8))
    idle.command(PHONE, AreaUpdateCommand(), 0.1)
    assert len(idle.delivered) == 1
    is_registered(idle, connected=True)


def test_data_that_comes_before_the_complete_brings_the_bearers_after_it(net: Network) -> None:
    phone = net.attach()
    net.idle()
    probe = Probe(net)
    probe.initial(integrity_protected(net, tracking.request(phone)), guti=phone.guti)
    [bearer] = net.forwarder.bearers.values()
    net.downlink(bytes.fromhex("4500001c00000000401100000808080a") + bearer.ue + bytes(8))
    assert not net.sent("Paging")
    phone.nas.secure = True
    probe.uplink(protected(phone, nas.TrackingAreaUpdateComplete()))
    probe.set_up()
    assert len(net.delivered) == 1


def test_the_radio_capability_is_erased_when_told(idle: Network) -> None:
    request = tracking.request(idle.phones[IMSI])
    request.ue_radio_capability_information_update_needed = 1
    request.drx_parameter = b"\x00\x60"
    probe = Probe(idle)
    probe.initial(integrity_protected(idle, request), guti=idle.phones[IMSI].guti)
    ue = idle.core.mme.by_imsi[IMSI]
    assert ue.radio_capability is None
    assert ue.drx == 32


# ---- bearer context status ------------------------------------------------------------------------------------


def test_a_phone_that_lost_all_its_bearers_attaches_again(idle: Network) -> None:
    phone = idle.phones[IMSI]
    for pdn in list(phone.pdns.values()):
        phone.pdns[6] = phone.pdns.pop(pdn.ebi)
    idle.command(PHONE, AreaUpdateCommand())
    reject: Any = idle.nas("Tracking area update reject")
    assert reject.emm_cause == 40
    assert phone.emm == EmmState.REGISTERED  # it came by its GUTI
    assert len(idle.sent("Authentication request")) == 1
    assert len(idle.core.pgw.sessions) == 1


def test_a_bearer_that_the_network_lost_goes_from_the_phone(idle: Network) -> None:
    phone = idle.phones[IMSI]
    [pdn] = phone.pdns.values()
    phone.pdns[6] = type(pdn)(6, "ims", pdn.address, 5, state=pdn.state)
    idle.command(PHONE, AreaUpdateCommand())
    assert list(phone.pdns) == [5]
    is_registered(idle, connected=False)


# ---- combined ----------------------------------------------------------------------------------------------------


def test_sms_only_is_granted_with_an_area_that_nobody_broadcasts(make_network: Callable[..., Network]) -> None:
    net = make_network(handset=Handset(retries=False, combined=True))
    phone = net.attach()
    accept: Any = net.nas("Attach accept")
    assert accept.eps_attach_result == 2
    assert accept.location_area_identification == Lai(HOME, 0xFFFD)
    assert accept.additional_update_result == 2
    assert accept.emm_cause is None
    assert phone.sms
    net.idle()
    net.command(PHONE, AreaUpdateCommand())
    accept = accept_of(net)
    assert (accept.eps_update_result, accept.additional_update_result, accept.emm_cause) == (1, 2, None)
    assert accept.location_area_identification == Lai(HOME, 0xFFFD)
    assert accept.eps_network_feature_support.ims_vops
    request: Any = net.nas("Tracking area update request")
    assert request.eps_update_type == 1
    assert phone.sms


def test_who_wants_calls_is_taken_for_eps_only_with_cause_18(make_network: Callable[..., Network]) -> None:
    net = make_network(handset=Handset(retries=False, combined=True, sms_only=False))
    phone = net.attach()
    accept: Any = net.nas("Attach accept")
    assert (accept.eps_attach_result, accept.additional_update_result, accept.emm_cause) == (1, None, 18)
    net.idle()
    net.command(PHONE, AreaUpdateCommand())
    accept = accept_of(net)
    assert (accept.eps_update_result, accept.additional_update_result, accept.emm_cause) == (0, None, 18)
    assert accept.location_area_identification is None
    request: Any = net.nas("Tracking area update request")
    assert request.eps_update_type == 2  # with IMSI attach: it has no SMS yet
    assert not phone.sms
    assert phone.ims_vops
