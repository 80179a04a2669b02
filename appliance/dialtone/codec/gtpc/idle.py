# SPDX-License-Identifier: Apache-2.0
"""Messages of a phone's way to idle and back (TS 29.274, 7.2.11, 7.2.21 to 7.2.23)."""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.gtpc.indication import Indication
from dialtone.codec.gtpc.table import CO, C, GtpcMessage, M, O, message
from dialtone.codec.gtpc.types import (
    ARP,
    CAUSE,
    DELAY_VALUE,
    EBI,
    EPC_TIMER,
    FTEID,
    IMSI,
    INDICATION,
    INTEGER_NUMBER,
    NODE_TYPE,
    RECOVERY,
    THROTTLING,
)
from dialtone.codec.gtpc.values import Cause, Fteid


@message(170, "Release Access Bearers Request", "TS 29.274, 7.2.21")
@dataclass(slots=True, kw_only=True)
class ReleaseAccessBearersRequest(GtpcMessage):
    """Table 7.2.21-1."""

    list_of_rabs: Annotated[tuple[int, ...], C(EBI)] = ()
    originating_node: Annotated[int | None, CO(NODE_TYPE)] = None
    indication_flags: Annotated[Indication | None, CO(INDICATION)] = None


@message(171, "Release Access Bearers Response", "TS 29.274, 7.2.22")
@dataclass(slots=True, kw_only=True)
class ReleaseAccessBearersResponse(GtpcMessage):
    """Table 7.2.22-1."""

    cause: Annotated[Cause, M(CAUSE)]
    recovery: Annotated[int | None, O(RECOVERY)] = None
    indication_flags: Annotated[Indication | None, CO(INDICATION)] = None


@message(176, "Downlink Data Notification", "TS 29.274, 7.2.11.1")
@dataclass(slots=True, kw_only=True)
class DownlinkDataNotification(GtpcMessage):
    """Table 7.2.11.1-1: page this phone; `ebis` are the bearers that data came for."""

    cause: Annotated[Cause | None, CO(CAUSE)] = None
    ebis: Annotated[tuple[int, ...], CO(EBI)] = ()
    arp: Annotated[int | None, CO(ARP)] = None
    imsi: Annotated[str | None, CO(IMSI)] = None
    sender_f_teid: Annotated[Fteid | None, O(FTEID)] = None
    indication_flags: Annotated[Indication | None, CO(INDICATION)] = None


@message(177, "Downlink Data Notification Acknowledgement", "TS 29.274, 7.2.11.2")
@dataclass(slots=True, kw_only=True)
class DownlinkDataNotificationAcknowledge(GtpcMessage):
    """Table 7.2.11.2-1."""

    cause: Annotated[Cause, M(CAUSE)]
    data_notification_delay: Annotated[int | None, C(DELAY_VALUE)] = None
    recovery: Annotated[int | None, O(RECOVERY)] = None
    dl_low_priority_traffic_throttling: Annotated[bytes | None, O(THROTTLING)] = None
    imsi: Annotated[str | None, CO(IMSI)] = None
    dl_buffering_duration: Annotated[int | None, CO(EPC_TIMER)] = None
    dl_buffering_suggested_packet_count: Annotated[bytes | None, O(INTEGER_NUMBER)] = None


@message(70, "Downlink Data Notification Failure Indication", "TS 29.274, 7.2.11.3")
@dataclass(slots=True, kw_only=True)
class DownlinkDataNotificationFailureIndication(GtpcMessage):
    """Table 7.2.11.3-1: the phone did not answer the paging."""

    cause: Annotated[Cause, M(CAUSE)]
    originating_node: Annotated[int | None, CO(NODE_TYPE)] = None
    imsi: Annotated[str | None, CO(IMSI)] = None


@message(73, "Stop Paging Indication", "TS 29.274, 7.2.23")
@dataclass(slots=True, kw_only=True)
class StopPagingIndication(GtpcMessage):
    """Table 7.2.23-1: the phone was found by another way."""

    imsi: Annotated[str | None, CO(IMSI)] = None
