# SPDX-License-Identifier: Apache-2.0
"""Emergency calls (TS 24.229, 5.2.10): to the E-CSCF, whoever calls; or, where nobody answers them, the phone is told
to try elsewhere (5.2.10.4 and 7.6).

Who calls without a registration is a guest: known by its address, which the user plane vouches for, as long as its call
lasts.
"""

from dialtone.codec.sip import (
    InviteRequest,
    NameAddr,
    SipError,
    SipRequest,
    SipUri,
    TelUri,
    response,
)
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Tell, Verdict
from dialtone.errors import ProtocolError
from dialtone.pcscf.element import Pcscf
from dialtone.pcscf.media import MediaLost
from dialtone.pcscf.registration import Registration, RegistrationKey
from dialtone.sip.flow import Flow

NUMBERS = {"112", "911"}
URN = "urn:service:sos"
_TYPE = "application/3gpp-ims+xml"
_BODY = ('<?xml version="1.0" encoding="UTF-8"?>\n<ims-3gpp version="1"><alternative-service><type>emergency</type>'
         "<reason>This network takes no emergency calls</reason></alternative-service></ims-3gpp>\n")


def is_emergency(msg: SipRequest) -> bool:
    """Whether it begins an emergency call: by its service, or its number."""
    if not isinstance(msg, InviteRequest) or msg.to.tag:
        return False
    if is_service(msg.uri):
        return True
    uri = msg.uri.lower()
    try:
        number = TelUri.parse(uri).digits if uri.startswith("tel:") else SipUri.parse(uri).user.partition(";")[0]
    except ProtocolError:
        return False
    return number in NUMBERS


def is_service(uri: str) -> bool:
    """Whether it is the emergency service, or one of its kinds (RFC 5031)."""
    uri = uri.lower()
    return uri == URN or uri.startswith(f"{URN}.")


def refused(pcscf: Pcscf, msg: SipRequest, rx: Rx) -> Effects:
    """380, from which a phone goes to another network or to circuit-switched (TS 24.229, 5.1.6.8)."""
    answer = response(msg, 380)
    answer.set("P-Asserted-Identity", pcscf.uri("term"))
    answer.append("Contact", f"<{URN}>")
    answer.content(_TYPE, _BODY.encode())
    yield Answer(answer, to=rx)
    yield Verdict("emergency", False, "This network takes no emergency calls ([network] emergency is off): the phone "
                                      "was told to call through another one.")


def route(pcscf: Pcscf, copy: SipRequest) -> None:
    """To the E-CSCF, under the name of the service where the phone dialled a number (5.2.10.2 and 5.2.10.3)."""
    if not is_service(copy.uri):
        copy.uri = URN
    copy.set("Route", f"<sip:sos@scscf.{pcscf.domain};lr>")


# ---- guests ----------------------------------------------------------------------------------------------


def welcome(pcscf: Pcscf, msg: SipRequest, rx: Rx) -> Registration:
    """Who calls for help without a registration (5.2.10.2). Raises SipError."""
    flow = Flow.parse(rx.peer)
    text = msg.first("Contact")
    if text is None:
        raise SipError("who calls names no Contact", cause=400, clause="RFC 3261, 8.1.1.8")
    contact = SipUri.parse(NameAddr.parse(text).uri)
    if contact.host.strip("[]") != flow.host:
        raise SipError(f"Contact names {contact.host}, and the request comes from {flow.host}", cause=403,
                       clause="TS 24.229, 5.1.6.8.2")
    if flow.host not in pcscf.guests and len(pcscf.guests) >= pcscf.ims.phones:
        raise SipError("too many emergency calls", cause=503, clause="TS 24.229, 5.2.10.2")
    return Registration(RegistrationKey("", flow.host), plain=flow, contact=(flow.host, contact.port or 5060))


def seat(pcscf: Pcscf, guest: Registration) -> Effects:
    """It is in a call now; an earlier call from its address, which it must have lost, ends."""
    for key in [key for key, call in pcscf.passing.items() if call.registration is pcscf.guests.get(guest.key.host)]:
        yield Tell(pcscf.name, MediaLost(key, "the phone calls for help anew"))
    pcscf.guests[guest.key.host] = guest
    assert guest.contact is not None
    known = pcscf.by_contact.get(guest.contact)
    if known is None or known.guest:
        pcscf.by_contact[guest.contact] = guest


def goodbye(pcscf: Pcscf, guest: Registration) -> None:
    """Its call is over."""
    if pcscf.guests.get(guest.key.host) is guest:
        del pcscf.guests[guest.key.host]
    if guest.contact is not None and pcscf.by_contact.get(guest.contact) is guest:
        del pcscf.by_contact[guest.contact]
