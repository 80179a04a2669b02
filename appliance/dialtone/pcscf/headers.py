# SPDX-License-Identifier: Apache-2.0
"""Header fields that only elements of the network may write, and those that are none of a phone's business
(TS 24.229, 4.4 and 5.2.6; RFC 3325; RFC 7315)."""

from dialtone.codec.sip import NameAddr, SipMessage, SipRequest, SipResponse, SipUri, TelUri
from dialtone.errors import ProtocolError
from dialtone.pcscf.element import Pcscf
from dialtone.pcscf.registration import Registration
from dialtone.sip.proxy import uri_of

_CHARGING = ("P-Charging-Vector", "P-Charging-Function-Addresses")
_OURS = (*_CHARGING, "P-Asserted-Identity", "P-Asserted-Service", "P-Visited-Network-ID", "P-Associated-URI",
         "P-Called-Party-ID", "P-Served-User", "P-User-Database", "P-Profile-Key")
_INSIDE = (*_CHARGING, "P-Served-User", "P-User-Database", "P-Profile-Key", "P-Access-Network-Info")


def distrust(message: SipMessage) -> None:
    """What a phone must not claim goes no further (TS 24.229, 4.4.2)."""
    message.remove(*_OURS)


def keep_inside(message: SipMessage) -> None:
    """What is for the network goes to no phone; nor does an asserted identity whose owner wants privacy (RFC 3325, 7;
    TS 24.229, 4.4)."""
    message.remove(*_INSIDE)
    if "id" in (word.strip().lower() for value in message.all("Privacy") for word in value.split(";")):
        message.remove("P-Asserted-Identity")


def charge(pcscf: Pcscf, message: SipMessage, host: str) -> None:
    """A charging identity for what begins here (TS 24.229, 5.2.6.3.3; RFC 7315, 4.6)."""
    message.set("P-Charging-Vector", f'icid-value="{pcscf.random(12).hex()}";icid-generated-at={pcscf.address(host)}')


def assert_identity(registration: Registration, message: SipMessage, wanted: str = "P-Preferred-Identity") -> None:
    """The identity that the phone is known by: of those that it registered, the one that it prefers, else the first
    (TS 24.229, 5.2.6.3.3; RFC 3325, 5)."""
    known = {same(uri): uri for uri in registration.identities}
    preferred = [same(uri) for uri in _uris(message, wanted)]
    message.remove("P-Preferred-Identity")
    if not known:  # a guest is nobody (5.2.10.2)
        return
    chosen = next((known[uri] for uri in preferred if uri in known), registration.identities[0])
    message.set("P-Asserted-Identity", f"<{chosen}>")


def same(uri: str) -> str:
    """A URI as it is compared: without parameters, a number without its separators (RFC 3261, 19.1.4; RFC 3966, 5)."""
    try:
        if uri.lower().startswith("tel:"):
            return f"tel:{TelUri.parse(uri).digits}"
        parsed = SipUri.parse(uri)
    except ProtocolError:
        return uri
    return f"sip:{parsed.user}@{parsed.host}"


def rename(pcscf: Pcscf, request: SipRequest, answer: SipResponse, name: str) -> None:
    """The entry of Record-Route that we gave `request`, as the receiver of the answer is to see it (RFC 5658, 3.2.2).
    In a call between two phones of ours two are ours: this one stands above those that came with the request."""
    routes = answer.all("Record-Route")
    at = len(routes) - 1 - len(request.all("Record-Route"))
    if at >= 0 and (uri := uri_of(routes[at])) is not None and pcscf.proxy.own(uri):
        routes[at] = name
        answer.set("Record-Route", *routes)


def in_dialog(request: SipRequest) -> bool:
    """Whether it belongs to a dialog that is there already (RFC 3261, 12.2)."""
    return bool(request.to.tag)


def _uris(message: SipMessage, name: str) -> list[str]:
    found = []
    for value in message.all(name):
        try:
            found.append(NameAddr.parse(value).uri)
        except ProtocolError:
            continue
    return found
