# SPDX-License-Identifier: Apache-2.0
"""A short message under way between MME and phone (TS 24.011, 5.2 and 5.3): its transaction, CP-DATA and repetition."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from dialtone.codec.sms import CPData, RpMessage, rp
from dialtone.dispatch import Rx
from dialtone.effects import Changed, Effect, Effects, Send, StartTimer, StopTimer
from dialtone.mme import paging
from dialtone.mme.context import Errand, Ue
from dialtone.mme.element import Mme, on
from dialtone.mme.states import SM, SmState
from dialtone.mme.timers import TIMERS

Key = tuple[int, bool, int]
"""The phone's S11 TEID, whether the network began, and the transaction identifier."""
Lost = Callable[[Mme, "Exchange", Rx, str], Effects]


@dataclass(slots=True)
class Exchange:
    """`ours`: the network began, with a text for the phone; then `request` is what asked for it. `heard` is what the
    phone said last, to know it again. `lost` is what follows when the phone does not answer."""

    ue: Ue
    ti: int
    ours: bool
    reference: int
    lost: Lost
    request: Rx | None = None
    heard: bytes = b""
    state: SmState = SM.initial
    message: CPData | None = None
    left: int = 0

    @property
    def key(self) -> Key:
        """Where it stands in the table."""
        return self.ue.s11_teid, self.ours, self.ti

    @property
    def guard(self) -> str:
        """The timer of the relay layer that watches over it."""
        return "TR1N" if self.ours else "TR2N"

    def move(self, event: str) -> Iterator[Changed]:
        """Move its state machine."""
        old, self.state = self.state, SM.after(self.state, event)
        yield Changed(SM.name, self.ue.label, old, self.state)


def begin(mme: Mme, exchange: Exchange, event: str) -> Iterator[Effect]:
    """Into the table, watched over."""
    mme.exchanges[exchange.key] = exchange
    yield from exchange.move(event)
    yield StartTimer(exchange.guard, exchange.key, TIMERS[exchange.guard].seconds)


def close(mme: Mme, exchange: Exchange, event: str) -> Iterator[Effect]:
    """Done, well or not."""
    if mme.exchanges.get(exchange.key) is exchange:
        del mme.exchanges[exchange.key]
        for timer in ("TC1*", exchange.guard):
            yield StopTimer(timer, exchange.key)
        yield from exchange.move(event)


def carry(mme: Mme, exchange: Exchange, message: RpMessage, rx: Rx) -> Effects:
    """An RP message for the phone, which is called if it is idle."""
    exchange.message = CPData(ti=exchange.ti, answering=not exchange.ours, user_data=rp.encode(message))
    exchange.left = TIMERS["TC1*"].repeats
    yield StartTimer(exchange.guard, exchange.key, TIMERS[exchange.guard].seconds)
    yield from _reach(mme, exchange, rx)


def _reach(mme: Mme, exchange: Exchange, rx: Rx) -> Effects:
    return paging.reach(mme, exchange.ue, rx, Errand(partial(_send, exchange), partial(_in_vain, exchange)))


def _send(exchange: Exchange, mme: Mme, ue: Ue, rx: Rx) -> Effects:
    if mme.exchanges.get(exchange.key) is exchange and exchange.message is not None:
        yield Send("SMS", ue, exchange.message)
        yield StartTimer("TC1*", exchange.key, TIMERS["TC1*"].seconds)


def _in_vain(exchange: Exchange, mme: Mme, ue: Ue, rx: Rx) -> Effects:
    if mme.exchanges.get(exchange.key) is exchange:
        yield from exchange.lost(mme, exchange, rx, "the phone cannot be reached")


def acknowledged(exchange: Exchange) -> Iterator[Effect]:
    """The phone has our CP-DATA."""
    exchange.message = None
    yield StopTimer("TC1*", exchange.key)


@on.timer("TC1*", "TS 24.011, 5.3.2.1")
def on_tc1(mme: Mme, key: Key, rx: Rx) -> Effects:
    """No CP-ACK: the CP-DATA once more, or the end of it."""
    exchange = mme.exchanges.get(key)
    if exchange is None:
        return
    rx.subject, rx.state = exchange.ue.label, exchange.state
    if exchange.left:
        exchange.left -= 1
        yield from _reach(mme, exchange, rx)
    else:
        yield from exchange.lost(mme, exchange, rx, "the phone does not confirm CP-DATA (TC1*)")


@on.timer("TR1N", "TS 24.011, 6.3.1")
def on_tr1n(mme: Mme, key: Key, rx: Rx) -> Effects:
    """The phone has the text and says nothing of it."""
    yield from _expired(mme, key, rx, "the phone does not answer RP-DATA (TR1N)")


@on.timer("TR2N", "TS 24.011, 6.3.1")
def on_tr2n(mme: Mme, key: Key, rx: Rx) -> Effects:
    """The service centre does not answer, or the phone does not take the answer."""
    yield from _expired(mme, key, rx, "no answer of the service centre in time (TR2N)")


def _expired(mme: Mme, key: Key, rx: Rx, why: str) -> Effects:
    exchange = mme.exchanges.get(key)
    if exchange is not None:
        rx.subject, rx.state = exchange.ue.label, exchange.state
        yield from exchange.lost(mme, exchange, rx, why)
