# SPDX-License-Identifier: Apache-2.0
"""Dedicated bearers from the gateway's side: Create, Update and Delete Bearer (TS 29.274, 7.2.3, 7.2.15, 7.2.9.2)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dialtone.codec import gtpc
from dialtone.codec.gtpc import (
    CauseValue,
    CreateBearerRequest,
    CreateBearerResponse,
    DeleteBearerRequest,
    DeleteBearerResponse,
    UpdateBearerRequest,
    UpdateBearerResponse,
)
from dialtone.codec.gtpc.values import Ambr, BearerQos, Cause
from dialtone.codec.tft import PacketFilter, Tft
from dialtone.dispatch import Rx
from dialtone.effects import CloseTunnel, Effects, Request, StartTimer, Unanswered, Verdict
from dialtone.errors import ProtocolError
from dialtone.pgw.bearer import BearerLost, open_tunnel
from dialtone.pgw.element import BearerContext, Pgw, Session, on
from dialtone.pgw.rule import Outcome, Rule
from dialtone.pgw.tunnel import S11

PATIENCE = 24
"""Repetitions of a request: together longer than paging and T3485 of the MME take (TS 24.301, 6.4.2.6)."""
GUARD, SECONDS, ATTEMPTS = "handover guard", 2.0, 5
"""How long we wait for the end of a handover before we ask again, and how often (TS 23.401, 5.5.1.2.1)."""
REASONS = {
    CauseValue.UE_NOT_RESPONDING: "the phone does not answer",
    CauseValue.UE_REFUSES: "the phone refuses",
    CauseValue.UNABLE_TO_PAGE_UE: "the phone cannot be reached",
    CauseValue.NO_RESOURCES_AVAILABLE: "the eNB has no resources",
    CauseValue.REQUEST_REJECTED: "the eNB refuses: can it do bearers of this class?",
    CauseValue.SEMANTIC_ERRORS_IN_PACKET_FILTERS: "the phone does not like the packet filters",
    CauseValue.SYNTACTIC_ERRORS_IN_PACKET_FILTERS: "the phone does not understand the packet filters",
}


@dataclass(slots=True)
class Change:
    """A request of ours: what it is about, and for an update what becomes of the bearer."""

    session: Session
    bearers: list[BearerContext]
    rule: Rule | None = None
    filters: tuple[PacketFilter, ...] = ()
    why: str = ""  # of a deletion that nobody wished for
    ambr: Ambr | None = None  # of the PDN connection, where its default bearer changes
    then: "Callable[[Pgw, Session], Effects] | None" = None  # what follows a deletion
    qci: int = 0


def qos(rule: Rule) -> BearerQos:
    """As GTP has it: up before down."""
    (mbr_down, mbr_up), (gbr_down, gbr_up) = rule.mbr, rule.gbr
    return BearerQos(rule.qci, *rule.arp, mbr_up, mbr_down, gbr_up, gbr_down)


def create(pgw: Pgw, session: Session, rules: Sequence[Rule], pti: int | None = None,
           number: int | None = None) -> Effects:
    """One request for all of them. `pti` and `number` are those of a phone's request that it answers."""
    bearers = []
    for rule in rules:
        taken = [one.precedence for bearer in session.all_bearers() for one in bearer.filters]
        bearer = BearerContext(0, rule.qci, pgw.new_teid(), filters=rule.filters(taken), rule=rule)
        session.coming.append(bearer)
        pgw.add_bearer(bearer)
        bearers.append(bearer)
    yield from _ask(pgw, session, bearers, pti, number)


def _ask(pgw: Pgw, session: Session, bearers: list[BearerContext], pti: int | None = None,
         number: int | None = None) -> Effects:
    s11 = session.tunnel.point == S11
    yield Request(session.tunnel.point, session.tunnel.peer, CreateBearerRequest(
        teid=session.mme_teid,
        procedure_transaction_id=pti,
        linked_ebi=session.ebi,
        bearer_contexts=tuple(gtpc.CreateBearerRequestBearerContext(
            ebi=0,
            tft=Tft.create(bearer.filters).to_bytes(),
            s1_u_sgw_f_teid=pgw.user_end(session, bearer) if s11 else None,
            s5_s8_u_pgw_f_teid=None if s11 else pgw.user_end(session, bearer),
            bearer_qos=qos(bearer.rule),
        ) for bearer in bearers if bearer.rule is not None),
    ), context=Change(session, bearers), number=number, repeats=PATIENCE)


