# SPDX-License-Identifier: Apache-2.0
"""A call begins or changes: AA-Request (TS 29.214, 4.4.1 to 4.4.3).

The phone is found by its address. Each media component gets a bearer of its own; whether it came about is told later.
"""

from collections.abc import Iterator

from dialtone.codec.diameter import (
    AAAnswer,
    AARequest,
    AccessNetworkChargingIdentifier,
    DiameterError,
    ResultCode,
    RxResult,
    SpecificAction,
)
from dialtone.config import EMERGENCY_APN
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects
from dialtone.errors import ProtocolError
from dialtone.pgw import policy
from dialtone.pgw.element import Pgw, Session, on
from dialtone.pgw.rule import Rule
from dialtone.pgw.rx import notification, qos
from dialtone.pgw.rx.af_session import MOST_SESSIONS, RX, AfSession, answer, media, sessions_of

EPS, EUTRAN = 5, 1004
"""IP-CAN-Type and RAT-Type (TS 29.212, 5.3.27 and 5.3.31)."""
PRELIMINARY = 1
"""Service-Info-Status: an offer that nobody has answered yet gets no bearer (TS 29.214, 4.4.1)."""


@on(RX, AARequest)
def on_aa_request(pgw: Pgw, msg: AARequest, rx: Rx) -> Effects:
    """Authorized at once, or refused before anything is changed."""
    known = pgw.af_sessions.get(msg.session_id)
    af = known or AfSession.of(pgw, msg, rx.peer, _bound(pgw, msg))
    rx.subject = af.session.imsi
    _check(pgw, af, msg)
    components = qos.merged(af.components, msg)
    wanted = {number: rule for number, component in components.items()
              if (rule := qos.rule_of(af.number, component, af.emergency, notification.told)) is not None}
    pgw.af_sessions[af.id] = af
    af.peer, af.components = rx.peer, components
    if msg.specific_action or known is None:
        af.actions = frozenset(msg.specific_action)
    yield answer(pgw, msg, AAAnswer, result_code=ResultCode.DIAMETER_SUCCESS, ip_can_type=EPS, rat_type=EUTRAN,
                 access_network_charging_identifier=_charging(af))
    if msg.service_info_status != PRELIMINARY:
        yield from _provide(pgw, af, wanted)


def _provide(pgw: Pgw, af: AfSession, wanted: dict[int, Rule]) -> Iterator[Effect]:
    """The bearers, by media component, and the open flows as they are to be now."""
    rules = {rule.name: number for number, rule in wanted.items()}
    gone = [name for name in af.rules if name not in rules]
    af.rules = rules
    af.flows = tuple(flow for component in af.components.values() for flow in qos.open_flows(component))
    yield from media(pgw, af.session)
    yield from policy.remove(pgw, af.session, gone)
    yield from policy.install(pgw, af.session, wanted.values())


def _bound(pgw: Pgw, msg: AARequest) -> Session:
    """Session binding (TS 29.213, 5.2): the PDN connection with this address. Raises ProtocolError."""
    if msg.framed_ip_address is None and msg.framed_ipv6_prefix is None:
        raise DiameterError("neither Framed-IP-Address nor Framed-IPv6-Prefix", cause=ResultCode.DIAMETER_MISSING_AVP,
                            clause="TS 29.214, 4.4.1")
    keys = [key for key in (msg.framed_ip_address, (msg.framed_ipv6_prefix or b"")[2:10]) if key]
    session = next((session for key in keys if (session := pgw.by_address.get(key)) is not None), None)
    if session is None or (msg.called_station_id or session.apn).lower() != session.apn:
        raise ProtocolError("no phone has this address", cause=RxResult.IP_CAN_SESSION_NOT_AVAILABLE)
    return session


def _check(pgw: Pgw, af: AfSession, msg: AARequest) -> None:
    """Raise ProtocolError for what this AF may not ask."""
    if af.host != msg.origin_host:
        raise DiameterError(f"{af.id} is a session of {af.host}", cause=ResultCode.DIAMETER_UNKNOWN_SESSION_ID,
                            clause="RFC 6733, 8.8")
    if af.aborted:
        raise ProtocolError("its bearers are gone, and it was aborted", cause=RxResult.IP_CAN_SESSION_NOT_AVAILABLE)
    if af.session.apn == EMERGENCY_APN and not af.emergency:
        raise ProtocolError("only emergency calls from here", cause=RxResult.UNAUTHORIZED_NON_EMERGENCY_SESSION)
    if af.id not in pgw.af_sessions and len(sessions_of(pgw, af.session)) >= MOST_SESSIONS:
        raise DiameterError(f"the phone has {MOST_SESSIONS} sessions already", clause="RFC 6733, 7.1.5",
                            cause=ResultCode.DIAMETER_RESOURCES_EXCEEDED)


def _charging(af: AfSession) -> tuple[AccessNetworkChargingIdentifier, ...]:
    if SpecificAction.CHARGING_CORRELATION_EXCHANGE not in af.actions:
        return ()
    teid = af.session.bearers[af.session.ebi].teid
    return (AccessNetworkChargingIdentifier(access_network_charging_identifier_value=teid.to_bytes(4)),)
