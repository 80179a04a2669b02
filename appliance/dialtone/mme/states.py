# SPDX-License-Identifier: Apache-2.0
"""The MME's state machines: EMM (TS 24.301, 5.1.3.4), ECM (TS 23.401, 4.6.3), ESM (TS 24.301, 6.1.3.3.2)."""

from enum import StrEnum

from dialtone.fsm import Table


class EmmState(StrEnum):
    """EMM states of the network side."""

    DEREGISTERED = "EMM-DEREGISTERED"
    COMMON = "EMM-COMMON-PROCEDURE-INITIATED"
    REGISTERED = "EMM-REGISTERED"
    DEREGISTERING = "EMM-DEREGISTERED-INITIATED"


class EcmState(StrEnum):
    """Whether the phone has a signalling connection."""

    IDLE = "ECM-IDLE"
    CONNECTED = "ECM-CONNECTED"


class HandoverState(StrEnum):
    """How far an S1 handover is."""

    NONE = "no handover"
    PREPARING = "handover requested"
    PREPARED = "target is ready"
    COMMANDED = "phone is on its way"


class SmState(StrEnum):
    """How far a short message between network and phone is."""

    IDLE = "no short message"
    RELAYED = "the service centre has it"
    ANSWERED = "answer on its way to the phone"
    OFFERED = "text on its way to the phone"
    TAKEN = "the phone has it"


class EsmState(StrEnum):
    """States of one EPS bearer context."""

    INACTIVE = "BEARER CONTEXT INACTIVE"
    ACTIVATING = "BEARER CONTEXT ACTIVE PENDING"
    ACTIVE = "BEARER CONTEXT ACTIVE"
    MODIFYING = "BEARER CONTEXT MODIFY PENDING"
    DEACTIVATING = "BEARER CONTEXT INACTIVE PENDING"


_D, _C, _R, _X = EmmState.DEREGISTERED, EmmState.COMMON, EmmState.REGISTERED, EmmState.DEREGISTERING

EMM = Table("EMM", "TS 24.301, 5.1.3.4", _D, [
    # A row whose next state is the same says that the message is expected there.
    (_D, "Attach request", _D),
    (_D, "Detach request", _D),
    (_D, "Service request", _D),
    (_D, "Extended service request", _D),
    (_D, "Tracking area update request", _D),
    (_D, "common procedure", _C),  # identification, authentication, security mode, GUTI with the accept
    (_C, "common procedure", _C),
    (_C, "Attach request", _C),
    (_C, "Tracking area update request", _C),
    (_C, "Identity response", _C),
    (_C, "Authentication response", _C),
    (_C, "Authentication failure", _C),
    (_C, "Security mode complete", _C),
    (_C, "Security mode reject", _C),
    (_C, "ESM information response", _C),
    (_C, "Attach complete", _R),
    (_C, "Detach request", _C),
    (_C, "context ended", _D),
    (_R, "Attach request", _R),
    (_R, "Detach request", _R),
    (_R, "Service request", _R),
    (_R, "Extended service request", _R),
    (_R, "Tracking area update request", _R),
    (_R, "Tracking area update complete", _R),
    (_R, "GUTI reallocation complete", _R),
    (_R, "Activate default EPS bearer context accept", _R),
    (_R, "Activate default EPS bearer context reject", _R),
    (_R, "Activate dedicated EPS bearer context accept", _R),
    (_R, "Activate dedicated EPS bearer context reject", _R),
    (_R, "Modify EPS bearer context accept", _R),
    (_R, "Modify EPS bearer context reject", _R),
    (_R, "Deactivate EPS bearer context accept", _R),
    (_R, "ESM information response", _R),
    (_R, "PDN connectivity request", _R),
    (_R, "PDN disconnect request", _R),
    (_R, "Bearer resource allocation request", _R),
    (_R, "Bearer resource modification request", _R),
    (_R, "Uplink NAS transport", _R),
    (_R, "network detach", _X),
    (_R, "context ended", _D),
    (_X, "Attach request", _X),
    (_X, "Tracking area update request", _X),
    (_X, "Detach accept", _X),
    (_X, "Detach request", _X),
    (_X, "context ended", _D),
    *[(state, "EMM status", state) for state in EmmState],
    *[(state, "ESM status", state) for state in EmmState],
])

ECM = Table("ECM", "TS 23.401, 4.6.3", EcmState.IDLE, [
    (EcmState.IDLE, "signalling connection", EcmState.CONNECTED),
    (EcmState.CONNECTED, "released", EcmState.IDLE),
])

SM = Table("short message", "TS 24.011, 5.2", SmState.IDLE, [
    (SmState.IDLE, "RP-DATA or RP-SMMA of the phone", SmState.RELAYED),
    (SmState.RELAYED, "answer of the service centre", SmState.ANSWERED),
    (SmState.ANSWERED, "CP-ACK", SmState.IDLE),
    (SmState.IDLE, "text for the phone", SmState.OFFERED),
    (SmState.OFFERED, "CP-ACK", SmState.TAKEN),
    (SmState.OFFERED, "RP answer", SmState.IDLE),
    (SmState.TAKEN, "RP answer", SmState.IDLE),
    *[(state, "given up", SmState.IDLE) for state in SmState if state is not SmState.IDLE],
])

_N, _P, _T, _G = HandoverState.NONE, HandoverState.PREPARING, HandoverState.PREPARED, HandoverState.COMMANDED

HANDOVER = Table("S1 handover", "TS 36.413, 8.4", _N, [
    (_N, "HandoverRequired", _P),
    (_P, "HandoverRequestAcknowledge", _T),
    (_P, "HandoverFailure", _N),
    (_T, "HandoverCommand", _G),
    (_G, "ENBStatusTransfer", _G),
    (_G, "HandoverNotify", _N),
    *[(state, "given up", _N) for state in (_P, _T, _G)],
])

ESM = Table("ESM", "TS 24.301, 6.1.3.3.2", EsmState.INACTIVE, [
    (EsmState.INACTIVE, "activation", EsmState.ACTIVATING),
    (EsmState.ACTIVATING, "accepted", EsmState.ACTIVE),
    (EsmState.ACTIVATING, "rejected", EsmState.INACTIVE),
    (EsmState.ACTIVE, "modification", EsmState.MODIFYING),
    (EsmState.MODIFYING, "accepted", EsmState.ACTIVE),
    (EsmState.MODIFYING, "rejected", EsmState.ACTIVE),
    (EsmState.ACTIVE, "deactivation", EsmState.DEACTIVATING),
    (EsmState.DEACTIVATING, "accepted", EsmState.INACTIVE),
    *[(state, "local deactivation", EsmState.INACTIVE) for state in EsmState if state is not EsmState.INACTIVE],
])
