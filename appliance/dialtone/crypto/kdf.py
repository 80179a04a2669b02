# SPDX-License-Identifier: Apache-2.0
"""Key derivation: the generic function of TS 33.220, B.2 and the EPS key tree of TS 33.401, Annex A.

K -> CK, IK -> K_ASME -> K_NASint, K_NASenc, K_eNB -> K_RRCint, K_RRCenc, K_UPenc; K_ASME and K_eNB -> NH.
"""

import hmac
from enum import IntEnum


class AlgorithmType(IntEnum):
    """Algorithm type distinguishers (TS 33.401, table A.7-1)."""

    NAS_ENC = 1
    NAS_INT = 2
    RRC_ENC = 3
    RRC_INT = 4
    UP_ENC = 5
    UP_INT = 6


def kdf(key: bytes, fc: int, *parameters: bytes) -> bytes:
    """HMAC-SHA-256 over FC || P0 || L0 || P1 || L1 ..., 32 octets (TS 33.220, B.2.2)."""
    s = bytes((fc,)) + b"".join(p + len(p).to_bytes(2) for p in parameters)
    return hmac.digest(key, s, "sha256")


def derive_kasme(ck: bytes, ik: bytes, plmn: bytes, sqn_xor_ak: bytes) -> bytes:
    """K_ASME, 32 octets, bound to the serving PLMN (3 octets) and SQN xor AK (6) (TS 33.401, A.2)."""
    return hmac.digest(ck + ik, b"\x10" + plmn + b"\x00\x03" + sqn_xor_ak + b"\x00\x06", "sha256")


def derive_kenb(kasme: bytes, uplink_nas_count: int) -> bytes:
    """K_eNB, 32 octets, of the uplink NAS COUNT that set it going (TS 33.401, A.3 and 7.2.6.2)."""
    return kdf(kasme, 0x11, uplink_nas_count.to_bytes(4))


def derive_nh(kasme: bytes, sync_input: bytes) -> bytes:
    """NH, 32 octets (TS 33.401, A.4).

    `sync_input` is the initial K_eNB for NCC 1 and the NH before it for any later one.
    """
    return kdf(kasme, 0x12, sync_input)


def derive_kenb_star(kenb_or_nh: bytes, pci: int, earfcn_dl: int) -> bytes:
    """K_eNB*, 32 octets, for the target cell (TS 33.401, A.5). An EARFCN above 65535 takes three octets."""
    width = 2 if earfcn_dl <= 0xFFFF else 3
    return kdf(kenb_or_nh, 0x13, pci.to_bytes(2), earfcn_dl.to_bytes(width))


def algorithm_key(key: bytes, kind: AlgorithmType, identity: int) -> bytes:
    """The 16-octet key of one algorithm: `key` is K_ASME for NAS, K_eNB for RRC and UP (TS 33.401, A.7)."""
    s = bytes((0x15, kind, 0, 1, identity, 0, 1))
    return hmac.digest(key, s, "sha256")[16:]


def hash_mme(message: bytes) -> bytes:
    """HASH_MME, 8 octets, of a whole unprotected Attach or TAU Request (TS 33.401, I.2).

    The generic function with a key of 256 zero bits and the message as S; its 64 least significant bits.
    """
    return hmac.digest(bytes(32), message, "sha256")[24:]
