# SPDX-License-Identifier: Apache-2.0
"""A second attach on a living S1 connection is served there (TS 24.301, 5.5.1.2.7 d and f)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from esm_flows import CALL
from network import NOTHING, Network, imsi_of
from probe import Probe, attach_request, protected

from dialtone.codec import nas, s1ap
from dialtone.codec.nas.identities import Imsi
from dialtone.pgw.policy import InstallRules
from dialtone.sim import attach
from dialtone.sim.attach import AttachAnew
from dialtone.sim.enb import EnbConfig
from dialtone.sim.moving import HandOver, Neighbour
from dialtone.sim.pdn import OpenPdn

IMSI = imsi_of(1)


@pytest.mark.parametrize("by", ["guti", "imsi"])
def test_in_place(make_network: Callable[..., Network], monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    """By its GUTI under the same keys; by its IMSI under new ones, which the eNB gets, too."""
    net = make_network(enbs=(EnbConfig(), EnbConfig(enb_id=0x19C, enb_name="second")))
    phone = net.attach()
    net.command(phone.name, OpenPdn("ims"))
    net.command("pgw", InstallRules(IMSI, "internet", (CALL,)))
    before = net.core.mme.by_imsi[IMSI].number
    if by == "imsi":
        request = attach.request(phone)
        request.eps_mobile_identity = Imsi(IMSI)
        monkeypatch.setattr(attach, "request", lambda phone: request)
    net.command(phone.name, AttachAnew(), 2.0)
    ue = net.core.mme.by_imsi[IMSI]
    assert (phone.emm, ue.emm, ue.number) == ("EMM-REGISTERED", "EMM-REGISTERED", before)
    assert len(net.sent("InitialContextSetupRequest")) == 1
    [release] = [s1ap.decode(event.data) for event in net.sent("E-RABReleaseCommand")]
    assert [item.e_rab_id for item in release.e_rab_to_be_released_list] == [5, 7, 6]  # type: ignore[union-attr]
    assert len(net.sent("UEContextModificationRequest")) == (by == "imsi")
    assert phone.counters["K_eNB equal"] == (2 if by == "imsi" else 1)
    assert [(session.apn, len(session.bearers)) for session in net.core.pgw.sessions.values()] == [("internet", 1)]
    net.command(phone.cell.enb, HandOver(phone.name, Neighbour("enb2", net.enbs[1].config), s1=False), 2.0)
    assert (phone.cell.enb, phone.connected) == ("enb2", True)
    assert phone.nas.current is not None
    net.idle()
    net.attach()
    net.detach()
    assert net.leaks() == NOTHING


@pytest.fixture
def again(net: Network) -> Probe:
    """A phone that is registered by a probe and has just sent another Attach Request there."""
    phone = net.attach()
    net.detach()
    probe = Probe(net)
    probe.initial(attach_request(phone), guti=phone.guti)
    probe.set_up()
    phone.nas.secure = True
    probe.uplink(protected(phone, complete()))
    assert net.core.mme.by_imsi[IMSI].emm == "EMM-REGISTERED"
    probe.uplink(attach_request(phone))
    assert [message.NAME for message in probe.got[-2:]] == ["E-RABReleaseCommand", "E-RABSetupRequest"]
    return probe


def complete() -> nas.AttachComplete:
    return nas.AttachComplete(esm_message_container=nas.encode(
        nas.ActivateDefaultEPSBearerContextAccept(eps_bearer_identity=5)))


def answer(probe: Probe, taken: bool = True) -> Any:
    request = probe.last(s1ap.ERABSetupRequest)
    [item] = request.e_rab_to_be_setup_list
    done = (s1ap.ERABSetupItemBearerSURes(5, bytes((127, 0, 0, 9)), 0x905),) if taken else ()
    refused = s1ap.Cause.of("radioNetwork", "radio-resources-not-available")
    probe.tell(s1ap.ERABSetupResponse(
        mme_ue_s1ap_id=request.mme_ue_s1ap_id, enb_ue_s1ap_id=request.enb_ue_s1ap_id, e_rab_setup_list=done,
        e_rab_failed_to_setup_list=() if taken else (s1ap.ERABItem(item.e_rab_id, refused),)))


@pytest.mark.parametrize("first", ["eNB", "phone"])
def test_the_answers_come_in_any_order(net: Network, again: Probe, first: str) -> None:
    phone = net.phones[IMSI]
    if first == "eNB":
        answer(again)
    again.uplink(protected(phone, complete()))
    assert net.core.mme.by_imsi[IMSI].emm == "EMM-REGISTERED"
    if first == "phone":
        answer(again)
    [bearer] = net.core.mme.by_imsi[IMSI].bearers()
    assert (bearer.enb, bearer.step) == ((bytes((127, 0, 0, 9)), 0x905), None)
    assert [bearer.remote_teid for bearer in net.forwarder.bearers.values()] == [0x905]


def test_a_release_that_is_answered_late_is_not_the_new_bearers(net: Network, again: Probe) -> None:
    command = again.last(s1ap.ERABReleaseCommand)
    again.tell(s1ap.ERABReleaseResponse(
        mme_ue_s1ap_id=command.mme_ue_s1ap_id, enb_ue_s1ap_id=command.enb_ue_s1ap_id,
        e_rab_release_list=(s1ap.ERABReleaseItemBearerRelComp(5),)))
    [bearer] = net.core.mme.by_imsi[IMSI].bearers()
    assert bearer.step is not None


@pytest.mark.parametrize("how", ["refuses", "says nothing"])
def test_an_enb_that_does_not_set_the_bearer_up(net: Network, again: Probe, how: str) -> None:
    if how == "refuses":
        answer(again, taken=False)
    else:
        net.run(15.0)
    assert again.got[-1].NAME == "UEContextReleaseCommand"
    again.released()
    assert net.leaks() == NOTHING


def test_before_the_enb_has_set_the_first_context_up_it_begins_on_another_connection(net: Network) -> None:
    phone = net.attach()
    net.detach()
    probe = Probe(net)
    probe.initial(attach_request(phone), guti=phone.guti)
    phone.handset = replace(phone.handset, apn="ims")
    probe.uplink(attach_request(phone))
    assert probe.names[-1] == "UEContextReleaseCommand"
    probe.released()
    assert net.leaks() == NOTHING
    net.attach()
    assert phone.emm == "EMM-REGISTERED"
