# SPDX-License-Identifier: Apache-2.0
"""Addresses, routes and sysctls, by iproute2's batch mode and /proc/sys.

One `ip -batch` at the start costs a few milliseconds; a netlink library in the core would cost it a third
of its memory for as long as it runs.
"""

import logging
import subprocess
from collections.abc import Iterable
from pathlib import Path

from dialtone.errors import LocalError

log = logging.getLogger("dialtone.kernel.net")

_TXQUEUELEN = 4096  # a TUN device drops what its reader has not taken: 500 is too short for one TCP flow
_PROC = Path("/proc/sys/net")


def ip(lines: Iterable[str], *, namespace: str = "") -> None:
    """Run iproute2 commands, all or up to the first that fails. Raises LocalError with what it said."""
    command = ["ip", *(["-n", namespace] if namespace else []), "-batch", "-"]
    try:
        done = subprocess.run(command, input="\n".join(lines), text=True, capture_output=True, check=False)
    except FileNotFoundError:
        raise LocalError("The program ip is missing.", remedy="apt install iproute2") from None
    if done.returncode:
        said = " ".join(done.stderr.split())
        remedy = "Root or CAP_NET_ADMIN is needed." if "not permitted" in said else "See `dialtone doctor`."
        raise LocalError(f"ip: {said}.", remedy=remedy)


def sysctl(key: str, value: int | str) -> str:
    """Set `net.<key>` (`ipv4.ip_forward`) and return what it was. Raises LocalError."""
    path = _PROC.joinpath(*key.split("/"))
    try:
        old = path.read_text().strip()
        if old != str(value):
            path.write_text(str(value))
    except OSError as error:
        raise LocalError(f"Cannot set net/{key}: {error.strerror}.",
                         remedy="Root is needed, and a writable /proc/sys.") from error
    return old


def configure_tun(name: str, gateways: Iterable[str], mtu: int) -> None:
    """Give the phones' device its addresses (`10.45.0.1/16`: gateway and route of a pool in one) and raise it.

    No redirects to phones, and no reverse path filter: the user plane checked the source already.
    """
    _no_ipv6(name)
    ip([f"link set dev {name} mtu {mtu} txqueuelen {_TXQUEUELEN} up",
        *(f"address replace {gateway} dev {name}" for gateway in gateways)])
    sysctl(f"ipv4/conf/{name}/rp_filter", 0)
    sysctl(f"ipv4/conf/{name}/send_redirects", 0)
    sysctl(f"ipv4/conf/{name}/accept_redirects", 0)


class Forwarding:
    """Lets the kernel forward IPv4 from now on, and puts back on `close` what was."""

    def __init__(self) -> None:
        self._old = sysctl("ipv4/ip_forward", 1)

    def close(self) -> None:
        """As it was."""
        if self._old != "1":
            sysctl("ipv4/ip_forward", self._old)


def configure_phone(namespace: str, name: str, addresses: Iterable[str], mtu: int) -> None:
    """A phone's device in its namespace: the address the network gave it, and everything goes there."""
    ip([f"link set dev {name} mtu {mtu} txqueuelen {_TXQUEUELEN} up",
        *(f"address replace {address}/32 dev {name}" for address in addresses),
        f"route replace default dev {name}"], namespace=namespace)


def uplink() -> str | None:
    """The interface of the default route, None without one."""
    best: tuple[int, str] | None = None
    for line in Path("/proc/thread-self/net/route").read_text().splitlines()[1:]:
        name, destination, _, flags, _, _, metric, mask = line.split()[:8]
        if destination == mask == "00000000" and int(flags, 16) & 1:
            best = min(best or (1 << 32, ""), (int(metric), name))
    return best[1] if best else None


def _no_ipv6(name: str) -> None:
    """Keeps the kernel's own router solicitations and multicast reports off an IPv4 device."""
    path = _PROC / f"ipv6/conf/{name}/disable_ipv6"
    if path.exists():
        sysctl(f"ipv6/conf/{name}/disable_ipv6", 1)
