# SPDX-License-Identifier: Apache-2.0
"""Commands of Rx between an application function (the P-CSCF) and policy (TS 29.214, 5.6), application 16777236."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from dialtone.codec.diameter.grouped import SupportedFeatures
from dialtone.codec.diameter.rx_media import (
    AcceptableServiceInfo,
    AccessNetworkChargingIdentifier,
    Flows,
    MediaComponentDescription,
    SubscriptionId,
)
from dialtone.codec.diameter.session import ApplicationRequest, SessionAnswer
from dialtone.codec.diameter.table import command
from dialtone.codec.diameter.types import Address

RX = 16777236


class RxResult(IntEnum):
    """Experimental-Result-Code values of Rx (TS 29.214, 5.5), vendor 10415."""

    REQUESTED_SERVICE_TEMPORARILY_NOT_AUTHORIZED = 4261
    INVALID_SERVICE_INFORMATION = 5061
    FILTER_RESTRICTIONS = 5062
    REQUESTED_SERVICE_NOT_AUTHORIZED = 5063
    DUPLICATED_AF_SESSION = 5064
    IP_CAN_SESSION_NOT_AVAILABLE = 5065
    UNAUTHORIZED_NON_EMERGENCY_SESSION = 5066
    UNAUTHORIZED_SPONSORED_DATA_CONNECTIVITY = 5067
    TEMPORARY_NETWORK_FAILURE = 5068


@dataclass(slots=True, kw_only=True)
class RxRequest(ApplicationRequest):
    """What all requests of an Rx session have: it has state, and its Session-Id names the AF session. CSCFs in the
    field send the lifetimes of the base protocol, too (RFC 6733, 8.9 to 8.13)."""

    auth_application_id: Annotated[int, "{ Auth-Application-Id }"] = RX
    auth_session_state: Annotated[int | None, "[ Auth-Session-State ]"] = None
    auth_request_type: Annotated[int | None, "[ Auth-Request-Type ]"] = None
    authorization_lifetime: Annotated[int | None, "[ Authorization-Lifetime ]"] = None
    auth_grace_period: Annotated[int | None, "[ Auth-Grace-Period ]"] = None
    session_timeout: Annotated[int | None, "[ Session-Timeout ]"] = None
    origin_state_id: Annotated[int | None, "[ Origin-State-Id ]"] = None


@dataclass(slots=True, kw_only=True)
class RxAnswer(SessionAnswer):
    """What all answers have."""

    auth_session_state: Annotated[int | None, "[ Auth-Session-State ]"] = None
    auth_request_type: Annotated[int | None, "[ Auth-Request-Type ]"] = None
    origin_state_id: Annotated[int | None, "[ Origin-State-Id ]"] = None


@command(265, RX, "AA Request", "TS 29.214, 5.6.1")
@dataclass(slots=True, kw_only=True)
class AARequest(RxRequest):
    """The media of a call, new or changed. The phone is known by its address: `framed_ip_address` has four octets,
    `framed_ipv6_prefix` a zero, the length in bits and the prefix (RFC 3162, 2.3)."""

    ip_domain_id: Annotated[bytes | None, "[ IP-Domain-Id ]"] = None
    af_application_identifier: Annotated[bytes | None, "[ AF-Application-Identifier ]"] = None
    media_component_description: Annotated[
        tuple[MediaComponentDescription, ...], "* [ Media-Component-Description ]"
    ] = ()
    service_info_status: Annotated[int | None, "[ Service-Info-Status ]"] = None
    af_charging_identifier: Annotated[bytes | None, "[ AF-Charging-Identifier ]"] = None
    sip_forking_indication: Annotated[int | None, "[ SIP-Forking-Indication ]"] = None
    specific_action: Annotated[tuple[int, ...], "* [ Specific-Action ]"] = ()
    subscription_id: Annotated[tuple[SubscriptionId, ...], "* [ Subscription-Id ]"] = ()
    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
    framed_ip_address: Annotated[bytes | None, "[ Framed-IP-Address ]"] = None
    framed_ipv6_prefix: Annotated[bytes | None, "[ Framed-IPv6-Prefix ]"] = None
    called_station_id: Annotated[str | None, "[ Called-Station-Id ]"] = None
    service_urn: Annotated[bytes | None, "[ Service-URN ]"] = None
    mps_identifier: Annotated[bytes | None, "[ MPS-Identifier ]"] = None
    gcs_identifier: Annotated[bytes | None, "[ GCS-Identifier ]"] = None
    rx_request_type: Annotated[int | None, "[ Rx-Request-Type ]"] = None
    required_access_info: Annotated[tuple[int, ...], "* [ Required-Access-Info ]"] = ()


@command(265, RX, "AA Answer", "TS 29.214, 5.6.2")
@dataclass(slots=True, kw_only=True)
class AAAnswer(RxAnswer):
    """Authorized or not. Whether the bearer came about is told later, by Re-Auth-Request."""

    auth_application_id: Annotated[int | None, "{ Auth-Application-Id }"] = RX
    access_network_charging_identifier: Annotated[
        tuple[AccessNetworkChargingIdentifier, ...], "* [ Access-Network-Charging-Identifier ]"
    ] = ()
    access_network_charging_address: Annotated[Address | None, "[ Access-Network-Charging-Address ]"] = None
    acceptable_service_info: Annotated[AcceptableServiceInfo | None, "[ Acceptable-Service-Info ]"] = None
    ip_can_type: Annotated[int | None, "[ IP-CAN-Type ]"] = None
    rat_type: Annotated[int | None, "[ RAT-Type ]"] = None
    flows: Annotated[tuple[Flows, ...], "* [ Flows ]"] = ()
    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
    subscription_id: Annotated[tuple[SubscriptionId, ...], "* [ Subscription-Id ]"] = ()
    class_: Annotated[tuple[bytes, ...], "* [ Class ]"] = ()


@command(258, RX, "Re-Auth Request", "TS 29.214, 5.6.3")
@dataclass(slots=True, kw_only=True)
class ReAuthRequest(RxRequest):
    """What became of the bearers of the session."""

    destination_host: Annotated[str, "{ Destination-Host }"]
    specific_action: Annotated[tuple[int, ...], "1* { Specific-Action }"]
    access_network_charging_identifier: Annotated[
        tuple[AccessNetworkChargingIdentifier, ...], "* [ Access-Network-Charging-Identifier ]"
    ] = ()
    access_network_charging_address: Annotated[Address | None, "[ Access-Network-Charging-Address ]"] = None
    flows: Annotated[tuple[Flows, ...], "* [ Flows ]"] = ()
    subscription_id: Annotated[tuple[SubscriptionId, ...], "* [ Subscription-Id ]"] = ()
    abort_cause: Annotated[int | None, "[ Abort-Cause ]"] = None
    ip_can_type: Annotated[int | None, "[ IP-CAN-Type ]"] = None
    netloc_access_support: Annotated[int | None, "[ NetLoc-Access-Support ]"] = None
    rat_type: Annotated[int | None, "[ RAT-Type ]"] = None
    an_gw_address: Annotated[tuple[Address, ...], "*2 [ AN-GW-Address ]"] = ()
    user_location_info: Annotated[bytes | None, "[ 3GPP-User-Location-Info ]"] = None
    ms_timezone: Annotated[bytes | None, "[ 3GPP-MS-TimeZone ]"] = None
    ran_nas_release_cause: Annotated[tuple[bytes, ...], "* [ RAN-NAS-Release-Cause ]"] = ()
    sgsn_mcc_mnc: Annotated[str | None, "[ 3GPP-SGSN-MCC-MNC ]"] = None


@command(258, RX, "Re-Auth Answer", "TS 29.214, 5.6.4")
@dataclass(slots=True, kw_only=True)
class ReAuthAnswer(RxAnswer):
    """The answer to Re-Auth-Request."""

    media_component_description: Annotated[
        tuple[MediaComponentDescription, ...], "* [ Media-Component-Description ]"
    ] = ()
    service_urn: Annotated[bytes | None, "[ Service-URN ]"] = None


@command(275, RX, "Session-Termination Request", "TS 29.214, 5.6.5")
@dataclass(slots=True, kw_only=True)
class SessionTerminationRequest(RxRequest):
    """The call is over; `termination_cause` of RFC 6733, 8.15."""

    termination_cause: Annotated[int, "{ Termination-Cause }"]
    required_access_info: Annotated[tuple[int, ...], "* [ Required-Access-Info ]"] = ()
    class_: Annotated[tuple[bytes, ...], "* [ Class ]"] = ()


@command(275, RX, "Session-Termination Answer", "TS 29.214, 5.6.6")
@dataclass(slots=True, kw_only=True)
class SessionTerminationAnswer(RxAnswer):
    """The answer to Session-Termination-Request."""

    class_: Annotated[tuple[bytes, ...], "* [ Class ]"] = ()


@command(274, RX, "Abort-Session Request", "TS 29.214, 5.6.7")
@dataclass(slots=True, kw_only=True)
class AbortSessionRequest(RxRequest):
    """No flow of the session has a bearer any more; the AF ends it."""

    destination_host: Annotated[str, "{ Destination-Host }"]
    abort_cause: Annotated[int, "{ Abort-Cause }"]


@command(274, RX, "Abort-Session Answer", "TS 29.214, 5.6.8")
@dataclass(slots=True, kw_only=True)
class AbortSessionAnswer(RxAnswer):
    """The answer to Abort-Session-Request."""
