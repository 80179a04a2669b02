# SPDX-License-Identifier: Apache-2.0
"""REGISTER arrives (TS 24.229, 5.3.1 and 5.4.1; TS 29.228, 6.1.1): who asks for what, and may he ask at all.

From here a registration goes on in authentication.py and assignment.py.
"""

from dataclasses import dataclass, field
from functools import partial

from dialtone.codec.diameter import (
    AuthorizationType,
    CxResult,
    UserAuthorizationAnswer,
    UserAuthorizationRequest,
)
from dialtone.codec.sip import AuthParams, NameAddr, RegisterRequest, SipError, SipUri
from dialtone.codec.sip.grammar import unquote
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Unanswered, Verdict
from dialtone.errors import ProtocolError
from dialtone.scscf import authentication
from dialtone.scscf.cx import outcome, why
from dialtone.scscf.element import Scscf, on
from dialtone.scscf.user import MOST_CONTACTS
from dialtone.sip.proxy import understand

SHORTEST = 60
DEFAULT_EXPIRES = 600_000
EMERGENCY_REGISTRATION = 1  # UAR-Flags (TS 29.229, 6.3.44)
_SUPPORTED = frozenset(("path", "sec-agree"))


@dataclass(slots=True)
class Attempt:
    """A REGISTER that is being dealt with. `bindings` are its contacts with the seconds that they ask for."""

    rx: Rx
    request: RegisterRequest
    impi: str
    impu: str
    auth: AuthParams
    bindings: list[tuple[NameAddr, int]] = field(default_factory=list)
    everything: bool = False  # Contact: *

    @property
    def subject(self) -> str:
        """For the trace."""
        return self.impi.partition("@")[0]

    @property
    def protected(self) -> bool:
        """Whether it came over the phone's security associations, as the P-CSCF says (TS 24.229, 5.2.2.2)."""
        return self.auth.get("integrity-protected").lower() in ("yes", "tls-yes", "ip-assoc-yes")

    @property
    def emergency(self) -> bool:
        """Whether it is for calls to 112 only (TS 24.229, 5.4.8)."""
        return any("sos" in SipUri.parse(address.uri).params for address, _ in self.bindings)

    @property
    def leaving(self) -> bool:
        """Whether it takes contacts away and adds none."""
        return self.everything or (bool(self.bindings) and not any(seconds for _, seconds in self.bindings))


@on("Mw", RegisterRequest)
def on_register_request(scscf: Scscf, msg: RegisterRequest, rx: Rx) -> Effects:
    """The I-CSCF's part: ask the HSS whether the user may register (5.3.1.2)."""
    attempt = read(scscf, msg, rx)
    visited = unquote(msg.first("P-Visited-Network-ID") or "")
    if not visited:
        raise ProtocolError("P-Visited-Network-ID is missing", cause=400, clause="TS 24.229, 5.3.1.2")
    yield scscf.ask(UserAuthorizationRequest(
        **scscf.header(), user_name=attempt.impi, public_identity=attempt.impu,
        visited_network_identifier=visited.encode(),
        user_authorization_type=AuthorizationType.DE_REGISTRATION if attempt.leaving else
        AuthorizationType.REGISTRATION, uar_flags=EMERGENCY_REGISTRATION if attempt.emergency else None,
    ), partial(_authorized, attempt))


@on("Cx", UserAuthorizationAnswer)
def on_user_authorization_answer(scscf: Scscf, msg: UserAuthorizationAnswer, rx: Rx) -> Effects:
    """Goes on with the REGISTER that it is about."""
    assert rx.request is not None
    yield from rx.request.context(scscf, msg, rx)


@on.unanswered(UserAuthorizationRequest)
def on_no_user_authorization_answer(scscf: Scscf, event: Unanswered, rx: Rx) -> Effects:
    """The HSS is silent."""
    yield from event.request.context(scscf, None, rx)


def _authorized(attempt: Attempt, scscf: Scscf, answer: UserAuthorizationAnswer | None, rx: Rx) -> Effects:
    rx.subject = attempt.subject
    if answer is None:
        yield from refused(scscf, attempt, 504, "The HSS does not answer")
        return
    code = outcome(answer)
    if code not in (CxResult.DIAMETER_FIRST_REGISTRATION, CxResult.DIAMETER_SUBSEQUENT_REGISTRATION):  # 2001, as well
        yield from refused(scscf, attempt, 403, why(code))
        return
    yield from authentication.check(scscf, attempt, rx)


def refused(scscf: Scscf, attempt: Attempt, status: int, reason: str) -> Effects:
    """The end of an attempt that fails."""
    yield Answer(scscf.response(attempt.request, status, reason), to=attempt.rx)
    yield Verdict("IMS registration", False, f"{status} {reason}")


def read(scscf: Scscf, msg: RegisterRequest, rx: Rx) -> Attempt:
    """What a REGISTER asks for. Raises ProtocolError with the status to answer."""
    impu = msg.to.uri
    header = msg.first("Authorization")
    auth = AuthParams.parse(header) if header else AuthParams("Digest")
    attempt = Attempt(rx, msg, auth.get("username") or _from_public(impu), impu, auth)
    rx.subject = attempt.subject
    domain = SipUri.parse(msg.uri).host
    if domain not in (scscf.domain, scscf.host):
        raise ProtocolError(f"This network is {scscf.domain}, and the phone registers at {domain[:100]}", cause=404,
                            clause="TS 24.229, 5.3.1.2")
    understand(msg, "Require", _SUPPORTED)
    _read_contacts(attempt)
    return attempt


def _from_public(impu: str) -> str:
    """The private identity of a phone that names none (TS 24.229, 5.3.1.2): its public one without the scheme."""
    uri = SipUri.parse(impu)
    return f"{uri.user}@{uri.host}" if uri.user else uri.host


def _read_contacts(attempt: Attempt) -> None:
    msg = attempt.request
    contacts = [NameAddr.parse(value) for value in msg.all("Contact")]
    if len(contacts) > MOST_CONTACTS:
        raise ProtocolError(f"{len(contacts)} contacts are too many", cause=403, clause="RFC 3261, 10.3")
    wanted = _seconds(msg.first("Expires"), DEFAULT_EXPIRES)
    for contact in contacts:
        if contact.uri == "*":
            if len(contacts) > 1 or wanted:
                raise ProtocolError("Contact * stands alone, with Expires 0", clause="RFC 3261, 10.3")
            attempt.everything = True
            return
        seconds = _seconds(contact.params.get("expires"), wanted)
        if 0 < seconds < SHORTEST:
            raise SipError("the registration is too short", cause=423, clause="RFC 3261, 10.3",
                           headers=(("Min-Expires", str(SHORTEST)),))
        attempt.bindings.append((contact, seconds))


def _seconds(text: str | None, default: int) -> int:
    """Of Expires; what is no number counts as the default (RFC 3261, 20.19)."""
    return min(int(text), 0xFFFFFFFF) if text and text.isascii() and text.isdigit() and len(text) < 12 else default
