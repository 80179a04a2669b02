# SPDX-License-Identifier: Apache-2.0
"""Flows with GTP peers outside of the box for the golden ladders (test_golden.py)."""

from collections.abc import Callable

from gtp_peers import MME, SGW, ForeignMme, Sgw, Wire
from network import Network

from dialtone.config_gtp import GtpConfig

Flow = Callable[[Network], object]


def foreign_sgw(net: Network) -> None:
    Sgw(Wire(net), SGW)
    net.run(0.1)
    net.attach()
    net.idle()
    net.detach()


def foreign_sgw_pages(net: Network) -> int:
    sgw = Sgw(Wire(net), SGW)
    net.attach()
    net.idle()
    start = net.events()[-1].id
    sgw.page()
    net.run(3.0)
    return start


def foreign_mme(net: Network) -> int:
    start = net.events()[-1].id
    wire = Wire(net)
    mme = ForeignMme(wire, MME)
    net.run()
    mme.attach()
    mme.go_idle()
    mme.detach()
    return start


CONFIGS = {"foreign_sgw": GtpConfig(sgw=SGW), "foreign_sgw_pages": GtpConfig(sgw=SGW),
           "foreign_mme": GtpConfig(peers=(MME,))}
COLUMNS = {"foreign_sgw": ("UE", "enb1", "mme", f"{SGW}:2123", "pgw", "hss", "gtp"),
           "foreign_sgw_pages": ("UE", "enb1", "mme", f"{SGW}:2123", "pgw", "hss", "gtp"),
           "foreign_mme": (f"{MME}:2123", "pgw", "gtp")}
FLOWS: dict[str, Flow] = {flow.__name__: flow for flow in (foreign_sgw, foreign_sgw_pages, foreign_mme)}
