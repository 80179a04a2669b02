# SPDX-License-Identifier: Apache-2.0
"""[gtp]: what it may say, and what one line of it puts on a socket."""

import asyncio
from pathlib import Path

import pytest

from dialtone import app, wiring
from dialtone.codec import gtpc
from dialtone.config import S1, Config, ConfigError, load
from dialtone.config_gtp import GtpConfig
from dialtone.hss.store import Store
from dialtone.links.memory import Memory
from dialtone.loop import Loop
from dialtone.runtime import Runtime, epoch_clock

OURS, PEER, STRANGER = "127.0.0.133", "127.0.0.9", "127.0.0.10"


def read(directory: Path, text: str) -> Config:
    file = directory / "dialtone.toml"
    file.write_text(text)
    return load([file])


def test_one_line_is_enough(tmp_path: Path) -> None:
    assert not Config().gtp.wanted
    config = read(tmp_path, '[gtp]\nsgw = "10.0.1.9"')
    assert config.gtp.wanted
    assert config.control == bytes((10, 0, 1, 133))  # that of [s1]
    config = read(tmp_path, '[gtp]\npeers = ["10.0.1.7"]\nlisten = "10.0.2.1"')
    assert (config.gtp.peers, config.control) == (("10.0.1.7",), bytes((10, 0, 2, 1)))


@pytest.mark.parametrize(("text", "problem"), [
    ('[gtp]\nsgw = "sgw.example.org"', "line 2: gtp.sgw must be an IPv4 address"),
    ('[gtp]\npeers = "10.0.1.7"', "gtp.peers must be a list of addresses"),
    ('[gtp]\nn3 = 99', "gtp.n3 must be a whole number from 0 to 10"),
    ('[gtp]\nsgw = "10.0.1.133"', "gtp.sgw 10.0.1.133 is our own address"),
    ('[gtp]\nlisten = "10.0.2.1"\npeers = ["10.0.2.1"]', "gtp.peers 10.0.2.1 is our own address"),
    ('[gtp]\npgw = "10.0.1.8"', "gtp.pgw is for a foreign S-GW, and there is none"),
])
def test_what_cannot_be(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        read(tmp_path, text)


def test_the_restart_counter_counts(tmp_path: Path) -> None:
    file = tmp_path / "restarts"
    assert [app.restarts(file) for _ in range(3)] == [0, 1, 2]
    file.write_text("255")
    assert app.restarts(file) == 0
    file.write_text("rubbish")
    assert app.restarts(file) == 0


class Ear(asyncio.DatagramProtocol):
    """A GTP node that hears."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, address: object) -> None:
        self.heard.put_nowait(data)


def test_on_real_sockets(tmp_path: Path) -> None:
    """Ours asks a peer for an echo, and answers its echo, garbage and all; a stranger is not heard."""
    asyncio.run(_on_real_sockets(tmp_path))


async def _on_real_sockets(directory: Path) -> None:
    config = Config(s1=S1(address=OURS), gtp=GtpConfig(peers=(PEER,)))
    loop = Loop(epoch_clock())
    async with Runtime(loop) as runtime:
        store = Store(directory / "dialtone.db")
        runtime.at_close(store.close)
        core = wiring.build(config, loop, store, Memory(loop, "S1-MME"), recovery=7)
        aio = asyncio.get_running_loop()
        peer, ear = await aio.create_datagram_endpoint(Ear, local_addr=(PEER, gtpc.PORT))
        stranger, _ = await aio.create_datagram_endpoint(Ear, local_addr=(STRANGER, gtpc.PORT))
        for transport in (peer, stranger):
            runtime.at_close(transport.close)
        runtime.at_close(app.connect_gtp(core).close)

        async def hear() -> gtpc.GtpcMessage:
            return gtpc.decode(await asyncio.wait_for(ear.heard.get(), 10))

        echo = await hear()
        assert isinstance(echo, gtpc.EchoRequest)
        assert echo.recovery == 7
        for data in (b"\x48", b"\x00" * 3, b"\xff" * 1400):
            stranger.sendto(data, (OURS, gtpc.PORT))
            peer.sendto(data, (OURS, gtpc.PORT))
        assert isinstance(await hear(), gtpc.VersionNotSupportedIndication)
        peer.sendto(gtpc.encode(gtpc.EchoResponse(recovery=1, sequence=echo.sequence)), (OURS, gtpc.PORT))
        peer.sendto(gtpc.encode(gtpc.EchoRequest(recovery=1, sequence=5)), (OURS, gtpc.PORT))
        answer = await hear()
        assert isinstance(answer, gtpc.EchoResponse)
        assert (answer.sequence, answer.recovery) == (5, 7)
        assert core.gtp is not None
        assert core.gtp.paths[PEER].state == "UP"
        assert loop.counters["S11 from a stranger"] == 3
        assert "internal error" not in loop.counters
