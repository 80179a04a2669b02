# SPDX-License-Identifier: Apache-2.0
"""Commands of S6a between MME and HSS (TS 29.272, 7.2), application 16777251."""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.diameter.grouped import (
    ActiveApn,
    AuthenticationInfo,
    EpsLocationInformation,
    EpsUserState,
    EquivalentPlmnList,
    LocalTimeZone,
    Mip6AgentInfo,
    RequestedEutranAuthenticationInfo,
    RequestedUtranGeranAuthenticationInfo,
    SubscriptionData,
    SubscriptionDataDeletion,
    SupportedFeatures,
    TerminalInformation,
)
from dialtone.codec.diameter.session import SessionAnswer, SessionRequest
from dialtone.codec.diameter.table import command
from dialtone.codec.diameter.types import Address
from dialtone.ids import Plmn

S6A = 16777251


@command(316, S6A, "3GPP-Update-Location Request", "TS 29.272, 7.2.3")
@dataclass(slots=True, kw_only=True)
class UpdateLocationRequest(SessionRequest):
    """The MME serves this subscriber from now on."""

    user_name: Annotated[str, "{ User-Name }"]
    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
    terminal_information: Annotated[TerminalInformation | None, "[ Terminal-Information ]"] = None
    rat_type: Annotated[int, "{ RAT-Type }"]
    ulr_flags: Annotated[int, "{ ULR-Flags }"]
    ue_srvcc_capability: Annotated[int | None, "[ UE-SRVCC-Capability ]"] = None
    visited_plmn_id: Annotated[Plmn, "{ Visited-PLMN-Id }"]
    sgsn_number: Annotated[bytes | None, "[ SGSN-Number ]"] = None
    homogeneous_support_of_ims_voice_over_ps_sessions: Annotated[
        int | None, "[ Homogeneous-Support-of-IMS-Voice-Over-PS-Sessions ]"
    ] = None
    gmlc_address: Annotated[Address | None, "[ GMLC-Address ]"] = None
    active_apn: Annotated[tuple[ActiveApn, ...], "* [ Active-APN ]"] = ()
    equivalent_plmn_list: Annotated[EquivalentPlmnList | None, "[ Equivalent-PLMN-List ]"] = None
    mme_number_for_mt_sms: Annotated[bytes | None, "[ MME-Number-for-MT-SMS ]"] = None
    sms_register_request: Annotated[int | None, "[ SMS-Register-Request ]"] = None
    sgs_mme_identity: Annotated[str | None, "[ SGs-MME-Identity ]"] = None
    coupled_node_diameter_id: Annotated[str | None, "[ Coupled-Node-Diameter-ID ]"] = None
    adjacent_plmns: Annotated[EquivalentPlmnList | None, "[ Adjacent-PLMNs ]"] = None


@command(316, S6A, "3GPP-Update-Location Answer", "TS 29.272, 7.2.4")
@dataclass(slots=True, kw_only=True)
class UpdateLocationAnswer(SessionAnswer):
    """The subscription."""

    error_diagnostic: Annotated[int | None, "[ Error-Diagnostic ]"] = None
    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
    ula_flags: Annotated[int | None, "[ ULA-Flags ]"] = None
    subscription_data: Annotated[SubscriptionData | None, "[ Subscription-Data ]"] = None
    reset_id: Annotated[tuple[bytes, ...], "* [ Reset-ID ]"] = ()


@command(317, S6A, "3GPP-Cancel-Location Request", "TS 29.272, 7.2.7")
@dataclass(slots=True, kw_only=True)
class CancelLocationRequest(SessionRequest):
    """The MME no longer serves this subscriber; `cancellation_type` of TS 29.272, 7.3.24."""

    destination_host: Annotated[str, "{ Destination-Host }"]
    user_name: Annotated[str, "{ User-Name }"]
    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
    cancellation_type: Annotated[int, "{ Cancellation-Type }"]
    clr_flags: Annotated[int | None, "[ CLR-Flags ]"] = None


