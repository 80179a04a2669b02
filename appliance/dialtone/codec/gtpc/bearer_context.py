# SPDX-License-Identifier: Apache-2.0
"""Bearer Context, the grouped IE 93, in each of the shapes that the messages give it (TS 29.274, 7.2)."""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.gtpc.table import CO, C, Ies, M, O
from dialtone.codec.gtpc.types import (
    BEARER_FLAGS,
    BEARER_QOS,
    BEARER_TFT,
    CAUSE,
    CHARGING_ID,
    EBI,
    FTEID,
    PCO,
    RAN_NAS_CAUSE,
)
from dialtone.codec.gtpc.values import BearerQos, Cause, Fteid


@dataclass(slots=True, kw_only=True)
class BearerContextToBeCreated(Ies):
    """Create Session Request (TS 29.274, table 7.2.1-2)."""

    ebi: Annotated[int, M(EBI)]
    tft: Annotated[bytes | None, O(BEARER_TFT)] = None
    s1_u_enodeb_f_teid: Annotated[Fteid | None, C(FTEID, 0)] = None
    s4_u_sgsn_f_teid: Annotated[Fteid | None, C(FTEID, 1)] = None
    s5_s8_u_sgw_f_teid: Annotated[Fteid | None, C(FTEID, 2)] = None
    s5_s8_u_pgw_f_teid: Annotated[Fteid | None, C(FTEID, 3)] = None
    s12_rnc_f_teid: Annotated[Fteid | None, CO(FTEID, 4)] = None
    s2b_u_epdg_f_teid: Annotated[Fteid | None, C(FTEID, 5)] = None
    s2a_u_twan_f_teid: Annotated[Fteid | None, C(FTEID, 6)] = None
    bearer_qos: Annotated[BearerQos, M(BEARER_QOS)]
    s11_u_mme_f_teid: Annotated[Fteid | None, CO(FTEID, 7)] = None


@dataclass(slots=True, kw_only=True)
class BearerContextToBeRemoved(Ies):
    """Create Session Request and Modify Bearer Request (TS 29.274, tables 7.2.1-3 and 7.2.7-3)."""

    ebi: Annotated[int, M(EBI)]
    s4_u_sgsn_f_teid: Annotated[Fteid | None, C(FTEID, 0)] = None


@dataclass(slots=True, kw_only=True)
class BearerContextCreated(Ies):
    """Create Session Response (TS 29.274, table 7.2.2-2)."""

    ebi: Annotated[int, M(EBI)]
    cause: Annotated[Cause, M(CAUSE)]
    s1_u_sgw_f_teid: Annotated[Fteid | None, C(FTEID, 0)] = None
    s4_u_sgw_f_teid: Annotated[Fteid | None, C(FTEID, 1)] = None
    s5_s8_u_pgw_f_teid: Annotated[Fteid | None, C(FTEID, 2)] = None
    s12_sgw_f_teid: Annotated[Fteid | None, C(FTEID, 3)] = None
    s2b_u_pgw_f_teid: Annotated[Fteid | None, C(FTEID, 4)] = None
    s2a_u_pgw_f_teid: Annotated[Fteid | None, C(FTEID, 5)] = None
    bearer_qos: Annotated[BearerQos | None, C(BEARER_QOS)] = None
    charging_id: Annotated[int | None, C(CHARGING_ID)] = None
    bearer_flags: Annotated[int | None, O(BEARER_FLAGS)] = None
    s11_u_sgw_f_teid: Annotated[Fteid | None, C(FTEID, 6)] = None


@dataclass(slots=True, kw_only=True)
class BearerContextMarkedForRemoval(Ies):
    """Create Session Response and Modify Bearer Response (TS 29.274, tables 7.2.2-3 and 7.2.8-3)."""

    ebi: Annotated[int, M(EBI)]
    cause: Annotated[Cause, M(CAUSE)]


@dataclass(slots=True, kw_only=True)
class BearerContextToBeModified(Ies):
    """Modify Bearer Request (TS 29.274, table 7.2.7-2)."""

    ebi: Annotated[int, M(EBI)]
    s1_u_enodeb_f_teid: Annotated[Fteid | None, C(FTEID, 0)] = None
    s5_s8_u_sgw_f_teid: Annotated[Fteid | None, C(FTEID, 1)] = None
    s12_rnc_f_teid: Annotated[Fteid | None, C(FTEID, 2)] = None
    s4_u_sgsn_f_teid: Annotated[Fteid | None, C(FTEID, 3)] = None
    s11_u_mme_f_teid: Annotated[Fteid | None, CO(FTEID, 4)] = None


