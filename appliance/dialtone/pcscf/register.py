# SPDX-License-Identifier: Apache-2.0
"""REGISTER on its way to the S-CSCF (TS 24.229, 5.2.2.1): who it is from, and what the phone offers for IPsec.

Nothing is remembered of a phone before the S-CSCF has answered.
"""

from dataclasses import dataclass, replace

from dialtone.codec.sip import AuthParams, NameAddr, RegisterRequest, SipError, SipUri, response
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Request, Unanswered, Verdict
from dialtone.pcscf import headers
from dialtone.pcscf.element import Pcscf, on
from dialtone.pcscf.registration import Association, Registration, RegistrationKey
from dialtone.sip import security_agreement as agreement
from dialtone.sip.flow import Flow
from dialtone.sip.proxy import hops_left, understand
from dialtone.sip.security_agreement import Mechanism

BUSY = 60  # seconds after which a phone may try again


@dataclass(slots=True, eq=False)
class Registering:
    """A REGISTER that the S-CSCF has to answer. `through` is the set it came by; `offer` what the phone and we can both
    do, of this very REGISTER; `contact` is None when it ends its registrations."""

    rx: Rx
    request: RegisterRequest
    flow: Flow
    registration: Registration
    through: Association | None
    offer: Mechanism | None
    contact: tuple[str, int] | None


@on("Gm", RegisterRequest)
def on_register_request(pcscf: Pcscf, msg: RegisterRequest, rx: Rx) -> Effects:
    flow = Flow.parse(rx.peer)
    key = RegistrationKey(impi_of(msg), flow.host)
    registration = pcscf.registrations.get(key) or Registration(key)
    rx.subject, rx.state = registration.subject, registration.state
    understand(msg, "Proxy-Require", pcscf.proxy.extensions)
    contact = contact_of(msg, flow)
    if not pcscf.is_protected(rx):
        offer, through = _offer(pcscf, msg, key.impi), None
    else:
        through = _through(pcscf, msg, rx, registration)
        offer = agreement.choose(agreement.mechanisms(msg, "Security-Client"), pcscf.ims.integrity,
                                 pcscf.ims.encryption)
    if key not in pcscf.registrations and len(pcscf.registrations) >= pcscf.ims.phones:
        busy = response(msg, 503)
        busy.append("Retry-After", str(BUSY))
        yield Answer(busy)
        yield Verdict("register", False, f"All {pcscf.ims.phones} places for registrations are taken, so this phone is "
                                         "asked to come back later: [ims] phones is too small.")
        return
    yield from pcscf.move(registration, "REGISTER")
    forwarded = _forwarded(pcscf, msg, flow, through is not None)
    yield Request("Mw", pcscf.core.entry, forwarded, Registering(rx, msg, flow, registration, through, offer, contact))


def impi_of(msg: RegisterRequest) -> str:
    """The private identity: the username of the credentials, else the public identity without its scheme (TS 24.229,
    5.1.1.2.1). Raises SipError."""
    credentials = msg.first("Authorization")
    if credentials is not None and (user := AuthParams.parse(credentials).get("username")):
        return user
    uri = SipUri.parse(msg.to.uri)
    return f"{uri.user}@{uri.host}"


def contact_of(msg: RegisterRequest, flow: Flow) -> tuple[str, int] | None:
    """Where requests for the phone go: to its own address, since it must not bind another's. None for `*` and where it
    only asks. Raises SipError."""
    contacts = msg.all("Contact")
    if not contacts or contacts == ["*"]:
        return None
    if len(contacts) > 1:
        raise SipError("one contact at a time", cause=400, clause="TS 24.229, 5.1.1.2.1")
    uri = SipUri.parse(NameAddr.parse(contacts[0]).uri)
    if uri.host.strip("[]") != flow.host:
        raise SipError(f"Contact names {uri.host}, and the request comes from {flow.host}", cause=403,
                       clause="TS 24.229, 5.1.1.2")
    return flow.host, uri.port or 5060


def is_emergency(msg: RegisterRequest) -> bool:
    """Whether it registers for calls to 112 only: `sos` in its Contact (TS 24.229, 5.1.6.2 and 7.2A.13)."""
    contacts = msg.all("Contact")
    return bool(contacts) and contacts != ["*"] and "sos" in SipUri.parse(NameAddr.parse(contacts[0]).uri).params


def _offer(pcscf: Pcscf, msg: RegisterRequest, impi: str) -> Mechanism | None:
    """What to protect the phone by; None for one that may do without."""
    offers = agreement.mechanisms(msg, "Security-Client")
    chosen = agreement.choose(offers, pcscf.ims.integrity, pcscf.ims.encryption)
    if chosen is not None or (not offers and pcscf.plain(impi)):
        return chosen
    if msg.has("Security-Client"):
        raise SipError("no mechanism of Security-Client will do", cause=494, clause="RFC 3329, 2.3.1")
    raise SipError("this phone must agree on IPsec", cause=421, clause="TS 33.203, 7.2",
                   headers=(("Require", agreement.SEC_AGREE),))


def _through(pcscf: Pcscf, msg: RegisterRequest, rx: Rx, registration: Registration) -> Association:
    """The set that it came by, the one that its Security-Verify repeats. Raises SipError."""
    owner = pcscf.sender(rx)
    if owner is None or owner is not registration:
        raise SipError("these SAs are another identity's", cause=403, clause="TS 24.229, 5.2.2.1")
    flow, verify = Flow.parse(rx.peer), msg.all("Security-Verify")
    for one in registration.associations:
        if one.sas.phone.port_c == flow.port and agreement.repeats(verify, one.server):
            return one
    raise SipError("Security-Verify is not what Security-Server said", cause=494, clause="RFC 3329, 2.3.1")


def _forwarded(pcscf: Pcscf, msg: RegisterRequest, flow: Flow, protected: bool) -> RegisterRequest:
    """As the S-CSCF gets it (TS 24.229, 5.2.2.1)."""
    out = msg.copy()
    out.set("Max-Forwards", str(hops_left(msg) - 1))
    headers.distrust(out)
    agreement.take_out(out)
    out.remove("Route", "Path")
    out.append("Path", pcscf.uri("term"))
    if "path" not in out.options("Require"):
        out.append("Require", "path")
    out.append("P-Visited-Network-ID", pcscf.domain)
    headers.charge(pcscf, out, flow.host)
    credentials = out.first("Authorization")
    if credentials is not None:
        auth = AuthParams.parse(credentials)
        plain = "ip-assoc-pending" if auth.get("response") else "no"  # TS 24.229, 5.2.2.5
        seen = {"integrity-protected": "yes" if protected else plain}
        out.set("Authorization", str(replace(auth, params={**auth.params, **seen})))
    return out


@on.unanswered(RegisterRequest)
def on_no_register_response(pcscf: Pcscf, event: Unanswered, rx: Rx) -> Effects:
    context = event.request.context
    rx.subject = context.registration.subject
    yield Answer(response(context.request, 504), to=context.rx)
    yield Verdict("register", False, "The S-CSCF does not answer; the phone was told 504 and will try again.")

