# SPDX-License-Identifier: Apache-2.0
"""Another subscribed quality of a PDN connection, from the HSS by the MME (TS 23.401, 5.4.2.2; TS 29.274, 7.2.14)."""

from dialtone.codec.gtpc import CauseValue, ModifyBearerCommand, ModifyBearerFailureIndication
from dialtone.codec.gtpc.values import Cause
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects
from dialtone.errors import ProtocolError
from dialtone.pgw import dedicated
from dialtone.pgw.element import Pgw, on


@on("S5/S8", ModifyBearerCommand)
@on("S11", ModifyBearerCommand)
def on_modify_bearer_command(pgw: Pgw, msg: ModifyBearerCommand, rx: Rx) -> Effects:
    """Granted as it is asked for: the subscription is the policy of default bearers here."""
    context = msg.bearer_context
    try:
        session = pgw.session_of(msg.teid, rx, context.ebi)
        if context.ebi != session.ebi:
            raise ProtocolError(f"EBI {context.ebi} is no default bearer", cause=CauseValue.CONTEXT_NOT_FOUND)
    except ProtocolError as error:
        yield Answer(ModifyBearerFailureIndication(
            teid=pgw.peer_teid(msg), cause=Cause(error.cause or CauseValue.CONTEXT_NOT_FOUND)))
        return
    yield from dedicated.update_default(pgw, session, msg.ambr, context.bearer_qos, msg.sequence)
