# SPDX-License-Identifier: Apache-2.0
"""What was dialled, as identities that the HSS may know (TS 24.229, 5.4.3.2, 10; RFC 3966; TS 23.003, 13).

Phones write the same number in many ways: `tel:+1555...`, `sip:+1555...@domain;user=phone`, `tel:0555...` with a
phone-context that is a domain, a prefix or nonsense. Each is stripped to its digits, and the identities they may stand
for are tried in turn.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from dialtone.codec.sip import SipUri, TelUri
from dialtone.codec.sip.grammar import Known
from dialtone.errors import ProtocolError

LONGEST_LOCAL = 6  # digits; more make an E.164 number (the HSS's identities follow the same rule)
_NUMBER = re.compile(r"\+?[0-9*#]+")
_VISUAL = re.compile(r"[().-]")
_LONGEST = 32
SOS = "urn:service:sos"
SERVICES = {"600": "echo", "601": "tone", "602": "info", "112": "sos", "911": "sos"}
"""Numbers of the answer services; the last two end in the P-CSCF where emergency calls are not served."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The numbering of this network: its IMS domain, its country code ("" where it has none), and its short codes."""

    domain: str
    country_code: str = ""
    short_codes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Dialled:
    """What was dialled as people write it, and the identities it may be, the likeliest first."""

    number: str
    identities: tuple[str, ...]


def read(uri: str, plan: Plan, caller: str = "") -> Dialled:
    """The identities that `uri` may stand for; `caller` is a number of the caller's, whose length tells a number
    dialled without its beginning. Raises ProtocolError (a status code is its cause) for what is no address."""
    if uri[:len(SOS)].lower() == SOS:  # RFC 5031
        return Dialled("emergency", (service_uri("sos", plan.domain),))
    if uri[:4].lower() == "tel:":
        tel = TelUri.parse(uri)
        return _number(tel.digits, tel.params.get("phone-context") or "", plan, caller)
    sip = SipUri.parse(uri)
    user = unquote(sip.user)
    name, *params = user.split(";")
    digits = _VISUAL.sub("", name)
    phone = (sip.params.get("user") or "").lower() == "phone"
    home = sip.host == plan.domain
    if _NUMBER.fullmatch(digits) and (phone or home) and not _is_imsi(digits, home, phone):
        context = next((text.partition("=")[2] for text in params if text.lower().startswith("phone-context=")),
                       sip.params.get("phone-context") or "")
        return _number(digits, context, plan, caller)
    if not sip.user and home:
        raise ProtocolError("the address names nobody", cause=484, clause="RFC 3261, 21.4.22")
    return Dialled(user or sip.host, (f"{sip.scheme}:{f'{sip.user}@' if sip.user else ''}{sip.host}",))


def service_uri(service: str, domain: str) -> str:
    """The address of an answer service."""
    return f"sip:{service}@answer.{domain}"


def at_home(identity: str, plan: Plan) -> bool:
    """Whether the HSS is asked for an identity: every number, and the users of our domain."""
    return identity[:4].lower() == "tel:" or SipUri.parse(identity).host == plan.domain


def _identity_key(uri: str) -> str:
    try:
        if uri[:4].lower() == "tel:":
            tel = TelUri.parse(uri)
            context = "" if tel.digits.startswith("+") else f";{(tel.params.get('phone-context') or '').lower()}"
            return f"tel:{tel.digits}{context}"
        sip = SipUri.parse(uri)
    except ProtocolError:
        return uri
    return f"{sip.scheme}:{unquote(sip.user)}@{sip.host}"


_IDENTITY_KEYS = Known(_identity_key)


def identity_key(uri: str) -> str:
    """What two spellings of one identity have in common (RFC 3261, 19.1.4; RFC 3966, 4): the scheme, the user and the
    host in lower case; of a tel URI the digits, and of a local number its context."""
    return _IDENTITY_KEYS[uri]


def same_identity(one: str, other: str) -> bool:
    """Whether two URIs name the same public identity."""
    return one == other or identity_key(one) == identity_key(other)


def _is_imsi(digits: str, home: bool, phone: bool) -> bool:
    """A temporary public identity (TS 23.003, 13.4B) looks like a number of 14 or 15 digits without a plus."""
    return home and not phone and digits.isdigit() and len(digits) in (14, 15)


def _number(digits: str, context: str, plan: Plan, caller: str) -> Dialled:
    if not _NUMBER.fullmatch(digits) or len(digits) > _LONGEST:
        raise ProtocolError(f"{digits[:40]!r} is no number", cause=484, clause="RFC 3966, 5.1.1")
    code = dict(plan.short_codes).get(digits)
    if code is not None:
        return Dialled(digits, (code,))
    if digits.startswith("+"):
        return Dialled(digits, (f"tel:{digits}",))
    local = f"tel:{digits};phone-context={plan.domain}"
    if not digits.isdigit():
        return Dialled(digits, (local,))
    numbers = list(_full_numbers(digits, context, plan.country_code, caller.lstrip("+")))
    found = [local] if len(digits) <= LONGEST_LOCAL else []
    found += [f"tel:+{number}" for number in numbers]
    return Dialled(digits, tuple(dict.fromkeys(found)))


def _full_numbers(digits: str, context: str, country: str, caller: str) -> list[str]:
    """International forms of a number without a plus, the likeliest first."""
    found = [digits]
    if digits.startswith("00"):
        found.append(digits[2:])
    prefix = _VISUAL.sub("", context)
    if prefix[:1] == "+" and prefix[1:].isdigit() and len(prefix) + len(digits) <= 16:
        found.append(prefix[1:] + digits)  # a global prefix as context (RFC 3966, 5.1.5)
    if country:
        found.append(country + digits.removeprefix("0"))
    if len(digits) < len(caller):
        found.append(caller[: len(caller) - len(digits)] + digits)  # as people dial inside one block of numbers
    return [number for number in found if LONGEST_LOCAL < len(number) <= 15]
