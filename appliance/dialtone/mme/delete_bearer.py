# SPDX-License-Identifier: Apache-2.0
"""Bearers taken away by the gateway (TS 29.274, 7.2.9.2; TS 24.301, 6.4.4; TS 23.401, 5.4.4.1).

Delete Bearer Request -> E-RAB Release with Deactivate EPS bearer context request -> both answers -> Delete Bearer
Response. A phone that is idle, or silent, loses them all the same.
"""

from functools import partial

from dialtone.codec.gtpc import CauseValue, DeleteBearerRequest, DeleteBearerResponse
from dialtone.codec.gtpc.bearer_context import DeleteBearerResponseBearerContext
from dialtone.codec.gtpc.values import Cause
from dialtone.codec.nas import DeactivateEPSBearerContextRequest
from dialtone.codec.nas.causes import EsmCause
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects, Tell, Verdict
from dialtone.errors import ProtocolError
from dialtone.mme import erab, esm_procedure, pdn_disconnect, session
from dialtone.mme.context import Bearer, Ended, Failure, Pdn, Ue
from dialtone.mme.detach import DetachUe
from dialtone.mme.element import Mme, on
from dialtone.mme.gateway_request import Task, pdn_of, phone_of
from dialtone.mme.states import EcmState

ACCEPTED = Cause(CauseValue.REQUEST_ACCEPTED)


@on("S11", DeleteBearerRequest)
def on_delete_bearer_request(mme: Mme, msg: DeleteBearerRequest, rx: Rx) -> Effects:
    """A whole PDN connection, or dedicated bearers."""
    ue = phone_of(mme, msg.teid, rx)
    again = msg.cause is not None and msg.cause.value == CauseValue.REACTIVATION_REQUESTED
    if msg.linked_ebi is not None:
        yield from _connection(mme, ue, rx, pdn_of(ue, msg.linked_ebi), again)
        return
    if not msg.ebis:
        raise ProtocolError("neither a default bearer nor others are named", cause=CauseValue.CONDITIONAL_IE_MISSING,
                            clause="TS 29.274, table 7.2.9.2-1")
    pti = msg.procedure_transaction_id or 0
    ue.transactions.pop(pti, None)
    teid = next(iter(ue.pdns.values())).s11_teid
    task = Task(rx, DeleteBearerResponse, teid, len(msg.ebis))
    for ebi in msg.ebis:
        pdn = ue.pdn_of(ebi)
        if pdn is None or ebi == pdn.ebi:
            yield from task.done(DeleteBearerResponseBearerContext(
                ebi=ebi, cause=Cause(CauseValue.CONTEXT_NOT_FOUND)))
            continue
        bearer = pdn.bearers[ebi]
        yield from esm_procedure.abandon(mme, ue, rx, (bearer,), "the gateway takes the bearer away")
        if pdn.bearers.get(ebi) is bearer:
            yield from deactivate(mme, ue, rx, bearer, partial(_bearer_gone, task), pti)
        else:  # it was still being made
            yield from task.done(DeleteBearerResponseBearerContext(ebi=ebi, cause=ACCEPTED))


def deactivate(mme: Mme, ue: Ue, rx: Rx, bearer: Bearer, ended: Ended, pti: int = 0) -> Effects:
    """A dedicated bearer, from eNB and phone; an idle phone learns it when it comes back (TS 23.401, 5.4.4.1)."""
    if ue.ecm is EcmState.IDLE or ue.ending:
        yield from ended(mme, ue, rx, bearer, None)
        return
    yield from esm_procedure.begin(ue, bearer, "deactivation", DeactivateEPSBearerContextRequest(
        eps_bearer_identity=bearer.ebi, procedure_transaction_identity=pti, esm_cause=EsmCause.REGULAR_DEACTIVATION,
    ), ended, via=erab.release_command(ue, (bearer,)) if bearer.enb is not None else None)


def _bearer_gone(task: Task, mme: Mme, ue: Ue, rx: Rx, bearer: Bearer, failure: Failure | None) -> Effects:
    yield from forget(ue, bearer)
    yield from task.done(DeleteBearerResponseBearerContext(ebi=bearer.ebi, cause=ACCEPTED))


def forget(ue: Ue, bearer: Bearer) -> Effects:
    """A dedicated bearer is no more."""
    yield from session.deactivate_locally(ue, bearer)
    if (pdn := ue.pdn_of(bearer.ebi)) is not None:
        del pdn.bearers[bearer.ebi]
        yield Verdict("bearer", True, f"EBI {bearer.ebi} beside {pdn.apn} is gone")


def _connection(mme: Mme, ue: Ue, rx: Rx, pdn: Pdn, again: bool) -> Effects:
    """Without its last PDN connection a phone is detached (TS 23.401, 5.4.4.1)."""
    yield from esm_procedure.abandon(mme, ue, rx, pdn.bearers.values(), "the gateway ends the PDN connection")
    if ue.pdns.get(pdn.apn) is not pdn:  # it was still being made
        yield from _answer(rx, pdn)
    elif len(ue.pdns) == 1:
        yield from _answer(rx, pdn)
        yield from pdn_disconnect.forget(ue, pdn)
        yield Tell("mme", DetachUe(ue.imsi, reattach=again))
    else:
        cause = EsmCause.REACTIVATION_REQUESTED if again else EsmCause.REGULAR_DEACTIVATION
        yield from pdn_disconnect.deactivate(mme, ue, rx, pdn, cause, partial(_connection_gone, rx))


def _connection_gone(request: Rx, mme: Mme, ue: Ue, rx: Rx, bearer: Bearer, failure: Failure | None) -> Effects:
    pdn = ue.pdn_of(bearer.ebi)
    assert pdn is not None
    yield from pdn_disconnect.forget(ue, pdn)
    yield from _answer(request, pdn)
    yield Verdict("PDN disconnect", True, f"the gateway closed {pdn.apn}")


def _answer(request: Rx, pdn: Pdn) -> Effects:
    yield Answer(DeleteBearerResponse(teid=pdn.s11_teid, cause=ACCEPTED, linked_ebi=pdn.ebi), to=request)
