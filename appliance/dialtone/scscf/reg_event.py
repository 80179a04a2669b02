# SPDX-License-Identifier: Apache-2.0
"""Subscriptions to the registration state (TS 24.229, 5.4.2.1; RFC 3680; RFC 6665): the phone, the P-CSCF and
application servers hear when contacts come and go, first all of it, then what changed.
"""

from collections.abc import Sequence
from functools import partial

from dialtone.codec import reginfo
from dialtone.codec.reginfo import ContactInfo, RegInfo, RegistrationInfo
from dialtone.codec.sip import NameAddr, SipResponse, SipUri, SubscribeRequest
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Request, StartTimer, StopTimer, Verdict
from dialtone.errors import ProtocolError
from dialtone.scscf.element import Scscf, on
from dialtone.scscf.states import RegistrationState
from dialtone.scscf.timers import SUBSCRIPTION
from dialtone.scscf.user import Contact, User, Watcher
from dialtone.sip.dialog import Dialog, key_of
from dialtone.sip.proxy import next_hop

DEFAULT_EXPIRES = 600_000
MOST_WATCHERS = 8
Touched = Sequence[tuple[Contact, str]]


def on_subscribe(scscf: Scscf, msg: SubscribeRequest, rx: Rx) -> Effects:
    """A SUBSCRIBE to the reg event of somebody who is registered here."""
    user = scscf.serving(msg.uri) or scscf.serving(msg.to.uri)
    if user is None or user.state is not RegistrationState.REGISTERED:
        yield Answer(scscf.response(msg, 404, "This identity is not registered"))
        return
    asserted = [NameAddr.parse(value).uri for value in msg.all("P-Asserted-Identity")] or [msg.from_.uri]
    rx.subject = (scscf.serving(asserted[0]) or user).subject
    if not any(user.identity(uri) is not None or _trusted(scscf, uri) for uri in asserted):  # 5.4.2.1.1
        yield Answer(scscf.response(msg, 403, "Only the phone itself, its P-CSCF and its servers may watch it"))
        yield Verdict("registration event", False, "403: the asserted identity is not of this registration set")
        return
    watcher = user.watchers.get(key_of(msg, ours=False))
    if watcher is None and msg.to.tag:
        yield Answer(scscf.response(msg, 481))
        return
    seconds = _seconds(msg.first("Expires"))
    if watcher is None:
        if len(user.watchers) >= MOST_WATCHERS:
            yield from _end(scscf, user, next(iter(user.watchers.values())), rx.now, "rejected")
        watcher = Watcher(Dialog.of_called(msg, scscf.token()))
        user.watchers[watcher.dialog.key] = watcher
    else:
        watcher.dialog.accept(msg)
    watcher.expires = rx.now + seconds
    answer = scscf.response(msg, 200)
    answer.set("To", watcher.dialog.local)
    answer.append("Contact", f"<{scscf.uri}>")
    answer.append("Expires", str(seconds))
    for route in msg.all("Record-Route"):
        answer.append("Record-Route", route)
    yield Answer(answer)
    if seconds == 0:
        yield from _end(scscf, user, watcher, rx.now, "timeout")
        return
    yield StartTimer(SUBSCRIPTION.name, (user.impi, watcher.dialog.key), seconds)
    yield _notify(scscf, user, watcher, _full(user, rx.now), f"active;expires={seconds}")


def _trusted(scscf: Scscf, uri: str) -> bool:
    try:
        host = SipUri.parse(uri).host
    except ProtocolError:
        return False
    return host in scscf.neighbours or host in scscf.config.ims.hosts or host.strip("[]") in scscf.trusted


def _seconds(text: str | None) -> int:
    return min(int(text), DEFAULT_EXPIRES) if text and text.isascii() and text.isdigit() and len(text) < 12 else (
        DEFAULT_EXPIRES)


