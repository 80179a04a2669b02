# SPDX-License-Identifier: Apache-2.0
"""Create and Delete Session (TS 29.274, 7.2.1 and 7.2.9; TS 23.401, 5.3.2.1 and 5.3.8.2)."""

from dataclasses import dataclass

from dialtone.codec.gtpc import (
    BearerContextCreated,
    CauseValue,
    CreateSessionRequest,
    CreateSessionResponse,
    DeleteSessionRequest,
    DeleteSessionResponse,
)
from dialtone.codec.gtpc.values import Ambr, Cause, Fteid
from dialtone.config import EMERGENCY_APN
from dialtone.dispatch import Rx
from dialtone.effects import Answer, CloseTunnel, ConnectionGone, Effects, Event, Send, Tell, Verdict
from dialtone.errors import ProtocolError
from dialtone.ids import nameless
from dialtone.pgw import forwarding, options
from dialtone.pgw.bearer import open_tunnel
from dialtone.pgw.element import BearerContext, Pgw, Session, on
from dialtone.pgw.rx.abortion import abort_all
from dialtone.pgw.tunnel import S5_S8, S5C_PGW, S5U_PGW, S11, S11_SGW, Tunnel, control_peer, point_of

IMS = "ims"
"""The APN of phones that register (TS 23.003, 9A)."""


@dataclass(slots=True)
class TunnelFailed(Event):
    """The user plane could not take the bearer of this session, which `peer` asked for."""

    session: Session
    peer: str
    sequence: int


@on("S5/S8", CreateSessionRequest)
@on("S11", CreateSessionRequest)
def on_create_session_request(pgw: Pgw, msg: CreateSessionRequest, rx: Rx) -> Effects:
    """Addresses, a TEID, what the phone asked for in its PCO. A second one for the same APN replaces the first."""
    rx.subject = imsi = _phone(msg)
    apn = msg.apn.lower()
    old = pgw.sessions.get((imsi, apn))
    kind, accepted = _check(pgw, msg, apn, old)
    tunnel = pgw.tunnel_of(msg.teid, rx) if msg.teid else None
    for stale in _stale(pgw, msg):
        yield from close(pgw, stale)
    if tunnel is None:
        sender = msg.sender_f_teid
        tunnel = Tunnel(point_of(sender), control_peer(rx, sender), imsi, pgw.new_teid(), sender.teid)
    paa = pgw.addresses[apn].take(kind, msg.paa)
    wish = msg.bearer_contexts_to_be_created[0]
    session = Session(imsi, apn, wish.ebi, paa, tunnel, msg.ambr or Ambr(0, 0))
    bearer = BearerContext(wish.ebi, wish.bearer_qos.qci, pgw.new_teid())
    if (end := wish.s5_s8_u_sgw_f_teid) is not None and end.ipv4:
        bearer.enb = (end.ipv4, end.teid)
    session.bearers[bearer.ebi] = bearer
    pgw.add(session)
    yield open_tunnel(session, bearer, failed=TunnelFailed(session, rx.peer, msg.sequence))
    yield Answer(CreateSessionResponse(
        teid=tunnel.peer_teid,
        cause=Cause(accepted),
        sender_f_teid=Fteid(S11_SGW, tunnel.teid, pgw.control) if tunnel.point == S11 else None,
        pgw_s5_s8_f_teid=Fteid(S5C_PGW, tunnel.teid, pgw.control),
        paa=paa,
        apn_restriction=0,
        ambr=msg.ambr,
        pco=options.answer(pgw.config, apn, kind, msg.pco),
        bearer_contexts_created=(BearerContextCreated(
            ebi=bearer.ebi,
            cause=Cause(CauseValue.REQUEST_ACCEPTED),
            s1_u_sgw_f_teid=pgw.user_end(session, bearer) if tunnel.point == S11 else None,
            s5_s8_u_pgw_f_teid=Fteid(S5U_PGW, bearer.teid, pgw.s1u),
            bearer_qos=wish.bearer_qos,
            charging_id=bearer.teid if tunnel.point == S5_S8 else None,
        ),),
        recovery=pgw.recovery,
    ))


