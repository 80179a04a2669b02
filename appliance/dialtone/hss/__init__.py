# SPDX-License-Identifier: Apache-2.0
"""The HSS: subscribers with their keys, sequence numbers and profiles, and the procedures of S6a."""

from dialtone.hss import authentication, cancel_location, location, notify, purge, reset, subscriber_data

__all__ = ["authentication", "cancel_location", "location", "notify", "purge", "reset", "subscriber_data"]
