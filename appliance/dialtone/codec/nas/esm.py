# SPDX-License-Identifier: Apache-2.0
"""ESM messages of PDN connections and default bearers (TS 24.301, 6.5.1, 6.5.2, 6.6, 8.3)."""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.nas.bitrates import ApnAmbr, EpsQos
from dialtone.codec.nas.ies import AccessPointName, GprsTimer3, NetworkPco, PdnAddress, UePco
from dialtone.codec.nas.tables import HALF, LV, TLV, TLV_E, TV, EsmMessage, N, V, esm


@esm(0xC1, "Activate default EPS bearer context request", "TS 24.301, 8.3.6")
@dataclass(slots=True, kw_only=True, repr=False)
class ActivateDefaultEPSBearerContextRequest(EsmMessage):
    """Network to UE."""

    eps_qos: Annotated[EpsQos, LV(2, 14)]
    access_point_name: Annotated[AccessPointName, LV(2, 101)]
    pdn_address: Annotated[PdnAddress, LV(6, 14)]
    transaction_identifier: Annotated[bytes | None, TLV(0x5D, 3, 4)] = None
    negotiated_qos: Annotated[bytes | None, TLV(0x30, 14, 22)] = None
    negotiated_llc_sapi: Annotated[int | None, TV(0x32, 2)] = None
    radio_priority: Annotated[int | None, TV(0x8, 1)] = None
    packet_flow_identifier: Annotated[bytes | None, TLV(0x34, 3)] = None
    apn_ambr: Annotated[ApnAmbr | None, TLV(0x5E, 4, 8)] = None
    esm_cause: Annotated[int | None, TV(0x58, 2)] = None
    protocol_configuration_options: Annotated[NetworkPco | None, TLV(0x27, 3, 253)] = None
    connectivity_type: Annotated[int | None, TV(0xB, 1)] = None
    wlan_offload_indication: Annotated[int | None, TV(0xC, 1)] = None
    nbifom_container: Annotated[bytes | None, TLV(0x33, 3, 257)] = None
    header_compression_configuration: Annotated[bytes | None, TLV(0x66, 5, 257)] = None
    control_plane_only_indication: Annotated[int | None, TV(0x9, 1)] = None
    extended_protocol_configuration_options: Annotated[NetworkPco | None, TLV_E(0x7B, 4, N)] = None
    serving_plmn_rate_control: Annotated[bytes | None, TLV(0x6E, 4)] = None
    extended_apn_ambr: Annotated[bytes | None, TLV(0x5F, 8)] = None


@esm(0xC2, "Activate default EPS bearer context accept", "TS 24.301, 8.3.4")
@dataclass(slots=True, kw_only=True, repr=False)
class ActivateDefaultEPSBearerContextAccept(EsmMessage):
    """UE to network."""

    protocol_configuration_options: Annotated[UePco | None, TLV(0x27, 3, 253)] = None
    extended_protocol_configuration_options: Annotated[UePco | None, TLV_E(0x7B, 4, N)] = None


@esm(0xC3, "Activate default EPS bearer context reject", "TS 24.301, 8.3.5")
@dataclass(slots=True, kw_only=True, repr=False)
class ActivateDefaultEPSBearerContextReject(EsmMessage):
    """UE to network."""

    esm_cause: Annotated[int, V(1)]
    protocol_configuration_options: Annotated[UePco | None, TLV(0x27, 3, 253)] = None
    extended_protocol_configuration_options: Annotated[UePco | None, TLV_E(0x7B, 4, N)] = None


@esm(0xCD, "Deactivate EPS bearer context request", "TS 24.301, 8.3.12")
@dataclass(slots=True, kw_only=True, repr=False)
class DeactivateEPSBearerContextRequest(EsmMessage):
    """Network to UE."""

    esm_cause: Annotated[int, V(1)]
    protocol_configuration_options: Annotated[NetworkPco | None, TLV(0x27, 3, 253)] = None
    t3396_value: Annotated[GprsTimer3 | None, TLV(0x37, 3)] = None
    wlan_offload_indication: Annotated[int | None, TV(0xC, 1)] = None
    nbifom_container: Annotated[bytes | None, TLV(0x33, 3, 257)] = None
    extended_protocol_configuration_options: Annotated[NetworkPco | None, TLV_E(0x7B, 4, N)] = None


