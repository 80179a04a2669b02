# SPDX-License-Identifier: Apache-2.0
"""The S-CSCF as an element, with the I-CSCF inside: its UAR and LIR are real Cx messages all the same."""

import itertools
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, NamedTuple

from dialtone.codec import sip
from dialtone.codec.diameter import DiameterMessage
from dialtone.codec.sip import NameAddr, SipRequest, SipResponse, SipUri
from dialtone.config import Config
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Effects, Request
from dialtone.element import Element
from dialtone.errors import ProtocolError
from dialtone.scscf import cx
from dialtone.scscf.numbers import SERVICES, Plan, identity_key, service_uri
from dialtone.scscf.user import User
from dialtone.sip.flow import flow_to
from dialtone.sip.proxy import Context, Proxy
from dialtone.sip.refusal import admit, refuse

if TYPE_CHECKING:
    from dialtone.scscf.application_server import Leg
    from dialtone.scscf.calls import Call

on = Handlers("scscf")

ORIGINATING, EMERGENCY, DIALOG, RETURN = "orig", "sos", "dialog", "odi-"
"""User parts of our URIs in Route: from a phone (TS 24.229, 5.4.1.2.2F), to the E-CSCF (5.2.10.3), inside of a dialog,
and back from an application server with the original dialog identifier (5.4.3.2)."""

Then = Callable[["Scscf", Any, Rx], Effects]
"""What goes on when an answer is there; the answer is None where none came."""


class CxPeer(NamedTuple):
    """The HSS: an element of this process or a Diameter host, and who we are to it."""

    element: str
    origin_host: str
    origin_realm: str


class Scscf(Element):
    """Serving and interrogating call session control function. `random` gives octets."""

    name = "scscf"
    on = on

    def __init__(self, config: Config, random: Callable[[int], bytes]) -> None:
        self.config = config
        self.random = random
        self.domain = config.network.plmn.ims_domain
        self.host = f"scscf.{self.domain}"
        self.uri = f"sip:{self.host}"
        services = {code: service_uri(service, self.domain) for code, service in SERVICES.items()}
        codes = {**services, **config.ims.short_codes}
        self.plan = Plan(self.domain, config.ims.country_code, tuple(codes.items()))
        self.cx = CxPeer("hss", self.host, self.domain)
        self.users: dict[str, User] = {}  # by private identity
        self.served: dict[str, User] = {}  # by public identity
        self.proxy = Proxy(lambda uri: uri.host == self.host)
        self.waiting: dict[Hashable, Context] = {}  # requests that are not sent on yet
        self.away: dict[str, Leg] = {}  # those at application servers, by original dialog identifier
        self.calls: dict[str, Call] = {}  # by Call-ID
        self.neighbours = {name: host for name, host in (
            (f"{name}.{self.domain}", name) for name in ("pcscf", "sms", "answer")) if name not in config.ims.hosts}
        if config.ims.icscf:  # our P-CSCF works for another core, and here for emergencies only: by its address
            self.neighbours[config.ims.core or config.s1.address] = "pcscf"
        self.trusted = {address.rpartition(":")[0] for address in config.ims.hosts.values()}  # who asserts identities
        self._sessions = itertools.count(int.from_bytes(random(4)))
        self._numbers = itertools.count(1)

    # ---- users -------------------------------------------------------------------------------------

    def user(self, impi: str) -> User:
        """The context of a private identity, a fresh one where there was none."""
        return self.users.get(impi) or self.users.setdefault(impi, User(impi))

    def serving(self, identity: str) -> User | None:
        """Whose public identity this is, of those that are served now."""
        return self.served.get(identity_key(identity))

    def index(self, user: User) -> None:
        """The identities of a user, or some of them, are new: find it under these and no others."""
        for key in user.found_by:
            if self.served.get(key) is user:
                del self.served[key]
        user.found_by = tuple([identity_key(each.identity) for each in user.identities])
        self.served.update(dict.fromkeys(user.found_by, user))

    def tidy(self, user: User) -> None:
        """Forget a user of whom nothing is left."""
        if user.idle:
            user.subscription = None
            self.index(user)
            self.users.pop(user.impi, None)

    def number(self) -> str:
        """An identifier that nothing else of ours has."""
        return f"{next(self._numbers):x}"

    def token(self) -> str:
        """A tag, or a Call-ID: nobody can guess it."""
        return self.random(8).hex()

    # ---- Cx ------------------------------------------------------------------------------------------

    def header(self) -> dict[str, Any]:
        """What every Cx request begins with (TS 29.229, 6.1)."""
        number = next(self._sessions)
        return {
            "session_id": f"{self.cx.origin_host};{number >> 32};{number & 0xFFFFFFFF}",
            "origin_host": self.cx.origin_host, "origin_realm": self.cx.origin_realm,
            "destination_realm": self.cx.origin_realm,
        }  # fmt: skip

    def ask(self, message: DiameterMessage, then: Then) -> Request:
        """A request to the HSS; `then` gets its answer, or None."""
        return Request("Cx", self.cx.element, message, context=then)

    # ---- SIP -----------------------------------------------------------------------------------------

    def hop(self, uri: str) -> tuple[str, str]:
        """Reference point and peer for the next URI of a route: an element of this process, or an address."""
        target = SipUri.parse(NameAddr.parse(uri).uri if "<" in uri else uri)
        name = self.neighbours.get(target.host)
        if name is not None:
            return ("Mw" if name == "pcscf" else "ISC"), name
        flow = flow_to(target, self.config.ims.hosts)
        if flow is None:
            raise ProtocolError(f"{target.host} is nobody that this network reaches", cause=404,
                                clause="RFC 3263, 4")
        return "Mw", str(flow)

    def abroad(self, uri: str) -> tuple[str, str]:
        """The same where a phone may have written it: a user of another domain, the rest of a dialog's route. Only whom
        the configuration names and who registered with us: a phone must not have us send to any address."""
        host = SipUri.parse(NameAddr.parse(uri).uri if "<" in uri else uri).host
        if not (host in self.config.ims.hosts or host in self.neighbours or host in self.trusted
                or self._registered_by(host)):
            raise ProtocolError(f"{host} is nobody that this network reaches", cause=404, clause="RFC 3263, 4")
        return self.hop(uri)

    def _registered_by(self, host: str) -> bool:
        """Whether a registration came from there without a Path."""
        return any(SipUri.parse(contact.uri).host == host for user in self.users.values()
                   for contact in user.contacts.values() if not contact.path)

    def owns(self, uri: str) -> bool:
        """Whether a Route is ours."""
        try:
            return SipUri.parse(NameAddr.parse(uri).uri).host == self.host
        except ProtocolError:
            return False

    def response(self, request: SipRequest, status: int, reason: str = "") -> SipResponse:
        """An answer of ours, with a To tag (RFC 3261, 8.2.6.2)."""
        answer = sip.response(request, status, reason)
        if status > 100 and not answer.to.tag:
            answer.set("To", f"{answer.first('To')};tag={self.token()}")
        return answer

    def asks_us(self, request: SipRequest) -> bool:
        """Whether no Route leads on from here."""
        return all(self.owns(route) for route in request.all("Route"))

    def gate(self, rx: Rx) -> None:
        """Of who is outside of the box, those named in [ims] are heard. Raises ProtocolError."""
        admit(rx, self.trusted)

    def refuse(self, error: ProtocolError, rx: Rx) -> Effects:
        """The status of the error; Diameter's own in Cx."""
        if rx.point == "Cx":
            yield from cx.refuse(self, error, rx)
        else:
            yield from refuse(self, error, rx)
