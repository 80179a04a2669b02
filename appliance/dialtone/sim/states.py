# SPDX-License-Identifier: Apache-2.0
"""State machines of the phone (TS 24.301, 5.1.3.2 and 6.1.3.2) and of the eNB (TS 36.413, 8.3 and 8.7.3).

What is not in a table is invalid in that state. Messages have the names that tshark prints.
"""

from enum import StrEnum

from dialtone.fsm import Table


class EmmState(StrEnum):
    """EMM main states of the phone."""

    NULL = "EMM-NULL"
    DEREGISTERED = "EMM-DEREGISTERED"
    REGISTERED_INITIATED = "EMM-REGISTERED-INITIATED"
    REGISTERED = "EMM-REGISTERED"
    TRACKING_AREA_UPDATING_INITIATED = "EMM-TRACKING-AREA-UPDATING-INITIATED"
    SERVICE_REQUEST_INITIATED = "EMM-SERVICE-REQUEST-INITIATED"
    DEREGISTERED_INITIATED = "EMM-DEREGISTERED-INITIATED"


class EpsUpdateStatus(StrEnum):
    """What the card remembers of the last attach (TS 24.301, 5.1.3.3)."""

    EU1_UPDATED = "EU1 UPDATED"
    EU2_NOT_UPDATED = "EU2 NOT UPDATED"
    EU3_ROAMING_NOT_ALLOWED = "EU3 ROAMING NOT ALLOWED"


class BearerState(StrEnum):
    """One EPS bearer context in the phone."""

    INACTIVE = "BEARER CONTEXT INACTIVE"
    ACTIVE = "BEARER CONTEXT ACTIVE"


class RadioState(StrEnum):
    """A phone's context in the eNB."""

    IDLE = "idle"
    SIGNALLING = "signalling connection"
    EXPECTED = "expected in a handover"
    CONTEXT = "context set up"
    RELEASING = "release requested"


class S1State(StrEnum):
    """The eNB's S1 interface."""

    DOWN = "down"
    CONNECTING = "S1 Setup sent"
    UP = "up"


_N, _D, _I, _R, _T, _S, _X = (
    EmmState.NULL, EmmState.DEREGISTERED, EmmState.REGISTERED_INITIATED, EmmState.REGISTERED,
    EmmState.TRACKING_AREA_UPDATING_INITIATED, EmmState.SERVICE_REQUEST_INITIATED, EmmState.DEREGISTERED_INITIATED,
)
IS_REGISTERED = (_R, _T, _S)
"""The network knows the phone: it has bearers, and maybe something under way."""

EMM = Table("EMM", "TS 24.301, 5.1.3.2", _D, [
    (_N, "power on", _D),
    *[(state, "power off", _N) for state in EmmState],
    (_D, "Attach request", _I),
    (_I, "Identity request", _I),
    (_I, "Authentication request", _I),
    (_I, "Security mode command", _I),
    (_I, "ESM information request", _I),
    (_I, "Attach accept", _R),
    (_I, "Attach reject", _D),
    (_I, "Authentication reject", _D),
    (_I, "attach failed", _D),
    (_I, "network not genuine", _D),
    (_R, "Attach accept", _R),  # repeated, because our Attach complete was lost
    *[(state, event, state) for state in IS_REGISTERED for event in (
        "Identity request", "Authentication request", "network not genuine", "Security mode command", "EMM information",
        "ESM information request", "Activate default EPS bearer context request",
        "Activate dedicated EPS bearer context request", "Modify EPS bearer context request",
        "Deactivate EPS bearer context request", "PDN connectivity reject", "PDN disconnect reject",
        "Bearer resource allocation reject", "Bearer resource modification reject",
        "GUTI reallocation command")],
    *[(state, "Authentication reject", _D) for state in IS_REGISTERED],
    *[(state, "local detach", _D) for state in IS_REGISTERED],
    *[(state, "Detach request", _D) for state in IS_REGISTERED],  # the network's; ours is the next row
    *[(state, "detach", _X) for state in IS_REGISTERED],
    (_R, "Downlink NAS transport", _R),
    (_R, "Tracking area update request", _T),
    (_T, "Tracking area update accept", _R),
    (_R, "Tracking area update accept", _R),  # repeated, because our complete was lost
    (_T, "Tracking area update reject", _R),
    (_T, "tracking area update failed", _R),
    (_R, "Service request", _S),
    (_S, "bearers set up", _R),
    (_S, "Service reject", _R),
    (_S, "service request failed", _R),
    (_I, "Detach request", _D),
    (_I, "detach", _X),
    (_X, "Detach accept", _D),
    (_X, "Detach request", _D),
    (_X, "Authentication request", _X),
    (_X, "Identity request", _X),
    (_X, "Security mode command", _X),
    (_X, "Authentication reject", _D),
    (_X, "network not genuine", _D),
    (_X, "detach given up", _D),
])

BEARER = Table("EPS bearer context", "TS 24.301, 6.1.3.2.2", BearerState.INACTIVE, [
    (BearerState.INACTIVE, "Activate default EPS bearer context request", BearerState.ACTIVE),
    (BearerState.ACTIVE, "Activate default EPS bearer context request", BearerState.ACTIVE),
    (BearerState.INACTIVE, "Activate dedicated EPS bearer context request", BearerState.ACTIVE),
    (BearerState.ACTIVE, "Activate dedicated EPS bearer context request", BearerState.ACTIVE),
    (BearerState.ACTIVE, "Modify EPS bearer context request", BearerState.ACTIVE),
    (BearerState.ACTIVE, "Deactivate EPS bearer context request", BearerState.INACTIVE),
    (BearerState.ACTIVE, "local deactivation", BearerState.INACTIVE),
])

RADIO = Table("radio", "TS 36.413, 8.3 and 8.6", RadioState.IDLE, [
    (RadioState.IDLE, "InitialUEMessage", RadioState.SIGNALLING),
    (RadioState.SIGNALLING, "InitialContextSetupRequest", RadioState.CONTEXT),
    (RadioState.IDLE, "HandoverRequest", RadioState.EXPECTED),
    (RadioState.EXPECTED, "arrival", RadioState.CONTEXT),
    (RadioState.SIGNALLING, "UEContextReleaseRequest", RadioState.RELEASING),
    (RadioState.CONTEXT, "UEContextReleaseRequest", RadioState.RELEASING),
    *[(state, "UEContextReleaseCommand", RadioState.IDLE) for state in RadioState if state != "idle"],
    *[(state, "local release", RadioState.IDLE) for state in RadioState if state != "idle"],
])

S1 = Table("S1", "TS 36.413, 8.7.3", S1State.DOWN, [
    (S1State.DOWN, "association", S1State.CONNECTING),
    (S1State.CONNECTING, "S1SetupResponse", S1State.UP),
    (S1State.CONNECTING, "S1SetupFailure", S1State.DOWN),
    (S1State.DOWN, "retry", S1State.CONNECTING),
    *[(state, "association lost", S1State.DOWN) for state in S1State],
])
