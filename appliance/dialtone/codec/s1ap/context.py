# SPDX-License-Identifier: Apache-2.0
"""UE context management and UE capability indication (TS 36.413, 8.3 and 8.9)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from dialtone.codec.s1ap.bearers import ERABID, ERABLevelQoSParameters, ERABList, UEAggregateMaximumBitrate
from dialtone.codec.s1ap.causes import CauseIe
from dialtone.codec.s1ap.notation import Enumerated, IeList, Sequence, SequenceOf, ignore, reject
from dialtone.codec.s1ap.table import C, M, O, S1apMessage, initiating, successful, unsuccessful
from dialtone.codec.s1ap.values import (
    CriticalityDiagnostics,
    CSGMembershipStatusIe,
    EnbUeS1apId,
    Flag,
    GtpTeid,
    GummeiIe,
    HandoverRestrictionList,
    LaiIe,
    MaskedImeisv,
    MmeUeS1apId,
    NasPdu,
    NRUESecurityCapabilities,
    PLMNidentity,
    SecurityKey,
    SubscriberProfileIDforRFP,
    TransportLayerAddress,
    UERadioCapability,
    UES1APIDs,
    UESecurityCapabilities,
    Uninterpreted,
    UserLocationInformation,
)


@dataclass(slots=True)
class ERABToBeSetupItemCtxtSUReq(Sequence):
    """E-RABToBeSetupItemCtxtSUReq: a bearer to be set up with the context."""

    e_rab_id: ERABID
    e_rab_level_qos_parameters: ERABLevelQoSParameters
    transport_layer_address: TransportLayerAddress
    gtp_teid: GtpTeid
    nas_pdu: NasPdu | None = None


@dataclass(slots=True)
class ERABSetupItemCtxtSURes(Sequence):
    """E-RABSetupItemCtxtSURes: the eNB's end of a bearer."""

    e_rab_id: ERABID
    transport_layer_address: TransportLayerAddress
    gtp_teid: GtpTeid


class CSFallbackIndicator(IntEnum):
    """CS Fallback Indicator (9.2.3.21)."""

    CS_FALLBACK_REQUIRED = 0
    CS_FALLBACK_HIGH_PRIORITY = 1


CSFallbackIndicatorIe = Annotated[int, Enumerated(CSFallbackIndicator, 1)]


@initiating(9, reject, "9.1.4.1")
@dataclass(slots=True, kw_only=True)
class InitialContextSetupRequest(S1apMessage):
    """Security, capabilities and first bearers of a UE."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    ue_aggregate_maximum_bitrate: Annotated[UEAggregateMaximumBitrate, M(66, reject)]
    e_rab_to_be_setup_list: Annotated[
        Annotated[tuple[ERABToBeSetupItemCtxtSUReq, ...], IeList(52, reject)], M(24, reject)
    ]
    ue_security_capabilities: Annotated[UESecurityCapabilities, M(107, reject)]
    security_key: Annotated[SecurityKey, M(73, reject)]
    trace_activation: Annotated[Uninterpreted | None, O(25, ignore)] = None
    handover_restriction_list: Annotated[HandoverRestrictionList | None, O(41, ignore)] = None
    ue_radio_capability: Annotated[UERadioCapability | None, O(74, ignore)] = None
    subscriber_profile_id_for_rfp: Annotated[SubscriberProfileIDforRFP | None, O(106, ignore)] = None
    cs_fallback_indicator: Annotated[CSFallbackIndicatorIe | None, O(108, reject)] = None
    srvcc_operation_possible: Annotated[Flag | None, O(124, ignore)] = None
    csg_membership_status: Annotated[CSGMembershipStatusIe | None, O(146, ignore)] = None
    registered_lai: Annotated[LaiIe | None, O(159, ignore)] = None
    gummei_id: Annotated[GummeiIe | None, O(75, ignore)] = None
    mme_ue_s1ap_id_2: Annotated[MmeUeS1apId | None, O(158, ignore)] = None
    management_based_mdt_allowed: Annotated[Flag | None, O(165, ignore)] = None
    management_based_mdt_plmn_list: Annotated[
        Annotated[tuple[PLMNidentity, ...], SequenceOf(1, 16)], O(177, ignore)
    ] = ()
    additional_cs_fallback_indicator: Annotated[Uninterpreted | None, C(187, ignore)] = None
    masked_imeisv: Annotated[MaskedImeisv | None, O(192, ignore)] = None
    expected_ue_behaviour: Annotated[Uninterpreted | None, O(196, ignore)] = None
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
    additional_rrm_priority_index: Annotated[Uninterpreted | None, O(299, ignore)] = None
    iab_authorized: Annotated[Uninterpreted | None, O(301, ignore)] = None
    nr_v2x_services_authorized: Annotated[Uninterpreted | None, O(306, ignore)] = None
    nr_ue_sidelink_aggregate_maximum_bitrate: Annotated[Uninterpreted | None, O(307, ignore)] = None
    pc5_qos_parameters: Annotated[Uninterpreted | None, O(308, ignore)] = None
    ue_radio_capability_id: Annotated[Uninterpreted | None, O(314, reject)] = None
    coarse_ue_location: Annotated[Uninterpreted | None, O(354, ignore)] = None


@successful(9, reject, "9.1.4.3")
@dataclass(slots=True, kw_only=True)
class InitialContextSetupResponse(S1apMessage):
    """The bearers set up, and those that failed."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, ignore)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, ignore)]
    e_rab_setup_list: Annotated[
        Annotated[tuple[ERABSetupItemCtxtSURes, ...], IeList(50, ignore)], M(51, ignore)
    ]
    e_rab_failed_to_setup_list: Annotated[ERABList, O(48, ignore)] = ()
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None


