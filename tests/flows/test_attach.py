# SPDX-License-Identifier: Apache-2.0
"""Attach that succeeds, by every way there is (TS 24.301, 5.5.1; TS 23.401, 5.3.2.1)."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address

import pytest
from network import NOTHING, ONE_TRY, Network, imsi_of
from probe import Probe, attach_request, protected

from dialtone.codec import nas
from dialtone.codec.nas.identities import Imsi
from dialtone.codec.nas.values import EpsAttachType
from dialtone.sim import attach as sim_attach
from dialtone.sim.states import EmmState

Make = Callable[..., Network]


def registered(net: Network, number: int = 1) -> None:
    """The phone is attached, both ends hold the same K_eNB, and people were told so."""
    phone = net.phones[imsi_of(number)]
    assert phone.emm == EmmState.REGISTERED, net.verdicts()
    assert phone.counters["K_eNB different"] == 0
    assert phone.counters["K_eNB equal"] >= 1
    ue = net.core.mme.by_imsi[imsi_of(number)]
    assert ue.guti == phone.guti
    assert net.verdicts()[-1].startswith("ok: registered as ")


def test_attach_by_imsi(net: Network) -> None:
    phone = net.attach()
    registered(net)
    (pdn,) = phone.pdns.values()
    assert pdn.address in net.config.apn["internet"].pool
    assert pdn.dns == (net.config.apn["internet"].gateway,)
    assert pdn.mtu == 1400
    assert phone.network_name == "Dialtone"
    accept = net.nas("Attach accept")
    assert isinstance(accept, nas.AttachAccept)
    assert accept.emm_cause is None
    assert accept.eps_network_feature_support is not None


def test_detach_gives_everything_back(net: Network) -> None:
    net.attach()
    assert net.leaks() != NOTHING
    net.detach()
    assert net.leaks() == NOTHING


def test_a_known_guti_needs_neither_identity_nor_challenge(net: Network) -> None:
    net.attach()
    guti = net.phones[imsi_of(1)].guti
    net.detach()
    before = len(net.sent("Authentication request"))
    net.attach()
    registered(net)
    assert net.phones[imsi_of(1)].guti != guti
    assert len(net.sent("Authentication request")) == before
    assert not net.sent("Identity request")
    net.detach()
    net.attach()  # the keys serve once more, with higher counts
    registered(net)
    assert len(net.core.mme.memory.by_m_tmsi) == 0


def test_an_unknown_guti_is_asked_for_the_imsi(net: Network) -> None:
    net.fault("unknown_guti")
    net.attach()
    registered(net)
    assert len(net.sent("Identity request")) == 1


def test_a_known_guti_with_a_wrong_mac_is_asked_for_the_imsi(net: Network) -> None:
    net.attach()
    net.detach()
    phone = net.phones[imsi_of(1)]
    assert phone.nas.current is not None
    phone.nas.current.keys = type(phone.nas.current.keys)(bytes(32), eia=2, eea=2)  # type: ignore[misc]
    net.attach()
    registered(net)
    assert len(net.sent("Identity request")) == 1


def test_a_replayed_attach_harms_nobody(net: Network) -> None:
    net.attach()
    net.detach()
    net.attach()
    by_imsi, by_guti = (event.data for event in net.received("Attach request"))
    guti = net.phones[imsi_of(1)].guti
    probe = Probe(net)
    probe.initial(by_imsi, 1)
    probe.initial(by_guti, 2)
    assert probe.names == ["Authentication request", "Identity request"]
    assert net.core.mme.by_imsi[imsi_of(1)].emm == EmmState.REGISTERED
    assert net.phones[imsi_of(1)].guti == guti


def test_the_guti_of_another_mme_is_unknown_though_its_m_tmsi_is_ours(net: Network) -> None:
    phone = net.attach()
    net.detach()
    assert phone.guti is not None
    phone.guti = phone.guti._replace(mme_group_id=0x8001)
    net.attach()
    registered(net)
    assert len(net.sent("Identity request")) == 1


def test_worn_keys_are_made_anew(net: Network) -> None:
    phone = net.attach()
    net.detach()
    (known,) = net.core.mme.memory.by_m_tmsi.values()
    assert phone.nas.current is not None
    known.security.ul_count, phone.nas.current.uplink = 0xFF0100, 0xFF0101
    net.attach()
    registered(net)
    assert len(net.sent("Authentication request")) == 2
    assert phone.nas.current.uplink < 100


def test_a_phone_that_lost_its_algorithms_is_authenticated_again(net: Network) -> None:
    phone = net.attach()
    net.detach()
    phone.handset = replace(phone.handset, network_capability=bytes.fromhex("c020"))  # EEA1 in place of EEA2
    net.attach()
    registered(net)
    command = net.nas("Security mode command")
    assert isinstance(command, nas.SecurityModeCommand)
    assert command.selected_nas_security_algorithms.ciphering == 1


def test_esm_information_is_asked_for_when_the_phone_keeps_its_apn(make_network: Make) -> None:
    net = make_network(handset=replace(ONE_TRY, apn="IMS"))
    phone = net.attach()
    registered(net)
    assert len(net.sent("ESM information request")) == 1
    (pdn,) = phone.pdns.values()
    assert pdn.apn == "ims"
    assert pdn.p_cscf == (IPv4Address("10.46.0.1"),)
    assert pdn.address in net.config.apn["ims"].pool


@pytest.mark.parametrize("apn", ["internet", " Internet ", "internet.mnc001.mcc001.gprs", "INTERNET"])
def test_an_apn_is_compared_without_case_space_and_operator(make_network: Make, apn: str) -> None:
    net = make_network(handset=replace(ONE_TRY, apn=apn.strip()))
    net.attach()
    registered(net)


def test_capabilities_are_replayed_octet_by_octet(make_network: Make) -> None:
    handset = replace(ONE_TRY, network_capability=bytes.fromhex("f0f0c04019"),
                      ms_network_capability=bytes.fromhex("e5e034"),
                      additional_security_capability=bytes.fromhex("a0f0a0f0"))
    net = make_network(handset=handset)
    net.attach()
    registered(net)
    command = net.nas("Security mode command")
    assert isinstance(command, nas.SecurityModeCommand)
    assert command.replayed_ue_additional_security_capability == bytes.fromhex("a0f0a0f0")
    assert bytes(command.replayed_ue_security_capabilities)[:4] == bytes.fromhex("f0f0c040")
    assert command.imeisv_request == 1
    assert command.hash_mme is not None
    assert net.core.mme.by_imsi[imsi_of(1)].imeisv == handset.imeisv


def test_a_request_that_was_changed_on_the_way_is_replaced(net: Network) -> None:
    net.fault("altered_request")
    phone = net.attach()
    registered(net)
    assert phone.counters["HASH_MME different"] == 1


def test_a_combined_attach_is_for_eps_only_with_cause_18(net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    phone = net.phones[imsi_of(1)]
    request = sim_attach.request(phone)
    request.eps_attach_type = EpsAttachType.COMBINED
    monkeypatch.setattr(sim_attach, "request", lambda phone: request)
    net.attach()
    accept = net.nas("Attach accept")
    assert isinstance(accept, nas.AttachAccept)
    assert accept.emm_cause == 18
    assert accept.eps_attach_result == 1


def test_many_phones_at_the_same_time(make_network: Make) -> None:
    net = make_network(20)
    for number in range(1, 21):
        net.loop.tell(f"ue-{imsi_of(number)}", sim_attach.AttachCommand())
    net.run(1.0)
    for number in range(1, 21):
        assert net.phones[imsi_of(number)].emm == EmmState.REGISTERED
    addresses = {pdn.address for phone in net.phones.values() for pdn in phone.pdns.values()}
    assert len(addresses) == 20
    assert len({phone.guti for phone in net.phones.values()}) == 20
    for number in range(1, 21):
        net.detach(imsi_of(number), seconds=0.1)
    assert net.leaks() == NOTHING


def test_an_attach_on_a_new_connection_ends_the_registration_once_it_is_proven(net: Network) -> None:
    phone = net.attach()
    first = net.core.mme.by_imsi[imsi_of(1)]
    probe = Probe(net)
    probe.initial(attach_request(phone), guti=phone.guti)
    assert net.core.mme.by_imsi[imsi_of(1)] is not first
    assert first.number not in net.core.mme.ues
    assert "InitialContextSetupRequest" in [message.NAME for message in probe.got]
    assert len(net.core.pgw.sessions) == 1


def test_an_unproven_attach_leaves_the_registration_alone(net: Network) -> None:
    net.attach()
    first = net.core.mme.by_imsi[imsi_of(1)]
    probe = Probe(net)
    request = sim_attach.request(net.phones[imsi_of(1)])
    probe.initial(nas.encode(request), 1)  # its GUTI without a MAC
    request.eps_mobile_identity = Imsi(imsi_of(1))
    probe.initial(nas.encode(request), 2)
    assert probe.names == ["Identity request", "Authentication request"]
    net.run(60)
    assert net.core.mme.by_imsi[imsi_of(1)] is first
    assert first.emm == EmmState.REGISTERED


def test_two_phones_with_one_imsi_the_later_one_wins(net: Network) -> None:
    first = net.attach()
    twin = net.add_phone(imsi_of(1), name="ue-twin")
    twin.usim.seq_ms = list(first.usim.seq_ms)
    net.command(twin.name, sim_attach.AttachCommand())
    assert twin.emm == EmmState.REGISTERED
    assert len(net.core.mme.by_imsi) == len(net.core.pgw.sessions) == 1
    assert net.core.mme.by_imsi[imsi_of(1)].guti == twin.guti


@pytest.fixture
def waiting(net: Network) -> Probe:
    """A known phone whose Attach Accept is out, and not confirmed."""
    phone = net.attach()
    net.detach()
    probe = Probe(net)
    probe.initial(attach_request(phone), guti=phone.guti)
    probe.set_up()
    return probe


def test_the_same_request_again_gets_the_accept_again(net: Network, waiting: Probe) -> None:
    phone = net.phones[imsi_of(1)]
    before = len(net.sent("Attach accept"))
    waiting.uplink(protected(phone, nas.decode(phone.nas.initial)))
    assert len(net.sent("Attach accept")) == before + 1
    assert waiting.names[-1] == "DownlinkNASTransport"  # ciphered


def test_another_request_begins_anew(net: Network, waiting: Probe) -> None:
    """Its elements differ from those of the first, which is therefore aborted (5.5.1.2.7 d)."""
    phone = net.phones[imsi_of(1)]
    phone.handset = replace(phone.handset, drx=8)
    waiting.uplink(attach_request(phone))
    assert [message.NAME for message in waiting.got[-2:]] == ["E-RABReleaseCommand", "E-RABSetupRequest"]
    assert len(net.core.pgw.sessions) == 1


def test_an_accept_that_nobody_confirms_is_repeated_four_times(net: Network, waiting: Probe) -> None:
    net.run(29.0)
    assert waiting.names.count("DownlinkNASTransport") == 4
    net.run(2.0)
    assert waiting.names[-1] == "UEContextReleaseCommand"
    assert "the phone never confirmed the Attach Accept" in net.verdicts()[-1]
    waiting.released()
    assert net.leaks() == NOTHING


def test_an_attach_complete_that_nobody_waits_for_gets_status_98(net: Network) -> None:
    phone = net.attach()
    complete = nas.AttachComplete(esm_message_container=nas.encode(
        nas.ActivateDefaultEPSBearerContextAccept(eps_bearer_identity=5)))
    net.nas_from(phone, protected(phone, complete))
    status = net.nas("EMM status")
    assert isinstance(status, nas.EMMStatus)
    assert status.emm_cause == 98
    assert phone.emm == EmmState.REGISTERED
