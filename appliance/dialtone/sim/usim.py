# SPDX-License-Identifier: Apache-2.0
"""A software USIM: keys, the array of sequence numbers, AUTHENTICATE (TS 33.102, 6.3.3 and Annex C).

State lives in memory; with a `path` the sequence numbers are kept in a small JSON file as well, so
that a phone which is started again still refuses a challenge it has seen.
"""

import hmac
import json
from dataclasses import dataclass, field
from pathlib import Path

from dialtone.crypto import aka
from dialtone.crypto.aka import AuthenticationFunctions, keyed
from dialtone.crypto.milenage import derive_opc
from dialtone.crypto.sqn import DELTA, IND_BITS, ind_of, make_sqn, seq_of
from dialtone.errors import LocalError, ProtocolError


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The network is genuine. Octets: RES 4 to 16, CK 16, IK 16, SQN xor AK 6 (for K_ASME)."""

    res: bytes
    ck: bytes = field(repr=False)
    ik: bytes = field(repr=False)
    sqn_xor_ak: bytes


@dataclass(frozen=True, slots=True)
class MacFailure:
    """MAC in AUTN is not XMAC: another K or OPc, or a changed challenge."""


@dataclass(frozen=True, slots=True)
class SyncFailure:
    """SQN is not in range; `auts` (14 octets) tells the network ours, `why` is for people."""

    auts: bytes
    why: str


Result = Authenticated | MacFailure | SyncFailure


@dataclass(slots=True)
class Usim:
    """One card. `k` and `opc` have 16 octets; with `algorithm` "tuak" K has 16 or 32 and TOPc 32, and RES `res`.

    `seq_ms[i]` is the highest SEQ accepted with IND i (TS 33.102, C.1.1.1); `delta` bounds how far SEQ may
    jump ahead of the highest of them, `age_limit` (L), optional as there, how far behind it may be (C.2.1).
    """

    imsi: str
    k: bytes = field(repr=False)
    opc: bytes = field(repr=False)
    mnc_digits: int = 2
    algorithm: str = "milenage"
    res: int = 8
    iterations: int = 1
    delta: int = DELTA
    age_limit: int | None = None
    path: Path | None = None
    seq_ms: list[int] = field(default_factory=lambda: [0] * (1 << IND_BITS))

    def __post_init__(self) -> None:
        if not (self.imsi.isascii() and self.imsi.isdigit() and 6 <= len(self.imsi) <= 15):
            raise LocalError(f"{self.imsi!r} is no IMSI.", remedy="An IMSI has 6 to 15 digits.")
        self.functions()  # says now which key has the wrong length
        if self.path is not None and self.path.exists():
            self.seq_ms = [int(seq) for seq in json.loads(self.path.read_text())["seq_ms"]]

    @classmethod
    def with_op(cls, imsi: str, k: bytes, op: bytes) -> "Usim":
        """A card that was written from an OP; a real one holds OPc as well."""
        return cls(imsi, k, derive_opc(k, op))

    def functions(self, k: bytes | None = None, opc: bytes | None = None) -> AuthenticationFunctions:
        """f1 to f5* with the card's keys, or with others in their place (a fault)."""
        return keyed(self.algorithm, k or self.k, opc or self.opc, res=self.res, iterations=self.iterations)

    @property
    def sqn_ms(self) -> int:
        """The highest SQN accepted so far, 48 bits (TS 33.102, C.2.2)."""
        seq = max(self.seq_ms)
        return make_sqn(seq, self.seq_ms.index(seq))

    def authenticate(self, rand: bytes, autn: bytes, *, functions: AuthenticationFunctions | None = None) -> Result:
        """AUTHENTICATE in EPS context (TS 31.102, 7.1.2.1): MAC first, then the range of SQN.

        RAND has 16 octets, AUTN = SQN xor AK (6) || AMF (2) || MAC (8). `functions` replaces the card's own
        keys (a fault). Raises ProtocolError for another length.
        """
        if len(rand) != 16 or len(autn) != 16:
            raise ProtocolError("RAND and AUTN have 16 octets each", clause="TS 33.102, 6.3.2")
        f = functions or self.functions()
        concealed, amf, mac = autn[:6], autn[6:8], autn[8:]
        res, ck, ik, ak = f.f2345(rand)
        sqn = int.from_bytes(concealed) ^ int.from_bytes(ak)
        if not hmac.compare_digest(f.f1(rand, sqn.to_bytes(6), amf), mac):
            return MacFailure()
        why = self._out_of_range(sqn)
        if why:
            return SyncFailure(aka.make_auts(f, rand=rand, sqn_ms=self.sqn_ms), why)
        self.seq_ms[ind_of(sqn)] = seq_of(sqn)
        self._keep()
        return Authenticated(res, ck, ik, concealed)

    def _out_of_range(self, sqn: int) -> str:
        """Why SQN is not acceptable, empty when it is (TS 33.102, C.2.1 and C.2.2)."""
        seq, ind, highest = seq_of(sqn), ind_of(sqn), max(self.seq_ms)
        if seq > highest + self.delta:
            return f"SEQ {seq} is further than {self.delta} above the highest seen, {highest}"
        if self.age_limit is not None and seq < highest - self.age_limit:
            return f"SEQ {seq} is further than {self.age_limit} below the highest seen, {highest}"
        if seq <= self.seq_ms[ind]:
            return f"SEQ {seq} was used already: the highest seen with IND {ind} is {self.seq_ms[ind]}"
        return ""

    def _keep(self) -> None:
        if self.path is not None:
            fresh = self.path.with_suffix(".new")
            fresh.write_text(json.dumps({"imsi": self.imsi, "seq_ms": self.seq_ms}))
            fresh.replace(self.path)
