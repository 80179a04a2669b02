# SPDX-License-Identifier: Apache-2.0
"""Messages of the EMM common procedures: identity, authentication, security, information (TS 24.301, 5.4)."""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.nas.capabilities import UEAdditionalSecurityCapability, UESecurityCapability
from dialtone.codec.nas.identities import EpsMobileIdentity, MobileIdentity, TaiList
from dialtone.codec.nas.ies import NasSecurityAlgorithms, NetworkName, TimeZone, TimeZoneAndTime
from dialtone.codec.nas.tables import HALF, LV, TLV, TLV_E, TV, EmmMessage, N, V, emm


@emm(0x50, "GUTI reallocation command", "TS 24.301, 8.2.16")
@dataclass(slots=True, kw_only=True, repr=False)
class GUTIReallocationCommand(EmmMessage):
    """Network to UE."""

    guti: Annotated[EpsMobileIdentity, LV(12)]
    tai_list: Annotated[TaiList | None, TLV(0x54, 8, 98)] = None
    dcn_id: Annotated[int | None, TLV(0x65, 4)] = None
    ue_radio_capability_id: Annotated[bytes | None, TLV(0x66, 3, N)] = None
    ue_radio_capability_id_deletion_indication: Annotated[int | None, TV(0xB, 1)] = None


@emm(0x51, "GUTI reallocation complete", "TS 24.301, 8.2.17")
@dataclass(slots=True, kw_only=True, repr=False)
class GUTIReallocationComplete(EmmMessage):
    """UE to network."""


@emm(0x52, "Authentication request", "TS 24.301, 8.2.7")
@dataclass(slots=True, kw_only=True, repr=False)
class AuthenticationRequest(EmmMessage):
    """Network to UE. The key set identifier is of the ASME's key (9.9.3.21)."""

    nas_key_set_identifier: Annotated[int, V(HALF)]
    rand: Annotated[bytes, V(16)]
    autn: Annotated[bytes, LV(17)]


@emm(0x53, "Authentication response", "TS 24.301, 8.2.8")
@dataclass(slots=True, kw_only=True, repr=False)
class AuthenticationResponse(EmmMessage):
    """UE to network."""

    res: Annotated[bytes, LV(5, 17)]


@emm(0x54, "Authentication reject", "TS 24.301, 8.2.6")
@dataclass(slots=True, kw_only=True, repr=False)
class AuthenticationReject(EmmMessage):
    """Network to UE: the phone disables its USIM until it is switched off (5.4.2.5)."""


@emm(0x5C, "Authentication failure", "TS 24.301, 8.2.5")
@dataclass(slots=True, kw_only=True, repr=False)
class AuthenticationFailure(EmmMessage):
    """UE to network. The failure parameter is AUTS, present with cause #21."""

    emm_cause: Annotated[int, V(1)]
    authentication_failure_parameter: Annotated[bytes | None, TLV(0x30, 16)] = None


@emm(0x55, "Identity request", "TS 24.301, 8.2.18")
@dataclass(slots=True, kw_only=True, repr=False)
class IdentityRequest(EmmMessage):
    """Network to UE: one of `values.IdentityType`."""

    identity_type: Annotated[int, V(HALF)]


@emm(0x56, "Identity response", "TS 24.301, 8.2.19")
@dataclass(slots=True, kw_only=True, repr=False)
class IdentityResponse(EmmMessage):
    """UE to network."""

    mobile_identity: Annotated[MobileIdentity, LV(4, 10)]


@emm(0x5D, "Security mode command", "TS 24.301, 8.2.20")
@dataclass(slots=True, kw_only=True, repr=False)
class SecurityModeCommand(EmmMessage):
    """Network to UE. `imeisv_request` 1 asks for the IMEISV (TS 24.008, 10.5.5.10)."""

    selected_nas_security_algorithms: Annotated[NasSecurityAlgorithms, V(1)]
    nas_key_set_identifier: Annotated[int, V(HALF)]
    replayed_ue_security_capabilities: Annotated[UESecurityCapability, LV(3, 6)]
    imeisv_request: Annotated[int | None, TV(0xC, 1)] = None
    replayed_nonce_ue: Annotated[bytes | None, TV(0x55, 5)] = None
    nonce_mme: Annotated[bytes | None, TV(0x56, 5)] = None
    hash_mme: Annotated[bytes | None, TLV(0x4F, 10)] = None
    replayed_ue_additional_security_capability: Annotated[
        UEAdditionalSecurityCapability | None, TLV(0x6F, 6)
    ] = None
    ue_radio_capability_id_request: Annotated[bytes | None, TLV(0x37, 3)] = None


@emm(0x5E, "Security mode complete", "TS 24.301, 8.2.21")
@dataclass(slots=True, kw_only=True, repr=False)
class SecurityModeComplete(EmmMessage):
    """UE to network. The container is the whole initial message, when the hash of ours did not match."""

    imeisv: Annotated[MobileIdentity | None, TLV(0x23, 11)] = None
    replayed_nas_message_container: Annotated[bytes | None, TLV_E(0x79, 3, N)] = None
    ue_radio_capability_id: Annotated[bytes | None, TLV(0x66, 3, N)] = None


@emm(0x5F, "Security mode reject", "TS 24.301, 8.2.22")
@dataclass(slots=True, kw_only=True, repr=False)
class SecurityModeReject(EmmMessage):
    """UE to network: #23 says that the replayed capabilities differ from what it sent."""

    emm_cause: Annotated[int, V(1)]


@emm(0x60, "EMM status", "TS 24.301, 8.2.14")
@dataclass(slots=True, kw_only=True, repr=False)
class EMMStatus(EmmMessage):
    """Both ways."""

    emm_cause: Annotated[int, V(1)]


@emm(0x61, "EMM information", "TS 24.301, 8.2.13")
@dataclass(slots=True, kw_only=True, repr=False)
class EMMInformation(EmmMessage):
    """Network to UE. `network_daylight_saving_time` is in hours, 0 to 2."""

    full_name_for_network: Annotated[NetworkName | None, TLV(0x43, 3, N)] = None
    short_name_for_network: Annotated[NetworkName | None, TLV(0x45, 3, N)] = None
    local_time_zone: Annotated[TimeZone | None, TV(0x46, 2)] = None
    universal_time_and_local_time_zone: Annotated[TimeZoneAndTime | None, TV(0x47, 8)] = None
    network_daylight_saving_time: Annotated[int | None, TLV(0x49, 3)] = None
