# SPDX-License-Identifier: Apache-2.0
"""A message of every class, with its mandatory elements only and with every optional one.

Values are chosen by field name, so that a new message or element without one fails loudly.
"""

import itertools
from dataclasses import MISSING, fields
from datetime import datetime, timedelta, timezone
from ipaddress import IPv4Address
from typing import Any

from dialtone.codec import nas
from dialtone.codec.nas import bitrates, capabilities, identities, ies
from dialtone.codec.nas.tables import DOWNLINK, UPLINK, NasMessage
from dialtone.codec.pco import Id, PppPacket, ProtocolConfigurationOptions
from dialtone.ids import Guti, Plmn, Tai

HOME = Plmn("001", "01")
GUTI = Guti(HOME, 0x0102, 0x7F, 0xC0FFEE42)
TAIS = identities.TaiList.of(Tai(HOME, 1), Tai(HOME, 7))
H = bytes.fromhex

TFT = H("21" "30000e" "3011" "100a2d0002ffffffff" "500bb8")  # one filter: UDP to an address and a port
VALUES: dict[str, Any] = {
    "eps_bearer_identity": 5,
    "procedure_transaction_identity": 1,
    "eps_attach_type": 2,
    "eps_attach_result": 1,
    "nas_key_set_identifier": 3,
    "eps_mobile_identity": identities.Imsi("001010123456789"),
    "ue_network_capability": capabilities.UENetworkCapability(H("f0f0c0c0190080")),
    "esm_message_container": H("0201d011"),
    "old_p_tmsi_signature": H("a1b2c3"),
    "additional_guti": GUTI,
    "guti": GUTI,
    "old_guti": GUTI,
    "last_visited_registered_tai": Tai(Plmn("310", "410"), 0xFFFE),
    "drx_parameter": H("0a00"),
    "ms_network_capability": capabilities.MSNetworkCapability(H("e5e03e")),
    "old_location_area_identification": identities.Lai(HOME, 0x1234),
    "location_area_identification": identities.Lai(HOME, 0x1234),
    "tmsi_status": 1,
    "mobile_station_classmark_2": H("5758a6"),
    "mobile_station_classmark_3": H("601404e291810f1a1e50"),
    "supported_codecs": H("04026004000 21f02".replace(" ", "")),
    "additional_update_type": 2,
    "voice_domain_preference": ies.VoiceDomainPreference(3),
    "device_properties": 1,
    "old_guti_type": 1,
    "ms_network_feature_support": 1,
    "tmsi_based_nri_container": H("1240"),
    "t3324_value": ies.GprsTimer.of(60),
    "t3346_value": ies.GprsTimer.of(120),
    "t3402_value": ies.GprsTimer.of(720),
    "t3412_value": ies.GprsTimer.of(54 * 60),
    "t3423_value": ies.GprsTimer.of(None),
    "t3442_value": ies.GprsTimer.of(4),
    "t3448_value": ies.GprsTimer.of(60),
    "t3412_extended_value": ies.GprsTimer3.of(3 * 3600),
    "t3447_value": ies.GprsTimer3.of(3600),
    "t3396_value": ies.GprsTimer3.of(90),
    "back_off_timer_value": ies.GprsTimer3.of(90),
    "lower_bound_timer_value": ies.GprsTimer3.of(36000),
    "extended_drx_parameters": H("5d"),
    "ue_additional_security_capability": capabilities.UEAdditionalSecurityCapability(H("e000e000")),
    "replayed_ue_additional_security_capability": capabilities.UEAdditionalSecurityCapability(H("e000e000")),
    "ue_status": capabilities.UEStatus(H("01")),
    "additional_information_requested": 1,
    "n1_ue_network_capability": H("21"),
    "ue_radio_capability_id_availability": H("01"),
    "requested_wus_assistance_information": H("0a"),
    "negotiated_wus_assistance_information": H("0a"),
    "drx_parameter_in_nb_s1_mode": H("03"),
    "negotiated_drx_parameter_in_nb_s1_mode": H("03"),
    "requested_imsi_offset": H("0123"),
    "negotiated_imsi_offset": H("0123"),
    "tai_list": TAIS,
    "forbidden_tais_for_roaming": TAIS,
    "forbidden_tais_for_regional_provision": TAIS,
    "ms_identity": identities.Tmsi(0xDEADBEEF),
    "m_tmsi": identities.Tmsi(0xDEADBEEF),
    "mobile_identity": identities.Imei("350000000000006"),
    "imeisv": identities.Imeisv("3500000000000612"),
    "emm_cause": 18,
    "esm_cause": 50,
    "equivalent_plmns": (Plmn("001", "02"), Plmn("310", "410")),
    "emergency_number_list": H("031f11f2"),
    "extended_emergency_number_list": H("0002c4e300"),
    "eps_network_feature_support": capabilities.EPSNetworkFeatureSupport.of(ims_vops=True, emc_bs=True),
    "additional_update_result": 2,
    "dcn_id": 0x0102,
    "sms_services_status": 1,
    "non_3gpp_nw_provided_policies": 1,
    "network_policy": 1,
    "ciphering_key_data": bytes(32),
    "ue_radio_capability_id": H("123456"),
    "ue_radio_capability_id_deletion_indication": 1,
    "extended_emm_cause": 1,
    "detach_type": 1,
    "eps_update_type": 3,
    "eps_update_result": 1,
    "non_current_native_nas_key_set_identifier": 2,
    "gprs_ciphering_key_sequence_number": 5,
    "nonce_ue": H("01020304"),
    "nonce_mme": H("05060708"),
    "replayed_nonce_ue": H("01020304"),
    "ue_radio_capability_information_update_needed": 1,
    "eps_bearer_context_status": capabilities.EPSBearerContextStatus.of({5, 6}),
    "ue_request_type": H("01"),
    "paging_restriction": H("01"),
    "header_compression_configuration_status": H("2000"),
    "eps_additional_request_result": H("01"),
    "rand": bytes(range(16)),
    "autn": bytes(range(16, 32)),
    "res": bytes(range(8)),
    "authentication_failure_parameter": bytes(range(14)),
    "identity_type": 1,
    "selected_nas_security_algorithms": ies.NasSecurityAlgorithms.of(0, 2),
    "replayed_ue_security_capabilities": capabilities.UESecurityCapability(H("f0f0c04070")),
    "imeisv_request": 1,
    "hash_mme": bytes(range(8)),
    "ue_radio_capability_id_request": H("01"),
    "replayed_nas_message_container": H("07417208091010103254769802e0e0000402 01d011".replace(" ", "")),
    "full_name_for_network": ies.NetworkName.of("Dialtone"),
    "short_name_for_network": ies.NetworkName.of("電話"),
    "local_time_zone": timedelta(hours=-3, minutes=-30),
    "universal_time_and_local_time_zone": datetime(2031, 12, 31, 23, 30, 59, tzinfo=timezone(timedelta(hours=1))),
    "network_daylight_saving_time": 1,
    "service_type": 1,
    "csfb_response": 1,
    "nas_message_container": H("09010100"),
    "eps_qos": bitrates.EpsQos.of(9),
    "new_eps_qos": bitrates.EpsQos.of(1, 41, 41, 41, 41),
    "required_traffic_flow_qos": bitrates.EpsQos.of(1, 41, 41, 41, 41),
    "extended_eps_qos": H("06000a000a06000a000a"),
    "access_point_name": "internet.mnc001.mcc001.gprs",
    "pdn_address": ies.PdnAddress(1, IPv4Address("10.45.0.2")),
    "transaction_identifier": H("08"),
    "negotiated_qos": H("0b921f7396fffe94ffff 0000".replace(" ", "")),
    "new_qos": H("0b921f7396fffe94ffff 0000".replace(" ", "")),
    "negotiated_llc_sapi": 3,
    "radio_priority": 2,
    "packet_flow_identifier": H("02"),
    "apn_ambr": bitrates.ApnAmbr.of(50_000, 25_000),
    "extended_apn_ambr": H("030001030001"),
    "protocol_configuration_options": ProtocolConfigurationOptions(
        [(Id.IPCP, PppPacket.of_options(1, 0, [(129, bytes(4))]).to_bytes()), (Id.DNS_IPV4, b""), (Id.P_CSCF_IPV4, b"")]
    ),
    "extended_protocol_configuration_options": ProtocolConfigurationOptions([(Id.IPV4_LINK_MTU, H("0578"))]),
    "connectivity_type": 1,
    "wlan_offload_indication": 1,
    "nbifom_container": H("010100"),
    "header_compression_configuration": H("02000f"),
    "control_plane_only_indication": 1,
    "serving_plmn_rate_control": H("0064"),
    "request_type": 1,
    "pdn_type": 3,
    "esm_information_transfer_flag": 1,
    "linked_eps_bearer_identity": 5,
    "eps_bearer_identity_for_packet_filter": 6,
    "re_attempt_indicator": 1,
    "tft": TFT,
    "traffic_flow_aggregate": TFT,
}

