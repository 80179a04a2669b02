# SPDX-License-Identifier: Apache-2.0
"""What Rx says of media: its Grouped AVPs and the values of its Enumerated ones (TS 29.214, 5.3)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from dialtone.codec.diameter.table import Avps


class MediaType(IntEnum):
    """TS 29.214, 5.3.19."""

    AUDIO = 0
    VIDEO = 1
    DATA = 2
    APPLICATION = 3
    CONTROL = 4
    TEXT = 5
    MESSAGE = 6


class FlowStatus(IntEnum):
    """TS 29.214, 5.3.11. Uplink is from the phone."""

    ENABLED_UPLINK = 0
    ENABLED_DOWNLINK = 1
    ENABLED = 2
    DISABLED = 3
    REMOVED = 4


class FlowUsage(IntEnum):
    """TS 29.214, 5.3.12."""

    NO_INFORMATION = 0
    RTCP = 1
    AF_SIGNALLING = 2


class SpecificAction(IntEnum):
    """What the AF wants to hear of, and what it hears (TS 29.214, 5.3.13)."""

    CHARGING_CORRELATION_EXCHANGE = 1
    INDICATION_OF_LOSS_OF_BEARER = 2
    INDICATION_OF_RECOVERY_OF_BEARER = 3
    INDICATION_OF_RELEASE_OF_BEARER = 4
    IP_CAN_CHANGE = 6
    INDICATION_OF_OUT_OF_CREDIT = 7
    INDICATION_OF_SUCCESSFUL_RESOURCES_ALLOCATION = 8
    INDICATION_OF_FAILED_RESOURCES_ALLOCATION = 9
    INDICATION_OF_LIMITED_PCC_DEPLOYMENT = 10
    USAGE_REPORT = 11
    ACCESS_NETWORK_INFO_REPORT = 12


class AbortCause(IntEnum):
    """TS 29.214, 5.3.1."""

    BEARER_RELEASED = 0
    INSUFFICIENT_SERVER_RESOURCES = 1
    INSUFFICIENT_BEARER_RESOURCES = 2
    PS_TO_CS_HANDOVER = 3


@dataclass(slots=True, kw_only=True)
class MediaSubComponent(Avps):
    """TS 29.214, 5.3.17: the flows of one port: one each way, in `flow_description` as IPFilterRules."""

    flow_number: Annotated[int, "{ Flow-Number }"]
    flow_description: Annotated[tuple[str, ...], "*2 [ Flow-Description ]"] = ()
    flow_status: Annotated[int | None, "[ Flow-Status ]"] = None
    flow_usage: Annotated[int | None, "[ Flow-Usage ]"] = None
    max_requested_bandwidth_ul: Annotated[int | None, "[ Max-Requested-Bandwidth-UL ]"] = None
    max_requested_bandwidth_dl: Annotated[int | None, "[ Max-Requested-Bandwidth-DL ]"] = None
    af_signalling_protocol: Annotated[int | None, "[ AF-Signalling-Protocol ]"] = None


@dataclass(slots=True, kw_only=True)
class MediaComponentDescription(Avps):
    """TS 29.214, 5.3.16: one media line of SDP. Bandwidths are in bit/s."""

    media_component_number: Annotated[int, "{ Media-Component-Number }"]
    media_sub_component: Annotated[tuple[MediaSubComponent, ...], "* [ Media-Sub-Component ]"] = ()
    af_application_identifier: Annotated[bytes | None, "[ AF-Application-Identifier ]"] = None
    media_type: Annotated[int | None, "[ Media-Type ]"] = None
    max_requested_bandwidth_ul: Annotated[int | None, "[ Max-Requested-Bandwidth-UL ]"] = None
    max_requested_bandwidth_dl: Annotated[int | None, "[ Max-Requested-Bandwidth-DL ]"] = None
    min_requested_bandwidth_ul: Annotated[int | None, "[ Min-Requested-Bandwidth-UL ]"] = None
    min_requested_bandwidth_dl: Annotated[int | None, "[ Min-Requested-Bandwidth-DL ]"] = None
    flow_status: Annotated[int | None, "[ Flow-Status ]"] = None
    rs_bandwidth: Annotated[int | None, "[ RS-Bandwidth ]"] = None
    rr_bandwidth: Annotated[int | None, "[ RR-Bandwidth ]"] = None
    codec_data: Annotated[tuple[bytes, ...], "* [ Codec-Data ]"] = ()


@dataclass(slots=True, kw_only=True)
class Flows(Avps):
    """TS 29.214, 5.3.10. Without numbers: all flows of the component."""

    media_component_number: Annotated[int, "{ Media-Component-Number }"]
    flow_number: Annotated[tuple[int, ...], "* [ Flow-Number ]"] = ()
    flow_status: Annotated[int | None, "[ Flow-Status ]"] = None


@dataclass(slots=True, kw_only=True)
class AccessNetworkChargingIdentifier(Avps):
    """TS 29.214, 5.3.3."""

    access_network_charging_identifier_value: Annotated[bytes, "{ Access-Network-Charging-Identifier-Value }"]
    flows: Annotated[tuple[Flows, ...], "* [ Flows ]"] = ()


@dataclass(slots=True, kw_only=True)
class AcceptableServiceInfo(Avps):
    """TS 29.214, 5.3.24: what would be authorized instead."""

    media_component_description: Annotated[
        tuple[MediaComponentDescription, ...], "* [ Media-Component-Description ]"
    ] = ()
    max_requested_bandwidth_dl: Annotated[int | None, "[ Max-Requested-Bandwidth-DL ]"] = None
    max_requested_bandwidth_ul: Annotated[int | None, "[ Max-Requested-Bandwidth-UL ]"] = None


@dataclass(slots=True, kw_only=True)
class SubscriptionId(Avps):
    """RFC 4006, 8.46. Types: 0 E.164, 1 IMSI, 2 SIP URI, 3 NAI, 4 private."""

    subscription_id_type: Annotated[int, "{ Subscription-Id-Type }"]
    subscription_id_data: Annotated[str, "{ Subscription-Id-Data }"]
