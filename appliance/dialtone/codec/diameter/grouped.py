# SPDX-License-Identifier: Apache-2.0
"""Grouped AVPs of the base protocol and of S6a (RFC 6733; TS 29.272, 7.3; TS 29.212, 5.3; TS 29.229, 6.3)."""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.diameter.table import Avps
from dialtone.codec.diameter.types import Address
from dialtone.ids import Plmn


@dataclass(slots=True, kw_only=True)
class VendorSpecificApplicationId(Avps):
    """RFC 6733, 6.11."""

    vendor_id: Annotated[int, "{ Vendor-Id }"]
    auth_application_id: Annotated[int | None, "[ Auth-Application-Id ]"] = None
    acct_application_id: Annotated[int | None, "[ Acct-Application-Id ]"] = None


@dataclass(slots=True, kw_only=True)
class ExperimentalResult(Avps):
    """RFC 6733, 7.6."""

    vendor_id: Annotated[int, "{ Vendor-Id }"]
    experimental_result_code: Annotated[int, "{ Experimental-Result-Code }"]


@dataclass(slots=True, kw_only=True)
class ProxyInfo(Avps):
    """RFC 6733, 6.7.2; an answer repeats those of its request."""

    proxy_host: Annotated[str, "{ Proxy-Host }"]
    proxy_state: Annotated[bytes, "{ Proxy-State }"]


@dataclass(slots=True, kw_only=True)
class SupportedFeatures(Avps):
    """TS 29.229, 6.3.29."""

    vendor_id: Annotated[int, "{ Vendor-Id }"]
    feature_list_id: Annotated[int, "{ Feature-List-ID }"]
    feature_list: Annotated[int, "{ Feature-List }"]


@dataclass(slots=True, kw_only=True)
class TerminalInformation(Avps):
    """TS 29.272, 7.3.3. IMEI of 14 or 15 digits, software version of 2."""

    imei: Annotated[str | None, "[ IMEI ]"] = None
    meid_3gpp2: Annotated[bytes | None, "[ 3GPP2-MEID ]"] = None
    software_version: Annotated[str | None, "[ Software-Version ]"] = None


@dataclass(slots=True, kw_only=True)
class RequestedEutranAuthenticationInfo(Avps):
    """TS 29.272, 7.3.11. `re_synchronization_info` is RAND (16 octets) and AUTS (14)."""

    number_of_requested_vectors: Annotated[int | None, "[ Number-Of-Requested-Vectors ]"] = None
    immediate_response_preferred: Annotated[int | None, "[ Immediate-Response-Preferred ]"] = None
    re_synchronization_info: Annotated[bytes | None, "[ Re-Synchronization-Info ]"] = None


@dataclass(slots=True, kw_only=True)
class RequestedUtranGeranAuthenticationInfo(Avps):
    """TS 29.272, 7.3.12."""

    number_of_requested_vectors: Annotated[int | None, "[ Number-Of-Requested-Vectors ]"] = None
    immediate_response_preferred: Annotated[int | None, "[ Immediate-Response-Preferred ]"] = None
    re_synchronization_info: Annotated[bytes | None, "[ Re-Synchronization-Info ]"] = None


@dataclass(slots=True, kw_only=True)
class EutranVector(Avps):
    """TS 29.272, 7.3.18. RAND and AUTN 16 octets, XRES 4 to 16, KASME 32."""

    item_number: Annotated[int | None, "[ Item-Number ]"] = None
    rand: Annotated[bytes, "{ RAND }"]
    xres: Annotated[bytes, "{ XRES }"]
    autn: Annotated[bytes, "{ AUTN }"]
    kasme: Annotated[bytes, "{ KASME }"]


@dataclass(slots=True, kw_only=True)
class AuthenticationInfo(Avps):
    """TS 29.272, 7.3.17."""

    eutran_vector: Annotated[tuple[EutranVector, ...], "* [ E-UTRAN-Vector ]"] = ()


@dataclass(slots=True, kw_only=True)
class Ambr(Avps):
    """TS 29.272, 7.3.41, in bit/s."""

    max_requested_bandwidth_ul: Annotated[int, "{ Max-Requested-Bandwidth-UL }"]
    max_requested_bandwidth_dl: Annotated[int, "{ Max-Requested-Bandwidth-DL }"]


