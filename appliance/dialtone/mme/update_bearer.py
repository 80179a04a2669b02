# SPDX-License-Identifier: Apache-2.0
"""Bearers changed by the gateway: quality, template, APN-AMBR (TS 29.274, 7.2.15; TS 24.301, 6.4.3; TS 23.401, 5.4.2).

Update Bearer Request -> E-RAB Modify where the quality changes, UE Context Modification where the AMBR alone does ->
Modify EPS bearer context request, accept -> Update Bearer Response
"""

from functools import partial

from dialtone.codec.gtpc import CauseValue, UpdateBearerRequest, UpdateBearerResponse
from dialtone.codec.gtpc.bearer_context import UpdateBearerRequestBearerContext, UpdateBearerResponseBearerContext
from dialtone.codec.gtpc.values import Cause
from dialtone.codec.nas import ModifyEPSBearerContextAccept, ModifyEPSBearerContextReject, ModifyEPSBearerContextRequest
from dialtone.codec.nas.bitrates import ApnAmbr
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Verdict
from dialtone.mme import erab, esm_procedure, paging, ue_context_modification
from dialtone.mme.context import Bearer, Errand, Failure, Pdn, Ue
from dialtone.mme.create_bearer import nas_qos, take_qos
from dialtone.mme.element import Mme, on
from dialtone.mme.gateway_request import UNREACHED, Task, phone_of
from dialtone.mme.states import EsmState

Before = tuple[int, tuple[int, int, int], tuple[int, int], tuple[int, int], bytes]


@on("S11", UpdateBearerRequest)
def on_update_bearer_request(mme: Mme, msg: UpdateBearerRequest, rx: Rx) -> Effects:
    """One or several bearers of one PDN connection."""
    ue = phone_of(mme, msg.teid, rx)
    pdn = next((pdn for context in msg.bearer_contexts if (pdn := ue.pdn_of(context.ebi))), None)
    task = Task(rx, UpdateBearerResponse, pdn.s11_teid if pdn else 0, len(msg.bearer_contexts))
    if pdn is None:
        yield from _refuse(task, msg.bearer_contexts, mme, ue, rx, UNKNOWN)
        return
    yield from paging.reach(mme, ue, rx, Errand(
        partial(_modify, task, pdn, msg), partial(_unreached, task, msg.bearer_contexts)))


def _unreached(task: Task, contexts: tuple[UpdateBearerRequestBearerContext, ...], mme: Mme, ue: Ue, rx: Rx) -> Effects:
    return _refuse(task, contexts, mme, ue, rx, UNREACHED)


UNKNOWN = Failure(CauseValue.CONTEXT_NOT_FOUND, "the phone has no such bearer")
BUSY = Failure(CauseValue.REQUEST_REJECTED, "something else is under way on it")


def _refuse(task: Task, contexts: tuple[UpdateBearerRequestBearerContext, ...], mme: Mme, ue: Ue, rx: Rx,
            failure: Failure) -> Effects:
    for context in contexts:
        yield Verdict("bearer", False, f"EBI {context.ebi} not changed: {failure.text}")
        yield from task.done(UpdateBearerResponseBearerContext(ebi=context.ebi, cause=Cause(failure.gtp)))


def _modify(task: Task, pdn: Pdn, msg: UpdateBearerRequest, mme: Mme, ue: Ue, rx: Rx) -> Effects:
    pti = msg.procedure_transaction_id or 0
    ue.transactions.pop(pti, None)
    ambr_before, pdn.ambr = pdn.ambr, (msg.ambr.downlink, msg.ambr.uplink)
    new_ambr = ApnAmbr.of(*pdn.ambr) if pdn.ambr != ambr_before else None
    steps: list[tuple[Bearer, UpdateBearerRequestBearerContext, Before]] = []
    for context in msg.bearer_contexts:
        bearer = pdn.bearers.get(context.ebi)
        named = any(bearer is other for other, _, _ in steps)  # already, in this very request
        if bearer is None or bearer.state is not EsmState.ACTIVE or bearer.step is not None or named:
            yield from _refuse(task, (context,), mme, ue, rx, UNKNOWN if bearer is None else BUSY)
            continue
        steps.append((bearer, context, _quality(bearer)))
        if context.bearer_qos is not None:
            take_qos(bearer, context.bearer_qos)
        bearer.tft = context.tft or bearer.tft
    changed = [bearer for bearer, _, before in steps if _quality(bearer)[:4] != before[:4]]
    via = erab.modify_request(ue, changed) if changed else None
    if new_ambr is not None and via is None:
        yield ue_context_modification.request(ue)
    for bearer, context, before in steps:
        yield from esm_procedure.begin(ue, bearer, "modification", ModifyEPSBearerContextRequest(
            eps_bearer_identity=bearer.ebi,
            procedure_transaction_identity=pti,
            new_eps_qos=nas_qos(bearer) if bearer in changed else None,
            tft=context.tft,
            apn_ambr=new_ambr if bearer.ebi == pdn.ebi else None,
        ), partial(_ended, task, before, ambr_before), via=via if bearer in changed else None)


def _quality(bearer: Bearer) -> Before:
    return bearer.qci, bearer.arp, bearer.mbr, bearer.gbr, bearer.tft


def _ended(task: Task, before: Before, ambr_before: tuple[int, int], mme: Mme, ue: Ue, rx: Rx, bearer: Bearer,
           failure: Failure | None) -> Effects:
    """A bearer that could not be changed is as it was."""
    if failure is None:
        yield Verdict("bearer", True, f"EBI {bearer.ebi} changed: QCI {bearer.qci}")
        yield from task.done(UpdateBearerResponseBearerContext(
            ebi=bearer.ebi, cause=Cause(CauseValue.REQUEST_ACCEPTED)))
        return
    bearer.qci, bearer.arp, bearer.mbr, bearer.gbr, bearer.tft = before
    pdn = ue.pdn_of(bearer.ebi)
    assert pdn is not None
    if bearer.ebi == pdn.ebi:
        pdn.ambr = ambr_before
    yield Verdict("bearer", False, f"EBI {bearer.ebi} not changed: {failure.text}")
    yield from task.done(UpdateBearerResponseBearerContext(ebi=bearer.ebi, cause=Cause(failure.gtp)))


@on("NAS", ModifyEPSBearerContextAccept)
def on_modify_eps_bearer_context_accept(mme: Mme, msg: ModifyEPSBearerContextAccept, rx: Rx) -> Effects:
    """The phone has changed it (6.4.3.3)."""
    return esm_procedure.accepted(mme, rx.peer, rx, esm_procedure.expected(rx.peer, msg, "T3486"))


@on("NAS", ModifyEPSBearerContextReject)
def on_modify_eps_bearer_context_reject(mme: Mme, msg: ModifyEPSBearerContextReject, rx: Rx) -> Effects:
    """The phone keeps it as it was (6.4.3.4)."""
    bearer = esm_procedure.expected(rx.peer, msg, "T3486")
    return esm_procedure.rejected(mme, rx.peer, rx, bearer, msg.esm_cause)
