# SPDX-License-Identifier: Apache-2.0
"""S1 Setup, its refusals, and everything that ends a connection (TS 36.413, 8.3, 8.7 and 10)."""

from collections.abc import Callable
from typing import Any

import pytest
from network import NOTHING, Network, imsi_of, settings
from probe import HOME, TAI, Probe, attach_request, protected

from dialtone.codec import nas, s1ap
from dialtone.codec.nas.identities import Imsi
from dialtone.codec.s1ap.causes import Cause
from dialtone.codec.s1ap.management import ResetAll
from dialtone.codec.s1ap.values import UEassociatedLogicalS1ConnectionItem
from dialtone.effects import PeerDown
from dialtone.ids import Ecgi, Plmn
from dialtone.links.memory import Weather
from dialtone.sim.enb import EnbConfig
from dialtone.sim.reset import ResetCommand
from dialtone.sim.s1_setup import introduction
from dialtone.sim.states import EmmState, S1State
from dialtone.sim.ue_context import InactivityCommand

Make = Callable[..., Network]
IMSI = imsi_of(1)
OTHER = Plmn("999", "70")


# ---- setup -----------------------------------------------------------------------------------------------


def test_an_enb_joins(net: Network) -> None:
    assert net.enbs[0].s1 == S1State.UP
    assert net.verdicts() == ["ok: sim-enb1 serves 001/01 TAC 1"]


@pytest.mark.parametrize(("areas", "cause", "words"), [
    (((1, (OTHER,)),), "unknown-plmn", ("PLMN 999/70 TAC 1 (0x0001)", "we serve PLMN 001/01 TAC 1 (0x0001)")),
    (((0x10, (HOME,)),), "unspecified", ("TAC 16 (0x0010)", "mcc, mnc and tac in [network] of dialtone.toml")),
    (((1, (Plmn("001", "010"),)),), "unknown-plmn", ("PLMN 001/010",)),
])
def test_an_enb_is_refused_in_a_sentence(make_network: Make, areas: Any, cause: str, words: tuple[str, ...]) -> None:
    net = make_network(enbs=(EnbConfig(areas=areas),))
    failure = s1ap.decode(net.sent("S1SetupFailure")[0].data)
    assert failure.cause == Cause.of("misc", cause)
    assert all(word in net.verdicts()[-1] for word in words), net.verdicts()
    assert not net.core.mme.enbs
    net.attach()
    assert net.phones[IMSI].emm == EmmState.DEREGISTERED


def test_any_broadcast_plmn_will_do_whatever_the_global_enb_id_says(make_network: Make) -> None:
    areas = ((3, (OTHER,)), (1, (OTHER, HOME)))
    net = make_network(enbs=(EnbConfig(areas=areas, home_plmn=OTHER),))
    assert net.enbs[0].s1 == S1State.UP


def test_several_tracking_areas(make_network: Make) -> None:
    config = settings(tac=tuple(range(1, 31)))
    net = make_network(config=config, enbs=(EnbConfig(areas=((30, (HOME,)),)),))
    phone = net.attach()
    assert phone.emm == EmmState.REGISTERED
    assert len(phone.tais) == 16
    assert phone.tais[0].tac == 30


def test_a_twin_with_the_same_id_is_let_in_and_pointed_out(net: Network) -> None:
    net.attach()
    Probe(net, enb_id=net.enbs[0].config.enb_id)
    assert len(net.core.mme.enbs) == 2
    assert "give each an id of its own" in net.verdicts()[-1]
    assert net.core.mme.by_imsi[IMSI].ecm == "ECM-CONNECTED"


def test_a_second_setup_on_the_same_association_begins_anew(net: Network) -> None:
    probe = Probe(net)
    probe.initial(attach_request(net.phones[IMSI]))
    probe.tell(introduction(probe.enb))
    assert probe.names[-1] == "S1SetupResponse"
    assert len(net.core.mme.enbs) == 2
    assert net.leaks() == NOTHING


def test_nothing_but_setup_before_setup(net: Network) -> None:
    probe = Probe(net, setup=False)
    probe.initial(attach_request(net.phones[IMSI]))
    assert probe.names == ["ErrorIndication"]
    assert probe.got[0].cause == Cause.of("protocol", "message-not-compatible-with-receiver-state")
    probe.tell(s1ap.ErrorIndication(cause=Cause.of("protocol", "unspecified")))
    assert len(probe.got) == 1  # an error indication is never answered by another one
    assert net.leaks() == NOTHING


