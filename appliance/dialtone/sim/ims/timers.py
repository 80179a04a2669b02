# SPDX-License-Identifier: Apache-2.0
"""The IMS client's timers by name, in seconds."""

from dialtone.sim.timers import Timer

TIMERS = {
    "refresh": Timer(0, 0, "TS 24.229, 5.1.1.4.1"),  # at half of what was granted
    "retry": Timer(30, 0, "TS 24.229, 5.1.1.2.1"),  # after a failure, doubled up to 600
    "old SAs": Timer(128, 0, "TS 24.229, 5.1.1.5.1"),  # 64*T1 after the new ones were taken into use
    "NOTIFY": Timer(130, 0, "TS 24.229, 5.1.1.3"),  # after SUBSCRIBE, then the phone registers again
    "subscription": Timer(0, 0, "TS 24.229, 5.1.1.3"),
}
RETRY_LIMIT = 600.0
CREDENTIAL_FAILURES = 2
"""So many challenges in a row that the card does not accept, or that are refused, and the phone gives up."""
