# SPDX-License-Identifier: Apache-2.0
"""A user plane in namespaces: phones - eNB - core - Internet, all sockets and devices in this one process.

    ue-01, ue-02 (lte0)   enb 10.0.1.20   core 10.0.1.133, 203.0.113.2   inet 203.0.113.1
                                               2001:db8:1::2                  2001:db8:1::1

The names of the namespaces begin with dt-test-: on a host a demo may be running beside.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Address, IPv6Network

from dialtone.datapath.plane import UserPlane
from dialtone.datapath.radio import RadioUserPlane
from dialtone.datapath.router import Router
from dialtone.dispatch import Handlers
from dialtone.effects import CloseTunnel, Event, OpenMedia, OpenTunnel
from dialtone.element import Element
from dialtone.kernel import net, nft
from dialtone.lab_kernel import namespaces
from dialtone.lab_kernel.namespaces import End, Namespace
from dialtone.loop import Loop
from dialtone.runtime import epoch_clock

CORE, ENB, OTHER_ENB = "10.0.1.133", "10.0.1.20", "10.0.1.21"
WORLD, UPLINK = "203.0.113.1", "203.0.113.2"
WORLD6, UPLINK6 = "2001:db8:1::1", "2001:db8:1::2"
POOLS = (IPv4Network("10.45.0.0/16"), IPv4Network("10.46.0.0/16"))
GATEWAYS = ("10.45.0.1", "10.46.0.1")
POOL6, GATEWAY6 = IPv6Network("2001:db8:cafe::/48"), "2001:db8:cafe::1"
RULES = nft.Rules("ue0", (*POOLS, POOL6), (*GATEWAYS, GATEWAY6), uplink="up0")


class Ear(Element):
    """Stands for the P-GW; keeps what it is told."""

    name = "pgw"
    on = Handlers("pgw")


@dataclass
class Phone:
    """A phone with one bearer; TEIDs are `teid` at the core and `teid` + 0x8000 at the eNB. With `ipv6` it has a /64
    too: the network gives it an interface identifier, and its own kernel does the rest."""

    number: int
    pool: int = 45
    ipv6: bool = False
    namespace: Namespace = field(init=False)

    def __post_init__(self) -> None:
        self.namespace = Namespace(f"dt-test-ue-{self.number:02}")
        self.imsi = f"0010100000000{self.number:02}"
        self.address = f"10.{self.pool}.0.{self.number + 1}"
        self.ue = socket.inet_aton(self.address)
        self.teid = 0x1000 + self.number
        self.identifier = (0x100 + self.number).to_bytes(8) if self.ipv6 else b""
        self.prefix = POOL6[self.number << 64].packed[:8] if self.ipv6 else b""
        self.address6 = str(POOL6[(self.number << 64) + 0x100 + self.number])

    async def run(self, *command: str) -> tuple[int, str]:
        """Run a program in the phone's namespace."""
        done = await asyncio.to_thread(self.namespace.run, *command, timeout=60)
        return done.returncode, done.stdout + done.stderr

    async def ping(self, to: str, *options: str, count: int = 3) -> int:
        """How many of `count` echo replies came back."""
        _, said = await self.run("ping", "-n", "-c", str(count), "-i", "0.2", "-W", "3", *options, to)
        return int(said.split(" received")[0].rsplit(" ", 1)[-1]) if " received" in said else 0


class Told(Loop):
    """A loop whose events end in a list."""

    def __init__(self) -> None:
        super().__init__(epoch_clock())
        self.told: list[Event] = []

    def tell(self, element: str, event: Event) -> None:
        self.told.append(event)