@on("S5/S8", CreateBearerResponse)
@on("S11", CreateBearerResponse)
def on_create_bearer_response(pgw: Pgw, msg: CreateBearerResponse, rx: Rx) -> Effects:
    """Our own TEID says which bearer a context is about; those that are not in it failed as a whole."""
    assert rx.request is not None
    change: Change = rx.request.context
    session = change.session
    rx.subject = session.imsi
    contexts = {end.teid: context for context in msg.bearer_contexts
                if (end := context.s1_u_sgw_f_teid or context.s5_s8_u_pgw_f_teid) is not None}
    for bearer in change.bearers:
        context = contexts.get(bearer.teid)
        cause = msg.cause if context is None else context.cause
        if not bearer.unwanted and _postponed(pgw, session, bearer, cause):
            yield StartTimer(GUARD, (session.imsi, session.apn), SECONDS)
            continue
        session.coming.remove(bearer)
        far = (context.s1_u_enodeb_f_teid or context.s5_s8_u_sgw_f_teid) if context else None
        if (context is None or not context.cause.accepted or far is None or not far.ipv4
                or context.ebi in (0, session.ebi)):
            yield from _failed(pgw, session, bearer, _reason(cause.value), rx)
        elif pgw.sessions.get((session.imsi, session.apn)) is not session:
            pgw.forget_bearer(bearer)
        else:
            if (old := session.bearers.get(context.ebi)) is not None:
                yield from lost(pgw, session, old, "the MME has given its identity to another bearer", rx)
            bearer.ebi, bearer.enb = context.ebi, (far.ipv4, far.teid)
            session.bearers[bearer.ebi] = bearer
            yield open_tunnel(session, bearer)
            yield from _stands(pgw, session, bearer, rx)
    unwanted = [bearer for bearer in change.bearers if bearer.unwanted and bearer.ebi]
    if unwanted and pgw.sessions.get((session.imsi, session.apn)) is session:
        yield from delete(pgw, session, unwanted)
    for bearer in change.bearers:
        if not bearer.waits:
            yield from _go_on(pgw, session, bearer)


def _postponed(pgw: Pgw, session: Session, bearer: BearerContext, cause: Cause) -> bool:
    """A handover is under way: that is no answer, and asked again (TS 23.401, 5.5.1.2.1)."""
    stands = pgw.sessions.get((session.imsi, session.apn)) is session
    bearer.waits = stands and cause.value == CauseValue.TEMPORARILY_REJECTED_DUE_TO_HANDOVER and (
        bearer.refusals < ATTEMPTS)
    bearer.refusals = bearer.refusals + 1 if bearer.waits else 0
    return bearer.waits


@on.timer(GUARD, "TS 23.401, 5.5.1.2.1")
def on_handover_guard(pgw: Pgw, key: tuple[str, str], rx: Rx) -> Effects:
    """It should be over by now."""
    session = pgw.sessions.get(key)
    if session is None:
        return
    rx.subject = session.imsi
    waiting = [bearer for bearer in session.all_bearers() if bearer.waits]
    for bearer in waiting:
        bearer.waits = False
        if bearer.unwanted and bearer.ebi:
            yield from delete(pgw, session, [bearer])
        elif bearer.unwanted:
            session.coming.remove(bearer)
            pgw.forget_bearer(bearer)
        elif bearer.ebi:
            yield from _go_on(pgw, session, bearer)
        else:
            yield from _ask(pgw, session, [bearer])


def _go_on(pgw: Pgw, session: Session, bearer: BearerContext) -> Effects:
    """What was wanted of the bearer while it was being made or changed."""
    rule, bearer.next_rule = bearer.next_rule, None
    if rule is not None and not bearer.unwanted and session.bearers.get(bearer.ebi) is bearer:
        yield from update(pgw, session, bearer, rule)


def _stands(pgw: Pgw, session: Session, bearer: BearerContext, rx: Rx) -> Effects:
    assert bearer.rule is not None
    yield Verdict("policy", True, f"{bearer.rule.name}: EBI {bearer.ebi} with QCI {bearer.qci} beside {session.apn}")
    yield from _tell(pgw, session, bearer.rule, Outcome.MADE, "", rx)


def _failed(pgw: Pgw, session: Session, bearer: BearerContext, why: str, rx: Rx) -> Effects:
    pgw.forget_bearer(bearer)
    assert bearer.rule is not None
    yield Verdict("policy", False, f"{bearer.rule.name}: no bearer beside {session.apn}: {why}")
    yield from _tell(pgw, session, bearer.rule, Outcome.REFUSED, why, rx)


