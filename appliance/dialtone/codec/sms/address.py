# SPDX-License-Identifier: Apache-2.0
"""Addresses of short messages: of phones (TS 23.040, 9.1.2.5) and of service centres (TS 24.011, 8.2.5.1)."""

from typing import NamedTuple

from dialtone.codec import gsm7
from dialtone.errors import ProtocolError

UNKNOWN, INTERNATIONAL, NATIONAL, ALPHANUMERIC = 0, 1, 2, 5
"""Types of number (TS 23.040, 9.1.2.5)."""
ISDN = 1
"""Numbering plan E.164."""
_DIGITS = "0123456789*#abc"
LONGEST_TP, LONGEST_RP = 10, 11  # octets of the number itself with its type


class Address(NamedTuple):
    """A number in digits without `+` (also `*`, `#`, a, b, c), or a name where `ton` is ALPHANUMERIC."""

    value: str
    ton: int = INTERNATIONAL
    npi: int = ISDN

    def __str__(self) -> str:
        return f"+{self.value}" if self.ton == INTERNATIONAL else self.value

    @classmethod
    def of(cls, text: str) -> "Address":
        """`+15550100` is international, `123` unknown, anything else a name of at most 11 characters.

        Raises ValueError.
        """
        digits = text.removeprefix("+")
        if digits and all(char in _DIGITS for char in digits):
            return cls(digits, INTERNATIONAL if text.startswith("+") else UNKNOWN)
        if not text or sum(len(gsm7.septets(char)) for char in text if gsm7.encodable(char)) > 11 or (
                not gsm7.encodable(text)):
            raise ValueError(f"{text!r} is neither a number nor a name of 1 to 11 characters")
        return cls(text, ALPHANUMERIC, 0)


def _swapped(value: str) -> bytes:
    """Digits in swapped half-octets, filler 1111."""
    try:
        codes = [_DIGITS.index(char) for char in value]
    except ValueError:
        raise ValueError(f"{value!r} has a character that no number has") from None
    if len(codes) % 2:
        codes.append(15)
    return bytes(low | high << 4 for low, high in zip(codes[::2], codes[1::2], strict=True))


def _digits(octets: bytes, count: int) -> str:
    halves = [half for octet in octets for half in (octet & 15, octet >> 4)][:count]
    if 15 in halves:
        halves = halves[: halves.index(15)]
    return "".join(_DIGITS[half] for half in halves)


def _type(address: Address) -> int:
    return 0x80 | address.ton << 4 | address.npi


def encode_tp(address: Address) -> bytes:
    """Length in useful half-octets, type, number. Raises ValueError."""
    if address.ton == ALPHANUMERIC:
        codes = [code for char in address.value for code in gsm7.septets(char)]
        body, length = gsm7.pack_codes(codes), (7 * len(codes) + 3) // 4
    else:
        body, length = _swapped(address.value), len(address.value)
    if len(body) > LONGEST_TP:
        raise ValueError(f"{address.value!r} is too long")
    return bytes((length, _type(address))) + body


def decode_tp(data: bytes, at: int) -> tuple[Address, int]:
    """The address at `at`, and where the next field is. Raises ProtocolError."""
    if len(data) < at + 2:
        raise ProtocolError("an address is cut off", clause="TS 23.040, 9.1.2.5")
    length, kind = data[at], data[at + 1]
    end = at + 2 + (length + 1) // 2
    if length > 2 * LONGEST_TP or end > len(data):
        raise ProtocolError(f"an address of {length} half-octets does not fit", clause="TS 23.040, 9.1.2.5")
    body, ton = data[at + 2 : end], kind >> 4 & 7
    value = gsm7.text_of(gsm7.unpack_codes(body, length * 4 // 7)) if ton == ALPHANUMERIC else _digits(body, length)
    return Address(value, ton, kind & 15), end


def encode_rp(address: Address | None) -> bytes:
    """Length in octets, type, number; one zero octet where there is none. Raises ValueError."""
    if address is None:
        return b"\0"
    body = bytes((_type(address),)) + _swapped(address.value)
    if len(body) > LONGEST_RP:
        raise ValueError(f"{address.value!r} is too long")
    return bytes((len(body),)) + body


def decode_rp(data: bytes, at: int) -> tuple[Address | None, int]:
    """The address at `at`, None where it is empty, and where the next field is. Raises ProtocolError."""
    if at >= len(data) or at + 1 + data[at] > len(data) or data[at] > LONGEST_RP:
        raise ProtocolError("an RP address does not fit", clause="TS 24.011, 8.2.5.1")
    end = at + 1 + data[at]
    if data[at] < 2:  # of some cards the type alone remains
        return None, end
    kind, body = data[at + 1], data[at + 2 : end]
    return Address(_digits(body, 2 * len(body)), kind >> 4 & 7, kind & 15), end
