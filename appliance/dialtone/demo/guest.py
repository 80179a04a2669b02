# SPDX-License-Identifier: Apache-2.0
"""The lab's side in the guest: the eNB's cable, then core, API and simulated phones as processes of their own.

Run by host.py, in network namespaces or in user-mode Linux alike: `python -m dialtone.demo.guest`.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Sequence
from pathlib import Path

from dialtone.config import Config, load
from dialtone.errors import LocalError
from dialtone.hss.csv_import import plan_import
from dialtone.hss.store import Store
from dialtone.hss.writer import commit_now
from dialtone.lab_kernel import namespaces
from dialtone.lab_kernel.guest import GUEST_ADDRESS
from dialtone.lab_kernel.namespaces import End
from dialtone.sim.cards import as_csv, make_cards
from dialtone.sim.config import ENB_ADDRESS

RUN = Path("/run/dialtone")
ENB_NAMESPACE = "dt-enb1"
ENBS = 2  # so that a phone can be handed over
S1_INTERFACE = "s1"
WIRE = "vec0"  # to the host; a phone that finds the API's address comes by another interface
PHONES = 3
READY = "the lab is ready"
PATIENCE = 120.0  # seconds for a process to start: user-mode Linux is slow


def test_subscribers(config: Config, state: Path) -> None:
    """The cards of the simulated phones, as far as they are not there yet."""
    state.mkdir(parents=True, exist_ok=True)
    store = Store(state / "dialtone.db")
    try:
        plan = plan_import(as_csv(make_cards(PHONES, config.network.plmn)).encode(), present=store.subscribers(),
                           profiles=store.profiles(), home=config.network.plmn)
        if plan.add:
            commit_now(store.path, plan.writes(now=int(time.time())))
    finally:
        store.close()


class Children:
    """The processes, ended in reverse order; the end of one is the end of all."""

    def __init__(self) -> None:
        self.processes: list[tuple[str, Process]] = []
        self.ended = asyncio.Event()
        self._watchers: list[asyncio.Task[None]] = []

    async def start(self, name: str, arguments: Sequence[str], socket_path: Path) -> None:
        """Start one and wait until its socket answers. Raises LocalError when it ends before."""
        command = [sys.executable, "-m", *arguments]
        process = await asyncio.create_subprocess_exec(*command, start_new_session=True)
        self.processes.append((name, process))
        self._watchers.append(asyncio.create_task(self._watch(name, process)))
        async with asyncio.timeout(PATIENCE):
            while not _answers(socket_path):
                if process.returncode is not None or self.ended.is_set():
                    raise LocalError(f"{name} ended before it was ready; its last words stand above.")
                await asyncio.sleep(0.05)

    async def _watch(self, name: str, process: Process) -> None:
        code = await process.wait()
        if not self.ended.is_set():
            print(f"{name} ended with code {code}", flush=True)
        self.ended.set()

    async def stop(self) -> None:
        """TERM to each, last started first; KILL to one that does not listen."""
        self.ended.set()
        for _, process in reversed(self.processes):
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
                try:
                    async with asyncio.timeout(20):
                        await process.wait()
                except TimeoutError:
                    process.kill()
        await asyncio.gather(*self._watchers)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


async def run(config: Config, config_file: Path | None, state: Path, port: int) -> None:
    """Bring the processes up, say so, and keep them until a signal."""
    children = Children()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, children.ended.set)
    try:
        extra = ["--config", str(config_file)] if config_file else []
        # The interface to the Internet is the host's business; from in here the way out is the wire to the host.
        RUN.mkdir(parents=True, exist_ok=True)
        (RUN / "guest.toml").write_text('[uplink]\ninterface = "auto"\n')
        extra += ["--config", str(RUN / "guest.toml")]
        await children.start("core", ["dialtone.cli", "core", *extra, "--state", str(state), "--run", str(RUN)],
                             RUN / "core.sock")
        await children.start("api", ["dialtone.api", "--run", str(RUN), "--listen", f"{GUEST_ADDRESS}:{port}",
                                     "--device", WIRE, "--state", str(state / "api")],
                             RUN / "api.sock")
        await children.start("sim", ["dialtone.cli", "sim", "run", "--run", str(RUN), "--phones", str(PHONES),
                                     "--mme", config.s1.address, "--address", str(ENB_ADDRESS), "--enbs", str(ENBS),
                                     "--plmn", str(config.network.plmn), "--tac", str(config.network.tac[0]),
                                     "--namespace", ENB_NAMESPACE, "--ims"], RUN / "sim.sock")
        print(READY, flush=True)
        await children.ended.wait()
    finally:
        await children.stop()
        (RUN / "guest.toml").unlink(missing_ok=True)


def main() -> None:
    """The command line; host.py writes it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    os.umask(0o027)
    try:
        config = load([arguments.config] if arguments.config else [])
        test_subscribers(config, arguments.state)
        # Before the event loop runs: pyroute2 has one of its own.
        enb = namespaces.create(ENB_NAMESPACE)
        namespaces.cable(End(None, S1_INTERFACE, [f"{config.s1.address}/24"]),
                         End(enb, S1_INTERFACE, [f"{ENB_ADDRESS + more}/24" for more in range(ENBS)]))
        asyncio.run(run(config, arguments.config, arguments.state, arguments.port))
    except LocalError as error:
        print(f"lab: {error}", flush=True)
        sys.exit(1)
    finally:
        namespaces.remove_all()


if __name__ == "__main__":
    main()
