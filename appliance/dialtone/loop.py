# SPDX-License-Identifier: Apache-2.0
"""The loop: bytes -> decode -> element -> trace -> effects -> encode -> trace -> bytes.

One queue, run to completion, in one thread, with no input or output of its own: links and performers
are handed in, time is a clock that is handed in. So the same loop runs the appliance under asyncio and a
whole network inside one test. The only three publish calls of the code base stand here and in port.py.
"""

import itertools
import logging
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from dialtone.codec.message import Message
from dialtone.dispatch import Entry, Rx
from dialtone.effects import (
    Answer,
    Changed,
    Deliver,
    Effect,
    Effects,
    Event,
    PeerDown,
    PeerUp,
    Request,
    Send,
    SendOctets,
    StartTimer,
    StopTimer,
    Tell,
    Unanswered,
    Up,
    Verdict,
)
from dialtone.element import Codec, Element, Link, Stack
from dialtone.errors import DialtoneError, ProtocolError
from dialtone.port import Arrival, Policy, Port
from dialtone.timers import Timers
from dialtone.trace.bus import Bus
from dialtone.trace.causes import cause_of

log = logging.getLogger("dialtone.loop")

Done = Callable[[Exception | None], None]
Performer = Callable[[Any, Done], None]


@dataclass(slots=True)
class Loop:
    """Elements, their ports, the queue and the timers."""

    clock: Callable[[], float]
    bus: Bus = field(default_factory=Bus)
    elements: dict[str, Element] = field(default_factory=dict)
    ports: dict[tuple[str, str], Port] = field(default_factory=dict)
    stacks: dict[tuple[str, str], Stack] = field(default_factory=dict)
    performers: dict[type[Effect], Performer] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    failures: dict[tuple[str, str], int] = field(default_factory=dict)  # of procedures, by cause
    wake: Callable[[], None] = lambda: None  # the asyncio skin asks to be told when the queue fills
    _queue: deque[Callable[[], None]] = field(default_factory=deque)
    _timers: Timers = field(default_factory=Timers)

    # ---- building ------------------------------------------------------------------------------

    def add(self, element: Element) -> None:
        """Give an element a place in the loop, under its name."""
        self.elements[element.name] = element

    def bind(self, element: str, point: str, codec: Codec, link: Link, *, inside: bool = False,
             policy: Policy | None = None, numbers: Iterator[int] | None = None) -> None:
        """Connect a reference point of an element to a link. Requests there are numbered from 1, or as told."""
        port = self.ports[element, point] = Port(self, element, point, codec, link, inside)
        port.requests = policy.start(port, numbers or itertools.count(1)) if policy else None

    # ---- what comes in ---------------------------------------------------------------------------

    def deliver(self, element: str, point: str, peer: str, data: bytes, stream: int = 0) -> None:
        """Octets arrived for `element` at `point` from `peer`."""
        self._put(partial(self._received, element, point, peer, data, stream))

    def tell(self, element: str, event: Event) -> None:
        """An event for `element`: a command, a peer that came or went."""
        self._put(partial(self._event, element, event))

    def run(self) -> None:
        """Work until the queue is empty."""
        queue = self._queue
        while queue:
            queue.popleft()()

    def pending(self) -> bool:
        """Whether the queue holds anything."""
        return bool(self._queue)

    def passing(self, element: str, point: str, peer: str, name: str, data: bytes, info: str = "", *,
                sent: bool = False) -> None:
        """Trace a message that a link or the user plane dealt with itself (an echo, an error indication)."""
        publish, ends = (self.bus.sent, (element, peer)) if sent else (self.bus.received, (peer, element))
        publish(self.clock(), point, *ends, name, "", "", "", data, b"", info)

    def discard(self, element: str, point: str, peer: str, data: bytes, why: str) -> None:
        """Octets that a link must not hand on (a wrong PPID, no frame): counted and traced."""
        self.count(f"{point} {why}")
        self.passing(element, point, peer, "discarded", data, why)

    def due(self) -> float | None:
        """When the next timer expires, None without one."""
        return self._timers.due()

    def expire(self) -> None:
        """Queue every timer that is due; `run` does the rest."""
        for fire in self._timers.expired(self.clock()):
            self._put(fire)

    def later(self, key: Hashable, seconds: float, fire: Callable[[], None]) -> None:
        """Call `fire` in `seconds`; a second call with the same key replaces the first."""
        self._timers.start(key, self.clock() + seconds, fire)
        self.wake()

    def cancel(self, key: Hashable) -> None:
        """Forget a call of `later`."""
        self._timers.stop(key)

    def timers(self) -> list[Hashable]:
        """The keys of all timers that run, for the leak check."""
        return self._timers.keys()

    def count(self, what: str) -> None:
        """Count an occurrence for the metrics."""
        self.counters[what] = self.counters.get(what, 0) + 1

    # ---- inside ------------------------------------------------------------------------------------

    def _put(self, call: Callable[[], None]) -> None:
        self._queue.append(call)
        self.wake()

    def _received(self, name: str, point: str, peer: str, data: bytes, stream: int) -> None:
        element, port = self.elements[name], self.ports[name, point]
        rx = Rx(point, peer, self.clock(), stream)
        try:
            message = port.codec.decode(data)
        except ProtocolError as error:
            self._undecodable(element, rx, peer, data, error)
            return
        arrival = port.requests.arrived(rx, message, data) if port.requests is not None else Arrival()
        trace = not (port.inside and peer in self.elements)
        if not arrival.drop:
            self._dispatch(element, message, rx, peer, data, b"", trace=trace, first=arrival.effects)
            return
        self.count(f"{point} {arrival.drop}")
        if trace:
            self.bus.received(rx.now, point, peer, name, message.label, rx.subject, "", "", data, b"", arrival.drop)
        self._perform(element, list(arrival.effects), rx, 0)

    def _up(self, element: Element, effect: Up, below: Rx) -> None:
        stack = self.stacks[element.name, effect.point]
        rx = Rx(effect.point, effect.key, below.now, below.stream, subject=below.subject)
        label = stack.label(effect.key)
        try:
            message, plain = stack.up(effect.key, effect.data)
        except ProtocolError as error:
            self._undecodable(element, rx, label, effect.data, error)
            return
        self._dispatch(element, message, rx, label, effect.data, plain, trace=True)

    def _undecodable(self, element: Element, rx: Rx, peer: str, data: bytes, error: ProtocolError) -> None:
        self.count(f"{rx.point} undecodable")
        rx.octets = data
        effects = self._guarded(element, rx, lambda: element.refuse(error, rx))
        self.bus.received(rx.now, rx.point, peer, element.name, "undecodable", rx.subject, rx.procedure,
                          rx.state, data, b"", str(error))
        self._perform(element, effects, rx, 0)

    def _dispatch(self, element: Element, message: Message, rx: Rx, peer: str, data: bytes, plain: bytes,
                  trace: bool, first: Sequence[Effect] = ()) -> None:
        rx.message = message
        rx.octets = plain or data
        entry = element.on.handler(rx.point, type(message))
        info = ""
        try:
            if entry is None:
                raise ProtocolError(f"{message.NAME} is not expected at {rx.point} of {element.name}")
            rx.procedure = entry.procedure
            element.gate(rx)
            effects = element.complete(rx, list(entry.handler(element, message, rx)))
        except ProtocolError as error:
            info = str(error)
            self.count(f"{rx.point} refused")
            refusal = error
            effects = self._guarded(element, rx, lambda: element.refuse(refusal, rx))
        except Exception:
            info = "internal error"
            effects = self._fault(element, rx)
        if trace:
            self.bus.received(rx.now, rx.point, peer, element.name, message.label, rx.subject, rx.procedure,
                              rx.state, data, plain if plain != data else b"", info)
        elif info:
            self.bus.done(rx.now, "error", element.name, message.label, rx.subject, info, rx.procedure)
        self._perform(element, [*first, *effects] if first else effects, rx, 0)

    def _event(self, name: str, event: Event) -> None:
        element = self.elements[name]
        if isinstance(event, Unanswered):
            entry = element.on.no_answer_handler(type(event.request.message))
        else:
            entry = element.on.events.get(type(event))
        rx = Rx("event", getattr(event, "peer", ""), self.clock())
        if isinstance(event, PeerUp | PeerDown):
            text = event.reason if isinstance(event, PeerDown) else "connected"
            self.bus.done(rx.now, "peer", name, event.peer, "", f"{event.point}: {text}")
            port = self.ports.get((name, event.point))
            if isinstance(event, PeerDown) and port is not None and port.requests is not None:
                port.requests.lost(event.peer)
        if entry is not None:
            self._handle(element, entry, event, rx)

    def _expired(self, name: str, timer: str, key: Hashable) -> None:
        element = self.elements[name]
        entry = element.on.timers[timer]
        rx = Rx("timer", key, self.clock())
        self._handle(element, entry, key, rx, timer)

    def _handle(self, element: Element, entry: Entry, what: Any, rx: Rx, timer: str = "") -> None:
        rx.procedure = entry.procedure
        effects = self._guarded(element, rx, lambda: entry.handler(element, what, rx))
        if timer:
            self.bus.done(rx.now, "timer", element.name, timer, rx.subject, "expired", rx.procedure, rx.state)
        self._perform(element, effects, rx, 0)

    def _guarded(self, element: Element, rx: Rx, call: Callable[[], Effects]) -> list[Effect]:
        try:
            return list(call())
        except DialtoneError as error:
            self.bus.done(rx.now, "error", element.name, rx.procedure, rx.subject, str(error), rx.procedure)
            self.count(f"{rx.point} error")
            return []
        except Exception:
            return self._fault(element, rx)

    def _fault(self, element: Element, rx: Rx) -> list[Effect]:
        """A defect of ours: one subscriber may lose a procedure, nobody else notices."""
        log.exception("defect in %s handling %s", element.name, type(rx.message).__name__)
        self.count("internal error")
        self.bus.done(rx.now, "error", element.name, "internal error", rx.subject,
                      "a defect of the core; see its log", rx.procedure)
        try:
            return list(element.fault(rx))
        except Exception:
            log.exception("defect in the clean-up of %s", element.name)
            return []

    # ---- effects -------------------------------------------------------------------------------------

    def _perform(self, element: Element, effects: list[Effect], rx: Rx, start: int) -> None:
        for index in range(start, len(effects)):
            effect = effects[index]
            step = _STEPS.get(type(effect))
            try:
                if step is not None:
                    step(self, element, effect, rx)
                    continue
            except Exception as error:  # what we cannot encode is a defect of ours, for this message only
                log.exception("cannot perform %s of %s", type(effect).__name__, element.name)
                self.count("internal error")
                self.bus.done(rx.now, "error", element.name, type(effect).__name__, rx.subject, str(error))
                continue
            wait = _Wait(self, element, effects, rx, index)
            self.performers[type(effect)](effect, wait)
            if not wait.passed:
                wait.held = True
                return

    def _send(self, element: Element, effect: Send, rx: Rx) -> None:
        stack = self.stacks.get((element.name, effect.point))
        if stack is not None:
            plain, wire = stack.down(effect.peer, effect.message)
            self.bus.sent(self.clock(), effect.point, element.name, stack.label(effect.peer),
                          effect.message.NAME, rx.subject, rx.procedure, rx.state, wire,
                          plain if plain != wire else b"")
            below = stack.carry(effect.peer, wire, effect.via)
            if below is not None:
                _STEPS[type(below)](self, element, below, rx)
            return
        port = self.ports[element.name, effect.point]
        if port.requests is not None:
            port.requests.send(effect, rx)
        else:
            port.out(effect.peer, effect.message, rx, effect.stream)

    def _send_octets(self, element: Element, effect: SendOctets, rx: Rx) -> None:
        port = self.ports[element.name, effect.point]
        port.octets(effect.peer, effect.name, effect.data, rx, rx.stream, effect.info)

    def _request(self, element: Element, effect: Request, rx: Rx) -> None:
        requests = self.ports[element.name, effect.point].requests
        assert requests is not None
        requests.request(effect, rx)

    def _answer(self, element: Element, effect: Answer, rx: Rx) -> None:
        rx = effect.to or rx
        requests = self.ports[element.name, rx.point].requests
        assert requests is not None
        requests.answer(effect.message, rx)

    def _start_timer(self, element: Element, effect: StartTimer, rx: Rx) -> None:
        name, key = effect.name, effect.key
        self.later((element.name, name, key), effect.seconds, partial(self._expired, element.name, name, key))

    def _stop_timer(self, element: Element, effect: StopTimer, rx: Rx) -> None:
        self.cancel((element.name, effect.name, effect.key))

    def _changed(self, element: Element, effect: Changed, rx: Rx) -> None:
        self.bus.done(self.clock(), "state", element.name, effect.machine, effect.key or rx.subject,
                      f"{effect.old} -> {effect.new}", rx.procedure, effect.new)

    def _verdict(self, element: Element, effect: Verdict, rx: Rx) -> None:
        self.count(f"{effect.procedure} {'ok' if effect.ok else 'failed'}")
        if not effect.ok:
            key = effect.procedure, cause_of(effect.text)
            self.failures[key] = self.failures.get(key, 0) + 1
        result = f"{'ok' if effect.ok else 'failed'}: {effect.text}"
        log.info("%s %s %s", effect.procedure, _masked(rx.subject), result)
        self.bus.done(self.clock(), "verdict", element.name, effect.procedure, rx.subject, result,
                      rx.procedure)

    def _tell(self, element: Element, effect: Tell, rx: Rx) -> None:
        self.tell(effect.element, effect.event)

    def _deliver(self, element: Element, effect: Deliver, rx: Rx) -> None:
        self.deliver(effect.element, effect.point, effect.peer, effect.data)


