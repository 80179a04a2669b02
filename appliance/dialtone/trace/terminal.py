# SPDX-License-Identifier: Apache-2.0
"""The ladder in a terminal: it grows line by line, with times, and with colours where those can be seen.

A column that is new is announced by the heads, printed again. Filters work on what is drawn, not on what is learned: a
phone's name is known although the message that told it is not shown.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from dialtone.trace.bus import Event
from dialtone.trace.ladder import ordered, text_heads, text_row, visible
from dialtone.trace.names import Identities, column, role

_COLOURS = {"S1-MME": 34, "NAS": 32, "SMS": 32, "S11": 33, "S5/S8": 33, "S6a": 35, "Cx": 35, "Rx": 35, "Gx": 35,
            "SGd": 35, "Diameter": 35, "Gm": 36, "Mw": 36, "ISC": 36}
_BAD, _DIM = 31, 2


class Clock(StrEnum):
    """How times are shown: of the day, since the message before, since the first."""

    ABSOLUTE = "absolute"
    DELTA = "delta"
    RELATIVE = "relative"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Filter:
    """What is drawn: of one phone, at one reference point, from or to an element (by name or role), with a text."""

    imsi: str = ""
    point: str = ""
    element: str = ""
    text: str = ""

    def wants(self, event: Event, subject: str) -> bool:
        """`subject` is the IMSI, as far as it is known."""
        if not visible(event) or (self.imsi and subject != self.imsi) or (self.point and event.point != self.point):
            return False
        wanted = self.element.lower()
        ends = {name.lower() for end in (event.src, event.dst)
                for name in (end, column(event.point, end), role(event.point, end))}
        said = f"{event.name} {event.info} {subject}".lower()
        return (not wanted or wanted in ends) and self.text.lower() in said


@dataclass(slots=True)
class Terminal:
    """Draws events as they come: `draw` gives the lines of one."""

    which: Filter = Filter()
    clock: Clock = Clock.RELATIVE
    colour: bool = False
    local: Callable[[float], str] = lambda time: f"{time:.3f}"
    identities: Identities = field(default_factory=Identities)
    columns: list[str] = field(default_factory=list)
    _roles: dict[str, str] = field(default_factory=dict)
    _first: float | None = None
    _last: float = 0.0

    def draw(self, event: Event) -> Iterator[str]:
        """The line of an event, after the heads where there is a new column; nothing for what is filtered out."""
        self.identities.note(event)
        subject = self.identities.imsi(event)
        if not self.which.wants(event, subject):
            return
        if self._first is None:
            self._first = self._last = event.time
        columns = self._place(event)
        if columns != self.columns:
            self.columns = columns
            yield self._paint(f"{'':{self._width}}{text_heads(columns)}", 1)
        phone = f"  …{subject[-4:]}" if subject.isdigit() and not self.which.imsi else ""
        line = f"{self._time(event.time)}{text_row(event, columns)}{phone}"
        self._last = event.time
        yield self._paint(line, self._colour(event))

    def expect(self, events: Sequence[Event]) -> None:
        """These will come: their columns stand from the beginning."""
        for event in events:
            self.identities.note(event)
        for event in events:
            if self.which.wants(event, self.identities.imsi(event)):
                self._place(event)

    def _place(self, event: Event) -> list[str]:
        """The columns, and those of this event among them."""
        if event.kind != "done":
            for end in (event.src, event.dst):
                self._roles.setdefault(column(event.point, end), role(event.point, end))
        return self.columns if len(self._roles) == len(self.columns) else ordered(self._roles)

    @property
    def _width(self) -> int:
        return 0 if self.clock is Clock.NONE else 14

    def _time(self, time: float) -> str:
        if self.clock is Clock.NONE:
            return ""
        if self.clock is Clock.ABSOLUTE:
            text = self.local(time)
        else:
            text = f"{time - (self._last if self.clock is Clock.DELTA else self._first or 0.0):+.3f}"
        return f"{text:>{self._width - 2}}  "

    @staticmethod
    def _colour(event: Event) -> int:
        if event.kind == "done":
            return _BAD if event.point == "error" or event.info.startswith("failed") else _DIM
        return _BAD if event.name == "undecodable" else _COLOURS.get(event.point, 0)

    def _paint(self, line: str, colour: int) -> str:
        return f"\x1b[{colour}m{line.rstrip()}\x1b[0m" if self.colour and colour else line.rstrip()
