# SPDX-License-Identifier: Apache-2.0
"""The containers that two eNBs exchange through the MME at a handover (TS 36.413, 9.2.1.7, 9.2.1.8, 9.2.1.31).

The MME passes the octets on. `encode_container` and `decode_container` are for the eNBs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, NamedTuple, TypeVar

from dialtone.codec.s1ap.bearers import ERABID
from dialtone.codec.s1ap.decoder import Decoder
from dialtone.codec.s1ap.encoder import Encoder
from dialtone.codec.s1ap.errors import FAILURES, TransferSyntaxError
from dialtone.codec.s1ap.notation import (
    BitString,
    Choice,
    Enumerated,
    IeList,
    Integer,
    OctetString,
    Sequence,
    SequenceOf,
    ignore,
)
from dialtone.codec.s1ap.values import EutranCgi, Flag, SubscriberProfileIDforRFP

RRCContainer = Annotated[bytes, OctetString()]
Container = TypeVar("Container", bound=Sequence)


class CellSize(IntEnum):
    """Cell Size of a Last Visited E-UTRAN Cell (9.2.1.43a)."""

    VERYSMALL = 0
    SMALL = 1
    MEDIUM = 2
    LARGE = 3


@dataclass(slots=True)
class CellType(Sequence):
    """Cell Type (9.2.1.67)."""

    cell_size: Annotated[int, Enumerated(CellSize, 4)]


@dataclass(slots=True)
class LastVisitedEUTRANCell(Sequence):
    """Last Visited E-UTRAN Cell Information (9.2.1.43a); the time in seconds."""

    global_cell_id: EutranCgi
    cell_type: CellType
    time_ue_stayed_in_cell: Annotated[int, Integer(0, 4095)]


class VisitedCell(NamedTuple):
    """Last Visited Cell (9.2.1.43): name of the alternative, and a LastVisitedEUTRANCell where it is `e-UTRAN-Cell`."""

    kind: str
    cell: Any


VisitedCellIe = Annotated[
    VisitedCell,
    Choice(
        VisitedCell,
        # of a GERAN cell nothing is known but that it was one
        {"e-UTRAN-Cell": LastVisitedEUTRANCell, "uTRAN-Cell": RRCContainer, "gERAN-Cell": Flag},
        {"nG-RAN-Cell": RRCContainer},
    ),
]


@dataclass(slots=True)
class ERABInformationItem(Sequence):
    """E-RABInformationListItem: a bearer, and whether the source would like to forward its downlink."""

    e_rab_id: ERABID
    dl_forwarding: Flag | None = None


@dataclass(slots=True, kw_only=True)
class SourceToTarget(Sequence):
    """Source eNB to Target eNB Transparent Container (9.2.1.7)."""

    rrc_container: RRCContainer
    e_rab_information_list: Annotated[tuple[ERABInformationItem, ...], IeList(78, ignore)] = ()
    target_cell_id: EutranCgi
    subscriber_profile_id_for_rfp: SubscriberProfileIDforRFP | None = None
    ue_history_information: Annotated[tuple[VisitedCellIe, ...], SequenceOf(1, 16)]


@dataclass(slots=True)
class TargetToSource(Sequence):
    """Target eNB to Source eNB Transparent Container (9.2.1.8)."""

    rrc_container: RRCContainer


@dataclass(slots=True)
class CountValue(Sequence):
    """COUNT Value (9.2.1.31): PDCP sequence number of 12 bits, hyper frame number of 20."""

    pdcp_sn: Annotated[int, Integer(0, 4095)]
    hfn: Annotated[int, Integer(0, 1048575)]


@dataclass(slots=True)
class BearerStatus(Sequence):
    """Bearers-SubjectToStatusTransfer-Item: the next counts of a bearer, and what was received out of order."""

    e_rab_id: ERABID
    ul_count: CountValue
    dl_count: CountValue
    receive_status_of_ul_pdcp_sdus: Annotated[bytes, BitString(4096, octets=True)] | None = None


@dataclass(slots=True)
class StatusTransfer(Sequence):
    """eNB Status Transfer Transparent Container (9.2.1.31)."""

    bearers: Annotated[tuple[BearerStatus, ...], IeList(89, ignore)]


def encode_container(container: Sequence) -> bytes:
    """The octets of a container."""
    return _writer(type(container))(container)


def decode_container(cls: type[Container], data: bytes) -> Container:
    """A container of class `cls`. Raises TransferSyntaxError."""
    try:
        found, end = _reader(cls)(data, 0, len(data))
    except FAILURES as error:
        raise TransferSyntaxError(f"{cls.__name__}: {error or 'it ends too early'}", clause="TS 36.413, 10.2") from None
    if end != len(data):
        raise TransferSyntaxError(f"{cls.__name__}: it ends too early or too late", clause="TS 36.413, 10.2")
    return found  # type: ignore[no-any-return]


_WRITERS: dict[type[Sequence], Callable[[Any], bytes]] = {}
_READERS: dict[type[Sequence], Callable[[bytes, int, int], tuple[Any, int]]] = {}


def _writer(cls: type[Sequence]) -> Callable[[Any], bytes]:
    if cls not in _WRITERS:
        g = Encoder()
        g.value(cls, "m", last=True)
        g.finish()
        g.emit(f"return {g.scope.out}")
        _WRITERS[cls] = g.function(f"def encode_{cls.__name__}(m):")
    return _WRITERS[cls]


def _reader(cls: type[Sequence]) -> Callable[[bytes, int, int], tuple[Any, int]]:
    if cls not in _READERS:
        g = Decoder()
        value = g.value(cls, last=True)
        g.align()
        g.emit(f"return {value}, {g.at()}")
        _READERS[cls] = g.function(f"def decode_{cls.__name__}(d, p, e):")
    return _READERS[cls]
