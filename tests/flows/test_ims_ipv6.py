# SPDX-License-Identifier: Apache-2.0
"""IMS over IPv6 (TS 23.228, 5.1.1.0; TS 24.229, B.2.2.1; TS 24.008, 10.5.6.3): the P-CSCF from container 0001H, the
address from the router's prefix, SAs, calls and their bearers."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv6Address

import pytest
from network import ONE_TRY, Network, msisdn_of

from dialtone.codec.nas.values import PdnType
from dialtone.codec.pco import Id
from dialtone.config import Config
from dialtone.sim.ims.call import AnswerCommand, CallCommand, HangUpCommand
from dialtone.sim.ims.client import ImsClient, ImsHandset
from dialtone.sim.ims.sms import SmsCommand
from dialtone.sim.ims.states import CallState

POOL6 = Config().apn["ims"].pool6
assert POOL6 is not None
OVER_6 = ImsHandset(ipv6=True)


def client(net: Network, number: int, kind: int, handset: ImsHandset | None = None) -> ImsClient:
    net.handset = replace(ONE_TRY, pdn_type=kind)
    found = net.add_ims(number, handset)
    net.attach(found.imsi, 6)
    return found


@pytest.mark.parametrize(("kind", "handset"), [(PdnType.IPV6, None), (PdnType.IPV4V6, OVER_6)])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_phone_registers_over_ipv6(make_network: Callable[..., Network], kind: int, handset: ImsHandset | None,
                                     transport: str) -> None:
    net = make_network(phones=0)
    phone = client(net, 1, kind, replace(handset or ImsHandset(), transport=transport))
    assert phone.registered, phone.last
    assert IPv6Address(phone.address) in POOL6
    assert IPv6Address(phone.p_cscf) == POOL6[1]
    (sas,) = net.sas
    assert {sas.phone.address, sas.network.address} == {phone.address, phone.p_cscf}
    (user,) = net.core.scscf.users.values()
    (contact,) = user.contacts.values()
    assert f"[{phone.address}]:6301" in contact.uri
    assert "told of its state" in phone.last


def test_a_phone_with_both_may_use_ipv4(make_network: Callable[..., Network]) -> None:
    phone = client(make_network(phones=0), 1, PdnType.IPV4V6)
    assert phone.registered
    assert "." in phone.address


def test_the_p_cscf_is_in_container_0001(make_network: Callable[..., Network]) -> None:
    net = make_network(phones=0)
    client(net, 1, PdnType.IPV6)
    activate = net.nas("Activate default EPS bearer context request")
    given = dict(activate.protocol_configuration_options.containers)  # type: ignore[attr-defined]
    assert given[Id.P_CSCF_IPV6] == POOL6[1].packed  # type: ignore[index]
    assert Id.P_CSCF_IPV4 not in given


def test_a_call_and_a_text_between_two_ipv6_phones(make_network: Callable[..., Network]) -> None:
    net = make_network(phones=0)
    a, b = (client(net, number, PdnType.IPV6) for number in (1, 2))
    net.command(a.name, SmsCommand(f"+{msisdn_of(2)}", "six"), 3)
    assert [text.text for text in b.texts.inbox] == ["six"]
    net.command(a.name, CallCommand(f"+{msisdn_of(2)}"), 5)
    net.command(b.name, AnswerCommand(), 2)
    assert [call.state for call in (*a.calls.values(), *b.calls.values())] == [CallState.ACTIVE] * 2, a.last
    assert 1 in a.bearers.values()
    for one, other in ((a, b), (b, a)):
        (up,) = (up for (imsi, _), up in net.media.items() if imsi == one.imsi)
        assert up.remote[0] == other.address
        session = net.core.pgw.sessions[one.imsi, "ims"]
        voice = next(bearer for bearer in session.bearers.values() if bearer.qci == 1)
        assert voice.rule is not None
    net.command(b.name, HangUpCommand(), 3)
    assert net.core.pcscf.passing == {}


def test_a_call_to_the_echo_over_ipv6(make_network: Callable[..., Network]) -> None:
    net = make_network(phones=0)
    phone = client(net, 1, PdnType.IPV6)
    net.command(phone.name, CallCommand("600"), 5)
    assert [call.state for call in phone.calls.values()] == [CallState.ACTIVE], phone.last
    (stream,) = net.streams.values()
    assert stream.agreed.address == phone.address
    net.command(phone.name, HangUpCommand(), 3)


def test_an_ipv6_phone_comes_back_with_another_prefix(make_network: Callable[..., Network]) -> None:
    net = make_network(phones=0)
    phone = client(net, 1, PdnType.IPV6)
    before = phone.address
    net.detach(phone.imsi, switch_off=True)
    assert net.core.pcscf.registrations == {}
    net.attach(phone.imsi, 6)
    assert phone.registered
    assert phone.address != before
