# SPDX-License-Identifier: Apache-2.0
"""Dedicated bearers by the gateway's wish (TS 29.274, 7.2.3; TS 24.301, 6.4.2; TS 23.401, 5.4.1).

Create Bearer Request -> E-RAB Setup with an Activate dedicated EPS bearer context request for each bearer ->
E-RAB Setup Response, Activate dedicated EPS bearer context accept -> Create Bearer Response
"""

from functools import partial

from dialtone.codec.gtpc import CauseValue, CreateBearerRequest, CreateBearerResponse
from dialtone.codec.gtpc.bearer_context import CreateBearerRequestBearerContext, CreateBearerResponseBearerContext
from dialtone.codec.gtpc.values import BearerQos, Cause, Fteid
from dialtone.codec.nas import (
    ActivateDedicatedEPSBearerContextAccept,
    ActivateDedicatedEPSBearerContextReject,
    ActivateDedicatedEPSBearerContextRequest,
)
from dialtone.codec.nas.bitrates import EpsQos
from dialtone.codec.nas.causes import EsmCause
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Verdict
from dialtone.errors import ProtocolError
from dialtone.mme import bearer_resource, causes, erab, esm_procedure, paging, session
from dialtone.mme.context import Bearer, Errand, Failure, Pdn, Ue
from dialtone.mme.element import Mme, on
from dialtone.mme.gateway_request import UNREACHED, Task, pdn_of, phone_of
from dialtone.mme.relocation import S1U_ENB

S1U_SGW = 1  # F-TEID interface type (TS 29.274, 8.22)


@on("S11", CreateBearerRequest)
def on_create_bearer_request(mme: Mme, msg: CreateBearerRequest, rx: Rx) -> Effects:
    """One or several bearers beside a default bearer."""
    ue = phone_of(mme, msg.teid, rx)
    pdn = pdn_of(ue, msg.linked_ebi)
    if not all(context.s1_u_sgw_f_teid and context.s1_u_sgw_f_teid.ipv4 for context in msg.bearer_contexts):
        raise ProtocolError("a bearer without the gateway's IPv4 end", cause=CauseValue.CONDITIONAL_IE_MISSING)
    task = Task(rx, CreateBearerResponse, pdn.s11_teid, len(msg.bearer_contexts))
    pti = msg.procedure_transaction_id or 0
    yield from paging.reach(mme, ue, rx, Errand(
        partial(_set_up, task, pdn, pti, msg.bearer_contexts), partial(_refuse, task, msg.bearer_contexts)))


Contexts = tuple[CreateBearerRequestBearerContext, ...]


def _refuse(task: Task, contexts: Contexts, mme: Mme, ue: Ue, rx: Rx) -> Effects:
    yield Verdict("bearer", False, f"no bearer set up: {UNREACHED.text}")
    for context in contexts:
        yield from task.done(_refused(UNREACHED.gtp, context.s1_u_sgw_f_teid))


def _refused(cause: int, end: Fteid | None, ebi: int = 0) -> CreateBearerResponseBearerContext:
    """The gateway's own end tells it which bearer that is (TS 29.274, table 7.2.4-2)."""
    return CreateBearerResponseBearerContext(ebi=ebi, cause=Cause(cause), s1_u_sgw_f_teid=end)


def _set_up(task: Task, pdn: Pdn, pti: int, contexts: Contexts, mme: Mme, ue: Ue, rx: Rx) -> Effects:
    task.asked = ue.transactions.pop(pti, None)
    if ue.pdns.get(pdn.apn) is not pdn or pdn.leaving:  # gone while the phone was called
        yield from _refuse(task, contexts, mme, ue, rx)
        return
    bearers = []
    for context in contexts:
        ebi = ue.free_ebi()
        if ebi is None:
            yield Verdict("bearer", False, "no bearer set up: the phone has 11, and may not have more")
            yield from task.done(_refused(CauseValue.NO_RESOURCES_AVAILABLE, context.s1_u_sgw_f_teid))
            continue
        assert context.s1_u_sgw_f_teid is not None
        assert context.s1_u_sgw_f_teid.ipv4 is not None
        end = context.s1_u_sgw_f_teid
        bearer = pdn.bearers[ebi] = Bearer(ebi, 0, (0, 0, 0), (end.ipv4 or b"", end.teid), tft=context.tft)
        take_qos(bearer, context.bearer_qos)
        bearers.append(bearer)
    if not bearers:
        return
    via = erab.setup_request(ue, bearers)
    for bearer in bearers:
        yield from esm_procedure.begin(ue, bearer, "activation", ActivateDedicatedEPSBearerContextRequest(
            eps_bearer_identity=bearer.ebi,
            procedure_transaction_identity=pti,
            linked_eps_bearer_identity=pdn.ebi,
            eps_qos=nas_qos(bearer),
            tft=bearer.tft,
        ), partial(_ended, task), via=via)


