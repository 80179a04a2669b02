# SPDX-License-Identifier: Apache-2.0
"""What an eNB says of traces (TS 36.413, 8.10): that it cannot begin one, or that it began one of a cell."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from dialtone.codec.s1ap.causes import CauseIe
from dialtone.codec.s1ap.notation import Enumerated, OctetString, ignore, reject
from dialtone.codec.s1ap.table import M, O, S1apMessage, initiating
from dialtone.codec.s1ap.values import EnbUeS1apId, EutranCgi, MmeUeS1apId, TransportLayerAddress

EUTRANTraceID = Annotated[bytes, OctetString(8)]


class PrivacyIndicator(IntEnum):
    """Privacy Indicator (9.2.3.40)."""

    IMMEDIATE_MDT = 0
    LOGGED_MDT = 1


@initiating(28, ignore, "9.1.12.2")
@dataclass(slots=True, kw_only=True)
class TraceFailureIndication(S1apMessage):
    """A trace that was asked for does not run."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    e_utran_trace_id: Annotated[EUTRANTraceID | None, M(86, ignore)]
    cause: Annotated[CauseIe | None, M(2, ignore)]


@initiating(42, ignore, "9.1.18")
@dataclass(slots=True, kw_only=True)
class CellTrafficTrace(S1apMessage):
    """The eNB traces a cell, and this UE is in it: the collector at the address would like to know who it is."""

    mme_ue_s1ap_id: Annotated[MmeUeS1apId, M(0, reject)]
    enb_ue_s1ap_id: Annotated[EnbUeS1apId, M(8, reject)]
    e_utran_trace_id: Annotated[EUTRANTraceID | None, M(86, ignore)]
    eutran_cgi: Annotated[EutranCgi | None, M(100, ignore)]
    trace_collection_entity_ip_address: Annotated[TransportLayerAddress | None, M(131, ignore)]
    privacy_indicator: Annotated[
        Annotated[int, Enumerated(PrivacyIndicator, 2)] | None, O(166, ignore)
    ] = None
