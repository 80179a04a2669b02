# SPDX-License-Identifier: Apache-2.0
"""Reset and Error Indication at the eNB (TS 36.413, 8.7.1 and 8.7.2)."""

from dataclasses import dataclass

from dialtone.codec.s1ap.causes import Cause
from dialtone.codec.s1ap.management import ErrorIndication, Reset, ResetAcknowledge, ResetAll
from dialtone.codec.s1ap.values import UEassociatedLogicalS1ConnectionItem
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event
from dialtone.sim.enb import Enb, EnbUe, on

_GONE = tuple(Cause.of("radioNetwork", cause) for cause in (
    "unknown-mme-ue-s1ap-id", "unknown-enb-ue-s1ap-id", "unknown-pair-ue-s1ap-id"))


@dataclass(slots=True)
class ResetCommand(Event):
    """Forget every phone and tell the MME, as an eNB does after a defect (8.7.1.2.2)."""


@on.event(ResetCommand)
def on_reset_command(enb: Enb, event: ResetCommand, rx: Rx) -> Effects:
    """Reset of the whole interface."""
    yield from enb.drop_all("local release", "the eNB was reset")
    yield enb.send(Reset(cause=Cause.of("misc", "om-intervention"), reset_type=ResetAll.RESET_ALL))


@on("S1-MME", Reset)
def on_reset(enb: Enb, msg: Reset, rx: Rx) -> Effects:
    """The MME has lost all, or some, of the contexts (8.7.1.2.1)."""
    items = msg.part_of_s1_interface
    if items is not None:
        for item in items:
            ue = _find(enb, item)
            if ue is not None:
                yield from enb.drop(ue, "local release", f"reset: {msg.cause}")
    else:
        yield from enb.drop_all("local release", f"reset: {msg.cause}")
    yield enb.send(ResetAcknowledge(ue_associated_logical_s1_connection_list=items or ()))


def _find(enb: Enb, item: UEassociatedLogicalS1ConnectionItem) -> EnbUe | None:
    if item.enb_ue_s1ap_id is not None:
        return enb.ues.get(item.enb_ue_s1ap_id)
    found = (ue for ue in enb.ues.values() if ue.mme_ue_s1ap_id == item.mme_ue_s1ap_id)
    return next(found, None)


@on("S1-MME", ResetAcknowledge)
def on_reset_acknowledge(enb: Enb, msg: ResetAcknowledge, rx: Rx) -> Effects:
    """Our Reset is done."""
    yield enb.outcome("Reset", True, "acknowledged by the MME")


@on("S1-MME", ErrorIndication)
def on_error_indication(enb: Enb, msg: ErrorIndication, rx: Rx) -> Effects:
    """The MME did not like a message; a context that it does not know is of no use any longer (8.7.2)."""
    enb.counters["error indication"] += 1
    ue = None if msg.enb_ue_s1ap_id is None else enb.ues.get(msg.enb_ue_s1ap_id)
    if ue is not None and msg.cause in _GONE:
        rx.subject = ue.label
        yield from enb.drop(ue, "local release", f"error indication: {msg.cause}")
