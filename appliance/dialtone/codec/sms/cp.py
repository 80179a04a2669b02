# SPDX-License-Identifier: Apache-2.0
"""The connection layer of short messages over NAS (TS 24.011, 7.2): what Uplink and Downlink NAS transport carry."""

from dataclasses import dataclass

from dialtone.codec.message import Message
from dialtone.codec.sms.errors import CpCause, CpFault

SMS = 9
"""Protocol discriminator of short messages (TS 24.007, 11.2.3.1.1)."""
LONGEST = 248
"""Octets of CP-User Data (8.1.4.1)."""


@dataclass(slots=True, kw_only=True)
class CpMessage(Message):
    """`ti` is the transaction's number, 0 to 6; `answering`: the sender is not the one who chose it (the TI flag)."""

    ti: int
    answering: bool = False


@dataclass(slots=True, kw_only=True)
class CPData(CpMessage):
    """Carries an RP message."""

    user_data: bytes


@dataclass(slots=True, kw_only=True)
class CPAck(CpMessage):
    """CP-DATA has arrived."""


@dataclass(slots=True, kw_only=True)
class CPError(CpMessage):
    """The transaction is over (`errors.CpCause`)."""

    cause: int


_TYPES: dict[type[CpMessage], int] = {CPData: 1, CPAck: 4, CPError: 16}
CPData.NAME, CPData.CLAUSE = "CP-DATA", "TS 24.011, 7.2.1"
CPAck.NAME, CPAck.CLAUSE = "CP-ACK", "TS 24.011, 7.2.2"
CPError.NAME, CPError.CLAUSE = "CP-ERROR", "TS 24.011, 7.2.3"


def decode(data: bytes) -> CpMessage:
    """One CP message. Raises CpFault."""
    if len(data) < 2:
        raise CpFault(f"a CP message has two octets at least, not {len(data)}", CpCause.PROTOCOL_ERROR)
    first, kind = data[0], data[1]
    if first & 15 != SMS:
        raise CpFault(f"protocol discriminator {first & 15} is not that of short messages", CpCause.PROTOCOL_ERROR)
    ti, answering = first >> 4 & 7, bool(first & 0x80)
    if ti == 7:
        raise CpFault("an extended transaction identifier", CpCause.INVALID_TRANSACTION_IDENTIFIER, first)
    if kind == _TYPES[CPAck]:
        return CPAck(ti=ti, answering=answering)
    if kind == _TYPES[CPError]:
        if len(data) < 3:
            raise CpFault("CP-ERROR without a cause", CpCause.INVALID_MANDATORY_INFORMATION, first)
        return CPError(ti=ti, answering=answering, cause=data[2])
    if kind != _TYPES[CPData]:
        raise CpFault(f"CP message type {kind}", CpCause.MESSAGE_TYPE_NON_EXISTENT, first)
    if len(data) < 4 or not 1 <= data[2] <= min(LONGEST, len(data) - 3):
        raise CpFault("CP-User Data whose length does not fit", CpCause.INVALID_MANDATORY_INFORMATION, first)
    return CPData(ti=ti, answering=answering, user_data=data[3 : 3 + data[2]])


def encode(message: CpMessage) -> bytes:
    """Its octets. Raises ValueError for what does not fit."""
    if not 0 <= message.ti <= 6:
        raise ValueError(f"transaction identifier {message.ti}")
    head = bytes((message.answering << 7 | message.ti << 4 | SMS, _TYPES[type(message)]))
    match message:
        case CPData():
            if not 1 <= len(message.user_data) <= LONGEST:
                raise ValueError(f"{len(message.user_data)} octets of CP-User Data")
            return head + bytes((len(message.user_data),)) + message.user_data
        case CPError():
            return head + bytes((message.cause,))
    return head