CLASSES: list[tuple[type[NasMessage], bool]] = [
    (cls, downlink)
    for cls, downlink in itertools.chain(
        ((cls, False) for cls in UPLINK.values()),
        ((cls, True) for cls in DOWNLINK.values() if cls not in UPLINK.values()),
    )
]
"""Every message class, and whether it must be read as downlink."""


def minimal(cls: type[NasMessage]) -> NasMessage:
    """The message with its mandatory elements."""
    needed = [item.name for item in fields(cls) if item.default is MISSING and item.default_factory is MISSING]
    return cls(**{name: VALUES[name] for name in needed})


def optional_names(cls: type[NasMessage]) -> list[str]:
    """The names of the optional elements."""
    return [item.name for item in fields(cls) if item.default is None]


def full(cls: type[NasMessage], without: tuple[str, ...] = ()) -> NasMessage:
    """The message with every element."""
    names = [item.name for item in fields(cls) if item.name != "unknown_ies" and item.name not in without]
    return cls(**{name: VALUES[name] for name in names})


SERVICE_REQUEST = nas.ServiceRequest(nas_key_set_identifier=3, sequence_number=17, short_mac=H("beef"))

NOT_IN_PYCRATE = {
    # Release 16 and later
    "ue_radio_capability_id_availability", "requested_wus_assistance_information", "drx_parameter_in_nb_s1_mode",
    "requested_imsi_offset", "negotiated_wus_assistance_information", "negotiated_drx_parameter_in_nb_s1_mode",
    "negotiated_imsi_offset", "ue_request_type", "paging_restriction", "eps_additional_request_result",
    "lower_bound_timer_value", "forbidden_tais_for_roaming", "forbidden_tais_for_regional_provision",
    "ue_radio_capability_id_request",
    # its CSN.1 coder does not give back the octets of a classmark 3
    "mobile_station_classmark_3",
    # it gives Additional information requested no length there, and all that follows is its value
    "additional_information_requested",
    # Attach accept has no DCN-ID there (Release 13, TS 24.301, 8.2.1.15)
    "dcn_id",
    # Service reject has T3346 under 5C there; it is 5F (TS 24.301, table 8.2.24.1)
    "t3346_value",
}  # fmt: skip
