# SPDX-License-Identifier: Apache-2.0
"""The trace as the API keeps it: a bounded ring of its own, filled from the core, read by any number of clients.

The ring is the backlog of every reader; a reader is a position in it and nothing more. One that does not take what it
gets is not waited for: it holds no events, and is told how many it lost when it comes back.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Any, NamedTuple

from dialtone.api.problems import Busy, Missing
from dialtone.control import AsyncClient, Away
from dialtone.trace import redact
from dialtone.trace.bus import Event, Ring
from dialtone.trace.names import Identities

CAPACITY = 10_000
RETRY_SECONDS = 1.0
BATCH = 100  # events that a reader gets at once
READERS = 200


class Batch(NamedTuple):
    """What a reader gets: events, after so many that were lost; nothing at all when it was quiet."""

    lost: int = 0
    events: list[Event] = []
    fresh: bool = False  # what came before belongs to another run, or has been deleted


class Feed:
    """Events of the core's present run. `connected` says whether the core is there."""

    def __init__(self, core: AsyncClient) -> None:
        self.core = core
        self.ring = Ring(CAPACITY)
        self.identities = Identities()
        self.run = ""
        self.connected = False
        self.readers = 0
        self._age = 0  # how often everything was forgotten
        self._changed = asyncio.Event()
        self._text = lru_cache(4 * BATCH)(self._encoded)

    async def follow(self) -> None:
        """Take in what the core sends, for ever; connect again whenever it was away."""
        while True:
            with contextlib.suppress(Away):
                last = self.ring[-1].id if self.ring else 0
                async for item in self.core.events(last, self.run):
                    self._take(item)
            self.connected = False
            await asyncio.sleep(RETRY_SECONDS)

    def _take(self, item: Event | int | str) -> None:
        if isinstance(item, str):
            self.connected = True
            if item != self.run:  # another run of the core: its events count from 1 again
                self.run = item
                self.forget()
        elif isinstance(item, Event):
            self.ring.put(item)
            if self.identities.note(item):
                self._text.cache_clear()
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def forget(self) -> None:
        """Keep nothing of what there was; readers begin anew."""
        self.ring.clear()
        self.identities = Identities()
        self._text.cache_clear()
        self._age += 1

    def event(self, number: int) -> Event:
        """One event by its id; raises Missing for one that is not kept."""
        for event in self._behind(number - 1):
            if event.id == number:
                return event
            break
        raise Missing(f"There is no event {number} (any more).")

    def position(self, last_event_id: str) -> int | None:
        """The event to go on after, from the header of a client that comes back; None where that cannot be."""
        run, _, number = last_event_id.partition("-")
        return int(number) if run == self.run and number.isascii() and number.isdigit() else None

    def stream(self, after: int, keepalive: float = 15.0) -> AsyncIterator[Batch]:
        """Events after `after`, waiting for more. Raises Busy where there are too many readers already."""
        if self.readers >= READERS:
            raise Busy(f"{READERS} readers follow the trace already.", remedy="Close a page that you do not look at.")
        return self._batches(after, keepalive)

    async def _batches(self, after: int, keepalive: float) -> AsyncIterator[Batch]:
        self.readers += 1
        try:
            age, last = self._age, after
            while True:
                if age != self._age:
                    age, last = self._age, 0
                    yield Batch(fresh=True)
                changed = self._changed
                events = self._behind(last)
                if events:
                    lost = events[0].id - last - 1 if last else 0
                    last = events[-1].id
                    yield Batch(lost, events)
                    continue
                try:
                    await asyncio.wait_for(changed.wait(), keepalive)
                except TimeoutError:
                    yield Batch()
        finally:
            self.readers -= 1

    def _behind(self, last: int) -> list[Event]:
        """The first events after event `last`. Ids grow; where the core has lost some, they jump."""
        ring = self.ring
        if not ring or ring[-1].id <= last:
            return []
        at = max(len(ring) - (ring[-1].id - last), 0)
        while at < len(ring) and ring[at].id <= last:
            at += 1
        return [ring[i] for i in range(at, min(at + BATCH, len(ring)))]

    def text(self, event: Event) -> str:
        """An event as JSON, made once for all readers."""
        return self._text(event)

    def _encoded(self, event: Event) -> str:
        return json.dumps(self.json(event), separators=(",", ":"))

    def json(self, event: Event) -> dict[str, Any]:
        """An event for a client, without its octets."""
        found = {name: getattr(event, name) for name in ("id", "time", "kind", "point", "src", "dst", "name",
                                                         "subject", "procedure", "state", "info")}
        subject = self.identities.imsi(event)
        return found | {"imsi": subject if subject.isdigit() else "", "size": len(event.data)}


def shown(event: Event, trusted: bool) -> Event:
    """The event as the asker may see it: everything that says what was on the wire is made from this."""
    return event if trusted else redact.for_students(event)


def octets(event: Event, trusted: bool) -> dict[str, str]:
    """What was on the wire, as hexadecimal digits."""
    seen = shown(event, trusted)
    return {"data": seen.data.hex(), "plain": seen.plain.hex()}
