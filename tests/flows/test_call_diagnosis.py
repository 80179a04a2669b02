# SPDX-License-Identifier: Apache-2.0
"""What is said to people of calls without bearer or voice, out of the trace of the very flow (rows D28 and D29)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from network import Network, imsi_of
from rx_peer import Af, audio, video
from test_bearers import CALL
from test_rx_media import FIRST, SECOND, A, B, establish, passes, udp

from dialtone.codec.tft import Direction, PacketFilter
from dialtone.pgw.policy import InstallRules
from dialtone.sim.enb import EnbConfig
from dialtone.trace.diagnose import Level, diagnose

Make = Callable[..., Network]
IMSI = imsi_of(1)


def verdicts(net: Network, rule: str) -> list[Any]:
    return [verdict for verdict in diagnose(net.events(), IMSI) if verdict.rule == rule]


def no_qci_1(net: Network) -> None:
    Af(net).aar(audio())


def no_qci_2(net: Network) -> None:
    Af(net).aar(video())


def no_filters(net: Network) -> None:
    backwards = PacketFilter(1, Direction.BIDIRECTIONAL, 1, protocol=17, local_ports=(2, 1))
    net.command("pgw", InstallRules(IMSI, "internet", (replace(CALL, flows=(), packet_filters=(backwards,)),)))


def no_quality(net: Network) -> None:
    net.command("pgw", InstallRules(IMSI, "internet", (replace(CALL, gbr=(0, 0), mbr=(0, 0)),)))


def nobody(net: Network) -> None:
    net.fault("silent")
    Af(net).aar(audio())
    net.run(60.0)


@pytest.mark.parametrize(("fault", "words"), [
    (no_qci_1, ("no bearer for its voice", "the eNB refused it", "not-supported-qci-value", "licence")),
    (no_qci_2, ("no bearer for its video", "the eNB refused it")),
    (no_filters, ("the phone refused it with ESM cause", "#44", "packet filters")),
    (no_quality, ("the phone refused it with ESM cause", "#37", "restart")),
    (nobody, ("the phone does not answer", "radio")),
])
def test_a_call_without_bearer_is_explained(make_network: Make, fault: Callable[[Network], None],
                                            words: tuple[str, ...]) -> None:
    refused = {no_qci_1: (1,), no_qci_2: (2,)}.get(fault, ())
    net = make_network(enbs=(EnbConfig(refused_qcis=frozenset(refused)),))
    net.attach()
    fault(net)
    (verdict,) = verdicts(net, "call-without-bearer")
    assert verdict.level is Level.FAILURE
    assert all(word in verdict.line for word in words), verdict.line
    assert verdict.evidence


def test_a_call_with_its_bearer_is_not_complained_of(make_network: Make) -> None:
    net = make_network()
    net.attach()
    af = Af(net)
    af.aar(audio())
    assert verdicts(net, "call-without-bearer") == []
    af.end()


def test_a_phone_that_sends_from_other_ports(make_network: Make) -> None:
    net = make_network(2)
    for number in (1, 2):
        net.attach(imsi_of(number))
    af = Af(net)
    assert not passes(net, udp(FIRST, A, SECOND, B))  # no call at all: that is no fault of a call
    for event in net.forwarder.events:
        raise AssertionError(event)
    establish(af)
    for port in (A + 4, A + 6):
        assert not passes(net, udp(FIRST, port, SECOND, B))
    (event,) = net.forwarder.events
    net.forwarder.events.clear()
    net.command("pgw", event)
    (verdict,) = verdicts(net, "call-not-heard")
    assert f"from 10.45.0.2:{A + 4} to 10.45.0.3:{B}" in verdict.line
    assert "Compare these ports" in verdict.line
    for session in ("first", "second"):
        af.end(session)
