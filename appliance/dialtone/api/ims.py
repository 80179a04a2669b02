# SPDX-License-Identifier: Apache-2.0
"""Routes: who is registered for calls and texts, and the calls that there were."""

from typing import Annotated

from fastapi import APIRouter, Query

from dialtone.api.shapes import Calls, Done, Registrations
from dialtone.api.visit import Student, Teacher

router = APIRouter(tags=["ims"])


@router.get("/ims/registrations")
async def registrations(its: Student) -> Registrations:
    """Every user whom the S-CSCF serves, with contacts and their features."""
    return await its.core.call("ims.registrations")


@router.post("/ims/registrations/{who}:deregister")
async def deregister(who: str, its: Teacher) -> Done:
    """End a registration, named by IMSI, private or public identity; the phone may come back at once."""
    return await its.core.call("ims.deregister", who=who)


@router.get("/calls")
async def calls(its: Student, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Calls:
    """Call detail records, those under way first, then the newest."""
    return await its.core.call("calls.records", limit=limit)