@dataclass(slots=True, kw_only=True)
class AllocationRetentionPriority(Avps):
    """TS 29.272, 7.3.40. Priority 1 to 15; capability and vulnerability 0 enabled, 1 disabled (TS 29.212, 5.3.46)."""

    priority_level: Annotated[int, "{ Priority-Level }"]
    pre_emption_capability: Annotated[int | None, "[ Pre-emption-Capability ]"] = None
    pre_emption_vulnerability: Annotated[int | None, "[ Pre-emption-Vulnerability ]"] = None


@dataclass(slots=True, kw_only=True)
class EpsSubscribedQosProfile(Avps):
    """TS 29.272, 7.3.37."""

    qos_class_identifier: Annotated[int, "{ QoS-Class-Identifier }"]
    allocation_retention_priority: Annotated[AllocationRetentionPriority, "{ Allocation-Retention-Priority }"]


@dataclass(slots=True, kw_only=True)
class MipHomeAgentHost(Avps):
    """RFC 4004, 7.11."""

    destination_realm: Annotated[str, "{ Destination-Realm }"]
    destination_host: Annotated[str, "{ Destination-Host }"]


@dataclass(slots=True, kw_only=True)
class Mip6AgentInfo(Avps):
    """TS 29.272, 7.3.45: the P-GW, by address or by name."""

    mip_home_agent_address: Annotated[tuple[Address, ...], "*2 [ MIP-Home-Agent-Address ]"] = ()
    mip_home_agent_host: Annotated[MipHomeAgentHost | None, "[ MIP-Home-Agent-Host ]"] = None


@dataclass(slots=True, kw_only=True)
class SpecificApnInfo(Avps):
    """TS 29.272, 7.3.82."""

    service_selection: Annotated[str, "{ Service-Selection }"]
    mip6_agent_info: Annotated[Mip6AgentInfo, "{ MIP6-Agent-Info }"]
    visited_network_identifier: Annotated[bytes | None, "[ Visited-Network-Identifier ]"] = None


@dataclass(slots=True, kw_only=True)
class ApnConfiguration(Avps):
    """TS 29.272, 7.3.35. `pdn_type` 0 IPv4, 1 IPv6, 2 IPv4v6, 3 IPv4 or IPv6; `service_selection` is the APN or `*`."""

    context_identifier: Annotated[int, "{ Context-Identifier }"]
    served_party_ip_address: Annotated[tuple[Address, ...], "*2 [ Served-Party-IP-Address ]"] = ()
    pdn_type: Annotated[int, "{ PDN-Type }"]
    service_selection: Annotated[str, "{ Service-Selection }"]
    eps_subscribed_qos_profile: Annotated[
        EpsSubscribedQosProfile | None, "[ EPS-Subscribed-QoS-Profile ]"
    ] = None
    vplmn_dynamic_address_allowed: Annotated[int | None, "[ VPLMN-Dynamic-Address-Allowed ]"] = None
    mip6_agent_info: Annotated[Mip6AgentInfo | None, "[ MIP6-Agent-Info ]"] = None
    visited_network_identifier: Annotated[bytes | None, "[ Visited-Network-Identifier ]"] = None
    pdn_gw_allocation_type: Annotated[int | None, "[ PDN-GW-Allocation-Type ]"] = None
    charging_characteristics: Annotated[str | None, "[ 3GPP-Charging-Characteristics ]"] = None
    ambr: Annotated[Ambr | None, "[ AMBR ]"] = None
    specific_apn_info: Annotated[tuple[SpecificApnInfo, ...], "* [ Specific-APN-Info ]"] = ()
    apn_oi_replacement: Annotated[str | None, "[ APN-OI-Replacement ]"] = None


@dataclass(slots=True, kw_only=True)
class ApnConfigurationProfile(Avps):
    """TS 29.272, 7.3.34. `context_identifier` names the default APN configuration."""

    context_identifier: Annotated[int, "{ Context-Identifier }"]
    all_apn_configurations_included_indicator: Annotated[int, "{ All-APN-Configurations-Included-Indicator }"]
    apn_configuration: Annotated[tuple[ApnConfiguration, ...], "1* { APN-Configuration }"]


