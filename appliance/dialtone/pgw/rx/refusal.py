# SPDX-License-Identifier: Apache-2.0
"""Requests on Rx that are refused (TS 29.214, 5.5; RFC 6733, 7)."""

from collections.abc import Iterator

from dialtone.codec.diameter import (
    TGPP,
    AAAnswer,
    AARequest,
    DiameterError,
    ExperimentalResult,
    ResultCode,
    RxResult,
    read_header,
    refusal,
)
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effect, SendOctets
from dialtone.errors import ProtocolError


def refuse(host: str, realm: str, error: ProtocolError, rx: Rx) -> Iterator[Effect]:
    """The answer: an Experimental-Result where Rx has a code of its own, else the Result-Code of the error."""
    msg = rx.message
    if isinstance(msg, AARequest) and isinstance(error.cause, RxResult):
        yield Answer(AAAnswer(
            session_id=msg.session_id, origin_host=host, origin_realm=realm, proxy_info=msg.proxy_info,
            error_message=error.text,
            experimental_result=ExperimentalResult(vendor_id=TGPP, experimental_result_code=error.cause)))
        return
    fault = error if isinstance(error, DiameterError) else DiameterError(
        error.text, cause=error.cause or ResultCode.DIAMETER_COMMAND_UNSUPPORTED, clause=error.clause)
    if fault.header is None:
        fault.header = read_header(rx.octets)
    octets = refusal(rx.octets, fault, host, realm)
    if octets is not None:
        yield SendOctets(rx.point, rx.peer, f"refusal, Result-Code {fault.cause}", octets)
