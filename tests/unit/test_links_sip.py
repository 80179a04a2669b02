# SPDX-License-Identifier: Apache-2.0
"""The SIP link over loopback sockets: ports that come and go, connections from the right port, framing, keep-alives."""

import asyncio
import itertools
import socket
from collections.abc import Callable, Coroutine, Iterator

import pytest
from sip_rig import Rig, ours

from dialtone import dispatch
from dialtone.codec import sip
from dialtone.codec.sip import SipRequest
from dialtone.effects import Answer, Event, PeerDown, PeerUp, Request
from dialtone.errors import LocalError, ProtocolError
from dialtone.links import sip as links_sip
from dialtone.links.sip import SipLink, framing
from dialtone.loop import Loop
from dialtone.runtime import epoch_clock

HOST = "127.0.0.1"
MESSAGE = b"MESSAGE sip:a@b SIP/2.0\r\nVia: x\r\nl: 4\r\n\r\nbody"


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    kept = dispatch.ALL.copy()
    yield
    dispatch.ALL[:] = kept


class Recorder(Loop):
    """A loop whose deliveries and events end in lists."""

    def __init__(self) -> None:
        super().__init__(epoch_clock())
        self.got: list[tuple[str, bytes]] = []
        self.events: list[Event] = []

    def deliver(self, element: str, point: str, peer: str, data: bytes, stream: int = 0) -> None:
        self.got.append((peer, data))

    def tell(self, element: str, event: Event) -> None:
        self.events.append(event)

    def downs(self) -> list[str]:
        return [event.peer for event in self.events if isinstance(event, PeerDown)]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


def live(test: Callable[[Recorder, SipLink], Coroutine[None, None, None]]) -> None:
    async def run() -> None:
        loop = Recorder()
        link = SipLink(loop, "pcscf", "Gm")
        try:
            await test(loop, link)
        finally:
            link.close()

    asyncio.run(run())


def test_udp_and_tcp_between_any_ports() -> None:
    async def run(loop: Recorder, link: SipLink) -> None:
        a, b, c = (link.listen(HOST, 0) for _ in range(3))
        assert link.listening() == [(HOST, port) for port in (a, b, c)]
        link.send("pcscf", f"udp:{HOST}:{b}/{a}", MESSAGE, 0)
        await until(lambda: loop.got)
        assert loop.got.pop() == (f"udp:{HOST}:{a}/{b}", MESSAGE)
        link.send("pcscf", f"tcp:{HOST}:{c}/{a}", MESSAGE, 0)  # two for one connection that is being made
        link.send("pcscf", f"tcp:{HOST}:{c}/{a}", MESSAGE, 0)
        await until(lambda: len(loop.got) == 2)
        assert loop.got == [(f"tcp:{HOST}:{a}/{c}", MESSAGE)] * 2  # from the port that the flow names
        link.send("pcscf", f"tcp:{HOST}:{a}/{c}", MESSAGE, 0)  # back over the same connection
        await until(lambda: len(loop.got) == 3)
        assert loop.got[2] == (f"tcp:{HOST}:{c}/{a}", MESSAGE)
        ups = {event.peer for event in loop.events if isinstance(event, PeerUp)}
        assert ups == {f"tcp:{HOST}:{c}/{a}", f"tcp:{HOST}:{a}/{c}"}

    live(run)


def test_ports_go_and_come_again() -> None:
    async def run(loop: Recorder, link: SipLink) -> None:
        a, b = link.listen(HOST, 0), link.listen(HOST, 0)
        link.send("pcscf", f"tcp:{HOST}:{b}/{a}", MESSAGE, 0)
        await until(lambda: loop.got)
        link.unlisten(HOST, b)
        await until(loop.downs)  # the connection ended with its port
        link.send("pcscf", f"tcp:{HOST}:{a}/{b}", MESSAGE, 0)
        link.send("pcscf", f"udp:{HOST}:{a}/{b}", MESSAGE, 0)
        link.send("pcscf", "scscf", MESSAGE, 0)
        assert loop.downs() == [f"tcp:{HOST}:{b}/{a}", f"tcp:{HOST}:{a}/{b}"]
        assert loop.counters["Gm no such port of ours"] == 3
        assert link.listen(HOST, b) == b
        with pytest.raises(LocalError):
            SipLink(loop, "x", "Gm").listen("0.0.0.0", 5060)
        link.send("pcscf", f"udp:{HOST}:{b}/{a}", MESSAGE, 0)
        await until(lambda: len(loop.got) == 2)

    live(run)


