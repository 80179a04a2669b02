# SPDX-License-Identifier: Apache-2.0
"""EPS bearer contexts that one side lost: deactivated locally, at the gateway too (TS 24.301, 6.4.4.6, 5.5.3.2.4).

A PDN connection goes with its default bearer. Nothing is said to the phone, which does the same by itself.
"""

from collections.abc import Collection

from dialtone.codec import gtpc
from dialtone.codec.gtpc import ModifyBearerRequest
from dialtone.effects import Effects, Request, Verdict
from dialtone.mme import session
from dialtone.mme.context import Ue
from dialtone.mme.states import EsmState


def forget_all_but(ue: Ue, kept: Collection[int]) -> Effects:
    """Deactivate every active bearer whose EPS bearer identity is not among `kept`."""
    for pdn in list(ue.pdns.values()):
        lost = [bearer for bearer in pdn.bearers.values()
                if bearer.ebi not in kept and bearer.state is EsmState.ACTIVE]
        if any(bearer.ebi == pdn.ebi for bearer in lost):
            yield Verdict("bearer", False, f"the PDN connection {pdn.apn} is gone: its default bearer was lost")
            yield from session.delete(ue, pdn)
            continue
        for bearer in lost:
            yield ue.move_bearer(bearer, "local deactivation")
            del pdn.bearers[bearer.ebi]
            yield Verdict("bearer", False, f"the bearer with EBI {bearer.ebi} of {pdn.apn} is gone: it was lost")
        if lost:
            yield Request("S11", pdn.gateway, ModifyBearerRequest(
                teid=pdn.s11_teid,
                bearer_contexts_to_be_removed=tuple(
                    gtpc.BearerContextToBeRemoved(ebi=bearer.ebi) for bearer in lost),
            ), context=ue)
