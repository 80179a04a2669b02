# SPDX-License-Identifier: Apache-2.0
"""Golden ladders of IMS: two phones, from the connection to the end of a call, as text.

After a change that is meant: `DIALTONE_WRITE_GOLDEN=1 pytest tests/flows/test_ims_golden.py`, and read the diff.
"""

import os
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
from dialtone.sim.ims.text import TextCommand
from dialtone.sip.flow import Flow
from dialtone.trace.bus import Event
from dialtone.trace.ladder import text_ladder

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
    registration, refresh, text, call, video_call, call_given_up, emergency_call, emergency_call_without_sim,
    emergency_call_refused, ended_by_the_network)}


def shown(net: Network, start: int, names: dict[str, str]) -> Iterator[Event]:
    """Each message once, where it was sent, between elements and not between sockets."""
    for event in net.events(*POINTS):
        if event.id <= start or event.kind == "rx":
            continue
        flow = Flow.find(event.dst)
        to = event.dst if flow is None else "pcscf" if event.src != "pcscf" else f"ims-{event.subject}"
        yield event._replace(src=names.get(event.src, event.src), dst=names.get(to, to))


@pytest.mark.parametrize("name", FLOWS)
def test_the_ladder_is_the_golden_one(name: str, make_network: Callable[..., Network]) -> None:
    net = make_network(phones=0, config=desk() if name in WITH_DESK else None)
    a, b = net.add_ims(1), net.add_ims(2)
    for client in (a, b):
        net.attach(client.imsi, 3)
    start = net.events()[-1].id
    FLOWS[name](net, a, b)
    names = {client.name: "A" if client.imsi == a.imsi else "B" for client in (a, b, a.help, b.help) if client}
    ladder = text_ladder(list(shown(net, start, names)), COLUMNS + (("answer",) if name in WITH_DESK else ()))
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("DIALTONE_WRITE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(ladder, encoding="utf-8")
    assert ladder == file.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    assert {file.stem for file in GOLDEN.glob("*.txt")} == set(FLOWS)
