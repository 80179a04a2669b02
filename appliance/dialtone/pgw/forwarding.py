# SPDX-License-Identifier: Apache-2.0
"""Indirect data forwarding at the gateway (TS 29.274, 7.2.12, 7.2.18): what the source eNB sends goes to the target."""

from dialtone.codec.gtpc import (
    BearerContextForwarded,
    CauseValue,
    CreateIndirectDataForwardingTunnelRequest,
    CreateIndirectDataForwardingTunnelResponse,
    DeleteIndirectDataForwardingTunnelRequest,
    DeleteIndirectDataForwardingTunnelResponse,
)
from dialtone.codec.gtpc.values import Cause, Fteid
from dialtone.dispatch import Rx
from dialtone.effects import Answer, CloseTunnel, Effects, OpenRelay
from dialtone.pgw.element import Pgw, on
from dialtone.pgw.tunnel import Tunnel

SGW_FORWARDING = 23  # F-TEID interface type: SGW GTP-U for downlink data forwarding (TS 29.274, 8.22)


@on("S11", CreateIndirectDataForwardingTunnelRequest)
def on_create_indirect_data_forwarding_tunnel_request(
    pgw: Pgw, msg: CreateIndirectDataForwardingTunnelRequest, rx: Rx
) -> Effects:
    """A TEID of ours for each bearer. Those of an earlier handover go."""
    tunnel = pgw.tunnel_of(msg.teid, rx)
    yield from close(pgw, tunnel)
    known = {ebi for session in tunnel.sessions.values() for ebi in session.bearers}
    answers = []
    for context in msg.bearer_contexts:
        end = context.enodeb_f_teid_for_dl
        if context.ebi not in known or end is None or not end.ipv4:
            cause = CauseValue.CONTEXT_NOT_FOUND if context.ebi not in known else CauseValue.MANDATORY_IE_MISSING
            answers.append(BearerContextForwarded(ebi=context.ebi, cause=Cause(cause)))
            continue
        teid = pgw.lend(tunnel)
        yield OpenRelay(teid, end.ipv4, end.teid)
        answers.append(BearerContextForwarded(
            ebi=context.ebi, cause=Cause(CauseValue.REQUEST_ACCEPTED),
            s1_u_sgw_f_teid_for_dl=Fteid(SGW_FORWARDING, teid, pgw.s1u)))
    cause = CauseValue.REQUEST_ACCEPTED if tunnel.relays else CauseValue.DATA_FORWARDING_NOT_SUPPORTED
    yield Answer(CreateIndirectDataForwardingTunnelResponse(
        teid=tunnel.peer_teid, cause=Cause(cause), bearer_contexts=tuple(answers)))


@on("S11", DeleteIndirectDataForwardingTunnelRequest)
def on_delete_indirect_data_forwarding_tunnel_request(
    pgw: Pgw, msg: DeleteIndirectDataForwardingTunnelRequest, rx: Rx
) -> Effects:
    """The handover is over."""
    tunnel = pgw.tunnel_of(msg.teid, rx)
    yield from close(pgw, tunnel)
    yield Answer(DeleteIndirectDataForwardingTunnelResponse(
        teid=tunnel.peer_teid, cause=Cause(CauseValue.REQUEST_ACCEPTED)))


def close(pgw: Pgw, tunnel: Tunnel) -> Effects:
    """Take every forwarding tunnel of a phone away."""
    for teid in pgw.take_back(tunnel):
        yield CloseTunnel(teid)
