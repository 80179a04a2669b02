# SPDX-License-Identifier: Apache-2.0
"""Routes: texts."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from dialtone.api.shapes import Done, Texts
from dialtone.api.visit import Student, Teacher

router = APIRouter(tags=["texts"])
BATCH = r"^\d{1,15}(-\d{1,15})?$"
"""The number of a text, or of the first and the last of several."""


class NewText(BaseModel):
    """A text of the network's own."""

    model_config = ConfigDict(extra="forbid")

    to: str = Field(description="a number or an IMSI", examples=["+15550101"])
    text: str = Field(min_length=1)
    sender: str | None = Field(default=None, description="a number, or a name of 1 to 11 characters")


class Broadcast(BaseModel):
    """A text to every phone, or to those with a tag."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1)
    tag: str = ""
    sender: str | None = None
    dry_run: bool = Field(default=True, description="say to whom it would go, and send nothing")


class Batch(BaseModel):
    """Texts that were sent together."""

    model_config = ConfigDict(extra="forbid")

    batch: str = Field(pattern=BATCH, examples=["17-216"])


@router.get("/sms")
async def list_all(its: Student, imsi: str = "", limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Texts:
    """The latest messages, long ones whole, and what became of them. What they say is for the teacher."""
    return await its.core.call("sms.list", imsi=imsi, limit=limit, texts=its.trusted)


@router.get("/sms/progress")
async def progress(its: Student, batch: Annotated[str, Query(pattern=BATCH)]) -> Done:
    """How many texts of a batch are waiting, delivered, expired, failed, cancelled."""
    return await its.core.call("sms.progress", batch=batch)


@router.post("/sms", status_code=202)
async def send(new: NewText, its: Teacher) -> Done:
    """Write a text down and send it as soon as its phone can be reached."""
    return await its.core.call("sms.send", **new.model_dump(exclude_none=True))


@router.post("/sms:broadcast", status_code=202)
async def broadcast(new: Broadcast, its: Teacher) -> Done:
    """To all; by default only told to whom."""
    return await its.core.call("sms.broadcast", **new.model_dump(exclude_none=True))


@router.post("/sms:cancel", status_code=202)
async def cancel(which: Batch, its: Teacher) -> Done:
    """Take back what waits of a batch; what is on its way to a phone just now arrives."""
    return await its.core.call("sms.cancel", batch=which.batch)
