# SPDX-License-Identifier: Apache-2.0
"""The trace bus: three publish calls, a ring of raw events, listeners. It never decodes anything.

An event is a tuple with the raw octets; decoding for people happens in another process, on demand.
"""

import itertools
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

VERSION = 1
OCTETS = 32 << 20
"""Octets of messages that a ring holds at most: four times what twenty thousand of a network's own have."""


class Event(NamedTuple):
    """One line of the trace.

    kind      `rx`, `tx` (a message that came in or went out) or `done` (an effect's result, a timer,
              a change of state, a verdict)
    time      seconds since the epoch
    point     reference point (`S1-MME`, `NAS`, `S11`, `S6a` ...); for `done` what it was (`timer`,
              `state`, `verdict`, `save`, `error`, `peer`)
    src, dst  names of elements and peers
    name      message name as tshark prints it, or the timer, the state machine, the procedure
    subject   IMSI, or the label of a context whose IMSI is not known yet (`mme-ue-7`); a `done` event
              with point `identity` gives the IMSI (`info`) of such a label (`subject`)
    procedure the file that handled it, state: the state after it
    data      the octets on the wire; plain: for NAS the deciphered octets where they differ
    info      a short text: an error, a verdict, `old -> new`
    """

    id: int
    time: float
    kind: str
    point: str
    src: str
    dst: str
    name: str
    subject: str = ""
    procedure: str = ""
    state: str = ""
    data: bytes = b""
    plain: bytes = b""
    info: str = ""


_new = tuple.__new__  # half the price of calling Event, forty times for each phone that attaches


class Ring(deque[Event]):
    """The last `capacity` events; fewer where their messages have more than `octets` octets together, so that a
    stranger who sends long ones takes no memory but that of other messages."""

    def __init__(self, capacity: int, octets: int = OCTETS) -> None:
        super().__init__()
        self._capacity, self._limit, self._held = capacity, octets, 0

    def put(self, event: Event) -> None:
        """The newest event."""
        self._held += len(event[10]) + len(event[11])
        self.append(event)
        while self._held > self._limit or len(self) > self._capacity:
            old = self.popleft()
            self._held -= len(old[10]) + len(old[11])

    def clear(self) -> None:
        """Forget all."""
        super().clear()
        self._held = 0


class Bus:
    """Ring of the last `capacity` events, and live listeners that are called with each new one."""

    def __init__(self, capacity: int = 20_000) -> None:
        self.ring = Ring(capacity)
        self.listeners: list[Callable[[Event], None]] = []
        self.counters: dict[tuple[str, str, str], int] = {}
        self._ids = itertools.count(1)

    def received(self, time: float, point: str, src: str, dst: str, name: str, subject: str, procedure: str,
                 state: str, data: bytes, plain: bytes = b"", info: str = "") -> None:
        """A message came in."""
        self._put((next(self._ids), time, "rx", point, src, dst, name, subject, procedure, state, data, plain, info))

    def sent(self, time: float, point: str, src: str, dst: str, name: str, subject: str, procedure: str,
             state: str, data: bytes, plain: bytes = b"", info: str = "") -> None:
        """A message went out."""
        self._put((next(self._ids), time, "tx", point, src, dst, name, subject, procedure, state, data, plain, info))

    def done(self, time: float, point: str, src: str, name: str, subject: str, info: str,
             procedure: str = "", state: str = "", data: bytes = b"") -> None:
        """Something happened that is no message."""
        self._put((next(self._ids), time, "done", point, src, src, name, subject, procedure, state, data, b"", info))

    def _put(self, fields: tuple[Any, ...]) -> None:
        event = _new(Event, fields)
        key = (fields[2], fields[3], fields[6])
        self.counters[key] = self.counters.get(key, 0) + 1
        self.ring.put(event)
        for listener in self.listeners:
            listener(event)
