# SPDX-License-Identifier: Apache-2.0
"""Who a phone is in IMS: from its ISIM, or derived from the IMSI of its USIM (TS 23.003, 13.3 and 13.4B)."""

from dataclasses import dataclass, field, replace

from dialtone.crypto.aka import make_auts
from dialtone.ids import Plmn
from dialtone.sim.faults import Faults
from dialtone.sim.usim import Result, SyncFailure, Usim


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
    def of(cls, usim: Usim, isim: Isim | None, faults: Faults = Faults()) -> "Identity":
        """An ISIM wins, right or wrong."""
        if faults.wrong_impi:
            right = cls.of(usim, isim)
            return replace(right, impi=f"nobody@{right.domain}")
        if faults.two_digit_mnc:
            right = cls.of(usim, isim)
            return replace(right, domain=right.domain.replace("mnc0", "mnc"))
        if isim is not None:
            return cls(isim.impi, isim.impus[0], isim.domain)
        domain = Plmn(usim.imsi[:3], usim.imsi[3:3 + usim.mnc_digits]).ims_domain
        impi = f"{usim.imsi}@{domain}"
        return cls(impi, f"sip:{impi}", domain)


def authenticate(usim: Usim, isim: Isim | None, faults: Faults, rand: bytes, autn: bytes) -> Result:
    """AUTHENTICATE in IMS context (TS 31.103, 7.1.2.1): one card, one set of sequence numbers for LTE and IMS."""
    if faults.wrong_isim_key:
        return usim.authenticate(rand, autn, functions=usim.functions(k=bytes(octet ^ 0xFF for octet in usim.k)))
    if faults.wrong_isim_auts:
        auts = make_auts(usim.functions(), rand=rand, sqn_ms=usim.sqn_ms)
        return SyncFailure(auts[:-1] + bytes((auts[-1] ^ 0xFF,)), "every SQN is stale for this card")
    own = isim is not None and (isim.k is not None or isim.opc is not None)
    return usim.authenticate(rand, autn, functions=usim.functions(isim.k, isim.opc) if isim and own else None)
