# SPDX-License-Identifier: Apache-2.0
"""The loop: effects in order and none past a save that is not safe, requests, defects, timers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialtone import dispatch
from dialtone.codec.message import Message
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import (
    Answer,
    Effects,
    Event,
    Request,
    Save,
    Send,
    StartTimer,
    StopTimer,
    Unanswered,
)
from dialtone.element import Element
from dialtone.errors import ProtocolError
from dialtone.loop import Done, Loop
from dialtone.requests import Policy
from dialtone.timers import Timers

POLICY = Policy("number", (), 255, "T3-RESPONSE", 3.0, 2)


@dataclass(slots=True)
class Text(Message):
    """A word, and a number for requests and their answers."""

    NAME: ClassVar[str] = "Text"
    CLAUSE: ClassVar[str] = ""
    word: str = ""
    number: int = 0


@dataclass(slots=True)
class TextAnswer(Text):
    """Answers a Text."""


class Codec:
    """`T1:word` and `A1:word`; a word that is no ASCII is the peer's fault."""

    def decode(self, data: bytes) -> Message:
        if not data.isascii():
            raise ProtocolError("no text")
        head, _, word = data.decode().partition(":")
        return (TextAnswer if head[0] == "A" else Text)(word, int(head[1:]))

    def encode(self, message: Text) -> bytes:
        return f"{'A' if isinstance(message, TextAnswer) else 'T'}{message.number}:{message.word}".encode()


class Wire:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        self.sent.append(data.decode())


class NotSaved(Event):
    """A save failed."""


class Rig(Element):
    """An element whose handlers do what a test gives them to do, and its loop."""

    name = "rig"

    def __init__(self) -> None:
        self.on = Handlers("rig")
        self.now = 100.0
        self.loop = Loop(lambda: self.now)
        self.wire = Wire()
        self.seen: list[str] = []
        self.saves: list[Done] = []
        self.loop.add(self)
        self.loop.bind("rig", "P", Codec(), self.wire)
        self.loop.performers[Save] = lambda effect, done: self.saves.append(done)

    def requests(self) -> None:
        self.loop.bind("rig", "P", Codec(), self.wire, policy=POLICY)

    def receive(self, *texts: str) -> None:
        for text in texts:
            self.loop.deliver("rig", "P", "peer", text.encode())
        self.loop.run()

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.loop.expire()
        self.loop.run()

    def refuse(self, error: ProtocolError, rx: Rx) -> Effects:
        return [Send("P", rx.peer, Text(f"refused, {error}"))]

    def fault(self, rx: Rx) -> Effects:
        return [Send("P", rx.peer, Text("sorry"))]

    def trace(self) -> list[str]:
        return [f"{event.kind} {event.point} {event.name} {event.info}".strip() for event in self.loop.bus.ring]


@pytest.fixture
def rig() -> Iterator[Rig]:
    tables = dispatch.ALL.copy()
    yield Rig()
    dispatch.ALL[:] = tables  # the message index is of the product's elements only


def test_what_stands_after_a_save_waits_for_it_and_nothing_else_does(rig: Rig) -> None:
    @rig.on("P", Text)
    def on_text(rig: Rig, msg: Text, rx: Rx) -> Effects:
        yield Send("P", "peer", Text(f"{msg.word} before"))
        if msg.word == "slow":
            yield Save(())
        yield Send("P", "peer", Text(f"{msg.word} after"))

    rig.receive("T1:slow", "T2:quick")
    assert rig.wire.sent == ["T0:slow before", "T0:quick before", "T0:quick after"]
    rig.saves.pop()(None)
    assert rig.wire.sent[3:] == []  # a completion queues, it does not run inside of whoever reports it
    rig.loop.run()
    assert rig.wire.sent[3:] == ["T0:slow after"]


def test_a_save_that_is_safe_at_once_goes_on_in_the_same_turn(rig: Rig) -> None:
    rig.loop.performers[Save] = lambda effect, done: done(None)

    @rig.on("P", Text)
    def on_text(rig: Rig, msg: Text, rx: Rx) -> Effects:
        return [Save(()), Send("P", "peer", Text("after"))]

    rig.receive("T1:a")
    assert rig.wire.sent == ["T0:after"]
    assert not rig.loop.pending()


@pytest.mark.parametrize("later", [False, True])
def test_a_save_that_fails_drops_the_rest_and_is_told(rig: Rig, later: bool) -> None:
    if not later:
        rig.loop.performers[Save] = lambda effect, done: done(OSError("disk full"))

    @rig.on("P", Text)
    def on_text(rig: Rig, msg: Text, rx: Rx) -> Effects:
        return [Save((), failed=NotSaved()), Send("P", "peer", Text("never"))]

    @rig.on.event(NotSaved)
    def on_not_saved(rig: Rig, event: NotSaved, rx: Rx) -> Effects:
        return [Send("P", "peer", Text("no room"))]

    rig.receive("T1:a")
    if later:
        rig.saves.pop()(OSError("disk full"))
        rig.loop.run()
    assert rig.wire.sent == ["T0:no room"]
    assert "done error Save disk full" in rig.trace()


