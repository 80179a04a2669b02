# SPDX-License-Identifier: Apache-2.0
"""Detach by the phone, by the network and by time (TS 24.301, 5.5.2 and 5.3.5)."""

from collections.abc import Callable

import pytest
from network import NOTHING, Network, imsi_of
from probe import Probe, protected

from dialtone.codec import nas
from dialtone.codec.nas.identities import Imsi
from dialtone.codec.nas.values import SWITCH_OFF, UeDetachType
from dialtone.mme.detach import DetachUe
from dialtone.sim.enb import EnbConfig
from dialtone.sim.service import ServiceCommand
from dialtone.sim.states import EmmState
from dialtone.sim.ue_context import InactivityCommand

IMSI = imsi_of(1)


def test_a_detach_is_answered_and_released(net: Network) -> None:
    net.attach()
    phone = net.detach()
    assert phone.emm == EmmState.DEREGISTERED
    assert len(net.sent("Detach accept")) == 1
    assert net.verdicts()[-1] == "ok: the phone has detached"
    assert net.leaks() == NOTHING


def test_switching_off_is_not_answered(net: Network) -> None:
    net.attach()
    net.detach(switch_off=True)
    assert not net.sent("Detach accept")
    assert net.verdicts()[-1] == "ok: the phone is switched off"
    assert net.leaks() == NOTHING


def test_a_detach_in_the_middle_of_an_attach(net: Network) -> None:
    net.fault("silent_after:Security mode complete")
    phone = net.attach()
    phone.faults, phone.deaf = phone.faults.named(None), False
    net.detach()
    assert phone.emm == EmmState.DEREGISTERED
    assert net.leaks() == NOTHING


@pytest.mark.parametrize("reattach", [False, True])
def test_a_detach_by_the_network(net: Network, reattach: bool) -> None:
    phone = net.attach()
    net.command("mme", DetachUe(IMSI, reattach))
    assert "ok: detached by the network" in net.verdicts()
    assert len(net.sent("Detach request")) == 1
    if reattach:
        assert phone.emm == EmmState.REGISTERED
        assert len(net.sent("Authentication request")) == 1  # it came back with its GUTI
    else:
        assert phone.emm == EmmState.DEREGISTERED
        assert net.leaks() == NOTHING


def test_a_detach_by_the_network_that_the_phone_does_not_hear(net: Network) -> None:
    net.attach()
    net.fault("silent")
    net.command("mme", DetachUe(IMSI), seconds=31.0)
    assert len(net.sent("Detach request")) == 5
    assert net.verdicts()[-1] == "ok: detached by the network; the phone did not confirm"
    assert net.leaks() == NOTHING


def test_both_sides_detach_at_once(net: Network) -> None:
    net.attach()
    net.loop.tell("mme", DetachUe(IMSI))
    net.detach()
    assert net.phones[IMSI].emm == EmmState.DEREGISTERED
    assert net.leaks() == NOTHING


def test_the_connection_is_lost_in_the_middle_of_a_detach(net: Network) -> None:
    net.attach()
    net.fault("silent")
    net.command("mme", DetachUe(IMSI))
    net.lose_s1()
    assert net.verdicts()[-2] == "ok: detached by the network; sim-enb1 is gone: abort before the phone confirmed"
    assert net.leaks() == NOTHING


def test_a_detach_of_a_phone_that_is_idle_or_unknown(net: Network) -> None:
    net.command("mme", DetachUe(IMSI))
    net.attach()
    net.command("enb1", InactivityCommand(f"ue-{IMSI}"))
    net.command("mme", DetachUe(IMSI))
    assert net.verdicts()[-1] == "ok: detached by the network, without telling the phone"
    assert net.leaks() == NOTHING


@pytest.mark.parametrize("reattach", [False, True])
def test_an_idle_phone_is_called_to_be_detached(net: Network, reattach: bool) -> None:
    phone = net.attach()
    net.idle()
    net.command("mme", DetachUe(IMSI, reattach, page=True), 3)
    assert len(net.sent("Paging")) == len(net.sent("Detach request")) == 1
    assert "ok: detached by the network" in net.verdicts()
    assert phone.emm == (EmmState.REGISTERED if reattach else EmmState.DEREGISTERED)


def test_an_idle_phone_that_does_not_answer_is_detached_all_the_same(net: Network) -> None:
    net.attach()
    net.idle()
    net.fault("silent")
    net.command("mme", DetachUe(IMSI, page=True), 17)
    assert net.verdicts()[-1] == "ok: detached by the network, without telling the phone"
    assert net.leaks() == NOTHING


# ---- on another connection -------------------------------------------------------------------------------


def request(net: Network, kind: int, *, imsi: bool = False) -> nas.DetachRequestUEOriginating:
    guti = net.phones[IMSI].guti
    assert guti is not None
    return nas.DetachRequestUEOriginating(
        detach_type=kind, nas_key_set_identifier=0, eps_mobile_identity=Imsi(IMSI) if imsi else guti)


