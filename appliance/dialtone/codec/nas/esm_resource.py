# SPDX-License-Identifier: Apache-2.0
"""ESM messages of dedicated bearers and of requests for resources (TS 24.301, 6.4.2, 6.4.3, 6.5.3, 6.5.4).

Traffic flow templates and aggregates are octets here; `dialtone.codec.tft` reads them.
"""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.nas.bitrates import ApnAmbr, EpsQos
from dialtone.codec.nas.ies import GprsTimer3, NetworkPco, UePco
from dialtone.codec.nas.tables import HALF, LV, TLV, TLV_E, TV, EsmMessage, N, V, esm


@esm(0xC5, "Activate dedicated EPS bearer context request", "TS 24.301, 8.3.3")
@dataclass(slots=True, kw_only=True, repr=False)
class ActivateDedicatedEPSBearerContextRequest(EsmMessage):
    """Network to UE."""

    linked_eps_bearer_identity: Annotated[int, V(HALF)]
    eps_qos: Annotated[EpsQos, LV(2, 14)]
    tft: Annotated[bytes, LV(2, 256)]
    transaction_identifier: Annotated[bytes | None, TLV(0x5D, 3, 4)] = None
    negotiated_qos: Annotated[bytes | None, TLV(0x30, 14, 22)] = None
    negotiated_llc_sapi: Annotated[int | None, TV(0x32, 2)] = None
    radio_priority: Annotated[int | None, TV(0x8, 1)] = None
    packet_flow_identifier: Annotated[bytes | None, TLV(0x34, 3)] = None
    protocol_configuration_options: Annotated[NetworkPco | None, TLV(0x27, 3, 253)] = None
    wlan_offload_indication: Annotated[int | None, TV(0xC, 1)] = None
    nbifom_container: Annotated[bytes | None, TLV(0x33, 3, 257)] = None
    extended_protocol_configuration_options: Annotated[NetworkPco | None, TLV_E(0x7B, 4, N)] = None
    extended_eps_qos: Annotated[bytes | None, TLV(0x5C, 12)] = None


@esm(0xC6, "Activate dedicated EPS bearer context accept", "TS 24.301, 8.3.1")
@dataclass(slots=True, kw_only=True, repr=False)
class ActivateDedicatedEPSBearerContextAccept(EsmMessage):
    """UE to network."""

    protocol_configuration_options: Annotated[UePco | None, TLV(0x27, 3, 253)] = None
    nbifom_container: Annotated[bytes | None, TLV(0x33, 3, 257)] = None
    extended_protocol_configuration_options: Annotated[UePco | None, TLV_E(0x7B, 4, N)] = None


@esm(0xC7, "Activate dedicated EPS bearer context reject", "TS 24.301, 8.3.2")
@dataclass(slots=True, kw_only=True, repr=False)
class ActivateDedicatedEPSBearerContextReject(EsmMessage):
    """UE to network."""

    esm_cause: Annotated[int, V(1)]
    protocol_configuration_options: Annotated[UePco | None, TLV(0x27, 3, 253)] = None
    nbifom_container: Annotated[bytes | None, TLV(0x33, 3, 257)] = None
    extended_protocol_configuration_options: Annotated[UePco | None, TLV_E(0x7B, 4, N)] = None


@esm(0xC9, "Modify EPS bearer context request", "TS 24.301, 8.3.18")
@dataclass(slots=True, kw_only=True, repr=False)
class ModifyEPSBearerContextRequest(EsmMessage):
    """Network to UE."""

    new_eps_qos: Annotated[EpsQos | None, TLV(0x5B, 3, 15)] = None
    tft: Annotated[bytes | None, TLV(0x36, 3, 257)] = None
    new_qos: Annotated[bytes | None, TLV(0x30, 14, 22)] = None
    negotiated_llc_sapi: Annotated[int | None, TV(0x32, 2)] = None
    radio_priority: Annotated[int | None, TV(0x8, 1)] = None
    packet_flow_identifier: Annotated[bytes | None, TLV(0x34, 3)] = None
    apn_ambr: Annotated[ApnAmbr | None, TLV(0x5E, 4, 8)] = None
    protocol_configuration_options: Annotated[NetworkPco | None, TLV(0x27, 3, 253)] = None
    wlan_offload_indication: Annotated[int | None, TV(0xC, 1)] = None
    nbifom_container: Annotated[bytes | None, TLV(0x33, 3, 257)] = None
    header_compression_configuration: Annotated[bytes | None, TLV(0x66, 5, 257)] = None
    extended_protocol_configuration_options: Annotated[NetworkPco | None, TLV_E(0x7B, 4, N)] = None
    extended_apn_ambr: Annotated[bytes | None, TLV(0x5F, 8)] = None
    extended_eps_qos: Annotated[bytes | None, TLV(0x5C, 12)] = None


