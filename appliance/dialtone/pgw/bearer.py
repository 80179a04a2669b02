# SPDX-License-Identifier: Apache-2.0
"""Modify Bearer and Release Access Bearers (TS 29.274, 7.2.7 and 7.2.21): where the downlink goes."""

from dialtone.codec.gtpc import (
    BearerContextModified,
    CauseValue,
    ModifyBearerRequest,
    ModifyBearerResponse,
    ReleaseAccessBearersRequest,
    ReleaseAccessBearersResponse,
)
from dialtone.codec.gtpc.values import Cause, Fteid
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, OpenTunnel, TunnelRefused, Verdict
from dialtone.errors import ProtocolError
from dialtone.pgw.element import BearerContext, Pgw, Session, on

S1U_SGW = 1


@on("S11", ModifyBearerRequest)
def on_modify_bearer_request(pgw: Pgw, msg: ModifyBearerRequest, rx: Rx) -> Effects:
    """The eNB's ends of the bearers."""
    session = pgw.session_of(msg.teid, rx)
    for context in msg.bearer_contexts_to_be_modified:
        if context.ebi not in session.bearers:
            raise ProtocolError(f"EBI {context.ebi} is not a bearer of the session",
                                cause=CauseValue.CONTEXT_NOT_FOUND, clause="TS 29.274, 7.2.8")
    modified = []
    for context in msg.bearer_contexts_to_be_modified:
        bearer = session.bearers[context.ebi]
        end = context.s1_u_enodeb_f_teid
        if end is not None and end.ipv4:
            bearer.enb = (end.ipv4, end.teid)
            yield _tunnel(session, bearer)
        modified.append(BearerContextModified(
            ebi=bearer.ebi,
            cause=Cause(CauseValue.REQUEST_ACCEPTED),
            s1_u_sgw_f_teid=Fteid(S1U_SGW, bearer.teid, pgw.s1u),
        ))
    yield Answer(ModifyBearerResponse(teid=session.mme_teid, cause=Cause(CauseValue.REQUEST_ACCEPTED),
                                      bearer_contexts_modified=tuple(modified)))


@on("S11", ReleaseAccessBearersRequest)
def on_release_access_bearers_request(pgw: Pgw, msg: ReleaseAccessBearersRequest, rx: Rx) -> Effects:
    """The phone is idle: no downlink until it comes back."""
    session = pgw.session_of(msg.teid, rx)
    for bearer in session.bearers.values():
        bearer.enb = None
        yield _tunnel(session, bearer)
    yield Answer(ReleaseAccessBearersResponse(teid=session.mme_teid, cause=Cause(CauseValue.REQUEST_ACCEPTED)))


@on.event(TunnelRefused)
def on_tunnel_refused(pgw: Pgw, event: TunnelRefused, rx: Rx) -> Effects:
    """The eNB forgot the bearer: no downlink until its phone comes back (TS 23.007, 22)."""
    rx.subject = event.imsi
    for session in pgw.sessions.values():
        bearer = session.bearers.get(event.ebi)
        if session.imsi == event.imsi and bearer is not None and bearer.teid == event.teid:
            bearer.enb = None
            yield Verdict("bearer", False, f"the eNB does not know the tunnel of EBI {event.ebi} any more: "
                                           "was it restarted? No downlink until the phone attaches again.")


def _tunnel(session: Session, bearer: BearerContext) -> OpenTunnel:
    remote, remote_teid = bearer.enb or (None, None)
    return OpenTunnel(session.imsi, bearer.ebi, session.address, bearer.teid, remote, remote_teid, bearer.qci)
