# SPDX-License-Identifier: Apache-2.0
"""The S-CSCF's view of a private identity (TS 24.229, 5.4.1; TS 29.228, 6.1.2)."""

from enum import StrEnum

from dialtone.fsm import Table


class RegistrationState(StrEnum):
    """How the S-CSCF serves somebody. *Unregistered* is a state of its own: it answers for a phone that is away."""

    NOT_REGISTERED = "not registered"
    REGISTERED = "registered"
    UNREGISTERED = "unregistered"


_N, _R, _U = RegistrationState.NOT_REGISTERED, RegistrationState.REGISTERED, RegistrationState.UNREGISTERED

REGISTRATION = Table("Registration", "TS 24.229, 5.4.1", _N, [
    (_N, "registered", _R),
    (_U, "registered", _R),
    (_R, "registered", _R),
    (_N, "called while away", _U),
    (_U, "called while away", _U),
    (_R, "de-registered", _N),
    (_U, "de-registered", _N),
])
