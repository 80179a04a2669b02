# SPDX-License-Identifier: Apache-2.0
"""Tracking area updates repeated, and in the middle of something else (TS 24.301, 5.5.3.2.7)."""

from typing import Any

import pytest
from network import NOTHING, Network
from probe import Probe, attach_request, protected, service_request
from update_flows import IMSI, PHONE, integrity_protected, is_registered

from dialtone.codec import nas, s1ap
from dialtone.codec.nas.security import SecurityHeaderType, join
from dialtone.crypto.nas_security import UPLINK
from dialtone.mme.detach import DetachUe
from dialtone.sim import tracking
from dialtone.sim.states import EmmState
from dialtone.sim.tracking import AreaUpdateCommand


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
