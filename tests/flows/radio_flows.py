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


FLOWS: dict[str, tuple[Flow, tuple[EnbConfig, ...]]] = {
    flow.__name__: (flow, (EnbConfig(),))
    for flow in (warning, overload, configuration_updates, reset_by_mme, location_reporting)
}
