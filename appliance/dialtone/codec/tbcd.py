# SPDX-License-Identifier: Apache-2.0
"""Telephony BCD: digits in swapped half-octets, filler 1111 after an odd number of them (TS 29.002, TBCD-STRING)."""

_SWAP = bytes((octet & 15) << 4 | octet >> 4 for octet in range(256))


def digits(octets: bytes) -> str:
    """The digits. Raises ValueError where there are none, or one above 9."""
    text = octets.translate(_SWAP).hex()
    if text[-1:] == "f":
        text = text[:-1]
    if not text.isdigit():
        raise ValueError(f"{octets.hex()} holds no digits")
    return text


def tbcd(text: str) -> bytes:
    """The octets of `digits`. Raises ValueError for anything but digits."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text!r} holds more than digits")
    return bytes.fromhex(text + "f" if len(text) & 1 else text).translate(_SWAP)
