# SPDX-License-Identifier: Apache-2.0
"""NextEPC 0.3.10 (Debian 12: nextepc-mme, nextepc-sgw, nextepc-pgw) in the place of our MME or S-GW.

Everything else is ours and lives in this process, in a namespace of its own: HSS, gateway with its TUN device, the
other half of the core, and the simulated eNB and phone. Theirs is the namespace at the other end of the cable: NextEPC
sends from whatever address leads there, which must be its own.
"""

import asyncio
import contextlib
import platform
import shutil
import socket
from collections.abc import Awaitable, Callable, Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from freediameter import certificate

from dialtone import app, wiring
from dialtone.codec import gtpu, s1ap
from dialtone.config import MTU, S1, Config
from dialtone.config_diameter import DiameterConfig, PeerConfig
from dialtone.config_gtp import GtpConfig
from dialtone.datapath.plane import UserPlane
from dialtone.effects import PeerUp
from dialtone.hss.provisioning import make_subscriber
from dialtone.hss.store import Store
from dialtone.hss.writes import PutSubscriber
from dialtone.kernel import net
from dialtone.lab_kernel import namespaces
from dialtone.lab_kernel.namespaces import End, Namespace
from dialtone.links.memory import Memory
from dialtone.links.sctp import Sctp
from dialtone.loop import Loop
from dialtone.runtime import Runtime, epoch_clock
from dialtone.sim.attach import AttachCommand
from dialtone.sim.cards import make_cards
from dialtone.sim.detach import DetachCommand
from dialtone.sim.enb import Enb, EnbConfig, RadioBearerUp
from dialtone.sim.network import Bearers, add_enb, add_phone
from dialtone.sim.phone import Phone
from dialtone.sim.states import EmmState
from dialtone.sim.ue_context import InactivityCommand
from dialtone.sim.usim import Usim
from dialtone.trace.bus import Bus

OUR_SIDE, THEIR_SIDE = "dt-nextepc-ours", "dt-nextepc"
OURS, ENB, MME, SGW, PGW = "192.0.2.8", "192.0.2.20", "192.0.2.5", "192.0.2.4", "192.0.2.3"
THEIRS = {"mme": MME, "sgw": SGW, "pgw": PGW}
REALM = "example.org"
PACKAGES = {"mme": "nextepc-mmed", "sgw": "nextepc-sgwd", "pgw": "nextepc-pgwd"}

COMMON = """
logger:
    file: {directory}/{name}.log
    trace: {{ app: 1, s1ap: 1, nas: 1, diameter: 1, gtpv2: 1, gtp: 1 }}
parameter:
    no_ipv6: true
"""
CONFIGS = {
    "mme": COMMON + f"""
mme:
    freeDiameter: {{directory}}/mme.fd
    s1ap: {{{{ addr: {MME} }}}}
    gtpc: {{{{ addr: {MME} }}}}
    gummei:
      plmn_id: {{{{ mcc: 001, mnc: 01 }}}}
      mme_gid: 2
      mme_code: 1
    tai:
      plmn_id: {{{{ mcc: 001, mnc: 01 }}}}
      tac: 1
    security:
      integrity_order: [ EIA2, EIA1, EIA0 ]
      ciphering_order: [ EEA0, EEA1, EEA2 ]
    network_name: {{{{ full: NextEPC }}}}
sgw:
    gtpc: {{{{ addr: {OURS} }}}}
pgw:
    gtpc: {{{{ addr: {OURS} }}}}
""",
    "sgw": COMMON + f"""
sgw:
    gtpc: {{{{ addr: {SGW} }}}}
    gtpu: {{{{ addr: {SGW} }}}}
""",
    "pgw": COMMON + f"""
pgw:
    freeDiameter: {{directory}}/pgw.fd
    gtpc: {{{{ addr: {PGW} }}}}
    gtpu: {{{{ addr: {PGW} }}}}
    ue_pool: {{{{ addr: 10.77.0.1/16 }}}}
    dns: [ 192.0.2.53 ]
""",
}
DIAMETER = """
Identity = "{name}.{realm}";
Realm = "{realm}";
ListenOn = "{address}";
No_SCTP;
No_IPv6;
TLS_Cred = "{directory}/cert.pem", "{directory}/key.pem";
TLS_CA = "{directory}/cert.pem";
{extensions}
ConnectPeer = "hss.{realm}" {{ ConnectTo = "{ours}"; No_TLS; }};
"""
EXTENSIONS = ("rfc5777", "mip6i", "nasreq", "nas_mipv6", "dcca", "dcca_3gpp", "s6a")


