# SPDX-License-Identifier: Apache-2.0
"""Messages of the EMM specific procedures: attach, detach, tracking area update (TS 24.301, 5.5)."""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.nas.capabilities import (
    EPSBearerContextStatus,
    EPSNetworkFeatureSupport,
    MSNetworkCapability,
    UEAdditionalSecurityCapability,
    UENetworkCapability,
    UEStatus,
)
from dialtone.codec.nas.identities import (
    EpsMobileIdentity,
    Lai,
    MobileIdentity,
    PlmnList,
    TaiList,
    TrackingAreaIdentity,
)
from dialtone.codec.nas.ies import GprsTimer, GprsTimer3, VoiceDomainPreference
from dialtone.codec.nas.tables import HALF, LV, LV_E, TLV, TLV_E, TV, EmmMessage, N, V, emm


@emm(0x41, "Attach request", "TS 24.301, 8.2.4")
@dataclass(slots=True, kw_only=True, repr=False)
class AttachRequest(EmmMessage):
    """UE to network. The container holds a PDN connectivity request."""

    eps_attach_type: Annotated[int, V(HALF)]
    nas_key_set_identifier: Annotated[int, V(HALF)]
    eps_mobile_identity: Annotated[EpsMobileIdentity, LV(5, 12)]
    ue_network_capability: Annotated[UENetworkCapability, LV(3, 14)]
    esm_message_container: Annotated[bytes, LV_E(5, N)]
    old_p_tmsi_signature: Annotated[bytes | None, TV(0x19, 4)] = None
    additional_guti: Annotated[EpsMobileIdentity | None, TLV(0x50, 13)] = None
    last_visited_registered_tai: Annotated[TrackingAreaIdentity | None, TV(0x52, 6)] = None
    drx_parameter: Annotated[bytes | None, TV(0x5C, 3)] = None
    ms_network_capability: Annotated[MSNetworkCapability | None, TLV(0x31, 4, 10)] = None
    old_location_area_identification: Annotated[Lai | None, TV(0x13, 6)] = None
    tmsi_status: Annotated[int | None, TV(0x9, 1)] = None
    mobile_station_classmark_2: Annotated[bytes | None, TLV(0x11, 5)] = None
    mobile_station_classmark_3: Annotated[bytes | None, TLV(0x20, 2, 34)] = None
    supported_codecs: Annotated[bytes | None, TLV(0x40, 5, N)] = None
    additional_update_type: Annotated[int | None, TV(0xF, 1)] = None
    voice_domain_preference: Annotated[VoiceDomainPreference | None, TLV(0x5D, 3)] = None
    device_properties: Annotated[int | None, TV(0xD, 1)] = None
    old_guti_type: Annotated[int | None, TV(0xE, 1)] = None
    ms_network_feature_support: Annotated[int | None, TV(0xC, 1)] = None
    tmsi_based_nri_container: Annotated[bytes | None, TLV(0x10, 4)] = None
    t3324_value: Annotated[GprsTimer | None, TLV(0x6A, 3)] = None
    t3412_extended_value: Annotated[GprsTimer3 | None, TLV(0x5E, 3)] = None
    extended_drx_parameters: Annotated[bytes | None, TLV(0x6E, 3)] = None
    ue_additional_security_capability: Annotated[UEAdditionalSecurityCapability | None, TLV(0x6F, 6)] = None
    ue_status: Annotated[UEStatus | None, TLV(0x6D, 3)] = None
    additional_information_requested: Annotated[int | None, TV(0x17, 2)] = None
    n1_ue_network_capability: Annotated[bytes | None, TLV(0x32, 3, 15)] = None
    ue_radio_capability_id_availability: Annotated[bytes | None, TLV(0x34, 3)] = None
    requested_wus_assistance_information: Annotated[bytes | None, TLV(0x35, 3, N)] = None
    drx_parameter_in_nb_s1_mode: Annotated[bytes | None, TLV(0x36, 3)] = None
    requested_imsi_offset: Annotated[bytes | None, TLV(0x38, 4)] = None


