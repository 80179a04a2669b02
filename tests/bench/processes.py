# SPDX-License-Identifier: Apache-2.0
"""Start-up of the core, and the memory of core and API."""

import http.client
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from dialtone.hss.store import Store
from tests.bench.network import Network
from tests.bench.rows import Row

MEMORY_LINK = "a fresh interpreter each time, compiled modules, S1-MME over a memory link, empty database"
SOCKET_PAIR = "idle with one eNB over a socket pair; without SCTP, TUN, firewall and name server"


def rows(quick: bool) -> Iterator[Row]:
    """Start-up time, then memory."""
    seconds = start_up(3 if quick else 7)
    yield Row("process start to S1 Setup accepted", f"{seconds:.2f} s", seconds < 1.0, "< 1 s", 1.0 / seconds,
              "the target", MEMORY_LINK)
    core, api = memory()
    yield Row("resident memory of the core", f"{core:.1f} MB", core < 60, "< 60 MB", 60 / core, "the target",
              SOCKET_PAIR)
    yield Row("core and API together", f"{core + api:.1f} MB", core + api < 130, "< 130 MB", 130 / (core + api),
              "the target", SOCKET_PAIR)


def start_up(times: int) -> float:
    """Seconds from the start of the process until S1 Setup is accepted, the median."""
    found = []
    with tempfile.TemporaryDirectory(prefix="dialtone-bench-") as folder:
        Store(Path(folder) / "dialtone.db").close()
        for _ in range(times + 1):  # the first one writes the compiled modules
            begun = time.monotonic()
            with subprocess.Popen([sys.executable, "-m", "tests.bench.core_process", folder],
                                  stdout=subprocess.PIPE) as core:
                assert core.stdout is not None
                line = core.stdout.readline()
                found.append(time.monotonic() - begun)
            if line != b"accepted\n" or core.returncode:
                raise RuntimeError("the core did not accept the eNB")
    return median(found[1:])


def memory() -> tuple[float, float]:
    """Resident megabytes of the core with one eNB, and of the API beside it."""
    with tempfile.TemporaryDirectory(prefix="dialtone-bench-") as folder, Network(1, Path(folder)) as network:
        api = subprocess.Popen([sys.executable, "-m", "dialtone.api", "--run", folder])
        try:
            enbs = _ask(Path(folder) / "api.sock", "/api/v1/status")["enbs"]
            if len(enbs) != 1:
                raise RuntimeError(f"the API sees {len(enbs)} eNBs")
            time.sleep(2)
            return resident_mb(network.core.pid), resident_mb(api.pid)
        finally:
            api.terminate()
            api.wait(10)


def resident_mb(pid: int) -> float:
    """VmRSS."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


class _Unix(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self.path))


def _ask(path: Path, url: str) -> dict[str, list[object]]:
    """GET, as soon as someone listens."""
    deadline = time.monotonic() + 30
    while True:
        connection = _Unix(path)
        try:
            connection.request("GET", url)
            answer = connection.getresponse()
            found: dict[str, list[object]] = json.loads(answer.read())
            if answer.status == 200:
                return found
        except OSError:
            pass
        finally:
            connection.close()
        if time.monotonic() > deadline:
            raise TimeoutError("the API does not answer")
        time.sleep(0.05)
