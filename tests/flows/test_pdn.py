# SPDX-License-Identifier: Apache-2.0
"""PDN connections beside that of the attach: opened, refused, closed (TS 24.301, 6.5.1, 6.5.2; TS 23.401, 5.10)."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import pytest
from network import NOTHING, Network, imsi_of
from probe import protected

from dialtone.codec import gtpc, nas, s1ap
from dialtone.codec.nas.causes import EsmCause
from dialtone.config import Config
from dialtone.effects import OpenTunnel
from dialtone.errors import LocalError
from dialtone.links.memory import Weather
from dialtone.mme.pdn_disconnect import ClosePdn as NetworkClosesPdn
from dialtone.mme.states import EsmState
from dialtone.sim.enb import EnbConfig
from dialtone.sim.pdn import ClosePdn, OpenPdn
from dialtone.sim.phone import Phone
from dialtone.sim.states import EmmState
from dialtone.sim.ue_context import InactivityCommand

Make = Callable[..., Network]
IMSI = imsi_of(1)
UE = f"ue-{IMSI}"


def opened(net: Network, apn: str = "ims", *, later: bool = False, seconds: float = 1.0) -> Phone:
    """An attached phone that has asked for `apn`, too."""
    phone = net.phones[IMSI]
    if phone.emm != EmmState.REGISTERED:
        net.attach()
    net.command(UE, OpenPdn(apn, later), seconds)
    return phone


def apns(phone: Phone) -> set[str]:
    return {pdn.apn for pdn in phone.pdns.values()}


def same_view(net: Network, *expected: str) -> None:
    """Phone, MME, gateway, user plane and eNB agree on the PDN connections."""
    phone = net.phones[IMSI]
    ue = net.core.mme.by_imsi[IMSI]
    ebis = {pdn.ebi for pdn in ue.pdns.values()}
    assert apns(phone) == set(ue.pdns) == {apn for _, apn in net.core.pgw.sessions} == set(expected)
    assert set(phone.pdns) == ebis == set(net.enbs[0].by_phone[UE].bearers)
    assert {bearer.ebi for bearer in net.forwarder.bearers.values()} == ebis
    assert all(bearer.to is not None for bearer in net.forwarder.bearers.values())
    assert all(bearer.state is EsmState.ACTIVE and bearer.step is None for bearer in ue.bearers())
    assert not ue.wishes
    assert not ue.transactions
    assert not phone.transactions


def reject(net: Network) -> Any:
    return net.nas("PDN connectivity reject")


@pytest.mark.parametrize("later", [False, True], ids=["named at once", "by ESM information"])
def test_a_second_connection(net: Network, later: bool) -> None:
    phone = opened(net, later=later)
    same_view(net, "internet", "ims")
    assert phone.pdns[6].address in net.config.apn["ims"].pool
    assert phone.pdns[6].qci == 5
    assert phone.pdns[6].p_cscf == (IPv4Address("10.46.0.1"),)
    assert len(net.sent("ESM information request")) == later
    request: Any = s1ap.decode(net.sent("E-RABSetupRequest")[0].data)
    assert [item.e_rab_id for item in request.e_rab_to_be_setup_list] == [6]
    assert request.ue_aggregate_maximum_bitrate.dl == net.enbs[0].by_phone[UE].ambr.dl
    assert net.verdicts()[-1].startswith("ok: ims 10.46.0.")
    net.detach()
    assert net.leaks() == NOTHING


def test_three_at_once(make_network: Make) -> None:
    net = make_network()
    net.attach()
    net.loop.tell(UE, OpenPdn("ims"))
    net.loop.tell(UE, OpenPdn("no.such.apn"))
    net.loop.tell(UE, OpenPdn("ims", later=True))
    net.run(2)
    same_view(net, "internet", "ims")
    rejects: list[Any] = [nas.decode(event.plain) for event in net.sent("PDN connectivity reject")]
    assert sorted(reject.esm_cause for reject in rejects) == [27, 55]


def test_a_wrong_apn_fails_alone(net: Network) -> None:
    phone = opened(net, "no.such.apn")
    assert reject(net).esm_cause == EsmCause.MISSING_OR_UNKNOWN_APN
    assert "#27 Missing or unknown APN: the APN 'no.such.apn' is not among those" in net.verdicts()[-1]
    assert phone.last == "no.such.apn refused: cause 27, Missing or unknown APN"
    assert phone.emm == EmmState.REGISTERED
    same_view(net, "internet")


def test_the_same_apn_twice(net: Network) -> None:
    opened(net, " INTERNET.mnc001.mcc001.gprs")
    assert reject(net).esm_cause == 55
    assert "has a PDN connection to internet already" in net.verdicts()[-1]
    same_view(net, "internet")


def test_an_apn_the_gateway_does_not_have(make_network: Make) -> None:
    net = make_network(config=replace(Config(), apn={"internet": Config().apn["internet"]}))
    opened(net)
    assert reject(net).esm_cause == 27
    assert "GTP cause 78" in net.verdicts()[-1]
    same_view(net, "internet")


def test_a_user_plane_that_cannot(net: Network) -> None:
    net.attach()

    def refuse(effect: object, done: Callable[[Exception | None], None]) -> None:
        done(LocalError("full"))

    works, net.loop.performers[OpenTunnel] = net.loop.performers[OpenTunnel], refuse
    opened(net)
    net.loop.performers[OpenTunnel] = works
    assert reject(net).esm_cause == EsmCause.INSUFFICIENT_RESOURCES
    assert len(net.core.pgw.sessions) == 1


def test_a_gateway_that_is_silent(net: Network) -> None:
    net.attach()
    net.link("S11").weather = Weather(loss=1.0)
    opened(net, seconds=30)
    net.link("S11").weather = Weather()
    assert reject(net).esm_cause == EsmCause.NETWORK_FAILURE
    assert "the gateway does not answer" in net.verdicts()[-1]
    assert not net.core.mme.by_imsi[IMSI].wishes


def test_an_enb_that_cannot(make_network: Make) -> None:
    net = make_network(enbs=(EnbConfig(refused_qcis=frozenset((5,))),))
    phone = opened(net)
    assert reject(net).esm_cause == EsmCause.INSUFFICIENT_RESOURCES
    assert "ims: the eNB refused: radioNetwork: not-supported-qci-value (37)" in net.verdicts()[-1]
    assert not net.received("Activate default EPS bearer context request", UE)
    assert phone.esm_failure == 26
    same_view(net, "internet")


def test_an_enb_that_says_nothing(net: Network) -> None:
    net.attach()
    net.link("S11").weather = Weather(delay=0.2)
    opened(net, seconds=0.1)
    net.s1_mme.weather = Weather(loss=1.0)
    net.run(12)
    net.s1_mme.weather = Weather()
    assert "ims: the eNB does not answer" in net.verdicts()[-1]
    assert set(net.core.mme.by_imsi[IMSI].pdns) == {"internet"}
    assert {apn for _, apn in net.core.pgw.sessions} == {"internet"}


def test_a_phone_that_does_not_confirm_a_connection(net: Network) -> None:
    net.attach()
    net.fault("silent_after:PDN connectivity request")
    opened(net, seconds=60)
    assert len(net.sent("Activate default EPS bearer context request")) == 5
    assert "ims: the phone does not answer (T3485 expired 5 times)" in net.verdicts()[-1]
    assert set(net.core.mme.by_imsi[IMSI].pdns) == {"internet"}
    assert len(net.core.pgw.sessions) == 1
    assert set(net.enbs[0].by_phone[UE].bearers) == {5}


def test_a_request_that_comes_twice(net: Network) -> None:
    net.attach()
    net.fault("replay")
    opened(net)
    net.fault(None)
    same_view(net, "internet", "ims")
    assert len(net.sent("Create Session Request")) == 2


def test_a_phone_that_did_not_hear(net: Network) -> None:
    """T3482 of the phone has expired: the same transaction again, which T3485 answers."""
    phone = net.attach()
    net.fault("silent")
    asked = nas.PDNConnectivityRequest(procedure_transaction_identity=9, request_type=1, pdn_type=1,
                                       access_point_name="ims")
    for _ in range(2):
        net.nas_from(phone, protected(phone, asked))
    assert len(net.sent("Create Session Request")) == 2
    assert not net.sent("PDN connectivity reject")


@pytest.mark.parametrize(("pti", "ebi", "kind", "cause"), [
    (0, 0, 1, 81), (255, 0, 1, 81), (7, 5, 1, 43), (7, 0, 2, 54), (7, 0, 4, 32),
])
def test_requests_that_cannot_be(net: Network, pti: int, ebi: int, kind: int, cause: int) -> None:
    phone = net.attach()
    net.nas_from(phone, protected(phone, nas.PDNConnectivityRequest(
        procedure_transaction_identity=pti, eps_bearer_identity=ebi, request_type=kind, pdn_type=1,
        access_point_name="ims")))
    assert (reject(net).esm_cause, reject(net).procedure_transaction_identity) == (cause, pti)
    same_view(net, "internet")


def test_esm_information_that_never_comes(net: Network) -> None:
    net.attach()
    net.fault("silent_after:PDN connectivity request")
    opened(net, later=True, seconds=20)
    assert len(net.sent("ESM information request")) == 3
    assert reject(net).esm_cause == EsmCause.ESM_INFORMATION_NOT_RECEIVED
    assert net.core.mme.by_imsi[IMSI].emm == "EMM-REGISTERED"


def test_esm_information_that_nobody_asked_for(net: Network) -> None:
    phone = net.attach()
    net.nas_from(phone, protected(phone, nas.ESMInformationResponse(
        procedure_transaction_identity=9, access_point_name="ims")))
    status: Any = net.nas("ESM status")
    assert (status.esm_cause, status.procedure_transaction_identity) == (EsmCause.PTI_MISMATCH, 9)


def test_going_idle_meanwhile(net: Network) -> None:
    """The connection goes while the gateway works: its session is given back."""
    net.attach()
    net.link("S11").weather = Weather(delay=0.2)
    net.loop.tell(UE, OpenPdn("ims"))
    net.run(0.05)
    net.command("enb1", InactivityCommand(UE))
    net.link("S11").weather = Weather()
    assert {apn for _, apn in net.core.pgw.sessions} == {"internet"}
    assert set(net.core.mme.by_imsi[IMSI].pdns) == {"internet"}
    assert "released" in net.phones[IMSI].last


def test_detach_meanwhile(net: Network) -> None:
    net.attach()
    net.link("S11").weather = Weather(delay=0.2)
    net.loop.tell(UE, OpenPdn("ims"))
    net.run(0.05)
    net.detach()
    assert net.leaks() == NOTHING
    assert not net.core.pgw.sessions


def test_the_phone_disconnects(net: Network) -> None:
    phone = opened(net)
    net.command(UE, ClosePdn("ims"))
    same_view(net, "internet")
    assert phone.last == "ims closed: cause 36, Regular deactivation"
    command: Any = s1ap.decode(net.sent("E-RABReleaseCommand")[0].data)
    assert command.nas_pdu
    net.command(UE, OpenPdn("ims"))  # and once more
    same_view(net, "internet", "ims")


def test_the_first_connection_may_go_before_the_second(net: Network) -> None:
    opened(net)
    net.command(UE, ClosePdn("internet"))
    same_view(net, "ims")
    net.command(UE, ClosePdn("ims"))
    refused: Any = net.nas("PDN disconnect reject")
    assert refused.esm_cause == EsmCause.LAST_PDN_DISCONNECTION_NOT_ALLOWED
    same_view(net, "ims")
    net.detach()
    assert net.leaks() == NOTHING


@pytest.mark.parametrize(("pti", "ebi", "linked", "cause"), [
    (0, 0, 6, 81), (7, 6, 6, 43), (7, 0, 9, 43), (7, 0, 0, 43),
])
def test_a_disconnect_that_cannot_be(net: Network, pti: int, ebi: int, linked: int, cause: int) -> None:
    phone = opened(net)
    net.nas_from(phone, protected(phone, nas.PDNDisconnectRequest(
        procedure_transaction_identity=pti, eps_bearer_identity=ebi, linked_eps_bearer_identity=linked)))
    refused: Any = net.nas("PDN disconnect reject")
    assert (refused.esm_cause, refused.procedure_transaction_identity) == (cause, pti)
    same_view(net, "internet", "ims")


def test_a_disconnect_that_comes_twice(net: Network) -> None:
    opened(net)
    net.fault("replay")
    net.command(UE, ClosePdn("ims"))
    net.fault(None)
    same_view(net, "internet")
    assert len(net.sent("Delete Session Request")) == 1


def test_a_disconnect_that_the_phone_does_not_confirm(net: Network) -> None:
    opened(net)
    net.fault("silent_after:PDN disconnect request")
    net.command(UE, ClosePdn("ims"), 60)
    assert len(net.sent("Deactivate EPS bearer context request")) == 5
    assert "ims is closed, although the phone does not answer (T3495 expired 5 times)" in net.verdicts()[-1]
    assert set(net.core.mme.by_imsi[IMSI].pdns) == {"internet"}


def test_the_network_disconnects(net: Network) -> None:
    phone = opened(net)
    net.command("mme", NetworkClosesPdn(IMSI, "ims"))
    same_view(net, "internet")
    assert phone.last == "ims closed: cause 36, Regular deactivation"


def test_the_network_takes_the_last_one(net: Network) -> None:
    phone = net.attach()
    net.command("mme", NetworkClosesPdn(IMSI, "internet"))
    assert phone.emm == EmmState.DEREGISTERED
    assert net.leaks() == NOTHING


def test_both_disconnect(net: Network) -> None:
    """The network was first: the phone's request is answered by the deactivation (TS 24.301, 6.5.2.5 b)."""
    opened(net)
    net.loop.tell("mme", NetworkClosesPdn(IMSI, "ims"))
    net.loop.tell(UE, ClosePdn("ims"))
    net.run(40)
    assert set(net.core.mme.by_imsi[IMSI].pdns) == {"internet"}
    assert len(net.sent("Delete Session Request")) == 1


