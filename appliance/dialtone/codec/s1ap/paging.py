# SPDX-License-Identifier: Apache-2.0
"""Paging (TS 36.413, 8.5)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from dialtone.codec.s1ap.management import CSGIdList
from dialtone.codec.s1ap.notation import (
    BitString,
    Choice,
    Enumerated,
    IeList,
    OctetString,
    Sequence,
    ignore,
)
from dialtone.codec.s1ap.table import M, O, S1apMessage, initiating
from dialtone.codec.s1ap.values import PagingDRXIe, STmsi, STmsiIe, TaiIe, UERadioCapability, Uninterpreted

UEIdentityIndexValue = Annotated[int, BitString(10)]
"""IMSI mod 1024 (9.2.3.10)."""

UEPagingID = Annotated[
    STmsi | bytes,
    Choice(None, {"s-TMSI": STmsiIe, "iMSI": OctetString(3, 8)}, python_types=(STmsi, bytes)),
]
"""UE Paging Identity (9.2.3.13): an STmsi, or the octets of the IMSI as TBCD."""


class CNDomain(IntEnum):
    """CN Domain (9.2.3.22)."""

    PS = 0
    CS = 1


class PagingPriority(IntEnum):
    """Paging Priority (9.2.1.78): 1 is the highest."""

    PRIOLEVEL1 = 0
    PRIOLEVEL2 = 1
    PRIOLEVEL3 = 2
    PRIOLEVEL4 = 3
    PRIOLEVEL5 = 4
    PRIOLEVEL6 = 5
    PRIOLEVEL7 = 6
    PRIOLEVEL8 = 7


@dataclass(slots=True)
class TAIItem(Sequence):
    """TAIItem."""

    tai: TaiIe


@initiating(10, ignore, "9.1.6")
@dataclass(slots=True, kw_only=True)
class Paging(S1apMessage):
    """Call a UE that is idle. All mandatory IEs are of criticality ignore: None where absent."""

    ue_identity_index_value: Annotated[UEIdentityIndexValue | None, M(80, ignore)]
    ue_paging_id: Annotated[UEPagingID | None, M(43, ignore)]
    paging_drx: Annotated[PagingDRXIe | None, O(44, ignore)] = None
    cn_domain: Annotated[
        Annotated[int, Enumerated(CNDomain, 2, extensible=False)] | None, M(109, ignore)
    ]
    tai_list: Annotated[Annotated[tuple[TAIItem, ...], IeList(47, ignore)], M(46, ignore)]
    csg_id_list: Annotated[CSGIdList, O(128, ignore)] = ()
    paging_priority: Annotated[Annotated[int, Enumerated(PagingPriority, 8)] | None, O(151, ignore)] = None
    ue_radio_capability_for_paging: Annotated[UERadioCapability | None, O(198, ignore)] = None
    assistance_data_for_paging: Annotated[Uninterpreted | None, O(211, ignore)] = None
    paging_edrx_information: Annotated[Uninterpreted | None, O(227, ignore)] = None
    extended_ue_identity_index_value: Annotated[Uninterpreted | None, O(231, ignore)] = None
    nb_iot_paging_edrx_information: Annotated[Uninterpreted | None, O(239, ignore)] = None
    nb_iot_ue_identity_index_value: Annotated[Uninterpreted | None, O(244, ignore)] = None
    enhanced_coverage_restricted: Annotated[Uninterpreted | None, O(251, ignore)] = None
    ce_mode_b_restricted: Annotated[Uninterpreted | None, O(271, ignore)] = None
    data_size: Annotated[Uninterpreted | None, O(304, ignore)] = None
    wus_assistance_information: Annotated[Uninterpreted | None, O(323, ignore)] = None
    nb_iot_paging_drx: Annotated[Uninterpreted | None, O(324, ignore)] = None
    paging_cause: Annotated[Uninterpreted | None, O(331, ignore)] = None