def test_a_setup_that_breaks_the_protocol_is_refused_with_what_is_missing(net: Network) -> None:
    probe = Probe(net, setup=False)
    octets = s1ap.encode(introduction(probe.enb))
    at = octets.index(bytes.fromhex("004000"))  # the id of Supported TAs
    probe.octets(octets[:at] + b"\x01\x40" + octets[at + 2:])
    (failure,) = probe.got
    assert isinstance(failure, s1ap.S1SetupFailure)
    assert failure.cause is not None
    assert failure.cause.group == "protocol"
    assert failure.criticality_diagnostics is not None


# ---- the end of a connection -----------------------------------------------------------------------------


@pytest.fixture
def half(net: Network) -> Probe:
    """A phone that is being challenged."""
    probe = Probe(net)
    probe.initial(attach_request(net.phones[IMSI]))
    assert probe.names == ["Authentication request"]
    return probe


@pytest.fixture
def waiting(net: Network) -> Probe:
    """A known phone whose context the eNB is asked to set up."""
    phone = net.attach()
    net.detach()
    probe = Probe(net)
    probe.initial(attach_request(phone), guti=phone.guti)
    assert probe.names == ["InitialContextSetupRequest"]
    return probe


def ids(probe: Probe) -> dict[str, int]:
    last = next(message for message in reversed(probe.got) if hasattr(message, "mme_ue_s1ap_id"))
    return {"mme_ue_s1ap_id": last.mme_ue_s1ap_id, "enb_ue_s1ap_id": last.enb_ue_s1ap_id}


def test_an_enb_that_cannot_set_the_context_up(net: Network, waiting: Probe) -> None:
    cause = Cause.of("radioNetwork", "failure-in-radio-interface-procedure")
    waiting.tell(s1ap.InitialContextSetupFailure(**ids(waiting), cause=cause))
    assert "the eNB refused the initial context setup" in net.verdicts()[-1]
    waiting.released()
    assert net.leaks() == NOTHING


def test_a_phone_whose_radio_fails_at_the_context_setup(net: Network) -> None:
    net.fault("no_context")
    net.attach()
    assert "the eNB refused the initial context setup" in net.verdicts()[-1]
    assert net.leaks() == NOTHING


def test_a_phone_with_another_k_enb(net: Network) -> None:
    net.fault("wrong_kenb")
    net.attach()
    assert "the eNB refused the initial context setup" in net.verdicts()[-1]
    assert net.leaks() == NOTHING


def test_an_enb_that_answers_no_context_setup(net: Network, waiting: Probe) -> None:
    net.run(11)
    assert net.verdicts()[-1] == "failed: the eNB did not answer the Initial Context Setup Request"
    net.run(6)  # nor the release
    assert net.leaks() == NOTHING


@pytest.mark.parametrize("bearers", [(), ((5, bytes(16)),), ((6, bytes(4)),)])
def test_a_context_without_a_usable_default_bearer(net: Network, waiting: Probe, bearers: Any) -> None:
    items = tuple(s1ap.ERABSetupItemCtxtSURes(ebi, address, 1) for ebi, address in bearers)
    message = s1ap.InitialContextSetupResponse(
        **ids(waiting), e_rab_setup_list=items or (s1ap.ERABSetupItemCtxtSURes(7, bytes(4), 1),))
    waiting.tell(message)
    assert "no bearer for internet" in net.verdicts()[-1]
    waiting.released()
    assert net.leaks() == NOTHING


def test_a_release_request_in_the_middle_of_an_attach(net: Network, half: Probe) -> None:
    half.tell(s1ap.UEContextReleaseRequest(
        **ids(half), cause=Cause.of("radioNetwork", "radio-connection-with-ue-lost")))
    assert "gave the connection up" in net.verdicts()[-1]
    assert half.names[-1] == "UEContextReleaseCommand"
    half.tell(s1ap.UEContextReleaseRequest(**ids(half), cause=Cause.of("nas", "unspecified")))  # once more
    half.released()
    assert net.leaks() == NOTHING


def test_nas_of_a_phone_that_is_being_released_is_dropped(net: Network, half: Probe) -> None:
    half.tell(s1ap.UEContextReleaseRequest(**ids(half), cause=Cause.of("nas", "unspecified")))
    count = len(half.got)
    half.uplink(nas.encode(nas.AuthenticationResponse(res=bytes(8))))
    half.uplink(attach_request(net.phones[IMSI]))
    assert len(half.got) == count
    half.released()
    assert net.leaks() == NOTHING