def test_the_network_disconnects_an_idle_phone(net: Network) -> None:
    opened(net)
    net.command("enb1", InactivityCommand(UE))
    net.command("mme", NetworkClosesPdn(IMSI, "ims"))
    assert set(net.core.mme.by_imsi[IMSI].pdns) == {"internet"}
    assert {apn for _, apn in net.core.pgw.sessions} == {"internet"}


@pytest.mark.parametrize("message", [
    nas.ActivateDefaultEPSBearerContextAccept(eps_bearer_identity=5),
    nas.ActivateDefaultEPSBearerContextReject(eps_bearer_identity=5, esm_cause=31),
    nas.ActivateDedicatedEPSBearerContextAccept(eps_bearer_identity=7),
    nas.ActivateDedicatedEPSBearerContextReject(eps_bearer_identity=7, esm_cause=45),
    nas.ModifyEPSBearerContextAccept(eps_bearer_identity=5),
    nas.ModifyEPSBearerContextReject(eps_bearer_identity=5, esm_cause=43),
    nas.DeactivateEPSBearerContextAccept(eps_bearer_identity=5),
], ids=lambda message: message.NAME)
def test_answers_to_nothing(net: Network, message: Any) -> None:
    phone = net.attach()
    net.nas_from(phone, protected(phone, message))
    status: Any = net.nas("ESM status")
    assert (status.esm_cause, status.eps_bearer_identity) == (
        EsmCause.INVALID_EPS_BEARER_IDENTITY, message.eps_bearer_identity)
    same_view(net, "internet")


