# SPDX-License-Identifier: Apache-2.0
"""Tracking area update (TS 24.301, 5.5.3), combined procedures (5.5.1.3, 5.5.3.3) and GUTI reallocation (5.4.1)."""

from collections.abc import Callable
from typing import Any

import pytest
from network import NOTHING, Network, imsi_of, settings
from probe import HOME, Probe, attach_request, protected, service_request

from dialtone.codec import nas, s1ap
from dialtone.codec.nas.identities import Lai
from dialtone.codec.nas.security import SecurityHeaderType, join
from dialtone.crypto.nas_security import UPLINK
from dialtone.ids import Guti, Plmn, Tai
from dialtone.links.memory import Weather
from dialtone.mme.detach import DetachUe
from dialtone.mme.guti_reallocation import ReallocateGuti
from dialtone.sim import tracking
from dialtone.sim.enb import EnbConfig
from dialtone.sim.phone import Cell, Handset
from dialtone.sim.power import BreakCommand, MoveCommand
from dialtone.sim.service import ServiceCommand
from dialtone.sim.states import EmmState
from dialtone.sim.tracking import AreaUpdateCommand

IMSI = imsi_of(1)
PHONE = f"ue-{IMSI}"


@pytest.fixture
def idle(net: Network) -> Network:
    """A registered phone that is idle."""
    net.attach()
    net.idle()
    return net


def accept_of(net: Network) -> Any:
    return net.nas("Tracking area update accept")


def integrity_protected(net: Network, message: Any) -> bytes:
    """Under the phone's keys, not ciphered: so a first message goes out (TS 24.301, 4.4.5)."""
    context = net.phones[IMSI].nas.current
    assert context is not None
    assert context.keys is not None
    count, context.uplink = context.uplink, context.uplink + 1
    plain = nas.encode(message)
    mac = context.keys.mac(count, UPLINK, bytes((count & 255,)) + plain)
    return join(SecurityHeaderType.INTEGRITY, mac, count & 255, plain)


def is_registered(net: Network, *, connected: bool) -> None:
    ue = net.core.mme.by_imsi[IMSI]
    assert (ue.emm, ue.ecm) == ("EMM-REGISTERED", "ECM-CONNECTED" if connected else "ECM-IDLE")
    phone = net.phones[IMSI]
    assert (phone.emm, phone.connected, phone.guti) == (EmmState.REGISTERED, connected, ue.guti)
    assert ue.new_guti is None
    assert len(net.core.mme.by_m_tmsi) == len(net.core.mme.ues) == len(net.core.mme.by_s11_teid) == 1


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


# ---- refused -----------------------------------------------------------------------------------------------------


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


# ---- repetitions and collisions -----------------------------------------------------------------------------------


def start_update(net: Network, probe: Probe) -> nas.TrackingAreaUpdateRequest:
    phone = net.phones[IMSI]
    request = tracking.request(phone)
    probe.initial(integrity_protected(net, request), guti=phone.guti)
    phone.nas.secure = True
    return request


def test_the_accept_is_repeated_and_both_gutis_stay_valid(idle: Network) -> None:
    phone = idle.phones[IMSI]
    probe = Probe(idle)
    start_update(idle, probe)
    idle.run(31)
    assert len(idle.sent("Tracking area update accept", "mme")) == 5
    assert "both are valid" in idle.verdicts()[-1]
    probe.released()
    ue = idle.core.mme.by_imsi[IMSI]
    assert ue.new_guti is not None
    assert ue.ecm == "ECM-IDLE"
    old, new = ue.guti, ue.new_guti
    # The phone is called by the old one, then by the new one; it answers by the one that it has.
    phone.guti, phone.nas.secure = new, False
    [bearer] = idle.forwarder.bearers.values()
    idle.downlink(bytes.fromhex("4500001c00000000401100000808080a") + bearer.ue + bytes(8), 6)
    ids = [s1ap.decode(event.data).ue_paging_id.m_tmsi for event in idle.sent("Paging")]  # type: ignore[union-attr]
    assert old is not None
    assert list(dict.fromkeys(ids)) == [old.m_tmsi, new.m_tmsi]
    assert len(idle.delivered) == 1
    is_registered(idle, connected=True)


def test_the_phone_has_missed_its_new_guti_and_gets_it_again(idle: Network) -> None:
    phone = idle.phones[IMSI]
    probe = Probe(idle)
    start_update(idle, probe)
    new = idle.core.mme.by_imsi[IMSI].new_guti
    idle.run(31)
    probe.released()
    phone.nas.secure = False
    idle.command(PHONE, AreaUpdateCommand(periodic=True))
    assert phone.guti == new
    is_registered(idle, connected=False)


def test_the_same_update_again_gets_the_accept_again(idle: Network) -> None:
    probe = Probe(idle)
    request = start_update(idle, probe)
    probe.uplink(protected(idle.phones[IMSI], request))
    assert len(idle.sent("Tracking area update accept")) == 2
    request.eps_update_type = 8
    probe.uplink(protected(idle.phones[IMSI], request))  # another one takes the place of the first
    assert len(idle.sent("Tracking area update accept")) == 3
    assert probe.names[-1] == "InitialContextSetupRequest"
    probe.set_up()
    probe.uplink(protected(idle.phones[IMSI], nas.TrackingAreaUpdateComplete()))
    assert idle.core.mme.by_imsi[IMSI].new_guti is None


