# SPDX-License-Identifier: Apache-2.0
"""What follows a proven REGISTER (TS 24.229, 5.4.1.2.2F and 5.4.1.4; TS 29.228, 6.1.2): the HSS notes who serves the
user and gives the profile; contacts change; the phone gets its answer, and who watches or serves it hears of it.
"""

from functools import lru_cache, partial
from typing import TYPE_CHECKING

from dialtone.codec import ims_subscription
from dialtone.codec.diameter import AssignmentType, ServerAssignmentAnswer, ServerAssignmentRequest
from dialtone.codec.sip import NameAddr, SipResponse, SipUri
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Changed, Effects, Request, StartTimer, StopTimer, Unanswered, Verdict
from dialtone.errors import ProtocolError
from dialtone.scscf import reg_event, third_party
from dialtone.scscf.cx import outcome, why
from dialtone.scscf.element import ORIGINATING, Scscf, Then, on
from dialtone.scscf.filter_criteria import DEREGISTRATION, INITIAL, REFRESH
from dialtone.scscf.states import REGISTRATION, RegistrationState
from dialtone.scscf.timers import EXPIRES
from dialtone.scscf.user import MOST_CONTACTS, Contact, User

if TYPE_CHECKING:
    from dialtone.scscf.register import Attempt

NOT_AVAILABLE, AVAILABLE = 0, 1  # User-Data-Already-Available (6.3.26)
EMERGENCY_EXPIRES = 1800
"""Seconds that an emergency registration is granted: phones do not end it, and renew it in a call (TS 23.167, 7.3)."""


_decoded = lru_cache(maxsize=1024)(ims_subscription.decode)
"""The HSS gives the same document each time that a phone registers."""


def assign(scscf: Scscf, impi: str, impu: str, kind: int, then: Then, *,
           known: bool = False) -> Request:
    """Tell the HSS; `then` gets its answer, None without one."""
    return scscf.ask(ServerAssignmentRequest(
        **scscf.header(), user_name=impi or None, public_identity=(impu,), server_name=scscf.uri,
        server_assignment_type=kind, user_data_already_available=AVAILABLE if known else NOT_AVAILABLE), then)


def inform(scscf: Scscf, impi: str, impu: str, kind: int) -> Request:
    """Tell the HSS what needs no answer to go on."""
    return assign(scscf, impi, impu, kind, _noted, known=True)


def _noted(scscf: Scscf, answer: ServerAssignmentAnswer | None, rx: Rx) -> Effects:
    return ()


@on("Cx", ServerAssignmentAnswer)
def on_server_assignment_answer(scscf: Scscf, msg: ServerAssignmentAnswer, rx: Rx) -> Effects:
    """Goes on with what it is about."""
    assert rx.request is not None
    yield from rx.request.context(scscf, msg, rx)


@on.unanswered(ServerAssignmentRequest)
def on_no_server_assignment_answer(scscf: Scscf, event: Unanswered, rx: Rx) -> Effects:
    """The HSS is silent."""
    yield from event.request.context(scscf, None, rx)


def register(scscf: Scscf, attempt: "Attempt", rx: Rx) -> Effects:
    """The phone has proven itself."""
    user = scscf.user(attempt.impi)
    registered = user.state is RegistrationState.REGISTERED
    if attempt.leaving or (not attempt.bindings and not registered):
        yield from _leave(scscf, attempt, user)
        return
    kind = AssignmentType.RE_REGISTRATION if registered else AssignmentType.REGISTRATION
    yield assign(scscf, attempt.impi, attempt.impu, kind, partial(_assigned, attempt), known=registered)


def _assigned(attempt: "Attempt", scscf: Scscf, answer: ServerAssignmentAnswer | None, rx: Rx) -> Effects:
    rx.subject = attempt.subject
    user = scscf.user(attempt.impi)
    problem = _learn(scscf, user, answer)
    identity = user.identity(attempt.impu)
    if not problem and identity is None:
        problem = (403, "The profile of the subscriber lacks this identity")
    if problem:
        status, reason = problem
        yield Answer(scscf.response(attempt.request, status, reason), to=attempt.rx)
        yield Verdict("IMS registration", False, f"{status} {reason}")
        scscf.tidy(user)
        return
    first = user.state is not RegistrationState.REGISTERED
    yield from change(user, "registered")
    touched = _bind(scscf, user, attempt, rx.now)
    yield from watch(user, rx.now)
    yield Answer(accept(scscf, user, attempt, rx.now), to=attempt.rx)
    yield Verdict("IMS registration", True, f"{', '.join(user.associated) or attempt.impu} is "
                  f"{'registered' if first else 'registered again'} for {_longest(user, rx.now)} s")
    yield from reg_event.notify(scscf, user, touched, rx.now)
    if attempt.emergency:  # no service but one (TS 24.229, 5.4.8.2)
        return
    yield from third_party.register(scscf, user, attempt.impu, INITIAL if first else REFRESH, attempt.request,
                                    _longest(user, rx.now))


def _learn(scscf: Scscf, user: User, answer: ServerAssignmentAnswer | None) -> tuple[int, str] | None:
    """Take the profile over; status and reason where that cannot be."""
    if answer is None:
        return 504, "The HSS does not answer"
    if outcome(answer) != 2001:
        return 403, why(outcome(answer))
    if answer.user_data is not None:
        try:
            user.subscription = _decoded(answer.user_data)
        except ProtocolError as error:
            return 500, f"The HSS gave a profile that cannot be read: {error.text}"
        scscf.index(user)
    return None if user.subscription else (500, "The HSS gave no profile")


