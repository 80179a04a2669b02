# SPDX-License-Identifier: Apache-2.0
"""S1 handover and status transfer (TS 36.413, 8.4): the MME's two sides of it."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from dialtone.codec.s1ap.bearers import ERABID, ERABItem, ERABLevelQoSParameters, ERABList, UEAggregateMaximumBitrate
from dialtone.codec.s1ap.causes import CauseIe
from dialtone.codec.s1ap.location import RequestType
from dialtone.codec.s1ap.notation import Enumerated, IeList, OctetString, Sequence, SequenceOf, ignore, reject
from dialtone.codec.s1ap.table import C, M, O, S1apMessage, initiating, successful, unsuccessful
from dialtone.codec.s1ap.target import TargetIDIe
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
    MaskedImeisv,
    MmeUeS1apId,
    NRUESecurityCapabilities,
    PLMNidentity,
    SecurityContext,
    TaiIe,
    TransportLayerAddress,
    TunnelInformation,
    UESecurityCapabilities,
    Uninterpreted,
)


class HandoverType(IntEnum):
    """Handover Type (9.2.1.13)."""

    INTRALTE = 0
    LTETOUTRAN = 1
    LTETOGERAN = 2
    UTRANTOLTE = 3
    GERANTOLTE = 4
    EPS_TO_5GS = 5
    FIVEGS_TO_EPS = 6


HandoverTypeIe = Annotated[int, Enumerated(HandoverType, 5)]
TransparentContainer = Annotated[bytes, OctetString()]
"""Source to Target, or Target to Source Transparent Container: RRC, which the MME passes on."""


@initiating(0, reject, "9.1.5.1")
@dataclass(slots=True, kw_only=True)
class HandoverRequired(S1apMessage):
    """The source eNB wants a UE handed over."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    handover_type: Annotated[HandoverTypeIe, M(1, reject)]
    cause: Annotated[CauseIe | None, M(2, ignore)]
    target_id: Annotated[TargetIDIe, M(4, reject)]
    direct_forwarding_path_availability: Annotated[Flag | None, O(79, ignore)] = None
    srvcc_ho_indication: Annotated[Uninterpreted | None, O(125, reject)] = None
    source_to_target_transparent_container: Annotated[TransparentContainer, M(104, reject)]
    source_to_target_transparent_container_secondary: Annotated[
        TransparentContainer | None, O(138, reject)
    ] = None
    ms_classmark_2: Annotated[Uninterpreted | None, C(132, reject)] = None
    ms_classmark_3: Annotated[Uninterpreted | None, C(133, ignore)] = None
    csg_id: Annotated[CSGId | None, O(127, reject)] = None
    cell_access_mode: Annotated[CellAccessModeIe | None, O(145, reject)] = None
    ps_service_not_available: Annotated[Flag | None, O(150, ignore)] = None


@dataclass(slots=True)
class ERABDataForwardingItem(Sequence):
    """E-RABDataForwardingItem."""

    e_rab_id: ERABID
    dl_transport_layer_address: TransportLayerAddress | None = None
    dl_gtp_teid: GtpTeid | None = None
    ul_transport_layer_address: TransportLayerAddress | None = None
    ul_gtp_teid: GtpTeid | None = None


@successful(0, reject, "9.1.5.2")
@dataclass(slots=True, kw_only=True)
class HandoverCommand(S1apMessage):
    """The target is ready: go."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    handover_type: Annotated[HandoverTypeIe, M(1, reject)]
    nas_security_parameters_from_eutran: Annotated[Uninterpreted | None, C(135, reject)] = None
    e_rab_subject_to_data_forwarding_list: Annotated[
        Annotated[tuple[ERABDataForwardingItem, ...], IeList(14, ignore)], O(12, ignore)
    ] = ()
    e_rab_to_release_list: Annotated[ERABList, O(13, ignore)] = ()
    target_to_source_transparent_container: Annotated[TransparentContainer, M(123, reject)]
    target_to_source_transparent_container_secondary: Annotated[
        TransparentContainer | None, O(139, reject)
    ] = None
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None


@unsuccessful(0, reject, "9.1.5.3")
@dataclass(slots=True, kw_only=True)
class HandoverPreparationFailure(S1apMessage):
    """No handover; the cause."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, ignore)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, ignore)]
    cause: Annotated[CauseIe | None, M(2, ignore)]
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None


@dataclass(slots=True)
class ERABToBeSetupItemHOReq(Sequence):
    """E-RABToBeSetupItemHOReq: a bearer the target is to take."""

    e_rab_id: ERABID
    transport_layer_address: TransportLayerAddress
    gtp_teid: GtpTeid
    e_rab_level_qos_parameters: ERABLevelQoSParameters


