# SPDX-License-Identifier: Apache-2.0
"""The call is over: Session-Termination-Request (TS 29.214, 4.4.4)."""

from dialtone.codec.diameter import DiameterError, ResultCode, SessionTerminationAnswer, SessionTerminationRequest
from dialtone.dispatch import Rx
from dialtone.effects import Effects
from dialtone.pgw.element import Pgw, on
from dialtone.pgw.rx.abortion import forget
from dialtone.pgw.rx.af_session import RX, answer


@on(RX, SessionTerminationRequest)
def on_session_termination_request(pgw: Pgw, msg: SessionTerminationRequest, rx: Rx) -> Effects:
    """Its bearers go."""
    af = pgw.af_sessions.get(msg.session_id)
    if af is None or af.host != msg.origin_host:
        raise DiameterError(f"no session {msg.session_id}", cause=ResultCode.DIAMETER_UNKNOWN_SESSION_ID,
                            clause="RFC 6733, 8.4")
    rx.subject = af.session.imsi
    yield answer(pgw, msg, SessionTerminationAnswer, result_code=ResultCode.DIAMETER_SUCCESS)
    yield from forget(pgw, af)