@command(317, S6A, "3GPP-Cancel-Location Answer", "TS 29.272, 7.2.8")
@dataclass(slots=True, kw_only=True)
class CancelLocationAnswer(SessionAnswer):
    """The answer to Cancel-Location-Request."""

    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()


@command(318, S6A, "3GPP-Authentication-Information Request", "TS 29.272, 7.2.5")
@dataclass(slots=True, kw_only=True)
class AuthenticationInformationRequest(SessionRequest):
    """The MME asks for authentication vectors, or resynchronizes."""

    user_name: Annotated[str, "{ User-Name }"]
    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
    requested_eutran_authentication_info: Annotated[
        RequestedEutranAuthenticationInfo | None, "[ Requested-EUTRAN-Authentication-Info ]"
    ] = None
    requested_utran_geran_authentication_info: Annotated[
        RequestedUtranGeranAuthenticationInfo | None, "[ Requested-UTRAN-GERAN-Authentication-Info ]"
    ] = None
    visited_plmn_id: Annotated[Plmn, "{ Visited-PLMN-Id }"]
    air_flags: Annotated[int | None, "[ AIR-Flags ]"] = None


@command(318, S6A, "3GPP-Authentication-Information Answer", "TS 29.272, 7.2.6")
@dataclass(slots=True, kw_only=True)
class AuthenticationInformationAnswer(SessionAnswer):
    """The vectors."""

    error_diagnostic: Annotated[int | None, "[ Error-Diagnostic ]"] = None
    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
    authentication_info: Annotated[AuthenticationInfo | None, "[ Authentication-Info ]"] = None
    ue_usage_type: Annotated[int | None, "[ UE-Usage-Type ]"] = None


@command(319, S6A, "3GPP-Insert-Subscriber-Data Request", "TS 29.272, 7.2.9")
@dataclass(slots=True, kw_only=True)
class InsertSubscriberDataRequest(SessionRequest):
    """The subscription changed: what is new in it; or, by `idr_flags`, a question about the phone (7.3.103)."""

    destination_host: Annotated[str, "{ Destination-Host }"]
    user_name: Annotated[str, "{ User-Name }"]
    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
    subscription_data: Annotated[SubscriptionData, "{ Subscription-Data }"]
    idr_flags: Annotated[int | None, "[ IDR-Flags ]"] = None
    reset_id: Annotated[tuple[bytes, ...], "* [ Reset-ID ]"] = ()


@command(319, S6A, "3GPP-Insert-Subscriber-Data Answer", "TS 29.272, 7.2.10")
@dataclass(slots=True, kw_only=True)
class InsertSubscriberDataAnswer(SessionAnswer):
    """Taken over; and what was asked."""

    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
    ims_voice_over_ps_sessions_supported: Annotated[int | None, "[ IMS-Voice-Over-PS-Sessions-Supported ]"] = None
    last_ue_activity_time: Annotated[int | None, "[ Last-UE-Activity-Time ]"] = None
    rat_type: Annotated[int | None, "[ RAT-Type ]"] = None
    ida_flags: Annotated[int | None, "[ IDA-Flags ]"] = None
    eps_user_state: Annotated[EpsUserState | None, "[ EPS-User-State ]"] = None
    eps_location_information: Annotated[EpsLocationInformation | None, "[ EPS-Location-Information ]"] = None
    local_time_zone: Annotated[LocalTimeZone | None, "[ Local-Time-Zone ]"] = None


@command(320, S6A, "3GPP-Delete-Subscriber-Data Request", "TS 29.272, 7.2.11")
@dataclass(slots=True, kw_only=True)
class DeleteSubscriberDataRequest(SessionRequest):
    """The subscription lost what `dsr_flags` name (TS 29.272, 7.3.25)."""

    destination_host: Annotated[str, "{ Destination-Host }"]
    user_name: Annotated[str, "{ User-Name }"]
    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
    dsr_flags: Annotated[int, "{ DSR-Flags }"]
    context_identifier: Annotated[tuple[int, ...], "* [ Context-Identifier ]"] = ()
    regional_subscription_zone_code: Annotated[
        tuple[bytes, ...], "* [ Regional-Subscription-Zone-Code ]"
    ] = ()
    trace_reference: Annotated[bytes | None, "[ Trace-Reference ]"] = None


