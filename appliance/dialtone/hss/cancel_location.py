# SPDX-License-Identifier: Apache-2.0
"""Cancel Location (TS 29.272, 5.2.1.2): an MME need not serve the subscriber any longer, or must not."""

from dataclasses import dataclass

from dialtone.codec.diameter import CancelLocationAnswer, CancelLocationRequest
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, Request, Unanswered, Verdict
from dialtone.hss.element import Hss, on, outcome
from dialtone.hss.subscriber import Registration

MME_UPDATE, SUBSCRIPTION_WITHDRAWAL = 0, 2  # Cancellation-Type (7.3.24)
S6A, REATTACH_REQUIRED = 1 << 0, 1 << 1  # CLR-Flags (7.3.152)
SUCCESS = 2001


@dataclass(slots=True)
class Withdraw(Event):
    """A command: who is `served` has no subscription any more; with `reattach` it has, and shall come anew."""

    served: Registration
    reattach: bool = False


def request(hss: Hss, served: Registration, kind: int, *, reattach: bool = False) -> Request:
    """Tell the MME of `served`; `kind` is the Cancellation-Type."""
    flags = S6A | (REATTACH_REQUIRED if reattach else 0)
    return hss.ask(served, CancelLocationRequest(
        **hss.header(served), user_name=served.imsi, cancellation_type=kind, clr_flags=flags))


@on.event(Withdraw)
def on_withdraw(hss: Hss, event: Withdraw, rx: Rx) -> Effects:
    """An MME that has forgotten the phone already need not be told."""
    rx.subject = event.served.imsi
    if not event.served.purged:
        yield request(hss, event.served, SUBSCRIPTION_WITHDRAWAL, reattach=event.reattach)


@on("S6a", CancelLocationAnswer)
def on_cancel_location_answer(hss: Hss, msg: CancelLocationAnswer, rx: Rx) -> Effects:
    """The MME has let it go."""
    assert rx.request is not None
    served: Registration = rx.request.context
    rx.subject = served.imsi
    if outcome(msg) == SUCCESS:
        yield Verdict("cancel location", True, f"{served.mme} serves it no longer")
    else:
        yield Verdict("cancel location", False, f"{served.mme} answered {outcome(msg)}")


@on.unanswered(CancelLocationRequest)
def on_no_cancel_location_answer(hss: Hss, event: Unanswered, rx: Rx) -> Effects:
    """It may still serve the phone: until the phone moves, or is authenticated anew."""
    served: Registration = event.request.context
    rx.subject = served.imsi
    yield Verdict("cancel location", False, f"{served.mme} does not answer: it may serve the phone until that moves")