def take_qos(bearer: Bearer, qos: BearerQos) -> None:
    """The gateway's quality of service; of its pre-emption bits 0 enables, in ours 1 does."""
    bearer.qci = qos.qci
    bearer.arp = (qos.priority_level, 1 - qos.pre_emption_capability, 1 - qos.pre_emption_vulnerability)
    bearer.mbr, bearer.gbr = (qos.mbr_downlink, qos.mbr_uplink), (qos.gbr_downlink, qos.gbr_uplink)


def nas_qos(bearer: Bearer) -> EpsQos:
    """The same for the phone; rates are of GBR bearers only (TS 24.301, 9.9.4.3)."""
    if not any(bearer.gbr):
        return EpsQos.of(bearer.qci)
    (mbr_down, mbr_up), (gbr_down, gbr_up) = bearer.mbr, bearer.gbr
    return EpsQos.of(bearer.qci, mbr_up, mbr_down, gbr_up, gbr_down)


def _ended(task: Task, mme: Mme, ue: Ue, rx: Rx, bearer: Bearer, failure: Failure | None) -> Effects:
    pdn = ue.pdn_of(bearer.ebi)
    assert pdn is not None
    sgw_address, sgw_teid = bearer.sgw
    gateway = Fteid(S1U_SGW, sgw_teid, sgw_address)
    if failure is None and bearer.enb is not None:
        address, teid = bearer.enb
        yield Verdict("bearer", True, f"EBI {bearer.ebi} with QCI {bearer.qci} beside {pdn.apn}")
        yield from task.done(CreateBearerResponseBearerContext(
            ebi=bearer.ebi, cause=Cause(CauseValue.REQUEST_ACCEPTED),
            s1_u_enodeb_f_teid=Fteid(S1U_ENB, teid, address), s1_u_sgw_f_teid=gateway))
        return
    if failure is None:  # the phone has accepted what its eNB, or the target of a handover, gave up meanwhile
        failure = Failure(causes.gtp_by_s1ap(None), "its radio bearer went before the phone had accepted it")
    elif bearer.enb is not None:
        yield from erab.release(ue, bearer)
    elif task.asked is not None and ue.enb is not None:  # the phone still waits for an answer
        yield from bearer_resource.refuse(ue, task.asked, EsmCause.INSUFFICIENT_RESOURCES)
    yield from session.deactivate_locally(ue, bearer)
    del pdn.bearers[bearer.ebi]
    yield Verdict("bearer", False, f"no bearer with QCI {bearer.qci} beside {pdn.apn}: {failure.text}")
    yield from task.done(_refused(failure.gtp, gateway, bearer.ebi))


@on("NAS", ActivateDedicatedEPSBearerContextAccept)
def on_activate_dedicated_eps_bearer_context_accept(
    mme: Mme, msg: ActivateDedicatedEPSBearerContextAccept, rx: Rx
) -> Effects:
    """The phone has it (6.4.2.3)."""
    return esm_procedure.accepted(mme, rx.peer, rx, esm_procedure.expected(rx.peer, msg, "T3485"))


@on("NAS", ActivateDedicatedEPSBearerContextReject)
def on_activate_dedicated_eps_bearer_context_reject(
    mme: Mme, msg: ActivateDedicatedEPSBearerContextReject, rx: Rx
) -> Effects:
    """The phone does not take it: its template, or its quality (6.4.2.4)."""
    bearer = esm_procedure.expected(rx.peer, msg, "T3485")
    return esm_procedure.rejected(mme, rx.peer, rx, bearer, msg.esm_cause)
