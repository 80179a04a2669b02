# SPDX-License-Identifier: Apache-2.0
"""Network initiated de-registration by the HSS (TS 29.228, 6.1.3): by command, or because the subscriber is gone."""

from dataclasses import dataclass

from dialtone.codec.diameter import (
    DeregistrationReason,
    ReasonCode,
    RegistrationTerminationAnswer,
    RegistrationTerminationRequest,
)
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, Request, Save, Unanswered, Verdict
from dialtone.hss import ims
from dialtone.hss.element import Hss, on, outcome
from dialtone.hss.subscriber import ImsRegistration, Subscriber
from dialtone.hss.writes import ForgetImsRegistration

SUCCESS = 2001
REASONS = {"removed": ReasonCode.PERMANENT_TERMINATION, "again": ReasonCode.SERVER_CHANGE}
"""What a command may say: it has no subscription any more, or shall register anew (TS 29.228, 6.1.3.1)."""


@dataclass(slots=True)
class EndRegistration(Event):
    """A command: the S-CSCF lets the subscriber go, whose registration this is."""

    subscriber: Subscriber
    served: ImsRegistration
    reason: ReasonCode = ReasonCode.PERMANENT_TERMINATION


@on.event(EndRegistration)
def on_end_registration(hss: Hss, event: EndRegistration, rx: Rx) -> Effects:
    """The HSS knows the user as not registered from now on, whatever the S-CSCF says."""
    rx.subject = event.subscriber.imsi
    yield Save((ForgetImsRegistration(event.subscriber.imsi),))
    yield request(hss, event.subscriber, event.served, event.reason)


def request(hss: Hss, subscriber: Subscriber, served: ImsRegistration, reason: ReasonCode) -> Request:
    """With the list of public identities: there are S-CSCFs that cannot find a user by the private one alone."""
    return hss.ask_cscf(served, RegistrationTerminationRequest(
        **hss.header_to(served.host, served.realm), vendor_specific_application_id=ims.APPLICATION,
        user_name=subscriber.impi, public_identity=subscriber.impus,
        deregistration_reason=DeregistrationReason(reason_code=reason)))


@on("Cx", RegistrationTerminationAnswer)
def on_registration_termination_answer(hss: Hss, msg: RegistrationTerminationAnswer, rx: Rx) -> Effects:
    """The S-CSCF has let it go."""
    assert rx.request is not None
    served: ImsRegistration = rx.request.context
    rx.subject = served.imsi
    if outcome(msg) == SUCCESS:
        yield Verdict("IMS de-registration", True, f"{served.host} serves it no longer")
    else:
        yield Verdict("IMS de-registration", False, f"{served.host} answered {outcome(msg)}")


@on.unanswered(RegistrationTerminationRequest)
def on_no_registration_termination_answer(hss: Hss, event: Unanswered, rx: Rx) -> Effects:
    """It may still serve the phone, until the phone registers anew or its registration runs out."""
    served: ImsRegistration = event.request.context
    rx.subject = served.imsi
    yield Verdict("IMS de-registration", False,
                  f"{served.host} does not answer: it may serve the phone until its registration runs out")
