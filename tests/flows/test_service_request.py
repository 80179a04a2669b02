# SPDX-License-Identifier: Apache-2.0
"""Back from idle (TS 24.301, 5.6.1): bearers for who proves himself, the right cause for everybody else."""

from collections.abc import Callable
from typing import Any

import pytest
from network import NOTHING, Network, imsi_of
from probe import HOME, Probe, protected, service_request

from dialtone.codec import nas, s1ap
from dialtone.codec.nas.capabilities import EPSBearerContextStatus
from dialtone.codec.nas.identities import Tmsi
from dialtone.codec.s1ap.causes import Cause
from dialtone.codec.s1ap.context import ERABSetupItemCtxtSURes
from dialtone.crypto.kdf import derive_kenb
from dialtone.ids import Guti, Plmn, Tai
from dialtone.links.memory import Weather
from dialtone.mme.detach import DetachUe
from dialtone.sim.enb import EnbConfig
from dialtone.sim.power import BreakCommand
from dialtone.sim.service import MO_CS_FALLBACK, ServiceCommand, UplinkWaiting
from dialtone.sim.states import EmmState

IMSI = imsi_of(1)
PHONE = f"ue-{IMSI}"


@pytest.fixture
def idle(net: Network) -> Probe:
    """A registered phone that is idle, and an eNB to come back by."""
    net.attach()
    net.idle()
    return Probe(net)


def guti_of(net: Network) -> Guti:
    guti = net.phones[IMSI].guti
    assert guti is not None
    return guti


def extended(net: Network, service_type: int, *active: int) -> nas.ExtendedServiceRequest:
    status = EPSBearerContextStatus.of(active) if active else None
    return nas.ExtendedServiceRequest(service_type=service_type, nas_key_set_identifier=0,
                                      m_tmsi=Tmsi(guti_of(net).m_tmsi), eps_bearer_context_status=status)


def is_back(net: Network) -> None:
    ue = net.core.mme.by_imsi[IMSI]
    assert (ue.emm, ue.ecm) == ("EMM-REGISTERED", "ECM-CONNECTED")
    assert all(bearer.to is not None for bearer in net.forwarder.bearers.values())
    assert len(net.core.mme.ues) == len(net.core.mme.by_s11_teid) == 1


# ---- success -----------------------------------------------------------------------------------------------


def test_a_phone_comes_back_by_itself(net: Network) -> None:
    phone = net.attach()
    net.idle()
    assert not phone.connected
    for times in range(1, 41):  # more than the 32 values of the sequence number that the message carries
        net.command(PHONE, ServiceCommand(), 0.1)
        assert phone.emm == EmmState.REGISTERED
        assert phone.connected
        assert phone.counters["K_eNB equal"] == times + 1
        is_back(net)
        net.idle()
    assert net.verdicts()[-1].startswith("ok: back from idle with internet")
    assert len(net.sent("Authentication request")) == len(net.sent("Create Session Request")) == 1
    assert not net.sent("Service reject")


def test_the_context_is_set_up_with_what_is_known(net: Network, idle: Probe) -> None:
    phone = net.phones[IMSI]
    idle.initial(service_request(phone), guti=guti_of(net))
    setup = idle.last(s1ap.InitialContextSetupRequest)
    context = net.core.mme.by_imsi[IMSI].security
    assert context is not None
    assert setup.security_key == derive_kenb(context.kasme, context.ul_count)
    assert setup.ue_radio_capability == net.core.mme.by_imsi[IMSI].radio_capability is not None
    assert [item.e_rab_id for item in setup.e_rab_to_be_setup_list] == [5]
    assert setup.e_rab_to_be_setup_list[0].nas_pdu is None
    idle.set_up()
    is_back(net)
    [bearer] = net.forwarder.bearers.values()
    assert (bearer.to, bearer.remote_teid) == (("127.0.0.9", 2152), 0x905)
    assert not [key for key in net.loop.timers() if isinstance(key, tuple) and key[:2] == ("mme", "implicit detach")]


def test_uplink_data_brings_a_phone_back(net: Network) -> None:
    phone = net.attach()
    net.command(PHONE, UplinkWaiting())
    assert not phone.counters["service request"]  # it has its bearers
    net.idle()
    net.command(PHONE, UplinkWaiting())
    is_back(net)


def test_packet_services_by_an_extended_service_request(net: Network) -> None:
    phone = net.attach()
    net.idle()
    net.command(PHONE, ServiceCommand(extended=True))
    assert phone.counters["K_eNB equal"] == 2
    is_back(net)


def test_the_phone_comes_back_while_its_old_connection_still_stands(net: Network) -> None:
    phone = net.attach()
    old = net.core.mme.by_imsi[IMSI].number
    probe = Probe(net)
    probe.initial(service_request(phone), guti=phone.guti)
    assert net.sent("UEContextReleaseCommand")
    assert not net.enbs[0].ues
    probe.set_up()
    is_back(net)
    assert net.core.mme.by_imsi[IMSI].number != old


