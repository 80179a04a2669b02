# SPDX-License-Identifier: Apache-2.0
"""AF sessions: what one Rx session of an application function holds of a phone's PDN connection (TS 29.214, 4.4)."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from dialtone.codec.diameter import MediaComponentDescription, RxAnswer
from dialtone.codec.diameter.rx import RxRequest
from dialtone.codec.ipfilter import FilterRule
from dialtone.effects import Answer, Effects, OpenMedia
from dialtone.pgw.element import Pgw, Session

if TYPE_CHECKING:
    from dialtone.codec.diameter import AARequest

RX = "Rx"
MOST_SESSIONS = 16
"""AF sessions that one PDN connection may have: a registration and some calls."""
A = TypeVar("A", bound=RxAnswer)


@dataclass(slots=True, eq=False)
class AfSession:
    """`peer` is where its requests go, `host` and `realm` what they say; `number` makes the names of its rules."""

    id: str
    peer: str
    host: str
    realm: str
    session: Session
    number: int
    emergency: bool = False
    actions: frozenset[int] = frozenset()  # what the AF wants to hear of
    components: dict[int, MediaComponentDescription] = field(default_factory=dict)
    rules: dict[str, int] = field(default_factory=dict)  # names, each with its Media-Component-Number
    flows: tuple[FilterRule, ...] = ()  # those that are open just now
    aborted: bool = False  # the AF was told so, and has not ended it yet

    @classmethod
    def of(cls, pgw: Pgw, msg: "AARequest", peer: str, session: Session) -> "AfSession":
        """The session that this request begins."""
        urn = msg.service_urn or b""
        return cls(msg.session_id, peer, msg.origin_host, msg.origin_realm, session, pgw.new_af_number(),
                   urn.startswith(b"sos"))


def sessions_of(pgw: Pgw, session: Session) -> list[AfSession]:
    """Those about a PDN connection."""
    return [af for af in pgw.af_sessions.values() if af.session is session]


def of_rule(pgw: Pgw, name: str) -> AfSession | None:
    """The session that has a rule of that name."""
    return next((af for af in pgw.af_sessions.values() if name in af.rules), None)


def media(pgw: Pgw, session: Session) -> Effects:
    """Let pass what the calls of a PDN connection have open now, and nothing else between phones."""
    flows = tuple(dict.fromkeys(flow for af in sessions_of(pgw, session) for flow in af.flows))
    if flows != session.media:
        session.media = flows
        yield OpenMedia(session.paa.ipv4 or b"", (session.paa.ipv6 or b"")[:8], flows)


def header(pgw: Pgw, af: AfSession) -> dict[str, Any]:
    """What every request to the AF begins with."""
    return {"session_id": af.id, "origin_host": pgw.origin_host, "origin_realm": pgw.origin_realm,
            "destination_host": af.host, "destination_realm": af.realm}


def answer(pgw: Pgw, msg: RxRequest, kind: type[A], **fields: Any) -> Answer:
    """The answer to a request of the AF."""
    return Answer(kind(session_id=msg.session_id, origin_host=pgw.origin_host, origin_realm=pgw.origin_realm,
                       proxy_info=msg.proxy_info, **fields))
