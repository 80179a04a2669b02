# SPDX-License-Identifier: Apache-2.0
"""Location reporting (TS 36.413, 8.11)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from dialtone.codec.s1ap.causes import CauseIe
from dialtone.codec.s1ap.notation import Enumerated, Sequence, ignore, reject
from dialtone.codec.s1ap.table import M, O, S1apMessage, initiating
from dialtone.codec.s1ap.values import EnbUeS1apId, EutranCgi, MmeUeS1apId, TaiIe, Uninterpreted


class EventType(IntEnum):
    """When the eNB is to report (9.2.1.34)."""

    DIRECT = 0
    CHANGE_OF_SERVE_CELL = 1
    STOP_CHANGE_OF_SERVE_CELL = 2


class ReportArea(IntEnum):
    """What it is to report (9.2.1.34)."""

    ECGI = 0


@dataclass(slots=True)
class RequestType(Sequence):
    """Request Type (9.2.1.34)."""

    event_type: Annotated[int, Enumerated(EventType, 3)]
    report_area: Annotated[int, Enumerated(ReportArea, 1)]


@initiating(31, ignore, "9.1.11.1")
@dataclass(slots=True, kw_only=True)
class LocationReportingControl(S1apMessage):
    """Tell where a UE is: now, at each change of cell, or no longer."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    request_type: Annotated[RequestType | None, M(98, ignore)]


@initiating(32, ignore, "9.1.11.2")
@dataclass(slots=True, kw_only=True)
class LocationReportingFailureIndication(S1apMessage):
    """The eNB cannot report."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    cause: Annotated[CauseIe | None, M(2, ignore)]


@initiating(33, ignore, "9.1.11.3")
@dataclass(slots=True, kw_only=True)
class LocationReport(S1apMessage):
    """The cell a UE is in, and the request that this answers."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    eutran_cgi: Annotated[EutranCgi | None, M(100, ignore)]
    tai: Annotated[TaiIe | None, M(67, ignore)]
    request_type: Annotated[RequestType | None, M(98, ignore)]
    ps_cell_information: Annotated[Uninterpreted | None, O(288, ignore)] = None
    lte_ntn_tai_information: Annotated[Uninterpreted | None, O(339, ignore)] = None
