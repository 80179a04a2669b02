# SPDX-License-Identifier: Apache-2.0
"""Phones that lose their IMS connection and come back, and phones that get another one's address (TS 24.229, 5.2.2)."""

from collections.abc import Callable

import pytest
from network import Network, imsi_of, msisdn_of

from dialtone.sim.ims.call import AnswerCommand, CallCommand, HangUpCommand
from dialtone.sim.ims.client import ImsClient
from dialtone.sim.ims.states import CallState
from dialtone.sim.ims.text import TextCommand
from dialtone.sim.pdn import ClosePdn, OpenPdn

Make = Callable[..., Network]


def two(make_network: Make) -> tuple[Network, ImsClient, ImsClient]:
    net = make_network(phones=0)
    a, b = net.add_ims(1), net.add_ims(2)
    for client in (a, b):
        net.attach(client.imsi, 5)
    return net, a, b


def off_and_on(net: Network, client: ImsClient) -> None:
    net.detach(client.imsi, switch_off=True)
    net.run(2)
    net.attach(client.imsi, 5)


def power_cycle(net: Network, client: ImsClient) -> None:
    net.power_cycle(client.imsi)
    net.attach(client.imsi, 5)


def connection_anew(net: Network, client: ImsClient) -> None:
    net.command(f"ue-{client.imsi}", ClosePdn("ims"))
    net.command(f"ue-{client.imsi}", OpenPdn("ims"), 5)


@pytest.mark.parametrize("away", [off_and_on, power_cycle, connection_anew])
def test_a_phone_registers_again_from_its_new_address(make_network: Make, away: Callable[..., None]) -> None:
    net, a, b = two(make_network)
    before = a.address
    away(net, a)
    assert a.registered, a.last
    assert a.address != before
    assert sorted(key.host for key in net.core.pcscf.registrations) == sorted((a.address, b.address))
    assert len(net.sas) == 2, "the SAs of before are gone"
    (user,) = [user for user in net.core.scscf.users.values() if user.subject == a.imsi]
    assert [a.address in contact.uri for contact in user.contacts.values()] == [True]
    net.command(b.name, TextCommand(f"+{msisdn_of(1)}", "hello"))
    assert [text.text for text in a.inbox] == ["hello"]
    net.command(b.name, CallCommand(f"+{msisdn_of(1)}"), 3)
    assert [call.state for call in a.calls.values()] == [CallState.RINGING]
    net.command(b.name, HangUpCommand(), 3)


def test_who_gets_the_address_of_another_does_not_get_his_calls(make_network: Make) -> None:
    net, a, b = two(make_network)
    net.detach(a.imsi, switch_off=True)
    address = "10.46.0.2"
    c = net.add_ims(3)
    net.add_subscriber(imsi_of(3), overwrite=True, address=f"ims={address}", msisdn=msisdn_of(3))
    net.attach(c.imsi, 5)
    assert (c.address, c.registered) == (address, True)
    net.command(b.name, CallCommand(f"+{msisdn_of(1)}"), 5)
    net.command(b.name, TextCommand(f"+{msisdn_of(1)}", "for the first"), 2)
    assert (c.calls, list(c.inbox)) == ({}, [])
    assert "480" in b.last
    net.command(b.name, CallCommand(f"+{msisdn_of(3)}"), 3)
    assert len(c.calls) == 1
    net.command(b.name, HangUpCommand(), 3)
    net.attach(a.imsi, 5)
    assert a.registered


def test_a_call_ends_for_the_other_when_one_end_loses_its_connection(make_network: Make) -> None:
    net, a, b = two(make_network)
    net.command(a.name, CallCommand(f"+{msisdn_of(2)}"), 3)
    net.command(b.name, AnswerCommand(), 2)
    net.detach(b.imsi, switch_off=True)
    net.run(2)
    assert a.calls == {}
    assert "hung up" in a.last
    assert (net.core.pcscf.passing, net.core.scscf.calls, net.core.pgw.af_sessions) == ({}, {}, {})
    net.attach(b.imsi, 5)
    assert b.registered


def test_an_offer_ends_when_the_phone_that_rings_vanishes(make_network: Make) -> None:
    net, a, b = two(make_network)
    net.command(a.name, CallCommand(f"+{msisdn_of(2)}"), 3)
    assert [call.state for call in b.calls.values()] == [CallState.RINGING]
    net.detach(b.imsi, switch_off=True)
    net.run(5)
    assert a.calls == {}
    assert (net.core.pcscf.passing, net.core.scscf.calls, net.core.pgw.af_sessions) == ({}, {}, {})
    net.attach(b.imsi, 5)
    assert b.registered
