# SPDX-License-Identifier: Apache-2.0
"""Elements that are sets of bits. Each is its octets, exactly as received, with named views of them.

An MME must replay capabilities unchanged (TS 24.301, 5.4.3.2), bits it does not know included. So these
classes are `bytes`, and nothing is lost between decoding and encoding.
"""

from collections.abc import Iterable


class Octets(bytes):
    """An element that keeps its octets; the first octet of the value part has index 0."""

    __slots__ = ()

    def bit(self, index: int, bit: int) -> bool:
        """Bit 8 (most significant) to 1 of an octet; octets that are not there read as 0."""
        return len(self) > index and bool(self[index] >> bit - 1 & 1)

    def octet(self, index: int) -> int:
        """An octet; 0 if it is not there."""
        return self[index] if len(self) > index else 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.hex()!r})"

    @classmethod
    def from_hex(cls, text: str) -> "Octets":
        """From hexadecimal digits."""
        return cls(bytes.fromhex(text))


def _algorithms(octet: int) -> frozenset[int]:
    """Bit 8 is algorithm 0, bit 1 algorithm 7."""
    return frozenset(number for number in range(8) if octet >> 7 - number & 1)


class UENetworkCapability(Octets):
    """UE network capability (TS 24.301, 9.9.3.34): EEA, EIA, UEA, UIA, then features."""

    __slots__ = ()

    @property
    def eea(self) -> frozenset[int]:
        """Numbers of the EPS ciphering algorithms, 0 to 7."""
        return _algorithms(self.octet(0))

    @property
    def eia(self) -> frozenset[int]:
        """Numbers of the EPS integrity algorithms, 0 to 7."""
        return _algorithms(self.octet(1))

    @property
    def srvcc_to_1x(self) -> bool:
        """SRVCC to CDMA2000 1xCS."""
        return self.bit(4, 2)

    @property
    def epco(self) -> bool:
        """Extended protocol configuration options."""
        return self.bit(5, 8)

    @property
    def n1_mode(self) -> bool:
        """N1 mode: a 5G standalone phone."""
        return self.bit(6, 6)

    @property
    def dcnr(self) -> bool:
        """Dual connectivity with NR: such a phone sends the UE additional security capability."""
        return self.bit(6, 5)


class MSNetworkCapability(Octets):
    """MS network capability (TS 24.008, 10.5.5.12)."""

    __slots__ = ()

    @property
    def gea(self) -> int:
        """GEA1 (bit 7) to GEA7 (bit 1), as octet 7 of the UE security capability has them."""
        return self.octet(0) >> 7 << 6 | self.octet(1) >> 1 & 0x3F


class UESecurityCapability(Octets):
    """UE security capability (TS 24.301, 9.9.3.36): EEA, EIA, and UEA, UIA, GEA where supported."""

    __slots__ = ()

    @property
    def eea(self) -> frozenset[int]:
        """Numbers of the EPS ciphering algorithms, 0 to 7."""
        return _algorithms(self.octet(0))

    @property
    def eia(self) -> frozenset[int]:
        """Numbers of the EPS integrity algorithms, 0 to 7."""
        return _algorithms(self.octet(1))


def security_capability_of(
    ue_network_capability: bytes, ms_network_capability: bytes | None = None
) -> UESecurityCapability:
    """What an MME replays in Security mode command (TS 24.301, 5.4.3.2).

    By 9.9.3.36 the octets of UTRAN are there when the UE named an algorithm of UTRAN or of GERAN, that of
    GERAN only when it named one of GERAN; bit 8 of the octet of UIA, UCS2 in the UE network capability, is
    spare here.
    """
    ue = UENetworkCapability(ue_network_capability)
    uea, uia = ue.octet(2), ue.octet(3) & 0x7F
    gea = MSNetworkCapability(ms_network_capability or b"").gea
    octets = [ue.octet(0), ue.octet(1)]
    if uea or uia or gea:
        octets += [uea, uia]
    if gea:
        octets.append(gea)
    return UESecurityCapability(octets)


class UEAdditionalSecurityCapability(Octets):
    """UE additional security capability (TS 24.301, 9.9.3.53): two octets of 5G-EA, two of 5G-IA."""

    __slots__ = ()


class EPSNetworkFeatureSupport(Octets):
    """EPS network feature support (TS 24.301, 9.9.3.12A)."""

    __slots__ = ()

    @property
    def ims_vops(self) -> bool:
        """IMS voice over PS session in S1 mode: without it a phone does not register for VoLTE."""
        return self.bit(0, 1)

    @property
    def emc_bs(self) -> bool:
        """Emergency bearer services in S1 mode."""
        return self.bit(0, 2)

    @property
    def epco(self) -> bool:
        """Extended protocol configuration options."""
        return self.bit(1, 4)

    @property
    def restrict_dcnr(self) -> bool:
        """Use of dual connectivity with NR is restricted."""
        return self.bit(1, 8)

    @classmethod
    def of(
        cls, *, ims_vops: bool = False, emc_bs: bool = False, epco: bool = False, restrict_dcnr: bool = False
    ) -> "EPSNetworkFeatureSupport":
        """With these bits; two octets, as every phone since Release 13 reads them."""
        return cls((ims_vops | emc_bs << 1, epco << 3 | restrict_dcnr << 7))


class UEStatus(Octets):
    """UE status (TS 24.301, 9.9.3.54)."""

    __slots__ = ()

    @property
    def registered_in_s1_mode(self) -> bool:
        """In EMM-REGISTERED state."""
        return self.bit(0, 1)

    @property
    def registered_in_n1_mode(self) -> bool:
        """In 5GMM-REGISTERED state: the phone comes from a 5G core."""
        return self.bit(0, 2)


class EPSBearerContextStatus(Octets):
    """EPS bearer context status (TS 24.301, 9.9.2.1): a bit for each EPS bearer identity."""

    __slots__ = ()

    @property
    def active(self) -> frozenset[int]:
        """EPS bearer identities that are not in state BEARER CONTEXT-INACTIVE, 0 to 15."""
        bits = self.octet(0) | self.octet(1) << 8
        return frozenset(ebi for ebi in range(16) if bits >> ebi & 1)

    @classmethod
    def of(cls, active: Iterable[int]) -> "EPSBearerContextStatus":
        """With these EPS bearer identities."""
        return cls(sum(1 << ebi for ebi in set(active)).to_bytes(2, "little"))
