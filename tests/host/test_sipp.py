# SPDX-License-Identifier: Apache-2.0
"""sipp registers with AKAv1-MD5, and calls sipp with a handset's SDP, through our transactions, proxy and sockets."""

import asyncio
import socket
from pathlib import Path

import pytest
from sipp import CALLEE, CALLER, HOST, REGISTER, Bench

from dialtone.codec import sdp


async def end(path: Path, process: asyncio.subprocess.Process) -> None:
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    errors = "\n".join(file.read_text() for file in path.glob("*errors.log"))
    assert process.returncode == 0, f"{errors}\n{out.decode()[-3000:]}"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return int(sock.getsockname()[1])


@pytest.mark.parametrize("mode", ["u1", "t1"])
def test_sipp_registers_with_aka(tmp_path: Path, mode: str) -> None:
    async def run() -> None:
        async with Bench() as it:
            await end(tmp_path, await it.sipp(tmp_path, "register", REGISTER, "-t", mode, "-m", "20", "-r", "20"))
            assert len(it.box.registered) == 20
            assert {peer.partition(":")[0] for peer in it.box.registered} == {"udp" if mode == "u1" else "tcp"}
            assert it.loop.counters.get("internal error", 0) == 0

    asyncio.run(run())


@pytest.mark.parametrize("mode", ["u1", "t1"])
def test_sipp_calls_sipp(tmp_path: Path, mode: str) -> None:
    async def run() -> None:
        async with Bench() as it:
            port = free_port()
            transport = "udp" if mode == "u1" else "tcp"
            it.box.target = f"{transport}:{HOST}:{port}/{it.box.port}"
            callee = await it.sipp(tmp_path, "callee", CALLEE, "-t", mode, "-m", "5", "-p", str(port))
            await asyncio.sleep(0.5)
            await end(tmp_path, await it.sipp(tmp_path, "caller", CALLER, "-t", mode, "-m", "5", "-r", "5"))
            await end(tmp_path, callee)
            assert len(it.box.dialled) == 5
            assert [m.encoding for m in sdp.decode(it.box.dialled[0]).media[0].rtpmaps.values()] == [
                "AMR-WB", "AMR-WB", "AMR", "AMR", "TELEPHONE-EVENT", "TELEPHONE-EVENT"]
            assert it.loop.counters.get("internal error", 0) == 0

    asyncio.run(run())