def test_an_answer_of_the_hss_that_comes_after_the_phone_has_gone(net: Network) -> None:
    net.link("S6a").weather = Weather(delay=2.0)
    probe = Probe(net)
    probe.initial(attach_request(net.phones[IMSI]))
    net.loop.tell("mme", _gone(probe))
    net.run(5.0)
    assert not probe.got
    assert net.leaks() == NOTHING


def test_a_session_that_comes_after_the_phone_has_gone_is_given_back(net: Network) -> None:
    phone = net.attach()
    net.detach()
    net.link("S11").weather = Weather(delay=2.0)
    probe = Probe(net)
    probe.initial(attach_request(phone), guti=phone.guti)
    net.loop.tell("mme", _gone(probe))
    net.run(8.0)
    assert net.sent("Delete Session Request")
    assert net.leaks() == NOTHING


def _gone(probe: Probe) -> Any:
    return PeerDown("S1-MME", probe.name, "abort")


def test_a_registered_phone_becomes_idle_and_stays_registered(net: Network) -> None:
    net.attach()
    net.command("enb1", InactivityCommand(f"ue-{IMSI}"))
    ue = net.core.mme.by_imsi[IMSI]
    assert (ue.emm, ue.ecm, ue.enb) == (EmmState.REGISTERED, "ECM-IDLE", None)
    assert net.sent("Release Access Bearers Request")
    assert len(net.core.pgw.sessions) == 1


def test_the_association_is_lost_in_the_middle_of_an_attach(net: Network, half: Probe) -> None:
    net.loop.tell("mme", _gone(half))
    net.run(1.0)
    assert net.verdicts()[-2:] == [
        "failed: probe is gone: abort before the phone was registered", "failed: probe is gone: abort"]
    assert net.leaks() == NOTHING
    net.run(60.0)


def test_the_association_is_lost_under_a_registered_phone(net: Network) -> None:
    net.attach()
    net.lose_s1()
    assert net.core.mme.by_imsi[IMSI].ecm == "ECM-IDLE"
    assert not net.core.mme.enbs


# ---- reset and error indication --------------------------------------------------------------------------


def test_a_reset_of_everything(make_network: Make) -> None:
    net = make_network(3)
    for number in (1, 2):
        net.attach(imsi_of(number))
    net.fault("silent_after:Attach request", imsi_of(3))
    net.attach(imsi_of(3))
    net.command("enb1", ResetCommand())
    assert net.verdicts()[-1] == "ok: sim-enb1 reset 3 connections"
    assert len(net.core.mme.ues) == 2
    assert all(ue.ecm == "ECM-IDLE" for ue in net.core.mme.ues.values())


def test_a_reset_of_some_is_acknowledged_for_all_that_it_lists(net: Network, half: Probe) -> None:
    half.initial(attach_request(net.phones[IMSI]), 2)
    both = ids(half)
    items = (UEassociatedLogicalS1ConnectionItem(None, 1), UEassociatedLogicalS1ConnectionItem(777, None),
             UEassociatedLogicalS1ConnectionItem(both["mme_ue_s1ap_id"], 99))
    half.tell(s1ap.Reset(cause=Cause.of("misc", "unspecified"), reset_type=items))
    assert half.got[-1].ue_associated_logical_s1_connection_list == items
    assert [ue.enb_ue_s1ap_id for ue in net.core.mme.ues.values()] == [2]
    half.tell(s1ap.Reset(cause=Cause.of("misc", "unspecified"), reset_type=ResetAll.RESET_ALL))
    assert net.leaks() == NOTHING


def test_an_error_indication_about_unknown_ids_ends_the_connection(net: Network, half: Probe) -> None:
    half.tell(s1ap.ErrorIndication(**ids(half), cause=Cause.of("protocol", "semantic-error")))
    assert len(net.core.mme.ues) == 1
    half.tell(s1ap.ErrorIndication(**ids(half), cause=Cause.of("radioNetwork", "unknown-enb-ue-s1ap-id")))
    assert net.leaks() == NOTHING


