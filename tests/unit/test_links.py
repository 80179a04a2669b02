# SPDX-License-Identifier: Apache-2.0
"""Links over loopback sockets: framing, names, bounded queues. SCTP by the kernel is in tests/kernel."""

import asyncio
import socket
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialtone.effects import Event, PeerDown, PeerUp
from dialtone.errors import LocalError, ProtocolError
from dialtone.links import tcp
from dialtone.links.connections import Connection
from dialtone.links.names import family_of, peer_address, peer_name
from dialtone.links.sctp import IPPROTO_SCTP, Sctp
from dialtone.links.tcp import Tcp
from dialtone.links.udp import Udp
from dialtone.loop import Loop
from dialtone.runtime import epoch_clock


class Recorder(Loop):
    """A loop whose deliveries and events end in lists."""

    def __init__(self) -> None:
        super().__init__(epoch_clock())
        self.got: list[tuple[str, bytes, int]] = []
        self.events: list[Event] = []

    def deliver(self, element: str, point: str, peer: str, data: bytes, stream: int = 0) -> None:
        self.got.append((peer, data, stream))

    def tell(self, element: str, event: Event) -> None:
        self.events.append(event)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


def diameter(size: int) -> bytes:
    return b"\x01" + size.to_bytes(3, "big") + bytes(size - 4)


@pytest.mark.parametrize(("address", "name"), [(("10.0.1.20", 36412), "10.0.1.20:36412"),
                                               (("2001:db8::1", 1, 0, 0), "[2001:db8::1]:1")])
def test_names_of_peers(address: tuple[str, int], name: str) -> None:
    assert peer_name(address) == name
    assert peer_address(name) == address[:2]


@pytest.mark.parametrize("name", ["mme", "10.0.1.20", "10.0.1.20:x", "10.0.1.256:1", ""])
def test_what_is_no_name_of_a_peer(name: str) -> None:
    with pytest.raises(LocalError):
        peer_address(name)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "localhost"])
def test_wildcards_and_names_are_refused(host: str) -> None:
    with pytest.raises(LocalError):
        family_of(host)


def test_udp_both_ways() -> None:
    async def run() -> None:
        loop = Recorder()
        here, there = Udp(loop, "pgw", "S11"), Udp(loop, "mme", "S11")
        a = f"127.0.0.1:{here.listen('127.0.0.1', 0)}"
        b = f"127.0.0.1:{there.listen('127.0.0.1', 0)}"
        for number in range(100):  # more than one batch
            there.send("mme", a, b"%d" % number, 0)
        await until(lambda: len(loop.got) == 100)
        assert loop.got[99] == (b, b"99", 0)
        with pytest.raises(LocalError, match="Another program"):
            Udp(loop, "x", "S11").listen("127.0.0.1", int(a.split(":")[1]))
        here.close()
        there.send("mme", a, b"to nobody", 0)
        assert not loop.counters
        there.send("mme", "255.255.255.255:2123", b"to everybody", 0)
        assert loop.counters == {"S11 send failed": 1}
        there.close()

    asyncio.run(run())


@given(sizes=st.lists(st.integers(5, 60), min_size=1, max_size=8), cuts=st.lists(st.integers(1, 40), min_size=1))
@settings(max_examples=40, deadline=None)
def test_tcp_cuts_the_stream_wherever_segments_end(sizes: list[int], cuts: list[int]) -> None:
    messages = [diameter(4 * size) for size in sizes]
    stream, pieces = b"".join(messages), []
    while stream:
        size = cuts[len(pieces) % len(cuts)]
        pieces.append(stream[:size])
        stream = stream[size:]

    class Fake:
        def recv(self, _: int) -> bytes:
            return pieces.pop(0)

    async def run() -> list[bytes]:
        loop = Recorder()
        link = Tcp(loop, "hss", "S6a")
        connection = Connection(Fake(), "peer")  # type: ignore[arg-type]
        while pieces:
            assert link._read(connection) is None
        return [data for _, data, _ in loop.got]

    assert asyncio.run(run()) == messages


@pytest.mark.parametrize("header", [b"\x02\0\0\x14", b"\x01\0\0\x13", b"GET / HTTP/1.1"])
def test_what_is_no_diameter_header(header: bytes) -> None:
    with pytest.raises(ProtocolError):
        tcp.diameter(bytearray(header))


def test_tcp_both_ways_a_peer_without_frames_and_one_that_never_reads() -> None:
    async def run() -> None:
        loop = Recorder()
        hss, mme = Tcp(loop, "hss", "S6a", queue_limit=200_000), Tcp(loop, "mme", "S6a")
        port = hss.listen("127.0.0.1", 0)
        mme.connect("127.0.0.1", port, local="127.0.0.1", name="hss.home")
        await until(lambda: len(loop.events) == 2)
        assert {event.peer for event in loop.events if isinstance(event, PeerUp)} == {"hss.home", *hss.peers}
        (client,) = hss.peers
        mme.send("mme", "hss.home", diameter(100), 0)
        hss.send("hss", client, diameter(200_000), 0)  # a queue, then the rest of it
        await until(lambda: len(loop.got) == 2)
        assert {peer: len(data) for peer, data, _ in loop.got} == {client: 100, "hss.home": 200_000}

        browser = socket.create_connection(("127.0.0.1", port))
        browser.sendall(b"GET / HTTP/1.1\r\n")
        await until(lambda: any(isinstance(event, PeerDown) for event in loop.events))
        assert loop.counters == {"S6a no frame": 1}
        with pytest.raises(ConnectionResetError):
            browser.recv(1)

        lazy = socket.create_connection(("127.0.0.1", port))
        await until(lambda: len(hss.peers) == 2)
        stuck = next(name for name in hss.peers if name != client)
        for _ in range(500):
            hss.send("hss", stuck, diameter(40_000), 0)
        assert loop.counters["S6a peer never reads"] == 1
        assert list(hss.peers) == [client]
        mme.disconnect("hss.home")
        await until(lambda: not hss.peers)
        for sock in (browser, lazy):
            sock.close()
        hss.close()
        mme.close()

    asyncio.run(run())


