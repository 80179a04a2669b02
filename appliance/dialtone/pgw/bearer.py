# SPDX-License-Identifier: Apache-2.0
"""Modify Bearer, Modify Access Bearers, Release Access Bearers (TS 29.274, 7.2.7, 7.2.24, 7.2.21): where the downlink
goes.
"""

from dataclasses import dataclass

from dialtone.codec.gtpc import (
    AccessBearerContextModified,
    BearerContextModified,
    CauseValue,
    ModifyAccessBearersRequest,
    ModifyAccessBearersResponse,
    ModifyBearerRequest,
    ModifyBearerResponse,
    ReleaseAccessBearersRequest,
    ReleaseAccessBearersResponse,
)
from dialtone.codec.gtpc.values import Cause, Fteid
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, EndMarker, Event, OpenTunnel, Tell
from dialtone.errors import ProtocolError
from dialtone.pgw.element import BearerContext, Pgw, Session, on
from dialtone.pgw.tunnel import S11, Tunnel, control_peer


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
        yield from _connect(session, bearer, context.s1_u_enodeb_f_teid or context.s5_s8_u_sgw_f_teid)
        modified.append(BearerContextModified(
            ebi=bearer.ebi,
            cause=Cause(CauseValue.REQUEST_ACCEPTED),
            s1_u_sgw_f_teid=pgw.user_end(session, bearer) if session.tunnel.point == S11 else None,
        ))
    yield Answer(ModifyBearerResponse(teid=session.mme_teid, cause=Cause(CauseValue.REQUEST_ACCEPTED),
                                      bearer_contexts_modified=tuple(modified)))
    if session.bearers[session.ebi].enb is not None:
        yield Tell(pgw.name, DefaultBearerUp(session.imsi, session.apn))


def _connect(session: Session, bearer: BearerContext, end: Fteid | None) -> Effects:
    """The far end of a bearer, where the request names one."""
    if end is None or not end.ipv4:
        return
    if bearer.enb is not None and bearer.enb != (end.ipv4, end.teid):
        yield EndMarker(*bearer.enb)  # the last of the old path (TS 23.401, 5.5.1.1.2)
    bearer.enb, bearer.lost = (end.ipv4, end.teid), False
    session.tunnel.notified = session.tunnel.suspended = False
    yield open_tunnel(session, bearer)


@on("S11", ModifyAccessBearersRequest)
def on_modify_access_bearers_request(pgw: Pgw, msg: ModifyAccessBearersRequest, rx: Rx) -> Effects:
    """Likewise, of all PDN connections of the phone at once; what is not known fails alone."""
    tunnel = pgw.tunnel_of(msg.teid, rx)
    of_ebi = {ebi: session for session in tunnel.sessions.values() for ebi in session.bearers}
    if msg.sender_f_teid is not None:
        tunnel.peer, tunnel.peer_teid = control_peer(rx, msg.sender_f_teid), msg.sender_f_teid.teid
    for gone in msg.bearer_contexts_to_be_removed:
        if (session := of_ebi.get(gone.ebi)) is not None:
            yield Tell(pgw.name, BearerLost(session.imsi, session.apn, gone.ebi))
    modified = []
    for context in msg.bearer_contexts_to_be_modified:
        session = of_ebi.get(context.ebi)
        if session is None:
            modified.append(AccessBearerContextModified(ebi=context.ebi, cause=Cause(CauseValue.CONTEXT_NOT_FOUND)))
            continue
        bearer = session.bearers[context.ebi]
        yield from _connect(session, bearer, context.s1_u_enodeb_f_teid)
        modified.append(AccessBearerContextModified(ebi=context.ebi, cause=Cause(CauseValue.REQUEST_ACCEPTED),
                                                    s1_u_sgw_f_teid=pgw.user_end(session, bearer)))
    known = [context.cause.accepted for context in modified]
    cause = CauseValue.REQUEST_ACCEPTED if all(known) else (
        CauseValue.REQUEST_ACCEPTED_PARTIALLY if any(known) else CauseValue.CONTEXT_NOT_FOUND)
    yield Answer(ModifyAccessBearersResponse(teid=tunnel.peer_teid, cause=Cause(cause),
                                             bearer_contexts_modified=tuple(modified)))
    for session in tunnel.sessions.values():
        if session.bearers[session.ebi].enb is not None:
            yield Tell(pgw.name, DefaultBearerUp(session.imsi, session.apn))


@on("S11", ReleaseAccessBearersRequest)
def on_release_access_bearers_request(pgw: Pgw, msg: ReleaseAccessBearersRequest, rx: Rx) -> Effects:
    """The phone is idle: no downlink until it comes back."""
    tunnel = pgw.tunnel_of(msg.teid, rx)
    yield from disconnect(tunnel)
    yield Answer(ReleaseAccessBearersResponse(teid=tunnel.peer_teid, cause=Cause(CauseValue.REQUEST_ACCEPTED)))


def disconnect(tunnel: Tunnel) -> Effects:
    """No eNB has the phone's bearers."""
    for session in tunnel.sessions.values():
        for bearer in session.bearers.values():
            bearer.enb, bearer.lost = None, False
            yield open_tunnel(session, bearer)


def open_tunnel(session: Session, bearer: BearerContext, failed: Event | None = None) -> OpenTunnel:
    """The bearer as the user plane needs it now."""
    remote, remote_teid = bearer.enb or (None, None)
    return OpenTunnel(session.imsi, bearer.ebi, session.paa.ipv4 or b"", bearer.teid, remote, remote_teid, bearer.qci,
                      prefix=(session.paa.ipv6 or b"")[:8], failed=failed, filters=bearer.filters,
                      mbr=bearer.rule.mbr if bearer.rule else (0, 0),
                      ambr=(session.ambr.downlink, session.ambr.uplink))
