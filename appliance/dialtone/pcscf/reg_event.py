# SPDX-License-Identifier: Apache-2.0
"""The P-CSCF's own subscription to the registration state of each phone (TS 24.229, 5.2.3 and 5.2.5.2; RFC 3680;
RFC 6665): so it learns what the network does to a registration, such as ending it, and removes what it has of it.

A core that takes no subscription is asked again when the phone registers again.
"""

from collections.abc import Iterator

from dialtone.codec import reginfo
from dialtone.codec.reginfo import ContactInfo, RegInfo
from dialtone.codec.sip import (
    NotifyRequest,
    SipError,
    SipUri,
    SubscribeRequest,
    SubscribeResponse,
    response,
)
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, StartTimer, StopTimer, Unanswered, Verdict
from dialtone.errors import ProtocolError
from dialtone.pcscf import headers, passing, terminating
from dialtone.pcscf.element import Pcscf, on
from dialtone.pcscf.leaving import leave
from dialtone.pcscf.registration import Registration
from dialtone.pcscf.timers import LONGER, MARGIN, REFRESH_BEFORE, SUBSCRIPTION, WAIT_FOR_NOTIFY
from dialtone.pcscf.watch import EVENT, Watch

NOBODY = (404, 481)
"""Answers inside a dialog that say that there is no subscription any more (RFC 6665, 4.1.2.2)."""


def subscribe(pcscf: Pcscf, registration: Registration, now: float) -> Effects:
    """After a 200 to REGISTER, unless there is a subscription already, for longer than the registration lasts; but not
    for emergencies (5.2.10.4)."""
    if registration.watch is not None or registration.emergency:
        return
    watch = Watch.begin(pcscf.core, registration, f"{pcscf.random(8).hex()}@{pcscf.core.host}", pcscf.random(4).hex())
    registration.watch = pcscf.watches[watch.call_id] = watch
    yield from _subscribe(pcscf, watch, now)


def _subscribe(pcscf: Pcscf, watch: Watch, now: float) -> Effects:
    message = watch.subscribe(pcscf.core, round(watch.registration.expires - now + LONGER))
    headers.charge(pcscf, message, watch.registration.key.host)
    yield watch.request(pcscf.core, message)


@on("Mw", SubscribeResponse)
def on_subscribe_response(pcscf: Pcscf, msg: SubscribeResponse, rx: Rx) -> Effects:
    """Ours, or a phone's that passes."""
    watch = rx.request.context if rx.request is not None else None
    if not isinstance(watch, Watch):
        yield from passing.on_sip_response(pcscf, msg, rx)
        return
    rx.subject = watch.registration.subject
    if not msg.final or pcscf.watches.get(watch.call_id) is not watch:
        return
    if msg.status >= 300:
        yield from _refused(pcscf, watch, msg, rx.now)
        return
    if not watch.dialog.remote_tag:
        _establish(watch, msg.first("To") or "", msg.all("Record-Route")[::-1])
    watch.dialog.refresh(msg)
    if watch.over:
        yield StartTimer(SUBSCRIPTION, watch.call_id, WAIT_FOR_NOTIFY)
        return
    seconds = _seconds(msg.first("Expires"), round(watch.registration.expires - rx.now + LONGER))
    yield StartTimer(SUBSCRIPTION, watch.call_id,
                     seconds - REFRESH_BEFORE if seconds > 2 * REFRESH_BEFORE else seconds / 2)


def _establish(watch: Watch, remote: str, routes: list[str]) -> None:
    """Who the notifier is: whatever comes first tells, the answer or a NOTIFY (RFC 6665, 4.4.1)."""
    watch.dialog.remote, watch.dialog.routes = remote, routes


