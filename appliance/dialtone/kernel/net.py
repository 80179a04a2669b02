# SPDX-License-Identifier: Apache-2.0
"""Addresses, routes and sysctls, by iproute2's batch mode and /proc/sys.

One `ip -batch` at the start costs a few milliseconds; a netlink library in the core would cost it a third
of its memory for as long as it runs.
"""

import logging
import subprocess
from collections.abc import Iterable
from ipaddress import IPv6Address
from pathlib import Path

from dialtone.errors import LocalError

log = logging.getLogger("dialtone.kernel.net")

_TXQUEUELEN = 4096  # a TUN device drops what its reader has not taken: 500 is too short for one TCP flow
_PROC = Path("/proc/sys/net")
LINK_LOCAL = bytes.fromhex("fe80000000000000")


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


def has_ipv6() -> bool:
    """Whether this kernel does IPv6 at all."""
    return (_PROC / "ipv6").exists()


def configure_tun(name: str, gateways: Iterable[str], mtu: int) -> None:
    """Give the phones' device its addresses (`10.45.0.1/16`: gateway and route of a pool in one) and raise it.

    No redirects to phones, and no reverse path filter: the user plane checked the source already. The user plane is the
    router of the phones' links, so that the kernel says nothing of its own there.
    """
    _ipv6(name, addr_gen_mode=1, accept_ra=0, autoconf=0, router_solicitations=0, accept_dad=0)
    ip([f"link set dev {name} mtu {mtu} txqueuelen {_TXQUEUELEN} up",
        *(f"address replace {gateway} dev {name}{' nodad' if ':' in gateway else ''}" for gateway in gateways)])
    sysctl(f"ipv4/conf/{name}/rp_filter", 0)
    sysctl(f"ipv4/conf/{name}/send_redirects", 0)
    sysctl(f"ipv4/conf/{name}/accept_redirects", 0)


class Forwarding:
    """Lets the kernel forward IP from now on, and puts back on `close` what was.

    An interface that has its IPv6 from router advertisements goes on to take them; a router otherwise does not.
    """

    def __init__(self) -> None:
        self._old: list[tuple[str, str]] = []
        for takes in sorted(_PROC.glob("ipv6/conf/*/accept_ra")):
            if takes.parent.name not in ("all", "default") and takes.read_text().strip() == "1":
                self._set(str(takes.relative_to(_PROC)), 2)
        self._set("ipv4/ip_forward", 1)
        if has_ipv6():
            self._set("ipv6/conf/all/forwarding", 1)

    def _set(self, key: str, value: int) -> None:
        self._old.insert(0, (key, sysctl(key, value)))

    def close(self) -> None:
        """As it was."""
        for key, old in self._old:
            sysctl(key, old)
        self._old.clear()


def configure_phone(namespace: str, name: str, mtu: int, address: str | None, identifier: bytes | None) -> None:
    """A phone's device in its namespace: the IPv4 address the network gave it, or the interface identifier of its
    link-local one, and everything goes there. The kernel then solicits the router, and makes its IPv6 address itself.
    """
    lines = [f"link set dev {name} mtu {mtu} txqueuelen {_TXQUEUELEN} up"]
    if address is not None:
        lines += [f"address replace {address}/32 dev {name}", f"route replace default dev {name}"]
    if identifier is not None:
        lines += [f"address replace {IPv6Address(LINK_LOCAL + identifier)}/64 dev {name} nodad"]
    ip(lines, namespace=namespace)


def prepare_phone(name: str) -> None:
    """To be called in a phone's namespace before its device is raised: it asks for a router only once it has the
    interface identifier of the network (TS 23.401, 5.3.1.2.2)."""
    _ipv6(name, addr_gen_mode=1, accept_ra=2, accept_dad=0)


def uplink() -> str | None:
    """The interface of the default route, None without one."""
    best: tuple[int, str] | None = None
    for line in Path("/proc/thread-self/net/route").read_text().splitlines()[1:]:
        name, destination, _, flags, _, _, metric, mask = line.split()[:8]
        if destination == mask == "00000000" and int(flags, 16) & 1:
            best = min(best or (1 << 32, ""), (int(metric), name))
    return best[1] if best else None


def _ipv6(name: str, **settings: int) -> None:
    """Set how a device behaves in IPv6, where this kernel has it."""
    for key, value in settings.items():
        if (_PROC / f"ipv6/conf/{name}/{key}").exists():
            sysctl(f"ipv6/conf/{name}/{key}", value)
