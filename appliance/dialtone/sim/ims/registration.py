# SPDX-License-Identifier: Apache-2.0
"""Registration of the IMS client (TS 24.229, 5.1.1; TS 33.203, 6 and 7).

REGISTER -> 401 -> REGISTER under IPsec -> 200; the same again, on the old SAs, at half of the time granted; REGISTER
with Expires 0 before the phone is switched off.
"""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass

from dialtone.codec.sip import NameAddr, RegisterRequest, RegisterResponse, SipError, SipRequest, SipUri
from dialtone.crypto.sip_digest import split_nonce
from dialtone.dispatch import Rx
from dialtone.effects import (
    Effect,
    Effects,
    Event,
    InstallSas,
    KeepSas,
    RemoveSas,
    Request,
    StopTimer,
    Tell,
    Unanswered,
)
from dialtone.errors import ProtocolError
from dialtone.sim.ims import emergency, subscription
from dialtone.sim.ims.agreement import Challenge, Offer, agree, credentials, initial_credentials, make_offer
from dialtone.sim.ims.client import ImsClient, Registration, Secure, on
from dialtone.sim.ims.identity import authenticate
from dialtone.sim.ims.states import RegistrationState
from dialtone.sim.ims.timers import CREDENTIAL_FAILURES, RETRY_LIMIT, TIMERS
from dialtone.sim.usim import Authenticated, MacFailure, SyncFailure

REGISTER = "IMS registration"
DEREGISTER = "IMS de-registration"
FORBIDDEN = 403
INTERVAL_TOO_BRIEF = 423
PENDING_SECONDS = 128.0
"""How long SAs live before the network has confirmed them: reg-await-auth (TS 24.229, 5.1.1.5.1)."""
MARGIN = 30.0
BRIEF = 30
"""Seconds of a registration that no registrar grants (RFC 3261, 10.3; here 60)."""


@dataclass(slots=True)
class RegisterCommand(Event):
    """Register now, or refresh the registration."""


@dataclass(slots=True)
class DeregisterCommand(Event):
    """Leave IMS; `then` goes to the phone, which waits for it before it detaches."""

    then: Event | None = None


@dataclass(slots=True, eq=False)
class Attempt:
    """A REGISTER under way, with its challenges: `purpose` is register, refresh or leave."""

    purpose: str
    call_id: str
    tag: str
    cseq: int
    expires: int
    offer: Offer | None
    secure: Secure | None = None
    challenges: int = 0
    then: Event | None = None


@on.event(RegisterCommand)
def on_register_command(client: ImsClient, event: RegisterCommand, rx: Rx) -> Effects:
    """A person wants it."""
    client.mark(rx)
    client.credential_failures = 0
    client.retry_seconds = TIMERS["retry"].seconds
    if client.state == RegistrationState.NO_CONNECTION:
        yield client.outcome(REGISTER, False, "there is no IMS connection (PDN) to register over")
    elif client.state == RegistrationState.NOT_REGISTERED:
        yield from begin(client)
    elif client.state == RegistrationState.REGISTERED:
        yield from refresh(client)


def begin(client: ImsClient) -> Iterator[Effect]:
    """A first REGISTER, in the clear (5.1.1.2). A new Call-ID after each failure: P-CSCFs keep state by it."""
    if client.faults.no_sip:
        return
    yield StopTimer("retry", client.imsi)
    yield from client.move("register")
    faults = client.faults
    offer = make_offer(client) if client.handset.mechanisms and not (faults.no_security_client or faults.md5) else None
    expires = BRIEF if faults.short_expiry else client.handset.expires
    yield _start(client, Attempt("register", client.call_id(), client.token(), 1, expires, offer))


def refresh(client: ImsClient) -> Iterator[Effect]:
    """Once more, on the SAs that stand, with SPIs for new ones (5.1.1.4)."""
    yield from client.move("refresh")
    yield _start(client, _again(client, "refresh", client.handset.expires))


def leave(client: ImsClient, then: Event | None = None) -> Iterator[Effect]:
    """De-register every contact of ours (5.1.1.6)."""
    yield from client.move("leave")
    attempt = _again(client, "leave", 0)
    attempt.then = then
    yield _start(client, attempt)


def _again(client: ImsClient, purpose: str, expires: int) -> Attempt:
    registration = client.registration
    assert registration is not None
    registration.cseq += 1
    offer = make_offer(client) if client.secure is not None else None
    return Attempt(purpose, registration.call_id, client.token(), registration.cseq, expires, offer)