@dataclass(slots=True, kw_only=True)
class BearerContextModified(Ies):
    """Modify Bearer Response (TS 29.274, table 7.2.8-2)."""

    ebi: Annotated[int, M(EBI)]
    cause: Annotated[Cause, M(CAUSE)]
    s1_u_sgw_f_teid: Annotated[Fteid | None, C(FTEID, 0)] = None
    s12_sgw_f_teid: Annotated[Fteid | None, C(FTEID, 1)] = None
    s4_u_sgw_f_teid: Annotated[Fteid | None, C(FTEID, 2)] = None
    charging_id: Annotated[int | None, C(CHARGING_ID)] = None
    bearer_flags: Annotated[int | None, CO(BEARER_FLAGS)] = None
    s11_u_sgw_f_teid: Annotated[Fteid | None, C(FTEID, 3)] = None


@dataclass(slots=True, kw_only=True)
class AccessBearerContextToBeModified(Ies):
    """Modify Access Bearers Request (TS 29.274, table 7.2.24-2)."""

    ebi: Annotated[int, M(EBI)]
    s1_u_enodeb_f_teid: Annotated[Fteid | None, C(FTEID, 0)] = None
    s11_u_mme_f_teid: Annotated[Fteid | None, CO(FTEID, 1)] = None


@dataclass(slots=True, kw_only=True)
class AccessBearerContextModified(Ies):
    """Modify Access Bearers Response (TS 29.274, table 7.2.25-2)."""

    ebi: Annotated[int, M(EBI)]
    cause: Annotated[Cause, M(CAUSE)]
    s1_u_sgw_f_teid: Annotated[Fteid | None, C(FTEID, 0)] = None
    s11_u_sgw_f_teid: Annotated[Fteid | None, CO(FTEID, 1)] = None


@dataclass(slots=True, kw_only=True)
class CreateBearerRequestBearerContext(Ies):
    """Create Bearer Request (TS 29.274, table 7.2.3-2); `ebi` is 0 until the MME gives one."""

    ebi: Annotated[int, M(EBI)]
    tft: Annotated[bytes, M(BEARER_TFT)]
    s1_u_sgw_f_teid: Annotated[Fteid | None, C(FTEID, 0)] = None
    s5_s8_u_pgw_f_teid: Annotated[Fteid | None, C(FTEID, 1)] = None
    s12_sgw_f_teid: Annotated[Fteid | None, C(FTEID, 2)] = None
    s4_u_sgw_f_teid: Annotated[Fteid | None, C(FTEID, 3)] = None
    s2b_u_pgw_f_teid: Annotated[Fteid | None, C(FTEID, 4)] = None
    s2a_u_pgw_f_teid: Annotated[Fteid | None, C(FTEID, 5)] = None
    bearer_qos: Annotated[BearerQos, M(BEARER_QOS)]
    charging_id: Annotated[int | None, C(CHARGING_ID)] = None
    bearer_flags: Annotated[int | None, O(BEARER_FLAGS)] = None
    pco: Annotated[bytes | None, O(PCO)] = None


@dataclass(slots=True, kw_only=True)
class CreateBearerResponseBearerContext(Ies):
    """Create Bearer Response (TS 29.274, table 7.2.4-2)."""

    ebi: Annotated[int, M(EBI)]
    cause: Annotated[Cause, M(CAUSE)]
    s1_u_enodeb_f_teid: Annotated[Fteid | None, C(FTEID, 0)] = None
    s1_u_sgw_f_teid: Annotated[Fteid | None, C(FTEID, 1)] = None
    s5_s8_u_sgw_f_teid: Annotated[Fteid | None, C(FTEID, 2)] = None
    s5_s8_u_pgw_f_teid: Annotated[Fteid | None, C(FTEID, 3)] = None
    s12_rnc_f_teid: Annotated[Fteid | None, C(FTEID, 4)] = None
    s12_sgw_f_teid: Annotated[Fteid | None, C(FTEID, 5)] = None
    s4_u_sgsn_f_teid: Annotated[Fteid | None, C(FTEID, 6)] = None
    s4_u_sgw_f_teid: Annotated[Fteid | None, C(FTEID, 7)] = None
    s2b_u_epdg_f_teid: Annotated[Fteid | None, C(FTEID, 8)] = None
    s2b_u_pgw_f_teid: Annotated[Fteid | None, C(FTEID, 9)] = None
    s2a_u_twan_f_teid: Annotated[Fteid | None, C(FTEID, 10)] = None
    s2a_u_pgw_f_teid: Annotated[Fteid | None, C(FTEID, 11)] = None
    pco: Annotated[bytes | None, CO(PCO)] = None
    ran_nas_cause: Annotated[bytes | None, CO(RAN_NAS_CAUSE)] = None


