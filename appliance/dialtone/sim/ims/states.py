# SPDX-License-Identifier: Apache-2.0
"""State machines of the phone's IMS client: its registration (TS 24.229, 5.1.1) and one call (RFC 3261, 12 to 15).

What is not in a table is invalid in that state.
"""

from enum import StrEnum

from dialtone.fsm import Table


class RegistrationState(StrEnum):
    """Registration with the home network."""

    NO_CONNECTION = "no IMS connection"
    NOT_REGISTERED = "not registered"
    REGISTERING = "REGISTER sent"
    ANSWERING = "challenge answered"
    REGISTERED = "registered"
    REFRESHING = "refresh sent"
    REFRESH_ANSWERING = "refresh answered"
    LEAVING = "de-registration sent"


_N, _R = RegistrationState.NOT_REGISTERED, RegistrationState.REGISTERED
_F, _L = RegistrationState.REFRESHING, RegistrationState.LEAVING
_1, _2, _3 = RegistrationState.REGISTERING, RegistrationState.ANSWERING, RegistrationState.REFRESH_ANSWERING
REGISTRATION = Table("Registration", "TS 24.229, 5.1.1", RegistrationState.NO_CONNECTION, [
    *[(state, "connected", _N) for state in RegistrationState],
    *[(state, "disconnected", RegistrationState.NO_CONNECTION) for state in RegistrationState],
    (_N, "register", _1),
    (_1, "challenge", _2),
    (_2, "challenge", _2),
    (_1, "200", _R),
    (_2, "200", _R),
    (_R, "refresh", _F),
    (_F, "challenge", _3),
    (_3, "challenge", _3),
    (_F, "200", _R),
    (_3, "200", _R),
    *[(state, "leave", _L) for state in (_R, _F, _3)],
    (_L, "challenge", _L),
    (_L, "200", _N),
    *[(state, "failed", _N) for state in (_1, _2, _F, _3, _L)],
    *[(state, "ended by the network", _N) for state in (_R, _F, _3, _L)],
])


class CallState(StrEnum):
    """One call, from either side."""

    OFFERED = "INVITE sent"
    PROGRESS = "early dialog"
    INCOMING = "INVITE received"
    RINGING = "ringing"
    ANSWERED = "answered"
    ACTIVE = "active"
    CANCELLING = "CANCEL sent"
    ENDING = "BYE sent"
    OVER = "over"


_O, _P, _I, _G = CallState.OFFERED, CallState.PROGRESS, CallState.INCOMING, CallState.RINGING
_A, _T, _C, _E, _V = CallState.ANSWERED, CallState.ACTIVE, CallState.CANCELLING, CallState.ENDING, CallState.OVER
CALL = Table("Call", "RFC 3261, 13", _O, [
    (_O, "1xx", _P),
    (_P, "1xx", _P),
    (_O, "2xx", _T),
    (_P, "2xx", _T),
    (_I, "ring", _G),
    (_I, "answer", _A),
    (_G, "answer", _A),
    (_A, "ACK", _T),
    (_T, "ACK", _T),
    (_O, "cancel", _C),
    (_P, "cancel", _C),
    (_C, "1xx", _C),
    (_C, "2xx", _E),  # the answer was faster: BYE at once (RFC 3261, 15)
    *[(state, "BYE", _E) for state in (_A, _T)],
    *[(state, "over", _V) for state in CallState],
])
