# SPDX-License-Identifier: Apache-2.0
"""What a phone, or its eNB, makes the gateway do to bearers (TS 29.274, 7.2.5 and 7.2.17; TS 23.401, 5.4.5, 5.4.4.2).

Bearer Resource Command -> Create, Update or Delete Bearer Request of the same number, or a failure indication.
"""

from dataclasses import replace

from dialtone.codec.gtpc import (
    BearerResourceCommand,
    BearerResourceFailureIndication,
    CauseValue,
    DeleteBearerCommand,
    DeleteBearerFailureIndication,
)
from dialtone.codec.gtpc.bearer_context import FailedBearerContext
from dialtone.codec.gtpc.values import Cause, FlowQos
from dialtone.codec.tft import Operation, Tft, TftError, change
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects
from dialtone.errors import ProtocolError
from dialtone.pgw import dedicated
from dialtone.pgw.element import BearerContext, Pgw, Session, on
from dialtone.pgw.rule import Rule
from dialtone.qci import GBR

GTP_BY_ESM = {41: 74, 42: 75, 44: 76, 45: 77}
"""TFT errors (TS 29.274, annex C)."""


@on("S5/S8", BearerResourceCommand)
@on("S11", BearerResourceCommand)
def on_bearer_resource_command(pgw: Pgw, msg: BearerResourceCommand, rx: Rx) -> Effects:
    """A bearer that the phone asks for, changes, or gives back; giving back is always granted."""
    try:
        session = pgw.session_of(msg.teid, rx, msg.linked_ebi)
        yield from _decide(pgw, session, msg)
    except ProtocolError as error:
        cause = GTP_BY_ESM.get(error.cause or 0, error.cause) if isinstance(error, TftError) else error.cause
        yield Answer(BearerResourceFailureIndication(
            teid=pgw.peer_teid(msg), cause=Cause(cause or CauseValue.REQUEST_REJECTED), linked_ebi=msg.linked_ebi,
            procedure_transaction_id=msg.procedure_transaction_id))


def _decide(pgw: Pgw, session: Session, msg: BearerResourceCommand) -> Effects:
    wish = Tft.from_bytes(msg.traffic_aggregate_description)
    pti, number = msg.procedure_transaction_id, msg.sequence
    if msg.ebi is None or msg.ebi == session.ebi:
        return dedicated.create(pgw, session, [_new_rule(pgw, session, wish, msg.flow_qos)], pti, number)
    bearer = session.bearers.get(msg.ebi)
    if bearer is None or bearer.rule is None:
        raise ProtocolError(f"EBI {msg.ebi} is no dedicated bearer", cause=CauseValue.CONTEXT_NOT_FOUND)
    present = {one.identifier: one for one in bearer.filters}
    if wish.operation is Operation.DELETE or (
            wish.operation is Operation.DELETE_FILTERS and not set(present) - set(wish.identifiers)):
        return dedicated.delete(pgw, session, [bearer], pti, number)
    return dedicated.update(pgw, session, bearer, _changed(pgw, session, bearer, wish, msg.flow_qos), pti, number)


def _new_rule(pgw: Pgw, session: Session, wish: Tft, qos: FlowQos | None) -> Rule:
    _grant(pgw, session, qos)
    if not wish.filters or qos is None:
        raise ProtocolError("a new bearer without flows or quality", cause=CauseValue.CONDITIONAL_IE_MISSING)
    number = next(number for number in range(1, 99) if session.bearer_of(f"phone-{number}") is None)
    return Rule(f"phone-{number}", qos.qci, (), mbr=(qos.mbr_downlink, qos.mbr_uplink),
                gbr=(qos.gbr_downlink, qos.gbr_uplink), packet_filters=wish.filters)


def _changed(pgw: Pgw, session: Session, bearer: BearerContext, wish: Tft, qos: FlowQos | None) -> Rule:
    rule = bearer.rule
    assert rule is not None
    if wish.operation is not Operation.DELETE_FILTERS:
        _grant(pgw, session, qos)
    if wish.operation is not Operation.NO_OPERATION:
        after = change({one.identifier: one for one in bearer.filters}, wish)
        rule = replace(rule, flows=(), directions=(), packet_filters=tuple(after.values()))
    if qos is not None:
        rule = replace(rule, qci=qos.qci, mbr=(qos.mbr_downlink, qos.mbr_uplink),
                       gbr=(qos.gbr_downlink, qos.gbr_uplink))
    return rule


def _grant(pgw: Pgw, session: Session, qos: FlowQos | None) -> None:
    """Raise ProtocolError where policy does not give what the phone wants."""
    if not pgw.config.apn[session.apn].phone_bearers:
        raise ProtocolError("phones get no bearers by asking", cause=CauseValue.REQUEST_REJECTED)
    if qos is not None and (qos.qci in GBR) != bool(qos.gbr_uplink or qos.gbr_downlink):
        raise ProtocolError("the class and its guaranteed rate do not fit", cause=CauseValue.SERVICE_DENIED)


@on("S5/S8", DeleteBearerCommand)
@on("S11", DeleteBearerCommand)
def on_delete_bearer_command(pgw: Pgw, msg: DeleteBearerCommand, rx: Rx) -> Effects:
    """The eNB lost dedicated bearers: they go in the usual way."""
    ebis = [context.ebi for context in msg.bearer_contexts]
    try:
        session = pgw.session_of(msg.teid, rx, ebis[0])
    except ProtocolError:
        yield Answer(DeleteBearerFailureIndication(
            teid=pgw.peer_teid(msg), cause=Cause(CauseValue.CONTEXT_NOT_FOUND), bearer_contexts=tuple(
                FailedBearerContext(ebi=ebi, cause=Cause(CauseValue.CONTEXT_NOT_FOUND)) for ebi in ebis)))
        return
    bearers = [session.bearers[ebi] for ebi in ebis if ebi in session.bearers and ebi != session.ebi]
    yield from dedicated.delete(pgw, session, bearers, number=msg.sequence, why="the eNB lost it")