def _start(client: ImsClient, attempt: Attempt) -> Request:
    client.attempt = attempt
    message = register(client, attempt)
    message.append("Authorization", initial_credentials(client))
    return Request("Gm", client.peer(), message, attempt)


def register(client: ImsClient, attempt: Attempt, secure: Secure | None = None) -> SipRequest:
    """A REGISTER, on the agreement in use, or on the one that is to come into use (5.1.1.2.1, 5.1.1.4.1)."""
    identity, secure = client.identity, secure or client.secure
    message = client.request("REGISTER", f"sip:{identity.domain}", to=f"<{identity.impu}>", call_id=attempt.call_id,
                             cseq=attempt.cseq, tag=attempt.tag, routes=())
    message.set("From", f"<{identity.impu}>;tag={attempt.tag}")
    message.append("Contact", f"{client.contact(secure)};expires={attempt.expires}")
    message.append("Expires", str(attempt.expires))
    message.append("Supported", "path, gruu, sec-agree" if attempt.offer else "path, gruu")
    if attempt.offer is not None:
        message.append("Security-Client", ", ".join(map(str, attempt.offer.mechanisms)))
    client.secured(message, secure)
    if attempt.offer is not None and secure is None:
        message.append("Require", "sec-agree")
        message.append("Proxy-Require", "sec-agree")
    return message


@on("Gm", RegisterResponse)
def on_register_response(client: ImsClient, msg: RegisterResponse, rx: Rx) -> Effects:
    """What the network says to a REGISTER (5.1.1.2.1, 5.1.1.5)."""
    assert rx.request is not None
    attempt = rx.request.context
    if attempt is None or attempt is not client.attempt or not msg.final:
        return
    if msg.status == 401:
        yield from _challenged(client, attempt, msg)
    elif 200 <= msg.status < 300:
        yield from _granted(client, attempt, msg)
    elif msg.status == INTERVAL_TOO_BRIEF and not client.faults.short_expiry and (
            least := _seconds(msg.first("Min-Expires"))) > attempt.expires:
        attempt.expires, attempt.cseq = least, attempt.cseq + 1
        message = register(client, attempt, attempt.secure)
        message.append("Authorization", rx.request.message.first("Authorization"))  # type: ignore[attr-defined]
        yield Request("Gm", rx.request.peer, message, attempt)
    else:
        yield from _failed(client, f"refused: {msg.status} {msg.reason}".rstrip(), after=_seconds(
            msg.first("Retry-After")), credentials=msg.status == FORBIDDEN and attempt.challenges > 0)


@on.unanswered(RegisterRequest)
def on_no_answer_to_register(client: ImsClient, event: Unanswered, rx: Rx) -> Effects:
    """Timer F (5.1.1.2.1)."""
    client.mark(rx)
    if event.request.context is client.attempt and client.attempt is not None:
        yield from _failed(client, "no answer to REGISTER")


# ---- the challenge -------------------------------------------------------------------------------------


def _challenged(client: ImsClient, attempt: Attempt, msg: RegisterResponse) -> Effects:
    if client.faults.silent_after_401:
        client.last = "challenged by the network, and silent since"
        return
    attempt.challenges += 1
    if attempt.challenges > 1 and attempt.secure is not None:
        yield from _failed(client, "the answer to the challenge was not accepted (another 401)", credentials=True)
        return
    try:
        challenge = Challenge.of(client, msg)
        result = authenticate(client.usim, client.isim, client.faults, *split_nonce(challenge.nonce))
        attempt.cseq += 1
        match result:
            case MacFailure():
                yield from _not_genuine(client, attempt, challenge)
            case SyncFailure(auts, why):
                yield from _resynchronise(client, attempt, challenge, auts, why)
            case Authenticated():
                yield from _answer(client, attempt, msg, challenge, result)
    except ProtocolError as error:
        yield from _failed(client, f"the challenge cannot be answered: {error.text}")


