# SPDX-License-Identifier: Apache-2.0
"""Texts over NAS: both ways, idle, switched off, refused, repeated, lost; each arrives once."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import text_flows
from leaks import held, leave_nothing
from network import Network
from text_flows import ALICE, ALICES, BOB, BOBS, COMBINED

from dialtone.codec.nas import UplinkNASTransport
from dialtone.codec.sms import CPData, RPData, SmsCommand, cp, rp, tpdu
from dialtone.codec.sms.address import Address
from dialtone.config import Config
from dialtone.config_sms import SmsConfig
from dialtone.effects import PeerDown, PeerUp
from dialtone.links.memory import Weather
from dialtone.sim.phone import Handset, Phone
from dialtone.sim.power import BreakCommand
from dialtone.sim.sms import TextCommand
from dialtone.sim.texts import MemoryCommand


class Texting(Network):
    """Two phones with numbers."""

    def __init__(self, path: Path, **more: object) -> None:
        super().__init__(path, 2, handset=COMBINED, **more)  # type: ignore[arg-type]
        for imsi, number in ((ALICE, ALICES), (BOB, BOBS)):
            self.add_subscriber(imsi, overwrite=True, msisdn=number)
        self.before = held(self)

    def text(self, text: str = "Hello", to: str = f"+{BOBS}", seconds: float = 5.0, **more: Any) -> Phone:
        """Alice texts."""
        return text_flows.text(self, text, to, seconds, **more)

    @property
    def bob(self) -> Phone:
        return self.phones[BOB]

    def inbox(self, imsi: str = BOB) -> list[tuple[str, str]]:
        return text_flows.got(self.phones[imsi])

    def states(self) -> list[str]:
        """What became of each text, by the store."""
        return [str(text.state) for text in self.core.sms.box.latest(100)]


@pytest.fixture
def net(tmp_path: Path) -> Texting:
    net = Texting(tmp_path)
    net.attach(ALICE)
    net.attach(BOB)
    return net


def done(net: Texting) -> None:
    """Nothing is left of it, and no phone got anything twice."""
    assert not any(phone.texts.counters["the same text twice"] for phone in net.phones.values())
    leave_nothing(net, net.before)


def test_a_text_between_two_phones(net: Texting) -> None:
    alice = net.text("Hello Bob")
    assert net.inbox() == [(f"+{ALICES}", "Hello Bob")]
    assert alice.last == f"the service centre has the text for +{BOBS}"
    assert net.states() == ["delivered"]
    assert net.names("SGd") == [
        "MO-Forward-Short-Message Request", "MO-Forward-Short-Message Answer",
        "MT-Forward-Short-Message Request", "MT-Forward-Short-Message Answer"]
    done(net)


def test_a_text_is_on_the_disk_before_the_phone_is_told(net: Texting) -> None:
    net.save_fails = OSError("disk full")
    alice = net.text()
    assert alice.last == "not sent: the network refused it with RP cause #42"
    assert alice.texts.sent[-1].failure == 0xC2  # SC system failure
    net.save_fails = None
    assert net.inbox() == []
    assert net.states() == []
    net.text("again")
    assert net.inbox() == [(f"+{ALICES}", "again")]
    done(net)


@pytest.mark.parametrize("text", ["x" * 161, "привет " * 30, "[€]" * 100, "y" * 1000])
def test_a_long_text_comes_whole(net: Texting, text: str) -> None:
    net.text(text, seconds=30)
    assert net.inbox() == [(f"+{ALICES}", text)]
    done(net)


def test_an_idle_phone_gets_its_text(net: Texting) -> None:
    net.idle(BOB)
    net.text(seconds=10)
    assert net.inbox() == [(f"+{ALICES}", "Hello")]
    assert "Paging" in net.names("S1-MME")
    done(net)


def test_an_idle_phone_comes_back_to_send(net: Texting) -> None:
    net.idle(ALICE)
    net.text(seconds=10)
    assert net.inbox() == [(f"+{ALICES}", "Hello")]
    done(net)


def test_a_phone_that_is_switched_off_gets_it_when_it_returns_once(net: Texting) -> None:
    net.detach(BOB, switch_off=True)
    net.text("one")
    net.text("two")
    assert net.inbox() == []
    assert net.states() == ["waiting"] * 2
    net.attach(BOB, seconds=5)
    assert [text for _, text in net.inbox()] == ["one", "two"]
    assert net.states() == ["delivered"] * 2
    net.run(7200)
    assert len(net.inbox()) == 2
    done(net)


def test_a_phone_that_never_was_here(tmp_path: Path) -> None:
    net = Texting(tmp_path)
    net.attach(ALICE)
    net.text()
    assert net.states() == ["waiting"]
    net.attach(BOB, seconds=5)
    assert net.inbox() == [(f"+{ALICES}", "Hello")]
    done(net)


def test_a_phone_out_of_reach_gets_it_when_it_is_heard_of(net: Texting) -> None:
    net.idle(BOB)
    net.bob.deaf = True
    net.text(seconds=60)
    assert net.states() == ["waiting"]
    net.bob.deaf = False
    net.power_cycle(BOB)
    net.attach(BOB, seconds=5)
    assert net.inbox() == [(f"+{ALICES}", "Hello")]
    done(net)


def test_a_restart_loses_no_text(tmp_path: Path, net: Texting) -> None:
    net.detach(BOB, switch_off=True)
    net.text()
    again = Texting.__new__(Texting)
    Network.__init__(again, tmp_path, 0)
    again.add_phone(BOB, COMBINED)
    again.attach(BOB, seconds=5)
    assert again.inbox() == [(f"+{ALICES}", "Hello")]


def test_a_full_phone_gets_it_when_it_has_room(net: Texting) -> None:
    net.command(net.bob.name, MemoryCommand(full=True))
    net.text()
    assert net.bob.texts.counters["no memory"] == 1
    assert net.states() == ["waiting"]
    net.command(net.bob.name, MemoryCommand(full=False), 5)
    assert net.inbox() == [(f"+{ALICES}", "Hello")]
    assert net.bob.last == "a text has come"
    done(net)


def test_a_status_report_tells_the_sender(net: Texting) -> None:
    alice = net.text(report=True)
    assert [sent.status for sent in alice.texts.sent] == [0]
    assert net.states() == ["delivered", "delivered"]
    done(net)


def test_a_text_expires(net: Texting) -> None:
    net.detach(BOB, switch_off=True)
    alice = net.text(validity=300, report=True)
    net.run(400)
    assert net.states()[0] == "expired"
    assert [sent.status for sent in alice.texts.sent] == [0x46]
    net.attach(BOB, seconds=5)
    assert net.inbox() == []
    done(net)


def test_nobody_has_that_number(net: Texting) -> None:
    alice = net.text(to="+15550199")
    assert alice.last == "not sent: the network refused it with RP cause #21"
    assert alice.texts.sent[-1].failure == 0xC3
    done(net)


@pytest.mark.parametrize("dialled", [BOBS, f"00{BOBS}", f"+{BOBS}"])
def test_numbers_as_people_dial_them(net: Texting, dialled: str) -> None:
    net.text(to=dialled)
    assert net.inbox() == [(f"+{ALICES}", "Hello")]


def test_who_sends_too_many_is_told(tmp_path: Path) -> None:
    net = Texting(tmp_path, config=replace(Config(), sms=SmsConfig(rate=2)))
    net.attach(ALICE)
    net.attach(BOB)
    for _ in range(3):
        net.text(seconds=2)
    assert net.phones[ALICE].last == "not sent: the network refused it with RP cause #42"
    assert len(net.inbox()) == 2
    net.run(60)
    net.text()
    assert len(net.inbox()) == 3


def test_a_mailbox_has_a_limit(tmp_path: Path) -> None:
    net = Texting(tmp_path, config=replace(Config(), sms=SmsConfig(waiting=2)))
    net.attach(ALICE)
    for _ in range(3):
        net.text(seconds=2)
    assert net.phones[ALICE].last == "not sent: the network refused it with RP cause #42"
    assert net.states() == ["waiting"] * 2


def test_a_phone_without_combined_attach(tmp_path: Path) -> None:
    net = Texting(tmp_path)
    net.handset = Handset(retries=False)
    net.attach(ALICE)
    net.bob.handset = Handset(retries=False)
    net.attach(BOB)
    net.text()
    assert net.states() == ["waiting"]
    assert any("asked for no combined attach" in line for line in net.verdicts("sms"))
    assert "without SMS" in " ".join(net.verdicts())
    net.command(net.bob.name, TextCommand(f"+{ALICES}", "x"))
    assert net.bob.last.startswith("not sent: the phone has no SMS over NAS")


def test_a_phone_that_confirms_nothing(net: Texting) -> None:
    """TC1* repeats CP-DATA twice; then it waits."""
    net.command(net.bob.name, BreakCommand("no_cp_ack"))
    net.text(seconds=30)
    assert len([event for event in net.sent("CP-DATA") if event.dst == f"ue-{BOB}"]) == 3
    assert net.states() == ["waiting"]
    net.command(net.bob.name, BreakCommand(None))
    net.run(120)
    assert net.inbox() == [(f"+{ALICES}", "Hello")]
    done(net)


@pytest.mark.parametrize("fault", ["no_rp_ack", "wrong_rp_reference"])
def test_a_phone_that_does_not_say_that_it_has_the_text(net: Texting, fault: str) -> None:
    """It is not tried again: the phone may have it."""
    net.command(net.bob.name, BreakCommand(fault))
    net.text(seconds=120)
    assert net.states() == ["failed"]
    net.run(7200)
    assert len(net.inbox()) == 1
    done(net)


def test_a_silent_service_centre(net: Texting) -> None:
    """TR2N: the phone is told that its text did not go."""
    net.link("SGd").weather = Weather(loss=1.0)
    alice = net.text(seconds=30)
    assert alice.last == "not sent: the network refused it with RP cause #38"
    net.link("SGd").weather = None
    net.run(120)
    done(net)


def test_the_phone_leaves_in_the_middle(net: Texting) -> None:
    """The S1 association breaks while a text is under way: delivered when the phone is back, once."""
    net.command(net.bob.name, BreakCommand("no_cp_ack"))
    net.text(seconds=1)
    net.lose_s1()
    net.command(net.bob.name, BreakCommand(None))
    net.run(100)
    assert net.states() == ["waiting"]
    net.command(net.enbs[0].name, PeerUp("S1-MME", "mme"))
    net.power_cycle(BOB)
    net.attach(BOB, seconds=10)
    assert net.inbox() == [(f"+{ALICES}", "Hello")]
    done(net)


def rp_of(net: Texting, octets: bytes) -> str:
    """Alice's RP octets in CP-DATA; what she is answered with."""
    alice = net.phones[ALICE]

    container = cp.encode(CPData(ti=3, user_data=octets))
    _plain, wire = alice.nas.down("mme", UplinkNASTransport(nas_message_container=container))
    net.nas_from(alice, wire)
    net.run(20)
    answers = [event for event in net.sent("CP-DATA") if event.dst == f"ue-{ALICE}"]
    return cp.decode(answers[-1].data).user_data.hex() if answers else ""  # type: ignore[attr-defined]