@emm(0x42, "Attach accept", "TS 24.301, 8.2.1")
@dataclass(slots=True, kw_only=True, repr=False)
class AttachAccept(EmmMessage):
    """Network to UE. The container holds an Activate default EPS bearer context request."""

    eps_attach_result: Annotated[int, V(HALF)]
    t3412_value: Annotated[GprsTimer, V(1)]
    tai_list: Annotated[TaiList, LV(7, 97)]
    esm_message_container: Annotated[bytes, LV_E(5, N)]
    guti: Annotated[EpsMobileIdentity | None, TLV(0x50, 13)] = None
    location_area_identification: Annotated[Lai | None, TV(0x13, 6)] = None
    ms_identity: Annotated[MobileIdentity | None, TLV(0x23, 7, 10)] = None
    emm_cause: Annotated[int | None, TV(0x53, 2)] = None
    t3402_value: Annotated[GprsTimer | None, TV(0x17, 2)] = None
    t3423_value: Annotated[GprsTimer | None, TV(0x59, 2)] = None
    equivalent_plmns: Annotated[PlmnList | None, TLV(0x4A, 5, 47)] = None
    emergency_number_list: Annotated[bytes | None, TLV(0x34, 5, 50)] = None
    eps_network_feature_support: Annotated[EPSNetworkFeatureSupport | None, TLV(0x64, 3, 5)] = None
    additional_update_result: Annotated[int | None, TV(0xF, 1)] = None
    t3412_extended_value: Annotated[GprsTimer3 | None, TLV(0x5E, 3)] = None
    t3324_value: Annotated[GprsTimer | None, TLV(0x6A, 3)] = None
    extended_drx_parameters: Annotated[bytes | None, TLV(0x6E, 3)] = None
    dcn_id: Annotated[int | None, TLV(0x65, 4)] = None
    sms_services_status: Annotated[int | None, TV(0xE, 1)] = None
    non_3gpp_nw_provided_policies: Annotated[int | None, TV(0xD, 1)] = None
    t3448_value: Annotated[GprsTimer | None, TLV(0x6B, 3)] = None
    network_policy: Annotated[int | None, TV(0xC, 1)] = None
    t3447_value: Annotated[GprsTimer3 | None, TLV(0x6C, 3)] = None
    extended_emergency_number_list: Annotated[bytes | None, TLV_E(0x7A, 7, N)] = None
    ciphering_key_data: Annotated[bytes | None, TLV_E(0x7C, 35, 2291)] = None
    ue_radio_capability_id: Annotated[bytes | None, TLV(0x66, 3, N)] = None
    ue_radio_capability_id_deletion_indication: Annotated[int | None, TV(0xB, 1)] = None
    negotiated_wus_assistance_information: Annotated[bytes | None, TLV(0x35, 3, N)] = None
    negotiated_drx_parameter_in_nb_s1_mode: Annotated[bytes | None, TLV(0x36, 3)] = None
    negotiated_imsi_offset: Annotated[bytes | None, TLV(0x38, 4)] = None
    forbidden_tais_for_roaming: Annotated[TaiList | None, TLV(0x1D, 8, 98)] = None
    forbidden_tais_for_regional_provision: Annotated[TaiList | None, TLV(0x1E, 8, 98)] = None


@emm(0x43, "Attach complete", "TS 24.301, 8.2.2")
@dataclass(slots=True, kw_only=True, repr=False)
class AttachComplete(EmmMessage):
    """UE to network. The container holds an Activate default EPS bearer context accept."""

    esm_message_container: Annotated[bytes, LV_E(5, N)]


@emm(0x44, "Attach reject", "TS 24.301, 8.2.3")
@dataclass(slots=True, kw_only=True, repr=False)
class AttachReject(EmmMessage):
    """Network to UE. With cause #19 the container holds a PDN connectivity reject."""

    emm_cause: Annotated[int, V(1)]
    esm_message_container: Annotated[bytes | None, TLV_E(0x78, 6, N)] = None
    t3346_value: Annotated[GprsTimer | None, TLV(0x5F, 3)] = None
    t3402_value: Annotated[GprsTimer | None, TLV(0x16, 3)] = None
    extended_emm_cause: Annotated[int | None, TV(0xA, 1)] = None
    lower_bound_timer_value: Annotated[GprsTimer3 | None, TLV(0x1C, 3)] = None
    forbidden_tais_for_roaming: Annotated[TaiList | None, TLV(0x1D, 8, 98)] = None
    forbidden_tais_for_regional_provision: Annotated[TaiList | None, TLV(0x1E, 8, 98)] = None


@emm(0x45, "Detach request", "TS 24.301, 8.2.11.1", "uplink")
@dataclass(slots=True, kw_only=True, repr=False)
class DetachRequestUEOriginating(EmmMessage):
    """UE to network: one of `values.UeDetachType`, plus `SWITCH_OFF`."""

    detach_type: Annotated[int, V(HALF)]
    nas_key_set_identifier: Annotated[int, V(HALF)]
    eps_mobile_identity: Annotated[EpsMobileIdentity, LV(5, 12)]


