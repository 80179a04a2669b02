# SPDX-License-Identifier: Apache-2.0
"""Bearers that move to another eNB: every gateway learns their new ends (TS 23.401, 5.5.1.1.2, 5.5.1.2.2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialtone.codec import gtpc
from dialtone.codec.gtpc import ModifyBearerRequest
from dialtone.codec.gtpc.values import Fteid
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Request
from dialtone.mme import retransmission
from dialtone.mme.context import Pdn, Ue

if TYPE_CHECKING:
    from dialtone.mme.element import Mme

S1U_ENB = 0  # F-TEID interface type (TS 29.274, 8.22)
Ends = Mapping[int, tuple[bytes, int]]
"""Address and TEID at the eNB, by EPS bearer identity."""
Done = Callable[["Mme", Ue, Rx, str], Effects]
"""What follows; the text says why a gateway refused, and is empty where none did."""


@dataclass(slots=True)
class Relocation:
    """The bearers of a phone on their way to other ends. `left` gateways have not answered."""

    ue: Ue
    done: Done
    left: int
    refused: str = ""


def user_end(address: bytes, teid: int) -> tuple[bytes, int] | None:
    """The eNB's end of a bearer. 16 octets are IPv6 alone (TS 36.414, 5.3): our gateway has no use for them."""
    return (address[:4], teid) if len(address) in (4, 20) else None


def tell_gateway(pdn: Pdn, context: object) -> Request:
    """The eNB's ends of the bearers of a PDN connection; `context` comes back with the answer."""
    return Request("S11", pdn.gateway, ModifyBearerRequest(
        teid=pdn.s11_teid,
        bearer_contexts_to_be_modified=tuple(
            gtpc.BearerContextToBeModified(
                ebi=bearer.ebi, s1_u_enodeb_f_teid=Fteid(S1U_ENB, bearer.enb[1], bearer.enb[0]))
            for bearer in pdn.bearers.values() if bearer.enb),
    ), context=context)


def move_bearers(ue: Ue, ends: Ends, done: Done) -> Effects:
    """Tell the gateways, and do `done` when all of them have answered. An earlier move is forgotten."""
    ue.relocation = relocation = Relocation(ue, done, len(ue.pdns))
    for pdn in ue.pdns.values():
        for bearer in pdn.bearers.values():
            bearer.enb = ends.get(bearer.ebi)
        yield tell_gateway(pdn, relocation)


def answered(mme: "Mme", relocation: Relocation, rx: Rx, why: str = "") -> Effects:
    """One gateway has answered; `why` it refused, or that it is silent."""
    ue = relocation.ue
    rx.subject, rx.state = ue.label, ue.emm
    relocation.left -= 1
    relocation.refused = relocation.refused or why
    if relocation.left == 0 and ue.relocation is relocation:
        ue.relocation = None
        yield from relocation.done(mme, ue, rx, relocation.refused)
        if ue.enb is not None:
            yield from retransmission.again_if_lost(ue)
