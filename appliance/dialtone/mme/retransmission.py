# SPDX-License-Identifier: Apache-2.0
"""Send a NAS message and repeat it until its timer has run out as often as TS 24.301 allows."""

from collections.abc import Iterator

from dialtone.codec.message import Message
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Send, StartTimer, StopTimer
from dialtone.mme.context import Retry, Ue
from dialtone.mme.element import Mme
from dialtone.mme.timers import TIMERS


def send(ue: Ue, timer: str, message: Message, via: Message | None = None) -> Iterator[Effect]:
    """Send `message` and start `timer`."""
    row = TIMERS[timer]
    ue.retries[timer] = Retry(message, row.repeats, row.seconds)
    yield Send("NAS", ue, message, via=via)
    yield StartTimer(timer, ue.number, row.seconds)


def stop(ue: Ue, timer: str) -> Iterator[Effect]:
    """The answer came."""
    if ue.retries.pop(timer, None):
        yield StopTimer(timer, ue.number)


def stop_all(ue: Ue) -> Iterator[Effect]:
    """The procedure was overtaken by another one."""
    for timer in list(ue.retries):
        yield from stop(ue, timer)


def suspend(ue: Ue) -> dict[str, Retry]:
    """What is being repeated; the phone is about to get another connection, and timers are named after those."""
    waiting, ue.retries = ue.retries, {}
    return waiting


def resume(ue: Ue, before: int, waiting: dict[str, Retry]) -> Iterator[Effect]:
    """Go on under the new number, with a full interval for the way over there."""
    ue.retries = waiting
    for timer, retry in waiting.items():
        yield StopTimer(timer, before)
        yield StartTimer(timer, ue.number, retry.seconds)


def again(mme: Mme, number: int, timer: str, rx: Rx) -> tuple[Ue | None, list[Effect]]:
    """The timer expired: the message once more, or no effects when it was sent often enough."""
    ue = mme.ues.get(number)
    if ue is None or ue.enb is None or (retry := ue.retries.get(timer)) is None:
        return None, []
    rx.subject, rx.state = ue.label, ue.emm
    if retry.left == 0:
        del ue.retries[timer]
        return ue, []
    retry.left -= 1
    return ue, [Send("NAS", ue, retry.message), StartTimer(timer, number, retry.seconds)]