def test_the_phone_comes_back_before_its_release_is_confirmed(net: Network) -> None:
    phone = net.attach()
    probe = Probe(net)
    probe.initial(service_request(phone), guti=phone.guti)
    probe.set_up()
    ue = net.core.mme.by_imsi[IMSI]
    probe.tell(s1ap.UEContextReleaseRequest(mme_ue_s1ap_id=ue.number, enb_ue_s1ap_id=1,
                                            cause=Cause.of("radioNetwork", "user-inactivity")))
    probe.initial(service_request(phone), 2, guti=phone.guti)
    assert len([name for name in probe.names if name == "UEContextReleaseCommand"]) == 1
    probe.set_up()
    assert ue.ecm == "ECM-CONNECTED"
    net.run(6)  # the eNB never confirms the old one
    is_back(net)


# ---- what one side lost ------------------------------------------------------------------------------------


def test_a_bearer_that_the_enb_cannot_set_up_ends_on_both_sides(net: Network) -> None:
    phone = net.attach()
    net.idle()
    probe = Probe(net)
    probe.initial(service_request(phone), guti=phone.guti)
    setup = probe.last(s1ap.InitialContextSetupRequest)
    probe.tell(s1ap.InitialContextSetupResponse(
        mme_ue_s1ap_id=setup.mme_ue_s1ap_id, enb_ue_s1ap_id=1,
        e_rab_setup_list=(ERABSetupItemCtxtSURes(7, bytes(4), 1),)))
    assert "set up no bearer for internet" in net.verdicts()[-1]
    probe.released()
    assert net.leaks() == NOTHING


def test_an_enb_without_room_for_any_bearer(net: Network) -> None:
    phone = net.attach()
    net.idle()
    net.enbs[0].refused_bearers = {5}
    net.command(PHONE, ServiceCommand())
    assert phone.emm == EmmState.REGISTERED
    assert not phone.connected
    assert "radio-resources-not-available" in net.verdicts()[-1]
    net.enbs[0].refused_bearers = set()
    net.command(PHONE, ServiceCommand())
    is_back(net)


def test_a_bearer_that_the_phone_lost_ends_at_the_gateway(net: Network, idle: Probe) -> None:
    phone = net.phones[IMSI]
    idle.initial(protected(phone, extended(net, 8, 6)), guti=phone.guti)
    reject: Any = net.nas("Service reject")
    assert reject.emm_cause == 40
    idle.released()
    assert net.leaks() == NOTHING


# ---- refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["bad MAC", "no such GUTI", "plain, extended", "replay"])
def test_without_proof_nobody_is_harmed(net: Network, idle: Probe, kind: str) -> None:
    guti = guti_of(net)
    phone = net.phones[IMSI]
    match kind:
        case "bad MAC":
            idle.initial(service_request(phone, good=False), guti=guti)
        case "no such GUTI":
            idle.initial(service_request(phone), guti=guti._replace(m_tmsi=0xC0000001))
        case "plain, extended":
            idle.initial(nas.encode(extended(net, 8)), guti=guti)
        case "replay":
            octets = service_request(phone)
            idle.initial(octets, guti=guti)
            idle.set_up()
            idle.initial(octets, 2, guti=guti)
    assert idle.nas.emm_cause == 9
    assert idle.names[-1] == "UEContextReleaseCommand"
    idle.released()
    assert net.core.mme.by_imsi[IMSI].emm == EmmState.REGISTERED
    assert len(net.core.mme.ues) == 1


def test_a_phone_that_was_detached_meanwhile_is_told_and_attaches_again(net: Network) -> None:
    phone = net.attach()
    net.idle()
    net.command("mme", DetachUe(IMSI))
    net.command(PHONE, ServiceCommand())
    reject: Any = net.nas("Service reject")
    assert reject.emm_cause == 10
    assert phone.emm == EmmState.REGISTERED
    assert len(net.sent("Authentication request")) == 1  # by its GUTI, which is remembered
    is_back(net)


def test_a_phone_with_broken_keys_attaches_by_its_imsi(net: Network) -> None:
    phone = net.attach()
    net.idle()
    net.fault("wrong_mac")
    net.loop.tell(PHONE, ServiceCommand())
    net.command(PHONE, BreakCommand(None))
    assert len(net.sent("Authentication request")) == 2
    assert phone.emm == EmmState.REGISTERED
    is_back(net)


@pytest.mark.parametrize(("tai", "cause"), [(Tai(HOME, 9), 15), (Tai(Plmn("999", "70"), 1), 11)])
def test_an_area_that_is_not_served(net: Network, idle: Probe, tai: Tai, cause: int) -> None:
    idle.initial(service_request(net.phones[IMSI]), guti=guti_of(net), tai=tai)
    reject: Any = net.nas("Service reject")
    assert reject.emm_cause == cause
    idle.released()
    ue = net.core.mme.by_imsi[IMSI]
    assert (ue.emm, ue.ecm) == ("EMM-REGISTERED", "ECM-IDLE")


