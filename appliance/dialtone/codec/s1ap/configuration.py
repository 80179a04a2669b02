# SPDX-License-Identifier: Apache-2.0
"""Configuration updates, overload (TS 36.413, 8.7.4 to 8.7.8), and what passes through the MME (8.13 to 8.16)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from dialtone.codec.s1ap.causes import CauseIe
from dialtone.codec.s1ap.management import CSGIdList, Name, RelativeMMECapacity, ServedGUMMEIs, SupportedTAs
from dialtone.codec.s1ap.notation import Choice, Enumerated, SequenceOf, ignore, reject
from dialtone.codec.s1ap.table import M, O, S1apMessage, initiating, successful, unsuccessful
from dialtone.codec.s1ap.values import (
    CriticalityDiagnostics,
    GummeiIe,
    PagingDRXIe,
    TimeToWaitIe,
    Uninterpreted,
)


@initiating(29, reject, "9.1.8.7")
@dataclass(slots=True, kw_only=True)
class ENBConfigurationUpdate(S1apMessage):
    """What has changed at the eNB."""

    enb_name: Annotated[Name | None, O(60, ignore)] = None
    supported_tas: Annotated[SupportedTAs, O(64, reject)] = ()
    csg_id_list: Annotated[CSGIdList, O(128, reject)] = ()
    default_paging_drx: Annotated[PagingDRXIe | None, O(137, ignore)] = None
    nb_iot_default_paging_drx: Annotated[Uninterpreted | None, O(234, ignore)] = None
    connected_en_gnb_to_add_list: Annotated[Uninterpreted | None, O(292, ignore)] = None
    connected_en_gnb_to_remove_list: Annotated[Uninterpreted | None, O(293, ignore)] = None


@successful(29, reject, "9.1.8.8")
@dataclass(slots=True, kw_only=True)
class ENBConfigurationUpdateAcknowledge(S1apMessage):
    """The MME has taken note."""

    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None


@unsuccessful(29, reject, "9.1.8.9")
@dataclass(slots=True, kw_only=True)
class ENBConfigurationUpdateFailure(S1apMessage):
    """The MME does not accept the change."""

    cause: Annotated[CauseIe | None, M(2, ignore)]
    time_to_wait: Annotated[TimeToWaitIe | None, O(65, ignore)] = None
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None


@initiating(30, reject, "9.1.8.10")
@dataclass(slots=True, kw_only=True)
class MMEConfigurationUpdate(S1apMessage):
    """What has changed at the MME."""

    mme_name: Annotated[Name | None, O(61, ignore)] = None
    served_gummeis: Annotated[ServedGUMMEIs, O(105, reject)] = ()
    relative_mme_capacity: Annotated[RelativeMMECapacity | None, O(87, reject)] = None
    served_dcns: Annotated[Uninterpreted | None, O(247, ignore)] = None


@successful(30, reject, "9.1.8.11")
@dataclass(slots=True, kw_only=True)
class MMEConfigurationUpdateAcknowledge(S1apMessage):
    """The eNB has taken note."""

    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None


@unsuccessful(30, reject, "9.1.8.12")
@dataclass(slots=True, kw_only=True)
class MMEConfigurationUpdateFailure(S1apMessage):
    """The eNB does not accept the change."""

    cause: Annotated[CauseIe | None, M(2, ignore)]
    time_to_wait: Annotated[TimeToWaitIe | None, O(65, ignore)] = None
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None


class OverloadAction(IntEnum):
    """Overload Action (9.2.3.20): what the eNB is to keep away."""

    REJECT_NON_EMERGENCY_MO_DT = 0
    REJECT_RRC_CR_SIGNALLING = 1
    PERMIT_EMERGENCY_SESSIONS_AND_MOBILE_TERMINATED_SERVICES_ONLY = 2
    PERMIT_HIGH_PRIORITY_SESSIONS_AND_MOBILE_TERMINATED_SERVICES_ONLY = 3
    REJECT_DELAY_TOLERANT_ACCESS = 4
    PERMIT_HIGH_PRIORITY_SESSIONS_AND_EXCEPTION_REPORTING_AND_MOBILE_TERMINATED_SERVICES_ONLY = 5
    NOT_ACCEPT_MO_DATA_OR_DELAY_TOLERANT_ACCESS_FROM_CP_CIOT = 6


OverloadResponse = Annotated[
    int, Choice(None, {"overloadAction": Enumerated(OverloadAction, 3)}, python_types=(int,))
]
GUMMEIList = Annotated[tuple[GummeiIe, ...], SequenceOf(1, 256)]


@initiating(34, ignore, "9.1.8.13")
@dataclass(slots=True, kw_only=True)
class OverloadStart(S1apMessage):
    """The MME asks for less."""

    overload_response: Annotated[OverloadResponse, M(101, reject)]
    gummei_list: Annotated[GUMMEIList, O(154, ignore)] = ()
    traffic_load_reduction_indication: Annotated[Uninterpreted | None, O(161, ignore)] = None


@initiating(35, reject, "9.1.8.14")
@dataclass(slots=True, kw_only=True)
class OverloadStop(S1apMessage):
    """The overload is over."""

    gummei_list: Annotated[GUMMEIList, O(154, ignore)] = ()


@initiating(40, ignore, "9.1.16")
@dataclass(slots=True, kw_only=True)
class ENBConfigurationTransfer(S1apMessage):
    """Self-organisation information for another eNB."""

    son_configuration_transfer: Annotated[Uninterpreted | None, O(129, ignore)] = None
    en_dc_son_configuration_transfer: Annotated[Uninterpreted | None, O(294, ignore)] = None
    intersystem_son_configuration_transfer: Annotated[Uninterpreted | None, O(310, ignore)] = None


@initiating(41, ignore, "9.1.17")
@dataclass(slots=True, kw_only=True)
class MMEConfigurationTransfer(S1apMessage):
    """Self-organisation information from another eNB."""

    son_configuration_transfer: Annotated[Uninterpreted | None, O(130, ignore)] = None
    en_dc_son_configuration_transfer: Annotated[Uninterpreted | None, O(295, ignore)] = None
    intersystem_son_configuration_transfer: Annotated[Uninterpreted | None, O(309, ignore)] = None


@initiating(37, ignore, "9.1.14")
@dataclass(slots=True, kw_only=True)
class ENBDirectInformationTransfer(S1apMessage):
    """Information for a cell of another radio technology (RIM, TS 48.018)."""

    inter_system_information_transfer_type: Annotated[Uninterpreted, M(121, reject)]


@initiating(38, ignore, "9.1.15")
@dataclass(slots=True, kw_only=True)
class MMEDirectInformationTransfer(S1apMessage):
    """Information from a cell of another radio technology (RIM, TS 48.018)."""

    inter_system_information_transfer_type: Annotated[Uninterpreted, M(122, reject)]
