# SPDX-License-Identifier: Apache-2.0
"""Many phones behind several eNBs: what each costs, whether one of them waits longer for the others, and a storm."""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from dialtone.config import Config
from dialtone.effects import PeerDown, PeerUp
from dialtone.sim.attach import AttachCommand
from dialtone.sim.phone import Phone
from dialtone.sim.power import PowerCycle
from dialtone.sim.service import ServiceCommand
from dialtone.sim.states import EmmState
from dialtone.sim.timers import TIMERS
from dialtone.sim.ue_context import InactivityCommand
from tests.bench.network import Network
from tests.bench.processes import resident_mb
from tests.bench.rows import Row

ENBS = 8
EVENTS_OF_A_CYCLE = 40
WHERE = f"core in a process of its own, {ENBS} eNBs over a socket pair"


def rows(quick: bool) -> Iterator[Row]:
    """Memory of a phone, latency with one and with all, and all of them at once."""
    count = 200 if quick else 1000
    with tempfile.TemporaryDirectory(prefix="dialtone-bench-") as folder, Network(
            count, Path(folder), enbs=ENBS) as network:
        one, *others = network.phones
        for _ in range(Config().trace.ring // EVENTS_OF_A_CYCLE):  # until the ring is full, and grows no more
            network.attach(one)
            network.detach(one)
        empty = resident_mb(network.core.pid)
        network.attach(one)
        alone, cpu = service(network, one, 20 if quick else 60)
        yield Row("service request from idle", f"{alone:.2f} ms", None, "", None,
                  f"{cpu:.2f} ms of the core's CPU, release included", WHERE)
        for start in range(0, len(others), 20):
            network.attach(*others[start:start + 20])
        size = 1024 * (resident_mb(network.core.pid) - empty) / count
        yield Row(f"memory for each of {count} attached phones", f"{size:.1f} kB", size < 30, "< 30 kB", 30 / size,
                  "the target", WHERE)
        crowded, _ = service(network, one, 20 if quick else 60)
        yield Row(f"service request with {count} attached phones", f"{crowded:.2f} ms", crowded < 2 * alone, "< 2 x",
                  alone / crowded, "the same with one phone", WHERE)
        yield storm(network)


def service(network: Network, phone: Phone, times: int) -> tuple[float, float]:
    """Milliseconds that the phone waits for its bearers, the median; and CPU milliseconds of the core."""
    waits, before = [], network.cpu()
    for _ in range(times):
        network.loop.tell(phone.cell.enb, InactivityCommand(phone.name))
        network.until(lambda: not phone.connected)
        begun = time.perf_counter()
        network.loop.tell(phone.name, ServiceCommand())
        network.until(lambda: phone.connected and phone.emm is EmmState.REGISTERED)
        waits.append(1000 * (time.perf_counter() - begun))
    return median(waits), 1000 * (network.cpu() - before) / times


def storm(network: Network) -> Row:
    """Every eNB restarts, every phone was switched off and on, and all attach at once."""
    phones = network.phones
    for enb in network.enbs:
        network.loop.tell(enb.name, PeerDown("S1-MME", "mme", "restart"))
        network.loop.tell(enb.name, PeerUp("S1-MME", "mme"))
    for phone in phones:
        network.loop.tell(phone.name, PowerCycle())
    network.loop.run()
    network.connect()
    failed, begun, waiting, times = network.loop.counters.get("attach failed", 0), time.monotonic(), [*phones], []
    for phone in phones:
        phone.forget()
        network.loop.tell(phone.name, AttachCommand())
    network.loop.run()
    patience = TIMERS["T3410"].seconds

    def finished() -> bool:
        nonlocal waiting
        left = [phone for phone in waiting if phone.emm is not EmmState.REGISTERED]
        times.extend([time.monotonic() - begun] * (len(waiting) - len(left)))
        waiting = left
        return not left

    network.until(finished, 4 * patience)
    late = network.loop.counters.get("attach failed", 0) - failed
    return Row(f"{len(phones)} phones attach at once", f"{times[-1]:.1f} s, median {median(times):.1f} s",
               late == 0 and times[-1] < patience, f"< {patience:g} s", patience / times[-1],
               f"T3410 of each; {late} had to try again, {os.cpu_count()} CPUs", WHERE)
