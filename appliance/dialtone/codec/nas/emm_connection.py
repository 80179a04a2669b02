# SPDX-License-Identifier: Apache-2.0
"""Messages of the EMM connection management procedures: service request, transport (TS 24.301, 5.6)."""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.message import Message
from dialtone.codec.nas.capabilities import EPSBearerContextStatus
from dialtone.codec.nas.identities import MobileIdentity, TaiList
from dialtone.codec.nas.ies import GprsTimer, GprsTimer3
from dialtone.codec.nas.tables import HALF, LV, TLV, TV, EmmMessage, V, emm


@dataclass(slots=True, kw_only=True)
class ServiceRequest(Message):
    """UE to network, four octets with a header of its own: `sequence_number` are the five least significant
    bits of the uplink NAS COUNT, `short_mac` the last two octets of the MAC (TS 24.301, 8.2.25)."""

    nas_key_set_identifier: int
    sequence_number: int
    short_mac: bytes

    def to_bytes(self) -> bytes:
        """The four octets. Raises ValueError for what does not fit."""
        if self.nas_key_set_identifier >> 3 or self.sequence_number >> 5 or len(self.short_mac) != 2:
            raise ValueError(f"{self} does not fit TS 24.301, 8.2.25")
        return bytes((0xC7, self.nas_key_set_identifier << 5 | self.sequence_number)) + self.short_mac


ServiceRequest.NAME, ServiceRequest.CLAUSE = "Service request", "TS 24.301, 8.2.25"


@emm(0x4C, "Extended service request", "TS 24.301, 8.2.15")
@dataclass(slots=True, kw_only=True, repr=False)
class ExtendedServiceRequest(EmmMessage):
    """UE to network: circuit switched fallback, and packet services by service type 8."""

    service_type: Annotated[int, V(HALF)]
    nas_key_set_identifier: Annotated[int, V(HALF)]
    m_tmsi: Annotated[MobileIdentity, LV(6)]
    csfb_response: Annotated[int | None, TV(0xB, 1)] = None
    eps_bearer_context_status: Annotated[EPSBearerContextStatus | None, TLV(0x57, 4)] = None
    device_properties: Annotated[int | None, TV(0xD, 1)] = None
    ue_request_type: Annotated[bytes | None, TLV(0x29, 3)] = None
    paging_restriction: Annotated[bytes | None, TLV(0x28, 3, 5)] = None


@emm(0x4E, "Service reject", "TS 24.301, 8.2.24")
@dataclass(slots=True, kw_only=True, repr=False)
class ServiceReject(EmmMessage):
    """Network to UE. T3442 is present with cause #39."""

    emm_cause: Annotated[int, V(1)]
    t3442_value: Annotated[GprsTimer | None, TV(0x5B, 2)] = None
    t3346_value: Annotated[GprsTimer | None, TLV(0x5F, 3)] = None
    t3448_value: Annotated[GprsTimer | None, TLV(0x6B, 3)] = None
    lower_bound_timer_value: Annotated[GprsTimer3 | None, TLV(0x1C, 3)] = None
    forbidden_tais_for_roaming: Annotated[TaiList | None, TLV(0x1D, 8, 98)] = None
    forbidden_tais_for_regional_provision: Annotated[TaiList | None, TLV(0x1E, 8, 98)] = None


@emm(0x62, "Downlink NAS transport", "TS 24.301, 8.2.12")
@dataclass(slots=True, kw_only=True, repr=False)
class DownlinkNASTransport(EmmMessage):
    """Network to UE. The container is a CP message of the short message service (TS 24.011)."""

    nas_message_container: Annotated[bytes, LV(3, 252)]


@emm(0x63, "Uplink NAS transport", "TS 24.301, 8.2.30")
@dataclass(slots=True, kw_only=True, repr=False)
class UplinkNASTransport(EmmMessage):
    """UE to network. The container is a CP message of the short message service (TS 24.011)."""

    nas_message_container: Annotated[bytes, LV(3, 252)]
