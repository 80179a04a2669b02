# SPDX-License-Identifier: Apache-2.0
"""The recording that comes with the lab still tells what the network does."""

from pathlib import Path

from record_attach import TARGET, make

from dialtone.trace import record
from dialtone.trace.bus import Event


def told(events: list[Event]) -> list[tuple[str, str, str, str]]:
    """The messages, without times, numbers and octets."""
    return [(event.point, event.src, event.dst, event.name) for event in events if event.kind != "done"]


def test_the_recording_is_what_the_network_says_today(tmp_path: Path) -> None:
    """Otherwise make it anew: python tests/flows/record_attach.py."""
    events, notes = make(tmp_path)
    kept, recorded = record.load(TARGET)[1], record.load(TARGET)[0]
    assert told(kept) == told(events)
    assert recorded["actions"].keys() == notes["actions"].keys()
    assert recorded["leaks"] == notes["leaks"]