def test_a_phone_that_refuses_what_it_asked_for(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = net.attach()
    asked = nas.PDNConnectivityRequest(procedure_transaction_identity=9, request_type=1, pdn_type=1,
                                       access_point_name="ims")
    net.nas_from(phone, protected(phone, asked))  # of a transaction that the phone's ESM does not know
    refused: Any = net.nas("Activate default EPS bearer context reject")
    assert refused.esm_cause == EsmCause.PTI_MISMATCH
    assert "ims: the phone refused: ESM cause #47 PTI mismatch" in net.verdicts()[-1]
    same_view(net, "internet")


@pytest.mark.parametrize("when", [0.0, 0.03, 0.06, 0.1])
def test_lost_s1_at_any_moment(net: Network, when: float) -> None:
    net.attach()
    net.link("S11").weather = Weather(delay=0.02)
    net.loop.tell(UE, OpenPdn("ims"))
    net.run(when)
    net.lose_s1()
    net.run(1)
    ue = net.core.mme.by_imsi[IMSI]
    assert not ue.wishes
    assert all(bearer.step is None for bearer in ue.bearers())
    assert {apn for _, apn in net.core.pgw.sessions} == set(ue.pdns)


def test_many_answers_of_the_enb(net: Network) -> None:
    """Answers to what was never asked, for bearers that are not there: nothing happens."""
    opened(net)
    ue = net.core.mme.by_imsi[IMSI]
    ids = {"mme_ue_s1ap_id": ue.number, "enb_ue_s1ap_id": ue.enb_ue_s1ap_id}
    stray = s1ap.ERABSetupItemBearerSURes(11, bytes(4), 1)
    for message in (s1ap.ERABSetupResponse(**ids, e_rab_setup_list=(stray,)), s1ap.ERABModifyResponse(**ids),
                    s1ap.ERABReleaseResponse(**ids), s1ap.UEContextModificationResponse(**ids)):
        net.loop.deliver("mme", "S1-MME", "enb1", s1ap.encode(message), 1)
    net.run(1)
    same_view(net, "internet", "ims")


def test_a_delete_for_a_foreign_session(net: Network) -> None:
    """The gateway names a tunnel or a bearer that the MME does not have: Context Not Found."""
    opened(net)
    for request in (gtpc.DeleteBearerRequest(teid=0xDEAD, linked_ebi=6), gtpc.DeleteBearerRequest(
            teid=net.core.mme.by_imsi[IMSI].number, linked_ebi=11)):
        request.sequence = net.rng.randrange(1 << 20)
        net.loop.deliver("mme", "S11", "pgw", gtpc.encode(request))
        net.run(0.5)
        answer: Any = gtpc.decode(net.sent("Delete Bearer Response")[-1].data)
        assert answer.cause.value == 64
    same_view(net, "internet", "ims")
