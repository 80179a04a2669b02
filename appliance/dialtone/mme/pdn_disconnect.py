# SPDX-License-Identifier: Apache-2.0
"""A PDN connection ends: by the phone (TS 24.301, 6.5.2), by the network (6.4.4; TS 23.401, 5.10.3, 5.4.4.1).

PDN disconnect request -> Delete Session -> E-RAB Release with Deactivate EPS bearer context request -> both answers
"""

from dataclasses import dataclass

from dialtone.codec.nas import (
    DeactivateEPSBearerContextAccept,
    DeactivateEPSBearerContextRequest,
    PDNDisconnectReject,
    PDNDisconnectRequest,
)
from dialtone.codec.nas.causes import EsmCause, cause_name
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, Send, Tell, Verdict
from dialtone.mme import erab, esm_procedure, session, transaction
from dialtone.mme.context import Bearer, Ended, Failure, Pdn, Ue
from dialtone.mme.detach import DetachUe
from dialtone.mme.element import Mme, on
from dialtone.mme.states import EmmState


@dataclass(slots=True)
class ClosePdn(Event):
    """A command: end the phone's PDN connection to this APN."""

    imsi: str
    apn: str


@on("NAS", PDNDisconnectRequest)
def on_pdn_disconnect_request(mme: Mme, msg: PDNDisconnectRequest, rx: Rx) -> Effects:
    """The gateway first, then eNB and phone. The last one cannot go without a detach (6.5.2.4)."""
    ue: Ue = rx.peer
    pti = msg.procedure_transaction_identity
    pdn = next((pdn for pdn in ue.pdns.values() if pdn.ebi == msg.linked_eps_bearer_identity), None)
    if pdn is not None and pdn.leaving and ue.transactions.get(pti) is pdn:
        return  # the same request once more, which is being served
    cause = transaction.objection(ue, msg)
    if cause is None and pdn is None:
        cause = EsmCause.INVALID_EPS_BEARER_IDENTITY
    if cause is None and sum(not other.leaving for other in ue.pdns.values()) == 1:
        cause = EsmCause.LAST_PDN_DISCONNECTION_NOT_ALLOWED
    if cause is not None or pdn is None:
        assert cause is not None
        yield Send("NAS", ue, PDNDisconnectReject(procedure_transaction_identity=pti, esm_cause=cause))
        yield Verdict("PDN disconnect", False, f"refused with ESM cause {cause_name(EsmCause, cause)}")
        return
    ue.transactions[pti] = pdn
    yield from esm_procedure.abandon(mme, ue, rx, pdn.bearers.values(), "the PDN connection ends")
    yield from leave(ue, pdn, pti)


@on.event(ClosePdn)
def on_close_pdn(mme: Mme, event: ClosePdn, rx: Rx) -> Effects:
    """By the network's own wish; without its last PDN connection a phone is detached (TS 23.401, 5.10.3)."""
    ue = mme.by_imsi.get(event.imsi)
    pdn = ue.pdns.get(event.apn) if ue is not None and ue.emm is EmmState.REGISTERED else None
    if ue is None or pdn is None or pdn.leaving:
        return
    rx.subject, rx.state = ue.label, ue.emm
    if len(ue.pdns) == 1:
        yield Tell("mme", DetachUe(event.imsi))
        return
    yield from esm_procedure.abandon(mme, ue, rx, pdn.bearers.values(), "the PDN connection ends")
    yield from leave(ue, pdn, 0)


def leave(ue: Ue, pdn: Pdn, pti: int) -> Effects:
    """Delete the session, then deactivate; `pti` is the phone's transaction, 0 for none."""
    if pdn.leaving or ue.pdns.get(pdn.apn) is not pdn:
        return

    def deleted(mme: Mme, ue: Ue, rx: Rx, pdn: Pdn) -> Effects:
        return deactivate(mme, ue, rx, pdn, EsmCause.REGULAR_DEACTIVATION, _ended, pti)

    pdn.leaving = True
    yield session.delete_request(ue, pdn, deleted)


def deactivate(mme: Mme, ue: Ue, rx: Rx, pdn: Pdn, cause: int, ended: Ended, pti: int = 0) -> Effects:
    """Take a PDN connection from eNB and phone, by its default bearer; an idle phone learns it by its next update."""
    pdn.leaving = True
    default = pdn.bearers[pdn.ebi]
    if ue.enb is None or ue.ending:
        yield from ended(mme, ue, rx, default, None)
        return
    others = [bearer for ebi, bearer in pdn.bearers.items() if ebi != pdn.ebi]
    yield from session.deactivate_locally(ue, *others)
    yield from esm_procedure.begin(ue, default, "deactivation", DeactivateEPSBearerContextRequest(
        eps_bearer_identity=pdn.ebi, procedure_transaction_identity=pti, esm_cause=cause,
    ), ended, via=erab.release_command(ue, (default, *others)))


def _ended(mme: Mme, ue: Ue, rx: Rx, bearer: Bearer, failure: Failure | None) -> Effects:
    pdn = ue.pdn_of(bearer.ebi)
    assert pdn is not None
    yield from forget(ue, pdn)
    how = f", although {failure.text}" if failure else ""
    yield Verdict("PDN disconnect", True, f"{pdn.apn} is closed{how}")


def forget(ue: Ue, pdn: Pdn) -> Effects:
    """Nothing of this PDN connection is left here."""
    yield from session.deactivate_locally(ue, *pdn.bearers.values())
    del ue.pdns[pdn.apn]
    for pti in [pti for pti, owner in ue.transactions.items() if owner is pdn]:
        del ue.transactions[pti]


@on("NAS", DeactivateEPSBearerContextAccept)
def on_deactivate_eps_bearer_context_accept(mme: Mme, msg: DeactivateEPSBearerContextAccept, rx: Rx) -> Effects:
    """The bearer is gone from the phone, with a default bearer all of its PDN connection (6.4.4.3)."""
    return esm_procedure.accepted(mme, rx.peer, rx, esm_procedure.expected(rx.peer, msg, "T3495"))
