# SPDX-License-Identifier: Apache-2.0
"""TUAK: the authentication functions f1, f1*, f2 ... f5 and f5* over Keccak-f[1600] (TS 35.231).

TUAK lays its 96 octets of input and its padding over the state exactly as SHAKE256 absorbs a message of 96 octets
(a rate of 1088 bits, the suffix 1111, the padding 1 0* 1), with all octets in reverse order. So what the permutation
leaves after n iterations is the n-th block that SHAKE256 squeezes out, and OpenSSL does the work in microseconds.
"""

from hashlib import shake_256
from typing import Final

from dialtone.crypto.milenage import Quintet
from dialtone.errors import LocalError

_ALGORITHM_NAME: Final = b"TUAK1.0"
_RATE: Final = 136  # octets that SHAKE256 gives for each application of the permutation
# INSTANCE (TS 35.231, 6.1 to 6.5): which function, how long its results are, and in the last bit the length of K.
_F1: Final = 0x00
_F1_STAR: Final = 0x80
_F2345: Final = 0x40
_F5_STAR: Final = 0xC0
_LENGTH: Final = {4: 0x00, 8: 0x08, 16: 0x10, 32: 0x20}
_LONG_CK: Final = 0x04
_LONG_IK: Final = 0x02
_LONG_K: Final = 0x01


def derive_topc(k: bytes, top: bytes, *, iterations: int = 1) -> bytes:
    """TOPc, 32 octets, of K (16 or 32 octets) and TOP (32) (TS 35.231, 6.1). Raises LocalError for other lengths."""
    _check_length("K", k, (16, 32))
    _check_length("TOP", top, (32,))
    return _permute(top, 0, bytes(24), k, iterations)[-32:]


class Tuak:
    """The functions keyed with one subscriber's K (16 or 32 octets) and TOPc (32). RAND has 16 octets, SQN 6, AMF 2.

    The iterations of Keccak and the lengths of the results, in octets, are the operator's choice and the card's
    (TS 35.231, 5.1): MAC 8, 16 or 32, RES 4, 8, 16 or 32, CK and IK 16 or 32. EPS needs the MAC, CK and IK that are
    the defaults, and a RES of at most 16 octets (TS 33.102, 6.3.2; TS 33.401, 6.1.2).

    Raises LocalError for other lengths.
    """

    __slots__ = ("_iterations", "_k", "_lengths", "_topc")

    def __init__(
        self, k: bytes, topc: bytes, *, iterations: int = 1, mac: int = 8, res: int = 8, ck: int = 16, ik: int = 16
    ) -> None:
        _check_length("K", k, (16, 32))
        _check_length("TOPc", topc, (32,))
        if iterations < 1 or mac not in (8, 16, 32) or res not in _LENGTH or {ck, ik} - {16, 32}:
            raise LocalError(
                f"TUAK has no {iterations} iterations with MAC {mac}, RES {res}, CK {ck} and IK {ik} octets",
                remedy="MAC has 8, 16 or 32 octets, RES 4, 8, 16 or 32, CK and IK 16 or 32.",
            )
        self._k = k
        self._topc = topc
        self._iterations = iterations
        self._lengths = (mac, res, ck, ik)

    def f12345(self, rand: bytes, sqn: bytes, amf: bytes) -> Quintet:
        """MAC-A, RES, CK, IK and AK: what the authentication centre needs (TS 33.102, 6.3.2)."""
        return Quintet(self.f1(rand, sqn, amf), *self.f2345(rand))

    def f1(self, rand: bytes, sqn: bytes, amf: bytes) -> bytes:
        """MAC-A, the network authentication code."""
        return self._mac(_F1, rand, sqn, amf)

    def f1_star(self, rand: bytes, sqn: bytes, amf: bytes) -> bytes:
        """MAC-S, the resynchronisation code; AMF is 0000 there (TS 33.102, 6.3.3)."""
        return self._mac(_F1_STAR, rand, sqn, amf)

    def f2345(self, rand: bytes) -> tuple[bytes, bytes, bytes, bytes]:
        """RES, CK, IK, AK (6 octets): what a USIM computes before it knows SQN (TS 33.102, 6.3.3)."""
        _, res, ck, ik = self._lengths
        instance = _F2345 | _LENGTH[res] | (ck == 32) * _LONG_CK | (ik == 32) * _LONG_IK
        out = self._out(instance, bytes(8) + rand)
        return out[-res:], out[-32 - ck : -32], out[-64 - ik : -64], out[-102:-96]

    def f5_star(self, rand: bytes) -> bytes:
        """AK*, 6 octets, which hides SQN_MS in a resynchronisation token."""
        return self._out(_F5_STAR, bytes(8) + rand)[-102:-96]

    def _mac(self, function: int, rand: bytes, sqn: bytes, amf: bytes) -> bytes:
        length = self._lengths[0]
        return self._out(function | _LENGTH[length], sqn + amf + rand)[-length:]

    def _out(self, instance: int, challenge: bytes) -> bytes:
        return _permute(self._topc, instance, challenge, self._k, self._iterations)


def _permute(topc: bytes, instance: int, challenge: bytes, k: bytes, iterations: int) -> bytes:
    """The first 1088 bits of the state after the iterations, last octet first; `challenge` is SQN || AMF || RAND."""
    instance |= _LONG_K if len(k) == 32 else 0
    message = k.rjust(32, b"\0") + challenge + _ALGORITHM_NAME + bytes((instance,)) + topc
    return shake_256(message[::-1]).digest(iterations * _RATE)[-_RATE:][::-1]


def _check_length(name: str, value: bytes, allowed: tuple[int, ...]) -> None:
    # The value itself never goes into the text: it is a key.
    if len(value) not in allowed:
        raise LocalError(f"{name} has {' or '.join(map(str, allowed))} octets, not {len(value)}")
