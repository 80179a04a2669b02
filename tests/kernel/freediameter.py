# SPDX-License-Identifier: Apache-2.0
"""freeDiameter (Debian: freediameterd) as a peer of our node: one set of trials for TCP and for SCTP.

Their time is the wall clock, so each waits for what it wants to see and no longer. Our Tw is shorter than RFC 3539
allows, theirs is the shortest it takes.
"""

import asyncio
import contextlib
import datetime
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from diameter_rig import Client, Server

from dialtone.codec import diameter
from dialtone.config_diameter import DiameterConfig, PeerConfig
from dialtone.diameter.effects import Start, Stop
from dialtone.diameter.link import NodeLink
from dialtone.diameter.node import Node
from dialtone.diameter.peer import Peer
from dialtone.diameter.states import Health, State
from dialtone.diameter.transport import Transport
from dialtone.links.memory import Memory
from dialtone.links.sctp import IPPROTO_SCTP
from dialtone.loop import Loop
from dialtone.requests import DIAMETER
from dialtone.runtime import Runtime, epoch_clock

US, THEM, REALM = "mme.example.org", "fd.example.org", "example.org"
TW = 3.0
# For SCTP addresses beyond 127/8: freeDiameter neither announces those nor listens there by name.
OURS = {"tcp": "127.0.0.1", "sctp": "192.0.2.8"}
THEIRS = {"tcp": "127.0.0.1", "sctp": "192.0.2.9"}
PLACES = {"tcp": "No_SCTP;", "sctp": 'No_TCP; ListenOn = "192.0.2.9";'}

CONFIG = """
Identity = "{them}";
Realm = "{realm}";
Port = {port};
SecPort = 0;
{places}
No_IPv6;
TcTimer = 2;
TwTimer = 6;
TLS_Cred = "{directory}/cert.pem", "{directory}/key.pem";
TLS_CA = "{directory}/cert.pem";
ConnectPeer = "{us}" {{ ConnectTo = "{address}"; No_TLS; port = {to}; }};
"""


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certificate(directory: Path, host: str = THEM) -> None:
    """freeDiameter wants one, even where nobody asks for TLS."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256()))
    (directory / "cert.pem").write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    (directory / "key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


class Trial:
    """Our node with a client and a server, and freeDiameter beside it."""

    def __init__(self, loop: Loop, transport: str, directory: Path) -> None:
        self.loop, self.transport, self.directory = loop, transport, directory
        self.our_port, self.their_port = free_port(), free_port()
        self.client, self.server = Client(), Server()
        self.node: Node
        self.them: asyncio.subprocess.Process | None = None

    def begin(self, runtime: Runtime, *, listen: bool, connect: bool) -> None:
        """Our side."""
        mode = "connect" if connect else "accept"
        peer = PeerConfig(REALM, THEIRS[self.transport], self.their_port, self.transport, mode)
        config = DiameterConfig(listen=OURS[self.transport] if listen else "", port=self.our_port, tw=TW, tc=1.0,
                                transports=(self.transport,), peer={THEM: peer})
        self.node = Node(config, US, REALM, OURS[self.transport], os.urandom, self.loop.clock())
        self.node.serve(diameter.S6A, "S6a", self.client, self.server)
        link = NodeLink(self.loop, "S6a", Memory(self.loop, "S6a"))
        for element in (self.node, self.client, self.server):
            self.loop.add(element)
            self.loop.bind(element.name, "S6a", diameter, link, policy=replace(DIAMETER, seconds=5.0))
        sockets = Transport(self.loop, config)
        self.loop.bind(Node.name, "Diameter", diameter, sockets)
        sockets.listen()
        runtime.at_close(sockets.farewell)
        self.loop.tell(Node.name, Start())

    async def begin_them(self) -> None:
        """Their side."""
        certificate(self.directory)
        config = self.directory / "fd.conf"
        config.write_text(CONFIG.format(
            them=THEM, realm=REALM, us=US, port=self.their_port, to=self.our_port, directory=self.directory,
            address=OURS[self.transport], places=PLACES[self.transport]))
        with (self.directory / "fd.log").open("wb") as log:
            self.them = await asyncio.create_subprocess_exec("freeDiameterd", "-c", str(config), stdout=log, stderr=log)

    def signal(self, number: int) -> None:
        """Send freeDiameter a signal."""
        assert self.them is not None
        self.them.send_signal(number)

    @property
    def peer(self) -> Peer:
        return self.node.peers[THEM]

    def heard(self, name: str) -> bool:
        """Whether it sent this message."""
        return any(event.kind == "rx" and event.name == name for event in self.loop.bus.ring)

    async def until(self, condition: Callable[[], Any], seconds: float = 40) -> None:
        """Wait; says what freeDiameter logged if that was in vain."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            log = (self.directory / "fd.log").read_text(errors="replace")[-3000:]
            raise AssertionError(f"{self.node.states()}\n{self.node.counters}\n{log}") from None


