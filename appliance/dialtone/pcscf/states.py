# SPDX-License-Identifier: Apache-2.0
"""What the P-CSCF knows of a registration (TS 24.229, 5.2.2)."""

from enum import StrEnum

from dialtone.fsm import Table


class RegistrationState(StrEnum):
    """States of one private identity at one address."""

    NONE = "not registered"
    CHALLENGED = "challenged"
    REGISTERED = "registered"


_N, _C, _R = RegistrationState.NONE, RegistrationState.CHALLENGED, RegistrationState.REGISTERED

REGISTRATION = Table("registration", "TS 24.229, 5.2.2", _N, [
    (_N, "REGISTER", _N),
    (_N, "401", _C),
    (_N, "200", _R),  # a registrar that does not challenge
    (_C, "REGISTER", _C),
    (_C, "401", _C),  # again: synchronised anew, or a wrong answer
    (_C, "200", _R),
    (_C, "reg-await-auth", _N),
    (_C, "let go", _N),
    (_R, "REGISTER", _R),
    (_R, "401", _R),  # the old SAs carry on
    (_R, "200", _R),
    (_R, "reg-await-auth", _R),
    (_R, "let go", _N),  # de-registered, expired, or its address is another phone's
])
