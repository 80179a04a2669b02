# SPDX-License-Identifier: Apache-2.0
"""The states of a call to an answer service."""

from enum import StrEnum

from dialtone.fsm import Table


class CallState(StrEnum):
    """Of one call."""

    OFFERED = "offered"
    WAITING = "waits for the caller's bearer"
    ANSWERED = "answered"
    CONFIRMED = "speaks"
    ENDED = "ended"


_S = CallState
CALL = Table("Call to an answer service", "RFC 3261, 13.3 and 15.1; RFC 3312, 5", _S.OFFERED, [
    (_S.OFFERED, "183", _S.WAITING),
    (_S.OFFERED, "200", _S.ANSWERED),
    (_S.WAITING, "200", _S.ANSWERED),
    (_S.WAITING, "CANCEL", _S.ENDED),
    (_S.OFFERED, "CANCEL", _S.ENDED),
    (_S.ANSWERED, "ACK", _S.CONFIRMED),
    (_S.CONFIRMED, "ACK", _S.CONFIRMED),
    *((state, event, _S.ENDED) for state in (_S.OFFERED, _S.WAITING, _S.ANSWERED, _S.CONFIRMED)
      for event in ("BYE", "end")),
])
