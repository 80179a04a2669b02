# SPDX-License-Identifier: Apache-2.0
"""Who a phone is in IMS: from its ISIM, or derived from the IMSI of its USIM (TS 23.003, 13.3 and 13.4B)."""

from dataclasses import dataclass, field

from dialtone.ids import Plmn
from dialtone.sim.usim import Result, Usim


@dataclass(frozen=True, slots=True)
class Isim:
    """An ISIM application (TS 31.103): EF_IMPI, EF_IMPU, EF_DOMAIN. `k` and `opc` only where it has keys of its own,
    which real cards rarely have and then by mistake; the sequence numbers are the card's in any case."""

    impi: str
    impus: tuple[str, ...]
    domain: str
    k: bytes | None = field(default=None, repr=False)
    opc: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """Private identity, the public identity to register with, and the home network's domain."""

    impi: str
    impu: str
    domain: str

    @classmethod
    def of(cls, usim: Usim, isim: Isim | None) -> "Identity":
        """An ISIM wins, right or wrong."""
        if isim is not None:
            return cls(isim.impi, isim.impus[0], isim.domain)
        domain = Plmn(usim.imsi[:3], usim.imsi[3:3 + usim.mnc_digits]).ims_domain
        impi = f"{usim.imsi}@{domain}"
        return cls(impi, f"sip:{impi}", domain)


def authenticate(usim: Usim, isim: Isim | None, rand: bytes, autn: bytes) -> Result:
    """AUTHENTICATE in IMS context (TS 31.103, 7.1.2.1): one card, one set of sequence numbers for LTE and IMS."""
    own = isim is not None and (isim.k is not None or isim.opc is not None)
    return usim.authenticate(rand, autn, functions=usim.functions(isim.k, isim.opc) if isim and own else None)
