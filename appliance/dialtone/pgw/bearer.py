# SPDX-License-Identifier: Apache-2.0
"""Modify Bearer and Release Access Bearers (TS 29.274, 7.2.7 and 7.2.21): where the downlink goes."""

from dataclasses import dataclass

from dialtone.codec.gtpc import (
    BearerContextModified,
    CauseValue,
    ModifyBearerRequest,
    ModifyBearerResponse,
    ReleaseAccessBearersRequest,
    ReleaseAccessBearersResponse,
)
from dialtone.codec.gtpc.values import Cause
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, EndMarker, Event, OpenTunnel, Tell
from dialtone.errors import ProtocolError
from dialtone.pgw.element import BearerContext, Pgw, Session, on
from dialtone.pgw.tunnel import S11, control_peer


@dataclass(slots=True)
class DefaultBearerUp(Event):
    """A PDN connection carries data: policy may give it what else it is to have."""

    imsi: str
    apn: str


@dataclass(slots=True)
class BearerLost(Event):
    """The phone or its eNB has no dedicated bearer `ebi` any more; the MME says so when the phone comes back."""

    imsi: str
    apn: str
    ebi: int


@on("S5/S8", ModifyBearerRequest)
@on("S11", ModifyBearerRequest)
def on_modify_bearer_request(pgw: Pgw, msg: ModifyBearerRequest, rx: Rx) -> Effects:
    """The eNB's ends of the bearers, or the S-GW's where it moved them, and the bearers that were lost.

    Each request is of one PDN connection.
    """
    contexts, lost = msg.bearer_contexts_to_be_modified, msg.bearer_contexts_to_be_removed
    named = [context.ebi for context in contexts] + [context.ebi for context in lost]
    session = pgw.session_of(msg.teid, rx, named[0] if named else None)
    for context in contexts:
        if context.ebi not in session.bearers:
            raise ProtocolError(f"EBI {context.ebi} is not a bearer of the session",
                                cause=CauseValue.CONTEXT_NOT_FOUND, clause="TS 29.274, 7.2.8")
    if msg.sender_f_teid is not None:
        session.tunnel.peer, session.tunnel.peer_teid = control_peer(rx, msg.sender_f_teid), msg.sender_f_teid.teid
    for gone in lost:
        yield Tell(pgw.name, BearerLost(session.imsi, session.apn, gone.ebi))
    modified = []
    for context in contexts:
        bearer = session.bearers[context.ebi]
        end = context.s1_u_enodeb_f_teid or context.s5_s8_u_sgw_f_teid
        if end is not None and end.ipv4:
            if bearer.enb is not None and bearer.enb != (end.ipv4, end.teid):
                yield EndMarker(*bearer.enb)  # the last of the old path (TS 23.401, 5.5.1.1.2)
            bearer.enb, bearer.lost, session.tunnel.notified = (end.ipv4, end.teid), False, False
            yield open_tunnel(session, bearer)
        modified.append(BearerContextModified(
            ebi=bearer.ebi,
            cause=Cause(CauseValue.REQUEST_ACCEPTED),
            s1_u_sgw_f_teid=pgw.user_end(session, bearer) if session.tunnel.point == S11 else None,
        ))
    yield Answer(ModifyBearerResponse(teid=session.mme_teid, cause=Cause(CauseValue.REQUEST_ACCEPTED),
                                      bearer_contexts_modified=tuple(modified)))
    if session.bearers[session.ebi].enb is not None:
        yield Tell(pgw.name, DefaultBearerUp(session.imsi, session.apn))


@on("S11", ReleaseAccessBearersRequest)
def on_release_access_bearers_request(pgw: Pgw, msg: ReleaseAccessBearersRequest, rx: Rx) -> Effects:
    """The phone is idle: no downlink until it comes back."""
    tunnel = pgw.tunnel_of(msg.teid, rx)
    for session in tunnel.sessions.values():
        for bearer in session.bearers.values():
            bearer.enb, bearer.lost = None, False
            yield open_tunnel(session, bearer)
    yield Answer(ReleaseAccessBearersResponse(teid=tunnel.peer_teid, cause=Cause(CauseValue.REQUEST_ACCEPTED)))


def open_tunnel(session: Session, bearer: BearerContext, failed: Event | None = None) -> OpenTunnel:
    """The bearer as the user plane needs it now."""
    remote, remote_teid = bearer.enb or (None, None)
    return OpenTunnel(session.imsi, bearer.ebi, session.paa.ipv4 or b"", bearer.teid, remote, remote_teid, bearer.qci,
                      prefix=(session.paa.ipv6 or b"")[:8], failed=failed, filters=bearer.filters,
                      mbr=bearer.rule.mbr if bearer.rule else (0, 0),
                      ambr=(session.ambr.downlink, session.ambr.uplink))
