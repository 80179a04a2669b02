# SPDX-License-Identifier: Apache-2.0
"""What the S-CSCF answers to REGISTER (TS 24.229, 5.2.2.2): the SAs of a challenge, and their use once it is passed.

CK and IK end here: the phone makes its own from the challenge (TS 33.203, 6.1).
"""

from dataclasses import dataclass, replace

from dialtone.codec.sip import AuthParams, NameAddr, RegisterResponse, SipError, SipUri, response
from dialtone.crypto.ipsec_keys import SaSet
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Event, InstallSas, KeepSas, StartTimer, StopTimer, Verdict
from dialtone.pcscf import headers, reg_event
from dialtone.pcscf.element import Pcscf, on
from dialtone.pcscf.leaving import leave
from dialtone.pcscf.register import Registering, is_emergency
from dialtone.pcscf.registration import Association, Place, Registration, RegistrationKey
from dialtone.pcscf.states import RegistrationState
from dialtone.pcscf.timers import KERNEL, MARGIN, OLD_SAS, REG_AWAIT_AUTH
from dialtone.sip.security_agreement import Mechanism

_KEYS = ("ck", "ik")
_KEY_OCTETS = 16
_ALARM = 0.9


@dataclass(slots=True)
class SasRefused(Event):
    """The kernel did not take the SAs of a challenge, which therefore was not sent."""

    context: Registering
    association: Association


@on("Mw", RegisterResponse)
def on_register_response(pcscf: Pcscf, msg: RegisterResponse, rx: Rx) -> Effects:
    context = rx.request.context if rx.request is not None else None
    assert isinstance(context, Registering)
    registration = context.registration
    rx.subject, rx.state = registration.subject, registration.state
    headers.keep_inside(msg)
    if not msg.final:
        return
    if msg.status == 401:
        yield from _challenge(pcscf, msg, context, rx)
    elif 200 <= msg.status < 300:
        yield from _accepted(pcscf, msg, context, rx)
    else:
        yield Answer(msg, to=context.rx)
        yield Verdict("register", False, f"The S-CSCF refuses the registration with {msg.status} {msg.reason}.")


# ---- 401 -----------------------------------------------------------------------------------------------


def _challenge(pcscf: Pcscf, msg: RegisterResponse, context: Registering, rx: Rx) -> Effects:
    registration = context.registration
    challenge = AuthParams.parse(msg.first("WWW-Authenticate") or "Digest")
    keys = [_key(challenge.get(name)) for name in _KEYS]
    without = {name: value for name, value in challenge.params.items() if name not in _KEYS}
    msg.set("WWW-Authenticate", str(replace(challenge, params=without)))
    msg.remove("Security-Server")
    pcscf.registrations[registration.key] = registration
    yield from pcscf.move(registration, "401")
    yield StartTimer("reg-await-auth", registration.key, REG_AWAIT_AUTH)
    if context.offer is None:  # without IPsec, or with the SAs that it has
        yield Answer(msg, to=context.rx)
        return
    ck, ik = keys
    try:
        if ck is None or ik is None:
            raise SipError("the S-CSCF sent no keys", cause=500, clause="TS 24.229, 5.4.1.2.1")
        yield from _make_room(pcscf, context)
        association = _associate(pcscf, context.offer, registration, ck, ik, rx.now)
    except SipError as error:
        yield Answer(response(context.request, error.cause or 500), to=context.rx)
        yield Verdict("register", False, f"There can be no IPsec with this phone: {error}.")
        return
    if registration.pending is not None:
        yield from pcscf.drop(registration, registration.pending)
    registration.pending = association
    pcscf.enter(registration, association)
    yield InstallSas(association.sas, REG_AWAIT_AUTH + KERNEL, failed=SasRefused(context, association))
    msg.append("Security-Server", association.server)
    yield Answer(msg, to=context.rx)


def _key(text: str) -> bytes | None:
    """CK or IK of a challenge (TS 24.229, 7.2A.1): 32 hexadecimal digits."""
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        return None
    return octets if len(octets) == _KEY_OCTETS else None


def _associate(pcscf: Pcscf, offer: Mechanism, registration: Registration, ck: bytes, ik: bytes,
               now: float) -> Association:
    host = registration.key.host
    network = pcscf.network_end(host, registration.associations)
    server = Mechanism(offer.alg, offer.ealg, network.spi_c, network.spi_s, network.port_c, network.port_s, "0.1")
    return Association(SaSet.make(offer.end(host), network, offer.alg, offer.ealg, ck, ik), str(server), now)


def _make_room(pcscf: Pcscf, context: Registering) -> Effects:
    """A phone that was switched off may come back with the SPIs or the port of before; and an address may be another
    phone's now. What stands in the way goes, except what this very REGISTER came by. Raises SipError."""
    offer, host = context.offer, context.flow.host
    assert offer is not None
    spis = {offer.spi_c, offer.spi_s}
    owners = [pcscf.by_spi.get((host, spi)) for spi in spis]
    if context.through is None:
        owners.append(pcscf.by_place.get(Place(host, offer.port_c, pcscf.ims.protected_port)))
    for owner in {id(one): one for one in owners if one is not None}.values():
        if owner is not context.registration:
            yield from pcscf.let_go(owner)
            continue
        for one in owner.associations:
            same_spis = bool(spis & {one.sas.phone.spi_c, one.sas.phone.spi_s})
            if same_spis and one is context.through:
                raise SipError("its SPIs are in use", cause=400, clause="TS 33.203, 7.4")
            if same_spis or (context.through is None and one.sas.phone.port_c == offer.port_c):
                yield from pcscf.drop(owner, one)


