# SPDX-License-Identifier: Apache-2.0
"""Requests for a user who is served here (TS 24.229, 5.4.3.3), registered or not: application servers first, then the
contacts, the preferred ones first (RFC 3261, 16.6; RFC 3841)."""

from collections.abc import Iterator
from functools import partial
from itertools import groupby

from dialtone.codec import ims_subscription
from dialtone.codec.diameter import AssignmentType, ServerAssignmentAnswer
from dialtone.codec.sip import SipRequest
from dialtone.dispatch import Rx
from dialtone.effects import Effects, StartTimer
from dialtone.errors import ProtocolError
from dialtone.scscf import application_server, assignment, location, passing
from dialtone.scscf.element import Scscf
from dialtone.scscf.features import accepts
from dialtone.scscf.states import RegistrationState
from dialtone.scscf.timers import AWAY, EXPIRES
from dialtone.scscf.user import Contact, User
from dialtone.sip.proxy import Context, Target


def start(scscf: Scscf, context: Context, identity: str, rx: Rx) -> Effects:
    """The HSS says that the user is ours; one who is away is served by his profile."""
    user = scscf.serving(identity)
    if user is not None and user.state is not RegistrationState.NOT_REGISTERED:
        yield from _serve_known(scscf, context, user, identity, rx)
        return
    yield assignment.assign(scscf, "", identity, AssignmentType.UNREGISTERED_USER,
                            partial(_unregistered, context, identity))


def _unregistered(context: Context, identity: str, scscf: Scscf, answer: ServerAssignmentAnswer | None,
                  rx: Rx) -> Effects:
    rx.subject = context.rx.subject
    user = assignment.away(scscf, answer)
    if user is None:
        yield from passing.refuse(scscf, context, 480, location.OFFLINE)
        return
    if user.state is RegistrationState.NOT_REGISTERED:
        yield from assignment.change(user, "called while away")
        yield StartTimer(EXPIRES.name, user.impi, AWAY)
    yield from _serve_known(scscf, context, user, identity, rx)


def _serve_known(scscf: Scscf, context: Context, user: User, identity: str, rx: Rx) -> Effects:
    known = user.identity(identity)
    if known is None or known.barred:
        yield from passing.refuse(scscf, context, 404, "This identity cannot be called")
        return
    yield from serve(scscf, context, user, known.identity, -1, rx)


def serve(scscf: Scscf, context: Context, user: User, identity: str, above: int, rx: Rx) -> Effects:
    """Application servers, as far as they have not had the request; then the phones."""
    registered = user.state is RegistrationState.REGISTERED
    case = ims_subscription.TERMINATING_REGISTERED if registered else ims_subscription.TERMINATING_UNREGISTERED
    leg = application_server.Leg(context, user, identity, case, serve)
    if (effects := application_server.ask(scscf, leg, above)) is not None:
        yield from effects
        return
    live = user.live(rx.now)
    contacts = [contact for contact in live if accepts(contact.params, context.request)]
    if not contacts:
        reason = "No phone of this user can do what is asked" if live else location.OFFLINE
        yield from passing.refuse(scscf, context, 480, reason)
        return
    yield from passing.send(scscf, context, list(_groups(scscf, context.request, contacts, identity)))


def _groups(scscf: Scscf, request: SipRequest, contacts: list[Contact], identity: str) -> Iterator[list[Target]]:
    """Contacts of equal preference ring together, unless the sender wants no forking (RFC 3841, 9.1)."""
    wishes = [value.strip().lower() for value in request.all("Request-Disposition")]
    if "no-fork" in wishes:
        contacts = contacts[:1]
    for _, group in groupby(contacts, key=lambda contact: contact.q):
        found = [target for contact in group if (target := _target(scscf, contact, identity)) is not None]
        if found:
            yield found


def _target(scscf: Scscf, contact: Contact, identity: str) -> Target | None:
    """A contact, by the way that its registration came (RFC 3327, 5.3)."""
    try:
        point, peer = scscf.hop(contact.path[0] if contact.path else contact.uri)
    except ProtocolError:
        return None

    def change(copy: SipRequest) -> None:
        copy.remove("P-Served-User")
        copy.set("P-Called-Party-ID", f"<{identity}>")

    return Target(point, peer, contact.uri, contact.path, change)
