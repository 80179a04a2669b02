# SPDX-License-Identifier: Apache-2.0
"""Kernel SCTP under the link: PPID, streams, long messages, silence. Needs a kernel with SCTP."""

import asyncio
import socket
import struct
import subprocess
import time
from collections.abc import Callable

import pytest

from dialtone.dispatch import Handlers
from dialtone.effects import PeerDown, PeerUp
from dialtone.element import Element
from dialtone.errors import LocalError
from dialtone.links.sctp import IPPROTO_SCTP, Sctp, Timing
from dialtone.loop import Loop
from dialtone.runtime import Runtime, epoch_clock

pytestmark = pytest.mark.kernel

QUICK = Timing(heartbeat=0.3, retransmissions=1, rto_initial=0.3, rto_min=0.1, rto_max=0.3)


class Ear(Element):
    """An element that only remembers what it was told."""

    on = Handlers("ear")

    def __init__(self, name: str) -> None:
        self.name = name
        self.said: list[object] = []


class Recorder(Loop):
    """A loop whose deliveries and events end in lists instead of elements."""

    def __init__(self) -> None:
        super().__init__(epoch_clock())
        self.got: list[tuple[str, str, bytes, int]] = []
        self.events: list[object] = []

    def deliver(self, element: str, point: str, peer: str, data: bytes, stream: int = 0) -> None:
        self.got.append((element, peer, data, stream))

    def tell(self, element: str, event: object) -> None:
        self.events.append(event)


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def ups(loop: Recorder) -> list[str]:
    return [event.peer for event in loop.events if isinstance(event, PeerUp)]


def downs(loop: Recorder) -> list[PeerDown]:
    return [event for event in loop.events if isinstance(event, PeerDown)]


def test_messages_streams_and_long_ones_both_ways() -> None:
    async def run() -> None:
        loop = Recorder()
        mme, enb = Sctp(loop, "mme", "S1-MME"), Sctp(loop, "enb", "S1-MME", streams=4)
        port = mme.listen("127.0.0.1", 0)
        core = enb.connect("127.0.0.1", port, local="127.0.0.2")
        await until(lambda: len(ups(loop)) == 2)
        (phone_side,) = mme.peers
        assert phone_side.startswith("127.0.0.2:")
        assert mme.peers[phone_side].streams == 4
        long = bytes(range(256)) * 240
        enb.send("enb", core, b"setup", 0)
        enb.send("enb", core, long, 3)
        enb.send("enb", core, b"folded", 9)  # the association has four streams: 1, 2 and 3 carry phones
        mme.send("mme", phone_side, long, 2)
        await until(lambda: len(loop.got) == 4)
        assert [x for x in loop.got if x[0] == "enb"] == [("enb", core, long, 2)]
        up = {data: stream for element, _, data, stream in loop.got if element == "mme"}
        assert up == {b"setup": 0, long: 3, b"folded": 3}
        assert not loop.counters
        enb.close()
        await until(lambda: downs(loop))
        assert downs(loop)[0].peer == phone_side
        assert not mme.peers
        mme.close()

    asyncio.run(run())


