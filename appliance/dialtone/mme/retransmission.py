# SPDX-License-Identifier: Apache-2.0
"""Send a NAS message and repeat it until its timer has run out as often as TS 24.301 allows."""

from collections.abc import Iterator

from dialtone.codec.message import Message
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Send, StartTimer, StopTimer
from dialtone.mme.context import Retry, Ue
from dialtone.mme.element import Mme
from dialtone.mme.timers import TIMERS

Name = str | tuple[str, int]
"""Of a timer; in ESM with the EBI or PTI that it runs for."""


def send(ue: Ue, timer: str, message: Message, via: Message | None = None, about: int = 0) -> Iterator[Effect]:
    """Send `message` and start `timer`. ESM runs a timer for each bearer or transaction: `about` is its EBI or PTI."""
    row = TIMERS[timer]
    ue.retries[_name(timer, about)] = Retry(message, row.repeats, row.seconds)
    yield Send("NAS", ue, message, via=via)
    yield StartTimer(timer, (ue.number, about) if about else ue.number, row.seconds)


def runs(ue: Ue, timer: str, about: int) -> bool:
    """Whether the answer is still awaited."""
    return _name(timer, about) in ue.retries


def stop(ue: Ue, timer: str, about: int = 0) -> Iterator[Effect]:
    """The answer came."""
    if ue.retries.pop(_name(timer, about), None):
        yield StopTimer(timer, (ue.number, about) if about else ue.number)


def stop_all(ue: Ue) -> Iterator[Effect]:
    """The procedure was overtaken by another one."""
    for name in list(ue.retries):
        yield from stop(ue, *name) if isinstance(name, tuple) else stop(ue, name)


def suspend(ue: Ue) -> dict[Name, Retry]:
    """What is being repeated; the phone is about to get another connection, and timers are named after those."""
    waiting, ue.retries = ue.retries, {}
    return waiting


def resume(ue: Ue, before: int, waiting: dict[Name, Retry]) -> Iterator[Effect]:
    """Go on under the new number, with a full interval for the way over there."""
    ue.retries = waiting
    for name, retry in waiting.items():
        timer, about = name if isinstance(name, tuple) else (name, 0)
        yield StopTimer(timer, (before, about) if about else before)
        yield StartTimer(timer, (ue.number, about) if about else ue.number, retry.seconds)


def again(mme: Mme, key: int | tuple[int, int], timer: str, rx: Rx) -> tuple[Ue | None, list[Effect]]:
    """The timer expired: the message once more, or no effects when it was sent often enough."""
    number, about = key if isinstance(key, tuple) else (key, 0)
    ue = mme.ues.get(number)
    name = _name(timer, about)
    if ue is None or ue.enb is None or (retry := ue.retries.get(name)) is None:
        return None, []
    rx.subject, rx.state = ue.label, ue.emm
    if retry.left == 0:
        del ue.retries[name]
        return ue, []
    retry.left -= 1
    return ue, [Send("NAS", ue, retry.message), StartTimer(timer, key, retry.seconds)]


def again_if_lost(ue: Ue) -> Iterator[Effect]:
    """A handover has come to its end, well or not. If the eNB returned NAS since it had begun, what is being repeated
    goes out once more now; the timers run on (TS 23.401, 5.5.1.1.1)."""
    undelivered, ue.undelivered = ue.undelivered, False
    if not undelivered:
        return
    for retry in ue.retries.values():
        yield Send("NAS", ue, retry.message)


def _name(timer: str, about: int) -> Name:
    return (timer, about) if about else timer