def test_bytes_and_messages_nobody_can_take_are_refused_counted_and_traced(rig: Rig) -> None:
    rig.loop.deliver("rig", "P", "peer", b"\xff")
    rig.receive("T1:a")
    assert rig.wire.sent == ["T0:refused, no text", "T0:refused, Text is not expected at P of rig"]
    assert rig.loop.counters == {"P undecodable": 1, "P refused": 1}
    assert [line for line in rig.trace() if line.startswith("rx")] == [
        "rx P undecodable no text", "rx P Text Text is not expected at P of rig"]


def test_a_defect_costs_one_message(rig: Rig) -> None:
    @rig.on("P", Text)
    def on_text(rig: Rig, msg: Text, rx: Rx) -> Effects:
        yield Send("P", "peer", Text(str(1 // int(msg.word))))

    rig.receive("T1:0", "T2:1")
    assert rig.wire.sent == ["T0:sorry", "T0:1"]
    assert rig.loop.counters == {"internal error": 1}


def test_what_cannot_be_encoded_costs_that_effect_only(rig: Rig) -> None:
    @rig.on("P", Text)
    def on_text(rig: Rig, msg: Text, rx: Rx) -> Effects:
        return [Send("P", "peer", Text("\ud800")), Send("P", "peer", Text("fine"))]

    rig.receive("T1:a")
    assert rig.wire.sent == ["T0:fine"]
    assert any(line.startswith("done error Send") for line in rig.trace())


def test_a_request_comes_back_with_its_answer_and_is_repeated_without_one(rig: Rig) -> None:
    rig.requests()

    @rig.on.event(NotSaved)
    def on_not_saved(rig: Rig, event: NotSaved, rx: Rx) -> Effects:
        return [Request("P", "peer", Text("a"), context="first"), Request("P", "peer", Text("b"), context="second")]

    @rig.on("P", TextAnswer)
    def on_text_answer(rig: Rig, msg: TextAnswer, rx: Rx) -> Effects:
        assert rx.request is not None
        rig.seen.append(f"{msg.word} answers {rx.request.context}")
        return ()

    @rig.on.unanswered(Text)
    def on_no_answer(rig: Rig, event: Unanswered, rx: Rx) -> Effects:
        rig.seen.append(f"nobody answers {event.request.context}")
        return ()

    rig.loop.tell("rig", NotSaved())
    rig.loop.run()
    assert rig.wire.sent == ["T1:a", "T2:b"]
    rig.receive("A2:yes", "A2:yes", "A7:what")
    assert rig.seen == ["yes answers second"]
    assert rig.loop.counters == {"P duplicate": 2}
    for _ in range(4):
        rig.pass_time(POLICY.seconds)
    assert rig.wire.sent[2:] == ["T1:a"] * POLICY.repeats
    assert rig.seen == ["yes answers second", "nobody answers first"]
    assert not rig.loop.timers()


def test_a_repeated_request_gets_the_same_answer_and_no_second_handling(rig: Rig) -> None:
    rig.requests()

    @rig.on("P", Text)
    def on_text(rig: Rig, msg: Text, rx: Rx) -> Effects:
        rig.seen.append(msg.word)
        return [Save(()), Answer(TextAnswer("done"))]

    rig.receive("T9:a", "T9:a")  # the second one while the first is still in work
    assert rig.wire.sent == []
    rig.saves.pop()(None)
    rig.loop.run()
    rig.receive("T9:a")
    assert rig.wire.sent == ["A9:done", "A9:done"]
    assert rig.seen == ["a"]


def test_a_timer_of_an_element(rig: Rig) -> None:
    @rig.on("P", Text)
    def on_text(rig: Rig, msg: Text, rx: Rx) -> Effects:
        yield StopTimer("T1", 7) if msg.word == "stop" else StartTimer("T1", 7, float(msg.word))

    @rig.on.timer("T1", "")
    def on_t1(rig: Rig, key: int, rx: Rx) -> Effects:
        rig.seen.append(f"{key} at {rx.now:.0f}")
        return ()

    rig.receive("T1:5", "T2:10", "T3:stop", "T4:20")  # started anew, stopped, and started again
    rig.pass_time(19)
    assert rig.seen == []
    rig.pass_time(1)
    assert rig.seen == ["7 at 120"]
    assert rig.loop.due() is None


@given(st.lists(st.tuples(st.integers(0, 3), st.one_of(st.none(), st.integers(0, 20)))), st.integers(0, 20))
def test_timers_against_a_table(steps: list[tuple[int, int | None]], now: int) -> None:
    timers, table, fired = Timers(), {}, []
    for serial, (key, when) in enumerate(steps):
        if when is None:
            timers.stop(key)
            table.pop(key, None)
        else:
            timers.start(key, when, lambda mark=(when, serial): fired.append(mark))
            table[key] = (when, serial)
    assert timers.due() == min((when for when, _ in table.values()), default=None)
    for fire in timers.expired(now):
        fire()
    assert fired == sorted(mark for mark in table.values() if mark[0] <= now)
    assert sorted(timers.keys()) == sorted(key for key, (when, _) in table.items() if when > now)


def test_timers_that_were_stopped_are_not_kept_for_ever() -> None:
    timers = Timers()
    timers.start("runs", 5.0, lambda: None)
    for number in range(50_000):
        timers.start(number, 1000.0, lambda: None)
        timers.stop(number)
    assert len(timers._heap) < 25_000
    assert (timers.due(), timers.keys()) == (5.0, ["runs"])