@esm(0xCE, "Deactivate EPS bearer context accept", "TS 24.301, 8.3.11")
@dataclass(slots=True, kw_only=True, repr=False)
class DeactivateEPSBearerContextAccept(EsmMessage):
    """UE to network."""

    protocol_configuration_options: Annotated[UePco | None, TLV(0x27, 3, 253)] = None
    extended_protocol_configuration_options: Annotated[UePco | None, TLV_E(0x7B, 4, N)] = None


@esm(0xD0, "PDN connectivity request", "TS 24.301, 8.3.20")
@dataclass(slots=True, kw_only=True, repr=False)
class PDNConnectivityRequest(EsmMessage):
    """UE to network. `esm_information_transfer_flag` 1: the APN comes later, under protection."""

    request_type: Annotated[int, V(HALF)]
    pdn_type: Annotated[int, V(HALF)]
    esm_information_transfer_flag: Annotated[int | None, TV(0xD, 1)] = None
    access_point_name: Annotated[AccessPointName | None, TLV(0x28, 3, 102)] = None
    protocol_configuration_options: Annotated[UePco | None, TLV(0x27, 3, 253)] = None
    device_properties: Annotated[int | None, TV(0xC, 1)] = None
    nbifom_container: Annotated[bytes | None, TLV(0x33, 3, 257)] = None
    header_compression_configuration: Annotated[bytes | None, TLV(0x66, 5, 257)] = None
    extended_protocol_configuration_options: Annotated[UePco | None, TLV_E(0x7B, 4, N)] = None


@esm(0xD1, "PDN connectivity reject", "TS 24.301, 8.3.19")
@dataclass(slots=True, kw_only=True, repr=False)
class PDNConnectivityReject(EsmMessage):
    """Network to UE."""

    esm_cause: Annotated[int, V(1)]
    protocol_configuration_options: Annotated[NetworkPco | None, TLV(0x27, 3, 253)] = None
    back_off_timer_value: Annotated[GprsTimer3 | None, TLV(0x37, 3)] = None
    re_attempt_indicator: Annotated[int | None, TLV(0x6B, 3)] = None
    nbifom_container: Annotated[bytes | None, TLV(0x33, 3, 257)] = None
    extended_protocol_configuration_options: Annotated[NetworkPco | None, TLV_E(0x7B, 4, N)] = None


@esm(0xD2, "PDN disconnect request", "TS 24.301, 8.3.22")
@dataclass(slots=True, kw_only=True, repr=False)
class PDNDisconnectRequest(EsmMessage):
    """UE to network."""

    linked_eps_bearer_identity: Annotated[int, V(HALF)]
    protocol_configuration_options: Annotated[UePco | None, TLV(0x27, 3, 253)] = None
    extended_protocol_configuration_options: Annotated[UePco | None, TLV_E(0x7B, 4, N)] = None


@esm(0xD3, "PDN disconnect reject", "TS 24.301, 8.3.21")
@dataclass(slots=True, kw_only=True, repr=False)
class PDNDisconnectReject(EsmMessage):
    """Network to UE."""

    esm_cause: Annotated[int, V(1)]
    protocol_configuration_options: Annotated[NetworkPco | None, TLV(0x27, 3, 253)] = None
    extended_protocol_configuration_options: Annotated[NetworkPco | None, TLV_E(0x7B, 4, N)] = None


@esm(0xD9, "ESM information request", "TS 24.301, 8.3.13")
@dataclass(slots=True, kw_only=True, repr=False)
class ESMInformationRequest(EsmMessage):
    """Network to UE."""


@esm(0xDA, "ESM information response", "TS 24.301, 8.3.14")
@dataclass(slots=True, kw_only=True, repr=False)
class ESMInformationResponse(EsmMessage):
    """UE to network."""

    access_point_name: Annotated[AccessPointName | None, TLV(0x28, 3, 102)] = None
    protocol_configuration_options: Annotated[UePco | None, TLV(0x27, 3, 253)] = None
    extended_protocol_configuration_options: Annotated[UePco | None, TLV_E(0x7B, 4, N)] = None


@esm(0xE8, "ESM status", "TS 24.301, 8.3.15")
@dataclass(slots=True, kw_only=True, repr=False)
class ESMStatus(EsmMessage):
    """Both ways."""

    esm_cause: Annotated[int, V(1)]
