# SPDX-License-Identifier: Apache-2.0
"""An hour of three phones in virtual time, and the core's trace of it.

Two have IMS, the third texts over NAS. They attach, register and renew it, text, call, fall idle, are paged, update
their tracking area, and say goodbye.
"""

from pathlib import Path

from network import Network, imsi_of, msisdn_of
from text_flows import COMBINED

from dialtone.sim.ims.call import AnswerCommand, CallCommand, HangUpCommand
from dialtone.sim.ims.client import ImsHandset
from dialtone.sim.ims.registration import DeregisterCommand
from dialtone.sim.ims.sms import SmsCommand
from dialtone.sim.ims.text import TextCommand
from dialtone.sim.sms import TextCommand as NasTextCommand
from dialtone.trace.bus import Event

CORE = {"mme", "pgw", "hss", "pcscf", "scscf", "sms", "answer"}
ONE, TWO, THREE = map(imsi_of, (1, 2, 3))
HOUR = 3600.0


def play(path: Path) -> Network:
    """The network after its hour."""
    net = Network(path, 0)
    start = net.now
    one, two = (net.add_ims(number, ImsHandset(expires=1200)) for number in (1, 2))
    net.add_subscriber(THREE, msisdn=msisdn_of(3))
    third = net.add_phone(THREE, COMBINED)
    for imsi in (ONE, TWO, THREE):
        net.attach(imsi, 10)
    net.command(one.name, TextCommand(f"+{msisdn_of(2)}", "hello"), 5)
    net.command(two.name, SmsCommand(f"+{msisdn_of(3)}", "by way of NAS"), 5)
    net.command(third.name, NasTextCommand(f"+{msisdn_of(1)}", "and back"), 5)
    net.command(one.name, CallCommand(f"+{msisdn_of(2)}"), 5)
    net.command(two.name, AnswerCommand(), 60)
    net.command(one.name, HangUpCommand(), 5)
    net.command(one.name, CallCommand("+358409999999"), 5)
    net.idle(THREE)
    net.command(two.name, SmsCommand(f"+{msisdn_of(3)}", "wake up"), 20)
    net.idle(THREE)
    net.run(start + HOUR - 60 - net.now)
    net.command(two.name, DeregisterCommand(), 10)
    net.detach(THREE, seconds=10)
    net.run(start + HOUR - net.now)
    return net


def trace(net: Network) -> list[Event]:
    """What the core would have traced of it: its ends of the links, numbered anew."""
    kept: list[Event] = []
    for event in net.events():
        ends = {"rx": (event.dst,), "tx": (event.src,), "done": (event.src,)}[event.kind]
        if event.point == "S1-MME":  # traced once, by its sender
            ends = (event.src, event.dst)
        if CORE.intersection(ends):
            kept.append(event._replace(id=len(kept) + 1, time=round(event.time, 6), state=str(event.state)))
    return kept
