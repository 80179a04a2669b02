# SPDX-License-Identifier: Apache-2.0
"""The phone's timers by spec name (TS 24.301, table 10.2.1), and those of the eNB."""

from typing import NamedTuple


class Timer(NamedTuple):
    """`seconds` to expiry; after `attempts` expiries, or failed attempts, the procedure is given up."""

    seconds: float
    attempts: int
    clause: str


TIMERS = {
    "T3346": Timer(60, 0, "TS 24.301, 5.5.1.2.5"),  # congestion: the network names the value
    "T3402": Timer(720, 0, "TS 24.301, 5.5.1.2.6"),  # after five failed attaches, before the next round
    "T3410": Timer(15, 5, "TS 24.301, 5.5.1.2.6"),  # attach request
    "T3411": Timer(10, 0, "TS 24.301, 5.5.1.2.6"),  # before the next attach attempt
    "T3412": Timer(3240, 0, "TS 24.301, 5.3.5"),  # periodic update, where the network names no other value
    "T3416": Timer(30, 0, "TS 24.301, 5.4.2.3"),  # how long RAND and RES are kept
    "T3417": Timer(5, 0, "TS 24.301, 5.6.1.6"),  # service request
    "T3418": Timer(20, 0, "TS 24.301, 5.4.2.7"),  # after Authentication failure #20 or #26
    "T3420": Timer(15, 0, "TS 24.301, 5.4.2.7"),  # after Authentication failure #21
    "T3430": Timer(15, 5, "TS 24.301, 5.5.3.2.6"),  # tracking area update request
    "T3421": Timer(15, 5, "TS 24.301, 5.5.2.2.6"),  # detach request
    "T3480": Timer(8, 5, "TS 24.301, 6.5.3.5"),  # bearer resource allocation request
    "T3481": Timer(8, 5, "TS 24.301, 6.5.4.5"),  # bearer resource modification request
    "T3482": Timer(8, 5, "TS 24.301, 6.5.1.5"),  # PDN connectivity request
    "TC1*": Timer(5, 3, "TS 24.011, 5.3.2.1"),  # CP-DATA
    "TR1M": Timer(40, 0, "TS 24.011, 10"),  # RP-DATA of ours
    "T3492": Timer(6, 5, "TS 24.301, 6.5.2.5"),  # PDN disconnect request
}

AUTHENTICATION_FAILURES = 3
"""So many in a row, and the phone takes the network for a false one (TS 24.301, 5.4.2.7)."""

S1_SETUP_SECONDS = 10.0
"""The eNB repeats S1 Setup after this where the MME named no time to wait (TS 36.413, 8.7.3)."""

TIME_TO_WAIT = (1, 2, 5, 10, 20, 60)
"""Seconds of the values of the IE Time To Wait in order (TS 36.413, 9.2.1.61)."""
