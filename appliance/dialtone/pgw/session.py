# SPDX-License-Identifier: Apache-2.0
"""Create and Delete Session (TS 29.274, 7.2.1 and 7.2.9; TS 23.401, 5.3.2.1 and 5.3.8.2)."""

from dataclasses import dataclass
from ipaddress import IPv4Address

from dialtone.codec.gtpc import (
    BearerContextCreated,
    CauseValue,
    CreateSessionRequest,
    CreateSessionResponse,
    DeleteSessionRequest,
    DeleteSessionResponse,
)
from dialtone.codec.gtpc.values import Cause, Fteid, Paa
from dialtone.codec.pco import (
    CONFIGURE_ACK,
    CONFIGURE_NAK,
    CONFIGURE_REJECT,
    PRIMARY_DNS,
    SECONDARY_DNS,
    Id,
    PppPacket,
    ProtocolConfigurationOptions,
)
from dialtone.config import MTU
from dialtone.dispatch import Rx
from dialtone.effects import Answer, CloseTunnel, Effects, Event, OpenTunnel, Send, Verdict
from dialtone.errors import ProtocolError
from dialtone.pgw.element import BearerContext, Pgw, Session, on
from dialtone.pgw.tunnel import S5_S8, S5C_PGW, S5U_PGW, S11, S11_SGW, Tunnel, control_peer, point_of

IPV4, IPV4V6 = 1, 3


@dataclass(slots=True)
class TunnelFailed(Event):
    """The user plane could not take the bearer of this session, which `peer` asked for."""

    session: Session
    peer: str
    sequence: int


