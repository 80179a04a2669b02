# SPDX-License-Identifier: Apache-2.0
"""User-Data of Cx: the IMSSubscription document (TS 29.228, annexes B and E). Both directions.

The HSS writes it, the S-CSCF reads it and evaluates the filter criteria (scscf/filter_criteria.py). Elements stand in
the order of the schema, so that CSCFs which validate against it are content.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from dialtone.codec import xml

_CLAUSE = "TS 29.228, annex E"
SPT_KINDS = ("RequestURI", "Method", "SIPHeader", "SessionCase", "SessionDescription")
ORIGINATING, TERMINATING_REGISTERED, TERMINATING_UNREGISTERED, ORIGINATING_UNREGISTERED = range(4)
SESSION_CONTINUED, SESSION_TERMINATED = 0, 1  # DefaultHandling


@dataclass(frozen=True, slots=True)
class PublicIdentity:
    """A public identity of the set; a barred one serves for registration only."""

    identity: str
    barred: bool = False
    display: str = ""


@dataclass(frozen=True, slots=True)
class Spt:
    """A service point trigger: `kind` is one of SPT_KINDS, `value` what is compared. For SIPHeader and
    SessionDescription `value` is the name of header or line, `content` the expression that its content must match.
    `registration_types`: 0 initial, 1 re-registration, 2 de-registration."""

    kind: str
    value: str
    content: str = ""
    negated: bool = False
    groups: tuple[int, ...] = (0,)
    registration_types: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TriggerPoint:
    """In conjunctive normal form groups are ORs, joined by AND; in disjunctive form the other way round."""

    cnf: bool
    spts: tuple[Spt, ...]


@dataclass(frozen=True, slots=True)
class ApplicationServer:
    """Where a request goes. `default_handling`: what is done when the server does not answer."""

    name: str
    default_handling: int = SESSION_CONTINUED
    service_info: str = ""
    include_register_request: bool = False
    include_register_response: bool = False


@dataclass(frozen=True, slots=True)
class InitialFilterCriteria:
    """Which requests go to an application server; without a trigger point all of them. The lowest priority is first;
    `profile_part`: 0 registered, 1 unregistered users only, None both."""

    priority: int
    server: ApplicationServer
    trigger: TriggerPoint | None = None
    profile_part: int | None = None


@dataclass(frozen=True, slots=True)
class ServiceProfile:
    """Identities that share their filter criteria."""

    identities: tuple[PublicIdentity, ...]
    criteria: tuple[InitialFilterCriteria, ...] = ()


@dataclass(frozen=True, slots=True)
class ImsSubscription:
    """The document: a private identity and its service profiles, in the order of P-Associated-URI."""

    private_id: str
    profiles: tuple[ServiceProfile, ...]
    identities: tuple[PublicIdentity, ...] = field(init=False, compare=False, repr=False)  # of all, in order

    def __post_init__(self) -> None:
        found = tuple(identity for profile in self.profiles for identity in profile.identities)
        object.__setattr__(self, "identities", found)


def encode(subscription: ImsSubscription) -> bytes:
    """The octets of a document."""
    profiles = "".join(map(_profile, subscription.profiles))
    return xml.octets(_tag("IMSSubscription", _tag("PrivateID", escape(subscription.private_id)) + profiles))


def _tag(name: str, inside: str | int) -> str:
    return f"<{name}>{inside}</{name}>"


def _profile(profile: ServiceProfile) -> str:
    return _tag("ServiceProfile", "".join((*map(_identity, profile.identities), *map(_criteria, profile.criteria))))


def _identity(each: PublicIdentity) -> str:
    inside = _tag("BarringIndication", int(each.barred)) + _tag("Identity", escape(each.identity))
    if each.display:
        name = _tag("Extension", _tag("DisplayName", escape(each.display)))
        inside += _tag("Extension", _tag("IdentityType", 0) + name)
    return _tag("PublicIdentity", inside)


def _criteria(each: InitialFilterCriteria) -> str:
    server = each.server
    inside = _tag("Priority", each.priority)
    if each.trigger is not None:
        inside += _tag("TriggerPoint", _tag("ConditionTypeCNF", int(each.trigger.cnf))
                       + "".join(map(_spt, each.trigger.spts)))
    application = _tag("ServerName", escape(server.name)) + _tag("DefaultHandling", server.default_handling)
    if server.service_info:
        application += _tag("ServiceInfo", escape(server.service_info))
    include = "".join(f"<{name}/>" for name, wanted in (
        ("IncludeRegisterRequest", server.include_register_request),
        ("IncludeRegisterResponse", server.include_register_response)) if wanted)
    application += _tag("Extension", include) if include else ""
    inside += _tag("ApplicationServer", application)
    if each.profile_part is not None:
        inside += _tag("ProfilePartIndicator", each.profile_part)
    return _tag("InitialFilterCriteria", inside)


def _spt(spt: Spt) -> str:
    inside = _tag("ConditionNegated", int(spt.negated)) + "".join(_tag("Group", group) for group in spt.groups)
    content = _tag("Content", escape(spt.content)) if spt.content else ""
    match spt.kind:
        case "SIPHeader":
            inside += _tag("SIPHeader", _tag("Header", escape(spt.value)) + content)
        case "SessionDescription":
            inside += _tag("SessionDescription", _tag("Line", escape(spt.value)) + content)
        case kind:
            inside += _tag(kind, escape(spt.value))
    if spt.registration_types:
        inside += _tag("Extension", "".join(_tag("RegistrationType", kind) for kind in spt.registration_types))
    return _tag("SPT", inside)


def decode(data: bytes) -> ImsSubscription:
    """A document. Raises ProtocolError."""
    root = xml.parse(data, "IMSSubscription", _CLAUSE)
    return ImsSubscription(xml.text(root, "PrivateID", _CLAUSE),
                           tuple(map(_read_profile, root.iterfind("ServiceProfile"))))


def _read_profile(element: Element) -> ServiceProfile:
    return ServiceProfile(tuple(map(_read_identity, element.iterfind("PublicIdentity"))),
                          tuple(map(_read_criteria, element.iterfind("InitialFilterCriteria"))))


def _read_identity(element: Element) -> PublicIdentity:
    return PublicIdentity(xml.text(element, "Identity", _CLAUSE), _flag(element, "BarringIndication"),
                          (element.findtext("Extension/Extension/DisplayName") or "").strip())


def _flag(element: Element, name: str) -> bool:
    return (element.findtext(name) or "0").strip() in ("1", "true")


def _number(element: Element, name: str) -> int:
    return xml.number(xml.text(element, name, _CLAUSE), _CLAUSE)


def _read_criteria(element: Element) -> InitialFilterCriteria:
    part = element.find("ProfilePartIndicator")
    trigger = element.find("TriggerPoint")
    server = element.find("ApplicationServer")
    if server is None:
        raise xml.missing(element, "ApplicationServer", _CLAUSE)
    return InitialFilterCriteria(
        _number(element, "Priority"), _read_server(server), None if trigger is None else TriggerPoint(
            _flag(trigger, "ConditionTypeCNF"), tuple(_read_spts(trigger))),
        None if part is None else _number(element, "ProfilePartIndicator"))


def _read_server(element: Element) -> ApplicationServer:
    handling = element.find("DefaultHandling")
    return ApplicationServer(
        xml.text(element, "ServerName", _CLAUSE), _number(element, "DefaultHandling") if handling is not None else 0,
        (element.findtext("ServiceInfo") or "").strip(),
        element.find("Extension/IncludeRegisterRequest") is not None,
        element.find("Extension/IncludeRegisterResponse") is not None)


def _read_spts(trigger: Element) -> Iterator[Spt]:
    for element in trigger.iterfind("SPT"):
        kind = next((kind for kind in SPT_KINDS if element.find(kind) is not None), "")
        if not kind:
            raise xml.missing(element, "condition", _CLAUSE)
        inner = {"SIPHeader": "SIPHeader/Header", "SessionDescription": "SessionDescription/Line"}.get(kind, kind)
        groups = tuple(xml.number((each.text or "").strip(), _CLAUSE) for each in element.iterfind("Group"))
        types = tuple(xml.number((each.text or "").strip(), _CLAUSE)
                      for each in element.iterfind("Extension/RegistrationType"))
        yield Spt(kind, xml.text(element, inner, _CLAUSE), (element.findtext(f"{kind}/Content") or "").strip(),
                  _flag(element, "ConditionNegated"), groups or (0,), types)
