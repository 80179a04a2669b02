# SPDX-License-Identifier: Apache-2.0
"""Messages about where a phone is and whether it can be had (TS 29.274, 7.2.24, 7.2.25, 7.3.14, 7.3.15, 7.4)."""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.gtpc.bearer_context import (
    AccessBearerContextModified,
    AccessBearerContextToBeModified,
    BearerContextMarkedForRemoval,
    BearerContextToBeRemoved,
)
from dialtone.codec.gtpc.indication import Indication
from dialtone.codec.gtpc.table import CO, C, GtpcMessage, M, message
from dialtone.codec.gtpc.types import (
    BEARER_CONTEXT,
    CAUSE,
    CHANGE_REPORTING_ACTION,
    CSG_INFORMATION_REPORTING_ACTION,
    DELAY_VALUE,
    EBI,
    FTEID,
    IMSI,
    INDICATION,
    IP_ADDRESS,
    MEI,
    NODE_TYPE,
    RAT_TYPE,
    RECOVERY,
    UCI,
    ULI,
)
from dialtone.codec.gtpc.values import Cause, Fteid, Uli


@message(38, "Change Notification Request", "TS 29.274, 7.3.14")
@dataclass(slots=True, kw_only=True)
class ChangeNotificationRequest(GtpcMessage):
    """Table 7.3.14-1: the phone is somewhere else."""

    imsi: Annotated[str | None, C(IMSI)] = None
    mei: Annotated[str | None, C(MEI)] = None
    indication_flags: Annotated[Indication | None, CO(INDICATION)] = None
    rat_type: Annotated[int, M(RAT_TYPE)]
    uli: Annotated[Uli | None, C(ULI)] = None
    uci: Annotated[bytes | None, CO(UCI)] = None
    pgw_address: Annotated[bytes | None, C(IP_ADDRESS)] = None
    linked_ebi: Annotated[int | None, C(EBI)] = None


@message(39, "Change Notification Response", "TS 29.274, 7.3.15")
@dataclass(slots=True, kw_only=True)
class ChangeNotificationResponse(GtpcMessage):
    """Table 7.3.15-1."""

    imsi: Annotated[str | None, C(IMSI)] = None
    mei: Annotated[str | None, C(MEI)] = None
    cause: Annotated[Cause, M(CAUSE)]
    change_reporting_action: Annotated[int | None, C(CHANGE_REPORTING_ACTION)] = None
    csg_information_reporting_action: Annotated[int | None, CO(CSG_INFORMATION_REPORTING_ACTION)] = None


@message(162, "Suspend Notification", "TS 29.274, 7.4.1")
@dataclass(slots=True, kw_only=True)
class SuspendNotification(GtpcMessage):
    """Table 7.4.1-1: the phone went to another radio, for a call there."""

    imsi: Annotated[str | None, C(IMSI)] = None
    linked_ebi: Annotated[int | None, C(EBI)] = None
    originating_node: Annotated[int | None, C(NODE_TYPE)] = None
    sender_f_teid: Annotated[Fteid | None, CO(FTEID)] = None


@message(163, "Suspend Acknowledge", "TS 29.274, 7.4.2")
@dataclass(slots=True, kw_only=True)
class SuspendAcknowledge(GtpcMessage):
    """Table 7.4.2-1."""

    cause: Annotated[Cause, M(CAUSE)]


@message(164, "Resume Notification", "TS 29.274, 7.4.3")
@dataclass(slots=True, kw_only=True)
class ResumeNotification(GtpcMessage):
    """Table 7.4.3-1: it is back."""

    imsi: Annotated[str, M(IMSI)]
    linked_ebi: Annotated[int | None, C(EBI)] = None
    originating_node: Annotated[int | None, C(NODE_TYPE)] = None
    sender_f_teid: Annotated[Fteid | None, CO(FTEID)] = None


@message(165, "Resume Acknowledge", "TS 29.274, 7.4.4")
@dataclass(slots=True, kw_only=True)
class ResumeAcknowledge(GtpcMessage):
    """Table 7.4.4-1."""

    cause: Annotated[Cause, M(CAUSE)]


@message(211, "Modify Access Bearers Request", "TS 29.274, 7.2.24")
@dataclass(slots=True, kw_only=True)
class ModifyAccessBearersRequest(GtpcMessage):
    """Table 7.2.24-1: the eNB's ends of the bearers of all PDN connections in one."""

    indication_flags: Annotated[Indication | None, CO(INDICATION)] = None
    sender_f_teid: Annotated[Fteid | None, C(FTEID)] = None
    delay_downlink_packet_notification_request: Annotated[int | None, C(DELAY_VALUE)] = None
    bearer_contexts_to_be_modified: Annotated[tuple[AccessBearerContextToBeModified, ...], C(BEARER_CONTEXT)] = ()
    bearer_contexts_to_be_removed: Annotated[tuple[BearerContextToBeRemoved, ...], C(BEARER_CONTEXT, 1)] = ()
    recovery: Annotated[int | None, C(RECOVERY)] = None


@message(212, "Modify Access Bearers Response", "TS 29.274, 7.2.25")
@dataclass(slots=True, kw_only=True)
class ModifyAccessBearersResponse(GtpcMessage):
    """Table 7.2.25-1."""

    cause: Annotated[Cause, M(CAUSE)]
    bearer_contexts_modified: Annotated[tuple[AccessBearerContextModified, ...], C(BEARER_CONTEXT)] = ()
    bearer_contexts_marked_for_removal: Annotated[tuple[BearerContextMarkedForRemoval, ...], C(BEARER_CONTEXT, 1)] = ()
    recovery: Annotated[int | None, C(RECOVERY)] = None
    indication_flags: Annotated[Indication | None, CO(INDICATION)] = None
