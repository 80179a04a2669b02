# SPDX-License-Identifier: Apache-2.0
"""Emergency calls that this network does not take: the phone is told to try elsewhere (TS 24.229, 5.2.10 and 7.6)."""

from dialtone.codec.sip import InviteRequest, SipRequest, SipUri, TelUri, response
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Verdict
from dialtone.errors import ProtocolError
from dialtone.pcscf.element import Pcscf

NUMBERS = {"112", "911"}
URN = "urn:service:sos"
_TYPE = "application/3gpp-ims+xml"
_BODY = ('<?xml version="1.0" encoding="UTF-8"?>\n<ims-3gpp version="1"><alternative-service><type>emergency</type>'
         "<reason>This network takes no emergency calls</reason></alternative-service></ims-3gpp>\n")


def is_emergency(msg: SipRequest) -> bool:
    """Whether it begins an emergency call: by its service, or its number."""
    if not isinstance(msg, InviteRequest) or msg.to.tag:
        return False
    uri = msg.uri.lower()
    if uri == URN or uri.startswith(f"{URN}."):
        return True
    try:
        number = TelUri.parse(uri).digits if uri.startswith("tel:") else SipUri.parse(uri).user.partition(";")[0]
    except ProtocolError:
        return False
    return number in NUMBERS


def refused(pcscf: Pcscf, msg: SipRequest, rx: Rx) -> Effects:
    """380, from which a phone goes to another network or to circuit-switched (TS 24.229, 5.1.6.8)."""
    answer = response(msg, 380)
    answer.set("P-Asserted-Identity", pcscf.uri("term"))
    answer.append("Contact", f"<{URN}>")
    answer.content(_TYPE, _BODY.encode())
    yield Answer(answer, to=rx)
    yield Verdict("emergency", False, "This network takes no emergency calls ([network] emergency is off): the phone "
                                      "was told to call through another one.")
