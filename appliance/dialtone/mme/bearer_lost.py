# SPDX-License-Identifier: Apache-2.0
"""Bearers that the eNB lost (TS 36.413, 8.2.3.2.2; TS 23.401, 5.4.4.2).

E-RAB Release Indication -> Delete Bearer Command -> Delete Bearer Request -> Deactivate EPS bearer context request
"""

from dialtone.codec.gtpc import DeleteBearerCommand, DeleteBearerFailureIndication
from dialtone.codec.s1ap import ERABReleaseIndication
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Request, Tell, Unanswered, Verdict
from dialtone.mme import delete_bearer, esm_procedure, pdn_disconnect, session
from dialtone.mme.context import Ue
from dialtone.mme.detach import DetachUe
from dialtone.mme.element import Mme, on


@on("S1-MME", ERABReleaseIndication)
def on_erab_release_indication(mme: Mme, msg: ERABReleaseIndication, rx: Rx) -> Effects:
    """Dedicated bearers by way of the gateway; with a default bearer all of its PDN connection goes."""
    ue = mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    for item in msg.e_rab_released_list:
        pdn, bearer = ue.pdn_of(item.e_rab_id), ue.bearer(item.e_rab_id)
        if pdn is None or bearer is None or pdn.leaving:
            continue
        yield Verdict("bearer", False, f"the eNB lost EBI {bearer.ebi} of {pdn.apn}: {item.cause}")
        yield from esm_procedure.abandon(mme, ue, rx, (bearer,), "the eNB lost the bearer")
        if ue.bearer(item.e_rab_id) is not bearer:
            continue
        bearer.enb = None
        if bearer.ebi != pdn.ebi:
            yield from session.give_up(ue, bearer)
        elif len(ue.pdns) > 1:
            yield from pdn_disconnect.leave(ue, pdn, 0)
        else:
            yield Tell(mme.name, DetachUe(ue.imsi, reattach=True))


@on("S11", DeleteBearerFailureIndication)
def on_delete_bearer_failure_indication(mme: Mme, msg: DeleteBearerFailureIndication, rx: Rx) -> Effects:
    """The gateway does not know the bearer any more."""
    return _alone(mme, rx.request, rx) if rx.request is not None else ()


@on.unanswered(DeleteBearerCommand)
def on_no_answer_to_delete_bearer_command(mme: Mme, event: Unanswered, rx: Rx) -> Effects:
    """The gateway is silent."""
    return _alone(mme, event.request, rx)


def _alone(mme: Mme, request: Request, rx: Rx) -> Effects:
    """Without the gateway's help: from here and from the phone."""
    ue, ebi = request.context
    rx.subject, rx.state = ue.label, ue.emm
    bearer = ue.bearer(ebi)
    if bearer is not None and bearer.step is None:
        yield from delete_bearer.deactivate(mme, ue, rx, bearer, lambda mme, ue, rx, bearer, failure: _gone(ue, ebi))


def _gone(ue: Ue, ebi: int) -> Effects:
    bearer = ue.bearer(ebi)
    if bearer is not None:
        yield from delete_bearer.forget(ue, bearer)
