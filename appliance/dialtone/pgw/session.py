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

IPV4, IPV4V6 = 1, 3
S1U_SGW, S11_SGW = 1, 11  # F-TEID interface types (TS 29.274, 8.22)
LOOPBACK = bytes((127, 0, 0, 1))


@dataclass(slots=True)
class TunnelFailed(Event):
    """The user plane could not take the bearer of the session with our `teid`, which `peer` asked for."""

    teid: int
    peer: str
    sequence: int


@on("S11", CreateSessionRequest)
def on_create_session_request(pgw: Pgw, msg: CreateSessionRequest, rx: Rx) -> Effects:
    """An address, a TEID, what the phone asked for in its PCO. A second one for the same APN replaces the first."""
    rx.subject = imsi = msg.imsi or ""
    apn = msg.apn.lower()
    old = pgw.by_imsi.get((imsi, apn))
    _check(pgw, msg, apn, old)
    if old is not None:
        yield from _close(pgw, old)
    wanted = msg.paa.ipv4 if msg.paa and msg.paa.ipv4 and any(msg.paa.ipv4) else b""
    address = pgw.pools[apn].take(wanted)
    session = Session(imsi, apn, pgw.new_teid(), msg.sender_f_teid.teid, address)
    wish = msg.bearer_contexts_to_be_created[0]
    bearer = BearerContext(wish.ebi, wish.bearer_qos.qci, pgw.new_teid())
    session.bearers[bearer.ebi] = bearer
    pgw.add(session)
    yield OpenTunnel(session.imsi, bearer.ebi, address, bearer.teid, qci=bearer.qci,
                     failed=TunnelFailed(session.teid, rx.peer, msg.sequence))
    accepted = (CauseValue.NEW_PDN_TYPE_DUE_TO_NETWORK_PREFERENCE if msg.pdn_type == IPV4V6
                else CauseValue.REQUEST_ACCEPTED)
    yield Answer(CreateSessionResponse(
        teid=session.mme_teid,
        cause=Cause(accepted),
        sender_f_teid=Fteid(S11_SGW, session.teid, LOOPBACK),
        paa=Paa(IPV4, address),
        apn_restriction=0,
        ambr=msg.ambr,
        pco=_options(pgw, apn, msg.pco),
        bearer_contexts_created=(BearerContextCreated(
            ebi=bearer.ebi,
            cause=Cause(CauseValue.REQUEST_ACCEPTED),
            s1_u_sgw_f_teid=Fteid(S1U_SGW, bearer.teid, pgw.s1u),
            bearer_qos=wish.bearer_qos,
        ),),
    ))


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
    session = pgw.sessions.get(event.teid)
    if session is None:
        return
    rx.subject = session.imsi
    pgw.remove(session)
    answer = CreateSessionResponse(teid=session.mme_teid, cause=Cause(CauseValue.NO_RESOURCES_AVAILABLE))
    answer.sequence = event.sequence
    yield Send("S11", event.peer, answer)
    yield Verdict("session", False, f"the user plane could not open a bearer for {session.apn}")


@on("S11", DeleteSessionRequest)
def on_delete_session_request(pgw: Pgw, msg: DeleteSessionRequest, rx: Rx) -> Effects:
    """Everything of the session is free again before the answer."""
    session = pgw.session_of(msg.teid, rx)
    yield from _close(pgw, session)
    yield Answer(DeleteSessionResponse(teid=session.mme_teid, cause=Cause(CauseValue.REQUEST_ACCEPTED)))


def _close(pgw: Pgw, session: Session) -> Effects:
    for bearer in session.bearers.values():
        yield CloseTunnel(bearer.teid)
    pgw.remove(session)
