# SPDX-License-Identifier: Apache-2.0
"""More PDN connections of the phone (TS 24.301, 6.5.1 and 6.5.2).

PDN connectivity request -> (ESM information) -> Activate default EPS bearer context request -> accept, or reject;
PDN disconnect request -> Deactivate EPS bearer context request -> accept, or reject.
"""

from dataclasses import dataclass

from dialtone.codec import nas
from dialtone.codec.nas.causes import EsmCause
from dialtone.codec.nas.values import RequestType
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event
from dialtone.sim import causes, emergency, esm, transaction
from dialtone.sim.air import BearersDown
from dialtone.sim.phone import Phone, on
from dialtone.sim.states import IS_REGISTERED

OPEN, CLOSE = "PDN connection", "PDN disconnect"


@dataclass(slots=True)
class OpenPdn(Event):
    """Connect to an APN. `later` tells its name in the ESM information procedure, as phones do in an attach."""

    apn: str
    later: bool = False


@dataclass(slots=True)
class ClosePdn(Event):
    """Disconnect from an APN."""

    apn: str


@on.event(OpenPdn)
def on_open_pdn(phone: Phone, event: OpenPdn, rx: Rx) -> Effects:
    """An application wants another network (6.5.1.2)."""
    phone.mark(rx)
    return transaction.begin(phone, OPEN, "T3482", event.apn, lambda pti: nas.PDNConnectivityRequest(
        procedure_transaction_identity=pti,
        request_type=RequestType.INITIAL,
        pdn_type=phone.handset.pdn_type,
        esm_information_transfer_flag=1 if event.later else None,
        access_point_name=None if event.later else event.apn,
        protocol_configuration_options=esm.asked_options(phone),
    ))


@on.timer("IMS PDN", "TS 24.229, B.2.2.1")
def on_ims_pdn(phone: Phone, key: str, rx: Rx) -> Effects:
    """The IMS client wants its network, unless the default connection is that."""
    if phone.emm in IS_REGISTERED and all(pdn.apn != phone.handset.ims for pdn in phone.pdns.values()):
        yield from on_open_pdn(phone, OpenPdn(phone.handset.ims), rx)


@on("NAS", nas.ActivateDefaultEPSBearerContextRequest)
def on_activate_default_eps_bearer_context_request(
    phone: Phone, msg: nas.ActivateDefaultEPSBearerContextRequest, rx: Rx
) -> Effects:
    """What was asked for; once more where our accept was lost; without a request of ours never (6.4.1.3, 7.3.1)."""
    pti, ebi = msg.procedure_transaction_identity, msg.eps_bearer_identity
    repeated = ebi in phone.pdns and phone.pdns[ebi].apn == msg.access_point_name
    asked = phone.transactions.get(pti)
    if not repeated and (asked is None or asked.procedure not in (OPEN, emergency.PDN)):
        yield phone.send(nas.ActivateDefaultEPSBearerContextReject(
            eps_bearer_identity=ebi, esm_cause=EsmCause.PTI_MISMATCH))
        return
    yield from transaction.end(phone, pti)
    urgent = asked is not None and asked.procedure == emergency.PDN
    if urgent:
        phone.for_help = ""
    answer, effects = esm.activate_default(phone, msg, emergency=urgent)
    yield phone.send(answer)
    yield from effects
    if not repeated:
        yield phone.outcome(OPEN, True, f"connected: {esm.line(phone.pdns[ebi])}")


@on("NAS", nas.PDNConnectivityReject)
def on_pdn_connectivity_reject(phone: Phone, msg: nas.PDNConnectivityReject, rx: Rx) -> Effects:
    """Not this one; the others stay (6.5.1.4)."""
    asked = phone.transactions.get(msg.procedure_transaction_identity)
    urgent = asked is not None and asked.procedure == emergency.PDN
    yield from _rejected(phone, msg.procedure_transaction_identity, emergency.PDN if urgent else OPEN, msg.esm_cause)
    if urgent:
        yield from emergency.refused(phone)


@on.event(ClosePdn)
def on_close_pdn(phone: Phone, event: ClosePdn, rx: Rx) -> Effects:
    """The application is through (6.5.2.2)."""
    phone.mark(rx)
    pdn = next((pdn for pdn in phone.pdns.values() if pdn.apn == event.apn), None)
    if pdn is None:
        yield phone.outcome(CLOSE, False, f"not connected to {event.apn}")
        return
    yield from transaction.begin(phone, CLOSE, "T3492", event.apn, lambda pti: nas.PDNDisconnectRequest(
        procedure_transaction_identity=pti, linked_eps_bearer_identity=pdn.ebi))


@on("NAS", nas.PDNDisconnectReject)
def on_pdn_disconnect_reject(phone: Phone, msg: nas.PDNDisconnectReject, rx: Rx) -> Effects:
    """The network keeps it: the last one does not go without a detach (6.5.2.4)."""
    return _rejected(phone, msg.procedure_transaction_identity, CLOSE, msg.esm_cause)


def _rejected(phone: Phone, pti: int, procedure: str, cause: int) -> Effects:
    asked = phone.transactions.get(pti)
    if asked is None or asked.procedure != procedure:
        yield phone.send(nas.ESMStatus(procedure_transaction_identity=pti, esm_cause=EsmCause.PTI_MISMATCH))
        return
    yield from transaction.end(phone, pti)
    phone.esm_failure = cause
    yield phone.outcome(procedure, False, f"{asked.about} refused: cause {causes.esm(cause)}")


@on("NAS", nas.DeactivateEPSBearerContextRequest)
def on_deactivate_eps_bearer_context_request(
    phone: Phone, msg: nas.DeactivateEPSBearerContextRequest, rx: Rx
) -> Effects:
    """The network takes a bearer away (6.4.4.3); one we do not have is answered alike (6.4.4.6)."""
    ebi, pti = msg.eps_bearer_identity, msg.procedure_transaction_identity
    apn = phone.pdns[ebi].apn if ebi in phone.pdns else ""
    asked = phone.transactions.get(pti)
    yield from transaction.end(phone, pti)
    yield phone.send(nas.DeactivateEPSBearerContextAccept(eps_bearer_identity=ebi))
    yield from esm.take(phone, ebi, msg.NAME)
    if asked is not None or apn:
        procedure = asked.procedure if asked else CLOSE
        yield phone.outcome(procedure, True, f"{apn or f'bearer {ebi}'} closed: cause {causes.esm(msg.esm_cause)}")
    if apn and msg.esm_cause == EsmCause.REACTIVATION_REQUESTED:
        yield from on_open_pdn(phone, OpenPdn(apn), rx)


@on.event(BearersDown)
def on_bearers_down(phone: Phone, event: BearersDown, rx: Rx) -> Effects:
    """RRC has released radio bearers: what is still active on them ends here, without a word (6.4.4.1)."""
    phone.mark(rx)
    for ebi in event.bearers:
        yield from esm.take(phone, ebi, "local deactivation")
