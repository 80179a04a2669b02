# SPDX-License-Identifier: Apache-2.0
"""Every notebook over the real API: HTTP, control protocol and feed, with a network in one process behind them."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from notebook_runs import NOTEBOOKS, run

from dialtone.api.__main__ import LOCAL_HOSTS, listen_unix
from dialtone.api.app import create_app
from dialtone.control import Args, ControlServer
from dialtone.lab import client, connect
from dialtone.lab.sandbox import Sandbox
from dialtone.trace.bus import Bus


def served(box: Sandbox, name: str) -> Callable[[Args], Awaitable[Any]]:
    """A command of the network, as its process would serve it."""
    def call(args: Args) -> Any:
        try:
            return box._do(box._command, name, Args(args), True)
        finally:
            box._tell()

    async def command(args: Args) -> Any:
        return await asyncio.to_thread(call, args)

    return command


async def serve(folder: Path, stop: threading.Event, ready: threading.Event) -> None:
    box, bus = Sandbox(seed=1), Bus()
    for event in box.events:
        bus._put(event)
    box._told = box._count
    box.followers.append(lambda events: [bus._put(event) for event in events])  # type: ignore[func-returns-value, arg-type, return-value]
    table = {name: served(box, name) for name in box._table}
    core, sim = ControlServer(folder / "core.sock", table, bus), ControlServer(folder / "sim.sock", table)
    await core.start()
    await sim.start()
    server = uvicorn.Server(uvicorn.Config(create_app(folder, LOCAL_HOSTS), log_config=None, access_log=False,
                                           log_level="warning", timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve(sockets=[listen_unix(folder / "api.sock")]))
    while not server.started:
        await asyncio.sleep(0.02)
    ready.set()
    while not stop.is_set():
        await asyncio.sleep(0.05)
    server.should_exit = True
    await task
    await core.close()
    await sim.close()
    box.close()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, stop, ready = tmp_path_factory.mktemp("api"), threading.Event(), threading.Event()
    thread = threading.Thread(target=asyncio.run, args=(serve(folder, stop, ready),), daemon=True)
    thread.start()
    assert ready.wait(30)
    yield f"unix:{folder / 'api.sock'}"
    stop.set()
    thread.join(20)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_over_the_api(path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the phones as the notebook before has left them."""
    monkeypatch.setattr(client.time, "sleep", lambda seconds, sleep=client.time.sleep: sleep(min(seconds, 0.3)))
    monkeypatch.setenv("DIALTONE_URL", url)
    names = run(path, connect)
    assert names["lab"].source.url == url
