# SPDX-License-Identifier: Apache-2.0
"""A recording of a trace: gzipped JSON lines, the first a header, then one event a line.

Replay hands the events out as the live stream does, at the speed of the recording, faster, at once, or
one step at a time.
"""

import gzip
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from dialtone.errors import LocalError
from dialtone.trace.bus import VERSION, Event

AT_ONCE = float("inf")
LIMIT = 64 << 20
"""Octets of a recording, unless told otherwise: a card of eight gigabytes must not fill up in a forgotten terminal."""


def fields_of(event: Event) -> list[Any]:
    """An event as the list that JSON carries: as the tuple, octets in hexadecimal."""
    return [*event[:10], event.data.hex(), event.plain.hex(), event.info]


def event_of(fields: Any) -> Event:
    """The event of such a list; raises LocalError where it is none."""
    try:
        number, when, *texts = fields
        octets = bytes.fromhex(texts[8]), bytes.fromhex(texts[9])
        if len(fields) != len(Event._fields) or not all(isinstance(text, str) for text in texts):
            raise ValueError
        # Names are few: each is kept once, whatever line it came by, and an event takes half the memory.
        return Event(*(int(number), float(when), *map(sys.intern, texts[:8]), *octets, texts[10]))
    except (TypeError, ValueError, IndexError):
        raise LocalError("This is no trace event.", remedy="Use programs of the same version.") from None


def write(path: Path | str, events: Iterable[Event], limit: int = LIMIT, **notes: Any) -> int:
    """Write a recording with `notes` (what JSON can say) in its header; returns the number of events. It stops when it
    has `limit` octets."""
    count = 0
    # No name and time in the gzip header: the same events give the same file.
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as out:
        out.write(json.dumps({"dialtone": "trace", "version": VERSION, **notes}).encode() + b"\n")
        for event in events:
            out.write(json.dumps(fields_of(event), separators=(",", ":")).encode() + b"\n")
            count += 1
            if raw.tell() >= limit:
                break
    return count


def read(path: Path | str) -> list[Event]:
    """The events of a recording. Raises LocalError for a file that is none, or cut short."""
    return load(path)[1]


def load(path: Path | str) -> tuple[dict[str, Any], list[Event]]:
    """The notes and the events of a recording; raises as `read`."""
    remedy = "Record one with: dialtone trace --record FILE."
    try:
        with gzip.open(path, "rb") as file:
            header = json.loads(file.readline())
            if header.get("dialtone") != "trace":
                raise ValueError
            if header["version"] > VERSION:
                raise LocalError(f"{path} was recorded by a newer Dialtone.", remedy="Update this one.")
            return header, [event_of(json.loads(line)) for line in file]
    except FileNotFoundError:
        raise LocalError(f"There is no recording {path}.", remedy=remedy) from None
    except (OSError, EOFError, ValueError, AttributeError, KeyError):
        raise LocalError(f"{path} is no recording of a trace, or cut short.", remedy=remedy) from None


def is_recording(path: Path | str) -> bool:
    """Whether a file begins like a recording."""
    try:
        with gzip.open(path, "rb") as file:
            return file.read(20).startswith(b'{"dialtone": "trace"')
    except (OSError, EOFError):
        return False


def replay(events: Iterable[Event], speed: float = 1.0,
           sleep: Callable[[float], None] = time.sleep) -> Iterator[Event]:
    """The events in their rhythm: `speed` 10 is ten times faster, AT_ONCE waits for nobody.

    To step, take them one by one with `next` at AT_ONCE.
    """
    before: float | None = None
    for event in events:
        if before is not None and event.time > before and speed != AT_ONCE:
            sleep((event.time - before) / speed)
        before = event.time
        yield event
