# SPDX-License-Identifier: Apache-2.0
"""E-RAB information elements (TS 36.413, 9.2.1 and 9.3.4)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from dialtone.codec.s1ap.causes import CauseIe
from dialtone.codec.s1ap.notation import Enumerated, IeList, Integer, Sequence, ignore

ERABID = Annotated[int, Integer(0, 15, extensible=True)]
"""E-RAB-ID: the EBI of NAS and GTP."""

BitRate = Annotated[int, Integer(0, 10_000_000_000)]
"""Bits a second."""


class PreEmptionCapability(IntEnum):
    """Whether an allocation may take resources from another (9.2.1.60)."""

    SHALL_NOT_TRIGGER_PRE_EMPTION = 0
    MAY_TRIGGER_PRE_EMPTION = 1


class PreEmptionVulnerability(IntEnum):
    """Whether another allocation may take these resources (9.2.1.60)."""

    NOT_PRE_EMPTABLE = 0
    PRE_EMPTABLE = 1


@dataclass(slots=True)
class AllocationAndRetentionPriority(Sequence):
    """Allocation and Retention Priority (9.2.1.60): 1 is the highest priority, 15 none."""

    priority_level: Annotated[int, Integer(0, 15)]
    pre_emption_capability: Annotated[int, Enumerated(PreEmptionCapability, 2, extensible=False)]
    pre_emption_vulnerability: Annotated[int, Enumerated(PreEmptionVulnerability, 2, extensible=False)]


@dataclass(slots=True)
class GBRQosInformation(Sequence):
    """GBR QoS Information (9.2.1.18)."""

    e_rab_maximum_bitrate_dl: BitRate
    e_rab_maximum_bitrate_ul: BitRate
    e_rab_guaranteed_bitrate_dl: BitRate
    e_rab_guaranteed_bitrate_ul: BitRate


@dataclass(slots=True)
class ERABLevelQoSParameters(Sequence):
    """E-RAB Level QoS Parameters (9.2.1.15)."""

    qci: Annotated[int, Integer(0, 255)]
    allocation_retention_priority: AllocationAndRetentionPriority
    gbr_qos_information: GBRQosInformation | None = None


@dataclass(slots=True)
class UEAggregateMaximumBitrate(Sequence):
    """UE Aggregate Maximum Bit Rate (9.2.1.20), of all non-GBR bearers."""

    dl: BitRate
    ul: BitRate


@dataclass(slots=True)
class ERABItem(Sequence):
    """E-RABItem (9.2.1.36): a bearer and what became of it."""

    e_rab_id: ERABID
    cause: CauseIe


ERABList = Annotated[tuple[ERABItem, ...], IeList(35, ignore)]
"""E-RABList."""
