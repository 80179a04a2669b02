# SPDX-License-Identifier: Apache-2.0
"""GTP, Diameter and SIP of a capture: decoded, and what they say of elements and phones."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from dialtone.codec import diameter, gtpc, gtpu, sip
from dialtone.codec.diameter import CX, RX, S6A, SGD, DiameterError
from dialtone.codec.gtpc.values import Fteid, Paa
from dialtone.codec.sip import AuthParams, NameAddr, SipMessage, SipRequest, SipUri
from dialtone.errors import ProtocolError
from dialtone.trace.capture.draft import Draft, Facts, SipFacts, digits_of, text_of, unique
from dialtone.trace.capture.find import End, Found
from dialtone.trace.capture.phones import Handle

GX = 16777238
_CONTROL = {6: "sgw", 7: "pgw", 10: "mme", 11: "sgw"}
"""Interface types of F-TEIDs (TS 29.274, 8.22) -> whose control plane they are of."""
_USER_PLANE = {0, 1, 4, 5}
_ENB_USER_PLANE = 0


def read_gtpc(found: Found, facts: Facts) -> Iterator[Draft]:
    """A GTPv2-C message; S11 or S5/S8 is found out at the end."""
    message, name, info = _decoded(gtpc, found.data)
    phones, phone = facts.phones, 0
    teid = getattr(message, "teid", 0)
    if teid:
        phone = phones.of(("gtpc", found.dst.address, teid))
    if imsi := getattr(message, "imsi", None):
        phone = phones.tell(phone, str(imsi))
    for one in _all(message, Fteid):
        address = text_of(one.ipv4) or text_of(one.ipv6)
        if one.interface_type in _CONTROL:
            facts.gtpc.setdefault(address, _CONTROL[one.interface_type])
            phone = phones.bind(phone, ("gtpc", address, one.teid))
        elif one.interface_type in _USER_PLANE:
            phone = phones.bind(phone, ("teid", address, one.teid))
            if one.interface_type == _ENB_USER_PLANE:
                facts.enbs.add(address)
    for paa in _all(message, Paa):
        address = text_of(paa.ipv4)
        if address not in ("", "0.0.0.0"):
            facts.addresses.add(address)
            phone = phones.bind(phone, ("ip", address))
    yield Draft(found.time, "", found.src, found.dst, name, found.data, phone, info=info, transport=found.transport)


def read_gtpu(found: Found, facts: Facts) -> Iterator[Draft]:
    """GTP-U path management; user data is not shown."""
    _, name, info = _decoded(gtpu, found.data)
    yield Draft(found.time, "S1-U", found.src, found.dst, name, found.data, info=info, transport=found.transport)


# ---- Diameter ------------------------------------------------------------------------------------

_POINTS = {S6A: "S6a", CX: "Cx", RX: "Rx", SGD: "SGd", GX: "Gx"}
_SIDES = {S6A: ("mme", "hss"), CX: ("scscf", "hss"), RX: ("pcscf", "pcrf"), GX: ("pgw", "pcrf"), SGD: ("mme", "sms")}
"""Application -> who asks, and who is asked, as a rule."""
_FROM_SERVER = {317, 319, 320, 322, 304, 305, 258, 274, 8388646}
"""Commands that the other side begins: Cancel-Location and its like, Re-Auth, Abort-Session, texts to a phone."""
_OF_ICSCF = {300, 302}  # User-Authorization, Location-Info
_NAMES = {257: "Capabilities-Exchange", 258: "Re-Auth", 265: "AA", 268: "Diameter-EAP", 271: "Accounting",
          272: "Credit-Control", 274: "Abort-Session", 275: "Session-Termination", 280: "Device-Watchdog",
          282: "Disconnect-Peer", 306: "User-Data", 307: "Profile-Update", 308: "Subscribe-Notifications",
          309: "Push-Notification", 324: "ME-Identity-Check"}
_SESSION_ID, _ORIGIN_HOST, _USER_NAME, _FRAMED_IP, _SUBSCRIPTION_ID, _SUBSCRIPTION_DATA = 263, 264, 1, 8, 443, 444


def read_diameter(found: Found, facts: Facts) -> Iterator[Draft]:
    """A Diameter message of any application; those that we do not have are named by their command."""
    try:
        header = diameter.read_header(found.data)
    except DiameterError as error:
        yield Draft(found.time, "Diameter", found.src, found.dst, "undecodable", found.data, info=error.text)
        return
    message, name, info = _decoded(diameter, found.data)
    application, command = header.application_id, header.command
    if message is None:
        cls = diameter.COMMANDS.get((command, application, header.request))
        kind = "Request" if header.request else "Answer"
        name = cls.NAME if cls else f"{_NAMES.get(command, f'Command {command}')} {kind}"
        info = info if cls else ""
    client, server = _SIDES.get(application, ("", ""))
    if application == CX and command in _OF_ICSCF:
        client = "icscf"
    asks = header.request != (command in _FROM_SERVER and application in _SIDES)
    names, handles, host = _raw_identities(found.data)
    facts.hosts.setdefault(found.src, host)
    yield Draft(found.time, _POINTS.get(application, "Diameter"), found.src, found.dst, name, found.data,
                _subscriber(message, names, handles, facts), (client, server) if asks else (server, client), info=info,
                transport=found.transport)


def _subscriber(message: Any, names: list[str], handles: list[Handle], facts: Facts) -> int:
    """Whom a message is about: by Session-Id, User-Name, public identity, address, Subscription-Id."""
    phones = facts.phones
    impu = getattr(message, "public_identity", None)
    for uri in (impu,) if isinstance(impu, str) else impu or ():
        handles.append(("impu", uri))
    phone = phones.of(*handles) if handles else 0
    for name in names:
        imsi = digits_of(name)
        phone = phones.tell(phone, imsi) if imsi else phones.bind(phone, ("impi", name))
    return phone


def _raw_identities(data: bytes) -> tuple[list[str], list[Handle], str]:
    """Of any application: names that may hold an IMSI, handles, and the Origin-Host."""
    names: list[str] = []
    handles: list[Handle] = []
    host = ""
    with contextlib.suppress(ProtocolError):
        for avp in diameter.avps(data[20:]):
            if avp.code == _SESSION_ID:
                handles.append(("session", avp.data))
            elif avp.code == _ORIGIN_HOST:
                host = avp.data.decode("utf-8", "replace").lower()
            elif avp.code == _USER_NAME and not avp.vendor:
                names.append(avp.data.decode("utf-8", "replace"))
            elif avp.code == _FRAMED_IP and not avp.vendor:
                handles.append(("ip", text_of(avp.data)))
            elif avp.code == _SUBSCRIPTION_ID:
                texts = [one.data.decode("utf-8", "replace") for one in diameter.avps(avp.data)
                         if one.code == _SUBSCRIPTION_DATA]
                names += [text for text in texts if digits_of(text)]
    return names, handles, host


# ---- SIP -----------------------------------------------------------------------------------------

def read_sip(found: Found, facts: Facts) -> Iterator[Draft]:
    """A SIP message; Gm, Mw or ISC is found out at the end."""
    message, name, info = _decoded(sip, found.data)
    if message is None:
        name = found.data[:200].split(b"\r\n")[0].decode("utf-8", "replace")
        name = name.partition(" ")[0] if not name.startswith("SIP/") else name.partition(" ")[2]
    point = "" if message is not None else "Gm" if found.tunnelled else "Mw"
    draft = Draft(found.time, point, found.src, found.dst, name, found.data, info=info, transport=found.transport,
                  sip=_sip(message, found) if message is not None else None)
    if draft.sip is not None and draft.sip.first_hop:
        facts.addresses.add(found.src.address)
    if draft.sip is not None and draft.sip.method == "REGISTER" and draft.sip.request:
        _registered(draft.sip, found, facts)
    yield draft


def _registered(register: SipFacts, found: Found, facts: Facts) -> None:
    """A REGISTER joins private and public identities, and the phone's address where it is the phone's own."""
    handles: list[Handle] = [("impu", uri) for uri in register.impus]
    handles += [("call", register.call_id)] + ([("ip", found.src.address)] if register.first_hop else [])
    if register.impi and not digits_of(register.impi):
        handles.append(("impi", register.impi))
    phone = facts.phones.of(*handles)
    if imsi := digits_of(register.impi) or next(filter(None, map(digits_of, register.impus)), ""):
        facts.phones.tell(phone, imsi)


def _sip(message: SipMessage, found: Found) -> SipFacts:
    request = isinstance(message, SipRequest)
    vias = message.all("Via")
    top = message.via
    listens = End((found.src if request else found.dst).address, top.port or sip.PORT)
    method = message.cseq.method
    first_hop = request and len(vias) == 1 and (
        method == "REGISTER" or message.has("P-Access-Network-Info") or message.has("Security-Client"))
    return SipFacts(method, message.call_id, len(vias), request, listens if request else found.src,
                    found.dst if request else listens, _target(message) if request else "", _impi(message),
                    unique(_identities(message, method)), first_hop)


def _target(message: SipMessage) -> str:
    """The host that a request goes to next: of its first Route, else of its address."""
    uri = message.first("Route") or str(getattr(message, "uri", ""))
    try:
        return SipUri.parse(NameAddr.parse(uri).uri).host
    except ProtocolError:
        return ""


def _impi(message: SipMessage) -> str:
    try:
        return AuthParams.parse(message.first("Authorization") or "Digest").get("username")
    except ProtocolError:
        return ""


def _identities(message: SipMessage, method: str) -> Iterable[str]:
    """Public identities of the phone that a request came from, or goes to: those that say it best first."""
    order = {"REGISTER": ("To",), "NOTIFY": ("To",)}.get(method, ("P-Asserted-Identity", "From", "To"))
    for field in order:
        for text in message.all(field):
            try:
                yield NameAddr.parse(text).uri.partition(";")[0]
            except ProtocolError:
                continue


# ---- helpers -------------------------------------------------------------------------------------

def _decoded(codec: Any, data: bytes) -> tuple[Any, str, str]:
    """The message, its name, and what is wrong with it."""
    try:
        message = codec.decode(data)
        return message, message.label, ""
    except ProtocolError as error:
        return None, "undecodable", error.text


def _all(message: Any, kind: type[Any]) -> Iterator[Any]:
    """Every value of this kind in a message, as deep as two groups."""
    for value in _values(message):
        if isinstance(value, kind):
            yield value
        for group in value if isinstance(value, tuple) and not isinstance(value, kind) else (value,):
            yield from (inner for inner in _values(group) if isinstance(inner, kind))


def _values(thing: Any) -> Iterator[Any]:
    if is_dataclass(thing):
        yield from (getattr(thing, field.name, None) for field in fields(thing))
