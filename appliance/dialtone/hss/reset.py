# SPDX-License-Identifier: Apache-2.0
"""Reset (TS 29.272, 5.2.4.1): after a loss of data here, every MME tells again where its phones are."""

from dataclasses import dataclass

from dialtone.codec.diameter import ResetAnswer, ResetRequest
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, Unanswered, Verdict
from dialtone.hss.element import Hss, on, outcome
from dialtone.hss.subscriber import Registration

SUCCESS = 2001


@dataclass(slots=True)
class Reset(Event):
    """A command: ask all MMEs, about the subscribers whose IMSI begins with one of `prefixes`, or all."""

    prefixes: tuple[str, ...] = ()


@on.event(Reset)
def on_reset(hss: Hss, event: Reset, rx: Rx) -> Effects:
    """One request for each MME that serves anybody."""
    mmes = {served.mme: served for served in hss.subscribers.registrations() if not served.purged}
    for served in mmes.values():
        yield hss.ask(served, ResetRequest(**hss.header(served), user_id=event.prefixes))


@on("S6a", ResetAnswer)
def on_reset_answer(hss: Hss, msg: ResetAnswer, rx: Rx) -> Effects:
    """The MME will tell."""
    assert rx.request is not None
    served: Registration = rx.request.context
    if outcome(msg) == SUCCESS:
        yield Verdict("reset", True, f"{served.mme} tells of each phone when it hears of it")
    else:
        yield Verdict("reset", False, f"{served.mme} answered {outcome(msg)}")


@on.unanswered(ResetRequest)
def on_no_reset_answer(hss: Hss, event: Unanswered, rx: Rx) -> Effects:
    """The MME is away."""
    yield Verdict("reset", False, f"{event.request.context.mme} does not answer")
