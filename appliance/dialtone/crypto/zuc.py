# SPDX-License-Identifier: Apache-2.0
"""ZUC, and 128-EEA3 and 128-EIA3 over it (TS 35.222; TS 35.221; TS 33.401, B.1.4 and B.2.4).

Pure Python: about 0.1 ms for a NAS message, where AES takes a few microseconds. The tables are made when the first
message needs them.
"""

import struct
from functools import cache
from typing import Final

_WORD: Final = 0xFFFFFFFF
_PRIME: Final = (1 << 31) - 1
# d_0 ... d_15 of the key loading, 15 bits each (TS 35.222, 3.5).
_D: Final = (
    0x44D7, 0x26BC, 0x626B, 0x135E, 0x5789, 0x35E2, 0x7135, 0x09AF,
    0x4D78, 0x2F13, 0x6BC4, 0x1AF1, 0x5E26, 0x3C4D, 0x789A, 0x47AC,
)  # fmt: skip
# The S-boxes S0 and S1, in hexadecimal (TS 35.222, 3.4.1).
_S0: Final = (
    "3e725b47cae0003304d1549809b96dcb7b1bf932af9d6aa5b82dfc1d08530390"
    "4d4e8499e4ced991ddb685488b296eaccdc1f81e734369c6b5bdfd396320d438"
    "767db2a7cfed57c5f32cbb142106559be3ef5e314f7f5aa40d8251495fba581c"
    "4a16d517a892241f8cffd8ae2e01d3ad3b4bda46ebc9de9a8f87d73a806f2fc8"
    "b1b437f70a2213287ccc3c89c7c3965607bf7ef00b2b975235417961a64c10fe"
    "bc2695888ab0a3fbc01894f2e1e5e95dd0dc1166645cec59427512f5749caa23"
    "0e86abbe2a02e767e644a26cc2939ff1f6fa36d250689e6271153dd640c4e20f"
    "8e83776b25053f0c30ea70b7a1e8a9658d271adb81b3a0f4457a19dfee783460"
)
_S1: Final = (
    "55c263713bc847869f3cda5b29aafd778cc5940ca61a1300e3a8167240f9f842"
    "4426689681d9453e1076c6a78b3943e13ab5562ac06db3052266bfdc0bfa6248"
    "dd20110636c9c1cff62752bb69f5d4877f844cd29c57a4bc4f9adffed68d7aeb"
    "2b53d85ca11417fb23d57d3067730809eeb7703f61b2198e4ee54b938f5ddba9"
    "adf1ae2ecb0dfcf42d466e1d97e8d1e94d37a5755e839eab829db91ce0cd4989"
    "01b6bd5824a25f387899159050b895e4d091c7ceed0fb46fa0ccf0024a79c3de"
    "a3efea51e66b18ec1b2c80f774e7ff215a6a541e41319235c433070aba7e0e34"
    "88b1987cf33d606c7bcad31f3265042864be859b2f598ad7b025acaf1203e2f2"
)


def keystream(key: bytes, iv: bytes, words: int) -> list[int]:
    """The first `words` 32-bit words of keystream for a key and an IV of 16 octets (TS 35.222, 3.6)."""
    t0, t1, t2, t3 = _tables()
    # The register is a list that grows: stage s_n of the specification is s[i + n].
    s = [k << 23 | d << 8 | v for k, d, v in zip(key, _D, iv, strict=True)]
    r1 = r2 = 0
    out = []
    for i in range(33 + words):
        s15 = s[i + 15]
        w = ((s15 << 1 & 0xFFFF0000 | s[i + 14] & 0xFFFF) ^ r1) + r2 & _WORD
        w1 = r1 + ((s[i + 11] & 0xFFFF) << 16 | s[i + 9] >> 15) & _WORD
        w2 = r2 ^ ((s[i + 7] & 0xFFFF) << 16 | s[i + 5] >> 15)
        # A word written twice, so that every rotation of it is a shift.
        u = ((w1 & 0xFFFF) << 16 | w2 >> 16) * 0x100000001
        v = ((w2 & 0xFFFF) << 16 | w1 >> 16) * 0x100000001
        u ^= u >> 30 ^ u >> 22 ^ u >> 14 ^ u >> 8  # L1: rotations by 2, 10, 18 and 24
        v ^= v >> 24 ^ v >> 18 ^ v >> 10 ^ v >> 2  # L2: rotations by 8, 14, 22 and 30
        r1 = t0[u >> 24 & 255] | t1[u >> 16 & 255] | t2[u >> 8 & 255] | t3[u & 255]
        r2 = t0[v >> 24 & 255] | t1[v >> 16 & 255] | t2[v >> 8 & 255] | t3[v & 255]
        new = (s15 << 15) + (s[i + 13] << 17) + (s[i + 10] << 21) + (s[i + 4] << 20) + s[i] * 257
        if i < 32:  # initialisation: the output is fed back
            new += w >> 1
        else:
            out.append(w ^ ((s[i + 2] & 0xFFFF) << 16 | s[i] >> 15))
        s.append(new % _PRIME or _PRIME)
    return out[1:]  # the first word after initialisation is discarded


def eea3(key: bytes, count: int, bearer: int, direction: int, data: bytes) -> bytes:
    """128-EEA3: as many octets as `data` (TS 35.221, 3)."""
    size = len(data)
    words = (size + 3) >> 2
    stream = keystream(key, struct.pack(">II", count, bearer << 27 | direction << 26) * 2, words)
    pad = struct.pack(f">{words}I", *stream)[:size]
    return (int.from_bytes(data) ^ int.from_bytes(pad)).to_bytes(size)


def eia3(key: bytes, count: int, bearer: int, direction: int, message: bytes, bits: int) -> bytes:
    """128-EIA3 over the first `bits` bits of `message`, 4 octets (TS 35.221, 4).

    The specification adds up, for every set bit i of the message, bits i to i + 31 of the keystream. So bit j of
    the sum is the parity of the message under the keystream moved by j bits: 32 operations on long integers.
    """
    iv = struct.pack(">IIII", count, bearer << 27, count ^ direction << 31, bearer << 27 ^ direction << 15)
    words = (bits + 95) >> 5  # up to the word that begins at or after bit `bits`, and one more
    octets = struct.pack(f">{words}I", *keystream(key, iv, words))
    stream = int.from_bytes(octets)
    # The message followed by a one: the word of keystream at its end is added too.
    extended = (int.from_bytes(message) >> len(message) * 8 - bits) << 1 | 1
    spare = words * 32 - bits - 1
    total = 0
    for j in range(32):
        total = total << 1 | (extended & stream >> spare - j).bit_count() & 1
    return (total ^ stream & _WORD).to_bytes(4)


class Eea3:
    """128-EEA3 (TS 33.401, B.1.4)."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def cipher(self, count: int, bearer: int, direction: int, data: bytes) -> bytes:
        return eea3(self._key, count, bearer, direction, data)


class Eia3:
    """128-EIA3 (TS 33.401, B.2.4)."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def mac(self, count: int, bearer: int, direction: int, message: bytes) -> bytes:
        return eia3(self._key, count, bearer, direction, message, len(message) * 8)


@cache
def _tables() -> tuple[tuple[int, ...], ...]:
    """S0, S1, S0, S1, each moved to its octet of the word (TS 35.222, 3.4.1)."""
    s0, s1 = bytes.fromhex(_S0), bytes.fromhex(_S1)
    return tuple(tuple(x << shift for x in box) for box, shift in ((s0, 24), (s1, 16), (s0, 8), (s1, 0)))