@dataclass(slots=True, kw_only=True)
class SubscriptionData(Avps):
    """TS 29.272, 7.3.2."""

    subscriber_status: Annotated[int | None, "[ Subscriber-Status ]"] = None
    msisdn: Annotated[str | None, "[ MSISDN ]"] = None
    a_msisdn: Annotated[str | None, "[ A-MSISDN ]"] = None
    stn_sr: Annotated[bytes | None, "[ STN-SR ]"] = None
    ics_indicator: Annotated[int | None, "[ ICS-Indicator ]"] = None
    network_access_mode: Annotated[int | None, "[ Network-Access-Mode ]"] = None
    operator_determined_barring: Annotated[int | None, "[ Operator-Determined-Barring ]"] = None
    hplmn_odb: Annotated[int | None, "[ HPLMN-ODB ]"] = None
    regional_subscription_zone_code: Annotated[
        tuple[bytes, ...], "*10 [ Regional-Subscription-Zone-Code ]"
    ] = ()
    access_restriction_data: Annotated[int | None, "[ Access-Restriction-Data ]"] = None
    apn_oi_replacement: Annotated[str | None, "[ APN-OI-Replacement ]"] = None
    charging_characteristics: Annotated[str | None, "[ 3GPP-Charging-Characteristics ]"] = None
    ambr: Annotated[Ambr | None, "[ AMBR ]"] = None
    apn_configuration_profile: Annotated[ApnConfigurationProfile | None, "[ APN-Configuration-Profile ]"] = None
    rat_frequency_selection_priority_id: Annotated[int | None, "[ RAT-Frequency-Selection-Priority-ID ]"] = None
    roaming_restricted_due_to_unsupported_feature: Annotated[
        int | None, "[ Roaming-Restricted-Due-To-Unsupported-Feature ]"
    ] = None
    subscribed_periodic_rau_tau_timer: Annotated[int | None, "[ Subscribed-Periodic-RAU-TAU-Timer ]"] = None
    mps_priority: Annotated[int | None, "[ MPS-Priority ]"] = None
    subscription_data_flags: Annotated[int | None, "[ Subscription-Data-Flags ]"] = None
    ue_usage_type: Annotated[int | None, "[ UE-Usage-Type ]"] = None


@dataclass(slots=True, kw_only=True)
class ActiveApn(Avps):
    """TS 29.272, 7.3.127."""

    context_identifier: Annotated[int, "{ Context-Identifier }"]
    service_selection: Annotated[str | None, "[ Service-Selection ]"] = None
    mip6_agent_info: Annotated[Mip6AgentInfo | None, "[ MIP6-Agent-Info ]"] = None
    visited_network_identifier: Annotated[bytes | None, "[ Visited-Network-Identifier ]"] = None
    specific_apn_info: Annotated[tuple[SpecificApnInfo, ...], "* [ Specific-APN-Info ]"] = ()


@dataclass(slots=True, kw_only=True)
class EquivalentPlmnList(Avps):
    """TS 29.272, 7.3.151; Adjacent-PLMNs has the same shape."""

    visited_plmn_id: Annotated[tuple[Plmn, ...], "1* { Visited-PLMN-Id }"]


@dataclass(slots=True, kw_only=True)
class SubscriptionDataDeletion(Avps):
    """TS 29.272, 7.3.208: what a Reset takes away from all subscribers it is about."""

    dsr_flags: Annotated[int, "{ DSR-Flags }"]
    context_identifier: Annotated[tuple[int, ...], "* [ Context-Identifier ]"] = ()


@dataclass(slots=True, kw_only=True)
class MmeUserState(Avps):
    """TS 29.272, 7.3.112."""

    user_state: Annotated[int | None, "[ User-State ]"] = None


@dataclass(slots=True, kw_only=True)
class EpsUserState(Avps):
    """TS 29.272, 7.3.110."""

    mme_user_state: Annotated[MmeUserState | None, "[ MME-User-State ]"] = None


@dataclass(slots=True, kw_only=True)
class MmeLocationInformation(Avps):
    """TS 29.272, 7.3.115. Cell and area are the values of their IEs (TS 29.274, 8.21); `age` in minutes."""

    e_utran_cell_global_identity: Annotated[bytes | None, "[ E-UTRAN-Cell-Global-Identity ]"] = None
    tracking_area_identity: Annotated[bytes | None, "[ Tracking-Area-Identity ]"] = None
    current_location_retrieved: Annotated[int | None, "[ Current-Location-Retrieved ]"] = None
    age: Annotated[int | None, "[ Age-Of-Location-Information ]"] = None


@dataclass(slots=True, kw_only=True)
class EpsLocationInformation(Avps):
    """TS 29.272, 7.3.111."""

    mme_location_information: Annotated[MmeLocationInformation | None, "[ MME-Location-Information ]"] = None


@dataclass(slots=True, kw_only=True)
class LocalTimeZone(Avps):
    """TS 29.272, 7.3.155: quarters of an hour, `+8` is two hours east of UTC (TS 22.042); and the summer time in it."""

    time_zone: Annotated[str, "{ Time-Zone }"]
    daylight_saving_time: Annotated[int, "{ Daylight-Saving-Time }"]
