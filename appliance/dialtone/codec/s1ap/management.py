# SPDX-License-Identifier: Apache-2.0
"""Management procedures (TS 36.413, 8.7): S1 Setup, Reset, Error Indication."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from dialtone.codec.s1ap.causes import CauseIe
from dialtone.codec.s1ap.notation import (
    Choice,
    Enumerated,
    IeList,
    Integer,
    PrintableString,
    Sequence,
    SequenceOf,
    ignore,
    reject,
)
from dialtone.codec.s1ap.table import M, O, S1apMessage, initiating, successful, unsuccessful
from dialtone.codec.s1ap.values import (
    TAC,
    CriticalityDiagnostics,
    CSGId,
    EnbUeS1apId,
    Flag,
    GlobalENBID,
    MMECode,
    MMEGroupId,
    MmeUeS1apId,
    PagingDRXIe,
    PLMNidentity,
    STmsiIe,
    TimeToWaitIe,
    UEassociatedLogicalS1ConnectionItem,
    Uninterpreted,
)

Name = Annotated[str, PrintableString(1, 150)]
"""ENBname, MMEname."""


@dataclass(slots=True)
class SupportedTAsItem(Sequence):
    """SupportedTAs-Item: a tracking area and the PLMNs broadcast in it."""

    tac: TAC
    broadcast_plmns: Annotated[tuple[PLMNidentity, ...], SequenceOf(1, 6)]


SupportedTAs = Annotated[tuple[SupportedTAsItem, ...], SequenceOf(1, 256)]


@dataclass(slots=True)
class ServedGUMMEIsItem(Sequence):
    """ServedGUMMEIsItem: every PLMN with every group with every code."""

    served_plmns: Annotated[tuple[PLMNidentity, ...], SequenceOf(1, 32)]
    served_group_ids: Annotated[tuple[MMEGroupId, ...], SequenceOf(1, 65535)]
    served_mmecs: Annotated[tuple[MMECode, ...], SequenceOf(1, 256)]


ServedGUMMEIs = Annotated[tuple[ServedGUMMEIsItem, ...], SequenceOf(1, 8)]


@dataclass(slots=True)
class CSGIdListItem(Sequence):
    """CSG-IdList-Item."""

    csg_id: CSGId


CSGIdList = Annotated[tuple[CSGIdListItem, ...], SequenceOf(1, 256)]
RelativeMMECapacity = Annotated[int, Integer(0, 255)]


@initiating(17, reject, "9.1.8.4")
@dataclass(slots=True, kw_only=True)
class S1SetupRequest(S1apMessage):
    """The eNB introduces itself."""

    global_enb_id: Annotated[GlobalENBID, M(59, reject)]
    enb_name: Annotated[Name | None, O(60, ignore)] = None
    supported_tas: Annotated[SupportedTAs, M(64, reject)]
    default_paging_drx: Annotated[PagingDRXIe | None, M(137, ignore)]
    csg_id_list: Annotated[CSGIdList, O(128, reject)] = ()
    ue_retention_information: Annotated[Flag | None, O(228, ignore)] = None
    nb_iot_default_paging_drx: Annotated[Uninterpreted | None, O(234, ignore)] = None
    connected_en_gnb_list: Annotated[Uninterpreted | None, O(291, ignore)] = None


@successful(17, reject, "9.1.8.5")
@dataclass(slots=True, kw_only=True)
class S1SetupResponse(S1apMessage):
    """The MME accepts the eNB."""

    mme_name: Annotated[Name | None, O(61, ignore)] = None
    served_gummeis: Annotated[ServedGUMMEIs, M(105, reject)]
    relative_mme_capacity: Annotated[RelativeMMECapacity | None, M(87, ignore)]
    mme_relay_support_indicator: Annotated[Flag | None, O(163, ignore)] = None
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None
    ue_retention_information: Annotated[Flag | None, O(228, ignore)] = None
    served_dcns: Annotated[Uninterpreted | None, O(247, ignore)] = None
    iab_supported: Annotated[Uninterpreted | None, O(303, ignore)] = None


@unsuccessful(17, reject, "9.1.8.6")
@dataclass(slots=True, kw_only=True)
class S1SetupFailure(S1apMessage):
    """The MME refuses the eNB."""

    cause: Annotated[CauseIe | None, M(2, ignore)]
    time_to_wait: Annotated[TimeToWaitIe | None, O(65, ignore)] = None
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None


class ResetAll(IntEnum):
    """ResetAll."""

    RESET_ALL = 0


UEassociatedLogicalS1ConnectionListRes = Annotated[
    tuple[UEassociatedLogicalS1ConnectionItem, ...], IeList(91, reject)
]

ResetType = Annotated[
    int | tuple[UEassociatedLogicalS1ConnectionItem, ...],
    Choice(
        None,
        {
            "s1-Interface": Enumerated(ResetAll, 1),
            "partOfS1-Interface": UEassociatedLogicalS1ConnectionListRes,
        },
        python_types=(int, tuple),
    ),
]
"""ResetType: ResetAll for the whole interface, or the UE associations."""


@initiating(14, reject, "9.1.8.1")
@dataclass(slots=True, kw_only=True)
class Reset(S1apMessage):
    """All or some UE associations are gone."""

    cause: Annotated[CauseIe | None, M(2, ignore)]
    reset_type: Annotated[ResetType, M(92, reject)]

    @property
    def part_of_s1_interface(self) -> tuple[UEassociatedLogicalS1ConnectionItem, ...] | None:
        """The UE associations of a partial reset, None for all of the interface."""
        return self.reset_type if isinstance(self.reset_type, tuple) else None


@successful(14, reject, "9.1.8.2")
@dataclass(slots=True, kw_only=True)
class ResetAcknowledge(S1apMessage):
    """The UE associations are released."""

    ue_associated_logical_s1_connection_list: Annotated[
        Annotated[tuple[UEassociatedLogicalS1ConnectionItem, ...], IeList(91, ignore)], O(93, ignore)
    ] = ()
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None


@initiating(15, ignore, "9.1.8.3")
@dataclass(slots=True, kw_only=True)
class ErrorIndication(S1apMessage):
    """A received message had an error that no response reports."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId | None, O(0, ignore)] = None
    enb_ue_s1ap_id: Annotated[EnbUeS1apId | None, O(8, ignore)] = None
    cause: Annotated[CauseIe | None, O(2, ignore)] = None
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None
    s_tmsi: Annotated[STmsiIe | None, O(96, ignore)] = None
