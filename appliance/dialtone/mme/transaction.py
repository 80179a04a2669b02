# SPDX-License-Identifier: Apache-2.0
"""Procedure transactions that the phone begins: their identities (TS 24.301, 7.3.1 and 7.3.2; TS 24.007, 11.2.3.1a)."""

from dialtone.codec.nas.causes import EsmCause
from dialtone.codec.nas.tables import EsmMessage
from dialtone.mme.context import Ue

UNASSIGNED, RESERVED = 0, 255


def objection(ue: Ue, msg: EsmMessage) -> int | None:
    """The ESM cause where a request's own identities are wrong: #81, #43, or #35 for a PTI that serves already."""
    pti = msg.procedure_transaction_identity
    if pti in (UNASSIGNED, RESERVED):
        return EsmCause.INVALID_PTI_VALUE
    if msg.eps_bearer_identity:
        return EsmCause.INVALID_EPS_BEARER_IDENTITY
    if pti in ue.wishes or pti in ue.transactions:
        return EsmCause.PTI_ALREADY_IN_USE
    return None
