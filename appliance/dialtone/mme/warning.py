# SPDX-License-Identifier: Apache-2.0
"""Public warning (TS 36.413, 8.12; TS 23.041): cells broadcast a message to every phone that listens, and stop.

There is no Cell Broadcast Centre: the command line is one. A warning stands until it is stopped, and goes to eNBs
that come later or report a restart, too.
"""

from dataclasses import dataclass

from dialtone.codec.cbs import CodedText
from dialtone.codec.s1ap import (
    KillRequest,
    KillResponse,
    PWSFailureIndication,
    PWSRestartIndication,
    WarningArea,
    WriteReplaceWarningRequest,
    WriteReplaceWarningResponse,
)
from dialtone.dispatch import Rx
from dialtone.effects import Effects, Event, Send, Verdict
from dialtone.ids import Tai
from dialtone.mme.context import Enb
from dialtone.mme.element import Mme, on

PLMN_WIDE = 0b01 << 14
"""Geographical scope of a serial number: it is the same message in every cell of the network (TS 23.041, 9.4.1.2.1)."""


@dataclass(slots=True)
class SendWarning(Event):
    """A command: broadcast `text` as message `identifier` every `period` seconds, `broadcasts` times (0: until it is
    stopped), in the tracking areas `tacs`, in all if there is none."""

    identifier: int
    text: CodedText
    period: int = 5
    broadcasts: int = 0
    tacs: tuple[int, ...] = ()


@dataclass(slots=True)
class StopWarning(Event):
    """A command: stop the message `identifier` that was sent last."""

    identifier: int


@on.event(SendWarning)
def on_send_warning(mme: Mme, event: SendWarning, rx: Rx) -> Effects:
    """To every eNB with one of the areas. A second text under the same identifier replaces the first."""
    mme.warning_code = (mme.warning_code + 1) & 0x3FF
    tais = tuple(Tai(mme.plmn, tac) for tac in event.tacs)
    request = WriteReplaceWarningRequest(
        message_identifier=event.identifier,
        serial_number=PLMN_WIDE | mme.warning_code << 4,
        warning_area_list=WarningArea("trackingAreaListforWarning", tais) if tais else None,
        repetition_period=event.period,
        number_of_broadcast_request=event.broadcasts,
        data_coding_scheme=event.text.data_coding_scheme,
        warning_message_contents=event.text.contents,
    )
    before = mme.warnings.get(event.identifier)
    mme.warnings[event.identifier] = request
    for enb in mme.enbs.values():
        if before is not None and _concerns(before, enb):
            yield Send("S1-MME", enb.peer, _kill(before))
        if _concerns(request, enb):
            yield Send("S1-MME", enb.peer, request)


@on.event(StopWarning)
def on_stop_warning(mme: Mme, event: StopWarning, rx: Rx) -> Effects:
    """Kill it wherever it was sent (8.12.2)."""
    request = mme.warnings.pop(event.identifier, None)
    if request is None:
        return
    for enb in mme.enbs.values():
        if _concerns(request, enb):
            yield Send("S1-MME", enb.peer, _kill(request))


def newcomer(mme: Mme, enb: Enb) -> Effects:
    """An eNB that sets up S1 hears of every warning that stands, whether or not it can report a restart."""
    for request in mme.warnings.values():
        if _concerns(request, enb):
            yield Send("S1-MME", enb.peer, request)


def _concerns(request: WriteReplaceWarningRequest, enb: Enb) -> bool:
    areas = request.warning_area_list
    return areas is None or not set(areas.areas).isdisjoint(enb.tais)


def _kill(request: WriteReplaceWarningRequest) -> KillRequest:
    return KillRequest(message_identifier=request.message_identifier, serial_number=request.serial_number,
                       warning_area_list=request.warning_area_list)


@on("S1-MME", WriteReplaceWarningResponse)
def on_write_replace_warning_response(mme: Mme, msg: WriteReplaceWarningResponse, rx: Rx) -> Effects:
    """Without an area the eNB broadcasts it nowhere (8.12.1.2)."""
    name, areas = mme.enbs[rx.peer].name, msg.broadcast_completed_area_list
    if areas is None:
        yield Verdict("warning", False, f"{name} broadcasts message {msg.message_identifier} in no cell")
    else:
        yield Verdict("warning", True, f"{name} broadcasts message {msg.message_identifier} ({_counted(areas)})")


@on("S1-MME", KillResponse)
def on_kill_response(mme: Mme, msg: KillResponse, rx: Rx) -> Effects:
    """Stopped, or it was not being broadcast any longer."""
    areas = msg.broadcast_cancelled_area_list
    where = f"stopped ({_counted(areas)})" if areas else "was not broadcast any longer"
    yield Verdict("warning", True, f"message {msg.message_identifier} at {mme.enbs[rx.peer].name}: {where}")


def _counted(areas: WarningArea) -> str:
    """`2 tracking areas`, by the kind of list."""
    kinds = {"cellID": "cells", "tAI": "tracking areas", "emergencyAreaID": "emergency areas"}
    return f"{len(areas.areas)} {kinds[areas.kind.partition('-')[0]]}"


@on("S1-MME", PWSRestartIndication)
def on_pws_restart_indication(mme: Mme, msg: PWSRestartIndication, rx: Rx) -> Effects:
    """Its cells have forgotten what they broadcast: all that stands is sent again (8.12.3)."""
    enb = mme.enbs[rx.peer]
    again = [request for request in mme.warnings.values() if _concerns(request, enb)]
    for request in again:
        yield Send("S1-MME", rx.peer, request)
    yield Verdict("warning", True, f"{enb.name} restarted: {len(again)} warnings are sent again")


@on("S1-MME", PWSFailureIndication)
def on_pws_failure_indication(mme: Mme, msg: PWSFailureIndication, rx: Rx) -> Effects:
    """Cells that cannot warn (8.12.4)."""
    cells = ", ".join(f"{cell.cell_id:#09x}" for cell in msg.pws_failed_ecgi_list)
    yield Verdict("warning", False, f"{mme.enbs[rx.peer].name} cannot broadcast warnings in cells {cells}")
