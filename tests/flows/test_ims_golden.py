# SPDX-License-Identifier: Apache-2.0
"""Golden ladders of IMS: two phones, from the connection to the end of a call, as text, and under tshark's eyes.

After a change that is meant: `DIALTONE_WRITE_GOLDEN=1 pytest tests/flows/test_ims_golden.py`, and read the diff.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from network import Network, msisdn_of
from test_emergency import desk

from dialtone.hss.registration_termination import EndRegistration
from dialtone.sim.detach import DetachCommand
from dialtone.sim.ims.call import AnswerCommand, CallCommand, HangUpCommand, HoldCommand, VideoCommand
from dialtone.sim.ims.client import ImsClient
from dialtone.sim.ims.registration import DeregisterCommand, RegisterCommand
from dialtone.sim.ims.sms import SmsCommand
from dialtone.sim.ims.text import TextCommand
from dialtone.sip.flow import Flow
from dialtone.trace import pcapng
from dialtone.trace.bus import Event
from dialtone.trace.ladder import text_ladder

COMMENT = "1048576"  # the severity of what we wrote beside the frame ourselves
REMARKS = {" stray characters", "Unrecognised SIP header (content-transfer-encoding)"}
"""What it says of every SIP message with a binary body."""
GOLDEN = Path(__file__).with_name("golden") / "ims"
POINTS = ("Gm", "Mw", "ISC", "Cx", "Rx", "verdict")
COLUMNS = ("UE", "pcscf", "pgw", "scscf", "sms", "hss")
Steps = Callable[[Network, ImsClient, ImsClient], None]


def registration(net: Network, a: ImsClient, b: ImsClient) -> None:
    """From the attach on."""
    net.command(a.name, DeregisterCommand(DetachCommand()), 3)
    net.attach(a.imsi, 3)


def refresh(net: Network, a: ImsClient, b: ImsClient) -> None:
    net.command(a.name, RegisterCommand(), 3)


def text(net: Network, a: ImsClient, b: ImsClient) -> None:
    net.command(a.name, TextCommand(f"+{msisdn_of(2)}", "Hello"))


def short_message(net: Network, a: ImsClient, b: ImsClient) -> None:
    """In two parts, over IP, with status reports."""
    net.command(a.name, SmsCommand(f"+{msisdn_of(2)}", "Hello, " * 30, report=True), 5)


def short_message_kept(net: Network, a: ImsClient, b: ImsClient) -> None:
    """For a phone that is switched off, until it returns."""
    net.command(b.name, DeregisterCommand(DetachCommand(True)), 5)
    net.command(a.name, SmsCommand(f"+{msisdn_of(2)}", "Hello"), 5)
    net.attach(b.imsi, 3)


def call(net: Network, a: ImsClient, b: ImsClient) -> None:
    """With hold, and a refresh in the middle."""
    net.command(a.name, CallCommand(f"+{msisdn_of(2)}"), 2)
    net.command(b.name, AnswerCommand(), 1)
    net.command(a.name, HoldCommand(), 1)
    net.command(a.name, HoldCommand(resume=True), 1)
    net.command(b.name, RegisterCommand(), 1)
    net.command(b.name, HangUpCommand(), 1)


def video_call(net: Network, a: ImsClient, b: ImsClient) -> None:
    """Voice and pictures, then voice alone, then pictures again."""
    net.command(a.name, CallCommand(f"+{msisdn_of(2)}", video=True), 2)
    net.command(b.name, AnswerCommand(), 1)
    net.command(b.name, VideoCommand(off=True), 1)
    net.command(a.name, VideoCommand(), 1)
    net.command(b.name, HangUpCommand(), 1)


def call_given_up(net: Network, a: ImsClient, b: ImsClient) -> None:
    net.command(a.name, CallCommand(f"+{msisdn_of(2)}"), 2)
    net.command(a.name, HangUpCommand(), 2)


def emergency_call(net: Network, a: ImsClient, b: ImsClient) -> None:
    """Over a connection and a registration of its own."""
    net.command(a.name, CallCommand("112"), 8)
    net.command(a.name, HangUpCommand(), 2)


def emergency_call_without_sim(net: Network, a: ImsClient, b: ImsClient) -> None:
    """Nobody knows whose phone it is."""
    phone = net.phones[a.imsi]
    net.command(a.name, DeregisterCommand(DetachCommand()), 3)
    phone.handset = replace(phone.handset, sim=False)
    net.command(a.name, CallCommand("112"), 8)
    net.command(a.name, HangUpCommand(), 2)


def emergency_call_refused(net: Network, a: ImsClient, b: ImsClient) -> None:
    """`emergency` is off."""
    net.command(a.name, CallCommand("112"), 8)


def ended_by_the_network(net: Network, a: ImsClient, b: ImsClient) -> None:
    """The HSS ends a registration: P-CSCF and phone hear of it."""
    subscriber, served = net.store.get(a.imsi), net.store.ims_registration(a.imsi)
    assert subscriber is not None
    assert served is not None
    net.loop.tell("hss", EndRegistration(subscriber, served))
    net.run(1)


WITH_DESK = ("emergency_call", "emergency_call_without_sim")
FLOWS: dict[str, Steps] = {steps.__name__: steps for steps in (
    registration, refresh, text, short_message, short_message_kept, call, video_call, call_given_up, emergency_call,
    emergency_call_without_sim, emergency_call_refused, ended_by_the_network)}


def shown(net: Network, start: int, names: dict[str, str]) -> Iterator[Event]:
    """Each message once, where it was sent, between elements and not between sockets."""
    for event in net.events(*POINTS):
        if event.id <= start or event.kind == "rx":
            continue
        flow = Flow.find(event.dst)
        to = event.dst if flow is None else "pcscf" if event.src != "pcscf" else f"ims-{event.subject}"
        yield event._replace(src=names.get(event.src, event.src), dst=names.get(to, to))


def played(name: str, make_network: Callable[..., Network]) -> tuple[Network, int, ImsClient, ImsClient]:
    """The network after a flow, and the last event before it."""
    net = make_network(phones=0, config=desk() if name in WITH_DESK else None)
    a, b = net.add_ims(1), net.add_ims(2)
    for client in (a, b):
        net.attach(client.imsi, 3)
    start = net.events()[-1].id
    FLOWS[name](net, a, b)
    return net, start, a, b


@pytest.mark.parametrize("name", FLOWS)
def test_the_ladder_is_the_golden_one(name: str, make_network: Callable[..., Network]) -> None:
    net, start, a, b = played(name, make_network)
    names = {client.name: "A" if client.imsi == a.imsi else "B" for client in (a, b, a.help, b.help) if client}
    ladder = text_ladder(list(shown(net, start, names)), COLUMNS + (("answer",) if name in WITH_DESK else ()))
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("DIALTONE_WRITE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(ladder, encoding="utf-8")
    assert ladder == file.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    assert {file.stem for file in GOLDEN.glob("*.txt")} == set(FLOWS)


def test_tshark_reads_every_message_and_has_nothing_to_remark(tmp_path: Path) -> None:
    """SIP with its bodies, Cx, Rx, SGd and NAS of all flows, each message once, where it was sent."""
    events: list[Event] = []
    for number, name in enumerate(FLOWS):
        (folder := tmp_path / str(number)).mkdir()
        net, start, *_ = played(name, lambda folder=folder, **options: Network(folder, **options))  # type: ignore[misc]
        events += [event for event in net.events() if event.id > start and event.kind == "tx" and event.point in POINTS]
    pcapng.write(tmp_path / "ims.pcapng", events)
    fields = ("frame.protocols", "_ws.malformed", "_ws.expert.severity", "_ws.expert.message", "_ws.col.Info")
    said = subprocess.run(["tshark", "-r", str(tmp_path / "ims.pcapng"), "-T", "fields",
                           *(word for field in fields for word in ("-e", field))],
                          capture_output=True, text=True, check=True).stdout.splitlines()
    frames = [line.split("\t") for line in said]
    assert len(frames) == len(events) > 300
    assert not [frame for frame in frames if frame[1] or "alformed" in frame[4]]
    remarked = [frame for frame in frames if set(frame[2].split(",")) - {COMMENT, ""}]
    assert not [frame for frame in remarked if "gsm_a.rp" not in frame[0] or set(
        frame[3].partition("Trailing")[2].split(",")) - REMARKS]
    protocols = {protocol for frame in frames for protocol in frame[0].split(":")}
    assert {"sip", "sdp", "diameter", "gsm_a.rp", "gsm_sms", "xml"} <= protocols
