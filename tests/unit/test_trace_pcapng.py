# SPDX-License-Identifier: Apache-2.0
"""The export, as tshark reads it."""

import os
import subprocess
from pathlib import Path

import pytest
from trace_samples import IMSI, START, sample

from dialtone.trace import pcapng


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    pcapng.write(tmp_path / "a.pcapng", sample())
    return tmp_path / "a.pcapng"


def tshark(path: Path, *arguments: str) -> list[list[str]]:
    # No profile of the user: the file must read well without preferences.
    run = subprocess.run(["tshark", "-r", str(path), *arguments], capture_output=True, text=True, check=True,
                         env={**os.environ, "HOME": str(path.parent), "XDG_CONFIG_HOME": str(path.parent)})
    return [line.split("\t") for line in run.stdout.splitlines()]


def fields(path: Path, *names: str) -> list[list[str]]:
    return tshark(path, "-T", "fields", *(word for name in names for word in ("-e", name)))


def test_every_frame_is_decoded_and_none_malformed(capture: Path) -> None:
    frames = fields(capture, "frame.interface_name", "frame.protocols", "_ws.malformed")
    journal = ("", "systemd_journal")
    assert [(point, protocols.removeprefix("exported_pdu:").split(":")[0]) for point, protocols, *_ in frames] == [
        ("S1-MME", "s1ap"), ("S1-MME", "s1ap"), ("NAS", "nas-eps"), journal, journal, ("S6a", "diameter"),
        ("NAS", "nas-eps"), ("S11", "gtpv2"), ("NAS", "nas-eps"), ("NAS plain", "nas-eps"), ("NAS", "nas-eps"), journal]
    assert not [frame for frame in frames if frame[2]]


def test_names_times_and_comments(capture: Path) -> None:
    resolved = tshark(capture, "-N", "n", "-T", "fields", "-e", "_ws.col.Source", "-e", "_ws.col.Destination")
    assert resolved[0] == ["enb1", "mme"]
    assert resolved[2] == [f"ue-{IMSI}", "mme"]
    assert resolved[5] == ["mme", "hss"]
    first = fields(capture, "frame.time_epoch", "frame.comment")
    assert float(first[0][0]) == pytest.approx(START, abs=1e-6)
    assert first[2][1].startswith(f"imsi={IMSI} procedure=attach")


def test_what_is_no_message_stands_between_them(capture: Path) -> None:
    rows = fields(capture, "frame.time_epoch", "systemd_journal.hostname", "systemd_journal.message")
    assert rows[4][1:] == ["mme", "EMM EMM-DEREGISTERED -> EMM-COMMON"]
    assert rows[-1][1:] == ["mme", "attach ok: attached in 214 ms"]
    assert float(rows[-1][0]) == pytest.approx(START + 1.2, abs=1e-6)


def test_an_empty_trace_is_a_file_too(tmp_path: Path) -> None:
    pcapng.write(tmp_path / "none.pcapng", [])
    assert tshark(tmp_path / "none.pcapng") == []


def test_a_name_resolution_block_needs_no_address_twice() -> None:
    writer = pcapng.Writer()
    first = [writer.packets(event) for event in sample()]
    again = [writer.packets(event) for event in sample()]
    assert sum(map(len, again)) < sum(map(len, first))
