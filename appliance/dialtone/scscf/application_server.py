# SPDX-License-Identifier: Apache-2.0
"""ISC (TS 24.229, 5.4.3.2 and 5.4.3.3; TS 23.218, 6.4): a request goes to the application servers that the filter
criteria name, one after the other, and comes back by our Route entry with the original dialog identifier."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from dialtone.codec.ims_subscription import (
    ORIGINATING,
    SESSION_CONTINUED,
    TERMINATING_UNREGISTERED,
    InitialFilterCriteria,
)
from dialtone.codec.sip import SipRequest, SipResponse
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Verdict
from dialtone.errors import ProtocolError
from dialtone.scscf import passing
from dialtone.scscf.element import DIALOG, RETURN, Scscf
from dialtone.scscf.filter_criteria import Circumstances, matching
from dialtone.scscf.user import User
from dialtone.sip.proxy import Context, Target

Serve = Callable[[Scscf, Context, User, str, int, Rx], Effects]


@dataclass(slots=True, eq=False)
class Leg:
    """A request in the service of one of its ends; `go_on` continues after the server with a priority."""

    context: Context
    user: User
    identity: str
    case: int
    go_on: Serve
    priority: int = -1
    returned: bool = False  # the server passed the request on


def ask(scscf: Scscf, leg: Leg, above: int) -> Effects | None:
    """Send the request to the next server that wants it; None where there is none left."""
    profile = leg.user.profile(leg.identity)
    found = matching(profile, Circumstances(leg.context.request, leg.case), above) if profile else []
    for criteria in found:
        try:
            point, peer = scscf.hop(criteria.server.name)
        except ProtocolError:
            continue  # a server that nobody reaches: as if it were silent, with the session continued
        return _send(scscf, leg, criteria, point, peer)
    return None


def _send(scscf: Scscf, leg: Leg, criteria: InitialFilterCriteria, point: str, peer: str) -> Effects:
    context, server = leg.context, criteria.server.name
    if scscf.waiting.pop(context.key, None) is None:
        return  # cancelled meanwhile
    leg.priority = criteria.priority
    number = scscf.token()
    scscf.away[number] = leg
    case = "orig" if leg.case == ORIGINATING else "term"
    state = "unreg" if leg.case == TERMINATING_UNREGISTERED else "reg"

    def change(copy: SipRequest) -> None:
        copy.set("P-Served-User", f"<{leg.identity}>;sescase={case};regstate={state}")

    def heard(answer: SipResponse) -> None:
        if answer.final:
            scscf.away.pop(number, None)

    context.settle = partial(_settle, scscf, leg, criteria, number)
    route = [f"<{server}>" if ";lr" in server else f"<{server};lr>", f"<sip:{RETURN}{number}@{scscf.host};lr>"]
    yield from scscf.proxy.forward(context, [Target(point, peer, "", route, change)],
                                   [f"<sip:{DIALOG}@{scscf.host};lr>"], heard)


def _settle(scscf: Scscf, leg: Leg, criteria: InitialFilterCriteria, number: str, refusal: SipResponse
            ) -> Effects | None:
    """The server's refusal is that of the session, unless it is broken and the session may go on without it (5.4.3.2,
    default handling)."""
    scscf.away.pop(number, None)
    broken = refusal.status == 408 or 500 <= refusal.status < 600
    if leg.returned or not broken or criteria.server.default_handling != SESSION_CONTINUED:
        return None
    return _without(scscf, leg, criteria, refusal)


def _without(scscf: Scscf, leg: Leg, criteria: InitialFilterCriteria, refusal: SipResponse) -> Effects:
    context = leg.context
    yield Verdict("application server", False, f"{criteria.server.name} failed with {refusal.status}; the "
                  f"{context.request.method} goes on without it")
    context.settle, context.change = None, None
    passing.begin(scscf, context)
    yield from leg.go_on(scscf, context, leg.user, leg.identity, criteria.priority, context.rx)


def on_return(scscf: Scscf, number: str, context: Context, rx: Rx) -> Effects:
    """The request comes back from a server: on to the next criteria, and as the server changed it."""
    passing.begin(scscf, context)
    leg = scscf.away.get(number)
    if leg is None:
        yield from passing.refuse(scscf, context, 481, "The original dialog is over")
        return
    rx.subject, leg.returned = leg.user.subject, True
    context.request.remove("P-Served-User")
    yield from leg.go_on(scscf, context, leg.user, leg.identity, leg.priority, rx)
