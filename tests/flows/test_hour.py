# SPDX-License-Identifier: Apache-2.0
"""An hour of three phones, exported: Wireshark reads as many messages of each protocol as the trace has."""

import os
import subprocess
from collections import Counter
from pathlib import Path

import hour
import pytest

from dialtone.trace import pcapng
from dialtone.trace.bus import Event
from dialtone.trace.capture import load
from dialtone.trace.diagnose import diagnose
from dialtone.trace.ladder import text_ladder
from dialtone.trace.names import about

PROTOCOLS = {"gsm_a_dtap": "gsm_a.dtap"}  # where a dissector's name is not that of its fields


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    return hour.trace(hour.play(tmp_path_factory.mktemp("hour")))


@pytest.fixture(scope="module")
def capture(events: list[Event], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("capture") / "hour.pcapng"
    pcapng.write(path, events)
    return path


def test_the_imported_file_gives_the_same_ladder_back(events: list[Event], capture: Path) -> None:
    found = load(capture)
    assert not found.remarks
    assert text_ladder(found.events) == text_ladder(events)
    kept = ("id", "time", "point", "name", "procedure", "state", "data", "info")
    for one, other in zip(events, found.events, strict=True):
        assert [getattr(one, field) for field in kept] == [getattr(other, field) for field in kept]
        assert one.plain in (other.plain, other.data)  # what is the same in plain is there once
    assert diagnose(found.events) == diagnose(about(events))


def tshark(path: Path, *names: str) -> list[list[str]]:
    """Fields of each frame, read without preferences of any user."""
    options = [word for name in names for word in ("-e", name)]
    clean = {**os.environ, "HOME": str(path.parent), "XDG_CONFIG_HOME": str(path.parent)}
    run = subprocess.run(["tshark", "-r", str(path), "-N", "n", "-T", "fields", *options], capture_output=True,
                         text=True, check=True, env=clean)
    return [line.split("\t") for line in run.stdout.splitlines()]


def test_the_hour_has_all_there_is(events: list[Event]) -> None:
    points = Counter(event.point for event in events if event.kind != "done")
    assert set(points) == {"S1-MME", "NAS", "S11", "S6a", "Cx", "Rx", "Gm", "Mw", "ISC", "SMS", "SGd"}
    names = Counter(event.name for event in events)
    for name in ("Attach complete", "Paging", "Service request", "Tracking area update accept", "INVITE", "BYE",
                 "MESSAGE", "CP-DATA", "AA Request", "Detach accept"):
        assert names[name], name
    assert sum(event.info.startswith("ok: ") and event.name == "IMS registration" for event in events) > 4
    assert events[-1].time - events[0].time > 0.98 * hour.HOUR


def test_tshark_counts_what_we_count(events: list[Event], capture: Path) -> None:
    ours: Counter[tuple[str, str]] = Counter()
    for event in events:
        if event.kind == "done":
            ours["", "systemd_journal"] += 1
            continue
        protocol = pcapng.DISSECTORS[event.point]
        ours[event.point, PROTOCOLS.get(protocol, protocol)] += 1
        if event.plain and event.plain != event.data:
            ours[pcapng.PLAIN, protocol] += 1
    frames = tshark(capture, "frame.interface_name", "frame.protocols")
    theirs = Counter((point, protocols.removeprefix("exported_pdu:").partition(":")[0]) for point, protocols in frames)
    assert theirs == ours


def test_no_frame_is_malformed(capture: Path) -> None:
    """But for the answers of SGd: Wireshark takes the report in them for the text of the request (4.0)."""
    rows = tshark(capture, "frame.number", "_ws.malformed", "diameter.cmd.code", "diameter.flags.request")
    assert len(rows) > 500
    assert {tuple(row[2:]) for row in rows if row[1]} <= {("8388645", "0"), ("8388646", "0")}


def test_the_columns_have_names(events: list[Event], capture: Path) -> None:
    known = {f"ue-{imsi}" for imsi in (hour.ONE, hour.TWO, hour.THREE)} | hour.CORE | {"enb1"}
    rows = [row for row in tshark(capture, "_ws.col.Source", "_ws.col.Destination", "frame.interface_name") if row[2]]
    assert {row[0] for row in rows} | {row[1] for row in rows} == known - {"answer"}
    gm = [row for row in rows if row[2] == "Gm"]
    assert all("pcscf" in row and any(end.startswith("ue-") for end in row) for row in gm)
    assert len({end for row in gm for end in row if end.startswith("ue-")}) == 2
    entries = tshark(capture, "systemd_journal.hostname", "systemd_journal.syslog_id", "systemd_journal.message")
    journal = [row[2] for row in entries if row[1] == "verdict"]
    assert any(text.startswith("attach ok: registered") for text in journal)
    assert len(journal) == sum(event.point == "verdict" for event in events)
