# SPDX-License-Identifier: Apache-2.0
"""What a foreign decoder says of our wires and of our own export: every frame decoded, none malformed."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_sim_process import Lab

from dialtone.lab_kernel import namespaces
from dialtone.trace import pcapng
from dialtone.trace.record import event_of

pytestmark = pytest.mark.kernel

TRACE = """
import json, socket, sys
sock = socket.socket(socket.AF_UNIX); sock.connect(sys.argv[1])
sock.sendall(b'{"id": 1, "do": "trace", "args": {"since": 0}}\\n'); sock.settimeout(8)
try:
    for line in sock.makefile("rb"):
        sys.stdout.write(line.decode()) if b'"event"' in line else None
except TimeoutError:
    pass
"""


SECURITY_HEADER = "nas_eps.security_header_type"


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """The cable to the eNB while a phone attaches, pings and detaches; and the core's own export of the same."""
    path = tmp_path_factory.mktemp("capture")
    lab = Lab(path)
    wire = path / "wire.pcapng"
    try:
        sniffer = subprocess.Popen(["tcpdump", "-i", "s1", "--immediate-mode", "-U", "-w", str(wire)],
                                   stderr=subprocess.PIPE, text=True)
        assert sniffer.stderr is not None
        assert any("listening" in line for line in sniffer.stderr)
        imsi = lab.imsis[0]
        assert lab.sim_control.call("sim.attach", imsi=imsi)["ok"]
        assert lab.sim_control.call("sim.exec", imsi=imsi, argv=["ping", "-c2", "-i0.2", "10.45.0.1"])["code"] == 0
        assert lab.sim_control.call("sim.detach", imsi=imsi)["ok"]
        end = time.monotonic() + 20
        while lab.core_control.call("ues") and time.monotonic() < end:  # the release that follows a detach
            time.sleep(0.1)
        time.sleep(0.5)  # and what tcpdump still has to write
        sniffer.terminate()
        sniffer.wait()
        events = []
        said = subprocess.run([sys.executable, "-c", TRACE, str(path / "run" / "core.sock")], capture_output=True,
                              text=True, check=True).stdout
        for line in said.splitlines():
            events.append(event_of(json.loads(line)["event"]))
        export = path / "export.pcapng"
        pcapng.write(export, events)
        yield {"wire": wire, "export": export}
    finally:
        lab.close()
        namespaces.remove_all()


def tshark(path: Path, *options: str) -> str:
    done = subprocess.run(["tshark", "-n", "-r", str(path), *options], capture_output=True, text=True, check=True)
    return done.stdout


def fields(path: Path, *names: str) -> list[list[str]]:
    options = [word for name in names for word in ("-e", name)]
    return [line.split("\t") for line in tshark(path, "-T", "fields", *options).splitlines()]


def ciphered(headers: str) -> bool:
    """Whether tshark took cipher text for a message: one in some dozens begins like one (TS 24.301, 9.3.1)."""
    return bool({"2", "4"} & set(headers.split(",")))


def test_every_frame_on_the_wire_is_decoded(captured: dict[str, Path]) -> None:
    rows = fields(captured["wire"], "frame.protocols", "_ws.malformed", "s1ap.procedureCode", SECURITY_HEADER)
    stacks = [row[0] for row in rows]
    assert any(":s1ap:nas-eps" in stack for stack in stacks)
    assert any(":gtp:ip:icmp" in stack for stack in stacks)
    assert not [row for row in rows if row[1] and not ciphered(row[3])]
    assert not [stack for stack in stacks if stack.endswith(":data") and ":icmp:" not in stack]
    # S1 Setup came before the capture; what an attach and a detach consist of is all there.
    codes = {code for row in rows for code in row[2].split(",") if code}
    assert {"12", "11", "13", "9", "22", "23"} <= codes


def test_the_export_is_decoded_without_preferences(captured: dict[str, Path]) -> None:
    rows = fields(captured["export"], "frame.protocols", "_ws.malformed", "frame.interface_name", SECURITY_HEADER)
    assert rows
    assert not [row for row in rows if row[1] and not ciphered(row[3])]
    assert not [row[0] for row in rows if row[0].endswith(":data")]
    points = {row[2] for row in rows}
    assert {"S1-MME", "NAS", "S11", "S6a"} <= points
    protocols = " ".join(row[0] for row in rows)
    for protocol in ("s1ap", "nas-eps", "gtpv2", "diameter"):
        assert protocol in protocols


def test_the_columns_carry_names(captured: dict[str, Path]) -> None:
    named = subprocess.run(["tshark", "-N", "n", "-r", str(captured["export"])], capture_output=True, text=True,
                           check=True).stdout
    assert re.search(r"mme\s+→\s+hss", named)
    assert re.search(r"ue-001010000000001\s+→\s+mme", named)