@emm(0x45, "Detach request", "TS 24.301, 8.2.11.2", "downlink")
@dataclass(slots=True, kw_only=True, repr=False)
class DetachRequestUETerminated(EmmMessage):
    """Network to UE: one of `values.NetworkDetachType`."""

    detach_type: Annotated[int, V(HALF)]
    emm_cause: Annotated[int | None, TV(0x53, 2)] = None
    lower_bound_timer_value: Annotated[GprsTimer3 | None, TLV(0x1C, 3)] = None
    forbidden_tais_for_roaming: Annotated[TaiList | None, TLV(0x1D, 8, 98)] = None
    forbidden_tais_for_regional_provision: Annotated[TaiList | None, TLV(0x1E, 8, 98)] = None


@emm(0x46, "Detach accept", "TS 24.301, 8.2.10")
@dataclass(slots=True, kw_only=True, repr=False)
class DetachAccept(EmmMessage):
    """Both ways, the same layout."""


@emm(0x48, "Tracking area update request", "TS 24.301, 8.2.29")
@dataclass(slots=True, kw_only=True, repr=False)
class TrackingAreaUpdateRequest(EmmMessage):
    """UE to network."""

    eps_update_type: Annotated[int, V(HALF)]
    nas_key_set_identifier: Annotated[int, V(HALF)]
    old_guti: Annotated[EpsMobileIdentity, LV(12)]
    non_current_native_nas_key_set_identifier: Annotated[int | None, TV(0xB, 1)] = None
    gprs_ciphering_key_sequence_number: Annotated[int | None, TV(0x8, 1)] = None
    old_p_tmsi_signature: Annotated[bytes | None, TV(0x19, 4)] = None
    additional_guti: Annotated[EpsMobileIdentity | None, TLV(0x50, 13)] = None
    nonce_ue: Annotated[bytes | None, TV(0x55, 5)] = None
    ue_network_capability: Annotated[UENetworkCapability | None, TLV(0x58, 4, 15)] = None
    last_visited_registered_tai: Annotated[TrackingAreaIdentity | None, TV(0x52, 6)] = None
    drx_parameter: Annotated[bytes | None, TV(0x5C, 3)] = None
    ue_radio_capability_information_update_needed: Annotated[int | None, TV(0xA, 1)] = None
    eps_bearer_context_status: Annotated[EPSBearerContextStatus | None, TLV(0x57, 4)] = None
    ms_network_capability: Annotated[MSNetworkCapability | None, TLV(0x31, 4, 10)] = None
    old_location_area_identification: Annotated[Lai | None, TV(0x13, 6)] = None
    tmsi_status: Annotated[int | None, TV(0x9, 1)] = None
    mobile_station_classmark_2: Annotated[bytes | None, TLV(0x11, 5)] = None
    mobile_station_classmark_3: Annotated[bytes | None, TLV(0x20, 2, 34)] = None
    supported_codecs: Annotated[bytes | None, TLV(0x40, 5, N)] = None
    additional_update_type: Annotated[int | None, TV(0xF, 1)] = None
    voice_domain_preference: Annotated[VoiceDomainPreference | None, TLV(0x5D, 3)] = None
    old_guti_type: Annotated[int | None, TV(0xE, 1)] = None
    device_properties: Annotated[int | None, TV(0xD, 1)] = None
    ms_network_feature_support: Annotated[int | None, TV(0xC, 1)] = None
    tmsi_based_nri_container: Annotated[bytes | None, TLV(0x10, 4)] = None
    t3324_value: Annotated[GprsTimer | None, TLV(0x6A, 3)] = None
    t3412_extended_value: Annotated[GprsTimer3 | None, TLV(0x5E, 3)] = None
    extended_drx_parameters: Annotated[bytes | None, TLV(0x6E, 3)] = None
    ue_additional_security_capability: Annotated[UEAdditionalSecurityCapability | None, TLV(0x6F, 6)] = None
    ue_status: Annotated[UEStatus | None, TLV(0x6D, 3)] = None
    additional_information_requested: Annotated[int | None, TV(0x17, 2)] = None
    n1_ue_network_capability: Annotated[bytes | None, TLV(0x32, 3, 15)] = None
    ue_radio_capability_id_availability: Annotated[bytes | None, TLV(0x34, 3)] = None
    requested_wus_assistance_information: Annotated[bytes | None, TLV(0x35, 3, N)] = None
    drx_parameter_in_nb_s1_mode: Annotated[bytes | None, TLV(0x36, 3)] = None
    requested_imsi_offset: Annotated[bytes | None, TLV(0x38, 4)] = None
    ue_request_type: Annotated[bytes | None, TLV(0x29, 3)] = None
    paging_restriction: Annotated[bytes | None, TLV(0x28, 3, 5)] = None


