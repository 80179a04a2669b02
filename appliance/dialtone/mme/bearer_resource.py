# SPDX-License-Identifier: Apache-2.0
"""Bearer resources that the phone asks for, changes or gives back (TS 24.301, 6.5.3 and 6.5.4; TS 23.401, 5.4.5).

Bearer resource allocation or modification request -> Bearer Resource Command -> Create, Update or Delete Bearer
Request with the phone's transaction, or a failure indication and a reject
"""

from dialtone.codec.gtpc import BearerResourceCommand, BearerResourceFailureIndication
from dialtone.codec.gtpc.values import FlowQos
from dialtone.codec.nas import (
    BearerResourceAllocationReject,
    BearerResourceAllocationRequest,
    BearerResourceModificationReject,
    BearerResourceModificationRequest,
)
from dialtone.codec.nas.bitrates import EpsQos
from dialtone.codec.nas.causes import EsmCause, cause_name
from dialtone.codec.tft import Tft, TftError
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Request, Send, Unanswered, Verdict
from dialtone.mme import causes, transaction
from dialtone.mme.context import Pdn, Ue
from dialtone.mme.element import Mme, on

Asked = BearerResourceAllocationRequest | BearerResourceModificationRequest


@on("NAS", BearerResourceAllocationRequest)
def on_bearer_resource_allocation_request(mme: Mme, msg: BearerResourceAllocationRequest, rx: Rx) -> Effects:
    """A bearer for flows that the phone names, beside the default bearer that it names."""
    ue: Ue = rx.peer
    pdn = next((pdn for pdn in ue.pdns.values() if pdn.ebi == msg.linked_eps_bearer_identity), None)
    yield from _ask(ue, msg, pdn, None, msg.required_traffic_flow_qos)


@on("NAS", BearerResourceModificationRequest)
def on_bearer_resource_modification_request(mme: Mme, msg: BearerResourceModificationRequest, rx: Rx) -> Effects:
    """Other packet filters or another quality for a bearer."""
    ue: Ue = rx.peer
    ebi = msg.eps_bearer_identity_for_packet_filter
    yield from _ask(ue, msg, ue.pdn_of(ebi), ebi, msg.required_traffic_flow_qos)


def _ask(ue: Ue, msg: Asked, pdn: Pdn | None, ebi: int | None, qos: EpsQos | None) -> Effects:
    """To the gateway, which decides; the same request once more is being served."""
    pti = msg.procedure_transaction_identity
    if ue.transactions.get(pti) == msg:
        return
    cause = transaction.objection(ue, msg)
    if cause is None and (pdn is None or pdn.leaving):
        cause = EsmCause.INVALID_EPS_BEARER_IDENTITY
    if cause is None:
        try:
            Tft.from_bytes(msg.traffic_flow_aggregate)
        except TftError as error:
            cause = error.cause
    if cause is not None or pdn is None:
        yield from refuse(ue, msg, cause or EsmCause.INVALID_EPS_BEARER_IDENTITY)
        return
    ue.transactions[pti] = msg
    yield Request("S11", pdn.gateway, BearerResourceCommand(
        teid=pdn.s11_teid,
        linked_ebi=pdn.ebi,
        procedure_transaction_id=pti,
        flow_qos=FlowQos(qos.qci, qos.mbr_uplink, qos.mbr_downlink, qos.gbr_uplink, qos.gbr_downlink) if qos else None,
        traffic_aggregate_description=msg.traffic_flow_aggregate,
        ebi=ebi,
    ), context=(ue, msg))


def refuse(ue: Ue, msg: Asked, cause: int) -> Effects:
    """The phone stays with what it has (6.5.3.4, 6.5.4.4)."""
    kind = (BearerResourceAllocationReject if isinstance(msg, BearerResourceAllocationRequest)
            else BearerResourceModificationReject)
    yield Send("NAS", ue, kind(procedure_transaction_identity=msg.procedure_transaction_identity, esm_cause=cause))
    yield Verdict("bearer", False, f"a wish of the phone refused with ESM cause {cause_name(EsmCause, cause)}")


@on("S11", BearerResourceFailureIndication)
def on_bearer_resource_failure_indication(mme: Mme, msg: BearerResourceFailureIndication, rx: Rx) -> Effects:
    """The gateway's policy says no."""
    if rx.request is not None:
        yield from _failed(rx.request, causes.esm_by_gtp(msg.cause.value), rx)


@on.unanswered(BearerResourceCommand)
def on_no_answer_to_bearer_resource_command(mme: Mme, event: Unanswered, rx: Rx) -> Effects:
    """The gateway is silent."""
    return _failed(event.request, EsmCause.NETWORK_FAILURE, rx)


def _failed(request: Request, cause: int, rx: Rx) -> Effects:
    ue, msg = request.context
    rx.subject, rx.state = ue.label, ue.emm
    if ue.transactions.get(msg.procedure_transaction_identity) is msg:
        del ue.transactions[msg.procedure_transaction_identity]
        yield from refuse(ue, msg, cause)
