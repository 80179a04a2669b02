# SPDX-License-Identifier: Apache-2.0
"""ESM transactions that the phone begins (TS 24.301, 6.5): a PTI each, a timer that repeats the request."""

from collections.abc import Callable, Iterator

from dialtone.codec.nas.tables import EsmMessage
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, StartTimer, StopTimer
from dialtone.sim.phone import Phone, Transaction, on
from dialtone.sim.states import EmmState
from dialtone.sim.timers import TIMERS

LAST_PTI = 254
ATTACH_PTI = 1
"""The PDN connection of the attach has this one, and no transaction of its own."""


def begin(phone: Phone, procedure: str, timer: str, about: str, build: Callable[[int], EsmMessage]) -> Effects:
    """Send what `build` makes of a new PTI; `about` is an APN or a bearer, for whoever ends the transaction."""
    if phone.emm != EmmState.REGISTERED or not phone.connected:
        yield phone.outcome(procedure, False, f"not tried: the phone is {phone.emm}, with no connection")
        return
    pti = next(pti for pti in range(ATTACH_PTI + 1, LAST_PTI + 1) if pti not in phone.transactions)
    message = build(pti)
    phone.transactions[pti] = Transaction(procedure, timer, message, about)
    yield phone.send(message)
    yield StartTimer(timer, (phone.imsi, pti), TIMERS[timer].seconds)


def end(phone: Phone, pti: int) -> Iterator[Effect]:
    """The network has answered."""
    transaction = phone.transactions.pop(pti, None)
    if transaction is not None:
        yield StopTimer(transaction.timer, (phone.imsi, pti))


def abandon(phone: Phone, why: str) -> Iterator[Effect]:
    """Nobody will answer any more."""
    for pti in list(phone.transactions):
        procedure = phone.transactions[pti].procedure
        yield from end(phone, pti)
        yield phone.outcome(procedure, False, f"{procedure} failed: {why}")


def _expired(phone: Phone, key: tuple[str, int], rx: Rx) -> Effects:
    phone.mark(rx)
    transaction = phone.transactions.get(key[1])
    if transaction is None or phone.deaf:
        return
    row = TIMERS[transaction.timer]
    transaction.attempts += 1
    if transaction.attempts < row.attempts:
        yield phone.send(transaction.message)
        yield StartTimer(transaction.timer, key, row.seconds)
    else:
        del phone.transactions[key[1]]
        yield phone.outcome(transaction.procedure, False,
                            f"{transaction.procedure} failed: no answer ({transaction.timer})")


@on.timer("T3480", "TS 24.301, 6.5.3.5 a")
def on_t3480(phone: Phone, key: tuple[str, int], rx: Rx) -> Effects:
    """No answer to a Bearer resource allocation request."""
    return _expired(phone, key, rx)


@on.timer("T3481", "TS 24.301, 6.5.4.5 a")
def on_t3481(phone: Phone, key: tuple[str, int], rx: Rx) -> Effects:
    """No answer to a Bearer resource modification request."""
    return _expired(phone, key, rx)


@on.timer("T3482", "TS 24.301, 6.5.1.5 a")
def on_t3482(phone: Phone, key: tuple[str, int], rx: Rx) -> Effects:
    """No answer to a PDN connectivity request."""
    return _expired(phone, key, rx)


@on.timer("T3492", "TS 24.301, 6.5.2.5 a")
def on_t3492(phone: Phone, key: tuple[str, int], rx: Rx) -> Effects:
    """No answer to a PDN disconnect request."""
    return _expired(phone, key, rx)
