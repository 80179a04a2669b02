# SPDX-License-Identifier: Apache-2.0
"""Timers by key. They know no clock: whoever owns them says what time it is, and asks when the next one is due."""

import heapq
import itertools
from collections.abc import Callable, Hashable, Iterator

_SLACK = 10_000


class Timers:
    """A heap of keys, times in seconds. The key of a timer that was stopped or started anew stays in it, and is passed
    over; its call is forgotten at once, with all that hangs on it."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Hashable]] = []
        self._running: dict[Hashable, tuple[int, Callable[[], None]]] = {}
        self._serial = itertools.count()

    def start(self, key: Hashable, when: float, fire: Callable[[], None]) -> None:
        """Call `fire` at `when`; a second start with the same key replaces the first."""
        serial = next(self._serial)
        self._running[key] = serial, fire
        heapq.heappush(self._heap, (when, serial, key))
        if len(self._heap) > 2 * len(self._running) + _SLACK:  # far more was stopped than runs
            self._heap = [entry for entry in self._heap if self._runs(entry)]
            heapq.heapify(self._heap)

    def stop(self, key: Hashable) -> None:
        """Forget a timer; one that does not run is no error."""
        self._running.pop(key, None)

    def due(self) -> float | None:
        """When the next timer expires, None without one."""
        while self._heap and not self._runs(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def expired(self, now: float) -> Iterator[Callable[[], None]]:
        """The calls of all timers that are due by `now`."""
        while (when := self.due()) is not None and when <= now:
            _, _, key = heapq.heappop(self._heap)
            _, fire = self._running.pop(key)
            yield fire

    def keys(self) -> list[Hashable]:
        """The timers that run."""
        return list(self._running)

    def _runs(self, entry: tuple[float, int, Hashable]) -> bool:
        running = self._running.get(entry[2])
        return running is not None and running[0] == entry[1]
