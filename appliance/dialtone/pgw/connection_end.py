# SPDX-License-Identifier: Apache-2.0
"""The gateway ends a PDN connection by its default bearer (TS 23.401, 5.4.4.1; TS 29.274, 7.2.9.2).

With *reactivation requested* the phone connects anew, and learns what changed: a P-CSCF, a network (TS 23.380, 5.3).
"""

from dataclasses import dataclass

from dialtone.codec.gtpc import CauseValue, DeleteBearerRequest
from dialtone.codec.gtpc.values import Cause
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, Request, Verdict
from dialtone.pgw.dedicated import PATIENCE, Change
from dialtone.pgw.element import Pgw, Session, on
from dialtone.pgw.session import close


@dataclass(slots=True)
class EndConnection(Event):
    """By command: end the phone's connection to `apn`; `again` asks it to come back at once."""

    imsi: str
    apn: str
    again: bool = False


@on.event(EndConnection)
def on_end_connection(pgw: Pgw, event: EndConnection, rx: Rx) -> Effects:
    """The MME takes it from the phone first."""
    session = pgw.sessions.get((event.imsi, event.apn))
    if session is not None:
        rx.subject = session.imsi
        yield Request(session.tunnel.point, session.tunnel.peer, DeleteBearerRequest(
            teid=session.mme_teid, linked_ebi=session.ebi,
            cause=Cause(CauseValue.REACTIVATION_REQUESTED) if event.again else None,
        ), context=Change(session, [], then=_ended), repeats=PATIENCE)


def _ended(pgw: Pgw, session: Session) -> Effects:
    """Answered or not: the connection is gone."""
    if pgw.sessions.get((session.imsi, session.apn)) is session:
        yield from close(pgw, session)
        yield Verdict("session", True, f"the gateway closed {session.apn}")
