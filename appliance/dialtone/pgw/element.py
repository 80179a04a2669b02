# SPDX-License-Identifier: Apache-2.0
"""The gateway as an element: sessions by TEID, and the protocol's own errors."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from dialtone.codec.gtpc import (
    CauseValue,
    CreateSessionRequest,
    CreateSessionResponse,
    DeleteSessionRequest,
    DeleteSessionResponse,
    GtpcError,
    ModifyBearerRequest,
    ModifyBearerResponse,
    ReleaseAccessBearersRequest,
    ReleaseAccessBearersResponse,
    refusal,
)
from dialtone.codec.gtpc.values import Cause
from dialtone.codec.message import Message
from dialtone.config import Config
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Answer, Effects, SendOctets
from dialtone.element import Element
from dialtone.errors import ProtocolError
from dialtone.pgw.pool import Pool

on = Handlers("pgw")

ANSWERS: dict[type[Message] | None, type] = {
    CreateSessionRequest: CreateSessionResponse,
    ModifyBearerRequest: ModifyBearerResponse,
    DeleteSessionRequest: DeleteSessionResponse,
    ReleaseAccessBearersRequest: ReleaseAccessBearersResponse,
}


@dataclass(slots=True)
class BearerContext:
    """A bearer at the gateway: our TEID on S1-U, the eNB's end while the phone is connected."""

    ebi: int
    qci: int
    teid: int
    enb: tuple[bytes, int] | None = None


@dataclass(slots=True)
class Session:
    """A PDN connection. `teid` is ours on S11, `mme_teid` the MME's; `address` four octets."""

    imsi: str
    apn: str
    teid: int
    mme_teid: int
    address: bytes
    bearers: dict[int, BearerContext] = field(default_factory=dict)


class Pgw(Element):
    """S-GW and P-GW. `s1u` is our S1-U address, four octets; `random` gives octets."""

    name = "pgw"
    on = on

    def __init__(self, config: Config, random: Callable[[int], bytes]) -> None:
        self.config = config
        self.s1u = IPv4Address(config.s1.address).packed
        self.pools = {name: Pool(apn.pool) for name, apn in config.apn.items()}
        self.sessions: dict[int, Session] = {}
        self.by_imsi: dict[tuple[str, str], Session] = {}
        # TEIDs start anywhere: those of before a restart must not fit after it.
        self._teids = itertools.count(int.from_bytes(random(4)))
        self._bearer_teids: set[int] = set()
        self.recovery = random(1)[0]

    def new_teid(self) -> int:
        """A TEID that nobody has, for S11 and S1-U alike; 0 is not one (TS 29.281, 5.1)."""
        while True:
            teid = next(self._teids) & 0xFFFFFFFF
            if teid and teid not in self.sessions and teid not in self._bearer_teids:
                return teid

    def add(self, session: Session) -> None:
        """Put a session into every table."""
        self.sessions[session.teid] = session
        self.by_imsi[session.imsi, session.apn] = session
        self._bearer_teids.update(bearer.teid for bearer in session.bearers.values())

    def remove(self, session: Session) -> None:
        """Take it out of every table, and its address back."""
        self.sessions.pop(session.teid, None)
        if self.by_imsi.get((session.imsi, session.apn)) is session:
            del self.by_imsi[session.imsi, session.apn]
        self._bearer_teids.difference_update(bearer.teid for bearer in session.bearers.values())
        self.pools[session.apn].give_back(session.address)

    def session_of(self, teid: int | None, rx: Rx) -> Session:
        """The session of a request; raises ProtocolError with cause Context Not Found."""
        session = self.sessions.get(teid or 0)
        if session is None:
            raise ProtocolError(f"TEID {teid:#x} names no session" if teid else "a request without a TEID",
                                cause=CauseValue.CONTEXT_NOT_FOUND, clause="TS 29.274, 7.2.7")
        rx.subject = session.imsi
        return session

    def refuse(self, error: ProtocolError, rx: Rx) -> Effects:
        """A response with the cause, to requests that have one (TS 29.274, 7.7)."""
        if isinstance(error, GtpcError):
            if (answer := refusal(error)) is not None:
                yield SendOctets(rx.point, rx.peer, f"refusal, cause {error.cause}", answer)
        elif error.cause is not None and (kind := ANSWERS.get(type(rx.message) if rx.message else None)) is not None:
            sender = getattr(rx.message, "sender_f_teid", None)
            yield Answer(kind(teid=sender.teid if sender else 0, cause=Cause(error.cause)))
