# SPDX-License-Identifier: Apache-2.0
"""Flows of eNB-level procedures for the golden ladders (test_golden.py)."""

from collections.abc import Callable

from network import Network, imsi_of
from probe import HOME

from dialtone.codec import cbs
from dialtone.codec.s1ap import OverloadAction
from dialtone.ids import Plmn
from dialtone.mme.location_reporting import LocateUe
from dialtone.mme.mme_configuration import SetCapacity
from dialtone.mme.overload import SetOverload
from dialtone.mme.reset import ResetEnb
from dialtone.mme.warning import SendWarning, StopWarning
from dialtone.sim.configuration import UpdateCommand
from dialtone.sim.enb import EnbConfig
from dialtone.sim.handover import CancelHandover
from dialtone.sim.moving import HandOver, Neighbour

Flow = Callable[[Network], object]


def warning(net: Network) -> int:
    start = net.events()[-1].id
    net.command("mme", SendWarning(4380, cbs.encode("This is a test")))
    net.command("mme", StopWarning(4380))
    return start


def overload(net: Network) -> int:
    start = net.events()[-1].id
    net.command("mme", SetOverload(OverloadAction.REJECT_RRC_CR_SIGNALLING))
    net.attach()
    net.command("mme", SetOverload(None))
    return start


def configuration_updates(net: Network) -> int:
    start = net.events()[-1].id
    net.command("enb1", UpdateCommand(((1, (HOME, Plmn("999", "70"))),)))
    net.command("mme", SetCapacity(10))
    return start


def reset_by_mme(net: Network) -> int:
    net.attach()
    start = net.events()[-1].id
    net.command("mme", ResetEnb("enb1"))
    return start


def location_reporting(net: Network) -> int:
    net.attach()
    start = net.events()[-1].id
    net.command("mme", LocateUe(imsi_of(1)))
    return start


def attached(net: Network) -> int:
    net.attach()
    return net.events()[-1].id


def hand_over(net: Network, source: int, target: int, *, s1: bool = False, direct: bool = True) -> None:
    enb = net.enbs[target]
    net.command(net.enbs[source].name, HandOver(
        f"ue-{imsi_of(1)}", Neighbour(enb.name, enb.config), s1, direct=direct), 3)


def handover_x2(net: Network) -> int:
    start = attached(net)
    hand_over(net, 0, 1)
    return start


def handover_s1(net: Network) -> int:
    start = attached(net)
    hand_over(net, 0, 1, s1=True)
    return start


def handover_s1_indirect(net: Network) -> int:
    start = attached(net)
    hand_over(net, 0, 1, s1=True, direct=False)
    return start


def handover_s1_refused(net: Network) -> int:
    start = attached(net)
    net.enbs[1].full = True
    hand_over(net, 0, 1, s1=True)
    return start


def handover_s1_cancelled(net: Network) -> int:
    start = attached(net)
    enb = net.enbs[1]
    net.loop.tell("enb1", HandOver(f"ue-{imsi_of(1)}", Neighbour(enb.name, enb.config), s1=True))
    net.command("enb1", CancelHandover(f"ue-{imsi_of(1)}"))
    return start


def path_switch_refused(net: Network) -> int:
    start = attached(net)
    next(iter(net.enbs[0].ues.values())).mme_ue_s1ap_id = 4711
    hand_over(net, 0, 1)
    return start


TWO = (EnbConfig(), EnbConfig(enb_id=0x102, enb_name="sim-enb2"))
FLOWS: dict[str, tuple[Flow, tuple[EnbConfig, ...]]] = {
    flow.__name__: (flow, (EnbConfig(),))
    for flow in (warning, overload, configuration_updates, reset_by_mme, location_reporting)
} | {
    flow.__name__: (flow, TWO)
    for flow in (handover_x2, handover_s1, handover_s1_indirect, handover_s1_refused, handover_s1_cancelled,
                 path_switch_refused)
}
