# SPDX-License-Identifier: Apache-2.0
"""Another PDN connection of a registered phone (TS 24.301, 6.5.1; TS 23.401, 5.10.2).

PDN connectivity request -> [ESM information] -> Create Session -> E-RAB Setup with Activate default EPS bearer
context request -> E-RAB Setup Response, Activate default EPS bearer context accept -> Modify Bearer
"""

from dialtone.codec.nas import PDNConnectivityReject, PDNConnectivityRequest
from dialtone.codec.nas.causes import EsmCause, cause_name
from dialtone.codec.nas.values import RequestType
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Send, Verdict
from dialtone.mme import default_bearer, erab, esm_procedure, session, transaction
from dialtone.mme.context import Bearer, Failure, Pdn, Ue
from dialtone.mme.element import Mme, on
from dialtone.mme.relocation import tell_gateway


@on("NAS", PDNConnectivityRequest)
def on_pdn_connectivity_request(mme: Mme, msg: PDNConnectivityRequest, rx: Rx) -> Effects:
    """Refused at once where the request cannot be; the same request once more is being served (6.5.1.6 b)."""
    ue: Ue = rx.peer
    pti = msg.procedure_transaction_identity
    wish = ue.wishes.get(pti)
    if (wish is not None and wish.request == msg) or _on_its_way(ue, pti):
        return
    if (objection := _objection(ue, msg)) is not None:
        yield from _refused(mme, ue, rx, pti, *objection)
        return
    yield from session.connect(mme, ue, rx, msg, _connected, _refused)


def _on_its_way(ue: Ue, pti: int) -> bool:
    """T3485 repeats the answer."""
    return any(pdn.pti == pti and pdn.bearers[pdn.ebi].step is not None for pdn in ue.pdns.values())


def _objection(ue: Ue, msg: PDNConnectivityRequest) -> tuple[int, str] | None:
    if (cause := transaction.objection(ue, msg)) is not None:
        return cause, "the message names its transaction or bearer wrongly"
    if ue.emergency:  # TS 23.401, 4.3.12.1
        return EsmCause.REQUEST_REJECTED_UNSPECIFIED, "a phone that is here for an emergency has that connection alone"
    if msg.request_type & 7 == RequestType.HANDOVER:
        return EsmCause.PDN_CONNECTION_DOES_NOT_EXIST, "there is nothing to hand over from another access"
    return None


def _refused(mme: Mme, ue: Ue, rx: Rx, pti: int, esm_cause: int, why: str) -> Effects:
    """This PDN connection fails, and nothing else (6.5.1.4)."""
    yield Send("NAS", ue, PDNConnectivityReject(procedure_transaction_identity=pti, esm_cause=esm_cause))
    yield Verdict("PDN connection", False, f"refused with ESM cause {cause_name(EsmCause, esm_cause)}: {why}")


def _connected(mme: Mme, ue: Ue, rx: Rx, pdn: Pdn) -> Effects:
    """The session stands at the gateway: the eNB and the phone next."""
    bearer = pdn.bearers[pdn.ebi]
    yield from esm_procedure.begin(ue, bearer, "activation", default_bearer.activate(ue, pdn), _ended,
                                   via=erab.setup_request(ue, (bearer,)))


def _ended(mme: Mme, ue: Ue, rx: Rx, bearer: Bearer, failure: Failure | None) -> Effects:
    """Both have answered: downlink may flow, or everything of this PDN connection goes."""
    pdn = ue.pdn_of(bearer.ebi)
    assert pdn is not None
    if failure is None:
        yield tell_gateway(pdn, ue)
        yield Verdict("PDN connection", True, f"{pdn.apn} {pdn.addresses} (EBI {pdn.ebi})")
        return
    knows = bearer.enb is not None
    if knows:
        yield from erab.release(ue, bearer)
    yield from session.delete(ue, pdn)
    if not knows and ue.enb is not None:  # the eNB gave the phone nothing: its request is still open
        yield Send("NAS", ue, PDNConnectivityReject(procedure_transaction_identity=pdn.pti,
                                                    esm_cause=EsmCause.INSUFFICIENT_RESOURCES))
    yield Verdict("PDN connection", False, f"{pdn.apn}: {failure.text}")