def test_too_many_peers() -> None:
    async def run() -> None:
        loop = Recorder()
        hss = Tcp(loop, "hss", "S6a", peer_limit=2)
        port = hss.listen("127.0.0.1", 0)
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        await until(lambda: loop.counters)
        assert loop.counters == {"S6a too many peers": 1}
        assert len(hss.peers) == 2
        for client in clients:
            client.close()
        await until(lambda: not hss.peers)
        hss.close()

    asyncio.run(run())


def test_a_connector_tries_again_until_it_is_told_not_to() -> None:
    async def run() -> None:
        loop = Recorder()
        hss, mme = Tcp(loop, "hss", "S6a"), Tcp(loop, "mme", "S6a")
        port = hss.listen("127.0.0.1", 0)
        hss.close()
        mme.connect("127.0.0.1", port, local="127.0.0.1", name="hss", retry=0.02)
        await until(lambda: len(loop.events) == 3)
        assert all(isinstance(e, PeerDown) and "refused" in e.reason for e in loop.events)
        hss.listen("127.0.0.1", port)
        await until(lambda: "hss" in mme.peers)
        hss.close()
        await until(lambda: "hss" not in mme.peers)
        mme.disconnect("hss")
        count = len(loop.events)
        await asyncio.sleep(0.1)
        assert len(loop.events) <= count + 1
        mme.close()

    asyncio.run(run())


class FakeSctp:
    """A socket that reads what a kernel would have handed over."""

    def __init__(self, *reads: tuple[bytes, list[tuple[int, int, bytes]], int]) -> None:
        self.reads = list(reads)
        self.sent: list[tuple[bytes, tuple[int, ...]]] = []

    def recvmsg(self, size: int, ancillary: int) -> tuple[bytes, list[tuple[int, int, bytes]], int, None]:
        return (*self.reads.pop(0), None)

    def sendmsg(self, buffers: list[bytes], ancillary: list[tuple[int, int, bytes]]) -> int:
        self.sent.append((buffers[0], struct.unpack("=HHIII", ancillary[0][2])))
        return len(buffers[0])


def rcvinfo(stream: int, ppid: int) -> list[tuple[int, int, bytes]]:
    return [(IPPROTO_SCTP, 3, struct.pack("=HHHxxIIIII", stream, 0, 0, socket.htonl(ppid), 0, 0, 0, 0))]


def association(*reads: tuple[bytes, list[tuple[int, int, bytes]], int]) -> tuple[Recorder, Sctp, Connection]:
    loop = Recorder()
    return loop, Sctp(loop, "mme", "S1-MME"), Connection(FakeSctp(*reads), "enb")  # type: ignore[arg-type]


def test_sctp_joins_pieces_and_drops_other_ppids() -> None:
    async def run() -> None:
        loop, link, enb = association((b"ab", rcvinfo(3, 18), 0), (b"cd", rcvinfo(3, 18), socket.MSG_EOR),
                                      (b"x2ap", rcvinfo(0, 27), socket.MSG_EOR), (b"?", [], socket.MSG_EOR),
                                      (b"", [], 0))
        for _ in range(4):
            assert link._read(enb) is None
        assert loop.got == [("enb", b"abcd", 3)]
        assert loop.counters == {"S1-MME wrong PPID": 2}
        assert [(e.name, e.data, e.info) for e in loop.bus.ring] == [
            ("discarded", b"x2ap", "wrong PPID"), ("discarded", b"?", "wrong PPID")]
        assert link._read(enb) == "closed by the peer"

    asyncio.run(run())


@pytest.mark.parametrize(("kind", "state", "reason"), [
    (0x8001, 0, None), (0x8001, 1, "lost: no answer to heartbeats or data"), (0x8001, 2, None),
    (0x8005, 0, "shut down by the peer"), (0x8009, 1, None)])
def test_sctp_notifications(kind: int, state: int, reason: str | None) -> None:
    async def run() -> None:
        notification = struct.pack("=HHIHHHHI", kind, 0, 20, state, 0, 0, 0, 0)
        _, link, enb = association((notification, [], 0x8000 | socket.MSG_EOR), (b"\x01", [], 0x8000))
        assert link._read(enb) == reason
        assert link._read(enb) is None

    asyncio.run(run())


@pytest.mark.parametrize(("agreed", "asked", "used"), [
    (1, 5, 0), (2, 0, 0), (2, 7, 1), (4, 3, 3), (4, 4, 1), (4, 9, 3)])
def test_sctp_folds_streams_and_leaves_the_first_alone(agreed: int, asked: int, used: int) -> None:
    async def run() -> None:
        _, link, enb = association()
        enb.streams = agreed
        assert link._write(enb, b"x", asked) == 1
        assert enb.sock.sent == [(b"x", (used, 0, socket.htonl(18), 0, 0))]  # type: ignore[attr-defined]

    asyncio.run(run())
