# SPDX-License-Identifier: Apache-2.0
"""NAS for the evolved packet system: plain EMM and ESM messages (TS 24.301, clauses 8 and 9).

    message = decode(octets)                   as the network reads what a UE sent
    message = decode(octets, downlink=True)    as the UE reads what the network sent
    octets = encode(message)

The direction matters for Detach request only. The security header is taken off by `security.split`, and
is no business of these functions. Importing this package compiles nothing; the first use of a message
makes its two functions (`compiler.py`).
"""

from collections.abc import Iterator

from dialtone.codec.nas import compiler
from dialtone.codec.nas.emm_common import *  # noqa: F403
from dialtone.codec.nas.emm_connection import *  # noqa: F403
from dialtone.codec.nas.emm_connection import ServiceRequest
from dialtone.codec.nas.emm_specific import *  # noqa: F403
from dialtone.codec.nas.esm import *  # noqa: F403
from dialtone.codec.nas.esm_resource import *  # noqa: F403
from dialtone.codec.nas.security import SecurityHeaderType
from dialtone.codec.nas.tables import DOWNLINK, EPD_EMM, EPD_ESM, UPLINK, NasMessage
from dialtone.errors import LocalError, ProtocolError

_DECODERS: dict[type[NasMessage], compiler.Decoder] = {}
_ENCODERS: dict[type, compiler.Encoder] = {}
_UPLINK: dict[tuple[int, int], compiler.Decoder] = {}
_DOWNLINK: dict[tuple[int, int], compiler.Decoder] = {}


def decode(data: bytes, *, downlink: bool = False) -> NasMessage | ServiceRequest:
    """The message in `data`, a whole plain NAS message (`bytes`, no other buffer).

    Raises ProtocolError and nothing else. Its cause is an EMM cause, or an ESM cause where the message is
    one of session management: #96 for a wrong or missing mandatory element or an unknown element that
    must be understood, #97 for an unknown type; None for what must be ignored without an answer: a
    message too short to have a type (TS 24.301, 7.2) or of another protocol.
    """
    try:
        first = data[0]
        if first == EPD_EMM:
            key = (EPD_EMM, data[1])
        elif first & 15 == EPD_ESM:
            key = (EPD_ESM, data[2])
        else:
            return _service_request(data)
    except IndexError:
        raise ProtocolError("too short for a NAS message type", clause="TS 24.301, 7.2") from None
    found = (_DOWNLINK if downlink else _UPLINK).get(key)
    if found is None:
        found = _make_decoder(key, downlink)
    try:
        return found(data)
    except ProtocolError as error:
        if error.cause is None:  # of a value that several protocols share: here it is a mandatory one
            error.cause = compiler.INVALID_MANDATORY
        raise
    except IndexError:
        cls = (DOWNLINK if downlink else UPLINK)[key]
        raise compiler.cut(cls, "the message") from None


def encode(message: NasMessage | ServiceRequest) -> bytes:
    """The octets of a message. Raises LocalError when a value does not fit its element."""
    cls = type(message)
    found = _ENCODERS.get(cls)
    if found is None:
        found = _make_encoder(message)
    try:
        return found(message)
    except (TypeError, ValueError, AttributeError, OverflowError, ProtocolError) as wrong:
        raise LocalError(f"{cls.__name__} cannot be encoded: {wrong}") from wrong


def warm_up() -> Iterator[None]:
    """Make the functions of all messages, one message a step, before the first phone needs them."""
    for table, downlink in ((UPLINK, False), (DOWNLINK, True)):
        for key, cls in table.items():
            _make_decoder(key, downlink)
            if cls not in _ENCODERS:
                _ENCODERS[cls] = compiler.encoder(cls)
            yield


def _make_decoder(key: tuple[int, int], downlink: bool) -> compiler.Decoder:
    cls = (DOWNLINK if downlink else UPLINK).get(key)
    if cls is None:
        kind = "EMM" if key[0] == EPD_EMM else "ESM"
        raise ProtocolError(f"unknown {kind} message type {key[1]:#04x}", cause=97, clause="TS 24.301, 7.4")
    made = _DECODERS.get(cls)
    if made is None:
        made = _DECODERS[cls] = compiler.decoder(cls)
    (_DOWNLINK if downlink else _UPLINK)[key] = made
    return made


def _make_encoder(message: NasMessage | ServiceRequest) -> compiler.Encoder:
    cls = type(message)
    made = ServiceRequest.to_bytes if isinstance(message, ServiceRequest) else compiler.encoder(type(message))
    _ENCODERS[cls] = made
    return made


def _service_request(data: bytes) -> ServiceRequest:
    """A message whose header is neither plain EMM nor ESM."""
    if data[0] & 15 != EPD_EMM:
        raise ProtocolError(f"protocol discriminator {data[0] & 15} is not of EPS", clause="TS 24.301, 9.2")
    if data[0] >> 4 < SecurityHeaderType.SERVICE_REQUEST:
        raise ProtocolError("a security protected message where a plain one is expected", clause="TS 24.301, 4.4.4")
    if len(data) != 4:
        raise ProtocolError("Service request has 4 octets", cause=96, clause="TS 24.301, 8.2.25")
    return ServiceRequest(
        nas_key_set_identifier=data[1] >> 5, sequence_number=data[1] & 31, short_mac=data[2:]
    )
