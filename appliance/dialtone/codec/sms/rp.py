# SPDX-License-Identifier: Apache-2.0
"""The relay layer of short messages, alike over NAS and IP (TS 24.011, 7.3; TS 24.341, annex A)."""

from dataclasses import dataclass

from dialtone.codec.message import Message
from dialtone.codec.sms.address import Address, decode_rp, encode_rp
from dialtone.codec.sms.errors import RpCause, RpFault
from dialtone.errors import ProtocolError

USER_DATA = 0x41
"""IEI of RP-User Data in RP-ACK and RP-ERROR (8.2.5.3)."""
LONGEST = 233


@dataclass(slots=True, kw_only=True)
class RpMessage(Message):
    """`reference` is RP-Message Reference, 0 to 255; `uplink`: from the phone to the network."""

    reference: int
    uplink: bool = True


@dataclass(slots=True, kw_only=True)
class RPData(RpMessage):
    """Carries a TPDU. From the phone the destination is its service centre, to it the originator is."""

    originator: Address | None = None
    destination: Address | None = None
    user_data: bytes


@dataclass(slots=True, kw_only=True)
class RPAck(RpMessage):
    """RP-DATA or RP-SMMA is taken. `user_data` is a report."""

    user_data: bytes | None = None


@dataclass(slots=True, kw_only=True)
class RPError(RpMessage):
    """It is not (`errors.RpCause`). `user_data` is a report."""

    cause: int
    diagnostic: int | None = None
    user_data: bytes | None = None


@dataclass(slots=True, kw_only=True)
class RPSmma(RpMessage):
    """The phone has memory for texts again."""


_TYPES: dict[type[RpMessage], int] = {RPData: 0, RPAck: 2, RPError: 4, RPSmma: 6}
_CLASSES = {number: cls for cls, number in _TYPES.items()}
for _cls, _name, _clause in ((RPData, "RP-DATA", "7.3.1"), (RPSmma, "RP-SMMA", "7.3.2"), (RPAck, "RP-ACK", "7.3.3"),
                             (RPError, "RP-ERROR", "7.3.4")):
    _cls.NAME, _cls.CLAUSE = _name, f"TS 24.011, {_clause}"


def decode(data: bytes) -> RpMessage:
    """One RP message. Raises RpFault."""
    if len(data) < 2:
        raise RpFault(f"an RP message has two octets at least, not {len(data)}", RpCause.PROTOCOL_ERROR)
    kind, reference = data[0] & 7, data[1]
    uplink = not kind & 1
    cls = _CLASSES.get(kind & 6)
    if cls is None or kind == 7:
        raise RpFault(f"RP message type {kind}", RpCause.MESSAGE_TYPE_NON_EXISTENT, reference)
    try:
        if cls is RPData:
            return _data(data, reference, uplink)
        if cls is RPAck:
            return RPAck(reference=reference, uplink=uplink, user_data=_report(data, 2))
        if cls is RPError:
            return _error(data, reference, uplink)
        return RPSmma(reference=reference)
    except RpFault:
        raise
    except ProtocolError as error:
        raise RpFault(error.text, RpCause.INVALID_MANDATORY_INFORMATION, reference) from None


def _data(data: bytes, reference: int, uplink: bool) -> RPData:
    originator, at = decode_rp(data, 2)
    destination, at = decode_rp(data, at)
    if at >= len(data) or not data[at] or data[at] > min(LONGEST, len(data) - at - 1):
        raise RpFault("RP-User Data whose length does not fit", RpCause.INVALID_MANDATORY_INFORMATION, reference)
    return RPData(reference=reference, uplink=uplink, originator=originator, destination=destination,
                  user_data=data[at + 1 : at + 1 + data[at]])


def _error(data: bytes, reference: int, uplink: bool) -> RPError:
    if len(data) < 4 or not 1 <= data[2] <= len(data) - 3:
        raise RpFault("RP-ERROR without a cause", RpCause.INVALID_MANDATORY_INFORMATION, reference)
    return RPError(reference=reference, uplink=uplink, cause=data[3] & 127, user_data=_report(data, 3 + data[2]),
                   diagnostic=data[4] if data[2] > 1 else None)


def _report(data: bytes, at: int) -> bytes | None:
    """RP-User Data, if it is there and whole: an optional element that is not is as good as absent (9.3.5)."""
    if len(data) < at + 3 or data[at] != USER_DATA or not 1 <= data[at + 1] <= len(data) - at - 2:
        return None
    return data[at + 2 : at + 2 + data[at + 1]]


def encode(message: RpMessage) -> bytes:
    """Its octets. Raises ValueError for what does not fit."""
    head = bytes((_TYPES[type(message)] + (not message.uplink), message.reference))
    match message:
        case RPData():
            if not 1 <= len(message.user_data) <= LONGEST:
                raise ValueError(f"{len(message.user_data)} octets of RP-User Data")
            return (head + encode_rp(message.originator) + encode_rp(message.destination)
                    + bytes((len(message.user_data),)) + message.user_data)
        case RPAck():
            return head + _tlv(message.user_data)
        case RPError():
            value = bytes((message.cause,)) + (b"" if message.diagnostic is None else bytes((message.diagnostic,)))
            return head + bytes((len(value),)) + value + _tlv(message.user_data)
    return head


def _tlv(report: bytes | None) -> bytes:
    return b"" if report is None else bytes((USER_DATA, len(report))) + report
