# SPDX-License-Identifier: Apache-2.0
"""The errors and causes of the short message protocols."""

from enum import IntEnum

from dialtone.errors import ProtocolError


class CpCause(IntEnum):
    """Causes of CP-ERROR (TS 24.011, 8.1.4.2)."""

    NETWORK_FAILURE = 17
    CONGESTION = 22
    INVALID_TRANSACTION_IDENTIFIER = 81
    SEMANTICALLY_INCORRECT = 95
    INVALID_MANDATORY_INFORMATION = 96
    MESSAGE_TYPE_NON_EXISTENT = 97
    NOT_COMPATIBLE_WITH_STATE = 98
    INFORMATION_ELEMENT_NON_EXISTENT = 99
    PROTOCOL_ERROR = 111


class RpCause(IntEnum):
    """Causes of RP-ERROR (TS 24.011, 8.2.5.4)."""

    UNASSIGNED_NUMBER = 1
    OPERATOR_DETERMINED_BARRING = 8
    CALL_BARRED = 10
    SHORT_MESSAGE_TRANSFER_REJECTED = 21
    MEMORY_CAPACITY_EXCEEDED = 22
    DESTINATION_OUT_OF_ORDER = 27
    UNIDENTIFIED_SUBSCRIBER = 28
    FACILITY_REJECTED = 29
    UNKNOWN_SUBSCRIBER = 30
    NETWORK_OUT_OF_ORDER = 38
    TEMPORARY_FAILURE = 41
    CONGESTION = 42
    RESOURCES_UNAVAILABLE = 47
    FACILITY_NOT_SUBSCRIBED = 50
    FACILITY_NOT_IMPLEMENTED = 69
    INVALID_REFERENCE = 81
    SEMANTICALLY_INCORRECT = 95
    INVALID_MANDATORY_INFORMATION = 96
    MESSAGE_TYPE_NON_EXISTENT = 97
    NOT_COMPATIBLE_WITH_STATE = 98
    INFORMATION_ELEMENT_NON_EXISTENT = 99
    PROTOCOL_ERROR = 111
    INTERWORKING = 127


class FailureCause(IntEnum):
    """Values of TP-Failure-Cause that are used here (TS 23.040, 9.2.3.22)."""

    COMMAND_UNSUPPORTED = 0xB1
    SC_BUSY = 0xC0
    NO_SC_SUBSCRIPTION = 0xC1
    SC_SYSTEM_FAILURE = 0xC2
    INVALID_SME_ADDRESS = 0xC3
    DESTINATION_SME_BARRED = 0xC4
    STORAGE_FULL = 0xD3  # memory capacity exceeded at the phone
    UNSPECIFIED = 0xFF


class CpFault(ProtocolError):
    """Octets that are no CP message; `first` is their first octet, whose transaction CP-ERROR names."""

    def __init__(self, text: str, cause: CpCause, first: int | None = None) -> None:
        super().__init__(text, cause=cause, clause="TS 24.011, 9.2")
        self.first = first


class RpFault(ProtocolError):
    """Octets that are no RP message; `reference` is what RP-ERROR names, None where not even that is there."""

    def __init__(self, text: str, cause: RpCause, reference: int | None = None) -> None:
        super().__init__(text, cause=cause, clause="TS 24.011, 9.3")
        self.reference = reference
