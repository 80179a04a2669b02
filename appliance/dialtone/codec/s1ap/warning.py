# SPDX-License-Identifier: Apache-2.0
"""Warning message transmission (TS 36.413, 8.12; contents by TS 23.041)."""

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

from dialtone.codec.s1ap.notation import (
    BitString,
    Choice,
    Enumerated,
    Integer,
    OctetString,
    Sequence,
    SequenceOf,
    ignore,
    reject,
)
from dialtone.codec.s1ap.table import M, O, S1apMessage, initiating, successful
from dialtone.codec.s1ap.values import CriticalityDiagnostics, EutranCgi, GlobalENBID, TaiIe, TrueOnly

MessageIdentifier = Annotated[int, BitString(16)]
"""What is warned of (9.2.1.44): 4352 to 4359 are ETWS, 4370 to 4399 CMAS (TS 23.041, 9.4.1.2.2)."""

SerialNumber = Annotated[int, BitString(16)]
"""Tells one warning from the next (9.2.1.45): scope, message code, update number (TS 23.041, 9.4.1.2.1)."""

EmergencyAreaID = Annotated[bytes, OctetString(3)]
NumberOfBroadcasts = Annotated[int, Integer(0, 65535)]
Only = Annotated[int, Enumerated(TrueOnly, 1, extensible=False)]


class WarningArea(NamedTuple):
    """A list of areas (9.2.1.46, 9.2.1.54, 9.2.1.70): name of the alternative, and its cells or areas."""

    kind: str
    areas: tuple[Any, ...]


WarningAreaList = Annotated[
    WarningArea,
    Choice(
        WarningArea,
        {
            "cellIDList": Annotated[tuple[EutranCgi, ...], SequenceOf(1, 65535)],
            "trackingAreaListforWarning": Annotated[tuple[TaiIe, ...], SequenceOf(1, 65535)],
            "emergencyAreaIDList": Annotated[tuple[EmergencyAreaID, ...], SequenceOf(1, 65535)],
        },
    ),
]


@dataclass(slots=True)
class CompletedCellItem(Sequence):
    """CellID-Broadcast-Item, CompletedCellinTAI-Item, CompletedCellinEAI-Item: a cell that broadcasts."""

    ecgi: EutranCgi


@dataclass(slots=True)
class TAIBroadcastItem(Sequence):
    """TAI-Broadcast-Item."""

    tai: TaiIe
    completed_cells: Annotated[tuple[CompletedCellItem, ...], SequenceOf(1, 65535)]


@dataclass(slots=True)
class EmergencyAreaIDBroadcastItem(Sequence):
    """EmergencyAreaID-Broadcast-Item."""

    emergency_area_id: EmergencyAreaID
    completed_cells: Annotated[tuple[CompletedCellItem, ...], SequenceOf(1, 65535)]


@dataclass(slots=True)
class CancelledCellItem(Sequence):
    """CellID-Cancelled-Item and its like: a cell that broadcasts no more, and how often it had."""

    ecgi: EutranCgi
    number_of_broadcasts: NumberOfBroadcasts


@dataclass(slots=True)
class TAICancelledItem(Sequence):
    """TAI-Cancelled-Item."""

    tai: TaiIe
    cancelled_cells: Annotated[tuple[CancelledCellItem, ...], SequenceOf(1, 65535)]


@dataclass(slots=True)
class EmergencyAreaIDCancelledItem(Sequence):
    """EmergencyAreaID-Cancelled-Item."""

    emergency_area_id: EmergencyAreaID
    cancelled_cells: Annotated[tuple[CancelledCellItem, ...], SequenceOf(1, 65535)]


BroadcastCompletedAreaList = Annotated[
    WarningArea,
    Choice(
        WarningArea,
        {
            "cellID-Broadcast": Annotated[tuple[CompletedCellItem, ...], SequenceOf(1, 65535)],
            "tAI-Broadcast": Annotated[tuple[TAIBroadcastItem, ...], SequenceOf(1, 65535)],
            "emergencyAreaID-Broadcast": Annotated[
                tuple[EmergencyAreaIDBroadcastItem, ...], SequenceOf(1, 65535)],
        },
    ),
]

BroadcastCancelledAreaList = Annotated[
    WarningArea,
    Choice(
        WarningArea,
        {
            "cellID-Cancelled": Annotated[tuple[CancelledCellItem, ...], SequenceOf(1, 65535)],
            "tAI-Cancelled": Annotated[tuple[TAICancelledItem, ...], SequenceOf(1, 65535)],
            "emergencyAreaID-Cancelled": Annotated[
                tuple[EmergencyAreaIDCancelledItem, ...], SequenceOf(1, 65535)],
        },
    ),
]