def notify(scscf: Scscf, user: User, touched: Touched, now: float) -> Effects:
    """Contacts changed: tell who watches; when the registration is over, for the last time."""
    over = user.state is not RegistrationState.REGISTERED
    touched = [(contact, event) for contact, event in touched if not contact.emergency]  # 5.4.2.1.2
    if not touched and not over:
        return
    for watcher in list(user.watchers.values()):
        left = max(round(watcher.expires - now), 0)
        state = "terminated;reason=noresource" if over else f"active;expires={left}"
        yield _notify(scscf, user, watcher, _partial(user, touched, now), state)
        if over:
            yield StopTimer(SUBSCRIPTION.name, (user.impi, watcher.dialog.key))
            del user.watchers[watcher.dialog.key]


def _end(scscf: Scscf, user: User, watcher: Watcher, now: float, reason: str) -> Effects:
    user.watchers.pop(watcher.dialog.key, None)
    yield StopTimer(SUBSCRIPTION.name, (user.impi, watcher.dialog.key))
    yield _notify(scscf, user, watcher, _full(user, now), f"terminated;reason={reason}")


@on.timer(SUBSCRIPTION.name, SUBSCRIPTION.clause)
def on_subscription_expires(scscf: Scscf, key: tuple[str, tuple[str, str, str]], rx: Rx) -> Effects:
    """It was not refreshed."""
    user = scscf.users.get(key[0])
    watcher = user.watchers.get(key[1]) if user else None
    if user is not None and watcher is not None:
        rx.subject = user.subject
        yield from _end(scscf, user, watcher, rx.now, "timeout")


def _notify(scscf: Scscf, user: User, watcher: Watcher, registrations: tuple[bool, tuple[RegistrationInfo, ...]],
            state: str) -> Request:
    full, infos = registrations
    message = watcher.dialog.request("NOTIFY")
    message.append("Contact", f"<{scscf.uri}>")
    message.append("Event", "reg")
    message.append("Subscription-State", state)
    message.content(reginfo.CONTENT_TYPE, reginfo.encode(RegInfo(watcher.version, full, infos)))
    watcher.version += 1
    point, peer = scscf.hop(next_hop(message))
    return Request(point, peer, message, context=partial(_delivered, user, watcher))


def _delivered(user: User, watcher: Watcher, scscf: Scscf, answer: SipResponse | None, rx: Rx) -> Effects:
    """A watcher that is gone is dropped without a further word (RFC 6665, 4.2.2)."""
    rx.subject = user.subject
    if answer is not None and answer.status not in (404, 408, 410, 481):
        return
    if user.watchers.get(watcher.dialog.key) is watcher:
        del user.watchers[watcher.dialog.key]
        yield StopTimer(SUBSCRIPTION.name, (user.impi, watcher.dialog.key))
        yield Verdict("registration event", False, "a NOTIFY was not taken: "
                      + ("no answer" if answer is None else f"{answer.status} {answer.reason}"))
        scscf.tidy(user)


def _full(user: User, now: float) -> tuple[bool, tuple[RegistrationInfo, ...]]:
    return True, _infos(user, [(each, "registered") for each in user.contacts.values() if not each.emergency], now)


def _partial(user: User, touched: Touched, now: float) -> tuple[bool, tuple[RegistrationInfo, ...]]:
    return False, _infos(user, touched, now)


def _infos(user: User, touched: Touched, now: float) -> tuple[RegistrationInfo, ...]:
    """One registration for each identity that is not barred (TS 24.229, 5.4.2.1.2)."""
    state = "active" if user.contacts else "terminated"
    return tuple(RegistrationInfo(identity, f"{user.subject}-{number}", state, tuple(
        _contact(contact, event, f"{contact.id}-{number}", now, user) for contact, event in touched))
        for number, identity in enumerate(user.associated, 1))


def _contact(contact: Contact, event: str, number: str, now: float, user: User) -> ContactInfo:
    active = user.contacts.get(contact.key) is contact
    params = tuple((name, value or "") for name, value in contact.params.items() if name != "q")
    return ContactInfo(number, contact.uri, "active" if active else "terminated", event,
                       max(round(contact.expires - now), 0) if active else 0, contact.params.get("q") or "",
                       contact.display, params)