def _answer(client: ImsClient, attempt: Attempt, msg: RegisterResponse, challenge: Challenge,
            keys: Authenticated) -> Effects:
    """SAs first, then the answer on them."""
    if attempt.offer is not None:
        attempt.secure = agree(client, attempt.offer, msg, keys)
        yield InstallSas(attempt.secure.sas, PENDING_SECONDS, InstallFailed(attempt), imsi=client.imsi)
    yield from client.move("challenge") if attempt.purpose != "leave" else ()
    message = register(client, attempt, attempt.secure)
    message.append("Authorization", credentials(client, challenge, message, keys))
    yield Request("Gm", client.peer(attempt.secure), message, attempt)


def _resynchronise(client: ImsClient, attempt: Attempt, challenge: Challenge, auts: bytes, why: str) -> Effects:
    """The card saw an SQN out of range: AUTS goes where the REGISTER went, and a new challenge comes (5.1.1.5.3)."""
    client.counters["AUTS"] += 1
    if attempt.challenges > CREDENTIAL_FAILURES:
        yield from _failed(client, f"the network does not take the card's sequence number: {why}", credentials=True)
        return
    attempt.offer = make_offer(client) if attempt.offer is not None else None
    message = register(client, attempt)
    message.append("Authorization", credentials(client, challenge, message, None, auts=b64encode(auts).decode()))
    yield Request("Gm", client.peer(), message, attempt)


def _not_genuine(client: ImsClient, attempt: Attempt, challenge: Challenge) -> Effects:
    """A wrong MAC: the network hears of it by an empty answer, and the client gives up this attempt (5.1.1.5.3)."""
    message = register(client, attempt)
    message.append("Authorization", credentials(client, challenge, message, None))
    yield Request("Gm", client.peer(), message, None)
    yield from _failed(client, "the network's challenge is not genuine (MAC): the card has another K or OPc than the "
                               "HSS", credentials=True)


@dataclass(slots=True)
class InstallFailed(Event):
    """The kernel did not take the SAs."""

    attempt: Attempt


@on.event(InstallFailed)
def on_install_failed(client: ImsClient, event: InstallFailed, rx: Rx) -> Effects:
    """Without them there is no answer."""
    client.mark(rx)
    if event.attempt is client.attempt:
        event.attempt.secure = None
        yield from _failed(client, "this machine's kernel does not take the security associations")


# ---- the end --------------------------------------------------------------------------------------------


def _granted(client: ImsClient, attempt: Attempt, msg: RegisterResponse) -> Effects:
    secure = attempt.secure
    if attempt.purpose == "leave":
        yield from client.move("200")
        yield from _gone(client)
        yield client.outcome(DEREGISTER, True, "de-registered from IMS")
        if attempt.then is not None:
            yield Tell(client.phone, attempt.then)
        return
    try:
        expires, identities = _expires(client, msg, attempt), _identities(msg)
    except ProtocolError as error:
        yield from _failed(client, f"the 200 to REGISTER cannot be used: {error.text}")
        return
    yield from client.move("200")
    client.attempt = None
    if secure is not None:
        if client.secure is not None:
            client.old.append(client.secure)
            yield client.start("old SAs")
        if client.secure is None or not client.faults.stale_sas:
            client.secure = secure
        yield KeepSas(secure.sas, expires + MARGIN, imsi=client.imsi)
    client.registration = Registration(attempt.call_id, attempt.cseq, expires, identities,
                                       tuple(msg.all("Service-Route")))
    client.retry_seconds, client.credential_failures = TIMERS["retry"].seconds, 0
    yield client.start("refresh", expires / 2)
    sas = client.secure.sas if client.secure else None
    how = f"{sas.alg}, {sas.ealg}" if sas else "without IPsec"
    yield client.outcome(REGISTER, True, f"registered for {expires} s as {client.impu} ({how})")
    if client.emergency:
        yield from emergency.call(client)
    else:
        yield from subscription.keep(client)


def _expires(client: ImsClient, msg: RegisterResponse, attempt: Attempt) -> int:
    """What was granted to our contact (5.1.1.2.1). Raises ProtocolError."""
    mine = SipUri.parse(NameAddr.parse(client.contact(attempt.secure)).uri)
    for text in msg.all("Contact"):
        contact = NameAddr.parse(text)
        uri = SipUri.parse(contact.uri)
        if (uri.host, uri.port) == (mine.host, mine.port):
            granted = _seconds(contact.params.get("expires") or msg.first("Expires"))
            if granted:
                return granted
    raise ProtocolError("our contact is not in it, or has no time", clause="RFC 3261, 10.3")