@initiating(36, reject, "9.1.13.1")
@dataclass(slots=True, kw_only=True)
class WriteReplaceWarningRequest(S1apMessage):
    """Broadcast a warning. The repetition period is in seconds; 0 broadcasts mean until told to stop."""

    message_identifier: Annotated[MessageIdentifier, M(111, reject)]
    serial_number: Annotated[SerialNumber, M(112, reject)]
    warning_area_list: Annotated[WarningAreaList | None, O(113, ignore)] = None
    repetition_period: Annotated[Annotated[int, Integer(0, 4095)], M(114, reject)]
    extended_repetition_period: Annotated[Annotated[int, Integer(4096, 131071)] | None, O(144, reject)] = None
    number_of_broadcast_request: Annotated[NumberOfBroadcasts, M(115, reject)]
    warning_type: Annotated[Annotated[bytes, OctetString(2)] | None, O(116, ignore)] = None
    warning_security_info: Annotated[Annotated[bytes, OctetString(50)] | None, O(117, ignore)] = None
    data_coding_scheme: Annotated[Annotated[int, BitString(8)] | None, O(118, ignore)] = None
    warning_message_contents: Annotated[Annotated[bytes, OctetString(1, 9600)] | None, O(119, ignore)] = None
    concurrent_warning_message_indicator: Annotated[Only | None, O(142, reject)] = None
    warning_area_coordinates: Annotated[Annotated[bytes, OctetString(1, 1024)] | None, O(286, ignore)] = None


@successful(36, reject, "9.1.13.2")
@dataclass(slots=True, kw_only=True)
class WriteReplaceWarningResponse(S1apMessage):
    """Where the warning is broadcast; nowhere if no area is named."""

    message_identifier: Annotated[MessageIdentifier, M(111, reject)]
    serial_number: Annotated[SerialNumber, M(112, reject)]
    broadcast_completed_area_list: Annotated[BroadcastCompletedAreaList | None, O(120, ignore)] = None
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None


@initiating(43, reject, "9.1.13.3")
@dataclass(slots=True, kw_only=True)
class KillRequest(S1apMessage):
    """Broadcast a warning no longer."""

    message_identifier: Annotated[MessageIdentifier, M(111, reject)]
    serial_number: Annotated[SerialNumber, M(112, reject)]
    warning_area_list: Annotated[WarningAreaList | None, O(113, ignore)] = None
    kill_all_warning_messages: Annotated[Only | None, O(191, reject)] = None


@successful(43, reject, "9.1.13.4")
@dataclass(slots=True, kw_only=True)
class KillResponse(S1apMessage):
    """Where it was stopped."""

    message_identifier: Annotated[MessageIdentifier, M(111, reject)]
    serial_number: Annotated[SerialNumber, M(112, reject)]
    broadcast_cancelled_area_list: Annotated[BroadcastCancelledAreaList | None, O(141, ignore)] = None
    criticality_diagnostics: Annotated[CriticalityDiagnostics | None, O(58, ignore)] = None


@initiating(49, ignore, "9.1.13.5")
@dataclass(slots=True, kw_only=True)
class PWSRestartIndication(S1apMessage):
    """Cells have restarted and broadcast no warning: send those that stand again."""

    ecgi_list_for_restart: Annotated[Annotated[tuple[EutranCgi, ...], SequenceOf(1, 256)], M(182, reject)]
    global_enb_id: Annotated[GlobalENBID, M(59, reject)]
    tai_list_for_restart: Annotated[Annotated[tuple[TaiIe, ...], SequenceOf(1, 2048)], M(188, reject)]
    emergency_area_id_list_for_restart: Annotated[
        Annotated[tuple[EmergencyAreaID, ...], SequenceOf(1, 256)], O(190, reject)
    ] = ()


@initiating(51, ignore, "9.1.13.6")
@dataclass(slots=True, kw_only=True)
class PWSFailureIndication(S1apMessage):
    """Cells cannot broadcast warnings any longer."""

    pws_failed_ecgi_list: Annotated[Annotated[tuple[EutranCgi, ...], SequenceOf(1, 256)], M(222, reject)]
    global_enb_id: Annotated[GlobalENBID, M(59, reject)]
