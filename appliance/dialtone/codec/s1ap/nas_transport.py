# SPDX-License-Identifier: Apache-2.0
"""NAS transport (TS 36.413, 8.6): messages that carry a NAS PDU between UE and MME."""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.s1ap.causes import CauseIe
from dialtone.codec.s1ap.notation import ignore, reject
from dialtone.codec.s1ap.table import M, O, S1apMessage, initiating
from dialtone.codec.s1ap.values import (
    LHNID,
    CellAccessModeIe,
    CSGId,
    EnbUeS1apId,
    EutranCgi,
    Flag,
    GummeiIe,
    GUMMEITypeIe,
    HandoverRestrictionList,
    MaskedImeisv,
    MMEGroupId,
    MmeUeS1apId,
    NasPdu,
    NRUESecurityCapabilities,
    RRCEstablishmentCauseIe,
    STmsiIe,
    SubscriberProfileIDforRFP,
    TaiIe,
    TransportLayerAddress,
    TunnelInformation,
    UERadioCapability,
    Uninterpreted,
)


@initiating(12, ignore, "9.1.7.1")
@dataclass(slots=True, kw_only=True)
class InitialUEMessage(S1apMessage):
    """The first NAS message of a UE, and where it came from."""

    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    nas_pdu: Annotated[NasPdu, M(26, reject)]
    tai: Annotated[TaiIe, M(67, reject)]
    eutran_cgi: Annotated[EutranCgi | None, M(100, ignore)]
    rrc_establishment_cause: Annotated[RRCEstablishmentCauseIe | None, M(134, ignore)]
    s_tmsi: Annotated[STmsiIe | None, O(96, reject)] = None
    csg_id: Annotated[CSGId | None, O(127, reject)] = None
    gummei_id: Annotated[GummeiIe | None, O(75, reject)] = None
    cell_access_mode: Annotated[CellAccessModeIe | None, O(145, reject)] = None
    gw_transport_layer_address: Annotated[TransportLayerAddress | None, O(155, ignore)] = None
    relay_node_indicator: Annotated[Flag | None, O(160, reject)] = None
    gummei_type: Annotated[GUMMEITypeIe | None, O(170, ignore)] = None
    tunnel_information_for_bbf: Annotated[TunnelInformation | None, O(176, ignore)] = None
    sipto_l_gw_transport_layer_address: Annotated[TransportLayerAddress | None, O(184, ignore)] = None
    lhn_id: Annotated[LHNID | None, O(186, ignore)] = None
    mme_group_id: Annotated[MMEGroupId | None, O(223, ignore)] = None
    ue_usage_type: Annotated[Uninterpreted | None, O(230, ignore)] = None
    ce_mode_b_support_indicator: Annotated[Uninterpreted | None, O(242, ignore)] = None
    dcn_id: Annotated[Uninterpreted | None, O(246, ignore)] = None
    coverage_level: Annotated[Uninterpreted | None, O(250, ignore)] = None
    ue_application_layer_measurement_capability: Annotated[Uninterpreted | None, O(263, ignore)] = None
    edt_session: Annotated[Uninterpreted | None, O(281, ignore)] = None
    iab_node_indication: Annotated[Uninterpreted | None, O(302, reject)] = None
    lte_ntn_tai_information: Annotated[Uninterpreted | None, O(339, ignore)] = None
    coarse_ue_location_requested: Annotated[Uninterpreted | None, O(353, ignore)] = None


@initiating(11, ignore, "9.1.7.2")
@dataclass(slots=True, kw_only=True)
class DownlinkNASTransport(S1apMessage):
    """A NAS message to the UE."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    nas_pdu: Annotated[NasPdu, M(26, reject)]
    handover_restriction_list: Annotated[HandoverRestrictionList | None, O(41, ignore)] = None
    subscriber_profile_id_for_rfp: Annotated[SubscriberProfileIDforRFP | None, O(106, ignore)] = None
    srvcc_operation_possible: Annotated[Flag | None, O(124, ignore)] = None
    ue_radio_capability: Annotated[UERadioCapability | None, O(74, ignore)] = None
    dl_nas_pdu_delivery_ack_request: Annotated[Uninterpreted | None, O(249, ignore)] = None
    enhanced_coverage_restricted: Annotated[Uninterpreted | None, O(251, ignore)] = None
    nr_ue_security_capabilities: Annotated[NRUESecurityCapabilities | None, O(269, ignore)] = None
    ce_mode_b_restricted: Annotated[Uninterpreted | None, O(271, ignore)] = None
    ue_capability_info_request: Annotated[Flag | None, O(275, ignore)] = None
    end_indication: Annotated[Uninterpreted | None, O(280, ignore)] = None
    pending_data_indication: Annotated[Uninterpreted | None, O(283, ignore)] = None
    subscription_based_ue_differentiation_info: Annotated[Uninterpreted | None, O(278, ignore)] = None
    additional_rrm_priority_index: Annotated[Uninterpreted | None, O(299, ignore)] = None
    ue_radio_capability_id: Annotated[Uninterpreted | None, O(314, reject)] = None
    masked_imeisv: Annotated[MaskedImeisv | None, O(192, ignore)] = None
    coarse_ue_location: Annotated[Uninterpreted | None, O(354, ignore)] = None


@initiating(13, ignore, "9.1.7.3")
@dataclass(slots=True, kw_only=True)
class UplinkNASTransport(S1apMessage):
    """A NAS message from the UE."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    nas_pdu: Annotated[NasPdu, M(26, reject)]
    eutran_cgi: Annotated[EutranCgi | None, M(100, ignore)]
    tai: Annotated[TaiIe | None, M(67, ignore)]
    gw_transport_layer_address: Annotated[TransportLayerAddress | None, O(155, ignore)] = None
    sipto_l_gw_transport_layer_address: Annotated[TransportLayerAddress | None, O(184, ignore)] = None
    lhn_id: Annotated[LHNID | None, O(186, ignore)] = None
    ps_cell_information: Annotated[Uninterpreted | None, O(288, ignore)] = None
    lte_ntn_tai_information: Annotated[Uninterpreted | None, O(339, ignore)] = None


@initiating(16, ignore, "9.1.7.4")
@dataclass(slots=True, kw_only=True)
class NASNonDeliveryIndication(S1apMessage):
    """A NAS message the eNB could not deliver, and why."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    nas_pdu: Annotated[NasPdu | None, M(26, ignore)]
    cause: Annotated[CauseIe | None, M(2, ignore)]


@initiating(57, ignore, "9.1.7.4a")
@dataclass(slots=True, kw_only=True)
class NASDeliveryIndication(S1apMessage):
    """The NAS message the MME asked about has been delivered."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]


