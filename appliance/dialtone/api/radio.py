# SPDX-License-Identifier: Apache-2.0
"""Routes: what is asked of eNBs: reset, overload, location, public warnings."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from dialtone.api.shapes import Done, Rows
from dialtone.api.visit import Student, Teacher

router = APIRouter(tags=["eNBs"])


class Connections(BaseModel):
    """The phones whose connections are meant; all without any."""

    model_config = ConfigDict(extra="forbid")

    imsis: list[str] = []


@router.post("/enbs/{enb}:reset")
async def enb_reset(enb: str, its: Teacher, which: Connections | None = None) -> Done:
    """Reset all connections of an eNB, or those of some phones."""
    return await its.core.call("enb.reset", enb=enb, imsis=which.imsis if which else [])


@router.post("/overload")
async def overload(its: Teacher, action: str | None = None) -> Done:
    """Ask all eNBs to keep phones away, or without an action no longer."""
    return await its.core.call("enb.overload", action=action)


@router.post("/capacity")
async def capacity(its: Teacher, value: Annotated[int, Query(ge=0, le=255)]) -> Done:
    """Our relative capacity among the MMEs of the eNBs."""
    return await its.core.call("enb.capacity", capacity=value)


@router.post("/ues/{imsi}:locate")
async def ue_locate(imsi: str, its: Teacher, follow: bool = False, stop: bool = False) -> Done:
    """Ask the eNB for the phone's cell; the answer is a verdict in the trace."""
    return await its.core.call("ue.locate", imsi=imsi, follow=follow, stop=stop)


class PublicWarning(BaseModel):
    """A public warning for every phone in the areas, or everywhere."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, examples=["This is a test of the public warning system."])
    identifier: int = Field(default=4380, ge=0, le=0xFFFF, description="4380 is a test")
    period: int = Field(default=5, ge=0, le=4095, description="seconds")
    broadcasts: int = Field(default=0, ge=0, le=65535, description="0: until it is stopped")
    tacs: list[int] = []


@router.get("/warnings")
async def warnings(its: Student) -> Rows:
    """The public warnings that stand."""
    return await its.core.call("warnings")


@router.post("/warnings")
async def warning_send(warning: PublicWarning, its: Teacher) -> Done:
    """Broadcast a public warning."""
    return await its.core.call("warning.send", **warning.model_dump())


@router.delete("/warnings/{identifier}")
async def warning_stop(identifier: int, its: Teacher) -> Done:
    """Stop a public warning."""
    return await its.core.call("warning.stop", identifier=identifier)
