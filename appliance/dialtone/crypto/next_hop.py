# SPDX-License-Identifier: Apache-2.0
"""The chain of NH parameters that keeps handed-over keys apart (TS 33.401, 7.2.8): MME and phone walk it alike."""

from dataclasses import dataclass, field

from dialtone.crypto.kdf import derive_nh


@dataclass(frozen=True, slots=True)
class NextHop:
    """NH (32 octets) and its chaining counter NCC (three bits), under the K_ASME that it grows from."""

    kasme: bytes = field(repr=False)
    nh: bytes = field(repr=False)
    ncc: int

    @classmethod
    def first(cls, kasme: bytes, k_enb: bytes) -> "NextHop":
        """The one that belongs to an initial context setup: NCC 1. K_eNB itself has NCC 0 (7.2.8.1.1)."""
        return cls(kasme, derive_nh(kasme, k_enb), 1)

    def following(self) -> "NextHop":
        """The next one: each handover that the MME takes part in makes one step."""
        return NextHop(self.kasme, derive_nh(self.kasme, self.nh), self.ncc + 1 & 7)
