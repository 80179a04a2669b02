# SPDX-License-Identifier: Apache-2.0
"""The control socket: requests, errors, bad lines, the trace with its gaps."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from dialtone import control
from dialtone.control import Args, AsyncClient, Away, Client, ControlServer
from dialtone.errors import LocalError, ProtocolError
from dialtone.trace.bus import Bus, Event


def bus_of(count: int, capacity: int = 1000) -> Bus:
    bus = Bus(capacity)
    for number in range(count):
        bus.sent(1790000000.0 + number, "NAS", "mme", "ue", f"message {number}", "00101", "attach", "",
                 b"\x07\x41", b"", "")
    return bus


async def slowly(args: Args) -> str:
    await asyncio.sleep(0.5)
    return str(args["word"])


def refuse(args: Args) -> None:
    raise LocalError("No such subscriber.", remedy="Add it.")


def protocol(args: Args) -> None:
    raise ProtocolError("an IMSI has at most 15 digits")


def defect(args: Args) -> None:
    raise RuntimeError("secret detail")


COMMANDS: dict[str, Callable[[Args], Any]] = {
    "status": lambda args: {"version": "x"}, "slowly": slowly, "refuse": refuse, "protocol": protocol,
    "defect": defect,
}


def serving(tmp_path: Path, work: Callable[[ControlServer], Awaitable[Any]], bus: Bus | None = None) -> Any:
    async def main() -> Any:
        server = ControlServer(tmp_path / "core.sock", COMMANDS, bus)
        await server.start()
        try:
            return await work(server)
        finally:
            await server.close()

    return asyncio.run(main())


def test_calls_run_side_by_side(tmp_path: Path) -> None:
    async def work(server: ControlServer) -> None:
        client = AsyncClient(server.path)
        slow = asyncio.create_task(client.call("slowly", word="late"))
        await asyncio.sleep(0.01)
        assert await client.call("status") == {"version": "x"}
        assert not slow.done()
        assert await slow == "late"

    serving(tmp_path, work)


@pytest.mark.parametrize(("do", "text", "remedy"), [
    ("refuse", "No such subscriber.", "Add it."),
    ("protocol", "an IMSI has at most 15 digits", ""),
    ("slowly", "The argument 'word' is missing.", "Give 'word' in \"args\"."),
    ("nothing", "There is no command 'nothing'.", "The commands are: defect, protocol, refuse, slowly, status."),
])
def test_errors_carry_text_and_remedy(tmp_path: Path, do: str, text: str, remedy: str) -> None:
    async def work(server: ControlServer) -> None:
        with pytest.raises(LocalError) as error:
            await AsyncClient(server.path).call(do)
        assert (error.value.text, error.value.remedy) == (text, remedy)

    serving(tmp_path, work)


def test_a_defect_says_nothing_of_its_inside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def work(server: ControlServer) -> None:
        with pytest.raises(LocalError, match="defect of the program") as error:
            await AsyncClient(server.path).call("defect")
        assert "secret" not in str(error.value)

    serving(tmp_path, work)
    assert "secret detail" in caplog.text


@pytest.mark.parametrize("line", [b"nonsense\n", b"[]\n", b'{"id": 1, "do": "status", "args": 3}\n', b"\xff\n",
                                  b'{"id":1,"do":["x"]}\n'])
def test_bad_lines_are_answered_and_the_connection_lives(tmp_path: Path, line: bytes) -> None:
    async def work(server: ControlServer) -> None:
        reader, writer = await asyncio.open_unix_connection(server.path)
        writer.write(line)
        assert json.loads(await reader.readline())["ok"] is False
        writer.write(b'{"id": 2, "do": "status"}\n')
        assert json.loads(await reader.readline()) == {"id": 2, "ok": True, "result": {"version": "x"}}
        writer.close()

    serving(tmp_path, work)


def test_an_endless_line_ends_the_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "LINE_LIMIT", 1000)

    async def work(server: ControlServer) -> None:
        reader, writer = await asyncio.open_unix_connection(server.path)
        writer.write(b"x" * 5000)
        assert "longer than" in json.loads(await reader.readline())["error"]
        assert await reader.read() == b""

    serving(tmp_path, work)


def test_trace_from_the_beginning_and_live(tmp_path: Path) -> None:
    bus = bus_of(3)

    async def work(server: ControlServer) -> list[Event | int | str]:
        seen: list[Event | int | str] = []
        async for item in AsyncClient(server.path).events():
            seen.append(item)
            if len(seen) == 4:
                bus.done(1790000009.0, "verdict", "mme", "attach", "00101", "ok: attached")
            if len(seen) == 5:
                break
        return seen

    seen = serving(tmp_path, work, bus)
    assert isinstance(seen[0], str)
    assert seen[1:] == list(bus.ring)


def test_a_reader_that_lost_events_is_told_how_many(tmp_path: Path) -> None:
    bus = bus_of(30, capacity=10)

    async def work(server: ControlServer) -> list[Event | int | str]:
        seen: list[Event | int | str] = []
        async for item in AsyncClient(server.path).events(since=5, run=server.run):
            seen.append(item)
            if len(seen) == 12:
                break
        return seen

    seen = serving(tmp_path, work, bus)
    assert seen[1] == 15
    assert [event.id for event in seen[2:] if isinstance(event, Event)] == list(range(21, 31))


def test_ids_of_another_run_are_not_believed(tmp_path: Path) -> None:
    async def work(server: ControlServer) -> Any:
        async for item in AsyncClient(server.path).events(since=900, run="another"):
            if isinstance(item, Event):
                return item.id
        return None

    assert serving(tmp_path, work, bus_of(2)) == 1


def test_newer_takes_a_batch_in_order() -> None:
    bus = bus_of(30, capacity=20)
    assert [event.id for event in control.newer(bus, 0, 5)[1]] == [11, 12, 13, 14, 15]
    assert control.newer(bus, 8, 2) == (2, [bus.ring[0], bus.ring[1]])
    assert control.newer(bus, 27) == (0, [bus.ring[-3], bus.ring[-2], bus.ring[-1]])
    assert control.newer(bus, 30) == (0, [])


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(Away, match="Nobody serves"):
        Client(tmp_path / "none.sock")
    with pytest.raises(Away):
        asyncio.run(AsyncClient(tmp_path / "none.sock").call("status"))


def test_client_without_event_loop(tmp_path: Path) -> None:
    async def work(server: ControlServer) -> None:
        def ask() -> None:
            client = Client(server.path)
            assert client.call("status") == {"version": "x"}
            with pytest.raises(LocalError, match="No such"):
                client.call("refuse")
            client.close()

        await asyncio.to_thread(ask)

    serving(tmp_path, work)


def test_reconnects_after_the_server_came_back(tmp_path: Path) -> None:
    async def main() -> None:
        client = AsyncClient(tmp_path / "core.sock")
        for _ in range(2):
            server = ControlServer(tmp_path / "core.sock", COMMANDS)
            await server.start()
            assert await client.call("status")
            await server.close()
            await asyncio.sleep(0.01)
            with pytest.raises(Away):
                await client.call("status")

    asyncio.run(main())


def test_a_dead_socket_is_replaced_and_a_live_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "core.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    async def work(server: ControlServer) -> None:
        with pytest.raises(LocalError, match="already"):
            await ControlServer(path, COMMANDS).start()

    serving(tmp_path, work)
    assert not path.exists()