def need(*names: str) -> None:
    """Debian 12 has the packages, and there they are needed; on any other the test is skipped, and says so."""
    absent = [f"nextepc-{name}" for name in names if shutil.which(PACKAGES[name]) is None]
    if absent and platform.freedesktop_os_release().get("VERSION_ID") == "12":
        pytest.fail(f"apt-get install {' '.join(absent)}, or ./build.sh test")
    elif absent:
        pytest.skip(f"this Debian has no {', '.join(absent)}: NextEPC is in Debian 12 only")


class Lab:
    """Our elements with a running NextEPC beside them."""

    def __init__(self, config: Config, directory: Path) -> None:
        self.config, self.directory = config, directory
        self.loop = Loop(epoch_clock(), Bus(20_000))
        self.bearers: dict[int, RadioBearerUp] = {}
        self.theirs: dict[str, asyncio.subprocess.Process] = {}
        self.core: wiring.Core
        self.radio: Sctp | None = None
        self.plane: UserPlane
        self.phone: Phone

    async def begin(self, runtime: Runtime) -> None:
        """Our side: store with one subscriber, core, user plane, eNB, phone. eNB and our MME meet in memory."""
        store = Store(self.directory / "dialtone.db")
        runtime.at_close(store.close)
        writer = store.open_writer(runtime.from_thread)
        runtime.at_close(writer.close)
        app.durable(self.loop, writer)
        [card] = make_cards(1)
        saved: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        fields = {"imsi": card.imsi, "k": card.k.hex(), "opc": card.opc.hex(), "profile": "default"}
        subscriber = make_subscriber(fields, profiles=store.profiles(), home=self.config.network.plmn)
        writer.submit((PutSubscriber(subscriber, 0),), saved.set_result)
        assert await saved is None
        s1_mme = Memory(self.loop, "S1-MME")
        self.core = wiring.build(self.config, self.loop, store, s1_mme, inside=True)
        self.plane = UserPlane(self.loop, OURS)
        runtime.at_close(self.plane.close)
        net.configure_tun("ue0", [f"{apn.gateway}/{apn.pool.prefixlen}" for apn in self.config.apn.values()], MTU)
        self.plane.start()
        if self.core.diameter is not None:
            runtime.at_close(app.connect_diameter(self.config, self.loop).farewell)
        runtime.at_close(app.connect_gtp(self.core).close)
        self.enb = add_enb(self.loop, Enb("enb1", EnbConfig(address=IPv4Address(ENB))), s1_mme, inside=True)
        Bearers(self.loop)
        self.loop.performers[RadioBearerUp] = self._radio_bearer
        self.phone = add_phone(self.loop, Phone(Usim(card.imsi, card.k, card.opc), self.enb.cell))

    def _radio_bearer(self, effect: RadioBearerUp, done: Callable[[Exception | None], None]) -> None:
        self.bearers[effect.ebi] = effect
        done(None)

    async def begin_them(self, name: str) -> None:
        """Start a daemon of NextEPC."""
        config = self.directory / f"{name}.conf"
        config.write_text(CONFIGS[name].format(directory=self.directory, name=name))
        (self.directory / f"{name}.fd").write_text(DIAMETER.format(
            name=name, realm=REALM, address=THEIRS[name], directory=self.directory, ours=OURS,
            extensions="\n".join(f'LoadExtension = "dict_{one}.so";' for one in EXTENSIONS)))
        certificate(self.directory, f"{name}.{REALM}")
        with (self.directory / f"{name}.out").open("wb") as log:
            self.theirs[name] = await asyncio.create_subprocess_exec(
                "nsenter", f"--net={Namespace(THEIR_SIDE).path}", PACKAGES[name], "-f", str(config),
                "-p", str(self.directory / f"{name}.pid"), stdout=log, stderr=log)

    async def ready(self, name: str) -> None:
        """A daemon listens. None of them answers an echo, so it is their log that tells."""
        file = self.directory / f"{name}.log"
        await self.until(lambda: file.exists() and "gtp_server" in file.read_text(errors="replace"))

    async def until(self, holds: Callable[[], Any], seconds: float = 30.0) -> None:
        """Wait for it; what was said on all sides comes with the failure."""
        end = self.loop.clock() + seconds
        while not holds():
            if self.loop.clock() > end:
                raise AssertionError("\n".join(self.said()))
            await asyncio.sleep(0.02)

    def said(self) -> list[str]:
        """Our trace and their logs, the end of each."""
        ours = [f"{event.kind} {event.point} {event.src} > {event.dst} {event.name} {event.info}"
                for event in list(self.loop.bus.ring) if event.point not in ("peer", "timer")]
        theirs = [line for name, process in self.theirs.items() for suffix in ("out", "log")
                  if (file := self.directory / f"{name}.{suffix}").exists()
                  for line in (f"---- {file.name} ({process.returncode})",
                               *file.read_text(errors="replace").splitlines()[-40:])]
        return ours[-60:] + theirs

    async def connect_enb(self, runtime: Runtime, mme: str = "") -> None:
        """S1 Setup with the MME there, over SCTP; or with ours."""
        if mme:
            radio = Sctp(self.loop, self.enb.name, "S1-MME")
            runtime.at_close(radio.close)
            self.loop.bind(self.enb.name, "S1-MME", s1ap, radio)
            radio.connect(mme, 36412, local=ENB, name="mme", retry=0.5)
        else:
            self.loop.tell(self.enb.name, PeerUp("S1-MME", "mme"))
        await self.until(lambda: any(event.name == "S1SetupResponse" for event in self.loop.bus.ring))

    async def attach(self) -> None:
        """The phone attaches."""
        self.loop.tell(self.phone.name, AttachCommand())
        await self.until(lambda: self.phone.emm == EmmState.REGISTERED)

    async def idle(self) -> None:
        """The eNB gives the quiet phone's connection up."""
        self.bearers.clear()
        self.loop.tell(self.enb.name, InactivityCommand(self.phone.name))
        await self.until(lambda: any(event.name == "Release Access Bearers Response" for event in self.loop.bus.ring))

    async def called(self) -> bool:
        """A packet for the idle phone has it called, and then packets reach its eNB; whether those that
        waited come, too, is up to NextEPC."""
        [session] = self.core.pgw.sessions.values()
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as radio, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as world:
            radio.setblocking(False)
            radio.bind((ENB, 2152))
            world.sendto(b"hello", (str(IPv4Address(session.paa.ipv4 or b"")), 7))
            await self.until(lambda: self.bearers)
            await self.until(lambda: [event.name for event in self.loop.bus.ring].count("Modify Bearer Response") == 2)
            world.sendto(b"hello", (str(IPv4Address(session.paa.ipv4 or b"")), 7))
            async with asyncio.timeout(10):
                packet = gtpu.decode(await loop.sock_recv(radio, 2048))
        [bearer] = self.bearers.values()
        return isinstance(packet, gtpu.GPdu) and packet.teid == bearer.teid_in and packet.payload.endswith(b"hello")

    async def detach(self) -> None:
        """It goes."""
        self.loop.tell(self.phone.name, DetachCommand())
        await self.until(lambda: self.phone.emm == EmmState.DEREGISTERED)

    async def ping(self, times: int = 3) -> int:
        """ICMP echoes from the phone to its gateway, by the eNB's own hand; how many were answered."""
        [bearer] = self.bearers.values()
        [session] = self.core.pgw.sessions.values()
        loop, came = asyncio.get_running_loop(), 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.bind((ENB, 2152))
            for number in range(times):
                packet = echo(session.paa.ipv4 or b"", self.config.apn["internet"].gateway.packed, number)
                data = gtpu.encode(gtpu.GPdu(teid=bearer.teid_out, payload=packet))
                await loop.sock_sendto(sock, data, (str(IPv4Address(bearer.uplink)), 2152))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(2):
                        reply = gtpu.decode(await loop.sock_recv(sock, 2048))
                        came += reply.teid == bearer.teid_in
        return came


