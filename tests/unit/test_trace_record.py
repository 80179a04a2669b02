# SPDX-License-Identifier: Apache-2.0
"""Recordings: written, read, damaged, replayed; names filled in afterwards."""

import gzip
import json
from pathlib import Path

import pytest
from trace_samples import IMSI, sample

from dialtone.errors import LocalError
from dialtone.trace import record
from dialtone.trace.names import Identities, about, role


def test_a_recording_gives_back_the_events(tmp_path: Path) -> None:
    events = sample()
    assert record.write(tmp_path / "a.gz", events, title="attach") == len(events)
    assert record.read(tmp_path / "a.gz") == events


def test_the_same_events_make_the_same_file(tmp_path: Path) -> None:
    record.write(tmp_path / "a.gz", sample())
    record.write(tmp_path / "b.gz", sample())
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


@pytest.mark.parametrize("damage", [
    lambda data: data[: len(data) // 2],
    lambda data: b"",
    lambda data: b"not gzip",
    lambda data: gzip.compress(b'{"pcap": 1}\n'),
    lambda data: gzip.compress(b'{"dialtone": "trace", "version": 1}\n[1, 2, 3]\n'),
    lambda data: gzip.compress(b'{"dialtone": "trace", "version": 1}\n' + json.dumps([1, 2.0] + ["x"] * 11).encode()),
    lambda data: gzip.compress(b'{"dialtone": "trace", "version": 99}\n'),
])
def test_a_damaged_file_is_refused_with_a_remedy(tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "a.gz"
    record.write(path, sample())
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(LocalError) as error:
        record.read(path)
    assert error.value.remedy


def test_replay_keeps_the_rhythm_at_any_speed() -> None:
    events, waits = sample(), []
    assert list(record.replay(events, 10, waits.append)) == events
    assert sum(waits) == pytest.approx((events[-1].time - events[0].time) / 10)
    waits.clear()
    assert list(record.replay(events, record.AT_ONCE, waits.append)) == events
    assert waits == []


def test_labels_become_the_imsi_backwards_too() -> None:
    events = about(sample(), IMSI)
    assert [event.name for event in events[:2]] == ["InitialUEMessage", "Attach request"]
    assert {event.subject for event in events} == {IMSI}
    assert len(about(sample(), IMSI, "S6a")) == 1
    assert len(about(sample())) == len(sample())
    assert Identities(sample()).known() == {"mme-ue-1": IMSI, "mme-ue-2": "001010000000002"}


@pytest.mark.parametrize(("point", "name", "expected"), [
    ("NAS", "ue-7", "UE"), ("NAS", "mme", "MME"), ("S1-MME", "10.0.1.9", "eNB"), ("S11", "pgw", "S/P-GW"),
    ("S6a", "hss.foreign.example", "HSS"), ("X2", "who", "who"),
])
def test_roles(point: str, name: str, expected: str) -> None:
    assert role(point, name) == expected


def test_a_message_that_tells_whose_it_is_names_what_came_before() -> None:
    """The MME's own trace: the S1AP message has the label, the NAS message in it the IMSI already."""
    first, second = sample()[1:3]
    identities = Identities([first, second._replace(subject=IMSI)])
    assert identities.imsi(first) == IMSI
    assert identities.note(second._replace(subject=IMSI, src=f"ue-{IMSI}")) == ""


def test_names_are_kept_once() -> None:
    one, other = (record.event_of(json.loads(json.dumps(record.fields_of(sample()[1])))) for _ in range(2))
    assert one == other
    assert one.name is other.name
    assert one.src is other.src
