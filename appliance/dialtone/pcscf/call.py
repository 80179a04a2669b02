# SPDX-License-Identifier: Apache-2.0
"""Calls as they pass: what their messages mean for bearers, and how the P-CSCF itself gives one up (TS 24.229, 5.2.7
and 5.2.8). It stays a proxy until then: it reads, and changes nothing.
"""

from collections.abc import Hashable

from dialtone.codec.sdp import SdpError
from dialtone.codec.sip import (
    ByeRequest,
    InviteRequest,
    SipError,
    SipMessage,
    SipRequest,
    SipResponse,
    UpdateRequest,
    response,
)
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Request, StartTimer, StopTimer, Verdict
from dialtone.pcscf import emergency, media
from dialtone.pcscf.element import Pcscf, on
from dialtone.pcscf.media import MediaLost
from dialtone.pcscf.passing_call import Passing
from dialtone.pcscf.registration import Registration
from dialtone.sip import session_timer
from dialtone.sip.dialog import Dialog
from dialtone.sip.proxy import Branch, Context, next_hop, uri_of

SDP = "application/sdp"
SESSION = "Session-Expires"
UNAVAILABLE = 503
REASON = f'SIP;cause={UNAVAILABLE};text="Service Unavailable"'
GONE = (408, 481)
"""Answers inside a dialog that say that there is none any more (RFC 3261, 12.2.1.2)."""


def requested(pcscf: Pcscf, msg: SipRequest, context: Context, registration: Registration, from_phone: bool) -> Effects:
    """A request passes, towards the core or the phone."""
    key = context.about = (msg.call_id, registration.key)
    session_timer.ask(msg)
    if isinstance(msg, InviteRequest) and not msg.to.tag:
        if key in pcscf.passing:  # another branch of it, or a call to oneself
            return
        pcscf.calls.begin(key, registration.key.host, subject=registration.subject,
                          identity=registration.identities[0] if registration.identities else "",
                          charging=_icid(msg), emergency=emergency.is_emergency(msg))
        if key in pcscf.calls.by_key:
            pcscf.passing[key] = Passing(registration, from_phone, context)
    call = pcscf.passing.get(key)
    if call is None:
        return
    if msg.method not in ("ACK", "CANCEL"):
        call.numbers[from_phone] = max(msg.cseq.number, call.numbers.get(from_phone, 0))
    if isinstance(msg, ByeRequest):
        yield from _over(pcscf, key)
    else:
        yield from _heard(pcscf, key, msg, from_phone, accepted=call.towards_phone is not None)


def answered(pcscf: Pcscf, msg: SipResponse, rx: Rx) -> Effects:
    """An answer passes the other way than its request."""
    branch = rx.request.context if rx.request is not None else None
    if not isinstance(branch, Branch):
        return
    from_phone = rx.point == "Gm"
    request = branch.context.request
    key = branch.context.about
    call = pcscf.passing.get(key)
    if call is None:
        return
    begins = isinstance(request, InviteRequest) and not request.to.tag
    if msg.status >= 300:
        if (begins and call.context is branch.context) or (msg.status in GONE and not begins):
            yield from _over(pcscf, key)
        else:
            media.rejected(pcscf, key)
        return
    if msg.status == 100:
        return
    accepted = msg.final and begins
    if accepted:
        _establish(pcscf, call, branch, msg)
    yield from _heard(pcscf, key, msg, from_phone, accepted=accepted or call.towards_phone is not None)
    if accepted:
        yield from media.accepted(pcscf, key)
    if msg.final and call.towards_phone is not None and isinstance(request, InviteRequest | UpdateRequest):
        yield StartTimer(SESSION, key, session_timer.lasts(msg))


def silent(pcscf: Pcscf, context: Context) -> Effects:
    """Nobody answers the request that begins the call."""
    call = pcscf.passing.get(context.about)
    if call is not None and call.context is context:
        yield from _over(pcscf, context.about)


def _heard(pcscf: Pcscf, key: Hashable, msg: SipMessage, from_phone: bool, *, accepted: bool) -> Effects:
    kind = (msg.first("Content-Type") or "").partition(";")[0].strip().lower()
    if kind == SDP and msg.body:
        try:
            yield from media.heard(pcscf, key, msg.body, from_phone=from_phone, accepted=accepted)
        except SdpError:
            yield Verdict("media", False, "the call has a session description that cannot be read: no bearer for it")


def _icid(msg: SipRequest) -> str:
    for part in (msg.first("P-Charging-Vector") or "").split(";"):
        name, _, value = part.partition("=")
        if name.strip().lower() == "icid-value":
            return value.strip().strip('"')
    return ""


def _establish(pcscf: Pcscf, call: Passing, branch: Branch, answer: SipResponse) -> None:
    """Both dialogs, from the INVITE as it came and went, and the answer to it. Without them no BYE of ours: the end of
    such a call is left to its ends."""
    request = branch.context.request
    try:
        near = Dialog.of_called(request, answer.to.tag)
        far = Dialog.of_caller(branch.message, answer)
    except SipError:
        return
    ours = [at for at, route in enumerate(far.routes) if (uri := uri_of(route)) is not None and pcscf.proxy.own(uri)]
    if ours:  # in a call between two phones of ours we stand there twice
        far.routes = far.routes[ours[0 if call.calling else -1] + 1:]
    call.towards_phone, call.towards_core = (near, far) if call.calling else (far, near)
    call.context = None


def _over(pcscf: Pcscf, key: Hashable) -> Effects:
    call = pcscf.passing.pop(key, None)
    if call is not None and call.registration.guest:
        emergency.goodbye(pcscf, call.registration)
    yield StopTimer(SESSION, key)
    yield from media.end(pcscf, key)


@on.timer(SESSION, "TS 24.229, 5.2.8.3")
def on_session_expires(pcscf: Pcscf, key: Hashable, rx: Rx) -> Effects:
    """Nobody has refreshed the session: all that is known of it is deleted, its bearers go."""
    call = pcscf.passing.get(key)
    if call is not None:
        rx.subject = call.registration.subject
        yield Verdict("call", False, "the call is over: nobody has refreshed its session (Session-Expires)")
        yield from _over(pcscf, key)


@on.event(MediaLost)
def on_media_lost(pcscf: Pcscf, event: MediaLost, rx: Rx) -> Effects:
    """Without a bearer for its voice a call makes no sense: 503 while it is being set up, BYE to both ends later."""
    call = pcscf.passing.get(event.key)
    if call is not None:
        rx.subject = call.registration.subject
        yield Verdict("call", False, f"the call was given up: {event.why}")
        yield from _give_up(pcscf, call)
    yield from _over(pcscf, event.key)


def _give_up(pcscf: Pcscf, call: Passing) -> Effects:
    if call.towards_phone is None or call.towards_core is None:
        if call.context is not None:
            yield from pcscf.proxy.give_up(call.context, response(call.context.request, UNAVAILABLE))
        return
    flow = call.registration.current.flow if call.registration.current is not None else call.registration.plain
    ends = [("Mw", "", call.towards_core, True)] + ([("Gm", str(flow), call.towards_phone, False)] if flow else [])
    for point, peer, dialog, as_phone in ends:
        dialog.cseq = max(dialog.cseq, call.numbers.get(as_phone, 0))
        bye = dialog.request("BYE")
        bye.append("Reason", REASON)
        yield Request(point, peer or pcscf.core.peer(next_hop(bye)), bye)