@contextlib.asynccontextmanager
async def trial(transport: str, directory: Path, *, listen: bool = False, connect: bool = True) -> AsyncIterator[Trial]:
    """Both sides, until the peer is open."""
    loop = Loop(epoch_clock())
    async with Runtime(loop) as runtime:
        it = Trial(loop, transport, directory)
        await it.begin_them()
        try:
            it.begin(runtime, listen=listen, connect=connect)
            await it.until(lambda: it.peer.open)
            yield it
        finally:
            if it.them is not None and it.them.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    it.them.kill()
                await it.them.wait()


async def opens(transport: str, directory: Path, *, listen: bool, connect: bool) -> None:
    """Who connects does not matter; both ask after each other; a request comes back with their Result-Code."""
    async with trial(transport, directory, listen=listen, connect=connect) as it:
        assert it.peer.product == "freeDiameter"
        if listen != connect:
            assert it.peer.state is (State.I_OPEN if connect else State.R_OPEN)
        it.loop.tell("client", Start(REALM))
        await it.until(lambda: it.client.answers)
        answer = it.client.answers[0]
        assert (answer.origin_host, answer.error) == (THEM, True)
        assert answer.result_code in (3002, 3007)  # it serves no S6a itself and knows nobody who does
        await it.until(lambda: it.heard("Device-Watchdog Answer"))
        assert it.peer.health is Health.OKAY
        assert len(it.node.connections) == 1


async def asks_us(transport: str, directory: Path) -> None:
    """Its own watchdog is answered: it stays."""
    async with trial(transport, directory) as it:
        it.node.config = replace(it.node.config, tw=60.0)
        await it.until(lambda: it.heard("Device-Watchdog Request"))
        await asyncio.sleep(1)
        assert it.peer.open


async def leave(transport: str, directory: Path) -> None:
    """We take leave and come back; it takes leave."""
    async with trial(transport, directory) as it:
        it.loop.tell(Node.name, Stop(cause=2))
        await it.until(lambda: it.peer.state is State.CLOSED)
        assert it.heard("Disconnect-Peer Answer")
        it.loop.tell(Node.name, Start())
        await it.until(lambda: it.peer.open)
        it.signal(signal.SIGTERM)
        await it.until(lambda: it.peer.state is State.CLOSED)
        assert it.heard("Disconnect-Peer Request")
        assert it.peer.last.startswith("it took leave")
        assert it.peer.health is Health.INITIAL


async def falls_silent(transport: str, directory: Path) -> None:
    """A frozen process keeps its connection, but answers no watchdog."""
    async with trial(transport, directory) as it:
        it.signal(signal.SIGSTOP)
        await it.until(lambda: it.peer.health is Health.SUSPECT)
        await it.until(lambda: it.peer.health is Health.DOWN)
        assert it.peer.last.startswith("silent")
        it.signal(signal.SIGCONT)
        await it.until(lambda: it.peer.open)
        await it.until(lambda: it.peer.health is Health.OKAY)


async def is_killed(transport: str, directory: Path) -> None:
    """Its end is noticed at once; started anew it is found again."""
    async with trial(transport, directory) as it:
        it.signal(signal.SIGKILL)
        await it.until(lambda: it.peer.state is not State.I_OPEN, 10)
        assert it.them is not None
        await it.them.wait()
        await it.begin_them()
        await it.until(lambda: it.peer.open)
        assert it.peer.health in (Health.REOPEN, Health.OKAY)


async def garbage(transport: str, directory: Path) -> None:
    """Garbage from strangers touches no peer; garbage that we send ends at most the connection."""
    async with trial(transport, directory, listen=True) as it:
        loop = asyncio.get_running_loop()
        kind = (socket.SOCK_STREAM, IPPROTO_SCTP) if transport == "sctp" else (socket.SOCK_STREAM,)
        request = diameter.encode(diameter.DeviceWatchdogRequest(origin_host=THEM, origin_realm=REALM))
        for data in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(2000), b"\1\0\0\x14" + bytes(16), request,
                     b"\1\xff\xff\xfc" + bytes(60), request[:4] + b"\xff" * 16 + request[20:]):
            stranger = socket.socket(socket.AF_INET, *kind)
            stranger.setblocking(False)
            with contextlib.suppress(OSError):
                await loop.sock_connect(stranger, (OURS[transport], it.our_port))
                await loop.sock_sendall(stranger, data)
            await asyncio.sleep(0.1)
            stranger.close()
        await it.until(lambda: len(it.node.connections) == 1)
        assert it.peer.open
        sockets = it.loop.ports[Node.name, "Diameter"].link
        body = os.urandom(40)
        sockets.send(Node.name, it.peer.connection, b"\1\0\0\x3c\xc0\0\1\x3e\1\0\0\x23" + bytes(8) + body, 0)
        await it.until(lambda: not it.peer.open or it.heard("Device-Watchdog Answer"))
        await it.until(lambda: it.peer.open)
        assert it.them is not None
        assert it.them.returncode is None
        assert "internal error" not in it.loop.counters
