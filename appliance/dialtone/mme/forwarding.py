# SPDX-License-Identifier: Apache-2.0
"""Indirect data forwarding (TS 23.401, 5.5.1.2.2, steps 6 and 21; TS 29.274, 7.2.12, 7.2.18): by way of the gateway.

Create Indirect Data Forwarding Tunnel: the target's ends go to the gateway, the gateway's to the source.
"""

from collections.abc import Callable
from dataclasses import dataclass

from dialtone.codec.gtpc import (
    BearerContextToBeForwarded,
    CreateIndirectDataForwardingTunnelRequest,
    CreateIndirectDataForwardingTunnelResponse,
    DeleteIndirectDataForwardingTunnelRequest,
    DeleteIndirectDataForwardingTunnelResponse,
)
from dialtone.codec.gtpc.values import Fteid
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Request, Unanswered, Verdict
from dialtone.mme.context import Handover, Ue
from dialtone.mme.element import Mme, on

ENB_FORWARDING = 19  # F-TEID interface type: eNodeB GTP-U for downlink data forwarding (TS 29.274, 8.22)


@dataclass(slots=True)
class Tunnels:
    """Forwarding tunnels that are being made; `left` gateways have not answered."""

    ue: Ue
    handover: Handover
    done: Callable[[Mme, Rx], Effects]
    left: int


def create(ue: Ue, handover: Handover, done: Callable[[Mme, Rx], Effects]) -> Effects:
    """Ask each gateway for the bearers that are its own; `done` when all have answered, as well as they could."""
    gateways = {(pdn.gateway, pdn.s11_teid): [bearer.ebi for other in ue.pdns.values() for bearer in
                                              other.bearers.values() if (other.gateway, other.s11_teid) == (
                                                  pdn.gateway, pdn.s11_teid) and bearer.ebi in handover.forward]
                for pdn in ue.pdns.values()}
    asked = {gateway: ebis for gateway, ebis in gateways.items() if ebis}
    tunnels = Tunnels(ue, handover, done, len(asked))
    for (gateway, teid), ebis in asked.items():
        yield Request("S11", gateway, CreateIndirectDataForwardingTunnelRequest(
            teid=teid,
            bearer_contexts=tuple(BearerContextToBeForwarded(
                ebi=ebi, enodeb_f_teid_for_dl=Fteid(ENB_FORWARDING, handover.forward[ebi][1],
                                                    handover.forward[ebi][0][:4])) for ebi in ebis),
        ), context=tunnels)
    handover.forward = {}  # what the gateways do not give is not forwarded


@on("S11", CreateIndirectDataForwardingTunnelResponse)
def on_create_indirect_data_forwarding_tunnel_response(
    mme: Mme, msg: CreateIndirectDataForwardingTunnelResponse, rx: Rx
) -> Effects:
    """Where the source is to send."""
    assert rx.request is not None
    tunnels: Tunnels = rx.request.context
    handover = tunnels.handover
    rx.subject = tunnels.ue.label
    for context in msg.bearer_contexts if msg.cause.accepted else ():
        end = context.s1_u_sgw_f_teid_for_dl or context.sgw_f_teid_for_dl
        if context.cause.accepted and end is not None and end.ipv4:
            handover.forward[context.ebi] = (end.ipv4, end.teid)
    if msg.cause.accepted:
        handover.tunnels = True
    yield from _answered(mme, tunnels, rx)


@on.unanswered(CreateIndirectDataForwardingTunnelRequest)
def on_no_create_indirect_data_forwarding_tunnel_response(mme: Mme, event: Unanswered, rx: Rx) -> Effects:
    """Then without forwarding."""
    tunnels: Tunnels = event.request.context
    rx.subject = tunnels.ue.label
    yield Verdict("S1 handover", False, "the gateway does not answer: nothing is forwarded")
    yield from _answered(mme, tunnels, rx)


def _answered(mme: Mme, tunnels: Tunnels, rx: Rx) -> Effects:
    tunnels.left -= 1
    if tunnels.left:
        return
    if tunnels.ue.handover is tunnels.handover:
        yield from tunnels.done(mme, rx)
    elif tunnels.handover.tunnels:  # the handover was given up meanwhile
        yield from delete(mme, tunnels.ue, rx, ue=tunnels.ue)


def delete(mme: Mme, source: Ue, rx: Rx, *, ue: Ue) -> Effects:
    """The tunnels of the phone go; a newer handover that has some of its own keeps them."""
    if source is not ue and ue.handover is not None and ue.handover.tunnels:
        return
    for gateway, teid in {(pdn.gateway, pdn.s11_teid): None for pdn in ue.pdns.values() if pdn.s11_teid}:
        yield Request("S11", gateway, DeleteIndirectDataForwardingTunnelRequest(teid=teid))


@on("S11", DeleteIndirectDataForwardingTunnelResponse)
def on_delete_indirect_data_forwarding_tunnel_response(
    mme: Mme, msg: DeleteIndirectDataForwardingTunnelResponse, rx: Rx
) -> Effects:
    """Gone."""
    return ()