@esm(0xCA, "Modify EPS bearer context accept", "TS 24.301, 8.3.16")
@dataclass(slots=True, kw_only=True, repr=False)
class ModifyEPSBearerContextAccept(EsmMessage):
    """UE to network."""

    protocol_configuration_options: Annotated[UePco | None, TLV(0x27, 3, 253)] = None
    nbifom_container: Annotated[bytes | None, TLV(0x33, 3, 257)] = None
    extended_protocol_configuration_options: Annotated[UePco | None, TLV_E(0x7B, 4, N)] = None


@esm(0xCB, "Modify EPS bearer context reject", "TS 24.301, 8.3.17")
@dataclass(slots=True, kw_only=True, repr=False)
class ModifyEPSBearerContextReject(EsmMessage):
    """UE to network."""

    esm_cause: Annotated[int, V(1)]
    protocol_configuration_options: Annotated[UePco | None, TLV(0x27, 3, 253)] = None
    nbifom_container: Annotated[bytes | None, TLV(0x33, 3, 257)] = None
    extended_protocol_configuration_options: Annotated[UePco | None, TLV_E(0x7B, 4, N)] = None


@esm(0xD4, "Bearer resource allocation request", "TS 24.301, 8.3.8")
@dataclass(slots=True, kw_only=True, repr=False)
class BearerResourceAllocationRequest(EsmMessage):
    """UE to network."""

    linked_eps_bearer_identity: Annotated[int, V(HALF)]
    traffic_flow_aggregate: Annotated[bytes, LV(2, 256)]
    required_traffic_flow_qos: Annotated[EpsQos, LV(2, 14)]
    protocol_configuration_options: Annotated[UePco | None, TLV(0x27, 3, 253)] = None
    device_properties: Annotated[int | None, TV(0xC, 1)] = None
    nbifom_container: Annotated[bytes | None, TLV(0x33, 3, 257)] = None
    extended_protocol_configuration_options: Annotated[UePco | None, TLV_E(0x7B, 4, N)] = None
    extended_eps_qos: Annotated[bytes | None, TLV(0x5C, 12)] = None


@esm(0xD5, "Bearer resource allocation reject", "TS 24.301, 8.3.7")
@dataclass(slots=True, kw_only=True, repr=False)
class BearerResourceAllocationReject(EsmMessage):
    """Network to UE."""

    esm_cause: Annotated[int, V(1)]
    protocol_configuration_options: Annotated[NetworkPco | None, TLV(0x27, 3, 253)] = None
    back_off_timer_value: Annotated[GprsTimer3 | None, TLV(0x37, 3)] = None
    re_attempt_indicator: Annotated[int | None, TLV(0x6B, 3)] = None
    nbifom_container: Annotated[bytes | None, TLV(0x33, 3, 257)] = None
    extended_protocol_configuration_options: Annotated[NetworkPco | None, TLV_E(0x7B, 4, N)] = None


@esm(0xD6, "Bearer resource modification request", "TS 24.301, 8.3.10")
@dataclass(slots=True, kw_only=True, repr=False)
class BearerResourceModificationRequest(EsmMessage):
    """UE to network."""

    eps_bearer_identity_for_packet_filter: Annotated[int, V(HALF)]
    traffic_flow_aggregate: Annotated[bytes, LV(2, 256)]
    required_traffic_flow_qos: Annotated[EpsQos | None, TLV(0x5B, 3, 15)] = None
    esm_cause: Annotated[int | None, TV(0x58, 2)] = None
    protocol_configuration_options: Annotated[UePco | None, TLV(0x27, 3, 253)] = None
    device_properties: Annotated[int | None, TV(0xC, 1)] = None
    nbifom_container: Annotated[bytes | None, TLV(0x33, 3, 257)] = None
    header_compression_configuration: Annotated[bytes | None, TLV(0x66, 5, 257)] = None
    extended_protocol_configuration_options: Annotated[UePco | None, TLV_E(0x7B, 4, N)] = None
    extended_eps_qos: Annotated[bytes | None, TLV(0x5C, 12)] = None


@esm(0xD7, "Bearer resource modification reject", "TS 24.301, 8.3.9")
@dataclass(slots=True, kw_only=True, repr=False)
class BearerResourceModificationReject(EsmMessage):
    """Network to UE."""

    esm_cause: Annotated[int, V(1)]
    protocol_configuration_options: Annotated[NetworkPco | None, TLV(0x27, 3, 253)] = None
    back_off_timer_value: Annotated[GprsTimer3 | None, TLV(0x37, 3)] = None
    re_attempt_indicator: Annotated[int | None, TLV(0x6B, 3)] = None
    nbifom_container: Annotated[bytes | None, TLV(0x33, 3, 257)] = None
    extended_protocol_configuration_options: Annotated[NetworkPco | None, TLV_E(0x7B, 4, N)] = None
