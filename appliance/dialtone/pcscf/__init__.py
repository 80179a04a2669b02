# SPDX-License-Identifier: Apache-2.0
"""P-CSCF (TS 24.229, 5.2; TS 33.203): where a phone enters IMS, over IPsec, and under the identities it registered.

Importing the package registers every handler.
"""

from dialtone.pcscf import (
    call,
    leaving,
    originating,
    passing,
    reg_event,
    register,
    registered,
    security,
    terminating,
)

__all__ = ["call", "leaving", "originating", "passing", "reg_event", "register", "registered", "security",
           "terminating"]