def _phone(msg: CreateSessionRequest) -> str:
    """The IMSI, or the IMEI of a phone in need that has none or has not proven it (TS 29.274, 7.2.1)."""
    unproven = msg.indication_flags is not None and msg.indication_flags.has("UIMSI")
    return nameless(msg.mei) if msg.mei and (unproven or not msg.imsi) else msg.imsi or ""


def _stale(pgw: Pgw, msg: CreateSessionRequest) -> list[Session]:
    """What a new session replaces (TS 29.274, 7.2.1): that of the same APN, that of the same default bearer; and of an
    MME that has no TEID of ours (0), and so no session of this phone, all that stand there under its name."""
    point = point_of(msg.sender_f_teid)
    fresh = point == S11 and not msg.teid
    ebi = msg.bearer_contexts_to_be_created[0].ebi
    return [session for session in pgw.sessions_of(_phone(msg))
            if session.apn == msg.apn.lower() or (session.tunnel.point == point and (fresh or session.ebi == ebi))]


def _check(pgw: Pgw, msg: CreateSessionRequest, apn: str, old: Session | None) -> tuple[int, CauseValue]:
    """PDN type and cause; raises ProtocolError, with the cause to answer, before anything is changed."""
    if apn not in pgw.config.apn:
        raise ProtocolError(f"APN {msg.apn!r} is not configured", cause=CauseValue.MISSING_OR_UNKNOWN_APN)
    if not msg.imsi and (apn != EMERGENCY_APN or not msg.mei):
        raise ProtocolError("a session without an IMSI, and no emergency", cause=CauseValue.CONDITIONAL_IE_MISSING)
    kind, accepted = pgw.addresses[apn].kind(msg)
    pgw.addresses[apn].check(kind, msg.paa, old.paa if old else None)
    return kind, accepted


@on.event(TunnelFailed)
def on_tunnel_failed(pgw: Pgw, event: TunnelFailed, rx: Rx) -> Effects:
    """The user plane refused: the session is taken back and the MME is told so."""
    session = event.session
    if pgw.sessions.get((session.imsi, session.apn)) is not session:
        return
    rx.subject = session.imsi
    pgw.remove(session)
    answer = CreateSessionResponse(teid=session.mme_teid, cause=Cause(CauseValue.NO_RESOURCES_AVAILABLE))
    answer.sequence = event.sequence
    yield Send(session.tunnel.point, event.peer, answer)
    yield Verdict("session", False, f"the user plane could not open a bearer for {session.apn}")


@on("S5/S8", DeleteSessionRequest)
@on("S11", DeleteSessionRequest)
def on_delete_session_request(pgw: Pgw, msg: DeleteSessionRequest, rx: Rx) -> Effects:
    """Everything of the session is free again before the answer."""
    session = pgw.session_of(msg.teid, rx, msg.linked_ebi)
    yield from close(pgw, session)
    yield Answer(DeleteSessionResponse(teid=session.tunnel.peer_teid, cause=Cause(CauseValue.REQUEST_ACCEPTED)))


def close(pgw: Pgw, session: Session) -> Effects:
    """Give back all that a session holds. The P-CSCF is told of it where phones register (TS 29.214, 4.4.6.1)."""
    yield from abort_all(pgw, session)
    if session.apn == IMS:
        yield Tell("pcscf", ConnectionGone(session.paa.ipv4 or b"", (session.paa.ipv6 or b"")[:8]))
    for bearer in session.bearers.values():
        yield CloseTunnel(bearer.teid)
    pgw.remove(session)
    if not session.tunnel.sessions:
        yield from forwarding.close(pgw, session.tunnel)
