# SPDX-License-Identifier: Apache-2.0
"""The control socket: JSON lines over a unix stream socket, for the core and for the simulated phones.

    -> {"id": 7, "do": "subscribers.get", "args": {"imsi": "001010000000001"}}
    <- {"id": 7, "ok": true, "result": {...}}        or {"id": 7, "ok": false, "error": ..., "remedy": ...}
    -> {"id": 8, "do": "trace", "args": {"since": 0}}
    <- {"id": 8, "ok": true, "result": {"run": "4f2a...", "newest": 812}}
    <- {"event": [1, 1790000000.1, "rx", "S1-MME", ...]} ... {"gap": 20} when that many were lost

The ring of the bus is the backlog of every reader: an event is encoded when a reader takes it, a
batch at a time, never on the path of the signalling; who reads too slowly is told what he missed.
"""

import asyncio
import contextlib
import inspect
import itertools
import json
import logging
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from dialtone.errors import DialtoneError, LocalError
from dialtone.trace.bus import Bus, Event
from dialtone.trace.record import event_of, fields_of

log = logging.getLogger("dialtone.control")

LINE_LIMIT = 8 * 1024 * 1024  # octets of one line: a subscriber import of a large site fits
AT_ONCE = 32  # unanswered requests of one connection
BATCH = 200  # events encoded in one go: about a millisecond
FLUSH_SECONDS = 0.05
WRITE_BUFFER = 1024 * 1024  # octets a reader may leave unread before it gets no more events


class Args(dict[str, Any]):
    """The arguments of a command; a missing one is the caller's mistake, and said so."""

    def __missing__(self, key: str) -> Any:
        raise LocalError(f"The argument {key!r} is missing.", remedy=f"Give {key!r} in \"args\".")


Command = Callable[[Args], Any]
"""Takes the arguments; returns something JSON can say, or an awaitable of it. Raises DialtoneError."""


class Away(LocalError):
    """Nobody serves the socket."""


class Defect(LocalError):
    """The other end has a defect: it is neither the caller's fault nor to be mended by him."""


def event_line(event: Event) -> bytes:
    """One event as a line of the control protocol."""
    return json.dumps({"event": fields_of(event)}, separators=(",", ":")).encode() + b"\n"


