# SPDX-License-Identifier: Apache-2.0
"""What keeps a phone from its first SIP message: each mistake is made by a simulated phone or network, and named."""

from collections.abc import Callable
from dataclasses import replace

from network import Network, imsi_of

from dialtone.sim.power import BreakCommand
from dialtone.trace.diagnose import diagnose


def verdicts(net: Network, number: int = 1) -> dict[str, str]:
    return {verdict.rule: verdict.line for verdict in diagnose(net.events(), imsi_of(number))}


def broken(make_network: Callable[..., Network], fault: str, number: int = 1, seconds: float = 40.0) -> Network:
    """A phone with a fault, some time after its attach."""
    net = make_network(phones=0)
    client = net.add_ims(number)
    for element in (client.name, client.phone):
        net.command(element, BreakCommand(fault))
    net.attach(client.imsi, seconds)
    net.add_subscriber(imsi_of(99))
    net.add_phone(imsi_of(99))
    net.attach(imsi_of(99))  # the trace goes on
    return net


def test_there_is_a_time_for_everything(make_network: Callable[..., Network]) -> None:
    """Seconds after the attach nobody is to blame yet."""
    for fault, rule in (("no_ims_pdn", "ims-never-asked"), ("no_sip", "ims-no-sip")):
        assert rule not in verdicts(broken(make_network, fault, seconds=5.0))


def test_a_phone_that_registers_and_one_that_never_heard_of_ims(make_network: Callable[..., Network]) -> None:
    net = make_network(phones=0)
    client = net.add_ims(1)
    net.attach(client.imsi, 60)
    net.add_subscriber(imsi_of(2))
    net.add_phone(imsi_of(2))
    net.attach(imsi_of(2), 60)
    assert set(verdicts(net, 1)) == {"attached", "ims-registered"}
    assert set(verdicts(net, 2)) == {"attached"}


def test_a_subscriber_without_the_apn(make_network: Callable[..., Network]) -> None:
    net = make_network(phones=0)
    client = net.add_ims(1)
    net.phones[client.imsi].handset = replace(net.phones[client.imsi].handset, ims="ims.other")
    net.attach(client.imsi, 40)
    assert "Add the APN ims" in verdicts(net)["ims-connection-refused"]
