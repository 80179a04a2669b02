# SPDX-License-Identifier: Apache-2.0
"""What the diagnosis says of texts: refused, kept, and answered wrongly; the same on another phone and another day."""

from collections.abc import Callable

import pytest
from network import Network
from text_flows import ALICE, ALICES, BOB, BOBS, text, two

from dialtone.codec import sip
from dialtone.codec.sip import MessageRequest, response
from dialtone.codec.sms import RPAck, RPData, rp
from dialtone.codec.sms.address import Address
from dialtone.sim.phone import Handset
from dialtone.sim.power import BreakCommand
from dialtone.sim.sms import TextCommand
from dialtone.sim.texts import MemoryCommand
from dialtone.trace.bus import Bus, Event
from dialtone.trace.diagnose import diagnose


def verdicts(net: Network, imsi: str) -> dict[str, str]:
    return of_texts(net.events(), imsi)


def of_texts(events: list[Event], imsi: str) -> dict[str, str]:
    return {verdict.rule: verdict.line for verdict in diagnose(events, imsi) if verdict.rule.startswith("text")}


@pytest.fixture
def net(make_network: Callable[..., Network]) -> Network:
    net = make_network()
    two(net)
    return net


def test_a_text_that_arrives_is_nothing_to_speak_of(net: Network) -> None:
    text(net)
    net.run(120)
    assert verdicts(net, ALICE) == verdicts(net, BOB) == {}


def test_a_wrong_number(net: Network) -> None:
    """D34."""
    text(net, to="+15550199")
    assert "nobody here has that number" in verdicts(net, ALICE)["text-refused"]


@pytest.mark.parametrize("day", [0, 86400])
def test_a_phone_with_neither_nas_nor_ip(net: Network, day: int) -> None:
    """D35."""
    net.run(day)
    net.detach(BOB)
    net.phones[BOB].handset = Handset(retries=False)
    net.attach(BOB)
    if day:
        net.power_cycle(ALICE)
        net.attach(ALICE)
    text(net)
    line = verdicts(net, BOB)["text-no-carrier"]
    assert "without SMS over NAS, and not registered to IMS with +g.3gpp.smsip" in line
    assert "VoLTE on" in line


def test_a_phone_that_is_away_or_full(net: Network) -> None:
    net.command(f"ue-{BOB}", MemoryCommand(full=True))
    text(net)
    assert "delete some texts" in verdicts(net, BOB)["text-kept"]
    net.idle(BOB)
    net.phones[BOB].deaf = True
    net.run(200)
    assert "switched off" in verdicts(net, BOB)["text-kept"]


@pytest.mark.parametrize(("fault", "how"), [("no_rp_ack", "was never answered"),
                                            ("wrong_rp_reference", "was answered under another number")])
@pytest.mark.parametrize("who", [ALICE, BOB])
def test_a_phone_whose_answers_go_astray(net: Network, fault: str, how: str, who: str) -> None:
    """D36, at the phone."""
    other, number = (BOB, ALICES) if who == ALICE else (ALICE, BOBS)
    net.command(f"ue-{who}", BreakCommand(fault))
    net.command(f"ue-{other}", TextCommand(f"+{number}", "Hello"), 60)
    line = verdicts(net, who)["text-answer-missing"]
    assert how in line
    assert "cannot know whether the phone has the text" in line


def said(*messages: sip.SipMessage, seconds: float = 60) -> dict[str, str]:
    """What is said of a foreign network's messages on Gm: the first is the phone's, what follows comes to it."""
    bus = Bus(100)
    for number, message in enumerate(messages):
        publish, ends = (bus.sent, ("pcscf", f"ue-{ALICE}")) if number else (bus.received, (f"ue-{ALICE}", "pcscf"))
        publish(100.0 + number, "Gm", *ends, "MESSAGE", ALICE, "", "", sip.encode(message), b"", "")
    bus.done(100.0 + seconds, "timer", "pcscf", "x", ALICE, "", "")
    return of_texts(list(bus.ring), ALICE)


def message(body: bytes, uri: str = "tel:+7") -> MessageRequest:
    made = MessageRequest(uri=uri)
    for name, value in (("Via", "SIP/2.0/UDP 10.46.0.2;branch=z9hG4bK1"), ("From", "<sip:a@b>;tag=1"),
                        ("To", f"<{uri}>"), ("Call-ID", f"c{body.hex()[:4]}"), ("CSeq", "1 MESSAGE")):
        made.append(name, value)
    made.content("application/vnd.3gpp.sms", body)
    return made


def test_a_network_that_looks_at_the_service_centre_of_the_card() -> None:
    """D34, as it is seen in other networks."""
    submit = message(rp.encode(RPData(reference=1, destination=Address("7"), user_data=b"\1\0")))
    line = said(submit, response(submit, 404))["text-not-taken-by-proxy"]
    assert "tel:+7" in line
    assert "SMS centre's number" in line
    assert said(submit, response(submit, 202), message(rp.encode(RPAck(reference=1, uplink=False)))) == {}


def test_a_network_whose_answers_go_astray() -> None:
    """D36, at the network: the phone shows its text as failed."""
    submit = message(rp.encode(RPData(reference=1, user_data=b"\1\0")))
    taken = response(submit, 202)
    assert "was never answered" in said(submit, taken)["text-answer-missing"]
    wrong = message(rp.encode(RPAck(reference=2, uplink=False)))
    line = said(submit, taken, wrong)["text-answer-missing"]
    assert "shows its text as not sent" in line
    assert "another number (2)" in line
    assert said(submit, taken, seconds=5) == {}
