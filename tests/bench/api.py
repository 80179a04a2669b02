# SPDX-License-Identifier: Apache-2.0
"""The API beside a busy core: what a class that watches costs, and how long an answer takes meanwhile.

    python -m tests.bench.api SOCKET PATH COUNT   asks so many times, and prints the milliseconds of each answer as JSON
"""

import http.client
import json
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dialtone.lab.client import _UnixConnection
from tests.bench.network import ROOT, Network
from tests.bench.processes import resident_mb
from tests.bench.rows import Row

READERS = 20
WHERE = "core, API and readers are processes of one machine; readers over the unix socket"


def rows(quick: bool) -> Iterator[Row]:
    """A class of twenty that watches, and the API's answers while phones attach as fast as they can."""
    with tempfile.TemporaryDirectory(prefix="dialtone-bench-") as folder, Network(4, Path(folder)) as network, \
            api(Path(folder)) as server:
        path = Path(folder) / "api.sock"
        yield watching(network, server, path, 5 if quick else 20)
        size = resident_mb(network.core.pid) + resident_mb(server.pid)
        yield Row(f"core and API with {READERS} readers", f"{size:.1f} MB", size < 150, "< 150 MB", 150 / size,
                  "the target", WHERE)
        for what in ("/status", "/ues", "/trace?limit=100"):
            yield answering(network, path, what, 200 if quick else 1000)


@contextmanager
def api(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The API process, once it answers."""
    server = subprocess.Popen([sys.executable, "-m", "dialtone.api", "--run", str(folder)])
    try:
        deadline = time.monotonic() + 30
        while not _answers(folder / "api.sock"):
            if time.monotonic() > deadline:
                raise TimeoutError("the API does not answer")
            time.sleep(0.05)
        yield server
    finally:
        server.terminate()
        server.wait(10)


def _answers(path: Path) -> bool:
    """Whether it listens, and has found the core."""
    try:
        return bool(ask(path, "/trace")["connected"])
    except OSError:  # no socket yet, or one that nobody listens at
        return False


def ask(path: Path, what: str) -> dict[str, object]:
    """One GET."""
    connection = _UnixConnection(str(path), 30)
    connection.request("GET", f"/api/v1{what}")
    found: dict[str, object] = json.loads(connection.getresponse().read())
    connection.close()
    return found


def cpu(pid: int) -> float:
    """CPU seconds of a process so far, all its threads."""
    tasks = Path(f"/proc/{pid}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9


class Watchers(threading.Thread):
    """Readers of the live stream who look at nothing."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.octets = 0
        self.over = False
        self.ready = selectors.DefaultSelector()
        for _ in range(READERS):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(str(path))
            sock.sendall(b"GET /api/v1/trace/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.ready.register(sock, selectors.EVENT_READ)
        self.start()

    def run(self) -> None:
        """Read."""
        while not self.over:
            for key, _ in self.ready.select(0.2):
                self.octets += len(key.fileobj.recv(1 << 16))  # type: ignore[union-attr]


def watching(network: Network, server: subprocess.Popen[bytes], path: Path, seconds: int) -> Row:
    """The CPU that twenty readers cost the API, at one attach and detach a second."""
    watchers = Watchers(path)
    time.sleep(1)
    before, octets, begun = cpu(server.pid), watchers.octets, time.monotonic()
    for second in range(seconds):
        network.attach(network.phones[0])
        network.detach(network.phones[0])
        network.until(lambda second=second: time.monotonic() > begun + second + 1, 30)  # type: ignore[misc]
    spent = 100 * (cpu(server.pid) - before) / (time.monotonic() - begun)
    watchers.over = True
    told = (watchers.octets - octets) / READERS / seconds
    return Row(f"{READERS} readers of the live trace", f"{spent:.1f} % of one CPU", spent < 5, "< 5 %", 5 / spent,
               f"one attach and detach a second, {told / 1000:.1f} kB/s to each", WHERE)


def answering(network: Network, path: Path, what: str, count: int) -> Row:
    """The 99th percentile of the answers while every phone attaches and detaches as fast as it can."""
    command = [sys.executable, "-m", "tests.bench.api", str(path), what, str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as client:
        cycles = 0
        while client.poll() is None:
            network.cycles(8)
            cycles += 8
        assert client.stdout is not None
        times = sorted(json.loads(client.stdout.read()))
    p99 = times[len(times) * 99 // 100]
    return Row(f"GET {what} while phones attach, p99", f"{p99:.1f} ms", p99 < 100, "< 100 ms", 100 / p99,
               f"median {times[len(times) // 2]:.1f} ms; {cycles} attaches meanwhile", WHERE)


def main(path: str, what: str, count: str) -> None:
    """The client of `answering`."""
    connection: http.client.HTTPConnection = _UnixConnection(path, 30)
    times = []
    for _ in range(int(count)):
        begun = time.perf_counter()
        connection.request("GET", f"/api/v1{what}")
        connection.getresponse().read()
        times.append(1000 * (time.perf_counter() - begun))
    print(json.dumps(times))


if __name__ == "__main__":
    main(*sys.argv[1:])
