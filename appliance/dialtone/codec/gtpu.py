# SPDX-License-Identifier: Apache-2.0
"""GTP-U (TS 29.281): user data and its path management on S1-U.

The hot path needs two functions and no object: `gpdu(teid, packet)` and `split(datagram)`. `decode` and
`encode` serve the trace, the path management messages and the tests. All addresses are raw octets.
"""

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, NamedTuple, TypeVar

from dialtone.codec.message import Message
from dialtone.errors import ProtocolError

ECHO_REQUEST, ECHO_RESPONSE, ERROR_INDICATION = 1, 2, 26
SUPPORTED_EXTENSION_HEADERS_NOTIFICATION, END_MARKER, G_PDU = 31, 254, 255
# Extension headers of TS 29.281, 5.2.1. An endpoint must know those whose two high bits are set.
UDP_PORT, PDU_SESSION_CONTAINER, PDCP_PDU_NUMBER = 0x40, 0x85, 0xC0

_HEAD = Struct(">BBHI")
_U16, _U32 = Struct(">H"), Struct(">I")
_RECOVERY, _TEID_DATA_I, _GSN_ADDRESS, _EXTENSION_HEADER_TYPES = 14, 16, 133, 141


class Header(NamedTuple):
    """What `header` finds. The payload is datagram[offset:]; `extensions` as in GtpuMessage."""

    type: int
    teid: int
    offset: int
    sequence: int | None = None
    n_pdu: int | None = None
    extensions: tuple[tuple[int, bytes], ...] = ()


class UnsupportedExtensionHeader(ProtocolError):
    """An extension header that must be understood and is not: answered by `unsupported(...)` (TS 29.281, 7.2.3)."""

    def __init__(self, kind: int) -> None:
        super().__init__(f"extension header {kind:#04x} is not known here", clause="TS 29.281, 5.2.1")
        self.type = kind


def gpdu(teid: int, payload: bytes) -> bytes:
    """A G-PDU without optional header fields (TS 29.281, 5.1)."""
    return _HEAD.pack(0x30, 255, len(payload), teid) + payload


def split(datagram: bytes) -> tuple[int, int, int]:
    """Type, TEID and offset of the payload of one datagram; the hot path's way to read what `header` reads.

    Raises ProtocolError (to be dropped in silence) or UnsupportedExtensionHeader.
    """
    if len(datagram) >= 8:
        flags, kind, length, teid = _HEAD.unpack_from(datagram)
        if flags == 0x30 and length + 8 == len(datagram):
            return kind, teid, 8
    return header(datagram)[:3]


def header(datagram: bytes) -> Header:
    """The header of one datagram with its optional fields and extension headers (TS 29.281, 5.1, 5.2).

    Raises ProtocolError (to be dropped in silence) or UnsupportedExtensionHeader.
    """
    if len(datagram) < 8:
        raise ProtocolError("shorter than a GTP-U header", clause="TS 29.281, 5.1")
    flags, kind, length, teid = _HEAD.unpack_from(datagram)
    if length + 8 != len(datagram):
        raise ProtocolError(f"the header says {length + 8} octets, {len(datagram)} came", clause="TS 29.281, 5.1")
    if flags & 0xF0 != 0x30:
        raise ProtocolError(f"flags {flags:#04x} are not GTP version 1", clause="TS 29.281, 5.1")
    if not flags & 7:
        return Header(kind, teid, 8)
    if length < 4:
        raise ProtocolError("shorter than the header that its flags announce", clause="TS 29.281, 5.1")
    sequence = _U16.unpack_from(datagram, 8)[0] if flags & 2 else None
    n_pdu = datagram[10] if flags & 1 else None
    if not flags & 4:
        return Header(kind, teid, 12, sequence, n_pdu)
    extensions, offset = _extensions(datagram)
    return Header(kind, teid, offset, sequence, n_pdu, extensions)


