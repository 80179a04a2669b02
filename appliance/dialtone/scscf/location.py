# SPDX-License-Identifier: Apache-2.0
"""Where somebody is (TS 24.229, 5.3.2.1; TS 29.228, 6.1.4): Location-Info for each identity that a number may mean."""

from functools import partial

from dialtone.codec.diameter import CxResult, LocationInfoAnswer, LocationInfoRequest, ResultCode
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, Unanswered, Verdict
from dialtone.errors import ProtocolError
from dialtone.scscf import numbers, passing, terminating
from dialtone.scscf.cx import outcome, why
from dialtone.scscf.element import Scscf, on
from dialtone.scscf.numbers import Dialled
from dialtone.sip.proxy import Context, Target

OFFLINE = "The phone is off, out of reach, or not registered for calls and texts"


def find(scscf: Scscf, context: Context, caller: str, rx: Rx) -> Effects:
    """Read what was dialled, and ask the HSS for it; a user of another domain is looked for there."""
    uri = context.request.uri
    try:
        dialled = numbers.read(uri, scscf.plan, caller)
        first = dialled.identities[0] if dialled.identities else ""
        if first and not numbers.at_home(first, scscf.plan):
            point, peer = scscf.abroad(first)
            yield from passing.send(scscf, context, [[Target(point, peer, first)]])
            return
    except ProtocolError as error:
        yield from passing.refuse(scscf, context, error.cause or 404, error.text)
        return
    if first:
        yield _ask(scscf, context, dialled, 0)
    else:
        yield from _unknown(scscf, context, dialled)


def _ask(scscf: Scscf, context: Context, dialled: Dialled, index: int) -> Effect:
    return scscf.ask(LocationInfoRequest(**scscf.header(), public_identity=dialled.identities[index]),
                     partial(_found, context, dialled, index))


@on("Cx", LocationInfoAnswer)
def on_location_info_answer(scscf: Scscf, msg: LocationInfoAnswer, rx: Rx) -> Effects:
    """Goes on with the request that it is about."""
    assert rx.request is not None
    yield from rx.request.context(scscf, msg, rx)


@on.unanswered(LocationInfoRequest)
def on_no_location_info_answer(scscf: Scscf, event: Unanswered, rx: Rx) -> Effects:
    """The HSS is silent."""
    yield from event.request.context(scscf, None, rx)


def _found(context: Context, dialled: Dialled, index: int, scscf: Scscf, answer: LocationInfoAnswer | None,
           rx: Rx) -> Effects:
    rx.subject = context.rx.subject
    identity = dialled.identities[index]
    code = outcome(answer) if answer is not None else 0
    if answer is None:
        yield from passing.refuse(scscf, context, 504, "The HSS does not answer")
    elif code == CxResult.DIAMETER_ERROR_USER_UNKNOWN and index + 1 < len(dialled.identities):
        yield _ask(scscf, context, dialled, index + 1)
    elif code == CxResult.DIAMETER_ERROR_USER_UNKNOWN:
        yield from _unknown(scscf, context, dialled)
    elif code == CxResult.DIAMETER_ERROR_IDENTITY_NOT_REGISTERED:
        yield from passing.refuse(scscf, context, 480, OFFLINE)
    elif code == ResultCode.DIAMETER_SUCCESS and answer.server_name and not scscf.owns(answer.server_name):
        yield from _elsewhere(scscf, context, identity, answer.server_name)
    elif code in (ResultCode.DIAMETER_SUCCESS, CxResult.DIAMETER_UNREGISTERED_SERVICE):
        if identity != context.request.uri:
            yield Verdict("number", True, f"{context.request.uri} was read as {identity}")
        context.request.uri = identity
        yield from terminating.start(scscf, context, identity, rx)
    else:
        yield from passing.refuse(scscf, context, 480, why(code))


def _unknown(scscf: Scscf, context: Context, dialled: Dialled) -> Effects:
    yield from passing.refuse(scscf, context, 404, f"Nobody in this network has the number {dialled.number[:40]}")


def _elsewhere(scscf: Scscf, context: Context, identity: str, server: str) -> Effects:
    """Another S-CSCF serves the user."""
    try:
        point, peer = scscf.hop(server)
    except ProtocolError as error:
        yield from passing.refuse(scscf, context, 480, error.text)
        return
    yield from passing.send(scscf, context, [[Target(point, peer, identity, [f"<{server};lr>"])]])
