# SPDX-License-Identifier: Apache-2.0
"""State machines as tables: what is not in the table is invalid; the pictures come from the same table."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from dialtone.errors import ProtocolError

S = TypeVar("S", bound=StrEnum)


@dataclass(slots=True)
class Table(Generic[S]):
    """A state machine: rows of (state, event, next state). `event` is a message name or a short phrase."""

    name: str
    clause: str
    initial: S
    rows: Sequence[tuple[S, str, S]]

    def __post_init__(self) -> None:
        self.map = {(state, event): after for state, event, after in self.rows}
        if len(self.map) != len(self.rows):
            raise ValueError(f"{self.name}: two rows for the same state and event")
        self.events = {event for _, event, _ in self.rows}

    map: "dict[tuple[S, str], S]" = None  # type: ignore[assignment]
    events: "set[str]" = None  # type: ignore[assignment]

    def allows(self, state: S, event: str) -> bool:
        """Whether the table has a row for `event` in `state`."""
        return (state, event) in self.map

    def after(self, state: S, event: str) -> S:
        """The next state; raises ProtocolError where the table has no row."""
        try:
            return self.map[state, event]
        except KeyError:
            raise ProtocolError(f"{event} is not expected in {state}", clause=self.clause) from None

    def mermaid(self) -> str:
        """The table as a Mermaid state diagram: one arrow from state to state, with all its events."""
        ident = {state: state.value.replace("-", "_").replace(" ", "_") for state in type(self.initial)}
        lines = ["stateDiagram-v2", f"    [*] --> {ident[self.initial]}"]
        lines += [f'    state "{state.value}" as {name}' for state, name in ident.items()]
        arrows: dict[tuple[S, S], list[str]] = {}
        for before, event, after in self.rows:
            arrows.setdefault((before, after), []).append(event)
        lines += [f"    {ident[a]} --> {ident[b]} : {'<br/>'.join(events)}" for (a, b), events in arrows.items()]
        return "\n".join(lines)
