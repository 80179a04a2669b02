# SPDX-License-Identifier: Apache-2.0
"""What became of the bearers of a call: Re-Auth-Request, where the AF asked to be told (TS 29.214, 4.4.6)."""

from collections.abc import Iterator

from dialtone.codec.diameter import AbortCause, Flows, ReAuthAnswer, ReAuthRequest, ResultCode, SpecificAction
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, Request, Unanswered
from dialtone.pgw.element import Pgw, Session, on
from dialtone.pgw.rule import Outcome, Rule
from dialtone.pgw.rx import abortion
from dialtone.pgw.rx.af_session import RX, AfSession, header, media, of_rule

LOST = (SpecificAction.INDICATION_OF_RELEASE_OF_BEARER, SpecificAction.INDICATION_OF_LOSS_OF_BEARER)
ACTIONS = {
    Outcome.MADE: (SpecificAction.INDICATION_OF_SUCCESSFUL_RESOURCES_ALLOCATION,),
    Outcome.REFUSED: (SpecificAction.INDICATION_OF_FAILED_RESOURCES_ALLOCATION, *LOST),
    Outcome.UNCHANGED: (SpecificAction.INDICATION_OF_FAILED_RESOURCES_ALLOCATION,),
    Outcome.GONE: LOST,
}
"""The first of them that an AF asked for is what it is told."""


def told(pgw: Pgw, session: Session, rule: Rule, outcome: Outcome, why: str, rx: Rx) -> Effects:
    """From the bearers. The last one that goes takes the session with it (4.4.6.2)."""
    af = of_rule(pgw, rule.name)
    if af is None or af.aborted:
        return
    number = af.rules[rule.name]
    if outcome in (Outcome.REFUSED, Outcome.GONE):
        del af.rules[rule.name]
        del af.components[number]
        gone = set(rule.flows)
        af.flows = tuple(flow for flow in af.flows if flow not in gone)
        yield from media(pgw, session)
    action = next((action for action in ACTIONS[outcome] if action in af.actions), None)
    if action in LOST and not af.rules:
        yield from abortion.abort(pgw, af, AbortCause.BEARER_RELEASED if outcome is Outcome.GONE
                                  else AbortCause.INSUFFICIENT_BEARER_RESOURCES)
    elif action is not None:
        yield from _notify(pgw, af, action, number)


def _notify(pgw: Pgw, af: AfSession, action: SpecificAction, number: int) -> Iterator[Effect]:
    yield Request(RX, af.peer, ReAuthRequest(
        **header(pgw, af), specific_action=(action,), flows=(Flows(media_component_number=number),)), context=af)


@on(RX, ReAuthAnswer)
def on_re_auth_answer(pgw: Pgw, msg: ReAuthAnswer, rx: Rx) -> Effects:
    """An AF that does not know the session has no call there any more."""
    assert rx.request is not None
    af: AfSession = rx.request.context
    rx.subject = af.session.imsi
    if msg.result_code == ResultCode.DIAMETER_UNKNOWN_SESSION_ID:
        yield from abortion.forget(pgw, af)


@on.unanswered(ReAuthRequest)
def on_no_re_auth_answer(pgw: Pgw, event: Unanswered, rx: Rx) -> Effects:
    """It will see by itself."""
    rx.subject = event.request.context.session.imsi
    return ()
