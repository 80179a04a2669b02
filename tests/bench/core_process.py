# SPDX-License-Identifier: Apache-2.0
"""The core as a process of its own: all of `dialtone.app.serve` but what needs the kernel's help (SCTP, TUN,
firewall, name server). Real store, durable SQN, trace on, control socket.

    python -m tests.bench.core_process FOLDER FD ENBS [GM]  serves the eNBs behind a socket it inherits, and the phones
        behind another one (without IPsec in the kernel), until SIGTERM
    python -m tests.bench.core_process FOLDER          says "accepted" once an eNB in its own loop is, and ends
"""

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from dialtone import app, wiring
from dialtone.codec import s1ap
from dialtone.commands import Commands
from dialtone.config import Config
from dialtone.control import ControlServer
from dialtone.datapath.forwarder import Forwarder
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import (
    CloseTunnel,
    Effect,
    Effects,
    EmptyBuffer,
    InstallSas,
    KeepSas,
    OpenMedia,
    OpenTunnel,
    PeerUp,
    RemoveSas,
    Send,
)
from dialtone.element import Element, Link
from dialtone.hss.store import Store
from dialtone.ids import Plmn
from dialtone.links.memory import Memory
from dialtone.loop import Loop
from dialtone.runtime import Runtime, epoch_clock
from dialtone.trace.bus import Bus
from tests.bench.fd_link import FdLink

Done = Callable[[Exception | None], None]
on = Handlers("enb")


class Enb(Element):
    """The least that an MME takes for an eNB."""

    name = "enb1"
    on = on


@on.event(PeerUp)
def on_peer_up(enb: Enb, event: PeerUp, rx: Rx) -> Effects:
    """Ask for S1 Setup."""
    plmn = Plmn("001", "01")
    yield Send("S1-MME", "mme", s1ap.S1SetupRequest(
        global_enb_id=s1ap.GlobalENBID(plmn, s1ap.ENBID("macroENB-ID", 0x101)),
        supported_tas=(s1ap.SupportedTAsItem(1, (plmn,)),), default_paging_drx=s1ap.PagingDRX.V128))


@on("S1-MME", s1ap.S1SetupResponse)
def on_s1_setup_response(enb: Enb, msg: s1ap.S1SetupResponse, rx: Rx) -> Effects:
    """That is what was waited for."""
    print("accepted", flush=True)
    return ()


async def start(loop: Loop, runtime: Runtime, state: Path, link: Link, *, inside: bool,
                gm: Link | None = None) -> None:
    """As app.serve does it; the user plane keeps its tables and moves no packets."""
    store = Store(state / "dialtone.db")
    runtime.at_close(store.close)
    writer = store.open_writer(runtime.from_thread)
    runtime.at_close(writer.close)
    app.durable(loop, writer)
    core = wiring.build(Config(), loop, store, link, inside=inside, gm=gm)
    forwarder = Forwarder(bytes((10, 0, 1, 133)))

    calls: dict[type[Effect], Callable[[Any], object]] = {
        OpenTunnel: lambda effect: forwarder.open(effect, loop.clock()),
        CloseTunnel: lambda effect: forwarder.close(effect.teid),
        EmptyBuffer: lambda effect: forwarder.empty(effect.imsi),
        OpenMedia: forwarder.sessions.calls,
        InstallSas: _nothing,
        KeepSas: _nothing,
        RemoveSas: _nothing,
    }
    loop.performers |= {kind: partial(perform, call) for kind, call in calls.items()}
    control = ControlServer(state / "core.sock", Commands(core, store, writer, forwarder).table(), loop.bus)
    await control.start()
    runtime.at_close(control.close)


def _nothing(effect: Effect) -> None:
    """What the kernel would do."""


def perform(call: Callable[[Any], object], effect: Effect, done: Done) -> None:
    """At once, as the user plane does it."""
    call(effect)
    done(None)


async def accept(state: Path) -> None:
    """An eNB on the memory link."""
    loop = Loop(epoch_clock(), Bus(Config().trace.ring))
    async with Runtime(loop) as runtime:
        link = Memory(loop, "S1-MME")
        await start(loop, runtime, state, link, inside=True)
        loop.add(Enb())
        loop.bind("enb1", "S1-MME", s1ap, link, inside=True)
        loop.tell("mme", PeerUp("S1-MME", "enb1"))
        loop.tell("enb1", PeerUp("S1-MME", "mme"))
        await asyncio.sleep(0.1)


async def serve(state: Path, fd: int, enbs: int = 1, gm: int | None = None) -> None:
    """The eNBs at the other end of `fd`, and the phones behind `gm`."""
    loop = Loop(epoch_clock(), (Silent if UNTRACED in os.environ else Bus)(Config().trace.ring))
    links = [FdLink(loop, "S1-MME", _socket(fd), core=True)]
    if gm is not None:
        links.append(FdLink(loop, "Gm", _socket(gm), core=True, element="pcscf"))
    async with Runtime(loop) as runtime:
        await start(loop, runtime, state, links[0], inside=False, gm=links[-1] if gm is not None else None)
        for number in range(1, enbs + 1):
            loop.tell("mme", PeerUp("S1-MME", f"enb{number}"))
        for link in links:
            asyncio.get_running_loop().add_reader(link.sock, link.receive)
        await app.warm_up()
        await runtime.stopped()


UNTRACED = "DIALTONE_BENCH_UNTRACED"
"""Set in the environment, the core traces nothing."""


class Silent(Bus):
    """A trace that nobody keeps: what it costs is the difference."""

    def received(self, *event: Any) -> None:  # type: ignore[override]
        """Nothing."""

    sent = done = received  # type: ignore[assignment]


def _socket(fd: int) -> socket.socket:
    sock = socket.socket(fileno=fd)
    sock.setblocking(False)
    return sock


if __name__ == "__main__":
    folder, *numbers = sys.argv[1:]
    asyncio.run(serve(Path(folder), *map(int, numbers)) if numbers else accept(Path(folder)))
