# SPDX-License-Identifier: Apache-2.0
"""Downlink data for an idle phone: kept, notified, paged, delivered in order (TS 23.401, 5.3.4.3; TS 24.301, 5.6.2)."""

from collections.abc import Callable
from typing import Any

import pytest
from network import NOTHING, Network, imsi_of, settings
from probe import HOME, Probe, service_request

from dialtone.codec import gtpc, gtpu, s1ap
from dialtone.codec.gtpc.values import Cause
from dialtone.codec.s1ap.causes import Cause as S1Cause
from dialtone.codec.s1ap.paging import CNDomain
from dialtone.codec.s1ap.values import PagingDRX, STmsi
from dialtone.effects import TunnelRefused
from dialtone.ids import Tai
from dialtone.links.memory import Weather
from dialtone.mme.detach import DetachUe
from dialtone.sim.air import Camped, Occasion, Paged, occasion
from dialtone.sim.enb import EnbConfig
from dialtone.sim.phone import Handset
from dialtone.sim.service import ServiceCommand
from dialtone.sim.states import EmmState

IMSI = imsi_of(1)
PHONE = f"ue-{IMSI}"


@pytest.fixture
def idle(net: Network) -> Network:
    """A registered phone that is idle."""
    net.attach()
    net.idle()
    return net


def packet(net: Network, number: int, imsi: str = IMSI) -> bytes:
    """An IPv4 packet to a phone; `number` tells it from others."""
    [address] = {bearer.ue for bearer in net.forwarder.bearers.values() if bearer.imsi == imsi}
    return bytes.fromhex("4500001c00000000401100000808080a") + address + number.to_bytes(8)


def delivered(net: Network) -> list[int]:
    """The numbers of the packets that went to an eNB."""
    return [int.from_bytes(data[gtpu.split(data)[2]:][-8:]) for data, _, _ in net.delivered]


def pagings(net: Network) -> list[Any]:
    return [s1ap.decode(event.data) for event in net.sent("Paging")]


def test_data_for_an_idle_phone_is_delivered_in_order(idle: Network) -> None:
    for number in range(8):
        idle.downlink(packet(idle, number))
    assert not idle.delivered
    assert len(idle.sent("Downlink Data Notification", "pgw")) == 1
    idle.run(1.4)
    assert delivered(idle) == list(range(8))
    idle.downlink(packet(idle, 8))
    assert delivered(idle) == list(range(9))
    assert idle.phones[IMSI].counters["paging heard"] == 1
    assert len(pagings(idle)) == 1
    _, request = [s1ap.decode(event.data) for event in idle.sent("InitialUEMessage", "enb1")]
    assert isinstance(request, s1ap.InitialUEMessage)
    assert request.rrc_establishment_cause == 2  # mt-Access
    assert not idle.forwarder.drops
    assert idle.core.mme.by_imsi[IMSI].errands == []


def test_what_the_paging_says(idle: Network) -> None:
    idle.downlink(packet(idle, 1))
    [paging] = pagings(idle)
    guti = idle.phones[IMSI].guti
    assert guti is not None
    assert paging.ue_identity_index_value == int(IMSI) % 1024
    assert paging.ue_paging_id == STmsi(guti.mme_code, guti.m_tmsi)
    assert paging.cn_domain == CNDomain.PS
    assert paging.paging_drx is None
    assert [item.tai for item in paging.tai_list] == [Tai(HOME, 1)]


@pytest.mark.parametrize(("value", "cycle"), [(6, PagingDRX.V32), (9, PagingDRX.V256), (0, None), (15, None)])
def test_a_phone_with_a_cycle_of_its_own(make_network: Callable[..., Network], value: int, cycle: object) -> None:
    net = make_network(handset=Handset(retries=False, drx=value))
    net.attach()
    net.idle()
    net.downlink(packet(net, 1), 3)
    assert pagings(net)[0].paging_drx == cycle
    assert delivered(net) == [1]


