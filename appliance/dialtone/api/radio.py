# SPDX-License-Identifier: Apache-2.0
"""Routes: what is asked of eNBs: reset, overload, location, public warnings."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from dialtone.api.app import Appliance, appliance

router = APIRouter(tags=["eNBs"])
Its = Annotated[Appliance, Depends(appliance)]


class Connections(BaseModel):
    """The phones whose connections are meant; all without any."""

    model_config = ConfigDict(extra="forbid")

    imsis: list[str] = []


@router.post("/enbs/{enb}:reset")
async def enb_reset(enb: str, its: Its, which: Connections | None = None) -> Any:
    """Reset all connections of an eNB, or those of some phones."""
    return await its.core.call("enb.reset", enb=enb, imsis=which.imsis if which else [])


@router.post("/overload")
async def overload(its: Its, action: str | None = None) -> Any:
    """Ask all eNBs to keep phones away, or without an action no longer."""
    return await its.core.call("enb.overload", action=action)


@router.post("/capacity")
async def capacity(its: Its, value: Annotated[int, Query(ge=0, le=255)]) -> Any:
    """Our relative capacity among the MMEs of the eNBs."""
    return await its.core.call("enb.capacity", capacity=value)


@router.post("/ues/{imsi}:locate")
async def ue_locate(imsi: str, its: Its, follow: bool = False, stop: bool = False) -> Any:
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
async def warnings(its: Its) -> list[dict[str, Any]]:
    """The public warnings that stand."""
    found: list[dict[str, Any]] = await its.core.call("warnings")
    return found


@router.post("/warnings")
async def warning_send(warning: PublicWarning, its: Its) -> Any:
    """Broadcast a public warning."""
    return await its.core.call("warning.send", **warning.model_dump())


@router.delete("/warnings/{identifier}")
async def warning_stop(identifier: int, its: Its) -> Any:
    """Stop a public warning."""
    return await its.core.call("warning.stop", identifier=identifier)
