# SPDX-License-Identifier: Apache-2.0
"""What waits at the gateway for idle phones, in order, until they come back or do not (TS 23.401, 5.3.4.3)."""

from collections import deque
from typing import Generic, TypeVar

BUFFER = 64
"""Most packets kept for an idle phone; the oldest makes room."""
B = TypeVar("B")


class Waiting(Generic[B]):
    """By IMSI: bearers and packets."""

    def __init__(self) -> None:
        self._kept: dict[str, deque[tuple[B, bytes]]] = {}

    def __bool__(self) -> bool:
        return bool(self._kept)

    def keep(self, imsi: str, bearer: B, packet: bytes) -> tuple[bool, int]:
        """Keep a packet. Whether it is the first one for this phone, and how many were lost for it."""
        kept = self._kept.get(imsi)
        first = kept is None
        if kept is None:
            kept = self._kept[imsi] = deque()
        lost = 0
        if len(kept) == BUFFER:
            kept.popleft()
            lost = 1
        kept.append((bearer, packet))
        return first, lost

    def take(self, imsi: str, bearer: B) -> list[bytes]:
        """What waits for one bearer, in order; what waits for others of the phone stays."""
        kept = self._kept.pop(imsi, ())
        if others := deque(entry for entry in kept if entry[0] is not bearer):
            self._kept[imsi] = others
        return [packet for owner, packet in kept if owner is bearer]

    def empty(self, imsi: str) -> int:
        """Throw away what waits for a phone; how much that was."""
        return len(self._kept.pop(imsi, ()))
