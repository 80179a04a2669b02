# SPDX-License-Identifier: Apache-2.0
"""The core in a process of its own, simulated eNBs with phones in this one, and a socket pair for S1-MME."""

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from dialtone.codec import s1ap
from dialtone.effects import PeerUp
from dialtone.hss.provisioning import make_subscriber
from dialtone.hss.store import Store
from dialtone.hss.writer import commit_now
from dialtone.hss.writes import PutSubscriber
from dialtone.loop import Loop
from dialtone.runtime import epoch_clock
from dialtone.sim import enb as sim_enb
from dialtone.sim.attach import AttachCommand
from dialtone.sim.detach import DetachCommand
from dialtone.sim.pdn import OpenPdn
from dialtone.sim.phone import InterfaceDown, InterfaceUp, Phone
from dialtone.sim.states import EmmState, S1State
from dialtone.sim.usim import Usim
from dialtone.trace.bus import Bus
from tests.bench.fd_link import FdLink

ROOT = Path(__file__).parents[2]
K, OPC = "465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf"  # TS 35.208, 4.3


def imsis(count: int) -> list[str]:
    """001010000000001 and on."""
    return [f"00101{number:010d}" for number in range(1, count + 1)]


def number_of(place: int) -> str:
    """The number of the subscriber at that place."""
    return f"1555{place:07d}"


def cards(count: int, kind: type[Usim] = Usim) -> list[Usim]:
    """The SIMs of `imsis`."""
    return [kind(imsi, bytes.fromhex(K), bytes.fromhex(OPC)) for imsi in imsis(count)]


def provision(folder: Path, count: int) -> None:
    """A database with the subscribers of `imsis`."""
    store = Store(folder / "dialtone.db")
    profiles = store.profiles()
    store.close()
    fields = {"k": K, "opc": OPC, "profile": "default"}
    commit_now(folder / "dialtone.db", [
        PutSubscriber(make_subscriber({"imsi": imsi, "msisdn": number_of(place), **fields}, profiles=profiles), 0)
        for place, imsi in enumerate(imsis(count))])


BUFFER = 16 << 20  # of octets, for a thousand phones that speak at once
SO_SNDBUFFORCE = 32


