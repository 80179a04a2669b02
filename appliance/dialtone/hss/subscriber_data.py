# SPDX-License-Identifier: Apache-2.0
"""A changed subscription for the MME that serves the phone (TS 29.272, 5.2.2): what is new, then what is gone.

Insert-Subscriber-Data Request -> Answer; Delete-Subscriber-Data Request -> Answer
"""

from dataclasses import dataclass

from dialtone.codec.diameter import (
    DeleteSubscriberDataAnswer,
    DeleteSubscriberDataRequest,
    ExperimentalResultCode,
    InsertSubscriberDataAnswer,
    InsertSubscriberDataRequest,
)
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, Unanswered, Verdict
from dialtone.hss import push_profile
from dialtone.hss.element import Hss, on, outcome
from dialtone.hss.subscriber import Registration, Subscriber
from dialtone.hss.subscription import difference

SUCCESS = 2001
UNKNOWN = ExperimentalResultCode.DIAMETER_ERROR_USER_UNKNOWN


@dataclass(slots=True)
class SubscriptionChanged(Event):
    """A subscriber was `before` and is `after`, on the disk."""

    before: Subscriber
    after: Subscriber


@on.event(SubscriptionChanged)
def on_subscription_changed(hss: Hss, event: SubscriptionChanged, rx: Rx) -> Effects:
    """Nothing is sent where nobody serves the phone, or nothing of it concerns an MME or S-CSCF."""
    imsi = rx.subject = event.after.imsi
    yield from push_profile.changed(hss, event.before, event.after)
    served = hss.subscribers.registration(imsi)
    if served is None or served.purged:
        return
    changes = difference(event.before, event.after)
    if changes.inserted is not None:
        yield hss.ask(served, InsertSubscriberDataRequest(
            **hss.header(served), user_name=imsi, subscription_data=changes.inserted))
    if changes.dsr_flags:
        yield hss.ask(served, DeleteSubscriberDataRequest(
            **hss.header(served), user_name=imsi, dsr_flags=changes.dsr_flags, context_identifier=changes.contexts))


@on("S6a", InsertSubscriberDataAnswer)
def on_insert_subscriber_data_answer(hss: Hss, msg: InsertSubscriberDataAnswer, rx: Rx) -> Effects:
    """The MME has it."""
    return _told(outcome(msg), rx)


@on("S6a", DeleteSubscriberDataAnswer)
def on_delete_subscriber_data_answer(hss: Hss, msg: DeleteSubscriberDataAnswer, rx: Rx) -> Effects:
    """The MME has forgotten it."""
    return _told(outcome(msg), rx)


def _told(code: int, rx: Rx) -> Effects:
    assert rx.request is not None
    served: Registration = rx.request.context
    rx.subject = served.imsi
    if code == SUCCESS:
        yield Verdict("profile push", True, f"{served.mme} has the new subscription")
    elif code == UNKNOWN:
        yield Verdict("profile push", True, f"{served.mme} does not know the phone now; it gets the new subscription "
                      "when it comes back")
    else:
        yield Verdict("profile push", False, f"{served.mme} answered {code}: the phone has its old subscription until "
                      "it attaches anew")


@on.unanswered(InsertSubscriberDataRequest)
def on_no_insert_subscriber_data_answer(hss: Hss, event: Unanswered, rx: Rx) -> Effects:
    """The MME is away."""
    return _silent(event, rx)


@on.unanswered(DeleteSubscriberDataRequest)
def on_no_delete_subscriber_data_answer(hss: Hss, event: Unanswered, rx: Rx) -> Effects:
    """The MME is away."""
    return _silent(event, rx)


def _silent(event: Unanswered, rx: Rx) -> Effects:
    served: Registration = event.request.context
    rx.subject = served.imsi
    yield Verdict("profile push", False,
                  f"{served.mme} does not answer: the phone has its old subscription until it attaches anew")