def _tell(pgw: Pgw, session: Session, rule: Rule, outcome: Outcome, why: str, rx: Rx) -> Effects:
    """Whoever wanted the bearer hears what became of it."""
    if rule.told is not None:
        yield from rule.told(pgw, session, rule, outcome, why, rx)


def _reason(cause: int) -> str:
    return next((text for value, text in REASONS.items() if value == cause), f"GTP cause {cause}")


@on.unanswered(CreateBearerRequest)
def on_no_create_bearer_response(pgw: Pgw, event: Unanswered, rx: Rx) -> Effects:
    """The MME is silent."""
    change: Change = event.request.context
    rx.subject = change.session.imsi
    for bearer in change.bearers:
        change.session.coming.remove(bearer)
        yield from _failed(pgw, change.session, bearer, "the MME does not answer", rx)


def update(pgw: Pgw, session: Session, bearer: BearerContext, rule: Rule, pti: int | None = None,
           number: int | None = None) -> Effects:
    """The bearer as `rule` has it, its filters replaced where they differ; of one that is being made or changed when
    that is done."""
    if bearer.rule is None:
        return
    if not bearer.ebi or bearer.changing:
        if pti is not None:
            raise ProtocolError("the network is changing that bearer just now",
                                cause=CauseValue.COLLISION_WITH_NETWORK_INITIATED_REQUEST)
        bearer.next_rule = rule
        return
    if rule == bearer.rule and pti is None:
        return
    bearer.changing = True
    filters = bearer.filters
    if new := (rule.flows, rule.packet_filters) != (bearer.rule.flows, bearer.rule.packet_filters):
        filters = rule.filters(one.precedence for other in session.all_bearers() if other is not bearer
                               for one in other.filters)
    yield Request(session.tunnel.point, session.tunnel.peer, UpdateBearerRequest(
        teid=session.mme_teid,
        procedure_transaction_id=pti,
        ambr=session.ambr,
        bearer_contexts=(gtpc.UpdateBearerRequestBearerContext(
            ebi=bearer.ebi,
            tft=Tft.create(filters).to_bytes() if new else None,
            bearer_qos=qos(rule),
        ),),
    ), context=Change(session, [bearer], rule, filters), number=number, repeats=PATIENCE)


def update_default(pgw: Pgw, session: Session, ambr: Ambr, quality: BearerQos | None, number: int) -> Effects:
    """APN-AMBR and the default bearer's quality by subscription; `number` is that of the command for it."""
    bearer = session.bearers[session.ebi]
    yield Request(session.tunnel.point, session.tunnel.peer, UpdateBearerRequest(
        teid=session.mme_teid, ambr=ambr,
        bearer_contexts=(gtpc.UpdateBearerRequestBearerContext(ebi=bearer.ebi, bearer_qos=quality),),
    ), context=Change(session, [bearer], ambr=ambr, qci=quality.qci if quality else bearer.qci),
        number=number, repeats=PATIENCE)


def _default_changed(session: Session, bearer: BearerContext, ambr: Ambr, qci: int) -> Effects:
    session.ambr, bearer.qci = ambr, qci
    for each in session.bearers.values():
        yield open_tunnel(session, each)
    yield Verdict("policy", True, f"{session.apn} has its new subscribed quality: QCI {qci}")


@on("S5/S8", UpdateBearerResponse)
@on("S11", UpdateBearerResponse)
def on_update_bearer_response(pgw: Pgw, msg: UpdateBearerResponse, rx: Rx) -> Effects:
    """Changed, or as it was; a bearer that the MME does not know is gone."""
    assert rx.request is not None
    change: Change = rx.request.context
    session, rule = change.session, change.rule
    rx.subject = session.imsi
    for bearer in change.bearers:
        bearer.changing = False
        if session.bearers.get(bearer.ebi) is not bearer:
            continue
        cause = next((context.cause for context in msg.bearer_contexts if context.ebi == bearer.ebi), msg.cause)
        if rule is not None and _postponed(pgw, session, bearer, cause):
            bearer.next_rule = bearer.next_rule or rule
            yield StartTimer(GUARD, (session.imsi, session.apn), SECONDS)
            continue
        if cause.accepted and change.ambr is not None:
            yield from _default_changed(session, bearer, change.ambr, change.qci)
        elif cause.accepted and rule is not None:
            bearer.rule, bearer.qci, bearer.filters = rule, rule.qci, change.filters
            yield open_tunnel(session, bearer)
            yield Verdict("policy", True, f"{rule.name}: EBI {bearer.ebi} changed")
        elif cause.value == CauseValue.CONTEXT_NOT_FOUND:
            yield from lost(pgw, session, bearer, "the MME does not know it any more", rx)
        elif not cause.accepted:
            yield from _unchanged(pgw, session, bearer, rule, _reason(cause.value), rx)
        yield from _go_on(pgw, session, bearer)


