# SPDX-License-Identifier: Apache-2.0
"""GTPv2-C (TS 29.274): the messages of S11 and S5/S8.

`decode(octets)` gives a message, `encode(message)` its octets. Each message is a class whose fields are its
table in the specification; see table.py for the notation. All addresses are raw octets, rates are kbit/s.
"""

from collections.abc import Iterator
from struct import Struct
from struct import error as struct_error

from dialtone.codec.gtpc.access import (
    ChangeNotificationRequest,
    ChangeNotificationResponse,
    ModifyAccessBearersRequest,
    ModifyAccessBearersResponse,
    ResumeAcknowledge,
    ResumeNotification,
    SuspendAcknowledge,
    SuspendNotification,
)
from dialtone.codec.gtpc.bearer import (
    CreateBearerRequest,
    CreateBearerResponse,
    DeleteBearerRequest,
    DeleteBearerResponse,
    UpdateBearerRequest,
    UpdateBearerResponse,
)
from dialtone.codec.gtpc.bearer_context import (
    AccessBearerContextModified,
    AccessBearerContextToBeModified,
    BearerContextCreated,
    BearerContextForwarded,
    BearerContextMarkedForRemoval,
    BearerContextModified,
    BearerContextToBeCreated,
    BearerContextToBeForwarded,
    BearerContextToBeModified,
    BearerContextToBeRemoved,
    CreateBearerRequestBearerContext,
    CreateBearerResponseBearerContext,
    DeleteBearerResponseBearerContext,
    FailedBearerContext,
    UpdateBearerRequestBearerContext,
    UpdateBearerResponseBearerContext,
)
from dialtone.codec.gtpc.command import (
    BearerResourceCommand,
    BearerResourceFailureIndication,
    DeleteBearerCommand,
    DeleteBearerFailureIndication,
    ModifyBearerCommand,
    ModifyBearerFailureIndication,
)
from dialtone.codec.gtpc.errors import CauseValue, GtpcError, VersionNotSupportedError
from dialtone.codec.gtpc.forwarding import (
    CreateIndirectDataForwardingTunnelRequest,
    CreateIndirectDataForwardingTunnelResponse,
    DeleteIndirectDataForwardingTunnelRequest,
    DeleteIndirectDataForwardingTunnelResponse,
)
from dialtone.codec.gtpc.idle import (
    DownlinkDataNotification,
    DownlinkDataNotificationAcknowledge,
    DownlinkDataNotificationFailureIndication,
    ReleaseAccessBearersRequest,
    ReleaseAccessBearersResponse,
    StopPagingIndication,
)
from dialtone.codec.gtpc.indication import Indication
from dialtone.codec.gtpc.path import EchoRequest, EchoResponse, VersionNotSupportedIndication
from dialtone.codec.gtpc.session import (
    CreateSessionRequest,
    CreateSessionResponse,
    DeleteSessionRequest,
    DeleteSessionResponse,
    ModifyBearerRequest,
    ModifyBearerResponse,
)
from dialtone.codec.gtpc.table import MESSAGES, GtpcMessage, decoder, encoder
from dialtone.codec.gtpc.types import CAUSE, FTEID, RECOVERY
from dialtone.codec.gtpc.values import Ambr, BearerQos, Cause, Fteid, Paa, UeTimeZone, Uli, UnknownIe

PORT = 2123  # UDP (TS 29.274, 4.2)
_HEAD = Struct(">BBH")
_HEAD_TEID = Struct(">BBHII")
_HEAD_PLAIN = Struct(">BBHI")
_WITHOUT_TEID = {1, 2, 3}
# Requests that a peer may start here, and the response each is answered with (TS 29.274, table 6.1-1).
_RESPONSE_OF = {1: 2, 32: 33, 34: 35, 36: 37, 95: 96, 97: 98, 99: 100, 166: 167, 168: 169, 170: 171, 176: 177}


def warm_up() -> Iterator[None]:
    """Make the functions of all messages, one message a step, before the first phone needs them."""
    for cls in MESSAGES.values():
        decoder(cls)
        encoder(cls)
        yield


def decode(data: bytes) -> GtpcMessage:
    """One message, all of `data` (use `split` first on a datagram that may be piggybacked).

    Raises GtpcError: `cause` None means discard; VersionNotSupportedError for another version (TS 29.274, 7.7).
    """
    size = len(data)
    if size < 8:
        raise GtpcError("shorter than a GTPv2-C header", cause=None, clause="TS 29.274, 7.7.3")
    flags, number, length = _HEAD.unpack_from(data)
    if flags >> 5 != 2:
        if number == VersionNotSupportedIndication.TYPE:  # an answer to it would be answered, and so on for ever
            raise GtpcError(f"the peer speaks GTP version {flags >> 5} only", cause=None, clause="TS 29.274, 7.7.2")
        raise VersionNotSupportedError(flags >> 5)
    with_teid = flags & 8
    start = 12 if with_teid else 8
    if size < start:
        raise GtpcError("shorter than a GTPv2-C header with TEID", cause=None, clause="TS 29.274, 7.7.3")
    sequence = int.from_bytes(data[start - 4 : start - 1], "big")
    teid = int.from_bytes(data[4:8], "big") if with_teid else None
    try:
        cls = MESSAGES.get(number)
        if cls is None:
            raise GtpcError(f"message type {number} is not served", cause=None, clause="TS 29.274, 7.7.4")
        if length + 4 != size:
            raise GtpcError(
                f"the header says {length + 4} octets, {size} came",
                cause=CauseValue.INVALID_LENGTH, clause="TS 29.274, 7.7.3",
            )  # fmt: skip
        if not with_teid and number not in _WITHOUT_TEID:
            raise GtpcError(f"{cls.NAME} without a TEID", cause=CauseValue.INVALID_MESSAGE_FORMAT,
                            clause="TS 29.274, 5.5.2")  # fmt: skip
        message = object.__new__(cls)
        message.teid = teid
        message.sequence = sequence
        decoder(cls)(message, data, start, size)
    except GtpcError as fault:
        fault.message_type, fault.sequence, fault.teid = number, sequence, teid
        raise
    return message


