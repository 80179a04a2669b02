# SPDX-License-Identifier: Apache-2.0
"""Default EPS bearer context activation (TS 24.301, 6.4.1): inside the attach, or by an E-RAB of its own."""

from dialtone.codec.nas import (
    ActivateDefaultEPSBearerContextAccept,
    ActivateDefaultEPSBearerContextReject,
    ActivateDefaultEPSBearerContextRequest,
)
from dialtone.codec.nas.bitrates import ApnAmbr, EpsQos
from dialtone.codec.nas.causes import EsmCause
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects
from dialtone.errors import ProtocolError
from dialtone.mme import esm_procedure, pdn_type
from dialtone.mme.context import Pdn, Ue
from dialtone.mme.element import Mme, on
from dialtone.mme.states import ESM


def activate(ue: Ue, pdn: Pdn) -> ActivateDefaultEPSBearerContextRequest:
    """The request for the default bearer of `pdn` (6.4.1.2)."""
    bearer = pdn.bearers[pdn.ebi]
    down, up = pdn.ambr
    return ActivateDefaultEPSBearerContextRequest(
        eps_bearer_identity=pdn.ebi,
        procedure_transaction_identity=pdn.pti,
        eps_qos=EpsQos.of(bearer.qci),
        access_point_name=pdn.apn,
        pdn_address=pdn_type.address_for_phone(pdn),
        apn_ambr=ApnAmbr.of(down, up),
        esm_cause=pdn.esm_cause,
        protocol_configuration_options=pdn.answer_pco,
    )


def start(ue: Ue, pdn: Pdn) -> Effect:
    """The activation is on its way to the phone, inside the attach."""
    return ue.move_bearer(pdn.bearers[pdn.ebi], "activation")


def confirmed(ue: Ue, ebi: int) -> Effect:
    """The phone took it, inside the attach. Raises ProtocolError, ESM cause #43 (7.3.2)."""
    bearer = ue.bearer(ebi)
    if bearer is None or (bearer.step is not None and bearer.step.nas) or not ESM.allows(bearer.state, "accepted"):
        raise ProtocolError(f"no activation of EPS bearer {ebi} is under way",
                            cause=EsmCause.INVALID_EPS_BEARER_IDENTITY, clause="TS 24.301, 7.3.2")
    return ue.move_bearer(bearer, "accepted")


@on("NAS", ActivateDefaultEPSBearerContextAccept)
def on_activate_default_eps_bearer_context_accept(
    mme: Mme, msg: ActivateDefaultEPSBearerContextAccept, rx: Rx
) -> Effects:
    """The default bearer of another PDN connection is active (6.4.1.3)."""
    return esm_procedure.accepted(mme, rx.peer, rx, esm_procedure.expected(rx.peer, msg, "T3485"))


@on("NAS", ActivateDefaultEPSBearerContextReject)
def on_activate_default_eps_bearer_context_reject(
    mme: Mme, msg: ActivateDefaultEPSBearerContextReject, rx: Rx
) -> Effects:
    """The phone does not want what it asked for (6.4.1.4)."""
    bearer = esm_procedure.expected(rx.peer, msg, "T3485")
    return esm_procedure.rejected(mme, rx.peer, rx, bearer, msg.esm_cause)
