# SPDX-License-Identifier: Apache-2.0
"""Indication flags (TS 29.274, 8.12)."""

from typing import NamedTuple

# One row an octet, bit 8 first.
_ROWS = (
    "DAF DTF HI DFI OI ISRSI ISRAI SGWCI",
    "SQCI UIMSI CFSI CRSI P PT SI MSV",
    "RetLoc PBIC SRNI S6AF S4AF MBMDT ISRAU CCRSI",
    "CPRAI ARRL PPOF PPON/PPEI PPSI CSFBI CLII CPSR",
    "NSI UASI DTCI BDWI PSCI PCRI AOSI AOPI",
    "ROAAI EPCOSI CPOPCI PMTSMI S11TF PNSI UNACCSI WPMSI",
    "5GSNN26 REPREFI 5GSIWK EEVRSI LTEMUI LTEMPI ENBCRSI TSPCMI",
)
_PLACE = {name: (at, 0x80 >> bit) for at, row in enumerate(_ROWS) for bit, name in enumerate(row.split())}


class Indication(NamedTuple):
    """The flags as octets, asked by their names: `Indication.of("DAF")`, `indication.has("DAF")`."""

    octets: bytes

    @classmethod
    def of(cls, *names: str) -> "Indication":
        """The shortest Indication in which the named flags are set (at least two octets, as in Release 8)."""
        octets = bytearray(2)
        for name in names:
            at, bit = _PLACE[name]
            octets.extend(bytes(max(0, at + 1 - len(octets))))
            octets[at] |= bit
        return cls(bytes(octets))

    @classmethod
    def from_bytes(cls, octets: bytes) -> "Indication":
        if not octets:
            raise ValueError("Indication without octets")
        return cls(octets)

    def to_bytes(self) -> bytes:
        return self.octets

    def has(self, name: str) -> bool:
        """Whether the flag is set; an octet that did not come counts as zero. KeyError for no flag of this name."""
        at, bit = _PLACE[name]
        return at < len(self.octets) and bool(self.octets[at] & bit)

    @property
    def names(self) -> tuple[str, ...]:
        """The flags that are set, in the order of the specification."""
        return tuple(name for name in _PLACE if self.has(name))