def test_the_same_plain_request_again_while_the_challenge_is_open(net: Network) -> None:
    phone = net.attach()
    net.idle()
    probe = Probe(net)
    octets = nas.encode(tracking.request(phone))
    probe.initial(octets, guti=phone.guti)
    probe.uplink(octets)
    assert probe.names == ["Authentication request"]


@pytest.mark.parametrize("what", ["attach", "detach", "service request"])
def test_another_procedure_in_the_middle_of_an_update(idle: Network, what: str) -> None:
    phone = idle.phones[IMSI]
    probe = Probe(idle)
    start_update(idle, probe)
    match what:
        case "attach":
            probe.initial(attach_request(phone), 2, guti=phone.guti)
            probe.set_up()
        case "detach":
            probe.uplink(protected(phone, nas.DetachRequestUEOriginating(
                detach_type=1, nas_key_set_identifier=0, eps_mobile_identity=phone.guti)))  # type: ignore[arg-type]
            assert IMSI not in idle.core.mme.by_imsi
        case "service request":
            probe.initial(service_request(phone), 2, guti=phone.guti)
            probe.set_up()
            assert idle.core.mme.by_imsi[IMSI].ecm == "ECM-CONNECTED"
    assert ("mme", "T3450") not in {key[:2] for key in idle.loop.timers() if isinstance(key, tuple)} or what == "attach"


def test_an_update_in_the_middle_of_a_detach_by_the_network(net: Network) -> None:
    phone = net.attach()
    phone.deaf = True
    net.command("mme", DetachUe(IMSI))
    phone.deaf = False
    net.nas_from(phone, protected(phone, tracking.request(phone)))
    assert not net.sent("Tracking area update accept")
    net.run(7)  # the repetition is heard
    assert phone.emm == EmmState.DEREGISTERED
    assert net.leaks() == NOTHING


def test_the_context_setup_of_an_update_fails(idle: Network) -> None:
    idle.fault("no_context")
    idle.command(PHONE, AreaUpdateCommand(active=True), 2)
    ue = idle.core.mme.by_imsi[IMSI]
    assert ue.ecm == "ECM-IDLE"
    assert idle.phones[IMSI].emm == EmmState.REGISTERED
    idle.fault(None)
    idle.command(PHONE, AreaUpdateCommand(active=True), 2)
    is_registered(idle, connected=True)


@pytest.mark.parametrize("message", [nas.TrackingAreaUpdateComplete(), nas.GUTIReallocationComplete()])
def test_a_complete_that_nobody_waits_for(net: Network, message: Any) -> None:
    phone = net.attach()
    net.nas_from(phone, protected(phone, message))
    status: Any = net.nas("EMM status")
    assert status.emm_cause == 98
    is_registered(net, connected=True)


@pytest.mark.parametrize("octets", [b"\x07\x48\x0b", b"\x07\x4c\x00\x05\xf4\0\0\0"])
@pytest.mark.parametrize("connected", [False, True])
def test_a_request_that_is_cut_short_is_refused(net: Network, octets: bytes, connected: bool) -> None:
    phone = net.attach()
    if not connected:
        net.idle()
        probe = Probe(net)
        probe.initial(octets, guti=phone.guti)
        assert probe.nas.emm_cause == 96
        assert probe.names[-1] == "UEContextReleaseCommand"
        probe.released()
        assert len(net.core.mme.ues) == 1
    else:
        context = phone.nas.current
        assert context is not None
        assert context.keys is not None
        count, context.uplink = context.uplink, context.uplink + 1
        mac = context.keys.mac(count, UPLINK, bytes((count & 255,)) + octets)
        net.nas_from(phone, join(SecurityHeaderType.INTEGRITY, mac, count & 255, octets))
        assert net.core.mme.by_imsi[IMSI].emm == EmmState.REGISTERED


# ---- GUTI reallocation ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("connected", [True, False])
def test_a_new_guti_by_command(net: Network, connected: bool) -> None:
    phone = net.attach()
    old = phone.guti
    if not connected:
        net.idle()
    net.command("mme", ReallocateGuti(IMSI), 2)
    assert len(net.sent("Paging")) == (not connected)
    assert phone.guti != old
    assert net.verdicts()[-1] == f"ok: the phone is {phone.guti} now"
    is_registered(net, connected=True)
    assert isinstance(phone.guti, Guti)
    net.idle()
    net.command(PHONE, ServiceCommand())
    is_registered(net, connected=True)


def test_a_new_guti_that_the_phone_never_confirms(net: Network) -> None:
    net.attach()
    net.fault("silent")
    net.command("mme", ReallocateGuti(IMSI), 31)
    assert len(net.sent("GUTI reallocation command")) == 5
    assert "both are valid" in net.verdicts()[-1]
    assert net.core.mme.by_imsi[IMSI].emm == EmmState.REGISTERED


def test_a_new_guti_for_a_phone_that_is_away(idle: Network) -> None:
    idle.fault("silent")
    idle.command("mme", ReallocateGuti(IMSI), 17)
    assert "could not be reached" in idle.verdicts()[-1]
    idle.command("mme", ReallocateGuti("001010000000099"))
    idle.fault(None)
    is_registered(idle, connected=False)