def _seconds(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else default


def _refused(pcscf: Pcscf, watch: Watch, msg: SubscribeResponse, now: float) -> Effects:
    lost = msg.status in NOBODY and bool(watch.dialog.remote_tag) and not watch.over
    told, registration = not watch.over, watch.registration
    yield from _drop(pcscf, watch)
    if lost:  # the notifier has forgotten us
        yield from subscribe(pcscf, registration, now)
    elif told:
        yield Verdict("registration event", False, f"The S-CSCF does not tell of this registration ({msg.status} "
                      f"{msg.reason}): an end by the network is noticed when the registration runs out.")


@on.unanswered(SubscribeRequest)
def on_no_subscribe_response(pcscf: Pcscf, event: Unanswered, rx: Rx) -> Effects:
    """The core is silent."""
    watch = event.request.context
    if not isinstance(watch, Watch):
        yield from passing.on_no_answer(pcscf, event, rx)
        return
    rx.subject = watch.registration.subject
    if pcscf.watches.get(watch.call_id) is watch:
        yield from _drop(pcscf, watch)
        yield Verdict("registration event", False, "The S-CSCF does not answer a SUBSCRIBE to this registration: "
                      "an end by the network is noticed when the registration runs out.")


@on.timer(SUBSCRIPTION, "TS 24.229, 5.2.3; RFC 6665, 4.1.2")
def on_subscription(pcscf: Pcscf, call_id: str, rx: Rx) -> Effects:
    """Time to refresh it, where the phone has registered again meanwhile; or no last NOTIFY came."""
    watch = pcscf.watches[call_id]
    rx.subject = watch.registration.subject
    if watch.over:
        yield from _drop(pcscf, watch)
    elif watch.registration.expires > rx.now:
        yield from _subscribe(pcscf, watch, rx.now)


def wait_for_end(pcscf: Pcscf, registration: Registration) -> Effects:
    """The registration is over in the core, which says so in a last NOTIFY."""
    watch, registration.watch = registration.watch, None
    if watch is not None:
        watch.over = True
        yield StartTimer(SUBSCRIPTION, watch.call_id, WAIT_FOR_NOTIFY)


def _drop(pcscf: Pcscf, watch: Watch) -> Effects:
    pcscf.watches.pop(watch.call_id, None)
    if watch.registration.watch is watch:
        watch.registration.watch = None
    yield StopTimer(SUBSCRIPTION, watch.call_id)


# ---- NOTIFY --------------------------------------------------------------------------------------------


@on("Mw", NotifyRequest)
def on_notify_request(pcscf: Pcscf, msg: NotifyRequest, rx: Rx) -> Effects:
    """For us, or for a phone."""
    watch = pcscf.watches.get(msg.call_id)
    if watch is None and not _for_us(pcscf, msg):
        yield from terminating.on_sip_request(pcscf, msg, rx)
        return
    if watch is None or msg.to.tag != watch.dialog.local_tag or (
            watch.dialog.remote_tag not in ("", msg.from_.tag)):
        yield Answer(response(msg, 481))
        return
    rx.subject, rx.state = watch.registration.subject, watch.registration.state
    if _word(msg.first("Event")) != EVENT:
        raise SipError("only the event reg was subscribed to", cause=489, clause="RFC 6665, 4.1.3")
    info = _document(msg)
    if not watch.dialog.remote_tag:
        _establish(watch, msg.first("From") or "", msg.all("Record-Route"))
    watch.dialog.accept(msg)
    yield Answer(response(msg, 200))
    ended = _word(msg.first("Subscription-State")) == "terminated"
    if ended:
        yield from _drop(pcscf, watch)
    if watch.over or info is None or info.version <= watch.version:
        return
    missed, watch.version = not info.full and info.version > watch.version + 1, info.version
    yield from _learn(pcscf, watch.registration, info, rx.now)
    if missed and pcscf.watches.get(watch.call_id) is watch and not watch.over:
        yield from _subscribe(pcscf, watch, rx.now)  # for all of it (RFC 3680, 6)


def _for_us(pcscf: Pcscf, msg: NotifyRequest) -> bool:
    uri = SipUri.parse(msg.uri)
    return pcscf.proxy.own(uri) and not msg.all("Route")[1:]


def _word(value: str | None) -> str:
    return (value or "").partition(";")[0].strip().lower()


def _document(msg: NotifyRequest) -> RegInfo | None:
    """Raises ProtocolError."""
    if not msg.body:
        return None
    if _word(msg.first("Content-Type")) != reginfo.CONTENT_TYPE:
        raise SipError("not a document of the event reg", cause=415, clause="RFC 3680, 4.5",
                       headers=(("Accept", reginfo.CONTENT_TYPE),))
    return reginfo.decode(msg.body)


def _learn(pcscf: Pcscf, registration: Registration, info: RegInfo, now: float) -> Effects:
    """What became of the identities of this phone (TS 24.229, 5.2.5.2)."""
    gone: dict[str, str] = {}
    for each in info.registrations:
        ours = list(_ours(registration, each.contacts))
        active = next((contact for contact in ours if contact.state == "active"), None)
        if each.state == "terminated" or (ours and active is None):
            gone[headers.same(each.aor)] = ours[0].event if ours else each.state
        elif active is not None:
            if headers.same(each.aor) not in map(headers.same, registration.identities):
                registration.identities.append(each.aor)
            yield from _shorten(registration, active, now)
    left = [uri for uri in registration.identities if headers.same(uri) not in gone]
    if left or not registration.registered:
        registration.identities = left or registration.identities
        return
    yield from leave(pcscf, registration)
    why = ", ".join(dict.fromkeys(gone.values()))
    yield Verdict("register", False, f"The network ended the registration ({why}): the phone's SAs go as soon as it "
                                     "has heard of it.")


def _ours(registration: Registration, contacts: tuple[ContactInfo, ...]) -> Iterator[ContactInfo]:
    for contact in contacts:
        try:
            uri = SipUri.parse(contact.uri)
        except ProtocolError:
            continue
        if (uri.host.strip("[]"), uri.port or 5060) == registration.contact:
            yield contact


def _shorten(registration: Registration, contact: ContactInfo, now: float) -> Effects:
    """The phone is to register again soon."""
    if contact.event == "shortened" and contact.expires is not None and now + contact.expires < registration.expires:
        registration.expires = now + contact.expires
        yield StartTimer("registration", registration.key, contact.expires + MARGIN)
        yield Verdict("registration event", True, f"The network shortened the registration to {contact.expires} s: the "
                                                  "phone is to prove itself anew.")
