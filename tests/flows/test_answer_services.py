# SPDX-License-Identifier: Apache-2.0
"""One phone alone tries voice: its calls to the numbers that answer by themselves, through the whole network."""

from collections.abc import Callable

import pytest
from network import Network, settings

from dialtone.answer.element import StreamFinished
from dialtone.sim.ims.call import CallCommand, HangUpCommand, HoldCommand
from dialtone.sim.ims.client import ImsClient
from dialtone.sim.ims.states import CallState
from dialtone.sim.power import BreakCommand

Make = Callable[..., Network]


def registered(make_network: Make, **options: object) -> tuple[Network, ImsClient]:
    net = make_network(phones=0, **options)
    client = net.add_ims(1)
    net.attach(client.imsi, 3)
    assert client.registered
    return net, client


@pytest.mark.parametrize(("number", "service"), [("600", "echo"), ("601", "tone"), ("602", "info")])
def test_a_number_of_a_service(make_network: Make, number: str, service: str) -> None:
    net, client = registered(make_network)
    net.command(client.name, CallCommand(number), 5)
    assert [call.state for call in client.calls.values()] == [CallState.ACTIVE]
    (call,) = net.core.answer.calls.values()
    assert call.service == service
    (stream,) = net.streams.values()
    assert stream.agreed.address == client.address
    assert 1 in client.bearers.values(), "a bearer with QCI 1 carries it"
    net.command(client.name, HangUpCommand(), 3)
    assert (net.core.answer.calls, net.streams, client.calls) == ({}, {}, {})
    assert 1 not in client.bearers.values()


def test_the_network_knows_the_number_of_the_caller(make_network: Make) -> None:
    net, client = registered(make_network)
    net.command(client.name, CallCommand("602"), 5)
    (stream,) = net.streams.values()
    words = stream.script.words
    at = words.index("your_number")
    assert words[at + 1] == "plus"
    net.loop.tell("answer", StreamFinished(stream.key))
    net.run(3)
    assert client.calls == {}, "the service hangs up when all is said"


def test_hold_silences_the_service(make_network: Make) -> None:
    net, client = registered(make_network)
    net.command(client.name, CallCommand("601"), 5)
    net.command(client.name, HoldCommand(), 3)
    (stream,) = net.streams.values()
    assert "send" not in stream.agreed.direction
    net.command(client.name, HangUpCommand(), 3)


@pytest.mark.parametrize("number", ["112", "911", "urn:service:sos"])
def test_the_emergency_desk(make_network: Make, number: str) -> None:
    net, client = registered(make_network, config=settings(emergency="desk"))
    net.command(client.name, CallCommand(number), 5)
    (call,) = net.core.answer.calls.values()
    assert (call.service, call.script.words[0]) == ("sos", "emergency")
    net.command(client.name, HangUpCommand(), 3)


def test_without_a_desk_the_phone_is_told_to_try_elsewhere(make_network: Make) -> None:
    net, client = registered(make_network)
    net.command(client.name, CallCommand("112"), 5)
    assert net.core.answer.calls == {}
    assert "380" in client.last


def test_a_caller_that_says_nothing_of_its_bearer(make_network: Make) -> None:
    net, client = registered(make_network)
    net.loop.tell(client.name, BreakCommand("stuck_at_183"))
    net.command(client.name, CallCommand("600"), 10)
    assert len(net.core.answer.calls) == 1
    net.run(120)
    assert (net.core.answer.calls, client.calls) == ({}, {})
    assert "504" in client.last
    assert net.core.scscf.calls == {}