def checksum(octets: bytes) -> bytes:
    """RFC 1071."""
    total = sum(int.from_bytes(octets[at:at + 2]) for at in range(0, len(octets), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF).to_bytes(2)


def echo(source: bytes, target: bytes, number: int) -> bytes:
    """An IPv4 packet with an ICMP echo request."""
    icmp = bytearray(b"\x08\0\0\0" + b"\0\7" + number.to_bytes(2) + b"dialtone")
    icmp[2:4] = checksum(bytes(icmp))
    head = bytearray(b"\x45\0" + (20 + len(icmp)).to_bytes(2) + bytes(4) + b"\x40\x01\0\0" + source + target)
    head[10:12] = checksum(bytes(head))
    return bytes(head + icmp)


@contextlib.contextmanager
def cabled(*names: str) -> Iterator[None]:
    """This thread is on our side of the cable, for as long as the block lasts; theirs has the daemons' addresses."""
    ours, theirs = namespaces.create(OUR_SIDE), namespaces.create(THEIR_SIDE)
    try:
        namespaces.cable(End(ours, "nx0", [f"{OURS}/24", f"{ENB}/24"]),
                         End(theirs, "nx1", [f"{THEIRS[name]}/24" for name in names]))
        with ours.enter():
            yield
    finally:
        theirs.remove()
        ours.remove()


def trial(scenario: Callable[[Lab, Runtime], Awaitable[None]], directory: Path, config: Config, *names: str) -> None:
    """Run `scenario` with ours and theirs."""

    async def run() -> None:
        it = Lab(config, directory)
        async with Runtime(it.loop) as runtime:
            await it.begin(runtime)
            try:
                for name in names:
                    await it.begin_them(name)
                for name in names:
                    await it.ready(name)
                await scenario(it, runtime)
            finally:
                for process in it.theirs.values():
                    if process.returncode is None:
                        process.kill()
                    await process.wait()
        assert "internal error" not in it.loop.counters

    with cabled(*names):
        asyncio.run(run())


def serving_their_mme() -> Config:
    """Our HSS and gateway, for NextEPC's MME, which an echo request may kill: it looks for a phone by the TEID that is
    not there."""
    peer = PeerConfig(realm=REALM, mode="accept")
    return Config(s1=S1(address=OURS), gtp=GtpConfig(peers=(MME,), echo=0),
                  diameter=DiameterConfig(listen=OURS, host=f"hss.{REALM}", realm=REALM, peer={f"mme.{REALM}": peer}))


def using_their_sgw() -> Config:
    """Our MME and P-GW, with NextEPC's S-GW between."""
    return Config(s1=S1(address=OURS), gtp=GtpConfig(sgw=SGW, echo=2.0))


def using_their_gateways() -> Config:
    """Our MME, with NextEPC's S-GW and P-GW."""
    return Config(s1=S1(address=OURS), gtp=GtpConfig(sgw=SGW, pgw=PGW, echo=2.0))
