# SPDX-License-Identifier: Apache-2.0
"""The host's end of the wire to the lab: an interface, its address, and routes over it."""

from collections.abc import Iterable
from contextlib import suppress

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from dialtone.errors import LocalError
from dialtone.kernel.net import has_ipv6

NODAD = 0x02  # IFA_F_NODAD (linux/if_addr.h)


def exists(name: str) -> bool:
    """Whether this network namespace has an interface of that name."""
    with IPRoute() as netlink:
        return bool(netlink.link_lookup(ifname=name))


def configure(name: str, addresses: Iterable[str], routes: Iterable[tuple[str, str]]) -> None:
    """Give interface `name` its `addresses` (with prefix length), raise it, and route each prefix through its gateway.

    What is IPv6 is left out where this kernel has none.
    """
    ipv6 = has_ipv6()
    with IPRoute() as netlink:
        found = netlink.link_lookup(ifname=name)
        if not found:
            raise LocalError(f"The interface {name} did not come up.", remedy="Does /dev/net/tun work here?")
        (index,) = found
        for address in addresses:
            own, length = address.split("/")
            if ":" not in own:
                netlink.addr("replace", index=index, address=own, prefixlen=int(length))
            elif ipv6:  # nobody else is on this wire, and nobody waits for the search for duplicates
                netlink.addr("replace", index=index, address=own, prefixlen=int(length), flags=NODAD)
        netlink.link("set", index=index, state="up")
        for prefix, gateway in routes:
            if ipv6 or ":" not in prefix:
                netlink.route("replace", dst=prefix, gateway=gateway, oif=index)


def remove(name: str) -> None:
    """Delete interface `name`; no complaint when there is none."""
    with IPRoute() as netlink:
        for index in netlink.link_lookup(ifname=name):
            with suppress(NetlinkError):  # the kernel was quicker
                netlink.link("del", index=index)