@pytest.mark.parametrize("connected", [False, True])
def test_a_circuit_switched_call_is_refused_and_nothing_else(net: Network, connected: bool) -> None:
    phone = net.attach()
    if not connected:
        net.idle()
    net.command(PHONE, ServiceCommand(extended=True, service_type=MO_CS_FALLBACK))
    reject: Any = net.nas("Service reject")
    assert reject.emm_cause == 18
    assert "VoLTE" in net.verdicts()[-1]
    assert (phone.emm, phone.connected) == (EmmState.REGISTERED, connected)
    assert net.core.mme.by_imsi[IMSI].ecm == ("ECM-CONNECTED" if connected else "ECM-IDLE")
    net.command(PHONE, ServiceCommand())
    is_back(net)


# ---- what goes wrong on the way ---------------------------------------------------------------------------------


def test_the_same_request_again_is_being_served(net: Network, idle: Probe) -> None:
    phone = net.phones[IMSI]
    idle.initial(service_request(phone), guti=guti_of(net))
    setup = idle.last(s1ap.InitialContextSetupRequest)
    phone.nas.secure = True
    idle.tell(s1ap.UplinkNASTransport(
        mme_ue_s1ap_id=setup.mme_ue_s1ap_id, enb_ue_s1ap_id=1, nas_pdu=service_request(phone), tai=Tai(HOME, 1),
        eutran_cgi=net.enbs[0].config.ecgi))
    assert idle.names == ["InitialContextSetupRequest"]
    idle.set_up()
    is_back(net)


@pytest.mark.parametrize("how", ["failure", "silence", "release request"])
def test_a_context_that_comes_to_nothing_leaves_the_phone_idle(net: Network, idle: Probe, how: str) -> None:
    phone = net.phones[IMSI]
    idle.initial(service_request(phone), guti=guti_of(net))
    setup = idle.last(s1ap.InitialContextSetupRequest)
    ids = {"mme_ue_s1ap_id": setup.mme_ue_s1ap_id, "enb_ue_s1ap_id": setup.enb_ue_s1ap_id}
    lost = Cause.of("radioNetwork", "radio-connection-with-ue-lost")
    match how:
        case "failure":
            idle.tell(s1ap.InitialContextSetupFailure(**ids, cause=lost))
        case "silence":
            net.run(10.1)
        case "release request":
            idle.tell(s1ap.UEContextReleaseRequest(**ids, cause=lost))
    assert idle.names[-1] == "UEContextReleaseCommand"
    idle.released()
    ue = net.core.mme.by_imsi[IMSI]
    assert (ue.emm, ue.ecm) == ("EMM-REGISTERED", "ECM-IDLE")
    net.command(PHONE, ServiceCommand())
    is_back(net)


def test_the_radio_fails_at_every_context_setup(net: Network) -> None:
    phone = net.attach()
    net.idle()
    net.fault("no_context")
    net.command(PHONE, ServiceCommand(), 6)
    assert phone.emm == EmmState.REGISTERED
    assert not phone.connected
    assert net.core.mme.by_imsi[IMSI].ecm == "ECM-IDLE"


def test_nobody_answers_the_phone(net: Network) -> None:
    phone = net.attach()
    net.idle()
    net.s1_mme.weather = Weather(1, loss=1.0)
    net.command(PHONE, ServiceCommand(), 6)
    assert phone.emm == EmmState.REGISTERED
    assert phone.last == "service request failed: no answer in time (T3417)"
    net.s1_mme.weather = None
    net.command(PHONE, ServiceCommand(), 1)
    is_back(net)


def test_a_detach_that_the_phone_has_not_heard_goes_on_where_it_comes_back(net: Network) -> None:
    phone = net.attach()
    net.loop.tell("mme", DetachUe(IMSI))
    phone.deaf = True
    net.run(1)
    phone.deaf = False
    probe = Probe(net)
    probe.initial(service_request(phone), guti=phone.guti)
    assert probe.names == ["DownlinkNASTransport"]
    phone.nas.secure = True
    probe.uplink(protected(phone, nas.DetachAccept()))
    assert net.verdicts()[-1] == "ok: detached by the network"
    probe.released()
    assert net.leaks() == NOTHING


def test_over_another_enb(make_network: Callable[..., Network]) -> None:
    net = make_network(enbs=(EnbConfig(), EnbConfig(enb_id=0x102, enb_name="sim-enb2")))
    phone = net.attach()
    net.idle()
    phone.cell = net.enbs[1].cell
    net.command(PHONE, ServiceCommand())
    is_back(net)
    ue = net.core.mme.by_imsi[IMSI]
    assert ue.enb is not None
    assert ue.enb.name == "sim-enb2"