class Lab:
    """Everything between a phone's IP stack and a web server."""

    def __init__(self, filtered: bool) -> None:
        self.loop = Told()
        self.told = self.loop.told
        self.loop.add(Ear())
        self.filtered = filtered
        self.visitors: list[str] = []

    def cable(self) -> None:
        """Namespaces and what joins them; not in the thread of a running asyncio loop, netlink has its own."""
        self.core, self.enb = namespaces.create("dt-test-core"), namespaces.create("dt-test-enb")
        self.world = namespaces.create("dt-test-inet")
        namespaces.cable(End(self.core, "s1", [f"{CORE}/24"]),
                         End(self.enb, "eth0", [f"{ENB}/24", f"{OTHER_ENB}/24"]))
        namespaces.cable(End(self.core, "up0", [f"{UPLINK}/24", f"{UPLINK6}/64"]),
                         End(self.world, "eth0", [f"{WORLD}/24", f"{WORLD6}/64"]))
        self.core.route("default", via=WORLD)
        if not self.filtered:
            for pool in POOLS:
                self.world.route(str(pool), via=UPLINK)
            self.world.route(str(POOL6), via=UPLINK6)
        for number in (1, 2):
            namespaces.create(Phone(number).namespace.name)

    def start(self) -> None:
        """Both ends of S1-U."""
        with self.core.enter():
            self.plane = UserPlane(self.loop, CORE, router=Router(1400, [(POOL6, (IPv6Address(GATEWAY6).packed,))]))
            net.configure_tun("ue0", [*(f"{gateway}/16" for gateway in GATEWAYS), f"{GATEWAY6}/48"], 1400)
            net.Forwarding()
            if self.filtered:
                nft.Firewall().apply(RULES)
        self.plane.start()
        with self.enb.enter():
            self.radio = RadioUserPlane(ENB)
        self.radio.start()

    @property
    def forwarder(self):  # type: ignore[no-untyped-def]
        return self.plane.forwarder

    def attach(self, phone: Phone) -> Phone:
        """Give a phone its bearer, as the elements and the eNB would."""
        effect = OpenTunnel(phone.imsi, 5, phone.ue, phone.teid, socket.inet_aton(ENB), phone.teid + 0x8000,
                            prefix=phone.prefix)
        self.perform(effect)
        self.radio.open_bearer(phone.imsi, 5, phone.ue, phone.teid + 0x8000, socket.inet_aton(CORE), phone.teid,
                               namespace=phone.namespace.name, identifier=phone.identifier)
        return phone

    async def attach6(self, phone: Phone) -> Phone:
        """Give a phone its bearer, and its kernel the time to make its address."""
        self.attach(phone)
        for _ in range(100):
            _, said = await phone.run("ip", "-6", "addr", "show", "dev", "lte0", "scope", "global")
            if phone.address6 in said and "tentative" not in said:
                return phone
            await asyncio.sleep(0.1)
        raise AssertionError(f"{phone.address6} never came: {said}")

    def perform(self, effect: OpenTunnel | CloseTunnel | OpenMedia) -> None:
        """Perform an effect of the P-GW; it must succeed at once."""
        answers: list[Exception | None] = []
        self.loop.performers[type(effect)](effect, answers.append)
        assert answers == [None]

    async def serve(self, size: int, host: str = WORLD) -> None:
        """A web server beyond the uplink: answers `size` octets, notes where its visitors come from."""
        async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            self.visitors.append(writer.get_extra_info("peername")[0])
            writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size))
            await writer.drain()
            writer.close()

        with self.world.enter():
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            sock = socket.create_server((host, 80), family=family)
        self.server = await asyncio.start_server(visit, sock=sock)

    @contextmanager
    def stranger(self) -> Iterator[socket.socket]:
        """A second eNB's GTP-U socket, in our own hands."""
        with self.enb.enter():
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((OTHER_ENB, 2152))
        sock.settimeout(5)
        sock.connect((CORE, 2152))
        with sock:
            yield sock

    def close(self) -> None:
        """Close what holds devices and sockets."""
        for name in ("radio", "plane", "server"):
            if hasattr(self, name):
                getattr(self, name).close()


def remove() -> None:
    """Remove the namespaces of a lab, this one's or one that was interrupted."""
    for namespace in namespaces.present():
        if namespace.name.startswith("dt-test-"):
            namespace.remove()


@asynccontextmanager
async def lab(*, filtered: bool) -> AsyncIterator[Lab]:
    """The lab for one test. `filtered`: with firewall and masquerade, else plainly routed."""
    made = Lab(filtered)
    try:
        await asyncio.to_thread(made.cable)
        made.start()
        yield made
    finally:
        made.close()
        await asyncio.to_thread(remove)
