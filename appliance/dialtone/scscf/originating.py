# SPDX-License-Identifier: Apache-2.0
"""Requests from a user who is served here (TS 24.229, 5.4.3.2): may he, who hears of it, and where does it go?"""

from dialtone.codec import ims_subscription
from dialtone.codec.sip import NameAddr, SipRequest
from dialtone.dispatch import Rx
from dialtone.effects import Effects
from dialtone.scscf import application_server, calls, location, numbers, passing, restoration
from dialtone.scscf.element import Scscf
from dialtone.scscf.states import RegistrationState
from dialtone.scscf.user import User
from dialtone.sip.proxy import Context


def start(scscf: Scscf, context: Context, rx: Rx) -> Effects:
    """The P-CSCF asserts who asks; nobody else can."""
    request = context.request
    passing.begin(scscf, context)
    asserted = [NameAddr.parse(value).uri for value in request.all("P-Asserted-Identity")]
    served = request.first("P-Served-User")
    identity = NameAddr.parse(served).uri if served else next(iter(asserted), request.from_.uri)
    user = scscf.serving(identity)
    if user is None and numbers.at_home(identity, scscf.plan):
        yield from restoration.ask(scscf, context, identity)
        return
    known = user.identity(identity) if user else None
    if user is None or known is None or user.state is not RegistrationState.REGISTERED:
        yield from passing.refuse(scscf, context, 403, "The caller is not registered")
        return
    rx.subject = user.subject
    if known.barred:
        yield from passing.refuse(scscf, context, 403, "This identity is for registration only")
        return
    _assert_number(request, user, asserted)
    calls.offered(scscf, request, known.identity, rx)
    yield from serve(scscf, context, user, known.identity, -1, rx)


def _assert_number(request: SipRequest, user: User, asserted: list[str]) -> None:
    """The number beside the SIP URI, so that phones can show it (5.4.3.2, 7)."""
    number = next((each for each in user.associated if each.startswith("tel:")), None)
    if number is not None and asserted and not any(each.startswith("tel:") for each in asserted):
        request.append("P-Asserted-Identity", f"<{number}>")


def serve(scscf: Scscf, context: Context, user: User, identity: str, above: int, rx: Rx) -> Effects:
    """Application servers first, as far as they have not had the request; then to whom it is for."""
    leg = application_server.Leg(context, user, identity, ims_subscription.ORIGINATING, serve)
    if (effects := application_server.ask(scscf, leg, above)) is not None:
        yield from effects
        return
    caller = next((each.removeprefix("tel:") for each in user.associated if each.startswith("tel:+")), "")
    yield from location.find(scscf, context, caller, rx)
