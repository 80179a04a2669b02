# SPDX-License-Identifier: Apache-2.0
"""Small helpers around named network namespaces: the same on the host and inside user-mode Linux.

Every name starts with `dt-`, so that `remove_all` finds what an earlier run left behind and touches nothing else.
"""

import ctypes
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute

from dialtone.errors import LocalError

NAME_PREFIX = "dt-"
INTERFACE_NAME_MAX = 15
CLONE_NEWNET = 0x40000000
IFA_F_NODAD = 0x02
_DIRECTORY = Path("/run/netns")
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class End:
    """One end of a veth cable: its namespace (None: the caller's), its name, its addresses with prefix length."""

    namespace: "Namespace | None"
    interface: str
    addresses: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Namespace:
    """A named network namespace."""

    name: str

    @property
    def path(self) -> Path:
        """The file that stands for it."""
        return _DIRECTORY / self.name

    @contextmanager
    def enter(self) -> Iterator[None]:
        """This thread is in the namespace for the length of the context; sockets made in it stay there for good."""
        with open("/proc/thread-self/ns/net", "rb") as back:
            with open(self.path, "rb") as there:
                _setns(there.fileno())
            try:
                yield
            finally:
                _setns(back.fileno())

    @contextmanager
    def netlink(self) -> Iterator[Any]:
        """An IPRoute that speaks to this namespace."""
        with self.enter(), IPRoute() as route:
            yield route

    def popen(self, *command: str, **options: Any) -> "subprocess.Popen[bytes]":
        """Start `command` inside: it is there from its first instruction."""
        with self.enter():
            return subprocess.Popen(command, **options)

    def run(self, *command: str, timeout: float = 60.0) -> "subprocess.CompletedProcess[str]":
        """Run `command` inside to its end; its output is captured as text."""
        with self.enter():
            return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)

    def sysctl(self, values: Mapping[str, int | str]) -> None:
        """Set `net.*` values of this namespace, e.g. {"net.ipv4.ip_forward": 1}."""
        with self.enter():
            for key, value in values.items():
                Path("/proc/sys", *key.split(".")).write_text(str(value))

    def address(self, interface: str, address: str) -> None:
        """Give `interface` an address with prefix length."""
        with self.netlink() as route:
            _address(route, interface, address)

    def route(self, destination: str, *, via: str | None = None, interface: str | None = None) -> None:
        """Route `destination` (`default` or a prefix) through a gateway, an interface or both."""
        with self.netlink() as route:
            where: dict[str, Any] = {} if via is None else {"gateway": via}
            if interface is not None:
                where["oif"] = _index(route, interface)
            route.route("replace", dst=destination, **where)

    def processes(self) -> list[int]:
        """The pids whose network this is."""
        try:
            here = self.path.stat()
        except FileNotFoundError:
            return []
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                network = (entry / "ns" / "net").stat()
            except OSError:  # gone meanwhile
                continue
            if (network.st_ino, network.st_dev) == (here.st_ino, here.st_dev):
                found.append(int(entry.name))
        return found

    def remove(self) -> None:
        """End its processes and delete it. No complaint when there is none."""
        for pid in self.processes():
            if pid != os.getpid():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if self.path.exists():
            _ip_netns("delete", self.name)


def create(name: str) -> Namespace:
    """A new namespace with its loopback up. One of that name that an earlier run left is removed first."""
    if not name.startswith(NAME_PREFIX):
        raise LocalError(f"A namespace of ours is called {NAME_PREFIX}..., not {name!r}.")
    namespace = Namespace(name)
    namespace.remove()
    _ip_netns("add", name)
    with namespace.netlink() as route:
        route.link("set", index=_index(route, "lo"), state="up")
    return namespace


def cable(one: End, other: End) -> None:
    """A veth pair between two namespaces, both ends with their addresses and up. It goes when either namespace goes."""
    for end in (one, other):
        if len(end.interface) > INTERFACE_NAME_MAX:
            raise LocalError(f"{end.interface!r} is longer than the {INTERFACE_NAME_MAX} octets of an interface name.")
    with _where(one.namespace) as route:
        peer: dict[str, Any] = {"ifname": other.interface}
        with open(other.namespace.path if other.namespace else "/proc/thread-self/ns/net", "rb") as there:
            peer["net_ns_fd"] = there.fileno()
            route.link("add", ifname=one.interface, kind="veth", peer=peer)
    for end in (one, other):
        with _where(end.namespace) as route:
            for address in end.addresses:
                _address(route, end.interface, address)
            route.link("set", index=_index(route, end.interface), state="up")


def present() -> list[Namespace]:
    """Our namespaces on this machine."""
    return [Namespace(path.name) for path in sorted(_DIRECTORY.glob(f"{NAME_PREFIX}*"))]


def remove_all() -> list[str]:
    """Remove every namespace of ours with its processes, and say which there were."""
    found = present()
    for namespace in found:
        namespace.remove()
    return [namespace.name for namespace in found]


@contextmanager
def _where(namespace: Namespace | None) -> Iterator[Any]:
    if namespace is None:
        with IPRoute() as route:
            yield route
    else:
        with namespace.netlink() as route:
            yield route


def _index(route: Any, interface: str) -> int:
    found = route.link_lookup(ifname=interface)
    if not found:
        raise LocalError(f"There is no interface {interface}.")
    return int(found[0])


def _address(route: Any, interface: str, address: str) -> None:
    own = ip_interface(address)
    # Nobody else is on our cables: an IPv6 address is of use at once, not after a second of duplicate detection.
    flags = {"flags": IFA_F_NODAD} if own.version == 6 else {}
    index = _index(route, interface)
    route.addr("replace", index=index, address=str(own.ip), prefixlen=own.network.prefixlen, **flags)


def _ip_netns(*arguments: str) -> None:
    """By the tool: pyroute2 forks for it, and a fork of a process with threads may hang."""
    done = subprocess.run(["ip", "netns", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LocalError(f"`ip netns {' '.join(arguments)}`: {done.stderr.strip()}")


def _setns(descriptor: int) -> None:
    """setns(2); `os.setns` came with Python 3.12."""
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"setns: {os.strerror(number)}")
