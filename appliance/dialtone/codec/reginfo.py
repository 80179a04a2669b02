# SPDX-License-Identifier: Apache-2.0
"""application/reginfo+xml (RFC 3680, 5): who is registered with which contacts. Both directions.
"""

from dataclasses import dataclass
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from dialtone.codec import xml

CONTENT_TYPE = "application/reginfo+xml"
NAMESPACE = "urn:ietf:params:xml:ns:reginfo"
_CLAUSE = "RFC 3680, 5.3"
STATES = ("init", "active", "terminated")
EVENTS = ("registered", "created", "refreshed", "shortened", "expired", "deactivated", "probation", "unregistered",
          "rejected")


@dataclass(frozen=True, slots=True)
class ContactInfo:
    """A binding (RFC 3680, 5.3.3). `expires` in seconds; `params` are the Contact's own, as written."""

    id: str
    uri: str
    state: str = "active"
    event: str = "registered"
    expires: int | None = None
    q: str = ""
    display: str = ""
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RegistrationInfo:
    """An address-of-record with its contacts (5.3.2)."""

    aor: str
    id: str
    state: str = "active"
    contacts: tuple[ContactInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class RegInfo:
    """The document (5.3.1): all of the state, or what changed since the version before."""

    version: int
    full: bool = True
    registrations: tuple[RegistrationInfo, ...] = ()


def encode(info: RegInfo) -> bytes:
    """The octets of a document."""
    state = "full" if info.full else "partial"
    out = [f'<reginfo xmlns="{NAMESPACE}" version="{info.version}" state="{state}">\n']
    for each in info.registrations:
        out.append(f"  <registration aor={quoteattr(each.aor)} id={quoteattr(each.id)} state=\"{each.state}\">\n")
        out += map(_contact, each.contacts)
        out.append("  </registration>\n")
    return xml.octets("".join((*out, "</reginfo>\n")))


def _contact(contact: ContactInfo) -> str:
    attributes = f'id={quoteattr(contact.id)} state="{contact.state}" event="{contact.event}"'
    if contact.expires is not None:
        attributes += f' expires="{contact.expires}"'
    if contact.q:
        attributes += f" q={quoteattr(contact.q)}"
    inside = f"<uri>{escape(contact.uri)}</uri>"
    if contact.display:
        inside += f"<display-name>{escape(contact.display)}</display-name>"
    inside += "".join(f"<unknown-param name={quoteattr(name)}>{escape(value)}</unknown-param>"
                      for name, value in contact.params)
    return f"    <contact {attributes}>{inside}</contact>\n"


def decode(data: bytes) -> RegInfo:
    """A document. Raises ProtocolError."""
    root = xml.parse(data, "reginfo", _CLAUSE)
    state = xml.attribute(root, "state", _CLAUSE, ("full", "partial"))
    return RegInfo(xml.number(xml.attribute(root, "version", _CLAUSE), _CLAUSE), state == "full",
                   tuple(map(_registration, root.iterfind("registration"))))


def _registration(element: Element) -> RegistrationInfo:
    contacts = tuple(map(_contact_info, element.iterfind("contact")))
    return RegistrationInfo(xml.attribute(element, "aor", _CLAUSE), xml.attribute(element, "id", _CLAUSE),
                            xml.attribute(element, "state", _CLAUSE, STATES), contacts)


def _contact_info(element: Element) -> ContactInfo:
    params = tuple((each.get("name", ""), (each.text or "").strip()) for each in element.iterfind("unknown-param"))
    expires = element.get("expires")
    return ContactInfo(
        id=xml.attribute(element, "id", _CLAUSE), uri=xml.text(element, "uri", _CLAUSE),
        state=xml.attribute(element, "state", _CLAUSE, STATES[1:]),
        event=xml.attribute(element, "event", _CLAUSE, EVENTS),
        expires=xml.number(expires, _CLAUSE) if expires else None, q=element.get("q", ""),
        display=(element.findtext("display-name") or "").strip(), params=params)
