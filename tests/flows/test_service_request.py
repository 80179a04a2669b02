# SPDX-License-Identifier: Apache-2.0
"""A phone that comes back from idle is told to attach again, on its proven word (TS 24.301, 5.5.3.2.5, 5.6.1.5)."""

from typing import Any

import pytest
from network import NOTHING, Network, imsi_of
from probe import Probe, protected, service_request

from dialtone.codec import nas
from dialtone.codec.nas.identities import Tmsi
from dialtone.codec.nas.security import SecurityHeaderType, join
from dialtone.crypto.nas_security import UPLINK
from dialtone.ids import Guti
from dialtone.sim.states import EmmState
from dialtone.sim.ue_context import InactivityCommand

IMSI = imsi_of(1)


@pytest.fixture
def idle(net: Network) -> Probe:
    """A registered phone that is idle, and an eNB to come back by."""
    net.attach()
    net.command("enb1", InactivityCommand(f"ue-{IMSI}"))
    return Probe(net)


def guti_of(net: Network) -> Guti:
    guti = net.phones[IMSI].guti
    assert guti is not None
    return guti


def update(net: Network) -> nas.TrackingAreaUpdateRequest:
    return nas.TrackingAreaUpdateRequest(eps_update_type=3, nas_key_set_identifier=0, old_guti=guti_of(net))


def integrity_protected(net: Network, message: Any) -> bytes:
    """Under the phone's keys, not ciphered: so a first message goes out (TS 24.301, 4.4.5)."""
    context = net.phones[IMSI].nas.current
    assert context is not None
    assert context.keys is not None
    count, context.uplink = context.uplink, context.uplink + 1
    plain = nas.encode(message)
    mac = context.keys.mac(count, UPLINK, bytes((count & 255,)) + plain)
    return join(SecurityHeaderType.INTEGRITY, mac, count & 255, plain)


def attaches_again(net: Network, probe: Probe) -> None:
    """The registration has gone, its GUTI and keys are remembered, the next attach uses them."""
    assert IMSI not in net.core.mme.by_imsi
    probe.released()
    assert net.leaks() == NOTHING
    phone = net.phones[IMSI]
    phone.emm = EmmState.DEREGISTERED  # type: ignore[assignment]
    phone.pdns.clear()
    assert net.attach().emm == EmmState.REGISTERED
    assert len(net.sent("Authentication request")) == 1
    assert not net.sent("Identity request")


def test_a_service_request_with_a_good_mac(net: Network, idle: Probe) -> None:
    idle.initial(service_request(net.phones[IMSI]), guti=guti_of(net))
    assert idle.names == ["DownlinkNASTransport", "UEContextReleaseCommand"]  # protected
    reject: Any = net.nas("Service reject")
    assert reject.emm_cause == 10
    assert net.verdicts()[-1] == "failed: refused with cause #10: the phone attaches again by itself"
    attaches_again(net, idle)


def test_a_tracking_area_update_with_a_good_mac(net: Network, idle: Probe) -> None:
    idle.initial(integrity_protected(net, update(net)))
    reject: Any = net.nas("Tracking area update reject")
    assert reject.emm_cause == 10
    attaches_again(net, idle)


def test_an_extended_service_request_with_a_good_mac(net: Network, idle: Probe) -> None:
    guti = guti_of(net)
    message = nas.ExtendedServiceRequest(service_type=8, nas_key_set_identifier=0, m_tmsi=Tmsi(guti.m_tmsi))
    idle.initial(integrity_protected(net, message), guti=guti)
    reject: Any = net.nas("Service reject")
    assert reject.emm_cause == 10
    attaches_again(net, idle)


@pytest.mark.parametrize("kind", ["bad MAC", "no such GUTI", "plain update", "replay"])
def test_without_proof_nobody_is_harmed(net: Network, idle: Probe, kind: str) -> None:
    guti = guti_of(net)
    phone = net.phones[IMSI]
    match kind:
        case "bad MAC":
            idle.initial(service_request(phone, good=False), guti=guti)
        case "no such GUTI":
            idle.initial(service_request(phone), guti=guti._replace(m_tmsi=0xC0000001))
        case "plain update":
            idle.initial(nas.encode(update(net)), guti=guti)
        case "replay":
            (octets,) = [event.data for event in net.received("Security mode complete")]
            idle.initial(octets, guti=guti)
    if kind != "replay":
        assert idle.nas.emm_cause == 9
    assert idle.names[-1] == "UEContextReleaseCommand"
    idle.released()
    assert net.core.mme.by_imsi[IMSI].emm == EmmState.REGISTERED
    assert len(net.core.mme.ues) == 1


def test_an_update_of_a_connected_phone(net: Network) -> None:
    phone = net.attach()
    net.nas_from(phone, protected(phone, update(net)))
    reject: Any = net.nas("Tracking area update reject")
    assert reject.emm_cause == 10
    assert net.leaks() == NOTHING
