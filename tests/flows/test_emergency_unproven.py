# SPDX-License-Identifier: Apache-2.0
"""Emergency attach without a SIM, and with one that cannot be proven (TS 23.401, 4.3.12; TS 33.401, 15.2.2)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from network import NOTHING, Network, imsi_of
from probe import Probe, attach_request
from s6a_peer import change_profile
from test_emergency import IN_NEED, desk
from test_gateway import create

from dialtone.codec import gtpc, s1ap
from dialtone.config import EMERGENCY_APN
from dialtone.ids import nameless
from dialtone.links.memory import Weather
from dialtone.sim.attach import AttachCommand
from dialtone.sim.pdn import OpenPdn
from dialtone.sim.phone import Handset, Phone
from dialtone.sim.service import ServiceCommand
from dialtone.sim.states import EmmState
from dialtone.sim.tracking import AreaUpdateCommand

WITHOUT_SIM = replace(IN_NEED, sim=False)


def test_a_phone_without_a_sim_is_refused_where_nobody_answers(make_network: Callable[..., Network]) -> None:
    net = make_network(handset=WITHOUT_SIM)
    assert net.attach().emm == EmmState.DEREGISTERED
    assert net.nas("Attach reject").emm_cause == 5  # type: ignore[attr-defined]
    assert net.leaks() == NOTHING


def test_a_phone_without_a_sim_is_served_under_null_algorithms(make_network: Callable[..., Network]) -> None:
    net = make_network(handset=WITHOUT_SIM, config=desk())
    phone = net.attach()
    assert phone.emm == EmmState.REGISTERED
    assert phone.nas.null
    assert [pdn.apn for pdn in phone.pdns.values()] == [EMERGENCY_APN]
    assert not net.events("S6a")  # there is nobody to ask for
    command: Any = net.nas("Security mode command")
    assert command.nas_key_set_identifier == 0
    assert (command.selected_nas_security_algorithms.integrity, command.selected_nas_security_algorithms.ciphering) == (
        0, 0)
    setup: Any = s1ap.decode(net.sent("InitialContextSetupRequest")[0].data)
    capabilities = setup.ue_security_capabilities
    assert (capabilities.encryption_algorithms, capabilities.integrity_protection_algorithms) == (0, 0)
    assert setup.ue_aggregate_maximum_bitrate.dl == 10_000_000
    session: Any = gtpc.decode(net.sent("Create Session Request")[0].data)
    assert (session.imsi, session.mei, session.msisdn) == (None, phone.handset.imeisv, None)
    net.idle()
    assert not phone.connected
    net.command(phone.name, ServiceCommand())
    assert phone.connected
    net.idle()
    net.downlink(packet_for(phone), 3.0)
    page: Any = s1ap.decode(net.sent("Paging")[0].data)
    assert page.ue_identity_index_value == 0
    net.command(phone.name, AreaUpdateCommand())
    net.detach()
    net.attach()
    assert phone.emm == EmmState.REGISTERED
    assert len(net.core.mme.by_imsi) == 1
    net.detach()
    assert not net.events("S6a")
    assert net.leaks() == NOTHING


def packet_for(phone: Phone) -> bytes:
    """An IPv4 packet for its address."""
    [pdn] = phone.pdns.values()
    assert pdn.address is not None
    return bytes.fromhex("4500001c00000000401100000808080a") + pdn.address.packed + bytes(8)


@pytest.mark.parametrize(("fault", "failure"), [
    ("wrong_k", "Authentication failure"), ("wrong_res", "Authentication response"), (None, "")])
def test_a_sim_that_cannot_be_proven(make_network: Callable[..., Network], fault: str | None, failure: str) -> None:
    """Its K is wrong, its answer is, or the HSS does not know it: served all the same, and not under its IMSI."""
    net = make_network(0, handset=IN_NEED, config=desk())
    owner = None
    if fault:
        net.add_subscriber(imsi_of(1))
        owner = net.add_phone(imsi_of(1), Handset(retries=False, imeisv="3534900698733191"), name="ue-owner")
        net.attach("ue-owner")
    phone = net.add_phone(imsi_of(1), IN_NEED, name="ue-need")
    net.fault(fault, "ue-need")
    net.attach("ue-need", 20.0)
    assert phone.emm == EmmState.REGISTERED
    assert phone.nas.null
    assert phone.usim_invalid is None
    if failure:
        assert failure in net.names("NAS")
    session: Any = gtpc.decode(net.sent("Create Session Request")[-1].data)
    assert (session.imsi, session.indication_flags.names) == (imsi_of(1), ("UIMSI",))
    if owner is not None:  # whose registration is untouched
        assert net.core.mme.by_imsi[imsi_of(1)].emm == "EMM-REGISTERED"
        assert owner.emm == EmmState.REGISTERED
    net.detach("ue-need")
    if owner is not None:
        net.detach("ue-owner")
    assert net.leaks() == NOTHING


def test_a_silent_hss_keeps_nobody_from_an_emergency_call(make_network: Callable[..., Network]) -> None:
    net = make_network(handset=IN_NEED, config=desk())
    net.link("S6a").weather = Weather(1, 1.0)
    phone = net.attach(imsi_of(1), 60.0)
    assert (phone.emm, phone.nas.null) == (EmmState.REGISTERED, True)


def test_a_subscription_that_forbids_it_does_not_matter(make_network: Callable[..., Network]) -> None:
    net = make_network(handset=IN_NEED, config=desk())
    change_profile(net, access_restriction=1 << 4)
    phone = net.attach()
    assert (phone.emm, phone.nas.null) == (EmmState.REGISTERED, False)


def test_who_is_here_for_an_emergency_gets_nothing_else(make_network: Callable[..., Network]) -> None:
    net = make_network(handset=WITHOUT_SIM, config=desk())
    phone = net.attach()
    net.command(phone.name, OpenPdn("internet"))
    assert net.nas("PDN connectivity reject").esm_cause == 31  # type: ignore[attr-defined]
    assert [pdn.apn for pdn in phone.pdns.values()] == [EMERGENCY_APN]


def test_keys_that_prove_nothing_open_no_other_door(make_network: Callable[..., Network]) -> None:
    """The GUTI of a phone in need, with the MAC that anybody can make: an ordinary attach has to prove more."""
    net = make_network(handset=WITHOUT_SIM, config=desk())
    phone = net.attach()
    phone.handset = Handset(retries=False)
    octets = attach_request(phone)
    probe = Probe(net)
    probe.initial(octets)
    assert probe.nas.NAME == "Identity request"
    assert net.core.mme.by_imsi[nameless(phone.imei)].emm == "EMM-REGISTERED"
    net.detach()
    assert not net.core.mme.memory.by_m_tmsi


def test_null_algorithms_are_refused_by_a_phone_that_is_not_in_need(net: Network) -> None:
    phone = net.phones[imsi_of(1)]
    net.core.mme.config = desk()
    phone.handset = WITHOUT_SIM
    net.command(phone.name, AttachCommand(), 0.0)
    phone.handset = Handset(retries=False)
    net.run(1.0)
    assert phone.emm != EmmState.REGISTERED


def test_a_gateway_takes_no_nameless_phone_but_for_an_emergency(make_network: Callable[..., Network]) -> None:
    net = make_network(0, config=desk())
    for changes in ({"imsi": None}, {"imsi": None, "apn": EMERGENCY_APN, "mei": None}):
        net.loop.deliver("pgw", "S11", "mme", gtpc.encode(create(**{"mei": "3534900698733190", **changes})), 0)
        net.run()
        answer: Any = gtpc.decode(net.sent("Create Session Response", "pgw")[-1].data)
        assert answer.cause.value == gtpc.CauseValue.CONDITIONAL_IE_MISSING


def test_a_phone_without_a_sim_that_is_asked_for_its_imsi(make_network: Callable[..., Network]) -> None:
    """By a GUTI that nobody knows: it has none to tell (5.4.4.3), and is served by its IMEI."""
    net = make_network(handset=WITHOUT_SIM, config=desk())
    net.fault("unknown_guti")
    phone = net.attach()
    assert "Identity response" in net.names("NAS")
    assert (phone.emm, list(net.core.mme.by_imsi)) == (EmmState.REGISTERED, [nameless(phone.imei)])
