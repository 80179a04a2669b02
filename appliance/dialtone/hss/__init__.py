# SPDX-License-Identifier: Apache-2.0
"""The HSS: subscribers with their keys, sequence numbers and profiles, and the procedures of S6a and Cx."""

from dialtone.hss import (
    authentication,
    cancel_location,
    location,
    location_info,
    multimedia_auth,
    notify,
    purge,
    push_profile,
    registration_termination,
    reset,
    server_assignment,
    subscriber_data,
    user_authorization,
)

__all__ = [
    "authentication",
    "cancel_location",
    "location",
    "location_info",
    "multimedia_auth",
    "notify",
    "purge",
    "push_profile",
    "registration_termination",
    "reset",
    "server_assignment",
    "subscriber_data",
    "user_authorization",
]
