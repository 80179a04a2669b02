# SPDX-License-Identifier: Apache-2.0
"""What eNBs say of their own traces (TS 36.413, 8.10): nobody here asked for one, and no collector is told more."""

from dialtone.codec.s1ap import CellTrafficTrace, TraceFailureIndication
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Verdict
from dialtone.mme.element import Mme, on


@on("S1-MME", CellTrafficTrace)
def on_cell_traffic_trace(mme: Mme, msg: CellTrafficTrace, rx: Rx) -> Effects:
    """An eNB traces one of its cells. The collector would get IMSI and IMEI from us (TS 32.422, 4.2.8): it does not."""
    mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    yield Verdict("trace", True, "the eNB traces the cell that the phone is in; nobody is told who the phone is")


@on("S1-MME", TraceFailureIndication)
def on_trace_failure_indication(mme: Mme, msg: TraceFailureIndication, rx: Rx) -> Effects:
    """Noted."""
    mme.ue_of(rx.peer, msg.mme_ue_s1ap_id, msg.enb_ue_s1ap_id, rx)
    yield Verdict("trace", False, f"the eNB does not trace the phone: {msg.cause}")
