# SPDX-License-Identifier: Apache-2.0
"""A system-call trace of the core: a sequence number is on the disk before a vector made with it goes to the air."""

import re
import time
from pathlib import Path

from dialtone.hss.sqn import AHEAD
from tests.bench.network import Network

CALLS = "fsync,fdatasync,pwrite64,sendto,recvfrom"
ENDED = re.compile(r"(?P<name>(?!sendto)\w+)\((?P<arguments>.*)\) += \d")


def shown(octets: bytes) -> str:
    """As `strace -xx` prints strings and the names of files."""
    return "".join(f"\\x{octet:02x}" for octet in octets)


WAL = shown(b"dialtone.db-wal") + ">"


def read(path: Path) -> list[tuple[str, str]]:
    """The calls as (name, arguments): sends in the order in which they begin, the others in which they end well."""
    calls, open_calls = [], {}
    for line in path.read_text().splitlines():
        pid, rest = line.split(maxsplit=1)
        if rest.startswith("sendto("):
            calls.append(("sendto", rest))
        elif rest.endswith("<unfinished ...>"):
            open_calls[pid] = rest.removesuffix("<unfinished ...>")
        elif resumed := re.match(r"<\.\.\. (?!sendto)\w+ resumed>(.*)", rest):
            rest = open_calls.pop(pid) + resumed[1]
        if call := ENDED.match(rest):
            calls.append((call["name"], call["arguments"]))
    return calls


def test_the_reservation_is_synced_before_the_challenge_leaves(tmp_path: Path) -> None:
    log = tmp_path / "calls"
    tracer = ("strace", "-D", "-f", "-y", "-xx", "-s", "4096", "-e", f"trace={CALLS}", "-o", str(log))
    with Network(1, tmp_path, tracer) as network:
        phone = network.phones[0]
        for _ in range(AHEAD + 1):
            network.attach(phone)
            network.detach(phone)
    deadline = time.monotonic() + 10
    while not re.search(rf"^{network.core.pid} +\+\+\+ exited", log.read_text(), re.MULTILINE):  # the tracer is late
        assert time.monotonic() < deadline, "the tracer did not see the core's end"
        time.sleep(0.02)
    what = {}
    for event in network.loop.bus.ring:
        if event.point == "NAS" and event.name in ("Attach request", "Authentication request"):
            what[shown(event.data)] = event.name
    story = []
    for name, arguments in read(log):
        if WAL in arguments:
            story.append("sync" if name.endswith("sync") else name)
        elif name in ("sendto", "recvfrom"):
            story += [message for octets, message in what.items() if octets in arguments]
    story = story[story.index("Attach request"):]  # what came before was the start of the core
    challenges = [number for number, step in enumerate(story) if step == "Authentication request"]
    assert len(challenges) == AHEAD + 1
    first = story[: challenges[0] + 1]
    assert first[:2] == ["Attach request", "pwrite64"], first
    assert first[-2:] == ["sync", "Authentication request"], first
    # One reservation covers AHEAD sequence numbers; the next one is synced before it is used, too.
    # (What else is saved of an attach, who serves the phone, comes after the challenge.)
    last = story[challenges[AHEAD - 1] + 1 : challenges[AHEAD] + 1]
    last = last[last.index("Attach request"):]
    assert last[-2:] == ["sync", "Authentication request"], last
    assert "pwrite64" in last
