# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with a GTPv2-C message, and the Cause values of TS 29.274, table 8.4-1."""

from enum import IntEnum

from dialtone.errors import ProtocolError


class CauseValue(IntEnum):
    """Cause values that this box sends or explains (TS 29.274, table 8.4-1). 16 to 63 accept, 64 and up refuse."""

    LOCAL_DETACH = 2
    COMPLETE_DETACH = 3
    RAT_CHANGED_FROM_3GPP_TO_NON_3GPP = 4
    ISR_DEACTIVATION = 5
    ERROR_INDICATION_RECEIVED = 6
    IMSI_DETACH_ONLY = 7
    REACTIVATION_REQUESTED = 8
    PDN_RECONNECTION_TO_THIS_APN_DISALLOWED = 9
    ACCESS_CHANGED_FROM_NON_3GPP_TO_3GPP = 10
    PDN_CONNECTION_INACTIVITY_TIMER_EXPIRES = 11
    PGW_NOT_RESPONDING = 12
    NETWORK_FAILURE = 13
    QOS_PARAMETER_MISMATCH = 14
    REQUEST_ACCEPTED = 16
    REQUEST_ACCEPTED_PARTIALLY = 17
    NEW_PDN_TYPE_DUE_TO_NETWORK_PREFERENCE = 18
    NEW_PDN_TYPE_DUE_TO_SINGLE_ADDRESS_BEARER_ONLY = 19
    CONTEXT_NOT_FOUND = 64
    INVALID_MESSAGE_FORMAT = 65
    VERSION_NOT_SUPPORTED_BY_NEXT_PEER = 66
    INVALID_LENGTH = 67
    SERVICE_NOT_SUPPORTED = 68
    MANDATORY_IE_INCORRECT = 69
    MANDATORY_IE_MISSING = 70
    SYSTEM_FAILURE = 72
    NO_RESOURCES_AVAILABLE = 73
    SEMANTIC_ERROR_IN_THE_TFT_OPERATION = 74
    SYNTACTIC_ERROR_IN_THE_TFT_OPERATION = 75
    SEMANTIC_ERRORS_IN_PACKET_FILTERS = 76
    SYNTACTIC_ERRORS_IN_PACKET_FILTERS = 77
    MISSING_OR_UNKNOWN_APN = 78
    RELOCATION_FAILURE = 81
    DENIED_IN_RAT = 82
    PREFERRED_PDN_TYPE_NOT_SUPPORTED = 83
    ALL_DYNAMIC_ADDRESSES_ARE_OCCUPIED = 84
    UE_CONTEXT_WITHOUT_TFT_ALREADY_ACTIVATED = 85
    PROTOCOL_TYPE_NOT_SUPPORTED = 86
    UE_NOT_RESPONDING = 87
    UE_REFUSES = 88
    SERVICE_DENIED = 89
    UNABLE_TO_PAGE_UE = 90
    NO_MEMORY_AVAILABLE = 91
    USER_AUTHENTICATION_FAILED = 92
    APN_ACCESS_DENIED_NO_SUBSCRIPTION = 93
    REQUEST_REJECTED = 94
    IMSI_IMEI_NOT_KNOWN = 96
    REMOTE_PEER_NOT_RESPONDING = 100
    COLLISION_WITH_NETWORK_INITIATED_REQUEST = 101
    DATA_FORWARDING_NOT_SUPPORTED = 106
    UNABLE_TO_PAGE_UE_DUE_TO_SUSPENSION = 102
    CONDITIONAL_IE_MISSING = 103
    INVALID_REPLY_FROM_REMOTE_PEER = 107
    FALLBACK_TO_GTPV1 = 108
    INVALID_PEER = 109
    TEMPORARILY_REJECTED_DUE_TO_HANDOVER = 110
    APN_CONGESTION = 113
    BEARER_HANDLING_NOT_SUPPORTED = 114
    UE_ALREADY_RE_ATTACHED = 115
    GTP_C_ENTITY_CONGESTION = 120


class GtpcError(ProtocolError):
    """A GTPv2-C message that breaks TS 29.274, 7.7.

    `cause` None: discard in silence (unknown message, no whole header). Otherwise `refusal` builds the answer.
    `offending` is (IE type, instance) of the IE at fault; `message_type`, `sequence` (24 bits) and `teid`
    come from the header, as far as it could be read.
    """

    def __init__(
        self, text: str, *, cause: int | None, clause: str, offending: tuple[int, int] | None = None
    ) -> None:
        super().__init__(text, cause=cause, clause=clause)
        self.offending = offending
        self.message_type: int | None = None
        self.sequence = 0
        self.teid: int | None = None


class VersionNotSupportedError(GtpcError):
    """Another GTP version: a request of it is answered by Version Not Supported Indication (TS 29.274, 7.7.2)."""

    def __init__(self, version: int) -> None:
        super().__init__(
            f"GTP version {version} on a GTPv2-C port",
            cause=CauseValue.VERSION_NOT_SUPPORTED_BY_NEXT_PEER,
            clause="TS 29.274, 7.7.2",
        )
        self.version = version
