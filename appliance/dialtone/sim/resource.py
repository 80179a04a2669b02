# SPDX-License-Identifier: Apache-2.0
"""Bearer resources that the phone asks for (TS 24.301, 6.5.3 and 6.5.4); dedicated.py takes what it gets.

Bearer resource allocation request, Bearer resource modification request -> a bearer new, changed or gone, or a reject.
"""

from dataclasses import dataclass

from dialtone.codec import nas
from dialtone.codec.nas.bitrates import EpsQos
from dialtone.codec.nas.causes import EsmCause
from dialtone.codec.tft import Operation, PacketFilter, Tft
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event
from dialtone.sim import causes, transaction
from dialtone.sim.phone import Phone, on

RESOURCE = "bearer"


@dataclass(slots=True)
class AskForBearer(Event):
    """A dedicated bearer for these flows beside the connection to `apn`."""

    apn: str
    qos: EpsQos
    filters: tuple[PacketFilter, ...]


@dataclass(slots=True)
class ChangeBearer(Event):
    """Another template or quality for a bearer; `DELETE_FILTERS` of all it has ends it."""

    ebi: int
    tft: Tft
    qos: EpsQos | None = None


def drop(ebi: int, *identifiers: int) -> ChangeBearer:
    """Give these packet filters of a bearer back."""
    return ChangeBearer(ebi, Tft(Operation.DELETE_FILTERS, identifiers=identifiers))


@on.event(AskForBearer)
def on_ask_for_bearer(phone: Phone, event: AskForBearer, rx: Rx) -> Effects:
    """An application wants quality (6.5.3.2)."""
    phone.mark(rx)
    pdn = next((pdn for pdn in phone.pdns.values() if pdn.apn == event.apn), None)
    if pdn is None:
        yield phone.outcome(RESOURCE, False, f"not connected to {event.apn}")
        return
    yield from transaction.begin(phone, RESOURCE, "T3480", event.apn, lambda pti: nas.BearerResourceAllocationRequest(
        procedure_transaction_identity=pti, linked_eps_bearer_identity=pdn.ebi,
        traffic_flow_aggregate=Tft.create(event.filters).to_bytes(), required_traffic_flow_qos=event.qos))


@on.event(ChangeBearer)
def on_change_bearer(phone: Phone, event: ChangeBearer, rx: Rx) -> Effects:
    """It wants another one, or is through with it (6.5.4.2)."""
    phone.mark(rx)
    return transaction.begin(
        phone, RESOURCE, "T3481", f"bearer {event.ebi}", lambda pti: nas.BearerResourceModificationRequest(
            procedure_transaction_identity=pti, eps_bearer_identity_for_packet_filter=event.ebi,
            traffic_flow_aggregate=event.tft.to_bytes(), required_traffic_flow_qos=event.qos))


@on("NAS", nas.BearerResourceAllocationReject)
def on_bearer_resource_allocation_reject(phone: Phone, msg: nas.BearerResourceAllocationReject, rx: Rx) -> Effects:
    """No bearer (6.5.3.4)."""
    return _rejected(phone, msg.procedure_transaction_identity, msg.esm_cause)


@on("NAS", nas.BearerResourceModificationReject)
def on_bearer_resource_modification_reject(phone: Phone, msg: nas.BearerResourceModificationReject, rx: Rx) -> Effects:
    """All stays as it was (6.5.4.4)."""
    return _rejected(phone, msg.procedure_transaction_identity, msg.esm_cause)


def _rejected(phone: Phone, pti: int, cause: int) -> Effects:
    asked = phone.transactions.get(pti)
    if asked is None or asked.procedure != RESOURCE:
        yield phone.send(nas.ESMStatus(procedure_transaction_identity=pti, esm_cause=EsmCause.PTI_MISMATCH))
        return
    yield from transaction.end(phone, pti)
    phone.esm_failure = cause
    yield phone.outcome(RESOURCE, False, f"{asked.about} refused: cause {causes.esm(cause)}")
