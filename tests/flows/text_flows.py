# SPDX-License-Identifier: Apache-2.0
"""Texts over NAS for the golden ladders: two phones with numbers, one of which texts the other."""

from network import Network, imsi_of

from dialtone.sim.phone import Handset, Phone
from dialtone.sim.sms import TextCommand

ALICE, BOB = imsi_of(1), imsi_of(2)
ALICES, BOBS = "15550101", "15550102"
COMBINED = Handset(retries=False, combined=True)
COLUMNS = ("UE", "enb1", "mme", "pgw", "hss", "sms")


def got(phone: Phone) -> list[tuple[str, str]]:
    """Senders and texts of what came."""
    return [(one.sender, one.text) for one in phone.texts.messages()]


def text(net: Network, text: str = "Hello", to: str = f"+{BOBS}", seconds: float = 5.0, *, report: bool = False,
         validity: int = 0) -> Phone:
    """Alice texts."""
    alice = net.phones[ALICE]
    net.command(alice.name, TextCommand(to, text, report, validity), seconds)
    return alice


def two(net: Network) -> None:
    """Both are attached, with SMS over NAS."""
    for imsi, number in ((ALICE, ALICES), (BOB, BOBS)):
        if imsi not in net.phones:
            net.add_phone(imsi)
        net.add_subscriber(imsi, overwrite=True, msisdn=number)
        net.phones[imsi].handset = COMBINED
        net.attach(imsi)


def text_over_nas(net: Network) -> int:
    two(net)
    start = net.events()[-1].id
    text(net, report=True)
    return start


def text_over_nas_idle(net: Network) -> int:
    two(net)
    net.idle(BOB)
    start = net.events()[-1].id
    text(net)
    return start


def text_over_nas_switched_off(net: Network) -> int:
    two(net)
    net.detach(BOB, switch_off=True)
    start = net.events()[-1].id
    text(net)
    net.attach(BOB, seconds=5)
    return start


def text_over_nas_refused(net: Network) -> int:
    two(net)
    start = net.events()[-1].id
    text(net, to="+15550199")
    return start


FLOWS = {flow.__name__: flow for flow in (
    text_over_nas, text_over_nas_idle, text_over_nas_switched_off, text_over_nas_refused)}
