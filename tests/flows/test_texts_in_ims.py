# SPDX-License-Identifier: Apache-2.0
"""Short messages in the whole network: over IP from phone to phone, to phones outside IMS over NAS, to phones that
were switched off when they return by either path or both at once. Each arrives once."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from network import Network, msisdn_of
from text_flows import COMBINED

from dialtone.links.memory import Weather
from dialtone.sim.detach import DetachCommand
from dialtone.sim.ims.registration import DeregisterCommand, RegisterCommand
from dialtone.sim.ims.sms import SmsCommand
from dialtone.sim.power import BreakCommand
from dialtone.sim.sms import TextCommand
from dialtone.sim.texts import MemoryCommand

MakeNetwork = Callable[..., Network]


class Two:
    """Two phones with SMS over NAS, registered to IMS."""

    def __init__(self, make_network: MakeNetwork, **options: object) -> None:
        self.net = make_network(phones=0, handset=COMBINED, **options)
        self.one, self.two = (self.net.add_ims(number) for number in (1, 2))
        for client in (self.one, self.two):
            self.net.attach(client.imsi, 3)
            assert client.registered

    def send(self, text: str = "Hello", seconds: float = 10.0, *, report: bool = False) -> None:
        """From one to two, over IP."""
        self.net.command(self.one.name, SmsCommand(f"+{msisdn_of(2)}", text, report), seconds)

    def off(self) -> None:
        """The second phone leaves IMS and is switched off."""
        self.net.command(self.two.name, DeregisterCommand(DetachCommand(True)), 5)

    def inbox(self) -> list[tuple[str, str]]:
        """What the second phone got, each once."""
        phone = self.net.phones[self.two.imsi]
        assert not phone.texts.counters["the same text twice"]
        return [(one.text, one.path) for one in phone.texts.messages()]

    def states(self) -> list[str]:
        return [str(text.state) for text in self.net.core.sms.box.latest(100)]


@pytest.fixture
def two(make_network: MakeNetwork) -> Two:
    return Two(make_network)


@pytest.mark.parametrize("text", ["x" * 161, "Привет, " * 40, "[€]" * 100, "Grüße 😀 " * 20])
def test_long_texts_with_status_reports_over_ip(two: Two, text: str) -> None:
    two.send(text, 30, report=True)
    assert two.inbox() == [(text, "IP")]
    parts = two.one.texts.sent
    assert len(parts) > 1
    assert {part.said for part in parts} == {"received by the phone"}
    assert two.states() == ["delivered"] * (2 * len(parts))
    assert {event.name for event in two.net.events("SGd")} == set()


def test_between_ip_and_nas(two: Two) -> None:
    """One that is in IMS and one that is not text each other, and hear that it arrived."""
    two.net.command(two.two.name, DeregisterCommand(), 5)
    two.send("to NAS", report=True)
    assert two.inbox() == [("to NAS", "NAS")]
    assert two.one.texts.sent[-1].said == "received by the phone"
    phone = two.net.phones[two.two.imsi]
    two.net.command(phone.name, TextCommand(f"+{msisdn_of(1)}", "to IP", report=True), 10)
    assert [(one.text, one.path) for one in two.one.texts.messages()] == [("to IP", "IP")]
    assert phone.texts.sent[-1].said == "received by the phone"


@pytest.mark.parametrize("over", ["IP", "NAS"])
def test_a_full_phone_says_when_it_has_room(two: Two, over: str) -> None:
    """RP-SMMA, acknowledged, by the path that the phone has."""
    element = two.two.name
    if over == "NAS":
        two.net.command(two.two.name, DeregisterCommand(), 5)
        element = two.net.phones[two.two.imsi].name
    two.net.command(element, MemoryCommand(full=True))
    two.send("one")
    two.send("two")
    assert (two.inbox(), two.states()) == ([], ["waiting"] * 2)
    two.net.command(element, MemoryCommand(full=False), 5)
    assert two.inbox() == [("one", over), ("two", over)]
    assert any("the network knows that there is room again" in line for line in two.net.verdicts(element))
    two.net.run(7200)
    assert len(two.inbox()) == 2


def test_room_that_nobody_hears_of(two: Two) -> None:
    two.net.command(two.two.name, DeregisterCommand(), 5)
    two.net.command(two.two.name, RegisterCommand(), 5)
    two.net.gm.deaf.add("10.46.0.1")
    two.net.command(two.two.name, MemoryCommand(full=False), 41)
    assert two.two.last == "to the network: no RP-ACK of the service centre (TR1M)"
    two.net.gm.deaf.clear()


def test_attached_but_not_in_ims_it_comes_over_nas(two: Two) -> None:
    two.net.command(two.two.name, DeregisterCommand(), 5)
    two.send()
    assert two.inbox() == [("Hello", "NAS")]
    two.net.command(two.two.name, RegisterCommand(), 60)
    assert two.inbox() == [("Hello", "NAS")]


@pytest.mark.parametrize(("fault", "path"), [("no_combined_attach", "IP"), ("silent_after_401", "NAS"), (None, None)])
def test_switched_off_it_comes_when_the_phone_returns_once(two: Two, fault: str | None, path: str | None) -> None:
    """By IMS alone, by NAS alone, and by both."""
    phone = two.net.phones[two.two.imsi]
    two.off()
    two.send("first")
    two.send("second")
    assert (two.inbox(), two.states()) == ([], ["waiting"] * 2)
    if fault == "no_combined_attach":
        phone.handset = replace(phone.handset, combined=False)
    elif fault:
        two.net.command(two.two.name, BreakCommand(fault))
    two.net.attach(two.two.imsi, 60)
    assert [text for text, _ in two.inbox()] == ["first", "second"]
    assert path is None or {path} == {path for _, path in two.inbox()}
    two.net.command(two.two.name, BreakCommand())
    two.net.run(2 * 3600)
    assert len(two.inbox()) == 2
    assert two.states() == ["delivered"] * 2


@pytest.mark.parametrize("seed", range(12))
def test_both_paths_at_once_bring_it_once(make_network: MakeNetwork, seed: int) -> None:
    """The MME's alert and the registration to IMS race each other while SGd is slow and repeats itself."""
    two = Two(make_network, seed=seed)
    two.off()
    for number in range(5):
        two.send(f"text {number}")
    two.net.link("SGd").weather = Weather(seed, duplicate=0.3, reorder=0.3, delay=0.3 * (seed % 4))
    two.net.attach(two.two.imsi, 5)
    for _ in range(3):  # it comes and goes while they are delivered
        two.net.command(two.two.name, RegisterCommand(), 0.1 * seed)
        two.net.command(two.two.name, DeregisterCommand(), 0.3)
    two.net.command(two.two.name, RegisterCommand(), 300)
    two.net.link("SGd").weather = None
    two.net.run(300)
    assert [text for text, _ in two.inbox()] == [f"text {number}" for number in range(5)]
    assert two.states() == ["delivered"] * 5