@command(320, S6A, "3GPP-Delete-Subscriber-Data Answer", "TS 29.272, 7.2.12")
@dataclass(slots=True, kw_only=True)
class DeleteSubscriberDataAnswer(SessionAnswer):
    """Forgotten."""

    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
    dsa_flags: Annotated[int | None, "[ DSA-Flags ]"] = None


@command(321, S6A, "3GPP-Purge-UE Request", "TS 29.272, 7.2.13")
@dataclass(slots=True, kw_only=True)
class PurgeUERequest(SessionRequest):
    """The MME has deleted the subscription of a phone that has been away for long."""

    user_name: Annotated[str, "{ User-Name }"]
    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
    pur_flags: Annotated[int | None, "[ PUR-Flags ]"] = None
    eps_location_information: Annotated[EpsLocationInformation | None, "[ EPS-Location-Information ]"] = None


@command(321, S6A, "3GPP-Purge-UE Answer", "TS 29.272, 7.2.14")
@dataclass(slots=True, kw_only=True)
class PurgeUEAnswer(SessionAnswer):
    """`pua_flags` bit 0: freeze the M-TMSI (TS 29.272, 7.3.48)."""

    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
    pua_flags: Annotated[int | None, "[ PUA-Flags ]"] = None


@command(322, S6A, "3GPP-Reset Request", "TS 29.272, 7.2.15")
@dataclass(slots=True, kw_only=True)
class ResetRequest(SessionRequest):
    """The HSS has restarted, or lost data: of the users named by the first digits of their IMSI, or of all."""

    destination_host: Annotated[str, "{ Destination-Host }"]
    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
    user_id: Annotated[tuple[str, ...], "* [ User-Id ]"] = ()
    reset_id: Annotated[tuple[bytes, ...], "* [ Reset-ID ]"] = ()
    subscription_data: Annotated[SubscriptionData | None, "[ Subscription-Data ]"] = None
    subscription_data_deletion: Annotated[
        SubscriptionDataDeletion | None, "[ Subscription-Data-Deletion ]"
    ] = None


@command(322, S6A, "3GPP-Reset Answer", "TS 29.272, 7.2.16")
@dataclass(slots=True, kw_only=True)
class ResetAnswer(SessionAnswer):
    """The MME tells the HSS again where these phones are, when it hears of them."""

    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()


@command(323, S6A, "3GPP-Notify Request", "TS 29.272, 7.2.17")
@dataclass(slots=True, kw_only=True)
class NotifyRequest(SessionRequest):
    """Something about the phone that the HSS wants to know (`nor_flags`: TS 29.272, 7.3.49)."""

    user_name: Annotated[str, "{ User-Name }"]
    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
    terminal_information: Annotated[TerminalInformation | None, "[ Terminal-Information ]"] = None
    mip6_agent_info: Annotated[Mip6AgentInfo | None, "[ MIP6-Agent-Info ]"] = None
    visited_network_identifier: Annotated[bytes | None, "[ Visited-Network-Identifier ]"] = None
    context_identifier: Annotated[int | None, "[ Context-Identifier ]"] = None
    service_selection: Annotated[str | None, "[ Service-Selection ]"] = None
    alert_reason: Annotated[int | None, "[ Alert-Reason ]"] = None
    ue_srvcc_capability: Annotated[int | None, "[ UE-SRVCC-Capability ]"] = None
    nor_flags: Annotated[int | None, "[ NOR-Flags ]"] = None
    homogeneous_support_of_ims_voice_over_ps_sessions: Annotated[
        int | None, "[ Homogeneous-Support-of-IMS-Voice-Over-PS-Sessions ]"
    ] = None
    maximum_ue_availability_time: Annotated[int | None, "[ Maximum-UE-Availability-Time ]"] = None


@command(323, S6A, "3GPP-Notify Answer", "TS 29.272, 7.2.18")
@dataclass(slots=True, kw_only=True)
class NotifyAnswer(SessionAnswer):
    """Noted."""

    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
