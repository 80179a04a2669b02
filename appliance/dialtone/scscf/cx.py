# SPDX-License-Identifier: Apache-2.0
"""What the answers of an HSS say (TS 29.229, 6.2), in words that go into a SIP answer."""

from typing import Any, Protocol

from dialtone.codec.diameter import CxResult, DiameterError, ResultCode, read_header, refusal
from dialtone.dispatch import Rx
from dialtone.effects import Effects, SendOctets
from dialtone.errors import ProtocolError


class Named(Protocol):
    """An element with a Diameter identity."""

    cx: Any


def refuse(element: Named, error: ProtocolError, rx: Rx) -> Effects:
    """The Result-Code of the error, with the AVP at fault (RFC 6733, 7)."""
    fault = error if isinstance(error, DiameterError) else DiameterError(
        error.text, cause=ResultCode.DIAMETER_COMMAND_UNSUPPORTED, clause="RFC 6733, 7.1.3")
    fault.header = fault.header or read_header(rx.octets)
    answer = refusal(rx.octets, fault, element.cx.origin_host, element.cx.origin_realm)
    if answer is not None:
        yield SendOctets(rx.point, rx.peer, f"refusal, Result-Code {fault.cause}", answer)


_WHY: dict[int, str] = {
    CxResult.DIAMETER_ERROR_USER_UNKNOWN: "The HSS does not know this subscriber",
    CxResult.DIAMETER_ERROR_IDENTITIES_DONT_MATCH: "Private and public identity belong to different subscribers",
    CxResult.DIAMETER_ERROR_IDENTITY_NOT_REGISTERED: "This identity is not registered",
    CxResult.DIAMETER_ERROR_ROAMING_NOT_ALLOWED: "The subscriber may not use this network",
    CxResult.DIAMETER_ERROR_AUTH_SCHEME_NOT_SUPPORTED: "The HSS cannot authenticate this subscriber that way",
}


def outcome(answer: Any) -> int:
    """Result-Code, or that of Experimental-Result."""
    return int(answer.result_code or answer.experimental_result_code or 0)


def why(code: int) -> str:
    """A sentence for a failure."""
    return _WHY.get(code, f"The HSS refused with {code}")
