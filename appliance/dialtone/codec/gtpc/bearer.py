# SPDX-License-Identifier: Apache-2.0
"""Bearer messages that the P-GW starts (TS 29.274, 7.2.3, 7.2.4, 7.2.9.2, 7.2.10.2, 7.2.15, 7.2.16)."""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.gtpc.bearer_context import (
    CreateBearerRequestBearerContext,
    CreateBearerResponseBearerContext,
    DeleteBearerResponseBearerContext,
    FailedBearerContext,
    UpdateBearerRequestBearerContext,
    UpdateBearerResponseBearerContext,
)
from dialtone.codec.gtpc.indication import Indication
from dialtone.codec.gtpc.table import CO, C, GtpcMessage, M, O, message
from dialtone.codec.gtpc.types import (
    AMBR,
    BEARER_CONTEXT,
    CAUSE,
    CHANGE_REPORTING_ACTION,
    CSG_INFORMATION_REPORTING_ACTION,
    EBI,
    FQ_CSID,
    INDICATION,
    PCO,
    PROCEDURE_TRANSACTION_ID,
    RECOVERY,
    UE_TIME_ZONE,
    ULI,
)
from dialtone.codec.gtpc.values import Ambr, Cause, UeTimeZone, Uli


@message(95, "Create Bearer Request", "TS 29.274, 7.2.3")
@dataclass(slots=True, kw_only=True)
class CreateBearerRequest(GtpcMessage):
    """Table 7.2.3-1."""

    procedure_transaction_id: Annotated[int | None, C(PROCEDURE_TRANSACTION_ID)] = None
    linked_ebi: Annotated[int, M(EBI)]
    pco: Annotated[bytes | None, O(PCO)] = None
    bearer_contexts: Annotated[tuple[CreateBearerRequestBearerContext, ...], M(BEARER_CONTEXT)]
    pgw_fq_csid: Annotated[bytes | None, C(FQ_CSID)] = None
    sgw_fq_csid: Annotated[bytes | None, C(FQ_CSID, 1)] = None
    change_reporting_action: Annotated[int | None, C(CHANGE_REPORTING_ACTION)] = None
    csg_information_reporting_action: Annotated[int | None, CO(CSG_INFORMATION_REPORTING_ACTION)] = None


@message(96, "Create Bearer Response", "TS 29.274, 7.2.4")
@dataclass(slots=True, kw_only=True)
class CreateBearerResponse(GtpcMessage):
    """Table 7.2.4-1."""

    cause: Annotated[Cause, M(CAUSE)]
    bearer_contexts: Annotated[tuple[CreateBearerResponseBearerContext, ...], M(BEARER_CONTEXT)] = ()
    recovery: Annotated[int | None, C(RECOVERY)] = None
    mme_fq_csid: Annotated[bytes | None, C(FQ_CSID)] = None
    sgw_fq_csid: Annotated[bytes | None, C(FQ_CSID, 1)] = None
    pco: Annotated[bytes | None, C(PCO)] = None
    ue_time_zone: Annotated[UeTimeZone | None, CO(UE_TIME_ZONE)] = None
    uli: Annotated[Uli | None, CO(ULI)] = None


@message(97, "Update Bearer Request", "TS 29.274, 7.2.15")
@dataclass(slots=True, kw_only=True)
class UpdateBearerRequest(GtpcMessage):
    """Table 7.2.15-1."""

    bearer_contexts: Annotated[tuple[UpdateBearerRequestBearerContext, ...], M(BEARER_CONTEXT)]
    procedure_transaction_id: Annotated[int | None, C(PROCEDURE_TRANSACTION_ID)] = None
    pco: Annotated[bytes | None, C(PCO)] = None
    ambr: Annotated[Ambr, M(AMBR)]
    change_reporting_action: Annotated[int | None, C(CHANGE_REPORTING_ACTION)] = None
    csg_information_reporting_action: Annotated[int | None, CO(CSG_INFORMATION_REPORTING_ACTION)] = None
    indication_flags: Annotated[Indication | None, CO(INDICATION)] = None
    pgw_fq_csid: Annotated[bytes | None, C(FQ_CSID)] = None
    sgw_fq_csid: Annotated[bytes | None, C(FQ_CSID, 1)] = None


@message(98, "Update Bearer Response", "TS 29.274, 7.2.16")
@dataclass(slots=True, kw_only=True)
class UpdateBearerResponse(GtpcMessage):
    """Table 7.2.16-1."""

    cause: Annotated[Cause, M(CAUSE)]
    bearer_contexts: Annotated[tuple[UpdateBearerResponseBearerContext, ...], M(BEARER_CONTEXT)] = ()
    pco: Annotated[bytes | None, CO(PCO)] = None
    recovery: Annotated[int | None, C(RECOVERY)] = None
    mme_fq_csid: Annotated[bytes | None, C(FQ_CSID)] = None
    sgw_fq_csid: Annotated[bytes | None, C(FQ_CSID, 1)] = None
    indication_flags: Annotated[Indication | None, CO(INDICATION)] = None
    ue_time_zone: Annotated[UeTimeZone | None, CO(UE_TIME_ZONE)] = None
    uli: Annotated[Uli | None, CO(ULI)] = None


@message(99, "Delete Bearer Request", "TS 29.274, 7.2.9.2")
@dataclass(slots=True, kw_only=True)
class DeleteBearerRequest(GtpcMessage):
    """Table 7.2.9.2-1: either `linked_ebi` (the whole PDN connection) or `ebis` (dedicated bearers)."""

    linked_ebi: Annotated[int | None, C(EBI)] = None
    ebis: Annotated[tuple[int, ...], C(EBI, 1)] = ()
    failed_bearer_contexts: Annotated[tuple[FailedBearerContext, ...], O(BEARER_CONTEXT)] = ()
    procedure_transaction_id: Annotated[int | None, C(PROCEDURE_TRANSACTION_ID)] = None
    pco: Annotated[bytes | None, C(PCO)] = None
    pgw_fq_csid: Annotated[bytes | None, C(FQ_CSID)] = None
    sgw_fq_csid: Annotated[bytes | None, C(FQ_CSID, 1)] = None
    cause: Annotated[Cause | None, C(CAUSE)] = None
    indication_flags: Annotated[Indication | None, CO(INDICATION)] = None


@message(100, "Delete Bearer Response", "TS 29.274, 7.2.10.2")
@dataclass(slots=True, kw_only=True)
class DeleteBearerResponse(GtpcMessage):
    """Table 7.2.10.2-1."""

    cause: Annotated[Cause, M(CAUSE)]
    linked_ebi: Annotated[int | None, C(EBI)] = None
    bearer_contexts: Annotated[tuple[DeleteBearerResponseBearerContext, ...], C(BEARER_CONTEXT)] = ()
    recovery: Annotated[int | None, C(RECOVERY)] = None
    mme_fq_csid: Annotated[bytes | None, C(FQ_CSID)] = None
    sgw_fq_csid: Annotated[bytes | None, C(FQ_CSID, 1)] = None
    pco: Annotated[bytes | None, CO(PCO)] = None
    ue_time_zone: Annotated[UeTimeZone | None, CO(UE_TIME_ZONE)] = None
    uli: Annotated[Uli | None, CO(ULI)] = None