def test_ids_that_do_not_fit_get_an_error_indication(net: Network, half: Probe) -> None:
    good = ids(half)
    for wrong, cause in (({"mme_ue_s1ap_id": 4711}, "unknown-mme-ue-s1ap-id"),
                         ({"enb_ue_s1ap_id": 4711}, "unknown-pair-ue-s1ap-id")):
        half.tell(s1ap.UplinkNASTransport(
            **{**good, **wrong}, nas_pdu=b"\x07\x60\x6f", eutran_cgi=Ecgi(HOME, 1), tai=TAI))
        assert half.got[-1].cause == Cause.of("radioNetwork", cause)
        assert half.got[-1].mme_ue_s1ap_id == {**good, **wrong}["mme_ue_s1ap_id"]


def test_the_ids_of_another_enbs_phone_are_unknown(net: Network) -> None:
    net.attach()
    ue = net.core.mme.by_imsi[IMSI]
    probe = Probe(net)
    probe.tell(s1ap.UEContextReleaseRequest(mme_ue_s1ap_id=ue.number, enb_ue_s1ap_id=ue.enb_ue_s1ap_id,
                                            cause=Cause.of("nas", "unspecified")))
    assert probe.got[-1].cause == Cause.of("radioNetwork", "unknown-mme-ue-s1ap-id")
    assert ue.ecm == "ECM-CONNECTED"


def test_the_radio_capability_is_kept(net: Network) -> None:
    net.attach()
    ue = net.core.mme.by_imsi[IMSI]
    capability = bytes(range(200)) * 100  # more than one fragment of APER (X.691, 11.9)
    net.loop.deliver("mme", "S1-MME", "enb1", s1ap.encode(s1ap.UECapabilityInfoIndication(
        mme_ue_s1ap_id=ue.number, enb_ue_s1ap_id=ue.enb_ue_s1ap_id, ue_radio_capability=capability)), 1)
    net.run(0.1)
    assert ue.radio_capability == capability


def test_an_enb_that_uses_an_id_again_has_lost_the_old_connection(net: Network) -> None:
    net.attach()
    ue = net.core.mme.by_imsi[IMSI]
    cell = net.enbs[0].config
    net.loop.deliver("mme", "S1-MME", "enb1", s1ap.encode(s1ap.InitialUEMessage(
        enb_ue_s1ap_id=ue.enb_ue_s1ap_id, nas_pdu=b"\x07\x41", tai=cell.tai, eutran_cgi=cell.ecgi,
        rrc_establishment_cause=s1ap.RRCEstablishmentCause.MO_SIGNALLING)), 1)
    net.run(0.0)
    assert (ue.emm, ue.ecm) == (EmmState.REGISTERED, "ECM-IDLE")


# ---- NAS that does not fit -------------------------------------------------------------------------------


@pytest.mark.parametrize(("message", "cause"), [
    (nas.AuthenticationResponse(res=bytes(8)), 98),
    (nas.IdentityResponse(mobile_identity=Imsi(IMSI)), 98),
])
def test_a_message_for_another_state_gets_status_98(net: Network, message: Any, cause: int) -> None:
    phone = net.attach()
    net.nas_from(phone, protected(phone, message))
    status = net.nas("EMM status")
    assert isinstance(status, nas.EMMStatus)
    assert status.emm_cause == cause
    assert phone.emm == EmmState.REGISTERED


def test_plain_nas_after_security_is_discarded(net: Network) -> None:
    phone = net.attach()
    before = len(net.sent("EMM status"))
    for message in (nas.AuthenticationResponse(res=bytes(8)), nas.decode(phone.nas.initial), nas.DetachAccept()):
        net.nas_from(phone, nas.encode(message))  # type: ignore[arg-type]
    assert len(net.sent("EMM status")) == before
    assert net.core.mme.by_imsi[IMSI].emm == EmmState.REGISTERED


def test_what_the_phone_asks_of_its_pdn_connections_is_refused_in_esm(net: Network) -> None:
    phone = net.attach()
    for message, answer in (
        (nas.PDNConnectivityRequest(request_type=1, pdn_type=1, procedure_transaction_identity=9),
         "PDN connectivity reject"),
        (nas.PDNDisconnectRequest(linked_eps_bearer_identity=5, procedure_transaction_identity=9),
         "PDN disconnect reject"),
    ):
        net.nas_from(phone, protected(phone, message))
        reject: Any = net.nas(answer)
        assert reject.procedure_transaction_identity == 9
    net.nas_from(phone, protected(phone, nas.ActivateDefaultEPSBearerContextAccept(eps_bearer_identity=5)))
    status: Any = net.nas("ESM status")
    assert (status.esm_cause, status.eps_bearer_identity) == (43, 5)
