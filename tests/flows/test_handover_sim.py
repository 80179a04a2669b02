# SPDX-License-Identifier: Apache-2.0
"""Handover between simulated eNBs, with a phone that derives every key by itself (TS 33.401, 7.2.8.4)."""

from collections.abc import Callable

import pytest
from network import Network, imsi_of, settings
from probe import HOME

from dialtone.codec import s1ap
from dialtone.codec.s1ap.causes import Cause
from dialtone.ids import Tai
from dialtone.links.memory import Weather
from dialtone.mme.detach import DetachUe
from dialtone.mme.location_reporting import LocateUe
from dialtone.sim.enb import EnbConfig
from dialtone.sim.handover import CancelHandover
from dialtone.sim.moving import HandOver, Neighbour
from dialtone.sim.pdn import OpenPdn
from dialtone.sim.states import EmmState
from dialtone.sim.ue_context import InactivityCommand

Make = Callable[..., Network]
IMSI = imsi_of(1)
PHONE = f"ue-{IMSI}"
ENBS = (EnbConfig(), EnbConfig(enb_id=0x102, enb_name="sim-enb2"),
        EnbConfig(enb_id=0x103, enb_name="sim-enb3", areas=((2, (HOME,)),)))


@pytest.fixture
def net(make_network: Make) -> Network:
    """Three eNBs, the third in another tracking area, and a phone at the first."""
    net = make_network(config=settings(tac=(1, 2)), enbs=ENBS)
    net.attach()
    return net


def hand_over(net: Network, source: int, target: int, *, s1: bool = False, forward: bool = True,
              direct: bool = True) -> None:
    enb = net.enbs[target]
    net.command(net.enbs[source].name, HandOver(PHONE, Neighbour(enb.name, enb.config), s1, forward, direct), 0.5)


def at(net: Network, enb: int) -> None:
    """The phone is there, and there only, for phone, eNBs and MME alike."""
    phone, ue = net.phones[IMSI], net.core.mme.by_imsi[IMSI]
    assert phone.cell.enb == net.enbs[enb].name
    assert phone.connected
    assert (ue.enb.peer, ue.ecm) == (net.enbs[enb].name, "ECM-CONNECTED")
    assert [len(other.ues) for other in net.enbs] == [1 if number == enb else 0 for number in range(3)]
    (context,) = net.enbs[enb].ues.values()
    assert (context.k_enb, context.ncc, context.mme_ue_s1ap_id) == (phone.k_enb, phone.ncc, ue.number)
    (bearer,) = net.forwarder.bearers.values()
    assert bearer.remote_teid == context.bearers[5].teid_in


def test_x2_there_and_back_and_on(net: Network) -> None:
    """The first derivation is horizontal (NCC 0), the following are vertical with the NH of each path switch."""
    for turn, (source, target) in enumerate(((0, 1), (1, 0), (0, 1), (1, 0))):
        hand_over(net, source, target)
        at(net, target)
        assert net.phones[IMSI].ncc == (0 if turn == 0 else turn + 1)
    assert net.verdicts()[-1] == "ok: from sim-enb2 to sim-enb1, 1 bearers"
    assert sum(enb.counters["K_eNB* equal"] for enb in net.enbs) == 4


def test_many_handovers_of_both_kinds_never_lose_the_chain(net: Network) -> None:
    """NCC goes round after eight, and the kinds may follow each other in any order."""
    here = 0
    for turn in range(20):
        there = 1 - here
        hand_over(net, here, there, s1=turn % 3 == 1, direct=turn % 2 == 0)
        net.run(3)
        at(net, there)
        here = there
    assert not net.loop.counters.get("S1-MME refused")


def test_s1(net: Network) -> None:
    hand_over(net, 0, 1, s1=True)
    net.run(3)  # the source is released
    at(net, 1)
    assert net.phones[IMSI].ncc == 2
    assert net.enbs[1].counters["status transfer"] == 1
    assert "S1 handover ok" in " ".join(f"{event.name} {event.info}" for event in net.events("verdict"))


@pytest.mark.parametrize("s1", [False, True])
def test_to_another_tracking_area_an_update_follows(net: Network, s1: bool) -> None:
    phone = net.phones[IMSI]
    phone.tais = (Tai(HOME, 1),)
    hand_over(net, 0, 2, s1=s1)
    net.run(3)
    at(net, 2)
    assert "Tracking area update accept" in net.names("NAS")
    assert Tai(HOME, 2) in phone.tais
    assert phone.emm == EmmState.REGISTERED


@pytest.mark.parametrize("s1", [False, True])
def test_both_pdn_connections_go_along(net: Network, s1: bool) -> None:
    net.command(PHONE, OpenPdn("ims"))
    assert set(net.phones[IMSI].pdns) == {5, 6}
    hand_over(net, 0, 1, s1=s1)
    net.run(3)
    (context,) = net.enbs[1].ues.values()
    assert {bearer.ebi: bearer.remote_teid for bearer in net.forwarder.bearers.values()} == {
        ebi: bearer.teid_in for ebi, bearer in context.bearers.items()}
    assert set(context.bearers) == {5, 6}


