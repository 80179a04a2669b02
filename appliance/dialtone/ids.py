# SPDX-License-Identifier: Apache-2.0
"""Identities that several protocols share (TS 23.003)."""

from typing import NamedTuple

from dialtone.errors import ProtocolError

NAMELESS = "imei-"


def nameless(imei: str) -> str:
    """What a phone without a proven IMSI is called: by its IMEI or IMEISV, of which the first 14 digits say who it is
    (TS 23.003, 6.2)."""
    return NAMELESS + imei[:14]


class Plmn(NamedTuple):
    """A PLMN identity: three digits of MCC, two or three of MNC (TS 23.003, 12.1)."""

    mcc: str
    mnc: str

    def __str__(self) -> str:
        return f"{self.mcc}/{self.mnc}"

    @property
    def domain(self) -> str:
        """`mnc001.mcc001.3gppnetwork.org`, the MNC filled up to three digits (TS 23.003, 13.2)."""
        return f"mnc{self.mnc:0>3}.mcc{self.mcc}.3gppnetwork.org"

    @property
    def ims_domain(self) -> str:
        """The home network domain of IMS (TS 23.003, 13.2)."""
        return f"ims.{self.domain}"

    @property
    def epc_realm(self) -> str:
        """The realm of the EPC's elements (TS 23.003, 19.2)."""
        return f"epc.{self.domain}"

    @classmethod
    def from_text(cls, text: str) -> "Plmn":
        """`001/01`, `00101` or `001010` (three-digit MNC)."""
        digits = text.replace("/", "").replace("-", "")
        if not digits.isascii() or not digits.isdigit() or len(digits) not in (5, 6):
            raise ProtocolError(f"{text!r} is no PLMN: three digits of MCC and two or three of MNC")
        return cls(digits[:3], digits[3:])

    @classmethod
    def from_bytes(cls, octets: bytes) -> "Plmn":
        """Three octets of swapped half-octets, filler 1111 for two-digit MNC (TS 24.301, 9.9.3.32)."""
        known = _PLMN_OF.get(octets)
        if known is not None:
            return known
        if len(octets) != 3:
            raise ProtocolError(f"a PLMN has 3 octets, not {len(octets)}", clause="TS 24.301, 9.9.3.32")
        a, b, c = octets
        digits = (a & 15, a >> 4, b & 15, c & 15, c >> 4)
        mnc3 = b >> 4
        if max(digits) > 9 or (mnc3 > 9 and mnc3 != 15):
            raise ProtocolError(f"PLMN {octets.hex()} has a digit above 9", clause="TS 24.301, 9.9.3.32")
        text = "".join(map(str, digits))
        plmn = cls(text[:3], text[3:] + (str(mnc3) if mnc3 != 15 else ""))
        if len(_PLMN_OF) < 1024:  # a stranger's broadcast must not grow the memo for ever
            _PLMN_OF[octets] = plmn
        return plmn

    def to_bytes(self) -> bytes:
        """The three octets of `from_bytes`."""
        known = _OCTETS_OF.get(self)
        if known is not None:
            return known
        mcc, mnc = self
        if len(mcc) != 3 or len(mnc) not in (2, 3) or not (mcc + mnc).isdigit():
            raise ProtocolError(f"{self} is no PLMN: three digits of MCC and two or three of MNC")
        third = mnc[2] if len(mnc) == 3 else "f"
        octets = bytes.fromhex(mcc[1] + mcc[0] + third + mcc[2] + mnc[1] + mnc[0])
        if len(_OCTETS_OF) < 1024:
            _OCTETS_OF[self] = octets
        return octets


_PLMN_OF: dict[bytes, Plmn] = {}
_OCTETS_OF: dict[Plmn, bytes] = {}


class Tai(NamedTuple):
    """Tracking area identity: a PLMN and 16 bits of TAC (TS 23.003, 19.4.2.3)."""

    plmn: Plmn
    tac: int

    def __str__(self) -> str:
        return f"{self.plmn} TAC {self.tac}"

    def to_bytes(self) -> bytes:
        """Five octets (TS 29.274, 8.21.4)."""
        return self.plmn.to_bytes() + self.tac.to_bytes(2, "big")


class Ecgi(NamedTuple):
    """E-UTRAN cell global identity: a PLMN and 28 bits of cell identity (TS 23.003, 19.6)."""

    plmn: Plmn
    cell_id: int

    def to_bytes(self) -> bytes:
        """Seven octets (TS 29.274, 8.21.5)."""
        return self.plmn.to_bytes() + self.cell_id.to_bytes(4, "big")


class Guti(NamedTuple):
    """Globally unique temporary identity (TS 23.003, 2.8): group 16 bits, code 8, M-TMSI 32."""

    plmn: Plmn
    mme_group_id: int
    mme_code: int
    m_tmsi: int

    def __str__(self) -> str:
        return f"{self.plmn}-{self.mme_group_id:04x}-{self.mme_code:02x}-{self.m_tmsi:08x}"
