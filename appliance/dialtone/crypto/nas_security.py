# SPDX-License-Identifier: Apache-2.0
"""Integrity and ciphering algorithms of EPS, and one phone's NAS keys (TS 33.401, Annex B; TS 24.301, 4.4).

An algorithm is a small object keyed once and used for every message: setting up AES costs more than using it.
Inputs are octet strings, as NAS messages are; COUNT has 32 bits, BEARER 5 (0 for NAS), DIRECTION 1.
"""

from collections.abc import Callable
from typing import Final, Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from dialtone.crypto.kdf import AlgorithmType, algorithm_key
from dialtone.crypto.snow3g import Eea1, Eia1
from dialtone.crypto.zuc import Eea3, Eia3
from dialtone.errors import LocalError

UPLINK: Final = 0
DOWNLINK: Final = 1


class Integrity(Protocol):
    """An EIA keyed for one phone."""

    def mac(self, count: int, bearer: int, direction: int, message: bytes) -> bytes:
        """MAC-I (NAS-MAC), 4 octets."""


class Ciphering(Protocol):
    """An EEA keyed for one phone."""

    def cipher(self, count: int, bearer: int, direction: int, data: bytes) -> bytes:
        """Ciphers or deciphers; both are the same operation. As many octets out as in."""


class Eia0:
    """Null integrity, four zero octets; only for emergency calls without a USIM (TS 33.401, 5.1.4.1)."""

    __slots__ = ()

    def __init__(self, key: bytes) -> None:
        pass

    def mac(self, count: int, bearer: int, direction: int, message: bytes) -> bytes:
        return bytes(4)


class Eia2:
    """128-EIA2: AES-CMAC over COUNT || BEARER || DIRECTION || 0^26 || message, 32 bits (TS 33.401, B.2.3)."""

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        self._keyed = CMAC(algorithms.AES(key))

    def mac(self, count: int, bearer: int, direction: int, message: bytes) -> bytes:
        cmac = self._keyed.copy()
        cmac.update(_prefix(count, bearer, direction) + message)
        return cmac.finalize()[:4]


class Eea0:
    """Null ciphering (TS 33.401, B.1.0)."""

    __slots__ = ()

    def __init__(self, key: bytes) -> None:
        pass

    def cipher(self, count: int, bearer: int, direction: int, data: bytes) -> bytes:
        return data


class Eea2:
    """128-EEA2: AES in counter mode, first block COUNT || BEARER || DIRECTION || 0^90 (TS 33.401, B.1.3).

    The counter blocks go through one kept ECB context: a new CTR context for each message costs more.
    """

    __slots__ = ("_encrypt",)

    def __init__(self, key: bytes) -> None:
        self._encrypt = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update

    def cipher(self, count: int, bearer: int, direction: int, data: bytes) -> bytes:
        size = len(data)
        blocks = (size + 15) >> 4
        counters = _COUNTERS[blocks] if blocks < len(_COUNTERS) else _counters(blocks)
        stream = self._encrypt(_prefix(count, bearer, direction).join(counters))
        return (int.from_bytes(data) ^ int.from_bytes(stream[:size])).to_bytes(size)


# The algorithms by their identity in UE network capability and NAS security algorithms (TS 24.301, 9.9.3.23).
EIA: Final[dict[int, Callable[[bytes], Integrity]]] = {0: Eia0, 1: Eia1, 2: Eia2, 3: Eia3}
EEA: Final[dict[int, Callable[[bytes], Ciphering]]] = {0: Eea0, 1: Eea1, 2: Eea2, 3: Eea3}


class NasSecurity:
    """K_NASint and K_NASenc of one K_ASME with the algorithms chosen for them (TS 33.401, A.7).

    Raises LocalError for an algorithm that we do not have.
    """

    __slots__ = ("_cipher", "_mac", "eea", "eia")

    def __init__(self, kasme: bytes, *, eia: int, eea: int) -> None:
        if eia not in EIA or eea not in EEA:
            raise LocalError(
                f"EIA{eia} with EEA{eea} is not supported",
                remedy=f"Choose of EIA {sorted(EIA)} and EEA {sorted(EEA)}.",
            )
        self.eia = eia
        self.eea = eea
        self._mac = EIA[eia](algorithm_key(kasme, AlgorithmType.NAS_INT, eia)).mac
        self._cipher = EEA[eea](algorithm_key(kasme, AlgorithmType.NAS_ENC, eea)).cipher

    def mac(self, count: int, direction: int, message: bytes) -> bytes:
        """NAS-MAC, 4 octets, over sequence number and (ciphered) message (TS 24.301, 4.4.3.3)."""
        return self._mac(count, 0, direction, message)

    def cipher(self, count: int, direction: int, data: bytes) -> bytes:
        """Ciphers or deciphers the message without its six octets of security header (TS 24.301, 4.4.5)."""
        return self._cipher(count, 0, direction, data)


def estimate_count(last: int, sequence_number: int, *, bits: int = 8) -> int:
    """The NAS COUNT of a received message from the `bits` of it that were sent (TS 24.301, 4.4.3.1, 4.4.3.2).

    It is the smallest one above `last`, the highest COUNT accepted so far (-1: none yet), so that a replayed
    message gets a COUNT under which its MAC is wrong. A Service Request carries 5 bits, everything else 8. A
    result above 0xffffff says that the 24 bits are used up (a new context was due: TS 24.301, 4.4.3.5).
    """
    span = 1 << bits
    count = (last & -span) | sequence_number if last >= 0 else sequence_number
    return count if count > last else count + span


def _prefix(count: int, bearer: int, direction: int) -> bytes:
    return ((count << 32) | (bearer << 27) | (direction << 26)).to_bytes(8)


def _counters(blocks: int) -> tuple[bytes, ...]:
    # Joined by the eight octets of COUNT, BEARER and DIRECTION these become the counter blocks.
    return (b"", *(n.to_bytes(8) for n in range(blocks)))


_COUNTERS: Final = tuple(_counters(n) for n in range(65))
