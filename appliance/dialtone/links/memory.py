# SPDX-License-Identifier: Apache-2.0
"""A reference point inside the process: octets go to the other element through the loop's queue.

Never synchronous. In tests it takes weather: seeded delay, loss, duplication and reordering.
"""

import random
from dataclasses import dataclass, field
from functools import partial

from dialtone.loop import Loop


@dataclass(slots=True)
class Weather:
    """What a memory link does to its traffic; probabilities from 0 to 1, delay in seconds."""

    seed: int = 0
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    delay: float = 0.0
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)


@dataclass(slots=True)
class Memory:
    """Joins elements of one loop at one reference point; a peer's name is the element's name."""

    loop: Loop
    point: str
    weather: Weather | None = None
    _serial: int = 0

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """Queue `data` for the element `peer`; a name that nobody here has (a foreign MME's of before) gets nothing."""
        if peer not in self.loop.elements:
            self.loop.discard(element, self.point, peer, data, "no such peer")
            return
        if self.weather is None:
            self.loop.deliver(peer, self.point, element, data, stream)
            return
        rng = self.weather.rng
        if rng.random() < self.weather.loss:
            return
        for _ in range(2 if rng.random() < self.weather.duplicate else 1):
            delay = self.weather.delay * rng.random()
            if rng.random() < self.weather.reorder:
                delay += self.weather.delay
            self._serial += 1
            self.loop.later(("memory", self.point, self._serial), delay,
                            partial(self.loop.deliver, peer, self.point, element, data, stream))
