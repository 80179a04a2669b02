# SPDX-License-Identifier: Apache-2.0
"""UE context modification and path switch (TS 36.413, 8.3.4 and 8.4.4)."""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.s1ap.bearers import ERABID, ERABList, UEAggregateMaximumBitrate
from dialtone.codec.s1ap.causes import CauseIe
from dialtone.codec.s1ap.context import CSFallbackIndicatorIe
from dialtone.codec.s1ap.notation import IeList, Sequence, ignore, reject
from dialtone.codec.s1ap.table import C, M, O, S1apMessage, initiating, successful, unsuccessful
from dialtone.codec.s1ap.values import (
    LHNID,
    CellAccessModeIe,
    CriticalityDiagnostics,
    CSGId,
    CSGMembershipStatusIe,
    EnbUeS1apId,
    EutranCgi,
    Flag,
    GtpTeid,
    GummeiIe,
    HandoverRestrictionList,
    LaiIe,
    MmeUeS1apId,
    NRUESecurityCapabilities,
    RRCEstablishmentCauseIe,
    SecurityContext,
    SecurityKey,
    SubscriberProfileIDforRFP,
    TaiIe,
    TransportLayerAddress,
    TunnelInformation,
    UESecurityCapabilities,
    Uninterpreted,
)


@initiating(21, reject, "9.1.4.8")
@dataclass(slots=True, kw_only=True)
class UEContextModificationRequest(S1apMessage):
    """Change keys, rates or capabilities of a UE."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    security_key: Annotated[SecurityKey | None, O(73, reject)] = None
    subscriber_profile_id_for_rfp: Annotated[SubscriberProfileIDforRFP | None, O(106, ignore)] = None
    ue_aggregate_maximum_bitrate: Annotated[UEAggregateMaximumBitrate | None, O(66, ignore)] = None
    cs_fallback_indicator: Annotated[CSFallbackIndicatorIe | None, O(108, reject)] = None
    ue_security_capabilities: Annotated[UESecurityCapabilities | None, O(107, reject)] = None
    csg_membership_status: Annotated[CSGMembershipStatusIe | None, O(146, ignore)] = None
    registered_lai: Annotated[LaiIe | None, O(159, ignore)] = None
    additional_cs_fallback_indicator: Annotated[Uninterpreted | None, C(187, ignore)] = None
    prose_authorized: Annotated[Uninterpreted | None, O(195, ignore)] = None
    srvcc_operation_possible: Annotated[Flag | None, O(124, ignore)] = None
    srvcc_operation_not_possible: Annotated[Flag | None, O(243, ignore)] = None
    v2x_services_authorized: Annotated[Uninterpreted | None, O(240, ignore)] = None
    ue_sidelink_aggregate_maximum_bitrate: Annotated[Uninterpreted | None, O(248, ignore)] = None
    nr_ue_security_capabilities: Annotated[NRUESecurityCapabilities | None, O(269, ignore)] = None
    aerial_ue_subscription_information: Annotated[Uninterpreted | None, O(277, ignore)] = None
    additional_rrm_priority_index: Annotated[Uninterpreted | None, O(299, ignore)] = None
    iab_authorized: Annotated[Uninterpreted | None, O(301, ignore)] = None
    nr_v2x_services_authorized: Annotated[Uninterpreted | None, O(306, ignore)] = None
    nr_ue_sidelink_aggregate_maximum_bitrate: Annotated[Uninterpreted | None, O(307, ignore)] = None
    pc5_qos_parameters: Annotated[Uninterpreted | None, O(308, ignore)] = None
    ue_radio_capability_id: Annotated[Uninterpreted | None, O(314, reject)] = None


@successful(21, reject, "9.1.4.9")
@dataclass(slots=True, kw_only=True)
class UEContextModificationResponse(S1apMessage):
    """The UE's context is changed."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, ignore)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, ignore)]
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None


@unsuccessful(21, reject, "9.1.4.10")
@dataclass(slots=True, kw_only=True)
class UEContextModificationFailure(S1apMessage):
    """The UE's context is as it was."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, ignore)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, ignore)]
    cause: Annotated[CauseIe | None, M(2, ignore)]
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None


@dataclass(slots=True)
class ERABToBeSwitchedDLItem(Sequence):
    """E-RABToBeSwitchedDLItem: the new eNB's end of a bearer."""

    e_rab_id: ERABID
    transport_layer_address: TransportLayerAddress
    gtp_teid: GtpTeid


@dataclass(slots=True)
class ERABToBeSwitchedULItem(Sequence):
    """E-RABToBeSwitchedULItem: the gateway's end of a bearer, where it changes."""

    e_rab_id: ERABID
    transport_layer_address: TransportLayerAddress
    gtp_teid: GtpTeid