def test_every_enb_of_the_area_list_calls_and_no_other(make_network: Callable[..., Network]) -> None:
    areas = ((1, (HOME,)),), ((2, (HOME,)), (1, (HOME,))), ((3, (HOME,)), (2, (HOME,)))
    net = make_network(config=settings(tac=(1, 2)), enbs=tuple(
        EnbConfig(enb_id=number, enb_name=f"sim-enb{number}", areas=area) for number, area in enumerate(areas, 1)))
    net.attach()
    net.core.mme.by_imsi[IMSI].tais = (Tai(HOME, 1),)
    net.idle()
    net.downlink(packet(net, 1), 2)
    assert {event.dst for event in net.sent("Paging")} == {"enb1", "enb2"}
    assert delivered(net) == [1]


def test_a_phone_listens_on_its_own_occasion_only(make_network: Callable[..., Network]) -> None:
    net = make_network(2)
    for number in (1, 2):
        net.attach(imsi_of(number))
        net.idle(imsi_of(number))
    net.downlink(packet(net, 1), 2)
    other = net.phones[imsi_of(2)]
    assert other.counters["paging for others"] == 1
    assert other.counters["paging heard"] == 0
    assert not other.connected
    assert occasion(1023, 128) == Occasion(127, 9)
    phone = net.phones[IMSI]
    net.idle()
    assert phone.guti is not None
    identity = STmsi(phone.guti.mme_code, phone.guti.m_tmsi)
    net.command(PHONE, Paged("enb1", Occasion(100, 9), 128, identity))
    assert not phone.connected
    net.command(PHONE, Paged("enb1", occasion(int(IMSI) % 1024, 128), 128, identity._replace(m_tmsi=1)))
    assert not phone.connected
    net.command(PHONE, Paged("enb1", occasion(int(IMSI) % 1024, 128), 128, identity, True))
    assert not phone.connected
    net.command(PHONE, Paged("enb1", occasion(int(IMSI) % 1024, 128), 128, identity))
    assert phone.connected


def test_a_phone_that_has_moved_hears_the_paging_of_its_cell(make_network: Callable[..., Network]) -> None:
    net = make_network(enbs=(EnbConfig(), EnbConfig(enb_id=0x102, enb_name="sim-enb2")))
    phone = net.attach()
    net.idle()
    phone.cell = net.enbs[1].cell
    net.command("enb2", Camped(PHONE))
    net.downlink(packet(net, 1), 2)
    assert delivered(net) == [1]
    assert net.delivered[0][1][0] == str(net.enbs[1].config.address)
    assert phone.counters["service request"] == 1


def test_a_phone_that_does_not_answer(idle: Network) -> None:
    idle.fault("silent")
    for number in range(3):
        idle.downlink(packet(idle, number))
    idle.run(15.9)
    assert len(pagings(idle)) == 4
    assert not idle.sent("Downlink Data Notification Failure Indication")
    idle.run(0.2)
    [failure] = idle.sent("Downlink Data Notification Failure Indication")
    assert gtpc.decode(failure.data).cause.value == 87  # type: ignore[union-attr]
    assert idle.forwarder.drops == {"phone idle": 3}
    assert "did not answer 4 calls" in idle.verdicts()[-1]
    assert idle.core.mme.by_imsi[IMSI].emm == EmmState.REGISTERED
    idle.downlink(packet(idle, 3))  # a new period begins
    assert len(idle.sent("Downlink Data Notification", "pgw")) == 2
    idle.phones[IMSI].deaf = False
    idle.run(2)
    assert delivered(idle) == [3]


def test_the_oldest_of_too_many_packets_make_room(idle: Network) -> None:
    for number in range(70):
        idle.downlink(packet(idle, number))
    idle.run(2)
    assert delivered(idle) == list(range(6, 70))
    assert idle.forwarder.drops == {"phone idle": 6}


def test_data_while_the_phone_is_on_its_way(net: Network) -> None:
    phone = net.attach()
    net.idle()
    probe = Probe(net)
    probe.initial(service_request(phone), guti=phone.guti)
    net.downlink(packet(net, 1))
    assert net.sent("Downlink Data Notification Acknowledgement")
    assert not pagings(net)
    probe.set_up()
    assert delivered(net) == [1]
    assert net.core.mme.by_imsi[IMSI].errands == []


def test_a_phone_that_comes_by_itself_while_it_is_paged(net: Network) -> None:
    phone = net.attach()
    net.idle()
    net.downlink(packet(net, 1))
    net.command(PHONE, ServiceCommand(), 0.1)
    assert delivered(net) == [1]
    net.run(20)
    assert len(pagings(net)) == 1
    assert phone.connected


