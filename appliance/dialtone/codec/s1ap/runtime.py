# SPDX-License-Identifier: Apache-2.0
"""What compiled functions call for the rare cases: lengths above 127, fragments, extensions (X.691, 11.9)."""

from enum import IntEnum

from dialtone.codec.s1ap.notation import UnknownIe

FRAGMENT = 16384

ONE_OCTET = tuple(bytes((n,)) for n in range(256))
"""The 256 single octets: also the length determinants below 128."""


class Malformed(ValueError):
    """Raised inside compiled functions only: the text says what does not fit."""


def long_octets(d: bytes, p: int) -> tuple[bytes, int]:
    """A length determinant at octet `p` and the octets it counts, fragments joined; and where they end."""
    pieces = []
    while True:
        first = d[p]
        if first < 128:
            p, size = p + 1, first
        elif first < 192:
            p, size = p + 2, (first & 63) << 8 | d[p + 1]
        elif 1 <= first & 63 <= 4:
            p, size = p + 1, (first & 63) * FRAGMENT
        else:
            raise Malformed(f"length determinant {first:#04x}")
        if p + size > len(d):
            raise Malformed(f"{size} octets announced, {len(d) - p} left")
        pieces.append(d[p : p + size])
        p += size
        if first < 192:
            return b"".join(pieces), p


def reopen(d: bytes, p: int) -> tuple[bytes, int, int, int]:
    """An open type whose length at `p` is above 127: its buffer, start and end there, and where to go on in `d`.

    The buffer is `d` itself unless the value came in fragments.
    """
    if d[p] < 192:
        size, p = (d[p] & 63) << 8 | d[p + 1], p + 2
        if p + size > len(d):
            raise Malformed(f"{size} octets announced, {len(d) - p} left")
        return d, p, p + size, p + size
    value, after = long_octets(d, p)
    return value, 0, len(value), after


def wrap(value: bytes) -> bytes:
    """Octets with their length determinant before them, in fragments where 16384 or more."""
    size = len(value)
    if size < 128:
        return ONE_OCTET[size] + value
    if size < FRAGMENT:
        return (size | 0x8000).to_bytes(2, "big") + value
    units = min(size // FRAGMENT, 4)
    cut = units * FRAGMENT
    return ONE_OCTET[0xC0 | units] + value[:cut] + wrap(value[cut:])


def read_ies(d: bytes, p: int, offset: int) -> tuple[tuple[UnknownIe, ...], int]:
    """A container of IEs or extensions at octet `p`, its count less `offset` in 16 bits; and where it ends."""
    count = (d[p] << 8 | d[p + 1]) + offset
    p += 2
    ies = []
    for _ in range(count):
        ie, criticality = d[p] << 8 | d[p + 1], d[p + 2] >> 6
        if criticality == 3:
            raise Malformed(f"criticality 3 of IE {ie}")
        value, p = long_octets(d, p + 3)
        ies.append(UnknownIe(ie, criticality, value))
    return tuple(ies), p


def write_ies(ies: tuple[UnknownIe, ...]) -> bytes:
    """IEs one after the other, without their count."""
    return b"".join(
        [ie.id.to_bytes(2, "big") + ONE_OCTET[(ie.criticality & 3) << 6] + wrap(ie.value) for ie in ies]
    )


def write_extensions(ies: tuple[UnknownIe, ...]) -> bytes:
    """A ProtocolExtensionContainer (TS 36.413, 9.3.7): 1 to 65535 extensions."""
    return (len(ies) - 1).to_bytes(2, "big") + write_ies(ies)


def read_bits(d: bytes, b: int, count: int) -> int:
    """`count` bits at bit position `b`."""
    end = b + count
    if end > len(d) * 8:
        raise Malformed("bits beyond the end")
    return int.from_bytes(d[b >> 3 : end + 7 >> 3], "big") >> (-end & 7) & ((1 << count) - 1)


def small_number(d: bytes, b: int) -> tuple[int, int]:
    """A normally small non-negative whole number at bit `b` (X.691, 11.6); and where it ends, in bits."""
    if not read_bits(d, b, 1):
        return read_bits(d, b + 1, 6), b + 7
    value, p = long_octets(d, b + 8 >> 3)
    return int.from_bytes(value, "big"), p * 8


def skip_additions(d: bytes, b: int) -> int:
    """Pass the extension additions of a SEQUENCE at bit `b` (X.691, 19.7-19.9): the octet behind them.

    S1AP extends its sequences by iE-Extensions only, so there is nothing here that anyone could know.
    """
    count, b = small_number(d, b)
    present = read_bits(d, b, count + 1).bit_count()
    p = b + count + 8 >> 3
    for _ in range(present):
        _, p = long_octets(d, p)
    return p


def extension_value(values: type[IntEnum], number: int) -> int:
    """The member for a value beyond the root, or the bare number where a later release defined it."""
    return values(number) if number in values._value2member_map_ else number


def read_integer(d: bytes, p: int) -> tuple[int, int]:
    """An unconstrained whole number at octet `p` (X.691, 11.8); and where it ends."""
    value, p = long_octets(d, p)
    if not value:
        raise Malformed("an integer of no octets")
    return int.from_bytes(value, "big", signed=True), p


def write_integer(value: int) -> bytes:
    """An unconstrained whole number with its length."""
    return wrap(value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))