@pytest.mark.parametrize("s1", [False, True])
def test_a_target_without_room(net: Network, s1: bool) -> None:
    net.enbs[1].full = True
    hand_over(net, 0, 1, s1=s1)
    at(net, 0)
    hand_over(net, 0, 2, s1=s1)
    net.run(3)
    at(net, 2)


@pytest.mark.parametrize(("s1", "cause"), [(False, "tX2relocoverall-expiry"), (True, "tS1relocoverall-expiry")])
def test_a_phone_that_never_arrives_is_released_by_the_source(net: Network, s1: bool, cause: str) -> None:
    net.fault("no_context")
    hand_over(net, 0, 1, s1=s1)
    net.run(20)
    request = s1ap.decode(net.sent("UEContextReleaseRequest", "enb1")[0].data)
    assert request.cause == Cause.of("radioNetwork", cause)
    ue = net.core.mme.by_imsi[IMSI]
    assert (ue.ecm, ue.handover) == ("ECM-IDLE", None)
    assert not net.enbs[0].ues


def test_an_mme_that_does_not_answer_is_told_that_the_phone_stays(net: Network) -> None:
    net.s1_mme.weather = Weather(loss=1.0)
    hand_over(net, 0, 1, s1=True)
    net.run(1)
    net.s1_mme.weather = None
    net.run(8)
    cancel = s1ap.decode(net.sent("HandoverCancel", "enb1")[0].data)
    assert cancel.cause == Cause.of("radioNetwork", "tS1relocprep-expiry")
    at(net, 0)
    hand_over(net, 0, 1, s1=True)
    net.run(3)
    at(net, 1)


@pytest.mark.parametrize(("s1", "cause"), [
    (False, "x2-handover-triggered"), (True, "s1-intra-system-handover-triggered")])
def test_nas_for_a_phone_that_has_left_comes_back(net: Network, s1: bool, cause: str) -> None:
    net.fault("no_context")  # it never arrives
    hand_over(net, 0, 1, s1=s1)
    net.command("mme", DetachUe(IMSI), 0.1)
    back = s1ap.decode(net.sent("NASNonDeliveryIndication", "enb1")[0].data)
    assert back.cause == Cause.of("radioNetwork", cause)


def test_a_handover_that_the_source_cancels(net: Network) -> None:
    enb = net.enbs[1]
    net.loop.tell("enb1", HandOver(PHONE, Neighbour(enb.name, enb.config), s1=True))
    net.loop.tell("enb1", CancelHandover(PHONE))
    net.run(1)
    assert net.sent("HandoverCancelAcknowledge")
    assert not net.core.mme.by_imsi[IMSI].handover
    assert not net.enbs[1].ues


def test_a_phone_that_goes_idle_after_a_handover_comes_back(net: Network) -> None:
    hand_over(net, 0, 1)
    net.command("enb2", InactivityCommand(PHONE))
    assert net.core.mme.by_imsi[IMSI].ecm == "ECM-IDLE"
    assert not net.enbs[1].ues
    net.detach()
    assert net.phones[IMSI].emm == EmmState.DEREGISTERED


@pytest.mark.parametrize("s1", [False, True])
def test_a_followed_phone_is_reported_where_it_goes(net: Network, s1: bool) -> None:
    net.command("mme", LocateUe(IMSI, s1ap.EventType.CHANGE_OF_SERVE_CELL))
    hand_over(net, 0, 1, s1=s1)
    net.run(3)
    assert "ok: the phone is in cell 0x0010201, 001/01 TAC 1" in net.verdicts()
    net.command("mme", LocateUe(IMSI, s1ap.EventType.STOP_CHANGE_OF_SERVE_CELL))
    hand_over(net, 1, 0, s1=s1)
    assert len(net.sent("LocationReport", "enb1")) == 0


def test_another_key_at_the_target_is_noticed(net: Network) -> None:
    """The chain is really compared: an eNB with another K_eNB refuses the phone."""
    (ue,) = net.enbs[0].ues.values()
    ue.k_enb = bytes(32)
    hand_over(net, 0, 1)
    assert net.enbs[1].counters["K_eNB* different"] == 1
    assert not net.sent("PathSwitchRequest", "enb2")


def test_a_path_switch_that_the_mme_refuses(net: Network) -> None:
    (ue,) = net.enbs[0].ues.values()
    ue.mme_ue_s1ap_id = 4711
    hand_over(net, 0, 1)
    failure = s1ap.decode(net.sent("PathSwitchRequestFailure")[0].data)
    assert failure.cause == Cause.of("radioNetwork", "unknown-mme-ue-s1ap-id")
    assert not net.phones[IMSI].connected
    assert not any(enb.ues for enb in net.enbs)


def test_a_handover_of_a_phone_whose_bearers_the_enb_does_not_have_yet(net: Network) -> None:
    """There is no status to tell the target, and that is no defect."""
    (context,) = net.enbs[0].ues.values()
    context.bearers.clear()
    hand_over(net, 0, 1, s1=True)
    assert net.sent("HandoverCommand")
    assert not net.sent("ENBStatusTransfer")
