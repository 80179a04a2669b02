# SPDX-License-Identifier: Apache-2.0
"""The GSM 7 bit default alphabet, packed in octets (TS 23.038, 6.1.2 and 6.2.1): network names, warnings, texts."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

ALPHABET: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]",
              0x40: "|", 0x65: "€"}  # fmt: skip
_ESCAPE: Final = 0x1B
_SEPTETS = {char: (code,) for code, char in enumerate(ALPHABET) if code != _ESCAPE} | {
    char: (_ESCAPE, code) for code, char in _EXTENSION.items()
}


def encodable(text: str) -> bool:
    """True if the alphabet and its extension have every character."""
    return all(char in _SEPTETS for char in text)


def septets(char: str) -> tuple[int, ...]:
    """The codes of a character, two for one of the extension. Raises KeyError."""
    return _SEPTETS[char]


@lru_cache(64)  # the names of a network are few and sent to every phone
def pack(text: str) -> tuple[bytes, int]:
    """The packed octets, and the number of spare bits in the last one. Raises ValueError."""
    if not encodable(text):
        raise ValueError(f"{text!r} has characters outside the GSM default alphabet")
    codes = [code for char in text for code in _SEPTETS[char]]
    octets = pack_codes(codes)
    return octets, len(octets) * 8 - 7 * len(codes)


def pack_codes(codes: Iterable[int], fill: int = 0) -> bytes:
    """Septets in octets, after so many fill bits (TS 23.040, 9.2.3.24)."""
    number, bits = 0, fill
    for code in codes:
        number |= code << bits
        bits += 7
    return number.to_bytes((bits + 7) // 8, "little")


def unpack_codes(octets: bytes, count: int, fill: int = 0) -> list[int]:
    """So many septets after the fill bits."""
    number = int.from_bytes(octets, "little") >> fill
    return [number >> 7 * index & 127 for index in range(count)]


def unpack(octets: bytes, spare: int = 0) -> str:
    """The text in packed octets whose last one has so many spare bits."""
    return text_of(unpack_codes(octets, (len(octets) * 8 - spare) // 7))


def text_of(codes: Iterable[int]) -> str:
    """The characters of septets. An extension code that is not defined reads as the character of the main table
    (TS 23.038, 6.2.1.1)."""
    text, escaped = [], False
    for code in codes:
        if escaped:
            text.append(_EXTENSION.get(code, ALPHABET[code]))
            escaped = False
        elif code == _ESCAPE:
            escaped = True
        else:
            text.append(ALPHABET[code])
    return "".join(text)
