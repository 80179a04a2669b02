# SPDX-License-Identifier: Apache-2.0
"""The S-CSCF's timers by the name of the specification."""

from typing import NamedTuple


class Timer(NamedTuple):
    """`seconds` of one whose time the phone asks for is 0."""

    name: str
    clause: str
    seconds: float = 0.0


REG_AWAIT_AUTH = Timer("reg-await-auth", "TS 24.229, 7.8", 240.0)
EXPIRES = Timer("registration expires", "TS 24.229, 5.4.1.4")
AWAY = 1800.0
"""Seconds after the last request for a user who is away, until he is nobody's again (TS 29.228, 6.1.2.1)."""
SUBSCRIPTION = Timer("subscription expires", "RFC 6665, 4.2.2")
SESSION = Timer("session expires", "RFC 4028, 10")
