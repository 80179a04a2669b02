# SPDX-License-Identifier: Apache-2.0
"""The host's end of the wire to the lab: an interface, its address, and routes over it."""

from collections.abc import Iterable
from contextlib import suppress

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from dialtone.errors import LocalError


def exists(name: str) -> bool:
    """Whether this network namespace has an interface of that name."""
    with IPRoute() as netlink:
        return bool(netlink.link_lookup(ifname=name))


def configure(name: str, address: str, gateway: str, routes: Iterable[str]) -> None:
    """Give interface `name` its `address` (with prefix length), raise it, and route each prefix through `gateway`."""
    own, length = address.split("/")
    with IPRoute() as netlink:
        found = netlink.link_lookup(ifname=name)
        if not found:
            raise LocalError(f"The interface {name} did not come up.", remedy="Does /dev/net/tun work here?")
        (index,) = found
        netlink.addr("replace", index=index, address=own, prefixlen=int(length))
        netlink.link("set", index=index, state="up")
        for prefix in routes:
            netlink.route("replace", dst=prefix, gateway=gateway, oif=index)


def remove(name: str) -> None:
    """Delete interface `name`; no complaint when there is none."""
    with IPRoute() as netlink:
        for index in netlink.link_lookup(ifname=name):
            with suppress(NetlinkError):  # the kernel was quicker
                netlink.link("del", index=index)
