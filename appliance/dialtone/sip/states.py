# SPDX-License-Identifier: Apache-2.0
"""The states of SIP transactions (RFC 3261, 17, figures 5 to 8, as RFC 6026 mends them)."""

from enum import StrEnum

from dialtone.fsm import Table


class ClientState(StrEnum):
    """A request of ours."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    ACCEPTED = "accepted"
    TERMINATED = "terminated"


class ServerState(StrEnum):
    """A request of a peer."""

    TRYING = "trying"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"
    TERMINATED = "terminated"


_C = ClientState
CLIENT_INVITE = Table("INVITE client transaction", "RFC 6026, 7.2", _C.CALLING, [
    (_C.CALLING, "1xx", _C.PROCEEDING),
    (_C.CALLING, "2xx", _C.ACCEPTED),
    (_C.CALLING, "300-699", _C.COMPLETED),
    (_C.CALLING, "Timer B", _C.TERMINATED),
    (_C.PROCEEDING, "1xx", _C.PROCEEDING),
    (_C.PROCEEDING, "2xx", _C.ACCEPTED),
    (_C.PROCEEDING, "300-699", _C.COMPLETED),
    (_C.PROCEEDING, "Timer B", _C.TERMINATED),  # after CANCEL (RFC 3261, 9.1)
    (_C.COMPLETED, "300-699", _C.COMPLETED),
    (_C.COMPLETED, "Timer D", _C.TERMINATED),
    (_C.ACCEPTED, "2xx", _C.ACCEPTED),
    (_C.ACCEPTED, "Timer M", _C.TERMINATED),
])
CLIENT = Table("Non-INVITE client transaction", "RFC 3261, 17.1.2.2", _C.TRYING, [
    (_C.TRYING, "1xx", _C.PROCEEDING),
    (_C.TRYING, "2xx", _C.COMPLETED),
    (_C.TRYING, "300-699", _C.COMPLETED),
    (_C.TRYING, "Timer F", _C.TERMINATED),
    (_C.PROCEEDING, "1xx", _C.PROCEEDING),
    (_C.PROCEEDING, "2xx", _C.COMPLETED),
    (_C.PROCEEDING, "300-699", _C.COMPLETED),
    (_C.PROCEEDING, "Timer F", _C.TERMINATED),
    (_C.COMPLETED, "Timer K", _C.TERMINATED),
])

_S = ServerState
SERVER_INVITE = Table("INVITE server transaction", "RFC 6026, 7.1", _S.PROCEEDING, [
    (_S.PROCEEDING, "1xx", _S.PROCEEDING),
    (_S.PROCEEDING, "2xx", _S.ACCEPTED),
    (_S.PROCEEDING, "300-699", _S.COMPLETED),
    (_S.ACCEPTED, "2xx", _S.ACCEPTED),
    (_S.ACCEPTED, "Timer L", _S.TERMINATED),
    (_S.COMPLETED, "ACK", _S.CONFIRMED),
    (_S.COMPLETED, "Timer H", _S.TERMINATED),
    (_S.CONFIRMED, "Timer I", _S.TERMINATED),
])
SERVER = Table("Non-INVITE server transaction", "RFC 3261, 17.2.2", _S.TRYING, [
    (_S.TRYING, "1xx", _S.PROCEEDING),
    (_S.TRYING, "2xx", _S.COMPLETED),
    (_S.TRYING, "300-699", _S.COMPLETED),
    (_S.TRYING, "Timer F", _S.TERMINATED),  # nobody waits for the answer any more
    (_S.PROCEEDING, "1xx", _S.PROCEEDING),
    (_S.PROCEEDING, "2xx", _S.COMPLETED),
    (_S.PROCEEDING, "300-699", _S.COMPLETED),
    (_S.PROCEEDING, "Timer F", _S.TERMINATED),
    (_S.COMPLETED, "Timer J", _S.TERMINATED),
])


def event_of(status: int) -> str:
    """The event that an answer with this status is."""
    return "1xx" if status < 200 else "2xx" if status < 300 else "300-699"
