# SPDX-License-Identifier: Apache-2.0
"""Combined attach and update (TS 24.301, 5.5.1.3 and 5.5.3.3; TS 23.272, annex C): SMS over NAS, and no calls.

There is no circuit switched network here. A phone that wants SMS only gets it from the MME, with a location area
that no cell broadcasts; one that wants calls, too, is taken for EPS services alone, with cause #18.
"""

from typing import NamedTuple

from dialtone.codec.nas.identities import Lai
from dialtone.mme.element import Mme

CS_NOT_AVAILABLE = 18
SMS_ONLY = 1  # bit AUTV of the additional update type (9.9.3.0B)
RESULT_SMS_ONLY = 2  # additional update result (9.9.3.0A)
NON_BROADCAST_LAC = 0xFFFD  # the highest that is not reserved (TS 23.003, 4.1)


class Side(NamedTuple):
    """What an accept says of non-EPS services."""

    combined: bool = False
    lai: Lai | None = None
    additional_update_result: int | None = None
    emm_cause: int | None = None


def grant(mme: Mme, asked: bool, additional_update_type: int | None) -> Side:
    """What a phone gets that `asked` for non-EPS services."""
    if not asked:
        return Side()
    if (additional_update_type or 0) & SMS_ONLY:
        return Side(True, Lai(mme.plmn, NON_BROADCAST_LAC), RESULT_SMS_ONLY)
    return Side(emm_cause=CS_NOT_AVAILABLE)
