# SPDX-License-Identifier: Apache-2.0
"""Routes: subscription profiles. Every change can be tried first by `dry_run`, and undone."""


from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from dialtone.api.shapes import Done, Rows
from dialtone.api.visit import Student, Teacher

router = APIRouter(tags=["profiles"])


class ProfileChange(BaseModel):
    """What can be said of a profile; what is left out stays as it is, or gets its default."""

    model_config = ConfigDict(extra="forbid")

    ambr: str | None = Field(default=None, description="down/up for all of a phone's traffic: 50M/10M")
    apns: list[str] | None = Field(default=None, description="added or changed: ims,qci=5,arp=1,ambr=10M/10M")
    drop: list[str] | None = Field(default=None, description="names of APNs that go")
    default: str | None = Field(default=None, description="the APN of phones that ask for none")
    restrict: str | None = Field(default=None, description="radios it may not use: e-utran, utran, geran, nb-iot, nr")
    roaming: bool | None = Field(default=None, description="whether other networks may serve it")
    ifc: str | None = Field(default=None, description="filter criteria: sms, none, or an IMSSubscription document")


class NewProfile(ProfileChange):
    """A profile to add."""

    name: str = Field(description="up to 32 letters, digits, . - or _")


@router.get("/profiles")
async def list_all(its: Student) -> Rows:
    """All profiles, with the number of their subscribers."""
    return await its.core.call("profiles.list")


@router.post("/profiles", status_code=201)
async def add(new: NewProfile, its: Teacher, dry_run: bool = False) -> Done:
    """Add one; refused when the name is there already."""
    return await its.core.call("profiles.add", dry_run=dry_run, **new.model_dump(exclude_none=True))


@router.get("/profiles/{name}")
async def get(name: str, its: Student) -> Done:
    """One profile."""
    return await its.core.call("profiles.get", name=name)


@router.patch("/profiles/{name}")
async def edit(name: str, change: ProfileChange, its: Teacher, dry_run: bool = False) -> Done:
    """Change what the body names; phones that are here get it at once."""
    return await its.core.call("profiles.edit", name=name, dry_run=dry_run, **change.model_dump(exclude_none=True))


@router.post("/profiles/{name}:undo")
async def undo(name: str, its: Teacher, dry_run: bool = False) -> Done:
    """Take the last change back, or the removal."""
    return await its.core.call("profiles.undo", name=name, dry_run=dry_run)


@router.delete("/profiles/{name}")
async def remove(name: str, its: Teacher, dry_run: bool = False) -> Done:
    """Take a profile out that no subscriber has."""
    return await its.core.call("profiles.remove", name=name, dry_run=dry_run)
