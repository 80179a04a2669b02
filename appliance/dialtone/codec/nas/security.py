# SPDX-License-Identifier: Apache-2.0
"""The header of security protected NAS messages (TS 24.301, 8.2.23 and 9.3.1). No keys, no algorithms."""

from enum import IntEnum
from typing import NamedTuple

from dialtone.codec.nas.tables import EPD_EMM, EPD_ESM
from dialtone.errors import ProtocolError


class SecurityHeaderType(IntEnum):
    """Security header type (TS 24.301, 9.3.1): what protects the message, and with which context."""

    PLAIN = 0
    INTEGRITY = 1
    INTEGRITY_CIPHERED = 2
    INTEGRITY_NEW_CONTEXT = 3
    INTEGRITY_CIPHERED_NEW_CONTEXT = 4
    INTEGRITY_PARTIALLY_CIPHERED = 5
    SERVICE_REQUEST = 12


class Protected(NamedTuple):
    """A NAS message in its cover.

    `mac` has 4 octets, none for a plain message, and 2 for a Service request. The MAC covers the octet of
    `sequence_number` and `message` (for a Service request: the first two octets). `message` is the inner
    NAS message, ciphered or not; for plain messages and Service requests all octets.
    """

    header_type: int
    mac: bytes
    sequence_number: int
    message: bytes

    @property
    def ciphered(self) -> bool:
        """Ciphered as a whole, with the selected algorithm (which may be the null one)."""
        return self.header_type in (2, 4)


def split(data: bytes) -> Protected:
    """Take off the security header.

    Raises ProtocolError, cause None (the message is to be ignored), for another protocol, for a type of
    header that does not exist, and for what is too short.
    """
    if len(data) < 2:
        raise ProtocolError("too short for a NAS message type", clause="TS 24.301, 7.2")
    first = data[0]
    if first == EPD_EMM or first & 15 == EPD_ESM:
        return Protected(0, b"", 0, data)
    header_type = first >> 4
    if first & 15 != EPD_EMM:
        raise ProtocolError(f"protocol discriminator {first & 15} is not of EPS", clause="TS 24.301, 9.2")
    if header_type >= SecurityHeaderType.SERVICE_REQUEST:  # 13 to 15 count as 12
        if len(data) < 4:
            raise ProtocolError("Service request is cut short", cause=96, clause="TS 24.301, 7.5.1")
        return Protected(SecurityHeaderType.SERVICE_REQUEST, data[2:4], data[1] & 31, data)
    if header_type > SecurityHeaderType.INTEGRITY_PARTIALLY_CIPHERED:
        raise ProtocolError(f"security header type {header_type} is reserved", clause="TS 24.301, 9.3.1")
    if len(data) < 7:
        raise ProtocolError("too short for a security header", clause="TS 24.301, 7.2")
    return Protected(header_type, data[1:5], data[5], data[6:])


def join(header_type: int, mac: bytes, sequence_number: int, message: bytes) -> bytes:
    """Put the security header before an inner message (ciphered by the caller where the type says so)."""
    return bytes((header_type << 4 | EPD_EMM,)) + mac + bytes((sequence_number,)) + message
