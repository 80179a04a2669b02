# SPDX-License-Identifier: Apache-2.0
"""SNOW 3G, and 128-EEA1 and 128-EIA1 over it (TS 35.216; TS 35.215; TS 33.401, B.1.2 and B.2.2).

Pure Python: about 0.1 ms for a NAS message, where AES takes a few microseconds. The tables (100 kB) are made from
their definitions when the first message needs them.
"""

import struct
from functools import cache
from typing import Final

_WORD: Final = 0xFFFFFFFF
_LOW60: Final = (1 << 60) - 1
# x^64 = x^4 + x^3 + x + 1 (TS 35.215, 4.3): what the four bits shifted out of a 64-bit value come back as.
_CARRY: Final = tuple(n ^ n << 1 ^ n << 3 ^ n << 4 for n in range(16))


def keystream(key: bytes, iv: bytes, words: int) -> list[int]:
    """The first `words` 32-bit words of keystream for a key and an IV of 16 octets (TS 35.216, 4)."""
    s1, s2, alpha, alpha_inverse = _tables()
    (a0, a1, a2, a3), (b0, b1, b2, b3) = s1, s2
    k3, k2, k1, k0 = struct.unpack(">4I", key)
    iv3, iv2, iv1, iv0 = struct.unpack(">4I", iv)
    # The register is a list that grows: stage s_n of the specification is s[i + n].
    s = [
        ~k0 & _WORD, ~k1 & _WORD, ~k2 & _WORD, ~k3 & _WORD, k0, k1, k2, k3,
        ~k0 & _WORD, ~k1 & _WORD ^ iv3, ~k2 & _WORD ^ iv2, ~k3 & _WORD, k0 ^ iv1, k1, k2, k3 ^ iv0,
    ]  # fmt: skip
    r1 = r2 = r3 = 0
    out = []
    for i in range(33 + words):
        f = (s[i + 15] + r1 & _WORD) ^ r2
        mixed = r2 + (r3 ^ s[i + 5]) & _WORD
        r3 = b0[r2 >> 24] ^ b1[r2 >> 16 & 255] ^ b2[r2 >> 8 & 255] ^ b3[r2 & 255]
        r2 = a0[r1 >> 24] ^ a1[r1 >> 16 & 255] ^ a2[r1 >> 8 & 255] ^ a3[r1 & 255]
        r1 = mixed
        low, s11 = s[i], s[i + 11]
        new = (low << 8 & _WORD) ^ alpha[low >> 24] ^ s[i + 2] ^ s11 >> 8 ^ alpha_inverse[s11 & 255]
        if i < 32:  # initialisation: the output is fed back
            new ^= f
        else:
            out.append(f ^ low)
        s.append(new)
    return out[1:]  # the first word after initialisation is discarded


def uea2(key: bytes, count: int, bearer: int, direction: int, data: bytes) -> bytes:
    """f8 of UMTS, which is 128-EEA1: as many octets as `data` (TS 35.215, 3)."""
    size = len(data)
    words = (size + 3) >> 2
    stream = keystream(key, struct.pack(">II", count, bearer << 27 | direction << 26) * 2, words)
    pad = struct.pack(f">{words}I", *stream)[:size]
    return (int.from_bytes(data) ^ int.from_bytes(pad)).to_bytes(size)


def uia2(key: bytes, count: int, fresh: int, direction: int, message: bytes, bits: int) -> bytes:
    """f9 of UMTS over the first `bits` bits of `message`; bits beyond them are zero: 4 octets (TS 35.215, 4)."""
    iv = struct.pack(">IIII", count, fresh, count ^ direction << 31, fresh ^ direction << 15)
    z1, z2, z3, z4, z5 = keystream(key, iv, 5)
    p = _multiples(z1 << 32 | z2)
    evaluation = 0
    for block in struct.unpack(f">{(bits + 63) >> 6}Q", message + bytes(-len(message) % 8)):
        evaluation = _multiply(evaluation ^ block, p)
    evaluation = _multiply(evaluation ^ bits, _multiples(z3 << 32 | z4))
    return (evaluation >> 32 ^ z5).to_bytes(4)


class Eea1:
    """128-EEA1 (TS 33.401, B.1.2)."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def cipher(self, count: int, bearer: int, direction: int, data: bytes) -> bytes:
        return uea2(self._key, count, bearer, direction, data)


class Eia1:
    """128-EIA1: UIA2 whose FRESH is BEARER || 0^27 (TS 33.401, B.2.2)."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def mac(self, count: int, bearer: int, direction: int, message: bytes) -> bytes:
        return uia2(self._key, count, bearer << 27, direction, message, len(message) * 8)


def _multiples(value: int) -> list[int]:
    """`value` times each polynomial of degree 3 or less in GF(2^64)."""
    table = [0, value]
    for n in range(2, 16):
        double = table[n >> 1] << 1
        table.append(double & (1 << 64) - 1 ^ _CARRY[double >> 64] ^ table[n & 1])
    return table


def _multiply(value: int, multiples: list[int]) -> int:
    """Product in GF(2^64), four bits of `value` at a time (MUL of TS 35.215, 4.3)."""
    product = 0
    for shift in range(60, -4, -4):
        product = (product & _LOW60) << 4 ^ _CARRY[product >> 60] ^ multiples[value >> shift & 15]
    return product


# -- tables, each over GF(2^8) with x^8 replaced by the polynomial `carry` ----------------------------------------
Table = tuple[int, ...]
Box = tuple[Table, Table, Table, Table]


@cache
def _tables() -> tuple[Box, Box, Table, Table]:
    """S1, S2 (one table for each octet of their input), MUL_alpha and DIV_alpha (TS 35.216, 3.3 and 3.4)."""
    exp, log = _powers(0x1B)
    inverse = [0] + [exp[-log[x] % 255] for x in range(1, 256)]
    rijndael = [x ^ (x * 0x101 >> 4 ^ x * 0x101 >> 5 ^ x * 0x101 >> 6 ^ x * 0x101 >> 7) & 255 ^ 0x63 for x in inverse]
    exp, log = _powers(0x69)
    dickson = [0x25]
    for x in range(1, 256):
        value = 0x25
        for power in (1, 9, 13, 15, 33, 41, 45, 47, 49):
            value ^= exp[log[x] * power % 255]
        dickson.append(value)
    exp, log = _powers(0xA9)

    def times(powers: tuple[int, int, int, int]) -> Table:
        rows = ([exp[(log[c] + log[2] * n) % 255] for n in powers] for c in range(1, 256))
        return (0, *(int.from_bytes(row) for row in rows))

    return _box(rijndael, 0x1B), _box(dickson, 0x69), times((23, 245, 48, 239)), times((16, 39, 6, 64))


def _powers(carry: int) -> tuple[list[int], dict[int, int]]:
    """Powers of 3, which generates all three fields, and the logarithms to it."""
    exp = [1]
    while len(exp) < 255:
        last = exp[-1]
        exp.append(last ^ _double(last, carry))
    return exp, {value: n for n, value in enumerate(exp)}


def _double(value: int, carry: int) -> int:
    return value << 1 ^ (carry | 0x100 if value & 0x80 else 0)


def _box(substitution: list[int], carry: int) -> Box:
    """S-box and MixColumn in one, rotated for each of the four octets."""
    columns = [[_double(v, carry), v ^ _double(v, carry), v, v] for v in substitution]
    first, second, third, fourth = (
        tuple(int.from_bytes((c[-n % 4], c[(1 - n) % 4], c[(2 - n) % 4], c[(3 - n) % 4])) for c in columns)
        for n in range(4)
    )
    return first, second, third, fourth