def _unchanged(pgw: Pgw, session: Session, bearer: BearerContext, rule: Rule | None, why: str, rx: Rx) -> Effects:
    yield Verdict("policy", False, f"EBI {bearer.ebi} not changed: {why}")
    if rule is not None:
        yield from _tell(pgw, session, rule, Outcome.UNCHANGED, why, rx)


@on.unanswered(UpdateBearerRequest)
def on_no_update_bearer_response(pgw: Pgw, event: Unanswered, rx: Rx) -> Effects:
    """The MME is silent: all stays as it was."""
    change: Change = event.request.context
    rx.subject = change.session.imsi
    for bearer in change.bearers:
        bearer.changing = False
        yield from _unchanged(pgw, change.session, bearer, change.rule, "the MME does not answer", rx)
        yield from _go_on(pgw, change.session, bearer)


def delete(pgw: Pgw, session: Session, bearers: Sequence[BearerContext], pti: int | None = None,
           number: int | None = None, why: str = "") -> Effects:
    """Take dedicated bearers away."""
    yield Request(session.tunnel.point, session.tunnel.peer, DeleteBearerRequest(
        teid=session.mme_teid,
        procedure_transaction_id=pti,
        ebis=tuple(bearer.ebi for bearer in bearers),
    ), context=Change(session, list(bearers), why=why), number=number, repeats=PATIENCE)


@on("S5/S8", DeleteBearerResponse)
@on("S11", DeleteBearerResponse)
def on_delete_bearer_response(pgw: Pgw, msg: DeleteBearerResponse, rx: Rx) -> Effects:
    """Gone, or gone before; or once more after a handover."""
    assert rx.request is not None
    change: Change = rx.request.context
    causes = {context.ebi: context.cause for context in msg.bearer_contexts}
    waiting = [bearer for bearer in change.bearers
               if _postponed(pgw, change.session, bearer, causes.get(bearer.ebi, msg.cause))]
    for bearer in waiting:
        bearer.unwanted = True
        change.bearers.remove(bearer)
        yield StartTimer(GUARD, (change.session.imsi, change.session.apn), SECONDS)
    yield from _deleted(pgw, change, rx)


@on.unanswered(DeleteBearerRequest)
def on_no_delete_bearer_response(pgw: Pgw, event: Unanswered, rx: Rx) -> Effects:
    """The MME is silent: gone here all the same."""
    return _deleted(pgw, event.request.context, rx)


def _deleted(pgw: Pgw, change: Change, rx: Rx) -> Effects:
    rx.subject = change.session.imsi
    for bearer in change.bearers:
        yield from lost(pgw, change.session, bearer, change.why, rx)
    if change.then is not None:
        yield from change.then(pgw, change.session)


@on.event(BearerLost)
def on_bearer_lost(pgw: Pgw, event: BearerLost, rx: Rx) -> Effects:
    """Whoever wanted it hears of it."""
    session = pgw.sessions.get((event.imsi, event.apn))
    if session is not None and (bearer := session.bearers.get(event.ebi)) is not None:
        rx.subject = session.imsi
        yield from lost(pgw, session, bearer, "the phone came back without it", rx)


def lost(pgw: Pgw, session: Session, bearer: BearerContext, why: str, rx: Rx) -> Effects:
    """A dedicated bearer is no more; `why` is empty where it was wanted so."""
    if session.bearers.get(bearer.ebi) is not bearer:
        return
    yield CloseTunnel(pgw.remove_bearer(session, bearer.ebi).teid)
    name = bearer.rule.name if bearer.rule else f"EBI {bearer.ebi}"
    text = f"{name}: EBI {bearer.ebi} beside {session.apn} is gone"
    yield Verdict("policy", not why, f"{text}: {why}" if why else text)
    if bearer.rule is not None:
        yield from _tell(pgw, session, bearer.rule, Outcome.GONE, why, rx)