def _identities(msg: RegisterResponse) -> tuple[str, ...]:
    """The identities that belong together, the first is the default (RFC 7315, 4.1). Raises ProtocolError for an empty
    or malformed one: a handset would take it, and call by it, for ever after."""
    found = []
    for text in msg.all("P-Associated-URI"):
        uri = NameAddr.parse(text).uri
        if uri.lower().startswith("sip:"):
            parsed = SipUri.parse(uri)
            if not parsed.user or "." not in parsed.host:
                raise SipError(f"{uri} in P-Associated-URI has no domain", clause="RFC 7315, 4.1")
        found.append(uri)
    if not found:
        raise ProtocolError("there is no P-Associated-URI", clause="TS 24.229, 5.1.1.2.1")
    return tuple(found)


def _seconds(text: str | None) -> int:
    text = (text or "").strip()
    return int(text[:10]) if text.isascii() and text.isdigit() else 0


def _failed(client: ImsClient, why: str, *, credentials: bool = False, after: float = 0.0) -> Effects:
    """An attempt came to nothing; the next one follows, unless the credentials are at fault (5.1.1.2.1, 5.1.1.5)."""
    attempt = client.attempt
    yield from client.move("failed")
    yield from _gone(client)
    procedure = DEREGISTER if attempt.purpose == "leave" else REGISTER
    if attempt.purpose == "leave":
        yield client.outcome(procedure, False, f"de-registration {why}")
        if attempt.then is not None:
            yield Tell(client.phone, attempt.then)
        return
    client.failures += 1
    if client.emergency:  # without a name, then
        yield client.outcome(procedure, False, why)
        yield from emergency.call(client)
        return
    client.credential_failures += credentials
    if client.credential_failures >= CREDENTIAL_FAILURES:
        yield client.outcome(procedure, False, f"{why}; the phone gives up until it is switched off and on")
        return
    wait = after or client.retry_seconds
    client.retry_seconds = min(2 * client.retry_seconds, RETRY_LIMIT)
    yield client.start("retry", wait)
    yield client.outcome(procedure, False, f"{why}; the next try is in {wait:g} s")


def _gone(client: ImsClient) -> Iterator[Effect]:
    """Nothing of a registration stays: SAs, timers, subscription."""
    for one in client.agreements():
        yield RemoveSas(one.sas, imsi=client.imsi)
    client.attempt = client.registration = client.secure = client.subscription = None
    client.old.clear()
    for timer in TIMERS:
        yield StopTimer(timer, client.imsi)


def lost(client: ImsClient, why: str) -> Iterator[Effect]:
    """The connection, or the registration, ends without a REGISTER."""
    registered = client.registered
    yield from _gone(client)
    if registered:
        yield client.outcome(DEREGISTER, True, why)


@on.timer("refresh", "TS 24.229, 5.1.1.4.1")
def on_refresh(client: ImsClient, key: str, rx: Rx) -> Effects:
    """Half of the time is over."""
    client.mark(rx)
    if client.state == RegistrationState.REGISTERED and client.emergency and not client.calls:
        yield from client.move("ended by the network")
        yield from lost(client, "the emergency registration is left to expire")
    elif client.state == RegistrationState.REGISTERED:
        yield from refresh(client)


@on.timer("retry", "TS 24.229, 5.1.1.2.1")
def on_retry(client: ImsClient, key: str, rx: Rx) -> Effects:
    """It has waited long enough."""
    client.mark(rx)
    if client.state == RegistrationState.NOT_REGISTERED:
        yield from begin(client)


@on.timer("old SAs", "TS 24.229, 5.1.1.5.1")
def on_old_sas(client: ImsClient, key: str, rx: Rx) -> Effects:
    """Nobody sends on the old SAs any more."""
    client.mark(rx)
    for one in client.old:
        yield RemoveSas(one.sas, imsi=client.imsi)
    client.old.clear()


@on.event(DeregisterCommand)
def on_deregister_command(client: ImsClient, event: DeregisterCommand, rx: Rx) -> Effects:
    """A person wants it, or the phone is about to be switched off."""
    client.mark(rx)
    if client.state in (RegistrationState.REGISTERED, RegistrationState.REFRESHING,
                        RegistrationState.REFRESH_ANSWERING):
        yield from leave(client, event.then)
        return
    yield client.outcome(DEREGISTER, True, "was not registered")
    if event.then is not None:
        yield Tell(client.phone, event.then)
