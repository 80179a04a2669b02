# SPDX-License-Identifier: Apache-2.0
"""Indirect data forwarding at a handover (TS 29.274, 7.2.18 to 7.2.21)."""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.gtpc.bearer_context import BearerContextForwarded, BearerContextToBeForwarded
from dialtone.codec.gtpc.indication import Indication
from dialtone.codec.gtpc.table import CO, C, GtpcMessage, M, O, message
from dialtone.codec.gtpc.types import BEARER_CONTEXT, CAUSE, FTEID, IMSI, INDICATION, MEI, RECOVERY
from dialtone.codec.gtpc.values import Cause, Fteid


@message(166, "Create Indirect Data Forwarding Tunnel Request", "TS 29.274, 7.2.18")
@dataclass(slots=True, kw_only=True)
class CreateIndirectDataForwardingTunnelRequest(GtpcMessage):
    """Table 7.2.18-1."""

    imsi: Annotated[str | None, C(IMSI)] = None
    mei: Annotated[str | None, C(MEI)] = None
    indication_flags: Annotated[Indication | None, CO(INDICATION)] = None
    sender_f_teid: Annotated[Fteid | None, C(FTEID)] = None
    bearer_contexts: Annotated[tuple[BearerContextToBeForwarded, ...], M(BEARER_CONTEXT)]
    recovery: Annotated[int | None, CO(RECOVERY)] = None


@message(167, "Create Indirect Data Forwarding Tunnel Response", "TS 29.274, 7.2.19")
@dataclass(slots=True, kw_only=True)
class CreateIndirectDataForwardingTunnelResponse(GtpcMessage):
    """Table 7.2.19-1."""

    cause: Annotated[Cause, M(CAUSE)]
    sender_f_teid: Annotated[Fteid | None, C(FTEID)] = None
    bearer_contexts: Annotated[tuple[BearerContextForwarded, ...], M(BEARER_CONTEXT)] = ()
    recovery: Annotated[int | None, CO(RECOVERY)] = None


@message(168, "Delete Indirect Data Forwarding Tunnel Request", "TS 29.274, 7.2.12")
@dataclass(slots=True, kw_only=True)
class DeleteIndirectDataForwardingTunnelRequest(GtpcMessage):
    """Table 7.2.12-1."""


@message(169, "Delete Indirect Data Forwarding Tunnel Response", "TS 29.274, 7.2.13")
@dataclass(slots=True, kw_only=True)
class DeleteIndirectDataForwardingTunnelResponse(GtpcMessage):
    """Table 7.2.13-1."""

    cause: Annotated[Cause, M(CAUSE)]
    recovery: Annotated[int | None, O(RECOVERY)] = None