@on.event(SasRefused)
def on_sas_refused(pcscf: Pcscf, event: SasRefused, rx: Rx) -> Effects:
    registration = event.context.registration
    rx.subject = registration.subject
    yield from pcscf.drop(registration, event.association)
    yield Answer(response(event.context.request, 500), to=event.context.rx)
    yield Verdict("register", False, "The kernel did not take the keys for this phone, so it was not challenged.")
    if registration.state == RegistrationState.CHALLENGED and not registration.associations:
        yield from pcscf.let_go(registration)


@on.timer("reg-await-auth", "TS 24.229, table 7.8")
def on_reg_await_auth(pcscf: Pcscf, key: RegistrationKey, rx: Rx) -> Effects:
    registration = pcscf.registrations[key]
    rx.subject = registration.subject
    if registration.pending is not None:
        yield from pcscf.drop(registration, registration.pending)
    yield from pcscf.move(registration, "reg-await-auth")
    yield Verdict("register", False, "The phone was challenged and did not answer within four minutes.")
    if registration.state == RegistrationState.NONE:
        yield from pcscf.let_go(registration)


# ---- 200 -----------------------------------------------------------------------------------------------


def _accepted(pcscf: Pcscf, msg: RegisterResponse, context: Registering, rx: Rx) -> Effects:
    registration = context.registration
    seconds = _granted(msg, context)
    if not seconds:
        yield from _ended(pcscf, msg, context)
        return
    pcscf.registrations[registration.key] = registration
    first = registration.state != RegistrationState.REGISTERED
    yield from pcscf.move(registration, "200")
    registration.since = registration.since or rx.now
    registration.expires = rx.now + seconds
    registration.identities = ([NameAddr.parse(value).uri for value in msg.all("P-Associated-URI")]
                               or [context.request.to.uri])
    registration.routes = msg.all("Service-Route")
    registration.emergency = is_emergency(context.request)
    yield StopTimer("reg-await-auth", registration.key)
    yield StartTimer("registration", registration.key, seconds + MARGIN)
    yield from _use(registration, context, seconds, rx.now)
    _reach(pcscf, registration, context)
    yield Answer(msg, to=context.rx)
    yield from reg_event.subscribe(pcscf, registration, rx.now)
    how = registration.current.name if registration.current is not None else "no IPsec"
    if first:
        yield Verdict("register", True, f"Registered as {registration.identities[0]} for {seconds} s, with {how}.")
    if first and len(pcscf.registrations) == int(_ALARM * pcscf.ims.phones):
        yield Verdict("register", False, f"{len(pcscf.registrations)} of {pcscf.ims.phones} places for registrations "
                                         "are taken: make [ims] phones larger before phones are refused.")


def _use(registration: Registration, context: Registering, seconds: int, now: float) -> Effects:
    """The set that the REGISTER came by is the one in use from now on; an older one stays for what is on its way."""
    used = context.through
    if used is None:
        return
    if used is not registration.current:
        if registration.current is not None:
            registration.old.append(registration.current)
            yield StartTimer("old SAs", registration.key, OLD_SAS)
        if used is registration.pending:
            registration.pending = None
        elif used in registration.old:
            registration.old.remove(used)
        registration.current = used
    yield KeepSas(used.sas, now - used.since + seconds + MARGIN + KERNEL)


def _reach(pcscf: Pcscf, registration: Registration, context: Registering) -> None:
    """Note where requests for the phone go, and without IPsec where its own come from."""
    if registration.contact is not None and pcscf.by_contact.get(registration.contact) is registration:
        del pcscf.by_contact[registration.contact]
    registration.contact = context.contact
    if context.contact is not None:
        pcscf.by_contact[context.contact] = registration
    if (before := registration.plain) is not None:
        pcscf.by_place.pop(Place(before.host, before.port, before.local_port), None)
        registration.plain = None
    if context.through is None:
        registration.plain = flow = context.flow
        pcscf.by_place[Place(flow.host, flow.port, flow.local_port)] = registration


def _granted(msg: RegisterResponse, context: Registering) -> int:
    """For how many seconds the S-CSCF has registered this contact; 0 when it is not, or no more."""
    for value in msg.all("Contact"):
        contact = NameAddr.parse(value)
        uri = SipUri.parse(contact.uri)
        if (uri.host.strip("[]"), uri.port or 5060) == context.contact:
            text = contact.params.get("expires") or msg.first("Expires") or ""
            return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    return 0


def _ended(pcscf: Pcscf, msg: RegisterResponse, context: Registering) -> Effects:
    """De-registered (TS 24.229, 5.2.5.1). The answer, and its repetitions, still go by the SAs."""
    registration = context.registration
    yield Answer(msg, to=context.rx)
    if context.contact is not None and registration.contact not in (None, context.contact):
        return  # another contact of the same phone
    if context.contact is None and context.request.all("Contact") != ["*"]:
        return  # it only asked
    yield from reg_event.wait_for_end(pcscf, registration)
    yield from leave(pcscf, registration)
    yield Verdict("register", True, "De-registered; its SAs go as soon as nothing can be repeated on them any more.")
