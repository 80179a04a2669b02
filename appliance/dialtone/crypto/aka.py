# SPDX-License-Identifier: Apache-2.0
"""EPS and IMS AKA: authentication vectors and resynchronisation (TS 33.401, 6.1; TS 33.102, 6.3)."""

import hmac
from dataclasses import dataclass, field
from typing import Protocol

from dialtone.crypto.kdf import derive_kasme
from dialtone.crypto.milenage import Milenage, Quintet
from dialtone.crypto.tuak import Tuak
from dialtone.errors import ProtocolError

_AUTS_AMF = b"\x00\x00"  # TS 33.102, 6.3.3: MAC-S is computed with a dummy AMF of zeros


class AuthenticationFunctions(Protocol):
    """f1 ... f5* keyed for one subscriber: Milenage or TUAK."""

    def f12345(self, rand: bytes, sqn: bytes, amf: bytes) -> Quintet: ...

    def f1(self, rand: bytes, sqn: bytes, amf: bytes) -> bytes: ...

    def f2345(self, rand: bytes) -> tuple[bytes, bytes, bytes, bytes]: ...

    def f1_star(self, rand: bytes, sqn: bytes, amf: bytes) -> bytes: ...

    def f5_star(self, rand: bytes) -> bytes: ...


ALGORITHMS = ("milenage", "tuak")


def keyed(algorithm: str, k: bytes, opc: bytes, *, res: int = 8, iterations: int = 1) -> AuthenticationFunctions:
    """The functions of Milenage with K and OPc, or of TUAK with K and TOPc, a RES of `res` octets and so many
    iterations of Keccak. Raises LocalError for keys of other lengths."""
    if algorithm == "tuak":
        return Tuak(k, opc, iterations=iterations, res=res)
    return Milenage(k, opc)


@dataclass(frozen=True, slots=True)
class EutranVector:
    """An EPS authentication vector. Octets: RAND 16, XRES 4 to 16, AUTN 16, K_ASME 32 (TS 33.401, 6.1.2)."""

    rand: bytes
    xres: bytes
    autn: bytes
    kasme: bytes = field(repr=False)


def eutran_vector(
    functions: AuthenticationFunctions, *, sqn: int, amf: bytes, rand: bytes, plmn: bytes
) -> EutranVector:
    """One vector for the serving network `plmn` (3 octets), with an SQN (48 bits) that was never used before.

    The AMF separation bit is set whatever `amf` (2 octets) says: a phone refuses an EPS challenge without it
    with EMM cause #26 (TS 33.401, 6.1.1; TS 33.102, Annex H).
    """
    amf = bytes((amf[0] | 0x80, amf[1]))
    mac_a, res, ck, ik, ak = functions.f12345(rand, sqn.to_bytes(6), amf)
    concealed = (sqn ^ int.from_bytes(ak)).to_bytes(6)
    return EutranVector(rand, res, concealed + amf + mac_a, derive_kasme(ck, ik, plmn, concealed))


@dataclass(frozen=True, slots=True)
class ImsVector:
    """An authentication vector of IMS AKA. Octets: RAND 16, XRES 4 to 16, AUTN 16, CK and IK 16 (TS 33.203, 6.1)."""

    rand: bytes
    xres: bytes
    autn: bytes
    ck: bytes = field(repr=False)
    ik: bytes = field(repr=False)


def ims_vector(functions: AuthenticationFunctions, *, sqn: int, amf: bytes, rand: bytes) -> ImsVector:
    """One vector with an SQN (48 bits) that was never used before, and the AMF as provisioned: the separation bit
    means nothing to the phone here (TS 33.102, Annex H)."""
    mac_a, xres, ck, ik, ak = functions.f12345(rand, sqn.to_bytes(6), amf)
    return ImsVector(rand, xres, (sqn ^ int.from_bytes(ak)).to_bytes(6) + amf + mac_a, ck, ik)


def make_auts(functions: AuthenticationFunctions, *, rand: bytes, sqn_ms: int) -> bytes:
    """AUTS, 14 octets, (SQN_MS xor AK*) || MAC-S: the answer to an SQN out of range (TS 33.102, 6.3.3)."""
    concealed = (sqn_ms ^ int.from_bytes(functions.f5_star(rand))).to_bytes(6)
    return concealed + functions.f1_star(rand, sqn_ms.to_bytes(6), _AUTS_AMF)


def verify_auts(functions: AuthenticationFunctions, *, rand: bytes, auts: bytes) -> int:
    """SQN_MS (48 bits) of an AUTS that answers `rand`, once its MAC-S is checked (TS 33.102, 6.3.5).

    Raises ProtocolError when AUTS has not 14 octets or MAC-S is wrong; the SQN must not be moved then.
    """
    if len(auts) != 14 or len(rand) != 16:
        text = "a resynchronisation has a RAND of 16 octets and an AUTS of 14"
        raise ProtocolError(text, clause="TS 33.102, 6.3.3")
    sqn_ms = int.from_bytes(auts[:6]) ^ int.from_bytes(functions.f5_star(rand))
    if not hmac.compare_digest(functions.f1_star(rand, sqn_ms.to_bytes(6), _AUTS_AMF), auts[6:]):
        text = "MAC-S of the AUTS is wrong: K or OPc differ from the card's"
        raise ProtocolError(text, clause="TS 33.102, 6.3.5")
    return sqn_ms