def plain_client(port: int) -> socket.socket:
    """A foreign SCTP client without any of our options."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_SCTP)
    sock.connect(("127.0.0.1", port))
    return sock


def sndinfo(ppid: int) -> list[tuple[int, int, bytes]]:
    return [(IPPROTO_SCTP, 2, struct.pack("=HHIII", 0, 0, socket.htonl(ppid), 0, 0))]


def test_another_ppid_is_dropped_counted_and_traced() -> None:
    async def run() -> None:
        loop = Recorder()
        mme = Sctp(loop, "mme", "S1-MME")
        client = plain_client(mme.listen("127.0.0.1", 0))
        client.sendmsg([b"no ppid"])
        client.sendmsg([b"as pysctp swaps it"], sndinfo(0x12000000))
        client.sendmsg([b"right"], sndinfo(18))
        await until(lambda: loop.got)
        assert [x[2] for x in loop.got] == [b"right"]
        assert loop.counters == {"S1-MME wrong PPID": 2}
        assert [e.data for e in loop.bus.ring] == [b"no ppid", b"as pysctp swaps it"]
        (name,) = mme.peers
        mme.send("mme", name, b"answer", 0)
        client.setsockopt(IPPROTO_SCTP, 32, 1)
        data, ancillary, _, _ = await asyncio.to_thread(client.recvmsg, 100, 256)
        assert data == b"answer"
        assert struct.unpack_from("=HHHxxI", ancillary[0][2])[3] == socket.htonl(18)
        client.close()
        mme.close()

    asyncio.run(run())


def test_a_peer_that_never_reads_is_cut_off_and_the_others_go_on() -> None:
    async def run() -> None:
        loop = Recorder()
        mme = Sctp(loop, "mme", "S1-MME", queue_limit=300_000)
        port = mme.listen("127.0.0.1", 0)
        lazy, busy = plain_client(port), plain_client(port)
        await until(lambda: len(ups(loop)) == 2)
        stuck, good = ups(loop)
        for _ in range(1000):
            mme.send("mme", stuck, bytes(20_000), 1)
            if stuck not in mme.peers:
                break
            await asyncio.sleep(0)
        assert loop.counters["S1-MME peer never reads"] == 1
        assert [(e.peer, e.reason.split(":")[0]) for e in downs(loop)] == [(stuck, "does not read")]
        mme.send("mme", good, b"still here", 1)
        assert await asyncio.to_thread(busy.recv, 100) == b"still here"
        lazy.close()
        busy.close()
        mme.close()

    asyncio.run(run())


def test_a_message_without_end_is_cut_off() -> None:
    async def run() -> None:
        loop = Recorder()
        mme = Sctp(loop, "mme", "S1-MME", message_limit=100_000)
        client = plain_client(mme.listen("127.0.0.1", 0))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        await asyncio.to_thread(client.sendmsg, [bytes(150_000)], sndinfo(18))
        await until(lambda: downs(loop))
        assert not loop.got
        assert loop.counters["S1-MME message too long"] == 1
        client.close()
        mme.close()

    asyncio.run(run())


def test_a_listener_needs_an_address_of_ours() -> None:
    async def run() -> None:
        mme = Sctp(Recorder(), "mme", "S1-MME")
        with pytest.raises(LocalError, match="one interface"):
            mme.listen("0.0.0.0", 36412)
        with pytest.raises(LocalError, match="to an interface of this machine"):
            mme.listen("203.0.113.7", 36412)
        port = mme.listen("127.0.0.1", 0)
        with pytest.raises(LocalError, match="Another program"):
            Sctp(Recorder(), "mme", "S1-MME").listen("127.0.0.1", port)
        mme.close()

    asyncio.run(run())


def test_no_core_yet_then_a_core() -> None:
    async def run() -> None:
        loop = Recorder()
        mme, enb = Sctp(loop, "mme", "S1-MME"), Sctp(loop, "enb", "S1-MME", timing=QUICK)
        port = mme.listen("127.0.0.1", 0)
        mme.close()
        core = enb.connect("127.0.0.1", port, local="127.0.0.1", name="mme", retry=0.1)
        await until(lambda: downs(loop))
        assert downs(loop)[0].reason.startswith("no connection: ")
        mme.listen("127.0.0.1", port)
        await until(lambda: "mme" in ups(loop))
        enb.send("enb", core, b"x", 0)
        await until(lambda: loop.got)
        enb.close()
        mme.close()

    asyncio.run(run())


def tc(*words: str) -> None:
    subprocess.run(["tc", "qdisc", *words], check=True)


@pytest.mark.parametrize(("timing", "within"), [(QUICK, 5), (Timing(), 20)], ids=["quick", "default"])
def test_a_silent_peer_is_noticed_in_seconds(timing: Timing, within: float) -> None:
    """Nothing of the peer arrives any more, as with a pulled cable; both ends notice."""
    async def run() -> None:
        loop = Recorder()
        mme, enb = Sctp(loop, "mme", "S1-MME", timing=timing), Sctp(loop, "enb", "S1-MME", timing=timing)
        enb.connect("127.0.0.1", mme.listen("127.0.0.1", 0), local="127.0.0.2")
        await until(lambda: len(ups(loop)) == 2)
        await asyncio.sleep(3 * timing.heartbeat)
        assert not downs(loop)  # heartbeats keep an idle association
        tc("add", "dev", "lo", "root", "netem", "loss", "100%")
        try:
            start = time.monotonic()
            await until(lambda: len(downs(loop)) == 2, within)
            print(f"noticed after {time.monotonic() - start:.1f} s")
            assert all("no answer" in event.reason for event in downs(loop))
        finally:
            tc("del", "dev", "lo", "root")
            mme.close()
            enb.close()

    asyncio.run(run())


def test_the_runtime_carries_peer_events_to_the_element() -> None:
    async def run() -> None:
        loop = Loop(epoch_clock())
        ear = Ear("mme")
        loop.add(ear)
        async with Runtime(loop) as runtime:
            mme = Sctp(loop, "mme", "S1-MME")
            runtime.at_close(mme.close)
            client = plain_client(mme.listen("127.0.0.1", 0))
            await until(lambda: [e for e in loop.bus.ring if e.point == "peer"])
            client.close()
            await until(lambda: len([e for e in loop.bus.ring if e.point == "peer"]) == 2)
        assert [e.info for e in loop.bus.ring] == ["S1-MME: connected", "S1-MME: shut down by the peer"]

    asyncio.run(run())