def away(scscf: Scscf, answer: ServerAssignmentAnswer | None) -> User | None:
    """Who is served while away, by the profile of an answer to UNREGISTERED_USER; None where that cannot be."""
    if answer is None or answer.user_data is None or outcome(answer) != 2001:
        return None
    try:
        impi = _decoded(answer.user_data).private_id
    except ProtocolError:
        return None
    user = scscf.user(impi)
    return user if _learn(scscf, user, answer) is None else None


def change(user: User, event: str) -> Effects:
    """Move the state machine."""
    old, user.state = user.state, REGISTRATION.after(user.state, event)
    if old is not user.state:
        yield Changed("registration", user.subject, old, user.state)


def _bind(scscf: Scscf, user: User, attempt: "Attempt", now: float) -> list[tuple[Contact, str]]:
    """Put contacts in place and take them away; returns those that changed, with the event of RFC 3680, 5.3.3."""
    request, touched = attempt.request, []
    for address, seconds in attempt.bindings:
        key = _key(address)
        old = user.contacts.pop(key, None)
        if seconds == 0:
            if old is not None:
                touched.append((old, "unregistered"))
            continue
        seconds = min(seconds, EMERGENCY_EXPIRES if attempt.emergency else scscf.config.ims.expires)
        params = {name: value for name, value in address.params.items() if name != "expires"}
        contact = Contact(old.id if old and old.uri == address.uri else scscf.number(), key, address.uri, params,
                          tuple(request.all("Path")), request.call_id, request.cseq.number, now + seconds,
                          address.display)
        if old is not None and old.id != contact.id:
            touched.append((old, "deactivated"))
        user.contacts[key] = contact
        touched.append((contact, "refreshed" if old is not None and old.id == contact.id else "registered"))
    while len(user.contacts) > MOST_CONTACTS:
        oldest = user.contacts.pop(next(iter(user.contacts)))
        touched.append((oldest, "deactivated"))
    return touched


def _key(address: NameAddr) -> str:
    """A contact of the same device takes the place of the old one, wherever the device is now (RFC 5626, 6)."""
    instance = address.params.get("+sip.instance")
    if not instance:
        return address.uri
    sos = "sos" if "sos" in SipUri.parse(address.uri).params else ""  # beside the ordinary one (TS 24.229, 5.4.8.2)
    return " ".join(filter(None, (instance, address.params.get("reg-id"), sos)))


def accept(scscf: Scscf, user: User, attempt: "Attempt", now: float) -> SipResponse:
    """The 200 (TS 24.229, 5.4.1.2.2F). P-Associated-URI begins with what phones show as their own number."""
    answer = scscf.response(attempt.request, 200)
    for path in attempt.request.all("Path"):
        answer.append("Path", path)
    for contact in user.contacts.values():
        params = {**contact.params, "expires": str(round(contact.expires - now))}
        answer.append("Contact", str(NameAddr(contact.uri, contact.display, params)))
    if user.contacts:
        answer.append("Service-Route", f"<sip:{ORIGINATING}@{scscf.host};lr>")
        for identity in user.associated:
            answer.append("P-Associated-URI", f"<{identity}>")
    return answer


def _longest(user: User, now: float) -> int:
    return round(max((contact.expires - now for contact in user.contacts.values()), default=0))


def watch(user: User, now: float) -> Effects:
    """The timer of the contact that expires first."""
    if user.contacts:
        yield StartTimer(EXPIRES.name, user.impi, min(each.expires for each in user.contacts.values()) - now)
    else:
        yield StopTimer(EXPIRES.name, user.impi)


def _leave(scscf: Scscf, attempt: "Attempt", user: User) -> Effects:
    """De-registration by the phone (TS 24.229, 5.4.1.4): of some contacts, or of all."""
    keys = list(user.contacts) if attempt.everything else [_key(address) for address, _ in attempt.bindings]
    gone = [user.contacts.pop(key) for key in keys if key in user.contacts]
    yield Answer(accept(scscf, user, attempt, attempt.rx.now), to=attempt.rx)
    yield from drop(scscf, user, gone, "unregistered", AssignmentType.USER_DEREGISTRATION, attempt.rx.now)
    if not gone and attempt.leaving and user.state is not RegistrationState.REGISTERED:  # lost in a restart of ours
        yield inform(scscf, attempt.impi, attempt.impu, AssignmentType.USER_DEREGISTRATION)
    if not gone:
        scscf.tidy(user)


def drop(scscf: Scscf, user: User, gone: list[Contact], event: str, kind: int | None, now: float) -> Effects:
    """Contacts of a user are gone; with the last of them he is. `kind` is what the HSS is told, None for nothing."""
    if not gone:
        return
    yield from watch(user, now)
    if user.contacts:
        yield from reg_event.notify(scscf, user, [(contact, event) for contact in gone], now)
        return
    first = user.associated[0] if user.associated else user.impi
    identity = user.identities[0].identity if user.identities else f"sip:{user.impi}"
    yield from change(user, "de-registered")
    yield Verdict("IMS de-registration", True, f"{first}: {_BECAUSE[event]}")
    yield from reg_event.notify(scscf, user, [(contact, event) for contact in gone], now)
    yield from third_party.register(scscf, user, identity, DEREGISTRATION, None, 0)
    if kind is not None:
        yield inform(scscf, user.impi, identity, kind)
    scscf.tidy(user)


_BECAUSE = {"unregistered": "the phone said goodbye", "expired": "the phone did not refresh its registration",
            "deactivated": "by the network", "rejected": "by the network"}
