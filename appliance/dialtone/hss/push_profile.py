# SPDX-License-Identifier: Apache-2.0
"""A changed user profile for the S-CSCF that has the user (TS 29.228, 6.2.2)."""

from collections.abc import Iterator

from dialtone.codec.diameter import PushProfileAnswer, PushProfileRequest, ReasonCode
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, Save, Unanswered, Verdict
from dialtone.hss import ims, registration_termination
from dialtone.hss.element import Hss, on, outcome
from dialtone.hss.ims_profile import document
from dialtone.hss.subscriber import ImsRegistration, Subscriber
from dialtone.hss.writes import ForgetImsRegistration

SUCCESS = 2001


def changed(hss: Hss, before: Subscriber, after: Subscriber) -> Iterator[Effect]:
    """What the S-CSCF is told when a subscriber was so and is now so. A profile cannot take identities away from
    a set that is registered (6.2.2.1): then the phone registers anew."""
    served = ims.registration(hss, after.imsi)
    if not served.scscf or document(hss, before) == document(hss, after):
        return
    if before.impi != after.impi or not set(before.impus) <= set(after.impus):
        yield Save((ForgetImsRegistration(after.imsi),))
        yield registration_termination.request(hss, before, served, ReasonCode.SERVER_CHANGE)
    elif served.state != ims.NOT_REGISTERED:
        yield hss.ask_cscf(served, PushProfileRequest(
            **hss.header_to(served.host, served.realm), vendor_specific_application_id=ims.APPLICATION,
            user_name=after.impi, user_data=document(hss, after)))


@on("Cx", PushProfileAnswer)
def on_push_profile_answer(hss: Hss, msg: PushProfileAnswer, rx: Rx) -> Effects:
    """The S-CSCF has it."""
    assert rx.request is not None
    served: ImsRegistration = rx.request.context
    rx.subject = served.imsi
    if outcome(msg) == SUCCESS:
        yield Verdict("IMS profile push", True, f"{served.host} has the new profile")
    else:
        yield Verdict("IMS profile push", False,
                      f"{served.host} answered {outcome(msg)}: the old profile holds until the phone registers anew")


@on.unanswered(PushProfileRequest)
def on_no_push_profile_answer(hss: Hss, event: Unanswered, rx: Rx) -> Effects:
    """The S-CSCF is away."""
    served: ImsRegistration = event.request.context
    rx.subject = served.imsi
    yield Verdict("IMS profile push", False,
                  f"{served.host} does not answer: the old profile holds until the phone registers anew")
