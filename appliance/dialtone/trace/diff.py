# SPDX-License-Identifier: Apache-2.0
"""Two runs compared: their ladders line by line, and one message of each field by field."""

import difflib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from dialtone.trace.bus import Event
from dialtone.trace.ladder import columns_of, text_heads, text_row, visible


class Line(NamedTuple):
    """A line of the comparison: ` ` in both, `-` in the first only, `+` in the second only; and its events."""

    mark: str
    text: str
    first: Event | None = None
    second: Event | None = None


def ladders(first: Iterable[Event], second: Iterable[Event]) -> Iterator[Line]:
    """The heads, then every row of both. Times, numbers and octets are not compared, names and texts are."""
    one, two = ([event for event in events if visible(event)] for events in (first, second))
    columns = columns_of([*one, *two])
    yield Line(" ", text_heads(columns))
    left, right = ([text_row(event, columns) for event in events] for events in (one, two))
    for change, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if change == "equal":
            yield from (Line(" ", left[at], one[at], two[at - a + c]) for at in range(a, b))
            continue
        yield from (Line("-", left[at], one[at]) for at in range(a, b))
        yield from (Line("+", right[at], None, two[at]) for at in range(c, d))


def fields(line: Line, decoded: Callable[[Event], str]) -> list[str]:
    """What differs in the fields of a message that both have; `decoded` makes text of one."""
    if line.first is None or line.second is None or line.first.data == line.second.data:
        return []
    one, two = (decoded(event).splitlines() for event in (line.first, line.second))
    found = difflib.unified_diff(one, two, lineterm="", n=0)
    return [text for text in found if not text.startswith(("---", "+++", "@@"))]