@dataclass(slots=True, kw_only=True)
class UpdateBearerRequestBearerContext(Ies):
    """Update Bearer Request (TS 29.274, table 7.2.15-2)."""

    ebi: Annotated[int, M(EBI)]
    tft: Annotated[bytes | None, C(BEARER_TFT)] = None
    bearer_qos: Annotated[BearerQos | None, C(BEARER_QOS)] = None
    bearer_flags: Annotated[int | None, O(BEARER_FLAGS)] = None
    pco: Annotated[bytes | None, CO(PCO)] = None


@dataclass(slots=True, kw_only=True)
class UpdateBearerResponseBearerContext(Ies):
    """Update Bearer Response (TS 29.274, table 7.2.16-2)."""

    ebi: Annotated[int, M(EBI)]
    cause: Annotated[Cause, M(CAUSE)]
    s4_u_sgsn_f_teid: Annotated[Fteid | None, C(FTEID, 0)] = None
    s12_rnc_f_teid: Annotated[Fteid | None, C(FTEID, 1)] = None
    pco: Annotated[bytes | None, CO(PCO)] = None
    ran_nas_cause: Annotated[bytes | None, CO(RAN_NAS_CAUSE)] = None


@dataclass(slots=True, kw_only=True)
class ModifyBearerCommandContext(Ies):
    """Modify Bearer Command (TS 29.274, table 7.2.14.1-2)."""

    ebi: Annotated[int, M(EBI)]
    bearer_qos: Annotated[BearerQos | None, C(BEARER_QOS)] = None


@dataclass(slots=True, kw_only=True)
class LostBearerContext(Ies):
    """Delete Bearer Command (TS 29.274, table 7.2.17.1-2)."""

    ebi: Annotated[int, M(EBI)]
    bearer_flags: Annotated[int | None, CO(BEARER_FLAGS)] = None
    ran_nas_cause: Annotated[bytes | None, CO(RAN_NAS_CAUSE)] = None


@dataclass(slots=True, kw_only=True)
class FailedBearerContext(Ies):
    """Delete Bearer Request and Failure Indication (TS 29.274, tables 7.2.9.2-2 and 7.2.17.2-2)."""

    ebi: Annotated[int, M(EBI)]
    cause: Annotated[Cause, M(CAUSE)]


@dataclass(slots=True, kw_only=True)
class DeleteBearerResponseBearerContext(Ies):
    """Delete Bearer Response (TS 29.274, table 7.2.10.2-2)."""

    ebi: Annotated[int, M(EBI)]
    cause: Annotated[Cause, M(CAUSE)]
    pco: Annotated[bytes | None, CO(PCO)] = None
    ran_nas_cause: Annotated[bytes | None, CO(RAN_NAS_CAUSE)] = None


@dataclass(slots=True, kw_only=True)
class BearerContextToBeForwarded(Ies):
    """Create Indirect Data Forwarding Tunnel Request (TS 29.274, table 7.2.18-2): where forwarded data is to go."""

    ebi: Annotated[int, M(EBI)]
    enodeb_f_teid_for_dl: Annotated[Fteid | None, C(FTEID, 0)] = None
    sgw_f_teid_for_dl: Annotated[Fteid | None, C(FTEID, 1)] = None
    sgsn_f_teid_for_dl: Annotated[Fteid | None, C(FTEID, 2)] = None
    rnc_f_teid_for_dl: Annotated[Fteid | None, C(FTEID, 3)] = None
    enodeb_f_teid_for_ul: Annotated[Fteid | None, O(FTEID, 4)] = None
    sgw_f_teid_for_ul: Annotated[Fteid | None, O(FTEID, 5)] = None
    mme_f_teid_for_dl: Annotated[Fteid | None, CO(FTEID, 6)] = None


@dataclass(slots=True, kw_only=True)
class BearerContextForwarded(Ies):
    """Create Indirect Data Forwarding Tunnel Response (TS 29.274, table 7.2.19-2): where it is to be sent first."""

    ebi: Annotated[int, M(EBI)]
    cause: Annotated[Cause, M(CAUSE)]
    s1_u_sgw_f_teid_for_dl: Annotated[Fteid | None, C(FTEID, 0)] = None
    s12_sgw_f_teid_for_dl: Annotated[Fteid | None, C(FTEID, 1)] = None
    s4_u_sgw_f_teid_for_dl: Annotated[Fteid | None, C(FTEID, 2)] = None
    sgw_f_teid_for_dl: Annotated[Fteid | None, C(FTEID, 3)] = None
    s1_u_sgw_f_teid_for_ul: Annotated[Fteid | None, O(FTEID, 4)] = None
    sgw_f_teid_for_ul: Annotated[Fteid | None, O(FTEID, 5)] = None