@unsuccessful(9, reject, "9.1.4.4")
@dataclass(slots=True, kw_only=True)
class InitialContextSetupFailure(S1apMessage):
    """No context; the cause."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, ignore)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, ignore)]
    cause: Annotated[CauseIe | None, M(2, ignore)]
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None


@initiating(18, ignore, "9.1.4.5")
@dataclass(slots=True, kw_only=True)
class UEContextReleaseRequest(S1apMessage):
    """The eNB wants a UE released."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    cause: Annotated[CauseIe | None, M(2, ignore)]
    gw_context_release_indication: Annotated[Flag | None, O(164, reject)] = None
    secondary_rat_data_usage_report_list: Annotated[Uninterpreted | None, O(264, ignore)] = None


@initiating(23, reject, "9.1.4.6")
@dataclass(slots=True, kw_only=True)
class UEContextReleaseCommand(S1apMessage):
    """The MME releases a UE."""

    ue_s1ap_ids: Annotated[UES1APIDs, M(99, reject)]
    cause: Annotated[CauseIe | None, M(2, ignore)]


@successful(23, reject, "9.1.4.7")
@dataclass(slots=True, kw_only=True)
class UEContextReleaseComplete(S1apMessage):
    """The UE is released."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, ignore)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, ignore)]
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None
    user_location_information: Annotated[UserLocationInformation | None, O(189, ignore)] = None
    information_on_recommended_cells_and_enbs_for_paging: Annotated[
        Uninterpreted | None, O(213, ignore)
    ] = None
    cell_identifier_and_ce_level_for_ce_capable_ues: Annotated[Uninterpreted | None, O(212, ignore)] = None
    secondary_rat_data_usage_report_list: Annotated[Uninterpreted | None, O(264, ignore)] = None
    time_since_secondary_node_release: Annotated[Uninterpreted | None, O(297, ignore)] = None


@initiating(22, ignore, "9.1.10")
@dataclass(slots=True, kw_only=True)
class UECapabilityInfoIndication(S1apMessage):
    """The UE's radio capabilities, to be kept and given back at the next context setup."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    ue_radio_capability: Annotated[UERadioCapability | None, M(74, ignore)]
    ue_radio_capability_for_paging: Annotated[UERadioCapability | None, O(198, ignore)] = None
    ue_application_layer_measurement_capability: Annotated[Uninterpreted | None, O(263, ignore)] = None
    lte_m_indication: Annotated[Uninterpreted | None, O(272, ignore)] = None
    ue_radio_capability_nr_format: Annotated[UERadioCapability | None, O(315, ignore)] = None
    ue_radio_capability_for_paging_nr_format: Annotated[UERadioCapability | None, O(327, ignore)] = None
