# SPDX-License-Identifier: Apache-2.0
"""The ladder in a terminal and as a picture, two runs compared, replay: from the command line down."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from trace_samples import ATTACH_REQUEST, IMSI, sample

from dialtone.cli import main
from dialtone.errors import LocalError
from dialtone.trace import diff, picture, record
from dialtone.trace.bus import Event
from dialtone.trace.ladder import text_ladder
from dialtone.trace.terminal import Clock, Filter, Terminal


def drawn(events: list[Event], which: Filter = Filter(), clock: Clock = Clock.NONE, colour: bool = False) -> list[str]:
    terminal = Terminal(which, clock, colour)
    return [line for event in events for line in terminal.draw(event)]


def test_columns_come_with_their_first_message() -> None:
    lines = drawn(sample())
    heads = [line for line in lines if "MME" in line.split()]
    assert heads == ["enb1    MME", "UE      enb1    MME", "UE      enb1    MME     HSS",
                     "UE      enb1    MME     S/P-GW  HSS"]
    assert lines[-1].endswith("attach ok: attached in 214 ms  …0001")


def test_what_is_expected_has_its_column_from_the_beginning() -> None:
    terminal = Terminal(Filter(imsi=IMSI), Clock.NONE)
    terminal.expect(sample())
    lines = [line for event in sample() for line in terminal.draw(event)]
    mine = [event for event in sample() if event.subject in (IMSI, "mme-ue-1")]
    assert "\n".join(lines) + "\n" == text_ladder(mine)


@pytest.mark.parametrize(("which", "count"), [
    ({"imsi": IMSI}, 5),  # from when it has said who it is
    ({"point": "NAS"}, 4), ({"element": "hss"}, 1), ({"element": "UE"}, 4), ({"element": "enb1"}, 2),
    ({"text": "authentication"}, 2), ({"text": "0002"}, 1), ({"point": "NAS", "text": "attach"}, 2),
    ({"element": "nobody"}, 0)])
def test_filters(which: dict[str, str], count: int) -> None:
    assert len([line for line in drawn(sample(), Filter(**which)) if "MME" not in line.split()]) == count


@pytest.mark.parametrize(("clock", "times"), [
    (Clock.RELATIVE, ["+0.000", "+1.000", "+1.001"]), (Clock.DELTA, ["+0.000", "+1.000", "+0.001"]),
    (Clock.ABSOLUTE, ["1790000000.250", "1790000001.250", "1790000001.251"])])
def test_times(clock: Clock, times: list[str]) -> None:
    lines = [line.split()[0] for line in drawn(sample(), clock=clock) if "MME" not in line.split()]
    assert lines[:3] == times


def test_colours_only_where_they_are_seen() -> None:
    assert not any("\x1b" in line for line in drawn(sample()))
    coloured = drawn(sample(), colour=True)
    assert all(line.startswith("\x1b[") and line.endswith("\x1b[0m") for line in coloured)
    bad = sample()[1]._replace(name="undecodable")
    assert drawn([bad], colour=True)[1].startswith("\x1b[31m")


# ---- comparison ------------------------------------------------------------------------------------

def test_two_runs() -> None:
    first, second = sample(), [event for event in sample() if event.point != "S11"]
    second[2] = second[2]._replace(data=ATTACH_REQUEST[:-1] + b"\x12")
    lines = list(diff.ladders(first, second))
    assert [(line.mark, line.text.split()[-2:]) for line in lines if line.mark != " "] == [("-", ["Echo", "Request"])]
    changed = [diff.fields(line, lambda event: event.data.hex()) for line in lines]
    assert [found for found in changed if found] == [[f"-{ATTACH_REQUEST.hex()}", f"+{ATTACH_REQUEST[:-1].hex()}12"]]


# ---- the command line ------------------------------------------------------------------------------

@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    record.write(tmp_path / "a.gz", sample())
    record.write(tmp_path / "b.gz", [event for event in sample() if event.point != "S6a"])
    return tmp_path


def run(*words: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, ["trace", *words], input=text)


def test_replay(folder: Path) -> None:
    lines = run("replay", "a.gz", "--speed", "1000", "--imsi", IMSI).output.splitlines()
    assert lines[0].split() == ["UE", "enb1", "MME", "HSS"]
    assert lines[1].endswith("S1-MME  InitialUEMessage")
    assert len(lines) == 8
    stepped = run("replay", "a.gz", "--step", "--time", "none", text="\n" * 20).stdout
    assert "S6a     Authentication-Information Request" in stepped


def test_compare(folder: Path) -> None:
    found = run("diff", "a.gz", "b.gz")
    assert found.exit_code == 1
    assert [line[0] for line in found.output.splitlines()] == [" ", "-"]
    same = run("diff", "a.gz", "a.gz")
    assert (same.exit_code, same.output) == (0, "The same messages in the same order.\n")
    assert "Attach request" in run("diff", "a.gz", "b.gz", "--all", "--fields").output


def test_pictures(folder: Path) -> None:
    said = run("replay", "a.gz", "--svg", "a.svg", "--png", "a.png", "--point", "NAS").output
    assert said == "The ladder is in a.svg.\n4 rows of the ladder are in a.png.\n"
    assert (folder / "a.svg").read_text().count('class="row ') == 4
    assert (folder / "a.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_picture_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(LocalError, match="matplotlib is not installed"):
        picture.png(tmp_path / "a.png", sample())


def test_a_recording_stops_at_its_size(tmp_path: Path) -> None:
    first = sample()[0]
    many = (first._replace(id=number, data=number.to_bytes(4) * 50) for number in range(10**6))
    assert 0 < record.write(tmp_path / "a.gz", many, 200_000) < 10**6
    assert (tmp_path / "a.gz").stat().st_size < 300_000
    assert record.read(tmp_path / "a.gz")
