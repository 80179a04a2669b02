# SPDX-License-Identifier: Apache-2.0
"""Two traces of the same hour beside each other: by how much their clocks differ, and what only one of them has.

The same message is found in both by its octets; SIP, whose lines change from hop to hop, by Call-ID, CSeq and what it
is.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from statistics import median

from dialtone.codec import sip
from dialtone.errors import ProtocolError
from dialtone.trace.bus import Event

SHORTEST = 8
"""Octets of a message that may be taken for the same: a Service request is like another."""


@dataclass(frozen=True, slots=True)
class Offset:
    """What is to be added to the capture's times to have ours. `spread` is by how much single messages differ from it
    at most, `matches` their number; all in seconds."""

    seconds: float
    spread: float
    matches: int

    @property
    def line(self) -> str:
        """In words."""
        way = "behind" if self.seconds > 0 else "ahead of"
        return (f"The capture's clock is {abs(self.seconds):.6f} s {way} ours ({self.matches} messages are in both, "
                f"within {self.spread * 1000:.1f} ms).")


def _key(event: Event) -> Hashable:
    """What is the same of a message wherever it is caught; None for what cannot be told from others."""
    if event.kind == "done" or len(event.data) < SHORTEST:
        return None
    if event.point in ("Gm", "Mw", "ISC"):
        try:
            message = sip.decode(event.data)
            return event.point, event.name, message.call_id, str(message.cseq)
        except ProtocolError:
            return None
    return event.point, event.data


def _once(events: Iterable[Event]) -> dict[Hashable, Event]:
    """Messages by key, without those that come more than once."""
    found: dict[Hashable, Event | None] = {}
    for event in events:
        key = _key(event)
        if key is not None:
            found[key] = None if key in found else event
    return {key: event for key, event in found.items() if event is not None}


def offset(ours: Iterable[Event], theirs: Iterable[Event]) -> Offset | None:
    """The difference of the clocks; None where the two have no message in common."""
    mine, other = _once(ours), _once(theirs)
    differences = [mine[key].time - other[key].time for key in mine.keys() & other.keys()]
    if not differences:
        return None
    middle = median(differences)
    return Offset(middle, max(abs(each - middle) for each in differences), len(differences))


def beside(ours: list[Event], theirs: list[Event], difference: Offset) -> list[tuple[str, Event]]:
    """Both in one, in order of our time and numbered anew: each event with `=` where it is in both, `<` where only we
    have it, `>` where only the capture has it."""
    waiting: dict[Hashable, list[Event]] = {}
    for event in theirs:
        waiting.setdefault(_key(event), []).append(event)
    rows: list[tuple[str, Event]] = []
    for event in ours:
        key = _key(event)
        same = waiting.get(key) if key is not None else None
        if same:
            same.pop(0)
        rows.append(("=" if same is not None else "<", event))
    rows += [(">", event._replace(time=event.time + difference.seconds)) for left in waiting.values() for event in left]
    rows.sort(key=lambda row: row[1].time)
    return [(mark, event._replace(id=number)) for number, (mark, event) in enumerate(rows, 1)]
