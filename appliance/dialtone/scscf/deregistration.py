# SPDX-License-Identifier: Apache-2.0
"""De-registration by timer and by the network (TS 24.229, 5.4.1.4 and 5.4.1.5; TS 29.228, 6.1.3)."""

from dataclasses import dataclass

from dialtone.codec.diameter import (
    AssignmentType,
    ReasonCode,
    RegistrationTerminationAnswer,
    RegistrationTerminationRequest,
    ResultCode,
)
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Event
from dialtone.scscf import assignment
from dialtone.scscf.element import Scscf, on
from dialtone.scscf.states import REGISTRATION, RegistrationState
from dialtone.scscf.timers import EXPIRES
from dialtone.scscf.user import User


@dataclass(slots=True)
class Deregister(Event):
    """Take the registration of a private identity away: a command."""

    impi: str


@on.timer(EXPIRES.name, EXPIRES.clause)
def on_registration_expires(scscf: Scscf, impi: str, rx: Rx) -> Effects:
    """Contacts were not refreshed in time; or a user who is away was served for long enough."""
    user = scscf.users.get(impi)
    if user is None:
        return
    rx.subject = user.subject
    if user.state is RegistrationState.UNREGISTERED:
        yield from assignment.change(user, "de-registered")
        yield assignment.inform(scscf, user.impi, user.identities[0].identity, AssignmentType.TIMEOUT_DEREGISTRATION)
        scscf.tidy(user)
        return
    gone = [user.contacts.pop(each.key) for each in list(user.contacts.values()) if each.expires <= rx.now + 0.001]
    yield from assignment.drop(scscf, user, gone, "expired", AssignmentType.TIMEOUT_DEREGISTRATION, rx.now)
    if not gone:
        yield from assignment.watch(user, rx.now)


@on.event(Deregister)
def on_deregister(scscf: Scscf, event: Deregister, rx: Rx) -> Effects:
    """By command: the phone learns it from its subscription, and may register again at once."""
    user = scscf.users.get(event.impi)
    if user is not None:
        rx.subject = user.subject
        yield from remove(scscf, user, "deactivated", AssignmentType.ADMINISTRATIVE_DEREGISTRATION, rx)


@on("Cx", RegistrationTerminationRequest)
def on_registration_termination_request(scscf: Scscf, msg: RegistrationTerminationRequest, rx: Rx) -> Effects:
    """The HSS ends registrations: all of a private identity, or those whose public identities it names."""
    users = {msg.user_name: scscf.users[msg.user_name]} if msg.user_name in scscf.users else {}
    for identity in msg.public_identity:
        if (user := scscf.serving(identity)) is not None:
            users[user.impi] = user
    yield Answer(RegistrationTerminationAnswer(
        session_id=msg.session_id, origin_host=scscf.cx.origin_host, origin_realm=scscf.cx.origin_realm,
        result_code=ResultCode.DIAMETER_SUCCESS))
    again = msg.deregistration_reason.reason_code in (ReasonCode.NEW_SERVER_ASSIGNED, ReasonCode.SERVER_CHANGE)
    for user in users.values():
        rx.subject = user.subject
        yield from remove(scscf, user, "deactivated" if again else "rejected", None, rx)


def remove(scscf: Scscf, user: User, event: str, kind: int | None, rx: Rx) -> Effects:
    """All contacts go; a user who is only served while away is forgotten."""
    gone = list(user.contacts.values())
    user.contacts.clear()
    if gone:
        yield from assignment.drop(scscf, user, gone, event, kind, rx.now)
    elif REGISTRATION.allows(user.state, "de-registered"):
        yield from assignment.change(user, "de-registered")
        scscf.tidy(user)
