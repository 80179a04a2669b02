# SPDX-License-Identifier: Apache-2.0
"""Flows of session management for the golden ladders (test_golden.py)."""

from collections.abc import Callable
from dataclasses import replace

from network import Network, imsi_of

from dialtone.codec.ipfilter import FilterRule
from dialtone.codec.nas.bitrates import EpsQos
from dialtone.codec.tft import Direction, PacketFilter, host
from dialtone.mme.pdn_disconnect import ClosePdn as NetworkClosesPdn
from dialtone.pgw.policy import InstallRules, RemoveRules
from dialtone.pgw.rule import Rule
from dialtone.sim.enb import EnbConfig
from dialtone.sim.erab import BearerLostCommand
from dialtone.sim.pdn import ClosePdn, OpenPdn
from dialtone.sim.resource import AskForBearer, drop
from dialtone.sim.ue_context import InactivityCommand

Flow = Callable[[Network], object]
IMSI = imsi_of(1)
UE = f"ue-{IMSI}"
RTP = FilterRule.from_text("permit out 17 from 192.0.2.7 5000-5001 to assigned 4000")
VIDEO = PacketFilter(1, Direction.BIDIRECTIONAL, 200, remote=host("192.0.2.7"), protocol=17, remote_ports=(6000, 6000))
CALL = Rule("call", 1, (RTP,), (2, 1, 0), (80, 80), (80, 80))


def pdn_second(net: Network) -> int:
    net.attach()
    start = net.events()[-1].id
    net.command(UE, OpenPdn("ims"))
    return start


def pdn_wrong_apn(net: Network) -> int:
    net.attach()
    start = net.events()[-1].id
    net.command(UE, OpenPdn("no.such.apn"))
    return start


def pdn_disconnect(net: Network) -> int:
    net.attach()
    net.command(UE, OpenPdn("ims"))
    start = net.events()[-1].id
    net.command(UE, ClosePdn("ims"))
    return start


def pdn_disconnect_last(net: Network) -> int:
    net.attach()
    start = net.events()[-1].id
    net.command(UE, ClosePdn("internet"))
    return start


def pdn_disconnect_by_network(net: Network) -> int:
    net.attach()
    net.command(UE, OpenPdn("ims"))
    start = net.events()[-1].id
    net.command("mme", NetworkClosesPdn(IMSI, "ims"))
    return start


def bearer_by_policy(net: Network) -> int:
    net.attach()
    start = net.events()[-1].id
    net.command("pgw", InstallRules(IMSI, "internet", (CALL,)))
    return start


def bearer_changed(net: Network) -> int:
    net.attach()
    net.command("pgw", InstallRules(IMSI, "internet", (CALL,)))
    start = net.events()[-1].id
    net.command("pgw", InstallRules(IMSI, "internet", (replace(CALL, gbr=(160, 160), mbr=(160, 160)),)))
    return start


def bearer_removed(net: Network) -> int:
    net.attach()
    net.command("pgw", InstallRules(IMSI, "internet", (CALL,)))
    start = net.events()[-1].id
    net.command("pgw", RemoveRules(IMSI, "internet", ("call",)))
    return start


def bearer_for_an_idle_phone(net: Network) -> int:
    net.attach()
    net.command("enb1", InactivityCommand(UE))
    start = net.events()[-1].id
    net.command("pgw", InstallRules(IMSI, "internet", (CALL,)), 4)
    return start


def bearer_refused_by_enb(net: Network) -> int:
    net.attach()
    start = net.events()[-1].id
    net.command("pgw", InstallRules(IMSI, "internet", (CALL,)))
    return start


def bearer_by_phone(net: Network) -> int:
    net.attach()
    start = net.events()[-1].id
    net.command(UE, AskForBearer("internet", EpsQos.of(2, 384, 384, 384, 384), (VIDEO,)))
    net.command(UE, drop(6, 1))
    return start


def bearer_lost_by_enb(net: Network) -> int:
    net.attach()
    net.command("pgw", InstallRules(IMSI, "internet", (CALL,)))
    start = net.events()[-1].id
    net.command("enb1", BearerLostCommand(UE, 6))
    return start


WITHOUT_VOICE = EnbConfig(refused_qcis=frozenset((1,)))
FLOWS: dict[str, tuple[Flow, tuple[EnbConfig, ...]]] = {
    flow.__name__: (flow, (EnbConfig(),))
    for flow in (pdn_second, pdn_wrong_apn, pdn_disconnect, pdn_disconnect_last, pdn_disconnect_by_network,
                 bearer_by_policy, bearer_changed, bearer_removed, bearer_for_an_idle_phone,
                 bearer_by_phone, bearer_lost_by_enb)
} | {"bearer_refused_by_enb": (bearer_refused_by_enb, (WITHOUT_VOICE,))}
