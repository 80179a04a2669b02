# SPDX-License-Identifier: Apache-2.0
"""S-CSCF with the I-CSCF's duties (TS 24.229, 5.3 and 5.4): registrations, subscriptions to them, sessions."""

from dialtone.scscf import (
    application_server,
    assignment,
    authentication,
    calls,
    deregistration,
    location,
    originating,
    passing,
    profile_push,
    reg_event,
    register,
    routing,
    terminating,
    third_party,
)

__all__ = ["application_server", "assignment", "authentication", "calls", "deregistration", "location", "originating",
           "passing", "profile_push", "reg_event", "register", "routing", "terminating", "third_party"]
