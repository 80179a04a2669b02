# SPDX-License-Identifier: Apache-2.0
"""Information elements that several procedures share (TS 36.413, 9.2 and 9.3.4)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, NamedTuple

from dialtone.codec.s1ap.errors import S1apError, TypeOfError
from dialtone.codec.s1ap.notation import (
    BitString,
    BitStringOctets,
    Choice,
    Criticality,
    Enumerated,
    Group,
    Integer,
    Mapped,
    OctetString,
    OpenType,
    Sequence,
    SequenceOf,
)
from dialtone.codec.s1ap.table import TriggeringMessage
from dialtone.ids import Ecgi, Plmn, Tai

Uninterpreted = Annotated[bytes, OpenType()]
"""An IE we know and pass on without taking it apart: the octets of its open type."""

# -- identities -----------------------------------------------------------------------------------

MmeUeS1apId = Annotated[int, Integer(0, 4294967295)]
EnbUeS1apId = Annotated[int, Integer(0, 16777215)]
PLMNidentity = Annotated[Plmn, Mapped(OctetString(3), Plmn.from_bytes, Plmn.to_bytes)]
TAC = Annotated[int, OctetString(2, number=True)]
MMEGroupId = Annotated[int, OctetString(2, number=True)]
MMECode = Annotated[int, OctetString(1, number=True)]
MTmsi = Annotated[int, OctetString(4, number=True)]
CellIdentity = Annotated[int, BitString(28)]

TaiIe = Annotated[Tai, Group(Tai, {"plmn": PLMNidentity, "tac": TAC})]
"""TAI ::= SEQUENCE { pLMNidentity, tAC, ... }"""

EutranCgi = Annotated[Ecgi, Group(Ecgi, {"plmn": PLMNidentity, "cell_id": CellIdentity})]
"""EUTRAN-CGI ::= SEQUENCE { pLMNidentity, cell-ID, ... }"""


class STmsi(NamedTuple):
    """S-TMSI (9.2.3.6): MME code of 8 bits, M-TMSI of 32."""

    mme_code: int
    m_tmsi: int


STmsiIe = Annotated[STmsi, Group(STmsi, {"mme_code": MMECode, "m_tmsi": MTmsi})]


class Gummei(NamedTuple):
    """GUMMEI (9.2.3.9): an MME, by PLMN, group of 16 bits, code of 8."""

    plmn: Plmn
    mme_group_id: int
    mme_code: int


GummeiIe = Annotated[
    Gummei, Group(Gummei, {"plmn": PLMNidentity, "mme_group_id": MMEGroupId, "mme_code": MMECode})
]


class ENBID(NamedTuple):
    """ENB-ID: `kind` is macroENB-ID (20 bits), homeENB-ID (28), short-macroENB-ID (18), long-macroENB-ID (21)."""

    kind: str
    value: int


ENBIDIe = Annotated[
    ENBID,
    Choice(
        ENBID,
        {"macroENB-ID": BitString(20), "homeENB-ID": BitString(28)},
        {"short-macroENB-ID": BitString(18), "long-macroENB-ID": BitString(21)},
    ),
]


@dataclass(slots=True)
class GlobalENBID(Sequence):
    """Global eNB ID (9.2.1.37)."""

    plmn: PLMNidentity
    enb_id: ENBIDIe


class UES1APIDPair(NamedTuple):
    """The two ids of a UE association."""

    mme_ue_s1ap_id: int
    enb_ue_s1ap_id: int


UES1APIDs = Annotated[
    UES1APIDPair | int,
    Choice(
        None,
        {
            "uE-S1AP-ID-pair": Group(
                UES1APIDPair, {"mme_ue_s1ap_id": MmeUeS1apId, "enb_ue_s1ap_id": EnbUeS1apId}
            ),
            "mME-UE-S1AP-ID": MmeUeS1apId,
        },
        python_types=(UES1APIDPair, int),
    ),
]
"""UE-S1AP-IDs (9.2.3.18): the pair, or the MME's id alone."""