def pair() -> tuple[socket.socket, socket.socket]:
    """Our end of S1-MME and the core's."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    for sock in (ours, theirs):
        sock.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE if os.geteuid() == 0 else socket.SO_SNDBUF, BUFFER)
    return ours, theirs


class Phones:
    """eNBs and their phones. `sock` leads to the core."""

    def __init__(self, sock: socket.socket, usims: Sequence[Usim], enbs: int = 1) -> None:
        self.sock = sock
        self.loop = Loop(epoch_clock(), Bus())
        self.link = FdLink(self.loop, "S1-MME", sock, core=False)
        for effect in (sim_enb.RadioBearerUp, sim_enb.RadioBearerDown, InterfaceUp, InterfaceDown):
            self.loop.performers[effect] = lambda effect, done: done(None)
        self.enbs = [sim_enb.Enb(f"enb{number}", sim_enb.EnbConfig(enb_id=0x100 + number))
                     for number in range(1, enbs + 1)]
        self.phones = [Phone(usim, self.enbs[number % enbs].cell) for number, usim in enumerate(usims)]
        for enb in self.enbs:
            self.loop.add(enb)
            self.loop.bind(enb.name, "S1-MME", s1ap, self.link)
            self.loop.tell(enb.name, PeerUp("S1-MME", "mme"))
        for phone in self.phones:
            self.loop.add(phone)
            for point, stack in phone.stacks.items():
                self.loop.stacks[phone.name, point] = stack

    def connect(self) -> None:
        """Wait for S1 Setup."""
        self.until(lambda: all(enb.s1 is S1State.UP for enb in self.enbs))

    def turn(self, seconds: float) -> None:
        """Wait at most so long for a message or a timer, and work it off."""
        self.loop.run()
        due = self.loop.due()
        if due is not None:
            seconds = min(seconds, max(0.0, due - self.loop.clock()))
        select.select([self.sock], [], [], seconds)
        self.link.receive()
        self.loop.expire()
        self.loop.run()

    def until(self, done: Callable[[], bool], seconds: float = 30.0) -> None:
        """Turn until `done()`; raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                states = {phone.imsi: (phone.emm, phone.connected, phone.last) for phone in self.phones[:3]}
                raise TimeoutError(f"after {seconds} s still: S1 {self.enbs[0].s1}, {states}")
            self.turn(0.5)

    def attach(self, *phones: Phone) -> None:
        """Attach by IMSI, all at once; they must be away."""
        for phone in phones:
            phone.forget()
            self.loop.tell(phone.name, AttachCommand())
        self.until(lambda: all(phone.emm is EmmState.REGISTERED for phone in phones))

    def detach(self, phone: Phone) -> None:
        """Detach, and wait for the release of the connection."""
        self.loop.tell(phone.name, DetachCommand())
        self.until(lambda: away(phone))

    def connect_to(self, phone: Phone, apn: str) -> None:
        """Another PDN connection of an attached phone."""
        self.loop.tell(phone.name, OpenPdn(apn))
        self.until(lambda: any(pdn.apn == apn for pdn in phone.pdns.values()))

    def cycles(self, count: int) -> None:
        """`count` times attach by IMSI and detach, every phone as fast as it can."""
        begun = ended = 0
        busy: set[str] = set()
        before = self.loop.counters.get("attach ok", 0)

        def finished() -> bool:
            nonlocal begun, ended
            for phone in self.phones:
                if away(phone):
                    if phone.name in busy:
                        busy.discard(phone.name)
                        ended += 1
                    if begun < count:
                        begun += 1
                        busy.add(phone.name)
                        phone.forget()
                        self.loop.tell(phone.name, AttachCommand())
                elif phone.emm is EmmState.REGISTERED and phone.connected:
                    self.loop.tell(phone.name, DetachCommand())
            self.loop.run()
            return ended == count

        self.until(finished, 120.0)
        if (attached := self.loop.counters["attach ok"] - before) != count:
            raise RuntimeError(f"{attached} of {count} attaches succeeded")


def away(phone: Phone) -> bool:
    """Whether the phone is detached and its connection released."""
    return phone.emm is EmmState.DEREGISTERED and not phone.connected


class Network(Phones):
    """Phones and their core, with its database and control socket in `folder`; `gm` is our end of Gm, for what speaks
    SIP there. `wrapper` is put before the core's command (a tracer); without `traced` it keeps no trace."""

    def __init__(self, count: int, folder: Path, wrapper: tuple[str, ...] = (), enbs: int = 1,
                 subscribers: int = 0, traced: bool = True) -> None:
        provision(folder, max(count, subscribers))
        ours, theirs = pair()
        self.gm, theirs_gm = pair()
        with theirs, theirs_gm:
            fds = (theirs.fileno(), theirs_gm.fileno())
            command = [*wrapper, sys.executable, "-m", "tests.bench.core_process", str(folder),
                       str(fds[0]), str(enbs), str(fds[1])]
            silent = {} if traced else {"DIALTONE_BENCH_UNTRACED": "1"}
            self.core = subprocess.Popen(command, pass_fds=fds, cwd=ROOT, env=os.environ | silent)
        super().__init__(ours, cards(count), enbs)
        try:
            self.connect()
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> "Network":
        return self

    def __exit__(self, *_: object) -> None:
        self.core.terminate()
        self.core.wait(10)
        self.sock.close()
        self.gm.close()

    def settle(self) -> None:
        """Wait until the core has nothing to do any more, not even for itself."""
        before = -1.0
        while (now := self.cpu()) - before > 0.01:
            before = now
            time.sleep(0.3)

    def cpu(self) -> float:
        """CPU seconds of the core so far, all its threads."""
        tasks = Path(f"/proc/{self.core.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9


def fork_core(folder: Path, sock: socket.socket) -> int:
    """The core as a child of this warm process, for tests that start it a hundred times; returns its process id."""
    import asyncio

    from tests.bench import core_process

    if pid := os.fork():
        return pid
    try:
        asyncio.run(core_process.serve(folder, sock.fileno()))
    finally:
        os._exit(1)
