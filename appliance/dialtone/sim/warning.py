# SPDX-License-Identifier: Apache-2.0
"""Public warning: the eNB broadcasts it in system information, phones show it once (TS 36.413, 8.12; TS 23.041, 8)."""

from dataclasses import dataclass

from dialtone.codec import cbs
from dialtone.codec.s1ap.values import ENBID, GlobalENBID
from dialtone.codec.s1ap.warning import (
    CancelledCellItem,
    CompletedCellItem,
    KillRequest,
    KillResponse,
    PWSRestartIndication,
    TAIBroadcastItem,
    TAICancelledItem,
    WarningArea,
    WriteReplaceWarningRequest,
    WriteReplaceWarningResponse,
)
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, StartTimer, StopTimer, Tell
from dialtone.ids import Ecgi
from dialtone.sim import enb, phone
from dialtone.sim.enb import Enb
from dialtone.sim.phone import Phone

REPETITION = "warning repetition"


@dataclass(slots=True)
class Heard(Event):
    """A warning in the system information of a cell, as every phone of the cell can read it."""

    enb: str
    identifier: int
    serial: int
    text: cbs.CodedText


@dataclass(slots=True)
class Broadcast:
    """A warning that the eNB broadcasts: `left` times more, None without an end; `done` times so far."""

    warning: Heard
    period: int
    left: int | None
    done: int = 0


@dataclass(slots=True)
class CellRestart(Event):
    """The cell starts anew: it forgets its warnings, and tells the MME so."""


def _here(enb: Enb, area: WarningArea | None) -> bool:
    """Whether the one cell of the eNB is in an area; None is everywhere. Emergency areas are not configured."""
    if area is None:
        return True
    wanted = enb.config.ecgi if area.kind == "cellIDList" else enb.config.tai
    return wanted in area.areas


@enb.on("S1-MME", WriteReplaceWarningRequest)
def on_write_replace_warning_request(enb: Enb, msg: WriteReplaceWarningRequest, rx: Rx) -> Effects:
    """Begin to broadcast at once, and answer where (8.12.1.2)."""
    key = (msg.message_identifier, msg.serial_number)
    areas = None
    if _here(enb, msg.warning_area_list):
        cell = (CompletedCellItem(enb.config.ecgi),)
        areas = WarningArea("cellID-Broadcast", cell)
        if msg.warning_area_list is not None and msg.warning_area_list.kind == "trackingAreaListforWarning":
            areas = WarningArea("tAI-Broadcast", (TAIBroadcastItem(enb.config.tai, cell),))
        if key not in enb.warnings:
            text = cbs.CodedText(msg.data_coding_scheme or 0, msg.warning_message_contents or b"\0")
            enb.warnings[key] = Broadcast(
                Heard(enb.name, *key, text), msg.extended_repetition_period or msg.repetition_period,
                msg.number_of_broadcast_request or None)
            yield from _broadcast(enb, key)
    yield enb.send(WriteReplaceWarningResponse(
        message_identifier=msg.message_identifier, serial_number=msg.serial_number,
        broadcast_completed_area_list=areas))


def _broadcast(enb: Enb, key: tuple[int, int]) -> Effects:
    """Once, and the next time after its period."""
    one = enb.warnings[key]
    for name in enb.camped:
        yield Tell(name, one.warning)
    one.done += 1
    if one.left is not None:
        one.left -= 1
    if one.left == 0:
        del enb.warnings[key]
    elif one.period:
        yield StartTimer(REPETITION, key, one.period)


@enb.on.timer(REPETITION, "TS 36.413, 9.2.1.48")
def on_warning_repetition(enb: Enb, key: tuple[int, int], rx: Rx) -> Effects:
    """Again."""
    if key in enb.warnings:
        yield from _broadcast(enb, key)


@enb.on("S1-MME", KillRequest)
def on_kill_request(enb: Enb, msg: KillRequest, rx: Rx) -> Effects:
    """Stop; without an area in the answer where nothing was being broadcast (8.12.2.2)."""
    key = (msg.message_identifier, msg.serial_number)
    areas = None
    if _here(enb, msg.warning_area_list) and (one := enb.warnings.pop(key, None)) is not None:
        yield StopTimer(REPETITION, key)
        cell = (CancelledCellItem(enb.config.ecgi, one.done),)
        areas = WarningArea("cellID-Cancelled", cell)
        if msg.warning_area_list is not None and msg.warning_area_list.kind == "trackingAreaListforWarning":
            areas = WarningArea("tAI-Cancelled", (TAICancelledItem(enb.config.tai, cell),))
    yield enb.send(KillResponse(
        message_identifier=msg.message_identifier, serial_number=msg.serial_number,
        broadcast_cancelled_area_list=areas))


@enb.on.event(CellRestart)
def on_cell_restart(enb: Enb, event: CellRestart, rx: Rx) -> Effects:
    """PWS Restart Indication (8.12.3)."""
    for key in enb.warnings:
        yield StopTimer(REPETITION, key)
    enb.warnings.clear()
    config = enb.config
    yield enb.send(PWSRestartIndication(
        ecgi_list_for_restart=(Ecgi(*config.ecgi),), tai_list_for_restart=(config.tai,),
        global_enb_id=GlobalENBID(config.plmn, ENBID("macroENB-ID", config.enb_id))))


@phone.on.event(Heard)
def on_heard(phone: Phone, event: Heard, rx: Rx) -> Effects:
    """Shown once: the same serial number is the same warning (TS 23.041, 8.2)."""
    phone.mark(rx)
    if phone.deaf or phone.cell.enb != event.enb or (event.identifier, event.serial) in phone.warnings:
        return
    phone.warnings[event.identifier, event.serial] = text = cbs.decode(event.text)
    yield phone.outcome("warning", True, f"the phone shows message {event.identifier}: {text}")
