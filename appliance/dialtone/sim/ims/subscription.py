# SPDX-License-Identifier: Apache-2.0
"""The phone's subscription to its own registration state (TS 24.229, 5.1.1.3; RFC 3680; RFC 6665).

SUBSCRIBE -> 200, NOTIFY with all identities of the set -> 200. Without a NOTIFY a phone registers again.
"""

from collections.abc import Iterator

from dialtone.codec import reginfo
from dialtone.codec.sip import NotifyRequest, SubscribeRequest, SubscribeResponse
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, StopTimer, Unanswered
from dialtone.errors import ProtocolError
from dialtone.sim.ims import registration
from dialtone.sim.ims.client import ImsClient, Subscription, on
from dialtone.sim.ims.states import RegistrationState
from dialtone.sip.dialog import Dialog

SUBSCRIBE = "IMS subscription"
EXPIRES = 600_000
_CALL_DOES_NOT_EXIST = 481


def keep(client: ImsClient) -> Iterator[Effect]:
    """Subscribe, unless there is a subscription."""
    if client.subscription is None:
        message = client.request("SUBSCRIBE", client.impu)
        client.subscription = Subscription(message)
        yield from _send(client, message)


def _send(client: ImsClient, message: SubscribeRequest | object) -> Iterator[Effect]:
    assert isinstance(message, SubscribeRequest)
    message.append("Contact", client.contact(bare=True))
    message.append("Event", "reg")
    message.append("Accept", reginfo.CONTENT_TYPE)
    message.append("Expires", str(EXPIRES))
    yield client.start("NOTIFY")
    yield client.ask(message, client.subscription)


@on("Gm", SubscribeResponse)
def on_subscribe_response(client: ImsClient, msg: SubscribeResponse, rx: Rx) -> Effects:
    """Taken, or not (RFC 6665, 4.1.2)."""
    assert rx.request is not None
    subscription = rx.request.context
    if subscription is not client.subscription or subscription is None or not msg.final:
        return
    if msg.status >= 300:
        client.subscription = None
        yield StopTimer("NOTIFY", client.imsi)
        yield client.outcome(SUBSCRIBE, False, f"SUBSCRIBE refused: {msg.status} {msg.reason}".rstrip())
        return
    if subscription.dialog is None:
        subscription.dialog = Dialog.of_caller(subscription.request, msg)
    granted = msg.first("Expires") or ""
    if granted.isascii() and granted.isdigit() and int(granted[:10]):
        yield client.start("subscription", int(granted[:10]) / 2)
    if subscription.notified:
        yield StopTimer("NOTIFY", client.imsi)


@on.unanswered(SubscribeRequest)
def on_no_answer_to_subscribe(client: ImsClient, event: Unanswered, rx: Rx) -> Effects:
    """Nobody is there any more: register again."""
    client.mark(rx)
    if event.request.context is client.subscription and client.subscription is not None:
        yield from _register_again(client, "no answer to SUBSCRIBE")


@on.timer("NOTIFY", "TS 24.229, 5.1.1.3")
def on_notify(client: ImsClient, key: str, rx: Rx) -> Effects:
    """SUBSCRIBE was taken, and no NOTIFY came."""
    client.mark(rx)
    if client.subscription is not None:
        yield from _register_again(client, "no NOTIFY came for the subscription")


@on.timer("subscription", "TS 24.229, 5.1.1.3")
def on_subscription(client: ImsClient, key: str, rx: Rx) -> Effects:
    """Half of its time is over."""
    client.mark(rx)
    if client.subscription is not None and client.subscription.dialog is not None:
        yield from _send(client, client.inside(client.subscription.dialog, "SUBSCRIBE"))


def _register_again(client: ImsClient, why: str) -> Iterator[Effect]:
    client.subscription = None
    yield client.outcome(SUBSCRIBE, False, f"{why}; the phone registers again")
    if client.state == RegistrationState.REGISTERED:
        yield from registration.refresh(client)


@on("Gm", NotifyRequest)
def on_notify_request(client: ImsClient, msg: NotifyRequest, rx: Rx) -> Effects:
    """The registration state, checked as a handset does: all identities are there, and our contact (5.1.1.3)."""
    mine = client.subscription
    if mine is None or mine.request.call_id != msg.call_id or mine.request.from_.tag != msg.to.tag:
        yield client.answer(msg, _CALL_DOES_NOT_EXIST, rx)
        return
    if (msg.first("Event") or "").partition(";")[0].strip() != "reg":
        raise ProtocolError("NOTIFY of another event", cause=489, clause="RFC 6665, 4.1.3")
    info = reginfo.decode(msg.body)
    if mine.dialog is None:
        mine.dialog = Dialog.of_called(msg, mine.request.from_.tag)
        mine.dialog.cseq = mine.request.cseq.number
        mine.dialog.local = mine.request.first("From") or ""
    else:
        mine.dialog.accept(msg)
    yield client.answer(msg, 200, rx)
    yield StopTimer("NOTIFY", client.imsi)
    if mine.notified and info.version <= mine.version:
        return
    first, mine.notified, mine.version = not mine.notified, True, info.version
    if first and (wrong := _missing(client, info)):
        yield client.outcome(SUBSCRIBE, False, wrong)
        return
    if first:
        yield client.outcome(SUBSCRIBE, True, f"registered as {client.impu}, and told of its state")
    yield from _heed(client, info)


def _missing(client: ImsClient, info: reginfo.RegInfo) -> str:
    """What the first NOTIFY must hold and does not; empty when all is well."""
    known = client.registration.identities if client.registration else ()
    active = {one.aor for one in info.registrations if one.state == "active"}
    if not info.full:
        return "the first NOTIFY does not tell the full state"
    missing = [identity for identity in known if identity not in active]
    return f"the NOTIFY leaves out {missing[0]}, which the 200 to REGISTER gave" if missing else ""


def _heed(client: ImsClient, info: reginfo.RegInfo) -> Iterator[Effect]:
    """The network has ended the registration: `deactivated` asks for a new one, the rest does not (5.1.1.7)."""
    ended = [contact.event for one in info.registrations if one.state == "terminated" for contact in one.contacts]
    if client.state == RegistrationState.LEAVING or not info.registrations:
        return
    if any(one.state != "terminated" for one in info.registrations):
        return
    yield from client.move("ended by the network")
    yield from registration.lost(client, f"the network ended the registration ({', '.join(sorted(set(ended)))})")
    if "deactivated" in ended:
        yield from registration.begin(client)
