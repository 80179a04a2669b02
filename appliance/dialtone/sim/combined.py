# SPDX-License-Identifier: Apache-2.0
"""The phone's side of combined attach and update (TS 24.301, 5.5.1.3.4 and 5.5.3.3.4): SMS over NAS, or nothing."""

from dialtone.codec.nas.identities import Lai
from dialtone.sim.phone import Phone

SMS_ONLY = 1  # additional update type (9.9.3.0B)
RESULT_SMS_ONLY = 2  # additional update result (9.9.3.0A)
COMBINED_UPDATED = 1  # EPS update result (9.9.3.13)


def additional_update_type(phone: Phone) -> int | None:
    """What a phone says that wants SMS and no calls."""
    return SMS_ONLY if phone.handset.sms_only else None


def take(phone: Phone, accepted: bool, result: int | None, lai: Lai | None) -> None:
    """What the network gave beside EPS. A combined result without a location area is none (5.5.1.3.4.2)."""
    phone.sms = accepted and lai is not None
    if accepted and lai is None:
        phone.counters["combined result without a location area"] += 1
    if phone.handset.sms_only and accepted and result != RESULT_SMS_ONLY:
        phone.counters["SMS only asked, not answered"] += 1