@emm(0x49, "Tracking area update accept", "TS 24.301, 8.2.26")
@dataclass(slots=True, kw_only=True, repr=False)
class TrackingAreaUpdateAccept(EmmMessage):
    """Network to UE."""

    eps_update_result: Annotated[int, V(HALF)]
    t3412_value: Annotated[GprsTimer | None, TV(0x5A, 2)] = None
    guti: Annotated[EpsMobileIdentity | None, TLV(0x50, 13)] = None
    tai_list: Annotated[TaiList | None, TLV(0x54, 8, 98)] = None
    eps_bearer_context_status: Annotated[EPSBearerContextStatus | None, TLV(0x57, 4)] = None
    location_area_identification: Annotated[Lai | None, TV(0x13, 6)] = None
    ms_identity: Annotated[MobileIdentity | None, TLV(0x23, 7, 10)] = None
    emm_cause: Annotated[int | None, TV(0x53, 2)] = None
    t3402_value: Annotated[GprsTimer | None, TV(0x17, 2)] = None
    t3423_value: Annotated[GprsTimer | None, TV(0x59, 2)] = None
    equivalent_plmns: Annotated[PlmnList | None, TLV(0x4A, 5, 47)] = None
    emergency_number_list: Annotated[bytes | None, TLV(0x34, 5, 50)] = None
    eps_network_feature_support: Annotated[EPSNetworkFeatureSupport | None, TLV(0x64, 3, 5)] = None
    additional_update_result: Annotated[int | None, TV(0xF, 1)] = None
    t3412_extended_value: Annotated[GprsTimer3 | None, TLV(0x5E, 3)] = None
    t3324_value: Annotated[GprsTimer | None, TLV(0x6A, 3)] = None
    extended_drx_parameters: Annotated[bytes | None, TLV(0x6E, 3)] = None
    header_compression_configuration_status: Annotated[bytes | None, TLV(0x68, 4)] = None
    dcn_id: Annotated[int | None, TLV(0x65, 4)] = None
    sms_services_status: Annotated[int | None, TV(0xE, 1)] = None
    non_3gpp_nw_provided_policies: Annotated[int | None, TV(0xD, 1)] = None
    t3448_value: Annotated[GprsTimer | None, TLV(0x6B, 3)] = None
    network_policy: Annotated[int | None, TV(0xC, 1)] = None
    t3447_value: Annotated[GprsTimer3 | None, TLV(0x6C, 3)] = None
    extended_emergency_number_list: Annotated[bytes | None, TLV_E(0x7A, 7, N)] = None
    ciphering_key_data: Annotated[bytes | None, TLV_E(0x7C, 35, 2291)] = None
    ue_radio_capability_id: Annotated[bytes | None, TLV(0x66, 3, N)] = None
    ue_radio_capability_id_deletion_indication: Annotated[int | None, TV(0xB, 1)] = None
    negotiated_wus_assistance_information: Annotated[bytes | None, TLV(0x35, 3, N)] = None
    negotiated_drx_parameter_in_nb_s1_mode: Annotated[bytes | None, TLV(0x36, 3)] = None
    negotiated_imsi_offset: Annotated[bytes | None, TLV(0x38, 4)] = None
    eps_additional_request_result: Annotated[bytes | None, TLV(0x37, 3)] = None
    forbidden_tais_for_roaming: Annotated[TaiList | None, TLV(0x1D, 8, 98)] = None
    forbidden_tais_for_regional_provision: Annotated[TaiList | None, TLV(0x1E, 8, 98)] = None


@emm(0x4A, "Tracking area update complete", "TS 24.301, 8.2.27")
@dataclass(slots=True, kw_only=True, repr=False)
class TrackingAreaUpdateComplete(EmmMessage):
    """UE to network: acknowledges a new GUTI."""


@emm(0x4B, "Tracking area update reject", "TS 24.301, 8.2.28")
@dataclass(slots=True, kw_only=True, repr=False)
class TrackingAreaUpdateReject(EmmMessage):
    """Network to UE."""

    emm_cause: Annotated[int, V(1)]
    t3346_value: Annotated[GprsTimer | None, TLV(0x5F, 3)] = None
    extended_emm_cause: Annotated[int | None, TV(0xA, 1)] = None
    lower_bound_timer_value: Annotated[GprsTimer3 | None, TLV(0x1C, 3)] = None
    forbidden_tais_for_roaming: Annotated[TaiList | None, TLV(0x1D, 8, 98)] = None
    forbidden_tais_for_regional_provision: Annotated[TaiList | None, TLV(0x1E, 8, 98)] = None