@initiating(3, reject, "9.1.5.8")
@dataclass(slots=True, kw_only=True)
class PathSwitchRequest(S1apMessage):
    """A UE has come over X2."""

    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    e_rab_to_be_switched_dl_list: Annotated[
        Annotated[tuple[ERABToBeSwitchedDLItem, ...], IeList(23, reject)], M(22, reject)
    ]
    source_mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(88, reject)]
    eutran_cgi: Annotated[EutranCgi | None, M(100, ignore)]
    tai: Annotated[TaiIe | None, M(67, ignore)]
    ue_security_capabilities: Annotated[UESecurityCapabilities | None, M(107, ignore)]
    csg_id: Annotated[CSGId | None, O(127, ignore)] = None
    cell_access_mode: Annotated[CellAccessModeIe | None, O(145, ignore)] = None
    source_mme_gummei: Annotated[GummeiIe | None, O(157, ignore)] = None
    csg_membership_status: Annotated[CSGMembershipStatusIe | None, O(146, ignore)] = None
    tunnel_information_for_bbf: Annotated[TunnelInformation | None, O(176, ignore)] = None
    lhn_id: Annotated[LHNID | None, O(186, ignore)] = None
    rrc_resume_cause: Annotated[RRCEstablishmentCauseIe | None, O(245, ignore)] = None
    nr_ue_security_capabilities: Annotated[NRUESecurityCapabilities | None, O(269, ignore)] = None
    ps_cell_information: Annotated[Uninterpreted | None, O(288, ignore)] = None
    lte_ntn_tai_information: Annotated[Uninterpreted | None, O(339, ignore)] = None


@successful(3, reject, "9.1.5.9")
@dataclass(slots=True, kw_only=True)
class PathSwitchRequestAcknowledge(S1apMessage):
    """The downlink goes to the new eNB; the next NH."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, ignore)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, ignore)]
    ue_aggregate_maximum_bitrate: Annotated[UEAggregateMaximumBitrate | None, O(66, ignore)] = None
    e_rab_to_be_switched_ul_list: Annotated[
        Annotated[tuple[ERABToBeSwitchedULItem, ...], IeList(94, ignore)], O(95, ignore)
    ] = ()
    e_rab_to_be_released_list: Annotated[ERABList, O(33, ignore)] = ()
    security_context: Annotated[SecurityContext, M(40, reject)]
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None
    mme_ue_s1ap_id_2: Annotated[MmeUeS1apId | None, O(158, ignore)] = None
    csg_membership_status: Annotated[CSGMembershipStatusIe | None, O(146, ignore)] = None
    prose_authorized: Annotated[Uninterpreted | None, O(195, ignore)] = None
    ue_user_plane_ciot_support_indicator: Annotated[Uninterpreted | None, O(241, ignore)] = None
    v2x_services_authorized: Annotated[Uninterpreted | None, O(240, ignore)] = None
    ue_sidelink_aggregate_maximum_bitrate: Annotated[Uninterpreted | None, O(248, ignore)] = None
    enhanced_coverage_restricted: Annotated[Uninterpreted | None, O(251, ignore)] = None
    nr_ue_security_capabilities: Annotated[NRUESecurityCapabilities | None, O(269, ignore)] = None
    ce_mode_b_restricted: Annotated[Uninterpreted | None, O(271, ignore)] = None
    aerial_ue_subscription_information: Annotated[Uninterpreted | None, O(277, ignore)] = None
    pending_data_indication: Annotated[Uninterpreted | None, O(283, ignore)] = None
    subscription_based_ue_differentiation_info: Annotated[Uninterpreted | None, O(278, ignore)] = None
    handover_restriction_list: Annotated[HandoverRestrictionList | None, O(41, ignore)] = None
    additional_rrm_priority_index: Annotated[Uninterpreted | None, O(299, ignore)] = None
    nr_v2x_services_authorized: Annotated[Uninterpreted | None, O(306, ignore)] = None
    nr_ue_sidelink_aggregate_maximum_bitrate: Annotated[Uninterpreted | None, O(307, ignore)] = None
    pc5_qos_parameters: Annotated[Uninterpreted | None, O(308, ignore)] = None
    ue_radio_capability_id: Annotated[Uninterpreted | None, O(314, reject)] = None
    ue_security_capabilities: Annotated[UESecurityCapabilities | None, O(107, ignore)] = None
    e_rab_to_be_updated_list: Annotated[Uninterpreted | None, O(341, ignore)] = None


@unsuccessful(3, reject, "9.1.5.10")
@dataclass(slots=True, kw_only=True)
class PathSwitchRequestFailure(S1apMessage):
    """The path stays."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, ignore)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, ignore)]
    cause: Annotated[CauseIe | None, M(2, ignore)]
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None
