# SPDX-License-Identifier: Apache-2.0
"""Reset (TS 36.413, 8.7.1) and Error Indication (8.7.2)."""

from dialtone.codec.s1ap import ErrorIndication, Reset, ResetAcknowledge
from dialtone.codec.s1ap.causes import Cause
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Send, Verdict
from dialtone.mme.context import Ue
from dialtone.mme.context_release import lose_connection
from dialtone.mme.element import Mme, on

UNKNOWN_IDS = tuple(Cause.of("radioNetwork", cause) for cause in (
    "unknown-mme-ue-s1ap-id", "unknown-enb-ue-s1ap-id", "unknown-pair-ue-s1ap-id"))


@on("S1-MME", Reset)
def on_reset(mme: Mme, msg: Reset, rx: Rx) -> Effects:
    """All connections of the eNB, or those it lists; what it lists is acknowledged even when unknown."""
    enb = mme.enbs[rx.peer]
    items = msg.part_of_s1_interface
    if items is None:  # the whole interface
        gone = list(enb.ues.values())
    else:
        gone = [ue for ue in enb.ues.values() if any(_names(item, ue) for item in items)]
    for ue in gone:
        yield from lose_connection(mme, ue, rx, f"the eNB reset the connection ({msg.cause})")
    rx.subject = ""
    yield Send("S1-MME", rx.peer, ResetAcknowledge(
        ue_associated_logical_s1_connection_list=items or ()), stream=rx.stream)
    yield Verdict("S1 Reset", True, f"{enb.name} reset {len(gone)} connections")


def _names(item: object, ue: Ue) -> bool:
    mme_id = getattr(item, "mme_ue_s1ap_id", None)
    enb_id = getattr(item, "enb_ue_s1ap_id", None)
    return (mme_id is not None or enb_id is not None) and mme_id in (None, ue.number) and enb_id in (
        None, ue.enb_ue_s1ap_id)


@on("S1-MME", ErrorIndication)
def on_error_indication(mme: Mme, msg: ErrorIndication, rx: Rx) -> Effects:
    """Never answered. Where the eNB does not know our ids, the connection is dead; else the guards decide (10.6)."""
    ue = mme.enbs[rx.peer].ues.get(msg.mme_ue_s1ap_id or 0)
    rx.subject = ue.label if ue else ""
    yield Verdict("S1", False, f"the eNB reports an error: {msg.cause or msg.criticality_diagnostics}")
    if ue is not None and msg.cause in UNKNOWN_IDS:
        yield from lose_connection(mme, ue, rx, "the eNB does not know the connection any more")