@dataclass(slots=True)
class UEassociatedLogicalS1ConnectionItem(Sequence):
    """UE-associatedLogicalS1-ConnectionItem: one UE association of a partial reset."""

    mme_ue_s1ap_id: MmeUeS1apId | None = None
    enb_ue_s1ap_id: EnbUeS1apId | None = None


# -- diagnostics ----------------------------------------------------------------------------------


@dataclass(slots=True)
class CriticalityDiagnosticsIEItem(Sequence):
    """CriticalityDiagnostics-IE-Item (9.2.1.21)."""

    ie_criticality: Annotated[int, Enumerated(Criticality, 3, extensible=False)]
    ie_id: Annotated[int, Integer(0, 65535)]
    type_of_error: Annotated[int, Enumerated(TypeOfError, 2)]


@dataclass(slots=True)
class CriticalityDiagnostics(Sequence):
    """Criticality Diagnostics (9.2.1.21): which procedure and IEs were at fault."""

    procedure_code: Annotated[int, Integer(0, 255)] | None = None
    triggering_message: Annotated[int, Enumerated(TriggeringMessage, 3, extensible=False)] | None = None
    procedure_criticality: Annotated[int, Enumerated(Criticality, 3, extensible=False)] | None = None
    ies_criticality_diagnostics: Annotated[tuple[CriticalityDiagnosticsIEItem, ...], SequenceOf(1, 256)] = ()

    @classmethod
    def of(cls, error: S1apError) -> "CriticalityDiagnostics":
        """What an error tells its sender."""
        return cls(
            error.procedure_code,
            error.triggering_message,
            error.procedure_criticality,
            tuple(CriticalityDiagnosticsIEItem(*ie) for ie in error.ies),
        )


class TimeToWait(IntEnum):
    """How long before a retry (9.2.1.61)."""

    V1S = 0
    V2S = 1
    V5S = 2
    V10S = 3
    V20S = 4
    V60S = 5


TimeToWaitIe = Annotated[int, Enumerated(TimeToWait, 6)]

# -- transport ------------------------------------------------------------------------------------

TransportLayerAddress = Annotated[bytes, BitStringOctets(1, 160)]
"""IPv4 in 4 octets, IPv6 in 16, or both in 20, IPv4 first (TS 36.414, 5.3)."""

GtpTeid = Annotated[int, OctetString(4, number=True)]
NasPdu = Annotated[bytes, OctetString()]
UERadioCapability = Annotated[bytes, OctetString()]
LHNID = Annotated[bytes, OctetString(32, 256)]


@dataclass(slots=True)
class TunnelInformation(Sequence):
    """Tunnel Information (9.2.2.3)."""

    transport_layer_address: TransportLayerAddress
    udp_port_number: Annotated[int, OctetString(2, number=True)] | None = None


# -- location -------------------------------------------------------------------------------------


@dataclass(slots=True)
class UserLocationInformation(Sequence):
    """User Location Information (9.2.1.93)."""

    eutran_cgi: EutranCgi
    tai: TaiIe


class Lai(NamedTuple):
    """LAI (9.2.3.1): a PLMN and 16 bits of LAC."""

    plmn: Plmn
    lac: int


LaiIe = Annotated[Lai, Group(Lai, {"plmn": PLMNidentity, "lac": TAC})]


# -- security and mobility ------------------------------------------------------------------------


@dataclass(slots=True)
class UESecurityCapabilities(Sequence):
    """UE Security Capabilities (9.2.1.40): bit 15 is EEA1 or EIA1, bit 14 EEA2 or EIA2, bit 13 EEA3 or EIA3."""

    encryption_algorithms: Annotated[int, BitString(16, extensible=True)]
    integrity_protection_algorithms: Annotated[int, BitString(16, extensible=True)]


@dataclass(slots=True)
class NRUESecurityCapabilities(Sequence):
    """NR UE Security Capabilities (9.2.1.127): bit 15 is NEA1 or NIA1, and so on."""

    nr_encryption_algorithms: Annotated[int, BitString(16, extensible=True)]
    nr_integrity_protection_algorithms: Annotated[int, BitString(16, extensible=True)]


