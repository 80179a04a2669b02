# SPDX-License-Identifier: Apache-2.0
"""E-RAB management (TS 36.413, 8.2): bearers beside the first."""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.s1ap.bearers import ERABID, ERABLevelQoSParameters, ERABList, UEAggregateMaximumBitrate
from dialtone.codec.s1ap.notation import IeList, Sequence, ignore, reject
from dialtone.codec.s1ap.table import M, O, S1apMessage, initiating, successful
from dialtone.codec.s1ap.values import (
    CriticalityDiagnostics,
    EnbUeS1apId,
    Flag,
    GtpTeid,
    MmeUeS1apId,
    NasPdu,
    TransportLayerAddress,
    Uninterpreted,
    UserLocationInformation,
)


@dataclass(slots=True)
class ERABToBeSetupItemBearerSUReq(Sequence):
    """E-RABToBeSetupItemBearerSUReq: a bearer to be set up, and the NAS message that tells the UE."""

    e_rab_id: ERABID
    e_rab_level_qos_parameters: ERABLevelQoSParameters
    transport_layer_address: TransportLayerAddress
    gtp_teid: GtpTeid
    nas_pdu: NasPdu


@dataclass(slots=True)
class ERABSetupItemBearerSURes(Sequence):
    """E-RABSetupItemBearerSURes: the eNB's end of a bearer."""

    e_rab_id: ERABID
    transport_layer_address: TransportLayerAddress
    gtp_teid: GtpTeid


@initiating(5, reject, "9.1.3.1", "E-RABSetupRequest")
@dataclass(slots=True, kw_only=True)
class ERABSetupRequest(S1apMessage):
    """Set up bearers."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    ue_aggregate_maximum_bitrate: Annotated[UEAggregateMaximumBitrate | None, O(66, reject)] = None
    e_rab_to_be_setup_list: Annotated[
        Annotated[tuple[ERABToBeSetupItemBearerSUReq, ...], IeList(17, reject)], M(16, reject)
    ]


@successful(5, reject, "9.1.3.2", "E-RABSetupResponse")
@dataclass(slots=True, kw_only=True)
class ERABSetupResponse(S1apMessage):
    """The bearers set up, and those that failed."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, ignore)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, ignore)]
    e_rab_setup_list: Annotated[
        Annotated[tuple[ERABSetupItemBearerSURes, ...], IeList(39, ignore)], O(28, ignore)
    ] = ()
    e_rab_failed_to_setup_list: Annotated[ERABList, O(29, ignore)] = ()
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None
    user_location_information: Annotated[UserLocationInformation | None, O(189, ignore)] = None


@dataclass(slots=True)
class ERABToBeModifiedItemBearerModReq(Sequence):
    """E-RABToBeModifiedItemBearerModReq: a bearer's new QoS."""

    e_rab_id: ERABID
    e_rab_level_qos_parameters: ERABLevelQoSParameters
    nas_pdu: NasPdu


@dataclass(slots=True)
class ERABModifyItemBearerModRes(Sequence):
    """E-RABModifyItemBearerModRes."""

    e_rab_id: ERABID


@initiating(6, reject, "9.1.3.3", "E-RABModifyRequest")
@dataclass(slots=True, kw_only=True)
class ERABModifyRequest(S1apMessage):
    """Change bearers."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    ue_aggregate_maximum_bitrate: Annotated[UEAggregateMaximumBitrate | None, O(66, reject)] = None
    e_rab_to_be_modified_list: Annotated[
        Annotated[tuple[ERABToBeModifiedItemBearerModReq, ...], IeList(36, reject)], M(30, reject)
    ]
    secondary_rat_data_usage_request: Annotated[Flag | None, O(268, ignore)] = None


@successful(6, reject, "9.1.3.4", "E-RABModifyResponse")
@dataclass(slots=True, kw_only=True)
class ERABModifyResponse(S1apMessage):
    """The bearers changed, and those that failed."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, ignore)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, ignore)]
    e_rab_modify_list: Annotated[
        Annotated[tuple[ERABModifyItemBearerModRes, ...], IeList(37, ignore)], O(31, ignore)
    ] = ()
    e_rab_failed_to_modify_list: Annotated[ERABList, O(32, ignore)] = ()
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None
    secondary_rat_data_usage_report_list: Annotated[Uninterpreted | None, O(264, ignore)] = None
    user_location_information: Annotated[UserLocationInformation | None, O(189, ignore)] = None


@dataclass(slots=True)
class ERABReleaseItemBearerRelComp(Sequence):
    """E-RABReleaseItemBearerRelComp."""

    e_rab_id: ERABID


@initiating(7, reject, "9.1.3.5", "E-RABReleaseCommand")
@dataclass(slots=True, kw_only=True)
class ERABReleaseCommand(S1apMessage):
    """Release bearers."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    ue_aggregate_maximum_bitrate: Annotated[UEAggregateMaximumBitrate | None, O(66, reject)] = None
    e_rab_to_be_released_list: Annotated[ERABList, M(33, ignore)]
    nas_pdu: Annotated[NasPdu | None, O(26, ignore)] = None


@successful(7, reject, "9.1.3.6", "E-RABReleaseResponse")
@dataclass(slots=True, kw_only=True)
class ERABReleaseResponse(S1apMessage):
    """The bearers released, and those that failed."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, ignore)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, ignore)]
    e_rab_release_list: Annotated[
        Annotated[tuple[ERABReleaseItemBearerRelComp, ...], IeList(15, ignore)], O(69, ignore)
    ] = ()
    e_rab_failed_to_release_list: Annotated[ERABList, O(34, ignore)] = ()
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None
    user_location_information: Annotated[UserLocationInformation | None, O(189, ignore)] = None
    secondary_rat_data_usage_report_list: Annotated[Uninterpreted | None, O(264, ignore)] = None


@initiating(8, ignore, "9.1.3.7", "E-RABReleaseIndication")
@dataclass(slots=True, kw_only=True)
class ERABReleaseIndication(S1apMessage):
    """The eNB has released bearers of its own accord."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    e_rab_released_list: Annotated[ERABList, M(110, ignore)]
    user_location_information: Annotated[UserLocationInformation | None, O(189, ignore)] = None
    secondary_rat_data_usage_report_list: Annotated[Uninterpreted | None, O(264, ignore)] = None