@pytest.mark.parametrize("kind", [UeDetachType.EPS, UeDetachType.EPS | SWITCH_OFF, UeDetachType.COMBINED])
def test_a_proven_detach_on_a_new_connection_ends_the_registration(net: Network, kind: int) -> None:
    phone = net.attach()
    probe = Probe(net)
    probe.initial(protected(phone, request(net, kind)), guti=phone.guti)
    assert IMSI not in net.core.mme.by_imsi
    assert ("DownlinkNASTransport" in probe.names) == (not kind & SWITCH_OFF)
    probe.released()
    assert net.leaks() == NOTHING
    (known,) = net.core.mme.memory.by_m_tmsi.values()
    assert known.imsi == IMSI


@pytest.mark.parametrize("imsi", [False, True])
@pytest.mark.parametrize("kind", [UeDetachType.EPS, UeDetachType.EPS | SWITCH_OFF])
def test_an_unproven_detach_harms_nobody(net: Network, kind: int, imsi: bool) -> None:
    phone = net.attach()
    probe = Probe(net)
    probe.initial(nas.encode(request(net, kind, imsi=imsi)), guti=phone.guti)
    assert "without proof" in net.verdicts()[-1]
    assert probe.names[-1] == "UEContextReleaseCommand"
    probe.released()
    assert net.core.mme.by_imsi[IMSI].emm == EmmState.REGISTERED
    assert len(net.core.mme.ues) == 1


def test_a_detach_of_a_half_made_attach_by_a_strange_guti_harms_nobody(net: Network) -> None:
    phone = net.attach()
    probe = Probe(net)
    attach = nas.decode(phone.nas.initial)
    assert isinstance(attach, nas.AttachRequest)
    assert phone.guti is not None
    attach.eps_mobile_identity = phone.guti
    probe.initial(nas.encode(attach))
    assert probe.names == ["Identity request"]
    probe.uplink(nas.encode(request(net, UeDetachType.EPS)))
    assert net.core.mme.by_imsi[IMSI].emm == EmmState.REGISTERED


def test_an_imsi_detach_leaves_the_phone_registered(net: Network) -> None:
    phone = net.attach()
    net.nas_from(phone, protected(phone, request(net, UeDetachType.IMSI)))
    assert len(net.sent("Detach accept")) == 1
    assert net.core.mme.by_imsi[IMSI].emm == EmmState.REGISTERED


def test_a_detach_accept_that_nobody_waits_for(net: Network) -> None:
    phone = net.attach()
    net.nas_from(phone, protected(phone, nas.DetachAccept()))
    assert net.sent("EMM status")
    assert net.core.mme.by_imsi[IMSI].emm == EmmState.REGISTERED


# ---- idle ------------------------------------------------------------------------------------------------


def test_an_idle_phone_is_detached_when_it_was_silent_for_too_long(net: Network) -> None:
    net.attach()
    net.command("enb1", InactivityCommand(f"ue-{IMSI}"))
    net.fault("silent")
    ue = net.core.mme.by_imsi[IMSI]
    assert ue.ecm == "ECM-IDLE"
    assert all(bearer.to is None for bearer in net.forwarder.bearers.values())
    net.run(net.config.s1.t3412 + 230)
    assert IMSI in net.core.mme.by_imsi
    net.run(20)
    assert "silent for longer than T3412" in net.verdicts()[-1]
    assert net.leaks() == NOTHING
    net.fault(None)
    net.command(f"ue-{IMSI}", ServiceCommand())
    assert net.phones[IMSI].emm == EmmState.REGISTERED
    assert not net.sent("Identity request")  # its GUTI is remembered


def test_an_idle_phone_that_detaches_and_attaches_stops_the_clock(make_network: Callable[..., Network]) -> None:
    net = make_network()
    net.attach()
    net.command("enb1", InactivityCommand(f"ue-{IMSI}"))
    net.detach()
    assert net.leaks() == NOTHING
    net.attach()
    net.run(net.config.s1.t3412 + 400)
    assert net.core.mme.by_imsi[IMSI].emm == EmmState.REGISTERED


def test_a_phone_that_comes_back_over_another_enb(make_network: Callable[..., Network]) -> None:
    net = make_network(enbs=(EnbConfig(), EnbConfig(enb_id=0x102, enb_name="sim-enb2")))
    phone = net.attach()
    net.power_cycle()
    phone.cell = net.enbs[1].cell
    net.attach()
    assert phone.emm == EmmState.REGISTERED
    ue = net.core.mme.by_imsi[IMSI]
    assert ue.enb is not None
    assert ue.enb.name == "sim-enb2"
    assert len(net.core.mme.ues) == len(net.core.pgw.sessions) == 1
