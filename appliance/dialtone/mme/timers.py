# SPDX-License-Identifier: Apache-2.0
"""The MME's timers by spec name (TS 24.301, table 10.2.2; seconds and the number of retransmissions)."""

from typing import NamedTuple


class Timer(NamedTuple):
    """`seconds` to expiry; `repeats` retransmissions before the procedure is given up."""

    seconds: float
    repeats: int
    clause: str


CONTEXT_SETUP, CONTEXT_RELEASE, IMPLICIT_DETACH = "initial context setup", "context release", "implicit detach"
OVERLOAD, RESET = "overload", "reset acknowledgement"
HANDOVER_PREPARATION, HANDOVER_EXECUTION = "handover preparation", "handover execution"
SOURCE_RELEASE = "release of the source"
E_RAB = "E-RAB"
"""Guards without a name in the specification are called after what they guard."""

TIMERS = {
    "T3346": Timer(60, 0, "TS 24.301, 5.5.1.2.5"),  # told with #22, from half of it on, so that not all return at once
    "T3413": Timer(4, 3, "TS 24.301, 5.6.2.2.1"),  # paging; longer than three paging cycles of 1.28 s
    "T3422": Timer(6, 4, "TS 24.301, 5.5.2.3.4"),  # detach by the network
    "T3450": Timer(6, 4, "TS 24.301, 5.5.1.2.7"),  # attach accept
    "T3460": Timer(6, 4, "TS 24.301, 5.4.2.7"),  # authentication, security mode
    "T3470": Timer(6, 4, "TS 24.301, 5.4.4.6"),  # identification
    "T3485": Timer(8, 4, "TS 24.301, 6.4.1.6"),  # activation of a bearer
    "T3486": Timer(8, 4, "TS 24.301, 6.4.3.6"),  # modification of a bearer
    "T3489": Timer(4, 2, "TS 24.301, 6.6.1.2.6"),  # ESM information
    "T3495": Timer(8, 4, "TS 24.301, 6.4.4.5"),  # deactivation of a bearer
    "TC1*": Timer(5, 2, "TS 24.011, 5.3.2.1"),  # CP-DATA
    "TR1N": Timer(40, 0, "TS 24.011, 10"),  # RP-DATA to the phone, which may have to be called first
    "TR2N": Timer(15, 0, "TS 24.011, 10"),  # RP-DATA of the phone
    CONTEXT_SETUP: Timer(10, 0, "TS 36.413, 8.3.1"),
    E_RAB: Timer(10, 0, "TS 36.413, 8.2"),
    CONTEXT_RELEASE: Timer(5, 0, "TS 36.413, 8.3.3"),
    HANDOVER_PREPARATION: Timer(5, 0, "TS 36.413, 8.4.2"),
    HANDOVER_EXECUTION: Timer(10, 0, "TS 36.413, 8.4.3"),
    SOURCE_RELEASE: Timer(2, 0, "TS 23.401, 5.5.1.2.2"),  # time for the data that the source forwards
    OVERLOAD: Timer(1, 0, "TS 36.413, 8.7.6"),  # how often the load is looked at
    RESET: Timer(5, 2, "TS 36.413, 8.7.1.2.1"),
    IMPLICIT_DETACH: Timer(240, 0, "TS 24.301, 5.3.5"),  # added to T3412
}
