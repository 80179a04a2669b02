# SPDX-License-Identifier: Apache-2.0
"""Golden flows that the HSS begins, or hears of (TS 29.272, 5.2)."""

from dataclasses import replace

from network import Network, imsi_of

from dialtone.hss.cancel_location import Withdraw
from dialtone.hss.reset import Reset
from dialtone.hss.subscriber_data import SubscriptionChanged
from dialtone.hss.writes import PutProfile
from dialtone.sim.enb import EnbConfig


def cancel_location(net: Network) -> int:
    net.attach()
    start = net.events()[-1].id
    served = net.store.registration(imsi_of(1))
    assert served is not None
    net.command("hss", Withdraw(served))
    return start


def profile_push(net: Network) -> int:
    net.attach()
    start, before = net.events()[-1].id, net.store.get(imsi_of(1))
    assert before is not None
    net.save(PutProfile(replace(before.profile, ambr_dl=5_000_000, ambr_ul=1_000_000)))
    net.command("hss", SubscriptionChanged(before, net.store.get(imsi_of(1)) or before))
    return start


def purge(net: Network) -> int:
    net.attach()
    net.idle()
    net.phones[imsi_of(1)].deaf = True
    start = net.events()[-1].id
    net.run(net.config.s1.t3412 + 300)
    return start


def hss_reset(net: Network) -> int:
    net.attach()
    start = net.events()[-1].id
    net.command("hss", Reset())
    return start


FLOWS = {flow.__name__: (flow, (EnbConfig(),)) for flow in (cancel_location, profile_push, purge, hss_reset)}