class ControlServer:
    """Serves `commands` at `path`; with a `bus`, `trace` subscribes to its events."""

    def __init__(self, path: Path | str, commands: Mapping[str, Command], bus: Bus | None = None) -> None:
        self.path = Path(path)
        self.commands = commands
        self.bus = bus
        self.run = os.urandom(8).hex()  # event ids count from 1 in each run of the process
        self._server: asyncio.AbstractServer | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; raises LocalError where another process serves the socket already."""
        _clear_stale(self.path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._server = await asyncio.start_unix_server(self._connected, self.path, limit=LINE_LIMIT)
        self.path.chmod(0o660)

    async def close(self) -> None:
        """Stop listening, drop every connection and take the socket file away."""
        if self._server is not None:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self.path.unlink(missing_ok=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await _Connection(self, reader, writer).serve()
        except (ConnectionError, asyncio.CancelledError):
            pass  # who went away needs no answer
        finally:
            self._connections.discard(task)
            writer.close()


class _Connection:
    """One client: its requests run side by side, answers come as they are ready."""

    def __init__(self, server: ControlServer, reader: asyncio.StreamReader,
                 writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.tasks: set[asyncio.Task[None]] = set()
        self.flusher: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        try:
            while line := await self._line():
                if len(self.tasks) >= AT_ONCE:
                    await asyncio.wait(self.tasks, return_when=asyncio.FIRST_COMPLETED)
                task = asyncio.create_task(self._request(line))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
        finally:
            for task in (*self.tasks, *([self.flusher] if self.flusher else [])):
                task.cancel()

    async def _line(self) -> bytes:
        try:
            return await self.reader.readline()
        except ValueError:  # longer than LINE_LIMIT: where the next line begins is unknown
            await self._say({"id": None, **_failed(f"The line is longer than {LINE_LIMIT} octets.")})
            return b""

    async def _say(self, answer: dict[str, Any]) -> None:
        self.writer.write(json.dumps(answer, separators=(",", ":"), default=str).encode() + b"\n")
        await self.writer.drain()

    async def _request(self, line: bytes) -> None:
        number: Any = None
        try:
            request = json.loads(line)
            if not isinstance(request, dict) or not isinstance(request.get("args", {}), dict):
                raise LocalError("A request is an object with id, do and args.")
            number = request.get("id")
            answer = {"ok": True, "result": await self._result(request)}
        except ValueError:
            answer = _failed("The line is no JSON.", 'Send {"id": 1, "do": "status", "args": {}}.')
        except LocalError as error:
            answer = _failed(error.text, error.remedy)
        except DialtoneError as error:
            answer = _failed(str(error))
        except ConnectionError:
            return
        except Exception:
            log.exception("defect in the command of %.200r", line)
            answer = _failed("A defect of the program stopped this command.", "Its log says more.") | {"defect": True}
        with contextlib.suppress(ConnectionError):
            await self._say({"id": number, **answer})

    async def _result(self, request: dict[str, Any]) -> Any:
        do, args = request.get("do"), Args(request.get("args", {}))
        if do == "trace" and self.server.bus is not None:
            return self._subscribe(self.server.bus, args)
        command = self.server.commands.get(do) if isinstance(do, str) else None
        if command is None:
            known = ", ".join(sorted(self.server.commands))
            raise LocalError(f"There is no command {do!r}.", remedy=f"The commands are: {known}.")
        result = command(args)
        return await result if inspect.isawaitable(result) else result

    def _subscribe(self, bus: Bus, args: Args) -> dict[str, Any]:
        since = args.get("since", 0)
        if not isinstance(since, int):
            raise LocalError("'since' is the id of the last event you have.", remedy="0 asks for all.")
        if self.flusher is not None:
            self.flusher.cancel()
        other = args.get("run", self.server.run) != self.server.run
        self.flusher = asyncio.create_task(self._flush(bus, 0 if other else since))
        return {"run": self.server.run, "newest": bus.ring[-1].id if bus.ring else 0}

    async def _flush(self, bus: Bus, last: int) -> None:
        """Send what is newer than event `last`, batch by batch, for as long as the client stays."""
        with contextlib.suppress(ConnectionError):
            while True:
                await asyncio.sleep(FLUSH_SECONDS)
                if self.writer.transport.get_write_buffer_size() > WRITE_BUFFER:
                    continue
                lost, events = newer(bus, last)
                if lost:
                    self.writer.write(b'{"gap":%d}\n' % lost)
                if events:
                    last = events[-1].id
                    self.writer.write(b"".join(map(event_line, events)))


def newer(bus: Bus, last: int, limit: int = BATCH) -> tuple[int, list[Event]]:
    """The first `limit` events after event `last` in the ring, and how many the ring has lost of them."""
    ring = bus.ring
    if not ring or ring[-1].id <= last:
        return 0, []
    lost = max(0, ring[0].id - last - 1) if last else 0
    behind = min(len(ring), ring[-1].id - last)
    return lost, [ring[i] for i in range(-behind, min(0, limit - behind))]


def _failed(error: str, remedy: str = "") -> dict[str, Any]:
    return {"ok": False, "error": error, "remedy": remedy}


def _clear_stale(path: Path) -> None:
    """Take away the socket of a process that died; refuse to take that of one that lives."""
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise LocalError(f"{path} is not a socket.", remedy="Move it away.")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink()
            return
    raise LocalError(f"Another process serves {path} already.", remedy="Stop it first.")


def result_of(answer: dict[str, Any]) -> Any:
    """The result in an answer; raises LocalError with the text and remedy of a failed one."""
    if answer.get("ok"):
        return answer.get("result")
    error = Defect if answer.get("defect") else LocalError
    raise error(answer.get("error", "failed"), remedy=answer.get("remedy", ""))


def _away(path: Path) -> Away:
    return Away(f"Nobody serves {path}.", remedy="Start it: ./build.sh demo, or dialtone core.")


class Client:
    """A client for programs without an event loop: `Client(path).call("status")`."""

    def __init__(self, path: Path | str, timeout: float = 30.0) -> None:
        self.path = Path(path)
        self._numbers = itertools.count(1)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise _away(self.path) from None
        self._file = self._socket.makefile("rb")

    def call(self, do: str, **args: Any) -> Any:
        """Run a command and return its result; raises LocalError, Away when the other end is gone."""
        number = next(self._numbers)
        try:
            self._socket.sendall(json.dumps({"id": number, "do": do, "args": args}).encode() + b"\n")
            while True:
                answer = self._read()
                if answer.get("id") == number:
                    return result_of(answer)
        except OSError:
            raise _away(self.path) from None

    def _read(self) -> dict[str, Any]:
        line = self._file.readline()
        if not line:
            raise _away(self.path)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()


class AsyncClient:
    """A client that connects when it is needed, and again after the other end came back."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()

    async def call(self, do: str, timeout: float = 30.0, /, **args: Any) -> Any:
        """Run a command and return its result; raises LocalError, Away when nobody is there."""
        writer = await self._connected()
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            writer.write(json.dumps({"id": number, "do": do, "args": args}).encode() + b"\n")
            await writer.drain()
            return result_of(await asyncio.wait_for(answer, timeout))
        except (ConnectionError, TimeoutError):
            raise _away(self.path) from None
        finally:
            self._waiting.pop(number, None)

    async def _connected(self) -> asyncio.StreamWriter:
        async with self._connecting:
            if self._writer is None:
                reader, self._writer = await _open(self.path)
                self._reading = asyncio.create_task(self._read(reader))
            return self._writer

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError, ValueError):
            while line := await reader.readline():
                answer = json.loads(line)
                waiting = self._waiting.get(answer.get("id"))
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)
        await self.close()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionResetError())

    async def events(self, since: int = 0, run: str = "") -> AsyncIterator[Event | int | str]:
        """The trace on a connection of its own: first the token of the run (a str; a new one means that
        ids start again), then events, and an int for a gap of so many. Raises Away at its end."""
        reader, writer = await _open(self.path)
        try:
            args = {"since": since, **({"run": run} if run else {})}
            writer.write(json.dumps({"id": 0, "do": "trace", "args": args}).encode() + b"\n")
            while line := await reader.readline():
                message = json.loads(line)
                if "event" in message:
                    yield event_of(message["event"])
                elif "gap" in message:
                    yield int(message["gap"])
                else:
                    yield str(result_of(message)["run"])
        except (ConnectionError, ValueError):
            pass
        finally:
            writer.close()
        raise _away(self.path)

    async def close(self) -> None:
        """Hang up; the next call connects again."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()


async def _open(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        return await asyncio.open_unix_connection(path, limit=LINE_LIMIT)
    except OSError:
        raise _away(path) from None