def _extensions(datagram: bytes) -> tuple[tuple[tuple[int, bytes], ...], int]:
    """The chain of extension headers from octet 12 on, and where it ends."""
    found: list[tuple[int, bytes]] = []
    kind, at = datagram[11], 12
    while kind:
        if at >= len(datagram):
            raise ProtocolError("the chain of extension headers has no end", clause="TS 29.281, 5.2.1")
        stop = at + 4 * datagram[at]
        if stop == at or stop > len(datagram):
            raise ProtocolError("an extension header without its length", clause="TS 29.281, 5.2.1")
        if kind & 0xC0 == 0xC0 and kind != PDCP_PDU_NUMBER:
            raise UnsupportedExtensionHeader(kind)
        found.append((kind, datagram[at + 1 : stop - 1]))
        kind, at = datagram[stop - 1], stop
    return tuple(found), at


@dataclass(slots=True, kw_only=True)
class GtpuMessage(Message):
    """A GTP-U message and its header.

    `sequence` (16 bits) and `n_pdu` (8 bits) are None without their flag. `extensions` are (type, content)
    with the content between length octet and next type: 2 octets, or 6, 10 ... `unknown` holds (type, value)
    of IEs that the message does not name.
    """

    TYPE: ClassVar[int] = 0

    teid: int = 0
    sequence: int | None = None
    n_pdu: int | None = None
    extensions: tuple[tuple[int, bytes], ...] = ()
    unknown: tuple[tuple[int, bytes], ...] = ()

    def _fill(self, ies: "_Ies") -> None:
        """Take the IEs of this message."""

    def _octets(self) -> bytes:
        """The IEs of this message."""
        return b""


_G = TypeVar("_G", bound=GtpuMessage)
MESSAGES: dict[int, type[GtpuMessage]] = {}


def _message(number: int, name: str, clause: str) -> Callable[[type[_G]], type[_G]]:
    def register(cls: type[_G]) -> type[_G]:
        cls.TYPE, cls.NAME, cls.CLAUSE = number, name, clause
        MESSAGES[number] = cls
        return cls

    return register


@_message(ECHO_REQUEST, "Echo request", "TS 29.281, 7.2.1")
@dataclass(slots=True, kw_only=True)
class EchoRequest(GtpuMessage):
    """Is the path alive? Carries a sequence number and no IE of ours."""

    sequence: int | None = 0


@_message(ECHO_RESPONSE, "Echo response", "TS 29.281, 7.2.2")
@dataclass(slots=True, kw_only=True)
class EchoResponse(GtpuMessage):
    """The answer with the sequence number of the request; the restart counter is sent as zero and ignored."""

    sequence: int | None = 0
    recovery: int = 0

    def _fill(self, ies: "_Ies") -> None:
        self.recovery = ies.need(_RECOVERY)[0]

    def _octets(self) -> bytes:
        return bytes((_RECOVERY, self.recovery))


@_message(ERROR_INDICATION, "Error indication", "TS 29.281, 7.3.1")
@dataclass(slots=True, kw_only=True)
class ErrorIndication(GtpuMessage):
    """No tunnel for a G-PDU: its TEID and the address (4 or 16 octets) it was sent to."""

    sequence: int | None = 0
    teid_data_i: int
    gsn_address: bytes

    def _fill(self, ies: "_Ies") -> None:
        self.teid_data_i = _U32.unpack(ies.need(_TEID_DATA_I))[0]
        self.gsn_address = ies.need(_GSN_ADDRESS)
        if len(self.gsn_address) not in (4, 16):
            raise ProtocolError("a GSN address has 4 or 16 octets", clause="TS 29.281, 8.4")

    def _octets(self) -> bytes:
        address = self.gsn_address
        return b"\x10" + _U32.pack(self.teid_data_i) + b"\x85" + _U16.pack(len(address)) + address


@_message(SUPPORTED_EXTENSION_HEADERS_NOTIFICATION, "Supported extension header notification", "TS 29.281, 7.2.3")
@dataclass(slots=True, kw_only=True)
class SupportedExtensionHeadersNotification(GtpuMessage):
    """The types of extension header known here, one octet each."""

    sequence: int | None = 0
    extension_header_types: bytes

    def _fill(self, ies: "_Ies") -> None:
        self.extension_header_types = ies.need(_EXTENSION_HEADER_TYPES)

    def _octets(self) -> bytes:
        return bytes((_EXTENSION_HEADER_TYPES, len(self.extension_header_types))) + self.extension_header_types


