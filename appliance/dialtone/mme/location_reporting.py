# SPDX-License-Identifier: Apache-2.0
"""Location reporting (TS 36.413, 8.11): ask an eNB in which cell a phone is, once or at each change."""

from dataclasses import dataclass

from dialtone.codec.s1ap import (
    EventType,
    LocationReport,
    LocationReportingControl,
    LocationReportingFailureIndication,
    ReportArea,
    RequestType,
)
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, Send, Verdict
from dialtone.mme.element import Mme, on


@dataclass(slots=True)
class LocateUe(Event):
    """A command: where is the phone, now or from now on, or no longer."""

    imsi: str
    event_type: EventType = EventType.DIRECT


@on.event(LocateUe)
def on_locate_ue(mme: Mme, event: LocateUe, rx: Rx) -> Effects:
    """Only a connected phone has an eNB that knows its cell."""
    ue = mme.by_imsi.get(event.imsi)
    if ue is None:
        return
    rx.subject = ue.label
    if ue.enb is None:
        where = f"last seen in cell {ue.ecgi.cell_id:#09x}, {ue.tai}" if ue.ecgi else "never seen"
        yield Verdict("location", False, f"the phone is idle: {where}")
        return
    request = RequestType(event.event_type, ReportArea.ECGI)
    if event.event_type != EventType.DIRECT:
        ue.reporting = request if event.event_type == EventType.CHANGE_OF_SERVE_CELL else None
    yield Send("S1-MME", ue.enb.peer, LocationReportingControl(
        mme_ue_s1ap_id=ue.number, enb_ue_s1ap_id=ue.enb_ue_s1ap_id, request_type=request), stream=ue.stream)


@on("S1-MME", LocationReport)
def on_location_report(mme: Mme, msg: LocationReport, rx: Rx) -> Effects:
    """The cell."""
    ue = mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    if msg.eutran_cgi is not None and msg.tai is not None:
        ue.tai, ue.ecgi = msg.tai, msg.eutran_cgi
        yield Verdict("location", True, f"the phone is in cell {ue.ecgi.cell_id:#09x}, {ue.tai}")


@on("S1-MME", LocationReportingFailureIndication)
def on_location_reporting_failure_indication(mme: Mme, msg: LocationReportingFailureIndication, rx: Rx) -> Effects:
    """The eNB cannot, or can no longer because the phone is being handed over (8.11.3)."""
    mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    yield Verdict("location", False, f"the eNB cannot report the phone's cell: {msg.cause}")
