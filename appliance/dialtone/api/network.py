# SPDX-License-Identifier: Apache-2.0
"""Routes: the network as it is: status, phones, eNBs, leaks, diagnosis."""

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from dialtone.api.shapes import Counters, Done, Enbs, Rows, Status, Ues, Verdicts
from dialtone.api.visit import Student, Teacher
from dialtone.control import Away

router = APIRouter(tags=["network"])


@router.get("/status")
async def status(its: Student) -> Status:
    """The core's version, uptime, network and eNBs."""
    return await its.core.call("status")


@router.get("/ues")
async def ues(its: Student) -> Ues:
    """Every phone the MME knows, with its bearers and their counters."""
    return await its.core.call("ues")


@router.post("/ues/{imsi}:detach")
async def detach(imsi: str, its: Teacher, reattach: bool = False, page: bool = False) -> Done:
    """Detach a phone from the network's side; with `page` one that is idle is called first, so that it knows."""
    return await its.core.call("ue.detach", imsi=imsi, reattach=reattach, page=page)


@router.post("/ues/{imsi}:guti")
async def guti(imsi: str, its: Teacher) -> Done:
    """Give a phone another temporary identity; one that is idle is paged."""
    return await its.core.call("ue.guti", imsi=imsi)


@router.post("/ues/{imsi}:close")
async def close(imsi: str, apn: str, its: Teacher, again: bool = False) -> Done:
    """End a phone's PDN connection from the network's side; with its last one it is detached. `again` asks the phone to
    connect anew."""
    return await its.core.call("ue.close", imsi=imsi, apn=apn, again=again)


class Bearer(BaseModel):
    """A dedicated bearer; rates in kbit/s, flows as IPFilterRules (RFC 6733, 4.3.1)."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="command", description="a rule of that name which is there is changed")
    apn: str = "internet"
    qci: int = 8
    gbr_up: int = 0
    gbr_down: int = 0
    mbr_up: int = 0
    mbr_down: int = 0
    filters: list[str] = Field(min_length=1, examples=[["permit out 17 from 192.0.2.7 5000 to assigned"]])


@router.post("/ues/{imsi}:add-bearer")
async def add_bearer(imsi: str, bearer: Bearer, its: Teacher) -> Done:
    """Give a phone a dedicated bearer; the trace and the verdicts tell what became of it."""
    return await its.core.call("ue.bearer.add", imsi=imsi, **bearer.model_dump())


@router.post("/ues/{imsi}:remove-bearer")
async def remove_bearer(imsi: str, name: str, its: Teacher) -> Done:
    """Take a dedicated bearer away by the name of its rule."""
    return await its.core.call("ue.bearer.remove", imsi=imsi, name=name)


@router.get("/enbs")
async def enbs(its: Student) -> Enbs:
    """Every eNB that has set up S1."""
    return await its.core.call("enbs")


@router.get("/diameter/peers")
async def diameter_peers(its: Student) -> Rows:
    """Every Diameter peer that is configured or connected, with its state and address."""
    return await its.core.call("diameter.peers")


@router.post("/diameter/peers/{host}:connect")
async def diameter_connect(host: str, its: Teacher) -> Done:
    """Connect to a Diameter peer, now."""
    return await its.core.call("diameter.connect", host=host)


@router.post("/diameter/peers/{host}:disconnect")
async def diameter_disconnect(host: str, its: Teacher) -> Done:
    """Take leave of a Diameter peer and stay away."""
    return await its.core.call("diameter.disconnect", host=host)


@router.get("/gtp/peers")
async def gtp_peers(its: Student) -> Rows:
    """Every GTPv2-C peer outside: the state of its path, its echoes and restarts, how many sessions it has here."""
    return await its.core.call("gtp.peers")


@router.get("/leaks")
async def leaks(its: Student) -> Done:
    """Addresses, TEIDs, contexts and timers in use: all zero when no phone is attached."""
    return await its.core.call("leaks")


@router.get("/counters")
async def counters(its: Student) -> Counters:
    """What the core counts."""
    return await its.core.call("counters")


@router.get("/diagnose")
async def diagnosis(its: Student, imsi: str = "") -> Verdicts:
    """Verdicts on the last attempt of one phone, or of all phones and the eNBs: cause, evidence, remedy."""
    from dialtone.trace.diagnose import diagnose

    served: tuple[str, ...] = ()
    try:
        network = (await its.core.call("status"))["network"]
        served = tuple(f"PLMN {network['mcc']}/{network['mnc']} TAC {tac} (0x{tac:04x})" for tac in network["tac"])
    except Away:
        pass  # without it the sentence says less
    verdicts = await asyncio.to_thread(diagnose, list(its.feed.ring), imsi, served)
    return [verdict.to_dict() for verdict in verdicts]
