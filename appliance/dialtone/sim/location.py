# SPDX-License-Identifier: Apache-2.0
"""Location reports of the eNB (TS 36.413, 8.11)."""

from dialtone.codec.s1ap.causes import Cause
from dialtone.codec.s1ap.location import (
    EventType,
    LocationReport,
    LocationReportingControl,
    LocationReportingFailureIndication,
    RequestType,
)
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects
from dialtone.sim.enb import Enb, EnbUe, on


@on("S1-MME", LocationReportingControl)
def on_location_reporting_control(enb: Enb, msg: LocationReportingControl, rx: Rx) -> Effects:
    """Report now, or from now on, or no longer (8.11.1.2)."""
    ue = enb.associated(msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    request = msg.request_type
    if request is None or ue.lost:
        yield enb.send(LocationReportingFailureIndication(
            mme_ue_s1ap_id=msg.mme_ue_s1ap_id, enb_ue_s1ap_id=msg.enb_ue_s1ap_id,
            cause=Cause.of("radioNetwork", "unspecified")), ue)
    elif request.event_type == EventType.DIRECT:
        yield report(enb, ue, request)
    else:
        ue.reporting = request if request.event_type == EventType.CHANGE_OF_SERVE_CELL else None


def report(enb: Enb, ue: EnbUe, request: RequestType) -> Effect:
    """The cell that the phone is in."""
    assert ue.mme_ue_s1ap_id is not None
    return enb.send(LocationReport(
        mme_ue_s1ap_id=ue.mme_ue_s1ap_id, enb_ue_s1ap_id=ue.enb_ue_s1ap_id, eutran_cgi=enb.config.ecgi,
        tai=enb.config.tai, request_type=request), ue)