@_message(END_MARKER, "End Marker", "TS 29.281, 7.3.2")
@dataclass(slots=True, kw_only=True)
class EndMarker(GtpuMessage):
    """No more G-PDUs follow on this tunnel."""


@_message(G_PDU, "T-PDU", "TS 29.281, 7.1")
@dataclass(slots=True, kw_only=True)
class GPdu(GtpuMessage):
    """User data; tshark calls it T-PDU."""

    payload: bytes = b""


def decode(data: bytes) -> GtpuMessage:
    """One message, all of `data`. Raises ProtocolError (drop) or UnsupportedExtensionHeader."""
    kind, teid, offset, sequence, n_pdu, extensions = header(data)
    cls = MESSAGES.get(kind)
    if cls is None:
        raise ProtocolError(f"message type {kind} is not served", clause="TS 29.281, 7.1")
    message = object.__new__(cls)
    message.teid, message.sequence, message.n_pdu, message.extensions = teid, sequence, n_pdu, extensions
    message.unknown = ()
    if isinstance(message, GPdu):
        message.payload = data[offset:]
    else:
        ies = _Ies(data, offset)
        message._fill(ies)
        message.unknown = tuple(ies.rest)
    return message


def encode(message: GtpuMessage) -> bytes:
    """The octets of a message; lengths and flags are counted here. ValueError or struct.error: our own mistake."""
    if isinstance(message, GPdu):
        body = message.payload
    else:
        body = message._octets() + b"".join(_ie(kind, value) for kind, value in message.unknown)
    sequence, n_pdu, extensions = message.sequence, message.n_pdu, message.extensions
    if sequence is None and n_pdu is None and not extensions:
        return _HEAD.pack(0x30, message.TYPE, len(body), message.teid) + body
    flags = 0x30 | (4 if extensions else 0) | (2 if sequence is not None else 0) | (n_pdu is not None)
    optional = _U16.pack(sequence or 0) + bytes((n_pdu or 0,))
    for kind, content in extensions:
        if len(content) % 4 != 2:
            raise ValueError("an extension header fills whole words of 4 octets")
        optional += bytes((kind, len(content) + 2 >> 2)) + content
    optional += b"\0"
    return _HEAD.pack(flags, message.TYPE, len(optional) + len(body), message.teid) + optional + body


def unsupported(sequence: int = 0) -> SupportedExtensionHeadersNotification:
    """The answer to UnsupportedExtensionHeader: what is known here (TS 29.281, 7.2.3)."""
    known = bytes((UDP_PORT, PDU_SESSION_CONTAINER, PDCP_PDU_NUMBER))
    return SupportedExtensionHeadersNotification(sequence=sequence, extension_header_types=known)


def _ie(kind: int, value: bytes) -> bytes:
    if kind == _EXTENSION_HEADER_TYPES:
        return bytes((kind, len(value))) + value
    if kind < 128:
        return bytes((kind,)) + value
    return bytes((kind,)) + _U16.pack(len(value)) + value


class _Ies:
    """The IEs of a path management message: TV below 128, TLV from there on (TS 29.281, 8.1)."""

    # The TV types of TS 29.060, table 37 that may come here; the length of others is not known.
    _FIXED = {_RECOVERY: 1, _TEID_DATA_I: 4}

    def __init__(self, data: bytes, at: int) -> None:
        self.rest: list[tuple[int, bytes]] = []
        end = len(data)
        while at < end:
            kind = data[at]
            if kind in self._FIXED:
                start, size = at + 1, self._FIXED[kind]
            elif kind < 128:
                raise ProtocolError(f"IE of type {kind} has no known length", clause="TS 29.281, 8.1")
            else:
                start = at + (2 if kind == _EXTENSION_HEADER_TYPES else 3)
                size = int.from_bytes(data[at + 1 : start], "big")
            at = start + size
            if start > end or at > end:
                raise ProtocolError("an IE is longer than its message", clause="TS 29.281, 8.1")
            self.rest.append((kind, data[start:at]))

    def need(self, kind: int) -> bytes:
        """Take the first IE of this type. Raises ProtocolError when there is none."""
        for at, (number, value) in enumerate(self.rest):
            if number == kind:
                del self.rest[at]
                return value
        raise ProtocolError(f"mandatory IE of type {kind} is missing", clause="TS 29.281, 7.1")