def test_data_while_the_connection_is_being_released(net: Network) -> None:
    phone = net.attach()
    net.idle()
    probe = Probe(net)
    probe.initial(service_request(phone), guti=phone.guti)
    probe.set_up()
    ue = net.core.mme.by_imsi[IMSI]
    probe.tell(s1ap.UEContextReleaseRequest(mme_ue_s1ap_id=ue.number, enb_ue_s1ap_id=1,
                                            cause=S1Cause.of("radioNetwork", "user-inactivity")))
    net.downlink(packet(net, 1))
    assert not pagings(net)
    probe.released()
    assert len(pagings(net)) == 2  # by both eNBs of the area
    net.run(2)
    assert delivered(net) == [1]


def test_a_context_setup_that_fails_after_paging_throws_the_data_away(idle: Network) -> None:
    idle.fault("no_context")
    idle.downlink(packet(idle, 1), 2)
    assert idle.sent("Downlink Data Notification Failure Indication")
    assert idle.forwarder.drops == {"phone idle": 1}
    ue = idle.core.mme.by_imsi[IMSI]
    assert (ue.emm, ue.ecm, ue.errands) == (EmmState.REGISTERED, "ECM-IDLE", [])


def test_an_enb_that_lost_the_bearer_is_released_and_the_phone_called_back(net: Network) -> None:
    phone = net.attach()
    [bearer] = net.forwarder.bearers.values()
    assert bearer.to is not None
    refusal = gtpu.encode(gtpu.ErrorIndication(teid_data_i=bearer.remote_teid,
                                               gsn_address=net.enbs[0].config.address.packed))
    net.forwarder.uplink(refusal, bearer.to, net.now)
    assert isinstance(net.forwarder.events[0], TunnelRefused)
    net.downlink(packet(net, 1), 0.1)
    [notification] = net.sent("Downlink Data Notification", "pgw")
    assert gtpc.decode(notification.data).cause == Cause(6)  # type: ignore[union-attr]
    assert not phone.connected
    net.run(2)
    assert phone.connected
    assert delivered(net) == [1]


def test_the_phone_is_detached_while_it_is_paged(idle: Network) -> None:
    idle.fault("silent")
    idle.downlink(packet(idle, 1), 1)
    idle.command("mme", DetachUe(IMSI))
    assert idle.leaks() == NOTHING
    assert idle.forwarder.drops == {"phone idle": 1}
    idle.run(20)
    assert len(pagings(idle)) == 1


def test_a_notification_for_nobody(idle: Network) -> None:
    message = gtpc.DownlinkDataNotification(teid=0xDEAD, ebis=(5,), sequence=9)
    idle.loop.deliver("mme", "S11", "pgw", gtpc.encode(message))
    idle.run()
    [answer] = idle.sent("Downlink Data Notification Acknowledgement")
    assert gtpc.decode(answer.data).cause.value == 64  # type: ignore[union-attr]


def test_the_mme_knows_no_such_phone_or_is_silent(net: Network) -> None:
    net.attach()
    net.idle()
    kept = net.core.mme.by_s11_teid.copy()
    net.core.mme.by_s11_teid.clear()
    net.downlink(packet(net, 1))
    net.core.mme.by_s11_teid.update(kept)
    assert net.forwarder.drops == {"phone idle": 1}
    net.link("S11").weather = Weather(1, loss=1.0)
    net.downlink(packet(net, 2), 13)
    assert net.forwarder.drops == {"phone idle": 2}
    assert "cannot be reached" in net.verdicts("pgw")[-1]
    net.link("S11").weather = None


def test_the_gateway_stops_the_paging(idle: Network) -> None:
    idle.fault("silent")
    idle.downlink(packet(idle, 1), 0.5)
    teid = idle.core.mme.by_imsi[IMSI].s11_teid
    idle.loop.deliver("mme", "S11", "pgw", gtpc.encode(gtpc.StopPagingIndication(teid=teid, sequence=77)))
    idle.run(20)
    assert len(pagings(idle)) == 1
    assert not idle.sent("Downlink Data Notification Failure Indication")
