# SPDX-License-Identifier: Apache-2.0
"""Commands of SGd between MME and SMS centre (TS 29.338, 6.2.2), application 16777313."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from dialtone.codec.diameter.grouped import SupportedFeatures
from dialtone.codec.diameter.session import SessionAnswer, SessionRequest
from dialtone.codec.diameter.table import Avps, command

SGD = 16777313


class SgdResult(IntEnum):
    """Experimental-Result-Code values (TS 29.338, 7.3.3), vendor 10415."""

    USER_UNKNOWN = 5001
    ABSENT_USER = 5550
    USER_BUSY_FOR_MT_SMS = 5551
    FACILITY_NOT_SUPPORTED = 5552
    ILLEGAL_USER = 5553
    ILLEGAL_EQUIPMENT = 5554
    SM_DELIVERY_FAILURE = 5555
    SERVICE_NOT_SUBSCRIBED = 5556
    SERVICE_BARRED = 5557
    MWD_LIST_FULL = 5558


class DeliveryFailure(IntEnum):
    """SM-Enumerated-Delivery-Failure-Cause (TS 29.338, 6.3.3.5)."""

    MEMORY_CAPACITY_EXCEEDED = 0
    EQUIPMENT_PROTOCOL_ERROR = 1
    EQUIPMENT_NOT_SM_EQUIPPED = 2
    UNKNOWN_SERVICE_CENTRE = 3
    SC_CONGESTION = 4
    INVALID_SME_ADDRESS = 5
    USER_NOT_SC_USER = 6


@dataclass(slots=True, kw_only=True)
class SmDeliveryFailureCause(Avps):
    """TS 29.338, 6.3.3.4; the diagnostic is the report TPDU."""

    cause: Annotated[int, "{ SM-Enumerated-Delivery-Failure-Cause }"]
    diagnostic: Annotated[bytes | None, "[ SM-Diagnostic-Info ]"] = None


@dataclass(slots=True, kw_only=True)
class UserIdentifier(Avps):
    """TS 29.336, 6.4.2: IMSI, MSISDN in digits, or another name."""

    user_name: Annotated[str | None, "[ User-Name ]"] = None
    msisdn: Annotated[str | None, "[ MSISDN ]"] = None
    external_identifier: Annotated[str | None, "[ External-Identifier ]"] = None
    lmsi: Annotated[bytes | None, "[ LMSI ]"] = None


@command(8388645, SGD, "MO-Forward-Short-Message Request", "TS 29.338, 6.3.2.3")
@dataclass(slots=True, kw_only=True)
class MOForwardShortMessageRequest(SessionRequest):
    """A text of a phone, for the service centre that it names."""

    sc_address: Annotated[str, "{ SC-Address }"]
    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
    user_identifier: Annotated[UserIdentifier, "{ User-Identifier }"]
    sm_rp_ui: Annotated[bytes, "{ SM-RP-UI }"]


@command(8388645, SGD, "MO-Forward-Short-Message Answer", "TS 29.338, 6.3.2.4")
@dataclass(slots=True, kw_only=True)
class MOForwardShortMessageAnswer(SessionAnswer):
    """Taken or not, with the report for the phone."""

    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
    sm_delivery_failure_cause: Annotated[SmDeliveryFailureCause | None, "[ SM-Delivery-Failure-Cause ]"] = None
    sm_rp_ui: Annotated[bytes | None, "[ SM-RP-UI ]"] = None


@command(8388646, SGD, "MT-Forward-Short-Message Request", "TS 29.338, 6.3.2.5")
@dataclass(slots=True, kw_only=True)
class MTForwardShortMessageRequest(SessionRequest):
    """A text for a phone. `tfr_flags` bit 0: more messages wait; `sms_gmsc_address`: whom to alert."""

    user_name: Annotated[str, "{ User-Name }"]
    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
    sc_address: Annotated[str, "{ SC-Address }"]
    sm_rp_ui: Annotated[bytes, "{ SM-RP-UI }"]
    mme_number_for_mt_sms: Annotated[bytes | None, "[ MME-Number-for-MT-SMS ]"] = None
    sgsn_number: Annotated[bytes | None, "[ SGSN-Number ]"] = None
    tfr_flags: Annotated[int | None, "[ TFR-Flags ]"] = None
    sm_delivery_timer: Annotated[int | None, "[ SM-Delivery-Timer ]"] = None
    sm_delivery_start_time: Annotated[int | None, "[ SM-Delivery-Start-Time ]"] = None
    maximum_retransmission_time: Annotated[int | None, "[ Maximum-Retransmission-Time ]"] = None
    sms_gmsc_address: Annotated[str | None, "[ SMS-GMSC-Address ]"] = None


@command(8388646, SGD, "MT-Forward-Short-Message Answer", "TS 29.338, 6.3.2.6")
@dataclass(slots=True, kw_only=True)
class MTForwardShortMessageAnswer(SessionAnswer):
    """The phone has it, or why not."""

    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
    absent_user_diagnostic_sm: Annotated[int | None, "[ Absent-User-Diagnostic-SM ]"] = None
    sm_delivery_failure_cause: Annotated[SmDeliveryFailureCause | None, "[ SM-Delivery-Failure-Cause ]"] = None
    sm_rp_ui: Annotated[bytes | None, "[ SM-RP-UI ]"] = None
    requested_retransmission_time: Annotated[int | None, "[ Requested-Retransmission-Time ]"] = None
    user_identifier: Annotated[UserIdentifier | None, "[ User-Identifier ]"] = None


@command(8388648, SGD, "Alert-Service-Centre Request", "TS 29.338, 6.3.2.7")
@dataclass(slots=True, kw_only=True)
class AlertServiceCentreRequest(SessionRequest):
    """A phone that texts wait for is back, or has memory again. `sms_gmsc_alert_event` bit 0: it is available."""

    sc_address: Annotated[str, "{ SC-Address }"]
    user_identifier: Annotated[UserIdentifier, "{ User-Identifier }"]
    maximum_ue_availability_time: Annotated[int | None, "[ Maximum-UE-Availability-Time ]"] = None
    sms_gmsc_alert_event: Annotated[int | None, "[ SMS-GMSC-Alert-Event ]"] = None
    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()


@command(8388648, SGD, "Alert-Service-Centre Answer", "TS 29.338, 6.3.2.8")
@dataclass(slots=True, kw_only=True)
class AlertServiceCentreAnswer(SessionAnswer):
    """Noted."""

    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()