SecurityKey = Annotated[bytes, BitString(256, octets=True)]
"""K_eNB, or NH: 32 octets."""


@dataclass(slots=True)
class SecurityContext(Sequence):
    """Security Context (9.2.1.26): NCC and NH."""

    next_hop_chaining_count: Annotated[int, Integer(0, 7)]
    next_hop_parameter: SecurityKey


class ForbiddenInterRATs(IntEnum):
    """Radio access technologies the UE must not be handed to."""

    ALL = 0
    GERAN = 1
    UTRAN = 2
    CDMA2000 = 3
    GERANANDUTRAN = 4
    CDMA2000ANDUTRAN = 5


@dataclass(slots=True)
class ForbiddenTAsItem(Sequence):
    """ForbiddenTAs-Item."""

    plmn_identity: PLMNidentity
    forbidden_tacs: Annotated[tuple[TAC, ...], SequenceOf(1, 4096)]


@dataclass(slots=True)
class ForbiddenLAsItem(Sequence):
    """ForbiddenLAs-Item."""

    plmn_identity: PLMNidentity
    forbidden_lacs: Annotated[tuple[TAC, ...], SequenceOf(1, 4096)]


@dataclass(slots=True)
class HandoverRestrictionList(Sequence):
    """Handover Restriction List (9.2.1.22)."""

    serving_plmn: PLMNidentity
    equivalent_plmns: Annotated[tuple[PLMNidentity, ...], SequenceOf(1, 15)] = ()
    forbidden_tas: Annotated[tuple[ForbiddenTAsItem, ...], SequenceOf(1, 16)] = ()
    forbidden_las: Annotated[tuple[ForbiddenLAsItem, ...], SequenceOf(1, 16)] = ()
    forbidden_inter_rats: Annotated[int, Enumerated(ForbiddenInterRATs, 4)] | None = None


# -- small ones -----------------------------------------------------------------------------------


class RRCEstablishmentCause(IntEnum):
    """RRC Establishment Cause (9.2.1.3a)."""

    EMERGENCY = 0
    HIGH_PRIORITY_ACCESS = 1
    MT_ACCESS = 2
    MO_SIGNALLING = 3
    MO_DATA = 4
    DELAY_TOLERANT_ACCESS = 5
    MO_VOICE_CALL = 6
    MO_EXCEPTION_DATA = 7


RRCEstablishmentCauseIe = Annotated[int, Enumerated(RRCEstablishmentCause, 5)]


class PagingDRX(IntEnum):
    """Paging DRX (9.2.1.16), in radio frames of 10 ms."""

    V32 = 0
    V64 = 1
    V128 = 2
    V256 = 3


PagingDRXIe = Annotated[int, Enumerated(PagingDRX, 4)]


class CellAccessMode(IntEnum):
    """Cell Access Mode (9.2.1.74)."""

    HYBRID = 0


CellAccessModeIe = Annotated[int, Enumerated(CellAccessMode, 1)]


class CSGMembershipStatus(IntEnum):
    """CSG Membership Status (9.2.1.73)."""

    MEMBER = 0
    NOT_MEMBER = 1


CSGMembershipStatusIe = Annotated[int, Enumerated(CSGMembershipStatus, 2, extensible=False)]


class GUMMEIType(IntEnum):
    """GUMMEI Type: where the GUMMEI came from."""

    NATIVE = 0
    MAPPED = 1
    MAPPED_FROM_5G = 2


GUMMEITypeIe = Annotated[int, Enumerated(GUMMEIType, 2)]


class TrueOnly(IntEnum):
    """ENUMERATED { true, ... } and its like: the presence of the IE is the message."""

    TRUE = 0


Flag = Annotated[int, Enumerated(TrueOnly, 1)]
"""An IE with one value, such as RelayNode-Indicator, GWContextReleaseIndication or SRVCCOperationPossible."""

CSGId = Annotated[int, BitString(27)]
MaskedImeisv = Annotated[int, BitString(64)]
"""IMEISV without the digits that tell one phone of a type from the next (9.2.3.38)."""

SubscriberProfileIDforRFP = Annotated[int, Integer(1, 256)]
