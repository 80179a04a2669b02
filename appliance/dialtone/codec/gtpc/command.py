# SPDX-License-Identifier: Apache-2.0
"""Commands of the MME to the gateway about bearers (TS 29.274, 7.2.5, 7.2.6, 7.2.14, 7.2.17).

They are answered by a Create, Update or Delete Bearer Request of the same number, or by a failure indication (7.6).
"""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.gtpc.bearer_context import FailedBearerContext, LostBearerContext, ModifyBearerCommandContext
from dialtone.codec.gtpc.indication import Indication
from dialtone.codec.gtpc.table import CO, C, GtpcMessage, M, O, message
from dialtone.codec.gtpc.types import (
    AMBR,
    BEARER_CONTEXT,
    CAUSE,
    EBI,
    FLOW_QOS,
    FTEID,
    INDICATION,
    PCO,
    PROCEDURE_TRANSACTION_ID,
    RAT_TYPE,
    RECOVERY,
    SERVING_NETWORK,
    SIGNALLING_PRIORITY_INDICATION,
    TRAFFIC_AGGREGATE_DESCRIPTION,
    UE_TIME_ZONE,
    ULI,
    ULI_TIMESTAMP,
)
from dialtone.codec.gtpc.values import Ambr, Cause, FlowQos, Fteid, UeTimeZone, Uli
from dialtone.ids import Plmn


@message(64, "Modify Bearer Command", "TS 29.274, 7.2.14.1")
@dataclass(slots=True, kw_only=True)
class ModifyBearerCommand(GtpcMessage):
    """Table 7.2.14.1-1: the subscribed quality of a PDN connection changed."""

    ambr: Annotated[Ambr, M(AMBR)]
    bearer_context: Annotated[ModifyBearerCommandContext, M(BEARER_CONTEXT)]


@message(65, "Modify Bearer Failure Indication", "TS 29.274, 7.2.14.2")
@dataclass(slots=True, kw_only=True)
class ModifyBearerFailureIndication(GtpcMessage):
    """Table 7.2.14.2-1."""

    cause: Annotated[Cause, M(CAUSE)]
    recovery: Annotated[int | None, C(RECOVERY)] = None
    indication_flags: Annotated[Indication | None, CO(INDICATION)] = None


@message(68, "Bearer Resource Command", "TS 29.274, 7.2.5")
@dataclass(slots=True, kw_only=True)
class BearerResourceCommand(GtpcMessage):
    """Table 7.2.5-1: the phone asks for resources, or gives some back."""

    linked_ebi: Annotated[int, M(EBI)]
    procedure_transaction_id: Annotated[int, M(PROCEDURE_TRANSACTION_ID)]
    flow_qos: Annotated[FlowQos | None, C(FLOW_QOS)] = None
    traffic_aggregate_description: Annotated[bytes, M(TRAFFIC_AGGREGATE_DESCRIPTION)]
    rat_type: Annotated[int | None, C(RAT_TYPE)] = None
    serving_network: Annotated[Plmn | None, O(SERVING_NETWORK)] = None
    uli: Annotated[Uli | None, O(ULI)] = None
    ebi: Annotated[int | None, C(EBI, 1)] = None
    indication_flags: Annotated[Indication | None, CO(INDICATION)] = None
    s4_u_sgsn_f_teid: Annotated[Fteid | None, C(FTEID)] = None
    s12_rnc_f_teid: Annotated[Fteid | None, C(FTEID, 1)] = None
    pco: Annotated[bytes | None, O(PCO)] = None
    signalling_priority_indication: Annotated[int | None, CO(SIGNALLING_PRIORITY_INDICATION)] = None


@message(69, "Bearer Resource Failure Indication", "TS 29.274, 7.2.6")
@dataclass(slots=True, kw_only=True)
class BearerResourceFailureIndication(GtpcMessage):
    """Table 7.2.6-1."""

    cause: Annotated[Cause, M(CAUSE)]
    linked_ebi: Annotated[int, M(EBI)]
    procedure_transaction_id: Annotated[int, M(PROCEDURE_TRANSACTION_ID)]
    indication_flags: Annotated[Indication | None, CO(INDICATION)] = None
    recovery: Annotated[int | None, O(RECOVERY)] = None


@message(66, "Delete Bearer Command", "TS 29.274, 7.2.17.1")
@dataclass(slots=True, kw_only=True)
class DeleteBearerCommand(GtpcMessage):
    """Table 7.2.17.1-1: the eNB lost bearers."""

    bearer_contexts: Annotated[tuple[LostBearerContext, ...], M(BEARER_CONTEXT)]
    uli: Annotated[Uli | None, O(ULI)] = None
    uli_timestamp: Annotated[int | None, O(ULI_TIMESTAMP)] = None
    ue_time_zone: Annotated[UeTimeZone | None, CO(UE_TIME_ZONE)] = None


@message(67, "Delete Bearer Failure Indication", "TS 29.274, 7.2.17.2")
@dataclass(slots=True, kw_only=True)
class DeleteBearerFailureIndication(GtpcMessage):
    """Table 7.2.17.2-1."""

    cause: Annotated[Cause, M(CAUSE)]
    bearer_contexts: Annotated[tuple[FailedBearerContext, ...], M(BEARER_CONTEXT)] = ()
    recovery: Annotated[int | None, C(RECOVERY)] = None
    indication_flags: Annotated[Indication | None, CO(INDICATION)] = None
