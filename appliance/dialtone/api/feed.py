# SPDX-License-Identifier: Apache-2.0
"""The trace as the API keeps it: a bounded ring of its own, filled from the core, read by any number of clients."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from dialtone.api.problems import Missing
from dialtone.control import AsyncClient, Away
from dialtone.trace.bus import Event
from dialtone.trace.names import Identities

CAPACITY = 10_000
RETRY_SECONDS = 1.0


class Feed:
    """Events of the core's present run. `connected` says whether the core is there."""

    def __init__(self, core: AsyncClient, capacity: int = CAPACITY) -> None:
        self.core = core
        self.ring: deque[Event] = deque(maxlen=capacity)
        self.identities = Identities()
        self.run = ""
        self.connected = False
        self._changed = asyncio.Event()

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
                self.ring.clear()
                self.identities = Identities()
        elif isinstance(item, Event):
            self.ring.append(item)
            self.identities.note(item)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def event(self, number: int) -> Event:
        """One event by its id; raises Missing for one that is not kept."""
        for event in self.ring:
            if event.id == number:
                return event
        raise Missing(f"There is no event {number} (any more).")

    def position(self, last_event_id: str) -> int | None:
        """The event to go on after, from the header of a client that comes back; None where that cannot be."""
        run, _, number = last_event_id.partition("-")
        return int(number) if run == self.run and number.isdigit() else None

    async def stream(self, after: int, keepalive: float = 15.0) -> AsyncIterator[Event | int | None]:
        """Events after `after`, waiting for more; an int for a gap of so many, None when it was quiet."""
        run, last = self.run, after
        while True:
            if run != self.run:
                run, last = self.run, 0
            changed = self._changed
            if self.ring and last and self.ring[0].id > last + 1:
                yield self.ring[0].id - last - 1
            for event in [event for event in self.ring if event.id > last] if self._newer(last) else []:
                last = event.id
                yield event
            if not self._newer(last) and run == self.run:
                try:
                    await asyncio.wait_for(changed.wait(), keepalive)
                except TimeoutError:
                    yield None

    def _newer(self, last: int) -> bool:
        return bool(self.ring) and self.ring[-1].id > last

    def json(self, event: Event, octets: bool = False) -> dict[str, Any]:
        """An event for a client; `octets` adds what was on the wire."""
        found = {name: getattr(event, name) for name in ("id", "time", "kind", "point", "src", "dst", "name",
                                                         "subject", "procedure", "state", "info")}
        subject = self.identities.imsi(event)
        found |= {"imsi": subject if subject.isdigit() else "", "size": len(event.data)}
        if octets:
            found |= {"data": event.data.hex(), "plain": event.plain.hex()}
        return found
