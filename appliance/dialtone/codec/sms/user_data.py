# SPDX-License-Identifier: Apache-2.0
"""TP-User-Data: alphabets, the user data header and long messages (TS 23.040, 9.2.3.16, 9.2.3.24; TS 23.038, 4)."""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from dialtone.codec import gsm7
from dialtone.errors import ProtocolError

MOST = 140
"""Octets of TP-User-Data in SUBMIT and DELIVER."""
MOST_PARTS = 255
CONCATENATED, CONCATENATED_16 = 0x00, 0x08
"""Information elements of long messages, with a reference of 8 and of 16 bits (9.2.3.24.1 and 9.2.3.24.8)."""
_CLAUSE = "TS 23.040, 9.2.3.24"


class Alphabet(IntEnum):
    """Of a data coding scheme; what is compressed counts as octets."""

    GSM7 = 0
    OCTETS = 1
    UCS2 = 2


def alphabet(dcs: int) -> Alphabet:
    """What a TP-Data-Coding-Scheme says; reserved values are taken as GSM 7 bit (TS 23.038, 4)."""
    group = dcs >> 4
    if group < 8:
        if dcs & 0x20:
            return Alphabet.OCTETS
        bits = dcs >> 2 & 3
        return Alphabet(bits) if bits != 3 else Alphabet.GSM7
    if group == 14:
        return Alphabet.UCS2
    return Alphabet.OCTETS if group == 15 and dcs & 4 else Alphabet.GSM7


class Part(NamedTuple):
    """Which part of a long message this is: its `number` of `total`, and what its parts have in common."""

    reference: int
    total: int
    number: int
    wide: bool = False  # a reference of 16 bits


class UserData(NamedTuple):
    """TP-UD as it travels, so that it can be handed on untouched: TP-UDL, and its octets with a header, if it has one.

    `length` counts septets in GSM 7 bit and octets otherwise.
    """

    dcs: int = 0
    length: int = 0
    octets: bytes = b""
    has_header: bool = False

    @property
    def header(self) -> list[tuple[int, bytes]]:
        """Its information elements; those that do not fit are left out."""
        found: list[tuple[int, bytes]] = []
        if not self.has_header or not self.octets:
            return found
        end, at = min(1 + self.octets[0], len(self.octets)), 1
        while at + 2 <= end and at + 2 + self.octets[at + 1] <= end:
            found.append((self.octets[at], self.octets[at + 2 : at + 2 + self.octets[at + 1]]))
            at += 2 + self.octets[at + 1]
        return found

    @property
    def body(self) -> bytes:
        """What stands after the header, for octets and UCS-2."""
        return self.octets[1 + self.octets[0] :] if self.has_header and self.octets else self.octets

    @property
    def part(self) -> Part | None:
        """Its place in a long message; None if it stands alone, as one with impossible numbers does."""
        for iei, value in self.header:
            wide = iei == CONCATENATED_16
            if (iei == CONCATENATED and len(value) == 3) or (wide and len(value) == 4):
                reference = int.from_bytes(value[: 2 if wide else 1])
                total, number = value[-2:]
                if 1 <= number <= total:
                    return Part(reference, total, number, wide)
        return None

    @property
    def text(self) -> str:
        """Its characters; octets of data as hexadecimal digits."""
        match alphabet(self.dcs):
            case Alphabet.UCS2:
                return self.body.decode("utf-16-be", "replace")  # phones send surrogate pairs, too
            case Alphabet.OCTETS:
                return self.body.hex()
        skip = _header_septets(self.octets) if self.has_header else 0
        return gsm7.text_of(gsm7.unpack_codes(self.octets, self.length)[skip:])


def _header_septets(octets: bytes) -> int:
    """Septets that a header takes with its length octet and the fill bits behind it."""
    return ((1 + octets[0]) * 8 + 6) // 7 if octets else 0


def decode(data: bytes, at: int, dcs: int, has_header: bool) -> UserData:
    """TP-UDL at `at` and what follows. Raises ProtocolError where it is cut off, or a header does not fit."""
    if at >= len(data):
        raise ProtocolError("TP-User-Data-Length is missing", clause=_CLAUSE)
    length = data[at]
    size = (length * 7 + 7) // 8 if alphabet(dcs) is Alphabet.GSM7 else length
    octets = data[at + 1 : at + 1 + size]
    if len(octets) != size or size > MOST:
        raise ProtocolError(f"{length} characters or octets of TP-User-Data do not fit", clause=_CLAUSE)
    if has_header and (not octets or octets[0] + 1 > size):
        raise ProtocolError("a user data header longer than the user data", clause=_CLAUSE)
    return UserData(dcs, length, octets, has_header)


def encode(ud: UserData) -> bytes:
    """TP-UDL and TP-UD."""
    return bytes((ud.length,)) + ud.octets


def _concatenation(part: Part) -> bytes:
    """The whole header of a part, with its length octet."""
    if part.wide:
        return bytes((6, CONCATENATED_16, 4)) + part.reference.to_bytes(2) + bytes((part.total, part.number))
    return bytes((5, CONCATENATED, 3, part.reference, part.total, part.number))


def make(chars: Iterable[str], plain: bool, part: Part | None = None) -> UserData:
    """User data of these characters, in GSM 7 bit if `plain`, else in UCS-2."""
    header = _concatenation(part) if part else b""
    if not plain:
        octets = header + "".join(chars).encode("utf-16-be")
        return UserData(Alphabet.UCS2 << 2, len(octets), octets, bool(header))
    codes = [code for char in chars for code in gsm7.septets(char)]
    skip = _header_septets(header)
    fill = skip * 7 - len(header) * 8
    packed = gsm7.pack_codes(codes, fill) if codes or not header else b""
    return UserData(0, skip + len(codes), header + packed, bool(header))


def split(text: str, reference: int) -> list[UserData]:
    """A text as one short message or as the parts of a long one: GSM 7 bit where it will do, else UCS-2.

    No part ends within a character. Raises ValueError for what is longer than 255 parts.
    """
    plain = gsm7.encodable(text)
    sizes = [len(gsm7.septets(char)) if plain else len(char.encode("utf-16-be")) for char in text]
    room = 160 if plain else MOST
    if sum(sizes) <= room:
        return [make(text, plain)]
    room = 153 if plain else MOST - 6
    parts: list[list[str]] = [[]]
    used = 0
    for char, size in zip(text, sizes, strict=True):
        if used + size > room:
            parts.append([])
            used = 0
        parts[-1].append(char)
        used += size
    if len(parts) > MOST_PARTS:
        raise ValueError(f"a text of {len(text)} characters needs {len(parts)} parts; {MOST_PARTS} are the most")
    return [make(chars, plain, Part(reference & 0xFF, len(parts), number)) for number, chars in enumerate(parts, 1)]