def test_what_breaks_the_relay_layer_is_answered(net: Texting) -> None:
    """TS 24.011, 9.3: RP-ERROR with the reference of the message, where it has one."""
    command = tpdu.encode(SmsCommand(reference=1, pid=0, command=0, message_number=1, destination=Address(BOBS)))
    assert rp_of(net, b"\x00\x07\x00\x00\x05ab") == "0507" + "0160"  # invalid mandatory information
    assert rp_of(net, b"\x07\x08") == "0508" + "0161"  # message type non-existent
    assert rp_of(net, b"\x02\x09") == "0509" + "0162"  # an answer to nothing
    assert rp_of(net, rp.encode(RPData(reference=10, user_data=command))).startswith("050a016f")
    assert rp_of(net, rp.encode(RPData(reference=11, user_data=b"\x01\x00"))).startswith("050b016f")
    net.text()
    assert net.inbox() == [(f"+{ALICES}", "Hello")]
    done(net)


def test_nothing_but_an_alert_wakes_a_mailbox_before_its_time(net: Texting) -> None:
    """Pauses double: 60 s, 120 s, 240 s, up to an hour."""
    net.detach(BOB, switch_off=True)
    net.text(seconds=0.5)
    start = net.now
    net.run(4 * 3600)
    times = [round(event.time - start) for event in net.sent("MT-Forward-Short-Message Request", "sms")][1:]
    assert [later - earlier for earlier, later in itertools.pairwise(times)][:6] == [
        120, 240, 480, 960, 1920, 3600]


def test_a_peer_that_is_gone(net: Texting) -> None:
    net.command("mme", PeerDown("SGd", "sms", "gone"))
    net.text()
    assert net.inbox() == [(f"+{ALICES}", "Hello")]
