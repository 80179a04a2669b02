# SPDX-License-Identifier: Apache-2.0
"""Third-party REGISTER (TS 24.229, 5.4.1.7): application servers hear who is here, as filter criteria say."""

from xml.sax.saxutils import escape

from dialtone.codec import sip, xml
from dialtone.codec.ims_subscription import ORIGINATING, InitialFilterCriteria
from dialtone.codec.sip import RegisterRequest
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Request
from dialtone.errors import ProtocolError
from dialtone.scscf.element import Scscf
from dialtone.scscf.filter_criteria import Circumstances, matching
from dialtone.scscf.user import User


def register(scscf: Scscf, user: User, impu: str, kind: int, request: RegisterRequest | None, expires: int) -> Effects:
    """Tell each application server that wants to know of registrations of this `kind`."""
    profile = user.profile(impu)
    if profile is None:
        return
    seen = Circumstances(request or RegisterRequest(uri=f"sip:{scscf.domain}"), ORIGINATING, kind)
    for criteria in matching(profile, seen):
        identity = next((each for each in user.associated if each.startswith("sip:")), impu)
        try:
            point, peer = scscf.hop(criteria.server.name)
        except ProtocolError:
            continue  # a server that does not exist keeps nobody from registering
        yield Request(point, peer, _request(scscf, user, identity, criteria, request, expires), context=_heard)


def _heard(scscf: Scscf, answer: object, rx: Rx) -> Effects:
    return ()


def _request(scscf: Scscf, user: User, identity: str, criteria: InitialFilterCriteria,
             original: RegisterRequest | None, expires: int) -> RegisterRequest:
    server = criteria.server
    number = user.third_parties[server.name] = user.third_parties.get(server.name, 0) + 1
    message = RegisterRequest(uri=server.name)
    message.append("Max-Forwards", "70")
    message.append("From", f"<{scscf.uri}>;tag={scscf.token()}")
    message.append("To", f"<{identity}>")
    message.append("Call-ID", f"{user.impi}-3p@{scscf.host}")
    message.append("CSeq", f"{number} REGISTER")
    message.append("Contact", f"<{scscf.uri}>;expires={expires}")
    message.append("Expires", str(expires))
    for name in ("P-Access-Network-Info", "P-Charging-Vector", "P-Visited-Network-ID"):
        if original is not None and (value := original.first(name)):
            message.append(name, value)
    if server.service_info:
        message.content("application/3gpp-ims+xml", _service_info(server.service_info))
    elif server.include_register_request and original is not None:
        message.content("message/sip", sip.encode(original.copy()))
    return message


def _service_info(text: str) -> bytes:
    """TS 24.229, 7.6."""
    return xml.octets(f'<ims-3gpp version="1"><service-info>{escape(text)}</service-info></ims-3gpp>')