@initiating(1, reject, "9.1.5.4")
@dataclass(slots=True, kw_only=True)
class HandoverRequest(S1apMessage):
    """The MME asks the target eNB to take a UE."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    handover_type: Annotated[HandoverTypeIe, M(1, reject)]
    cause: Annotated[CauseIe | None, M(2, ignore)]
    ue_aggregate_maximum_bitrate: Annotated[UEAggregateMaximumBitrate, M(66, reject)]
    e_rab_to_be_setup_list: Annotated[
        Annotated[tuple[ERABToBeSetupItemHOReq, ...], IeList(27, reject)], M(53, reject)
    ]
    source_to_target_transparent_container: Annotated[TransparentContainer, M(104, reject)]
    ue_security_capabilities: Annotated[UESecurityCapabilities, M(107, reject)]
    handover_restriction_list: Annotated[HandoverRestrictionList | None, O(41, ignore)] = None
    trace_activation: Annotated[Uninterpreted | None, O(25, ignore)] = None
    request_type: Annotated[RequestType | None, O(98, ignore)] = None
    srvcc_operation_possible: Annotated[Flag | None, O(124, ignore)] = None
    security_context: Annotated[SecurityContext, M(40, reject)]
    nas_security_parameters_to_eutran: Annotated[Uninterpreted | None, C(136, reject)] = None
    csg_id: Annotated[CSGId | None, O(127, reject)] = None
    csg_membership_status: Annotated[CSGMembershipStatusIe | None, O(146, ignore)] = None
    gummei_id: Annotated[GummeiIe | None, O(75, ignore)] = None
    mme_ue_s1ap_id_2: Annotated[MmeUeS1apId | None, O(158, ignore)] = None
    management_based_mdt_allowed: Annotated[Flag | None, O(165, ignore)] = None
    management_based_mdt_plmn_list: Annotated[
        Annotated[tuple[PLMNidentity, ...], SequenceOf(1, 16)], O(177, ignore)
    ] = ()
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
    iab_authorized: Annotated[Uninterpreted | None, O(301, reject)] = None
    nr_v2x_services_authorized: Annotated[Uninterpreted | None, O(306, ignore)] = None
    nr_ue_sidelink_aggregate_maximum_bitrate: Annotated[Uninterpreted | None, O(307, ignore)] = None
    pc5_qos_parameters: Annotated[Uninterpreted | None, O(308, ignore)] = None
    ue_radio_capability_id: Annotated[Uninterpreted | None, O(314, reject)] = None


@dataclass(slots=True)
class ERABAdmittedItem(Sequence):
    """E-RABAdmittedItem: the target's end of a bearer."""

    e_rab_id: ERABID
    transport_layer_address: TransportLayerAddress
    gtp_teid: GtpTeid
    dl_transport_layer_address: TransportLayerAddress | None = None
    dl_gtp_teid: GtpTeid | None = None
    ul_transport_layer_address: TransportLayerAddress | None = None
    ul_gtp_teid: GtpTeid | None = None


@successful(1, reject, "9.1.5.5")
@dataclass(slots=True, kw_only=True)
class HandoverRequestAcknowledge(S1apMessage):
    """The target takes the UE."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, ignore)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, ignore)]
    e_rab_admitted_list: Annotated[
        Annotated[tuple[ERABAdmittedItem, ...], IeList(20, ignore)], M(18, ignore)
    ]
    e_rab_failed_to_setup_list: Annotated[
        Annotated[tuple[ERABItem, ...], IeList(21, ignore)], O(19, ignore)
    ] = ()
    target_to_source_transparent_container: Annotated[TransparentContainer, M(123, reject)]
    csg_id: Annotated[CSGId | None, O(127, ignore)] = None
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None
    cell_access_mode: Annotated[CellAccessModeIe | None, O(145, ignore)] = None
    ce_mode_b_support_indicator: Annotated[Uninterpreted | None, O(242, ignore)] = None


@unsuccessful(1, reject, "9.1.5.6")
@dataclass(slots=True, kw_only=True)
class HandoverFailure(S1apMessage):
    """The target does not take the UE."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, ignore)]
    cause: Annotated[CauseIe | None, M(2, ignore)]
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None


@initiating(2, ignore, "9.1.5.7")
@dataclass(slots=True, kw_only=True)
class HandoverNotify(S1apMessage):
    """The UE has arrived."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    eutran_cgi: Annotated[EutranCgi | None, M(100, ignore)]
    tai: Annotated[TaiIe | None, M(67, ignore)]
    tunnel_information_for_bbf: Annotated[TunnelInformation | None, O(176, ignore)] = None
    lhn_id: Annotated[LHNID | None, O(186, ignore)] = None
    ps_cell_information: Annotated[Uninterpreted | None, O(288, ignore)] = None
    notify_source_enb: Annotated[Flag | None, O(320, ignore)] = None
    lte_ntn_tai_information: Annotated[Uninterpreted | None, O(339, ignore)] = None


@initiating(4, reject, "9.1.5.11")
@dataclass(slots=True, kw_only=True)
class HandoverCancel(S1apMessage):
    """The source eNB has changed its mind."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    cause: Annotated[CauseIe | None, M(2, ignore)]


@successful(4, reject, "9.1.5.12")
@dataclass(slots=True, kw_only=True)
class HandoverCancelAcknowledge(S1apMessage):
    """The handover is cancelled."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, ignore)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, ignore)]
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None


@initiating(24, ignore, "9.1.5.13")
@dataclass(slots=True, kw_only=True)
class ENBStatusTransfer(S1apMessage):
    """PDCP counts of the bearers, from the source eNB."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    enb_status_transfer_transparent_container: Annotated[Uninterpreted, M(90, reject)]


@initiating(25, ignore, "9.1.5.14")
@dataclass(slots=True, kw_only=True)
class MMEStatusTransfer(S1apMessage):
    """PDCP counts of the bearers, to the target eNB."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    enb_status_transfer_transparent_container: Annotated[Uninterpreted, M(90, reject)]