def encode(message: GtpcMessage) -> bytes:
    """The octets of a message; lengths are counted here.

    A value that does not fit its field is our own mistake: ValueError, OverflowError or struct.error.
    """
    body = encoder(type(message))(message)
    if message.teid is None:
        return _HEAD_PLAIN.pack(0x40, message.TYPE, len(body) + 4, message.sequence << 8) + body
    return _HEAD_TEID.pack(0x48, message.TYPE, len(body) + 8, message.teid, message.sequence << 8) + body


def split(datagram: bytes) -> list[bytes]:
    """The messages of a datagram: one, or two when the first carries the piggybacking flag (TS 29.274, 5.5.1)."""
    if len(datagram) < 8 or datagram[0] & 0xF0 != 0x50:
        return [datagram]
    end = 4 + int.from_bytes(datagram[2:4], "big")
    return [datagram[:end], datagram[end:]] if end < len(datagram) else [datagram]


def recovery(data: bytes) -> int | None:
    """The restart counter that a message of any type may hold (TS 23.007, 18)."""
    value = _peek(data, RECOVERY.number)
    return value[0] if value else None


def sender(data: bytes) -> Fteid | None:
    """The sender's F-TEID, where a message holds one that can be read."""
    try:
        return Fteid.from_bytes(_peek(data, FTEID.number))
    except (ValueError, struct_error):
        return None


def _peek(data: bytes, number: int) -> bytes:
    """The first IE of this type with instance 0, undecoded; nothing where there is none. Never raises."""
    at = 12 if data and data[0] & 8 else 8
    while at + 4 <= len(data):
        end = at + 4 + int.from_bytes(data[at + 1 : at + 3])
        if data[at] == number and not data[at + 3] & 15:
            return data[at + 4 : end]
        at = end
    return b""


def refusal(fault: GtpcError, teid: int = 0) -> bytes | None:
    """The answer to a message that `decode` refused, None where silence is asked for (TS 29.274, 7.7).

    `teid` is the peer's control TEID when the receiver knows it, otherwise 0 (TS 29.274, 5.5.2).
    """
    if isinstance(fault, VersionNotSupportedError):
        return encode(VersionNotSupportedIndication())
    answer = _RESPONSE_OF.get(fault.message_type or 0)
    if fault.cause is None or answer is None or answer == EchoResponse.TYPE:
        return None
    cause = Cause(fault.cause, offending=fault.offending).to_bytes()
    body = bytes((CAUSE.number, 0, len(cause), 0)) + cause
    return _HEAD_TEID.pack(0x48, answer, len(body) + 8, teid, fault.sequence << 8) + body


__all__ = [
    "MESSAGES",
    "PORT",
    "AccessBearerContextModified",
    "AccessBearerContextToBeModified",
    "Ambr",
    "BearerContextCreated",
    "BearerContextForwarded",
    "BearerContextMarkedForRemoval",
    "BearerContextModified",
    "BearerContextToBeCreated",
    "BearerContextToBeForwarded",
    "BearerContextToBeModified",
    "BearerContextToBeRemoved",
    "BearerQos",
    "BearerResourceCommand",
    "BearerResourceFailureIndication",
    "Cause",
    "CauseValue",
    "ChangeNotificationRequest",
    "ChangeNotificationResponse",
    "CreateBearerRequest",
    "CreateBearerRequestBearerContext",
    "CreateBearerResponse",
    "CreateBearerResponseBearerContext",
    "CreateIndirectDataForwardingTunnelRequest",
    "CreateIndirectDataForwardingTunnelResponse",
    "CreateSessionRequest",
    "CreateSessionResponse",
    "DeleteBearerCommand",
    "DeleteBearerFailureIndication",
    "DeleteBearerRequest",
    "DeleteBearerResponse",
    "DeleteBearerResponseBearerContext",
    "DeleteIndirectDataForwardingTunnelRequest",
    "DeleteIndirectDataForwardingTunnelResponse",
    "DeleteSessionRequest",
    "DeleteSessionResponse",
    "DownlinkDataNotification",
    "DownlinkDataNotificationAcknowledge",
    "DownlinkDataNotificationFailureIndication",
    "EchoRequest",
    "EchoResponse",
    "FailedBearerContext",
    "Fteid",
    "GtpcError",
    "GtpcMessage",
    "Indication",
    "ModifyAccessBearersRequest",
    "ModifyAccessBearersResponse",
    "ModifyBearerCommand",
    "ModifyBearerFailureIndication",
    "ModifyBearerRequest",
    "ModifyBearerResponse",
    "Paa",
    "ReleaseAccessBearersRequest",
    "ReleaseAccessBearersResponse",
    "ResumeAcknowledge",
    "ResumeNotification",
    "StopPagingIndication",
    "SuspendAcknowledge",
    "SuspendNotification",
    "UeTimeZone",
    "Uli",
    "UnknownIe",
    "UpdateBearerRequest",
    "UpdateBearerRequestBearerContext",
    "UpdateBearerResponse",
    "UpdateBearerResponseBearerContext",
    "VersionNotSupportedError",
    "VersionNotSupportedIndication",
    "decode",
    "encode",
    "recovery",
    "refusal",
    "sender",
    "split",
    "warm_up",
]
