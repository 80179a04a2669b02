# SPDX-License-Identifier: Apache-2.0
"""Routes: who is registered for calls and texts, and the calls that there were."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from dialtone.api.app import Appliance, appliance

router = APIRouter(tags=["ims"])
Its = Annotated[Appliance, Depends(appliance)]


@router.get("/ims/registrations")
async def registrations(its: Its) -> list[dict[str, Any]]:
    """Every user whom the S-CSCF serves, with contacts and their features."""
    found: list[dict[str, Any]] = await its.core.call("ims.registrations")
    return found


@router.post("/ims/registrations/{who}:deregister")
async def deregister(who: str, its: Its) -> Any:
    """End a registration, named by IMSI, private or public identity; the phone may come back at once."""
    return await its.core.call("ims.deregister", who=who)


@router.get("/calls")
async def calls(its: Its, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> list[dict[str, Any]]:
    """Call detail records, those under way first, then the newest."""
    found: list[dict[str, Any]] = await its.core.call("calls.records", limit=limit)
    return found
