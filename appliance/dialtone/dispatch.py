# SPDX-License-Identifier: Apache-2.0
"""The one table that says which function handles which message: visible, and refusing a second entry.

A handler stands in the file of its procedure, is called `on_<message in snake case>` and registered
by its element's `on`. `dialtone where` and the message index in docs/ read the same table.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dialtone.codec.message import Message
from dialtone.effects import Effects, Event, Request


@dataclass(slots=True)
class Rx:
    """The circumstances of what a handler is given.

    `now` is in seconds since the epoch. `subject` (an IMSI, or a context's own label while the IMSI is
    unknown) and `state` are filled in by the handler for the trace. `request` is our request that the
    message answers.
    """

    point: str
    peer: Any
    now: float
    stream: int = 0
    message: Message | None = None
    octets: bytes = b""  # the message as it was decoded: for NAS the plain octets
    request: Request | None = None
    transaction: Any = None  # of a SIP request, for its answers
    cancels: "Rx | None" = None  # of a CANCEL: the circumstances of the INVITE that it gives up
    subject: str = ""
    state: str = ""
    procedure: str = ""


Handler = Callable[[Any, Any, Rx], Effects]
F = TypeVar("F", bound=Callable[..., Effects])


def snake(name: str) -> str:
    """`InitialUEMessage` -> `initial_ue_message`, `ENBConfigurationUpdate` -> `enb_configuration_update`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the message index."""

    element: str
    point: str
    what: str
    clause: str
    handler: Handler
    message: type[Message] | None = None
    procedure: str = field(init=False)  # the file that holds the handler: one procedure, one file

    def __post_init__(self) -> None:
        object.__setattr__(self, "procedure", self.handler.__module__.rpartition(".")[2])


@dataclass(slots=True)
class Handlers:
    """The handlers of one element. Call it as a decorator: `@on("S1-MME", S1SetupRequest)`."""

    element: str
    messages: dict[tuple[str, type[Message]], Entry] = field(default_factory=dict)
    timers: dict[str, Entry] = field(default_factory=dict)
    events: dict[type[Event], Entry] = field(default_factory=dict)
    no_answer: dict[type[Message], Entry] = field(default_factory=dict)
    _bases: dict[tuple[str, type[Message]], Entry | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ALL.append(self)

    def __call__(self, point: str, message: type[Message]) -> Callable[[F], F]:
        """Register the handler of `message` at reference point `point`."""

        def register(handler: F) -> F:
            wanted = f"on_{snake(message.__name__)}"
            if handler.__name__ != wanted:
                raise ValueError(f"the handler of {message.__name__} must be called {wanted}")
            entry = Entry(self.element, point, message.NAME, message.CLAUSE, handler, message)
            self._add(self.messages, (point, message), entry)
            return handler

        return register

    def handler(self, point: str, message: type[Message]) -> Entry | None:
        """The entry of a message's class at this point, or of the nearest base that has one (SipRequest)."""
        return self.messages.get((point, message)) or self._of_a_base(point, message)

    def _of_a_base(self, point: str, message: type[Message]) -> Entry | None:
        try:
            return self._bases[point, message]
        except KeyError:
            entry = self._bases[point, message] = next(
                (self.messages[point, kind] for kind in message.__mro__ if (point, kind) in self.messages), None)
            return entry

    def no_answer_handler(self, message: type[Message]) -> Entry | None:
        """Likewise, for a request without an answer."""
        return next((self.no_answer[kind] for kind in message.__mro__ if kind in self.no_answer), None)

    def timer(self, name: str, clause: str) -> Callable[[F], F]:
        """Register what happens when timer `name` expires; the handler's second argument is its key."""
        what = (self.element, "timer", name, clause)
        return lambda handler: self._add(self.timers, name, Entry(*what, handler))

    def event(self, event: type[Event]) -> Callable[[F], F]:
        """Register the handler of an event (a failed effect, a peer gone, a command)."""
        what = event.__name__
        return lambda handler: self._add(self.events, event, Entry(self.element, "event", what, "", handler))

    def unanswered(self, message: type[Message]) -> Callable[[F], F]:
        """Register what happens when our request `message` stays without an answer."""
        what = f"no answer to {message.NAME}"
        entry = (self.element, "event", what, message.CLAUSE)
        return lambda handler: self._add(self.no_answer, message, Entry(*entry, handler, message))

    def _add(self, table: dict[Any, Entry], key: Any, entry: Entry) -> Any:
        if key in table:
            raise ValueError(f"{entry.what} at {entry.point} has a handler already: {table[key].handler}")
        table[key] = entry
        self._bases.clear()
        return entry.handler

    def entries(self) -> list[Entry]:
        """Every line of this element, in order of registration."""
        tables: tuple[dict[Any, Entry], ...] = (self.messages, self.timers, self.events, self.no_answer)
        return [entry for table in tables for entry in table.values()]


ALL: list[Handlers] = []
"""The tables of all elements that are imported."""
