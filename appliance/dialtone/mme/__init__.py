# SPDX-License-Identifier: Apache-2.0
"""The MME: one file a procedure. Importing the package registers every handler."""

from dialtone.mme import (
    attach,
    authentication,
    context_release,
    context_setup,
    detach,
    downlink_data,
    identification,
    nas_transport,
    paging,
    path_failure,
    pdn_connectivity,
    reset,
    s1_setup,
    security_mode,
    service_request,
    session,
    status,
    tracking_area_update,
)

__all__ = [
    "attach", "authentication", "context_release", "context_setup", "detach", "downlink_data", "identification",
    "nas_transport", "paging", "path_failure", "pdn_connectivity", "reset", "s1_setup", "security_mode",
    "service_request", "session", "status", "tracking_area_update",
]
