# SPDX-License-Identifier: Apache-2.0
"""The timers of the P-CSCF, seconds, by their names in the specification."""

from dialtone.sip.timers import CORE, RADIO

REG_AWAIT_AUTH = 240.0
"""reg-await-auth: a challenge waits for its answer (TS 24.229, table 7.8)."""
OLD_SAS = 64 * RADIO.t1
"""How long SAs stay that newer ones have replaced, or whose registration has ended (TS 33.203, 7.4)."""
MARGIN = 30.0
"""SAs live so much longer than the registration that they serve (TS 24.229, 5.2.2.2)."""
KERNEL = 15.0
"""The kernel ends what we forgot to end, later than we would have."""
LONGER = 600
"""A subscription to a registration's state is asked to last so much longer than the registration (TS 24.229, 5.2.3)."""
SUBSCRIPTION, REFRESH_BEFORE = "reg event subscription", 600
"""Refreshed so many seconds before its end, or at half time where it is short (TS 24.229, 5.2.3)."""
WAIT_FOR_NOTIFY = 64 * CORE.t1
"""Timer N: how long a NOTIFY may take (RFC 6665, 4.1.2.4)."""
