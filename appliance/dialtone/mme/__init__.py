# SPDX-License-Identifier: Apache-2.0
"""The MME: one file a procedure. Importing the package registers every handler."""

from dialtone.mme import (
    attach,
    authentication,
    context_release,
    context_setup,
    detach,
    identification,
    nas_transport,
    path_failure,
    pdn_connectivity,
    reset,
    s1_setup,
    security_mode,
    service_request,
    session,
    status,
)

__all__ = [
    "attach", "authentication", "context_release", "context_setup", "detach", "identification", "nas_transport",
    "path_failure", "pdn_connectivity", "reset", "s1_setup", "security_mode", "service_request", "session", "status",
]