def test_no_connection_is_told_at_once_or_after_four_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(loop: Recorder, link: SipLink) -> None:
        a = link.listen(HOST, 0)
        with socket.socket() as closed:
            closed.bind((HOST, 0))
            refused = f"tcp:{HOST}:{closed.getsockname()[1]}/{a}"
            link.send("pcscf", refused, MESSAGE, 0)
            await until(loop.downs)
        with socket.socket() as silent, socket.socket() as first, socket.socket() as second:
            silent.bind((HOST, 0))
            silent.listen(0)
            for each in (first, second):  # the backlog is full: SYN stays without an answer
                each.setblocking(False)
                each.connect_ex(silent.getsockname())
            mute = f"tcp:{HOST}:{silent.getsockname()[1]}/{a}"
            for _ in range(40):
                link.send("pcscf", mute, MESSAGE, 0)
            await until(lambda: len(loop.downs()) == 2)
        assert loop.downs() == [refused, mute]
        assert loop.counters["Gm send failed"] == 8

    monkeypatch.setattr(links_sip, "CONNECT_SECONDS", 0.2)
    live(run)


def test_a_stream_is_cut_into_messages_and_pings_are_answered() -> None:
    async def run(loop: Recorder, link: SipLink) -> None:
        port = link.listen(HOST, 0)
        reader, writer = await asyncio.open_connection(HOST, port)
        own = writer.get_extra_info("sockname")[1]
        writer.write(b"\r\n\r\n" + MESSAGE + b"\r\n" + MESSAGE[:20])
        assert await reader.readexactly(2) == b"\r\n"
        writer.write(MESSAGE[20:-1])
        await until(lambda: len(loop.got) == 1)
        writer.write(MESSAGE[-1:])
        await until(lambda: len(loop.got) == 2)
        assert loop.got == [(f"tcp:{HOST}:{own}/{port}", MESSAGE)] * 2
        writer.write(MESSAGE.replace(b"l: 4", b"l: -4"))
        with pytest.raises(ConnectionResetError):
            await reader.read()
        await until(loop.downs)
        writer.close()
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.sendto(b"\r\n\r\n", (HOST, port))
        sock.sendto(MESSAGE, (HOST, port))
        await until(lambda: len(loop.got) == 3)
        sock.close()
        assert loop.counters == {"Gm no frame": 1, "Gm keep-alive": 1}

    live(run)


@pytest.mark.parametrize(("data", "length"), [
    (b"", 0), (b"\r\n", 0), (b"\r\n\r", 0), (b"\r\n\r\n", 4), (b"\r\nM", 2), (MESSAGE, len(MESSAGE)), (MESSAGE[:30], 0),
    (MESSAGE.replace(b"l: 4\r\n", b""), len(MESSAGE) - 10), (MESSAGE.replace(b"l: 4", b"Content-Length :\t4"), 59)])
def test_frames(data: bytes, length: int) -> None:
    assert framing(bytearray(data)) == length


@pytest.mark.parametrize("data", [b"x" * 70_000, MESSAGE.replace(b"4", b"many"), MESSAGE.replace(b"4", b"99999999")])
def test_what_is_no_frame(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        framing(bytearray(data))


class Live(Rig):
    """The rig of the transaction tests on real sockets, and with the real clock."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.loop = Loop(epoch_clock())
        self.loop.add(self)
        self.link = SipLink(self.loop, "rig", "Gm")
        self.loop.bind("rig", "Gm", sip, self.link, policy=self.policy, numbers=itertools.count(number))
        self.port = self.link.listen(HOST, 0)

    def turn(self) -> bool:
        self.loop.expire()
        self.loop.run()
        return True


@pytest.mark.parametrize(("subject", "transport"), [("short", "udp"), ("x" * 1400, "tcp")])
def test_a_request_and_its_answer_over_the_wire(subject: str, transport: str) -> None:
    async def run() -> None:
        asks, answers = Live(1), Live(1000)
        answers.then = lambda message, rx: (
            [Answer(sip.response(message, 200))] if isinstance(message, SipRequest) else ())
        asks.do(Request("Gm", f"udp:{HOST}:{answers.port}/{asks.port}", ours("MESSAGE", f"Subject: {subject}")))
        await until(lambda: asks.turn() and answers.turn() and asks.got)
        assert [message.label for message in asks.got] == ["200 OK (MESSAGE)"]
        assert answers.rx[0].peer == f"{transport}:{HOST}:{asks.port}/{answers.port}"
        assert answers.got[0].via.transport == transport.upper()
        for rig in (asks, answers):
            rig.link.close()

    asyncio.run(run())


def test_a_long_request_to_a_peer_without_tcp_goes_over_udp() -> None:
    async def run() -> None:
        asks = Live(1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((HOST, 0))
            sock.setblocking(False)
            asks.do(Request("Gm", f"udp:{HOST}:{sock.getsockname()[1]}/{asks.port}",
                            ours("MESSAGE", f"Subject: {'x' * 1400}")))
            loop = asyncio.get_running_loop()
            waiting = asyncio.ensure_future(loop.sock_recv(sock, 65_535))
            await until(lambda: asks.turn() and waiting.done())
            assert sip.decode(waiting.result()).via.transport == "UDP"
        asks.link.close()

    asyncio.run(run())
