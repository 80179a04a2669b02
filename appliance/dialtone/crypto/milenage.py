# SPDX-License-Identifier: Apache-2.0
"""Milenage: the authentication functions f1, f1*, f2 ... f5 and f5* (TS 35.206).

Blocks are 128-bit integers here, and all blocks of one answer go through AES in a single call: that is what
makes an authentication vector cheap.
"""

from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from dialtone.errors import LocalError

_BLOCK = (1 << 128) - 1
# c2 || c3 || c4 of TS 35.206, 4.1 (c1 is zero), in the order in which the blocks are laid side by side.
_C234 = (1 << 256) | (2 << 128) | 4


class Quintet(NamedTuple):
    """f1 ... f5 for one challenge (TS 33.102, 6.3.2). Octets: MAC-A 8, RES 8, CK 16, IK 16, AK 6."""

    mac_a: bytes
    res: bytes
    ck: bytes
    ik: bytes
    ak: bytes


def derive_opc(k: bytes, op: bytes) -> bytes:
    """OPc = OP xor E_K(OP), 16 octets (TS 35.206, 4.1). Raises LocalError for a K or OP of another length."""
    _check_length("K", k, 16)
    _check_length("OP", op, 16)
    encrypted = Cipher(algorithms.AES(k), modes.ECB()).encryptor().update(op)
    return (int.from_bytes(encrypted) ^ int.from_bytes(op)).to_bytes(16)


class Milenage:
    """The functions keyed with one subscriber's K and OPc. RAND has 16 octets, SQN 6, AMF 2.

    Raises LocalError for a K or OPc that has not 16 octets.
    """

    __slots__ = ("_encrypt", "_opc", "_opc4")

    def __init__(self, k: bytes, opc: bytes) -> None:
        _check_length("K", k, 16)
        _check_length("OPc", opc, 16)
        self._encrypt = Cipher(algorithms.AES(k), modes.ECB()).encryptor().update
        self._opc = int.from_bytes(opc)
        self._opc4 = int.from_bytes(opc * 4)

    def f12345(self, rand: bytes, sqn: bytes, amf: bytes) -> Quintet:
        """MAC-A, RES, CK, IK and AK in one go: what the authentication centre needs (TS 33.102, 6.3.2)."""
        temp = self._temp(rand)
        blocks = (self._in_out1(temp, sqn, amf) << 384) | self._in_out234(temp)
        out = (int.from_bytes(self._encrypt(blocks.to_bytes(64))) ^ self._opc4).to_bytes(64)
        return Quintet(out[:8], out[24:32], out[32:48], out[48:], out[16:22])

    def f1(self, rand: bytes, sqn: bytes, amf: bytes) -> bytes:
        """MAC-A, 8 octets, the network authentication code."""
        return self._out1(rand, sqn, amf)[:8]

    def f1_star(self, rand: bytes, sqn: bytes, amf: bytes) -> bytes:
        """MAC-S, 8 octets, the resynchronisation code; AMF is 0000 there (TS 33.102, 6.3.3)."""
        return self._out1(rand, sqn, amf)[8:]

    def f2345(self, rand: bytes) -> tuple[bytes, bytes, bytes, bytes]:
        """RES, CK, IK, AK: what a USIM computes; it needs AK before it knows SQN (TS 33.102, 6.3.3)."""
        blocks = self._in_out234(self._temp(rand))
        mask = self._opc4 >> 128
        out = (int.from_bytes(self._encrypt(blocks.to_bytes(48))) ^ mask).to_bytes(48)
        return out[8:16], out[16:32], out[32:], out[:6]

    def f5_star(self, rand: bytes) -> bytes:
        """AK*, 6 octets, which hides SQN_MS in a resynchronisation token."""
        rotated = _rotate(self._temp(rand) ^ self._opc, 96)
        return self._block(rotated ^ 8)[:6]

    def _temp(self, rand: bytes) -> int:
        return int.from_bytes(self._encrypt((int.from_bytes(rand) ^ self._opc).to_bytes(16)))

    def _in_out1(self, temp: int, sqn: bytes, amf: bytes) -> int:
        return temp ^ _rotate(int.from_bytes((sqn + amf) * 2) ^ self._opc, 64)

    def _in_out234(self, temp: int) -> int:
        x = temp ^ self._opc
        return ((x << 256) | (_rotate(x, 32) << 128) | _rotate(x, 64)) ^ _C234

    def _out1(self, rand: bytes, sqn: bytes, amf: bytes) -> bytes:
        return self._block(self._in_out1(self._temp(rand), sqn, amf))

    def _block(self, value: int) -> bytes:
        return (int.from_bytes(self._encrypt(value.to_bytes(16))) ^ self._opc).to_bytes(16)


def _rotate(block: int, bits: int) -> int:
    return ((block << bits) | (block >> (128 - bits))) & _BLOCK


def _check_length(name: str, value: bytes, octets: int) -> None:
    # The value itself never goes into the text: it is a key.
    if len(value) != octets:
        raise LocalError(f"{name} has {octets} octets, not {len(value)}")
