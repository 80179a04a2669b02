# SPDX-License-Identifier: Apache-2.0
"""The runner as the host sees it, in both modes: output, exit codes, signals, the wire, and nothing left behind.

Needs root, and user-mode Linux. Runs on the host, not in the lab.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import dialtone
from dialtone.errors import LocalError
from dialtone.lab_kernel import namespaces
from dialtone.lab_kernel.guest import Options
from dialtone.lab_kernel.kernel import Mode
from dialtone.lab_kernel.run import guest_for, run

pytestmark = [pytest.mark.kernel, pytest.mark.parametrize("mode", [Mode.UML, Mode.NAMESPACES])]

WAITER = """
import sys, time
try:
    print("up", flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(9)
"""
SERVER = """
import socket
with socket.create_server(("::", 8000), family=socket.AF_INET6, dualstack_ipv6=True) as server:
    print("up", flush=True)
    while True:
        client, address = server.accept()
        client.sendall(address[0].removeprefix("::ffff:").encode())
        client.close()
"""
ROUTES = ("10.45.0.0/16", "2001:db8:cafe::/48")


def shell(command: str) -> str:
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False).stdout


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory and a network of the test's own, so that another lab on this machine is not in the way.

    The directory's name on a command line tells our labs from others'.
    """
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    network = namespaces.create(f"dt-host-{os.getpid()}")
    with network.enter():
        yield tmp_path
    network.remove()


def leftovers(place: Path) -> str:
    """Processes and files of this test's labs."""
    found = [str(path) for path in place.glob("dialtone-uml-*")]
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # gone meanwhile
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(place) in command:
                found.append(command)
    return "\n".join(found)


def wire() -> str:
    """The interface and the route of whichever lab has them."""
    return shell(f"ip -br link show dt-lab0 2>/dev/null; ip route show {ROUTES[0]}")


def start_runner(mode: Mode, place: Path, *options: str) -> "subprocess.Popen[str]":
    """The command line of the runner around WAITER, once that is up."""
    environment = dict(os.environ, PYTHONPATH=str(Path(dialtone.__file__).parents[1]))
    arguments = [sys.executable, "-m", "dialtone.lab_kernel.run", "--mode", mode, *options]
    process = subprocess.Popen(
        [*arguments, "--", sys.executable, "-c", WAITER, str(place)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def test_output_environment_directory_and_exit_code(mode: Mode, place: Path, tmp_path: Path) -> None:
    said = bytearray()
    script = """echo "$DIALTONE_LAB $WORD"; pwd; echo wrong >&2; printf "%0100000d" 0; echo over > here
        setsid sleep 60 & exit 7"""
    options = Options(directory=tmp_path, environment={**os.environ, "WORD": "it's 5 €"})
    with guest_for(mode, ["sh", "-c", script, str(place)], options, said.extend) as guest:
        assert guest.wait(120) == 7
    lines = said.decode().splitlines()
    assert lines[:3] == [f"{mode} it's 5 €", str(tmp_path), "wrong"]
    assert lines[3] == "0" * 100000
    assert (tmp_path / "here").read_text() == "over\n"
    assert leftovers(place) == ""


def test_an_interrupt_reaches_the_command(mode: Mode, place: Path) -> None:
    process = start_runner(mode, place)
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    assert process.stdout.read() == "interrupted\n"
    assert process.wait(60) == 9
    assert leftovers(place) == ""


def test_a_killed_runner_takes_everything_along(mode: Mode, place: Path) -> None:
    process = start_runner(mode, place, "--route", ROUTES[0])
    assert "dt-lab0" in wire()
    assert "unshare" in leftovers(place)
    process.kill()
    process.communicate(timeout=60)  # to its end: nobody holds the pipe any more
    waited = threading.Event()
    for _ in range(200):  # the kernel takes the namespaces down in its own time
        if "unshare" not in leftovers(place) and wire() == "":
            break
        waited.wait(0.05)
    assert wire() == ""
    with guest_for(mode, ["true", str(place)]) as guest:  # the next one sweeps up the files
        assert guest.wait(120) == 0
    assert leftovers(place) == ""


def test_the_wire_and_its_routes(mode: Mode, place: Path) -> None:
    up = threading.Event()

    def hear(chunk: bytes) -> None:
        if b"up" in chunk:
            up.set()

    options = Options(tap=True, routes=ROUTES)
    with guest_for(mode, [sys.executable, "-c", SERVER, str(place)], options, hear) as guest:
        assert up.wait(60)
        for there, here in (("10.254.0.2", b"10.254.0.1"), ("fd0a:254::2", b"fd0a:254::1")):
            with socket.create_connection((there, 8000), timeout=20) as client:
                assert client.recv(100) == here
        assert "dt-lab0" in shell("ip route get 10.45.0.9")
        assert "via fd0a:254::2 dev dt-lab0" in shell("ip -6 route get 2001:db8:cafe::9")
        with pytest.raises(LocalError, match="a lab runs already"):
            guest_for(mode, ["true"], options).start()
        guest.stop()
    assert leftovers(place) + wire() == ""


def test_out_of_time_and_no_such_command(mode: Mode, place: Path) -> None:
    assert run(mode, ["sh", "-c", "sleep 600", str(place)], Options(timeout=1.0)) == 124
    assert run(mode, ["/no/such/command"]) == 127
    assert leftovers(place) == ""