@dataclass(slots=True)
class _Wait:
    """What a performer calls when it is through: the rest of the list goes on, or is dropped."""

    loop: Loop
    element: Element
    effects: list[Effect]
    rx: Rx
    index: int
    passed: bool = False
    held: bool = False

    def __call__(self, error: Exception | None) -> None:
        loop, element, rx = self.loop, self.element, self.rx
        if error is None:
            self.passed = True
            if self.held:
                loop._put(partial(loop._perform, element, self.effects, rx, self.index + 1))
            return
        effect = self.effects[self.index]
        loop.count(f"{type(effect).__name__} failed")
        loop.bus.done(loop.clock(), "error", element.name, type(effect).__name__, rx.subject, str(error))
        failed = getattr(effect, "failed", None)
        if failed is not None:
            loop.tell(element.name, failed)


def _masked(subject: str) -> str:
    """An IMSI in a log line shows its last four digits only."""
    return f"...{subject[-4:]}" if subject.isdigit() else subject


_STEPS: dict[type[Effect], Callable[[Loop, Element, Any, Rx], Any]] = {
    Send: Loop._send,
    SendOctets: Loop._send_octets,
    Request: Loop._request,
    Answer: Loop._answer,
    StartTimer: Loop._start_timer,
    StopTimer: Loop._stop_timer,
    Changed: Loop._changed,
    Verdict: Loop._verdict,
    Tell: Loop._tell,
    Deliver: Loop._deliver,
    Up: Loop._up,
}
