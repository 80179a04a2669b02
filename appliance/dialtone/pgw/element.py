# SPDX-License-Identifier: Apache-2.0
"""The gateway as an element: sessions by TEID, and the protocol's own errors."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from dialtone.codec.gtpc import (
    CauseValue,
    ChangeNotificationRequest,
    ChangeNotificationResponse,
    CreateIndirectDataForwardingTunnelRequest,
    CreateIndirectDataForwardingTunnelResponse,
    CreateSessionRequest,
    CreateSessionResponse,
    DeleteIndirectDataForwardingTunnelRequest,
    DeleteIndirectDataForwardingTunnelResponse,
    DeleteSessionRequest,
    DeleteSessionResponse,
    GtpcError,
    ModifyAccessBearersRequest,
    ModifyAccessBearersResponse,
    ModifyBearerRequest,
    ModifyBearerResponse,
    ReleaseAccessBearersRequest,
    ReleaseAccessBearersResponse,
    ResumeAcknowledge,
    ResumeNotification,
    SuspendAcknowledge,
    SuspendNotification,
    refusal,
)
from dialtone.codec.gtpc.values import Ambr, Cause, Fteid, Paa
from dialtone.codec.ipfilter import FilterRule
from dialtone.codec.message import Message
from dialtone.codec.tft import PacketFilter
from dialtone.config import Config
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Answer, Effects, SendOctets
from dialtone.element import Element
from dialtone.errors import ProtocolError
from dialtone.pgw.addresses import Addresses, parts
from dialtone.pgw.rule import Rule
from dialtone.pgw.rx.refusal import refuse as refuse_rx
from dialtone.pgw.tunnel import S1U_SGW, S5U_PGW, S11, Tunnel

if TYPE_CHECKING:
    from dialtone.pgw.rx.af_session import AfSession

on = Handlers("pgw")

ANSWERS: dict[type[Message] | None, type] = {
    CreateSessionRequest: CreateSessionResponse,
    ModifyBearerRequest: ModifyBearerResponse,
    DeleteSessionRequest: DeleteSessionResponse,
    ReleaseAccessBearersRequest: ReleaseAccessBearersResponse,
    ModifyAccessBearersRequest: ModifyAccessBearersResponse,
    SuspendNotification: SuspendAcknowledge,
    ResumeNotification: ResumeAcknowledge,
    ChangeNotificationRequest: ChangeNotificationResponse,
    CreateIndirectDataForwardingTunnelRequest: CreateIndirectDataForwardingTunnelResponse,
    DeleteIndirectDataForwardingTunnelRequest: DeleteIndirectDataForwardingTunnelResponse,
}


@dataclass(slots=True)
class BearerContext:
    """A bearer at the gateway: our TEID, and the far end: the eNB's while the phone is connected, or the S-GW's."""

    ebi: int  # 0 as long as the MME has not given one
    qci: int
    teid: int
    enb: tuple[bytes, int] | None = None
    filters: tuple[PacketFilter, ...] = ()  # of a dedicated bearer
    rule: Rule | None = None  # the policy rule that it is there for
    unwanted: bool = False  # it is to go as soon as it stands
    changing: bool = False  # the MME was asked to change it
    waits: bool = False  # a handover is under way: once more after it
    refusals: int = 0  # of that kind, in a row
    next_rule: Rule | None = None  # what it is to be then
    lost: bool = False  # the path to the eNB failed, and the MME has not heard of it


@dataclass(slots=True)
class Session:
    """A PDN connection, by its default bearer `ebi`; `paa` has its addresses. `tunnel` leads to whoever controls it."""

    imsi: str
    apn: str
    ebi: int
    paa: Paa
    tunnel: Tunnel
    ambr: Ambr = Ambr(0, 0)
    bearers: dict[int, BearerContext] = field(default_factory=dict)
    coming: list[BearerContext] = field(default_factory=list)  # dedicated bearers that the MME was asked for
    static_rules: bool = False  # the bearers that the configuration gives it were asked for
    media: tuple[FilterRule, ...] = ()  # flows of its calls that are open, to other phones too

    def all_bearers(self) -> list[BearerContext]:
        """Those that stand and those that are being made."""
        return [*self.bearers.values(), *self.coming]

    def bearer_of(self, rule: str) -> BearerContext | None:
        """The bearer of the policy rule of that name; one that is being taken away is it no more."""
        return next((bearer for bearer in self.all_bearers() if bearer.rule and bearer.rule.name == rule
                     and not (bearer.unwanted and bearer.ebi)), None)

    @property
    def mme_teid(self) -> int:
        """The far end of the tunnel: the MME's, or the S-GW's."""
        return self.tunnel.peer_teid


class Pgw(Element):
    """S-GW and P-GW, and policy beside it, whose name on Rx is `origin_host`.

    `s1u` is our S1-U address, four octets; `random` gives octets, `recovery` counts our restarts.
    """

    name = "pgw"
    on = on

    def __init__(self, config: Config, random: Callable[[int], bytes], recovery: int = 0) -> None:
        self.config = config
        self.recovery = recovery
        plmn = config.network.plmn
        self.origin_realm = plmn.epc_realm
        self.origin_host = f"pcrf.{self.origin_realm}"
        self.s1u = IPv4Address(config.s1.address).packed
        self.addresses = {name: Addresses(apn, random) for name, apn in config.apn.items()}
        self.control = config.control
        self.sessions: dict[tuple[str, str], Session] = {}  # by IMSI and APN
        self.by_address: dict[bytes, Session] = {}  # by IPv4 address, and by the 8 octets of the IPv6 prefix
        self.tunnels: dict[int, Tunnel] = {}  # by our TEID
        self.af_sessions: dict[str, AfSession] = {}  # of Rx, by Session-Id
        self._af_numbers = itertools.count(1)
        # TEIDs start anywhere: those of before a restart must not fit after it.
        self._teids = itertools.count(int.from_bytes(random(4)))
        self._bearer_teids: set[int] = set()
        self.static_rules: dict[str, list[Rule]] = {}  # by APN
        for name, policy in config.policy.items():
            self.static_rules.setdefault(policy.apn.lower(), []).append(Rule.of_config(name, policy))

    def new_teid(self) -> int:
        """A TEID that nobody has, for control and user plane alike; 0 is not one (TS 29.281, 5.1)."""
        while True:
            teid = next(self._teids) & 0xFFFFFFFF
            if teid and teid not in self.tunnels and teid not in self._bearer_teids:
                return teid

    def new_af_number(self) -> int:
        """The number of an AF session, for the names of its rules."""
        return next(self._af_numbers)

    def lend(self, tunnel: Tunnel) -> int:
        """A TEID for a handover of the phone, until `take_back`."""
        teid = self.new_teid()
        self._bearer_teids.add(teid)
        tunnel.relays.append(teid)
        return teid

    def take_back(self, tunnel: Tunnel) -> list[int]:
        """Every TEID that was lent to the phone's handovers."""
        lent, tunnel.relays = tunnel.relays, []
        self._bearer_teids.difference_update(lent)
        return lent

    def add(self, session: Session) -> None:
        """Put a session into every table."""
        self.tunnels[session.tunnel.teid] = session.tunnel
        session.tunnel.sessions[session.ebi] = session
        self.sessions[session.imsi, session.apn] = session
        self.by_address.update((part, session) for part in parts(session.paa).values())
        self._bearer_teids.update(bearer.teid for bearer in session.bearers.values())

    def remove(self, session: Session) -> None:
        """Take it out of every table, and its addresses back; a tunnel ends with its last session."""
        tunnel = session.tunnel
        del self.sessions[session.imsi, session.apn], tunnel.sessions[session.ebi]
        if not tunnel.sessions:
            del self.tunnels[tunnel.teid]
        self._bearer_teids.difference_update(bearer.teid for bearer in session.bearers.values())
        session.bearers.clear()  # an answer about one of them that is still on its way finds none
        for part in parts(session.paa).values():
            del self.by_address[part]
        self.addresses[session.apn].give_back(session.paa)

    def add_bearer(self, bearer: BearerContext) -> None:
        """Its TEID is in use."""
        self._bearer_teids.add(bearer.teid)

    def forget_bearer(self, bearer: BearerContext) -> None:
        """Its TEID is free."""
        self._bearer_teids.discard(bearer.teid)

    def remove_bearer(self, session: Session, ebi: int) -> BearerContext:
        """Take one bearer out of a session."""
        bearer = session.bearers.pop(ebi)
        self._bearer_teids.discard(bearer.teid)
        return bearer

    def sessions_of(self, imsi: str) -> list[Session]:
        """Every session of a phone."""
        return [session for apn in self.config.apn if (session := self.sessions.get((imsi, apn))) is not None]

    def tunnel_of(self, teid: int | None, rx: Rx) -> Tunnel:
        """The tunnel that a request came by; raises ProtocolError with cause Context Not Found."""
        tunnel = self.tunnels.get(teid or 0)
        if tunnel is None:
            raise ProtocolError(f"TEID {teid:#x} names no session" if teid else "a request without a TEID",
                                cause=CauseValue.CONTEXT_NOT_FOUND, clause="TS 29.274, 7.2.7")
        rx.subject = tunnel.imsi
        return tunnel

    def session_of(self, teid: int | None, rx: Rx, ebi: int | None = None) -> Session:
        """The session of a request: the one with the bearer `ebi`, or the tunnel's first where the request names none.

        Raises ProtocolError with cause Context Not Found.
        """
        tunnel = self.tunnel_of(teid, rx)
        for session in tunnel.sessions.values():
            if ebi is None or ebi in session.bearers:
                return session
        raise ProtocolError(f"EBI {ebi} is no bearer of {tunnel.imsi}", cause=CauseValue.CONTEXT_NOT_FOUND,
                            clause="TS 29.274, 7.2.8")

    def user_end(self, session: Session, bearer: BearerContext) -> Fteid:
        """Our end of a bearer, as the peer that controls its session calls it."""
        return Fteid(S1U_SGW if session.tunnel.point == S11 else S5U_PGW, bearer.teid, self.s1u)

    def refuse(self, error: ProtocolError, rx: Rx) -> Effects:
        """A response with the cause, to requests that have one (TS 29.274, 7.7)."""
        if rx.point == "Rx":
            yield from refuse_rx(self.origin_host, self.origin_realm, error, rx)
        elif isinstance(error, GtpcError):
            tunnel = self.tunnels.get(error.teid or 0)
            if (answer := refusal(error, tunnel.peer_teid if tunnel else 0)) is not None:
                yield SendOctets(rx.point, rx.peer, f"refusal, cause {error.cause}", answer)
        elif error.cause is not None and (kind := ANSWERS.get(type(rx.message) if rx.message else None)) is not None:
            yield Answer(kind(teid=self.peer_teid(rx.message), cause=Cause(error.cause)))

    def peer_teid(self, request: Any) -> int:
        """The TEID of a refusal: that of the tunnel, or what a new sender wants to have there (TS 29.274, 5.5.2)."""
        if (tunnel := self.tunnels.get(request.teid or 0)) is not None:
            return tunnel.peer_teid
        sender = getattr(request, "sender_f_teid", None)
        return sender.teid if sender else 0
