# SPDX-License-Identifier: Apache-2.0
"""What keeps a phone from its first SIP message: each mistake is made by a simulated phone or network, and named."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from network import Network, imsi_of

from dialtone.codec.pco import Id, ProtocolConfigurationOptions
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


@pytest.mark.parametrize(("fault", "rule", "remedy"), [
    ("volte_off", "volte-off", "switch VoLTE (4G calling) on"),
    ("no_ims_pdn", "ims-never-asked", "VoLTE on; the APN ims"),
    ("ims_as_default", "ims-as-default-apn", "an APN internet with type default"),
    ("no_sip", "ims-no-sip", "the phone does not try"),
])
@pytest.mark.parametrize("number", [1, 7])
def test_mistakes_of_phones(make_network: Callable[..., Network], fault: str, rule: str, remedy: str,
                            number: int) -> None:
    net = broken(make_network, fault, number)
    found = verdicts(net, number)
    assert remedy in found[rule]
    assert "attached" not in found


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
    for number in (1, 2):
        assert set(verdicts(net, number)) == {"attached"}


@pytest.mark.parametrize(("told", "said"), [(b"", "told it no P-CSCF"),
                                            (b"\x7f\0\0\1", "no address that a phone can reach")])
def test_a_p_cscf_that_is_nowhere(make_network: Callable[..., Network], monkeypatch: pytest.MonkeyPatch, told: bytes,
                                  said: str) -> None:
    honest = ProtocolConfigurationOptions.add

    def add(self: ProtocolConfigurationOptions, number: int, data: bytes = b"") -> None:
        if number != Id.P_CSCF_IPV4 or not data:
            honest(self, number, data)
        elif told:
            honest(self, number, told)

    monkeypatch.setattr(ProtocolConfigurationOptions, "add", add)
    net = make_network(phones=0)
    net.attach(net.add_ims(1).imsi, 40)
    assert said in verdicts(net)["ims-no-p-cscf"]


def test_a_subscriber_without_the_apn(make_network: Callable[..., Network]) -> None:
    net = make_network(phones=0)
    client = net.add_ims(1)
    net.phones[client.imsi].handset = replace(net.phones[client.imsi].handset, ims="ims.other")
    net.attach(client.imsi, 40)
    assert "Add the APN ims" in verdicts(net)["ims-connection-refused"]
