# SPDX-License-Identifier: Apache-2.0
"""The live stream with readers of every kind: fast, slow, gone, too many, and those that never read."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from api_server import StandIn, serving, token_of

from dialtone.api import __main__ as process
from dialtone.api import feed
from dialtone.lab.client import Client
from dialtone.trace.bus import Event

RING = 300


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[StandIn, str]]:
    monkeypatch.setattr(process, "UNREAD_SECONDS", 2.0)
    monkeypatch.setattr(feed, "READERS", 5)
    monkeypatch.setattr(feed, "CAPACITY", RING)
    with serving(tmp_path) as (stand_in, url):
        for _ in range(500):
            if stand_in.box.feed.ring:
                break
            time.sleep(0.02)
        yield stand_in, url


def busy(stand_in: StandIn, count: int, size: int = 0) -> int:
    """The network says `count` things; returns the last id."""
    newest = stand_in.bus.ring[-1].id
    for number in range(newest + 1, newest + 1 + count):
        stand_in.bus._put(Event(number, 1.0, "rx", "S11", "mme", "pgw", "x" * (size or 20)))
    return newest + count


def arrived(stand_in: StandIn, number: int) -> None:
    for _ in range(1000):
        if stand_in.box.feed.ring[-1].id == number:
            return
        time.sleep(0.01)
    raise AssertionError(f"event {number} never came")


def connect(url: str, query: str = "", last: str = "", receive: int = 0) -> socket.socket:
    """A reader that has asked, and has read nothing yet; `receive` makes its buffer small."""
    base, token = token_of(url)
    where = urlsplit(base)
    sock = socket.socket()
    if receive:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    sock.settimeout(10)
    sock.connect((where.hostname, where.port))
    extra = f"Last-Event-ID: {last}\r\n" if last else ""
    sock.sendall(f"GET /api/v1/trace/stream?{query} HTTP/1.1\r\nHost: {where.netloc}\r\n{extra}"
                 f"Authorization: {token['Authorization']}\r\n\r\n".encode())
    return sock


def read(sock: socket.socket) -> Iterator[tuple[str, dict[str, int]]]:
    """Its events, as (kind, data)."""
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    kind = ""
    while line := answer.readline().decode():
        name, _, value = line.rstrip("\n").partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, json.loads(value)


def test_who_comes_back_too_late_is_told_how_much_is_lost(server: tuple[StandIn, str]) -> None:
    stand_in, url = server
    first = stand_in.bus.ring[-1].id
    arrived(stand_in, busy(stand_in, 2 * RING))
    with connect(url, last=f"{stand_in.box.feed.run}-{first}") as sock:
        events = read(sock)
        assert next(events) == ("gap", {"lost": RING})
        kind, event = next(events)
        assert (kind, event["id"]) == ("trace", first + RING + 1)
        assert [next(events)[1]["id"] for _ in range(RING - 1)] == list(range(first + RING + 2, first + 2 * RING + 1))


def test_a_reader_that_never_reads_delays_nobody_and_is_cut_off(server: tuple[StandIn, str]) -> None:
    stand_in, url = server
    newest = stand_in.bus.ring[-1].id
    with connect(url, receive=2048) as deaf, connect(url, f"since={newest}") as fast:
        events = read(fast)
        for _ in range(60):  # four megabytes: more than every buffer on the way
            begun = time.monotonic()
            last = busy(stand_in, RING // 5, size=1200)
            while next(events)[1]["id"] < last:
                pass
            assert time.monotonic() - begun < 2
        assert len(stand_in.box.feed.ring) == RING, "what the deaf one has not taken is kept by nobody"
        for _ in range(400):
            if stand_in.box.feed.readers == 1:
                break
            time.sleep(0.05)
        assert stand_in.box.feed.readers == 1, "the kernel has ended the connection of the deaf one"
        deaf.close()


def test_a_slow_reader_gets_a_gap_in_mid_stream(server: tuple[StandIn, str]) -> None:
    stand_in, url = server
    with connect(url, f"since={stand_in.bus.ring[-1].id}", receive=2048) as sock:
        events = read(sock)
        arrived(stand_in, busy(stand_in, 1))
        assert next(events)[0] == "trace"
        for _ in range(12):
            last = busy(stand_in, RING, size=4000)
            arrived(stand_in, last)
        seen = []
        for kind, data in events:
            seen.append((kind, data))
            if data.get("id") == last:
                break
        assert "gap" in [kind for kind, _ in seen]
        at = next(place for place, (kind, _) in enumerate(seen) if kind == "gap")
        assert seen[at - 1][1]["id"] + seen[at][1]["lost"] + 1 == seen[at + 1][1]["id"]


def test_too_many_readers_are_refused_and_places_become_free(server: tuple[StandIn, str]) -> None:
    stand_in, url = server
    socks = [connect(url) for _ in range(5)]
    for _ in range(200):
        if stand_in.box.feed.readers == 5:
            break
        time.sleep(0.02)
    with pytest.raises(Exception, match="5 readers follow the trace already"):
        next(Client(url).stream())
    for sock in socks:
        sock.close()
    for _ in range(400):
        if stand_in.box.feed.readers == 0:
            break
        busy(stand_in, 1)
        time.sleep(0.02)
    assert next(Client(url).stream())[0] == "trace"


@pytest.mark.parametrize("header", ["", "x", "-1", "run-", "run-1e3", "run-\u0663", "\xff"])
def test_headers_that_name_no_event(server: tuple[StandIn, str], header: str) -> None:
    with connect(server[1], last=header.replace("run", server[0].box.feed.run).encode().decode("latin-1")) as sock:
        assert next(read(sock))[1]["id"] == 1
