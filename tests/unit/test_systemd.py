# SPDX-License-Identifier: Apache-2.0
"""What systemd hears of the core."""

import asyncio
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from dialtone import systemd


@pytest.fixture
def ear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listening.bind(str(tmp_path / "notify"))
    listening.settimeout(5)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    return listening


def test_systemd_hears_that_we_are_ready(ear: socket.socket) -> None:
    systemd.ready()
    assert ear.recv(100) == b"READY=1"


def test_signs_of_life_come_twice_in_an_interval(ear: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "20000")

    async def a_while() -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(systemd.watchdog(), 0.2)

    asyncio.run(a_while())
    ear.setblocking(False)
    heard = []
    with suppress(BlockingIOError):
        while True:
            heard.append(ear.recv(100))
    assert set(heard) == {b"WATCHDOG=1"}
    assert len(heard) >= 5


def test_where_nobody_listens_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    systemd.ready()
    asyncio.run(systemd.watchdog())