@on("S5/S8", CreateSessionRequest)
@on("S11", CreateSessionRequest)
def on_create_session_request(pgw: Pgw, msg: CreateSessionRequest, rx: Rx) -> Effects:
    """An address, a TEID, what the phone asked for in its PCO. A second one for the same APN replaces the first."""
    rx.subject = imsi = msg.imsi or ""
    apn = msg.apn.lower()
    old = pgw.sessions.get((imsi, apn))
    _check(pgw, msg, apn, old)
    tunnel = pgw.tunnel_of(msg.teid, rx) if msg.teid else None
    for stale in _stale(pgw, msg):
        yield from close(pgw, stale)
    if tunnel is None:
        sender = msg.sender_f_teid
        tunnel = Tunnel(point_of(sender), control_peer(rx, sender), imsi, pgw.new_teid(), sender.teid)
    wanted = msg.paa.ipv4 if msg.paa and msg.paa.ipv4 and any(msg.paa.ipv4) else b""
    address = pgw.pools[apn].take(wanted)
    wish = msg.bearer_contexts_to_be_created[0]
    session = Session(imsi, apn, wish.ebi, address, tunnel)
    bearer = BearerContext(wish.ebi, wish.bearer_qos.qci, pgw.new_teid())
    if (end := wish.s5_s8_u_sgw_f_teid) is not None and end.ipv4:
        bearer.enb = (end.ipv4, end.teid)
    session.bearers[bearer.ebi] = bearer
    pgw.add(session)
    remote, remote_teid = bearer.enb or (None, None)
    yield OpenTunnel(session.imsi, bearer.ebi, address, bearer.teid, remote, remote_teid, bearer.qci,
                     failed=TunnelFailed(session, rx.peer, msg.sequence))
    accepted = (CauseValue.NEW_PDN_TYPE_DUE_TO_NETWORK_PREFERENCE if msg.pdn_type == IPV4V6
                else CauseValue.REQUEST_ACCEPTED)
    yield Answer(CreateSessionResponse(
        teid=tunnel.peer_teid,
        cause=Cause(accepted),
        sender_f_teid=Fteid(S11_SGW, tunnel.teid, pgw.control) if tunnel.point == S11 else None,
        pgw_s5_s8_f_teid=Fteid(S5C_PGW, tunnel.teid, pgw.control),
        paa=Paa(IPV4, address),
        apn_restriction=0,
        ambr=msg.ambr,
        pco=_options(pgw, apn, msg.pco),
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


def _stale(pgw: Pgw, msg: CreateSessionRequest) -> list[Session]:
    """What a new session replaces (TS 29.274, 7.2.1): that of the same APN, that of the same default bearer; and of an
    MME that has no TEID of ours (0), and so no session of this phone, all that stand there under its name."""
    point = point_of(msg.sender_f_teid)
    fresh = point == S11 and not msg.teid
    ebi = msg.bearer_contexts_to_be_created[0].ebi
    return [session for session in pgw.sessions_of(msg.imsi or "")
            if session.apn == msg.apn.lower() or (session.tunnel.point == point and (fresh or session.ebi == ebi))]


def _check(pgw: Pgw, msg: CreateSessionRequest, apn: str, old: Session | None) -> None:
    """Raise ProtocolError, with the cause to answer, before anything is changed."""
    if apn not in pgw.config.apn:
        raise ProtocolError(f"APN {msg.apn!r} is not configured", cause=CauseValue.MISSING_OR_UNKNOWN_APN)
    if not msg.imsi:
        raise ProtocolError("a session without an IMSI", cause=CauseValue.CONDITIONAL_IE_MISSING)
    if msg.pdn_type not in (IPV4, IPV4V6):
        raise ProtocolError("this gateway has IPv4 only", cause=CauseValue.PREFERRED_PDN_TYPE_NOT_SUPPORTED)
    if old is None and pgw.pools[apn].full:
        raise ProtocolError(f"all addresses of {pgw.config.apn[apn].pool} are in use",
                            cause=CauseValue.ALL_DYNAMIC_ADDRESSES_ARE_OCCUPIED)


def _options(pgw: Pgw, apn: str, asked: bytes | None) -> bytes:
    """DNS, P-CSCF and MTU: what was asked for; to a phone that asks nothing the DNS and MTU all the same."""
    settings = pgw.config.apn[apn]
    servers = [IPv4Address(server) for server in settings.dns] or [settings.gateway]
    p_cscf = pgw.config.apn["ims"].gateway if "ims" in pgw.config.apn else None
    answer = ProtocolConfigurationOptions(from_network=True)
    request = _read(asked)
    if request is not None and (ipcp := request.ipcp) is not None:
        answer.add(Id.IPCP, _ipcp(ipcp, servers).to_bytes())
    if request is None or request.asks_for(Id.DNS_IPV4) or not answer.containers:
        for server in servers:
            answer.add(Id.DNS_IPV4, server.packed)
    if request is not None and request.asks_for(Id.P_CSCF_IPV4) and p_cscf is not None:
        answer.add(Id.P_CSCF_IPV4, p_cscf.packed)
    if request is None or request.asks_for(Id.IPV4_LINK_MTU):
        answer.add(Id.IPV4_LINK_MTU, MTU.to_bytes(2))
    return answer.to_bytes()


def _read(asked: bytes | None) -> ProtocolConfigurationOptions | None:
    """What cannot be read counts as not sent (TS 24.008, 10.5.6.3)."""
    try:
        return ProtocolConfigurationOptions.of_ue(asked) if asked else None
    except ProtocolError:
        return None


def _ipcp(packet: PppPacket, servers: list[IPv4Address]) -> PppPacket:
    """Answer the phone's Configure-Request for DNS servers (RFC 1332, RFC 1877): ours, by a Nak."""
    ours = {PRIMARY_DNS: servers[0].packed, SECONDARY_DNS: servers[-1].packed}
    asked = packet.options
    if other := [(kind, value) for kind, value in asked if kind not in ours]:
        return PppPacket.of_options(CONFIGURE_REJECT, packet.identifier, other)
    if wrong := [(kind, ours[kind]) for kind, value in asked if value != ours[kind]]:
        return PppPacket.of_options(CONFIGURE_NAK, packet.identifier, wrong)
    return PppPacket.of_options(CONFIGURE_ACK, packet.identifier, asked)


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
    """Give back all that a session holds."""
    for bearer in session.bearers.values():
        yield CloseTunnel(bearer.teid)
    pgw.remove(session)
