# SPDX-License-Identifier: Apache-2.0
"""Routes: subscribers. Keys go in and never come out."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from dialtone.api.shapes import Done, Rows, Subscriber, Subscribers
from dialtone.api.visit import Student, Teacher

router = APIRouter(tags=["subscribers"])

_KEY = Field(default=None, description="hexadecimal digits: 32, with TUAK K 32 or 64, TOPc 64; never shown")


class Change(BaseModel):
    """What can be said of a subscriber; what is left out stays as it is, or gets its default."""

    model_config = ConfigDict(extra="forbid")

    algorithm: str | None = Field(default=None, description="milenage or tuak, milenage by default")
    k: str | None = _KEY
    opc: str | None = _KEY
    op: str | None = Field(default=None, description="the operator's OP; OPc is computed from it")
    res: str | None = Field(default=None, description="bits of RES with TUAK: 32, 64 or 128")
    iterations: str | None = Field(default=None, description="iterations of Keccak with TUAK, 1 by default")
    amf: str | None = Field(default=None, description="4 hexadecimal digits, 8000 by default")
    msisdn: str | None = Field(default=None, description="digits, several with blanks between; empty clears")
    impi: str | None = Field(default=None, description="made from the IMSI where it is not given")
    impu: str | None = Field(default=None, description="SIP and tel URIs with blanks between")
    isim_k: str | None = _KEY
    isim_op: str | None = None
    isim_opc: str | None = _KEY
    ipsec: str | None = Field(default=None, description="required or optional, for IMS; required by default")
    profile: str | None = None
    address: str | None = Field(default=None, description=(
        "fixed addresses: internet=10.45.0.9 internet=2001:db8:cafe:9::/64"))
    tags: str | None = None


class New(Change):
    """A subscriber to add."""

    imsi: str = Field(description="6 to 15 digits")


@router.get("/subscribers")
async def list_all(its: Student) -> Subscribers:
    """All subscribers, without keys."""
    return _clean(await its.core.call("subscribers.list"))


@router.post("/subscribers", status_code=201)
async def add(new: New, its: Teacher) -> Done:
    """Add one; refused when the IMSI is there already."""
    return _clean(await its.core.call("subscribers.add", **new.model_dump(exclude_none=True)))


@router.get("/subscribers/seen")
async def seen(its: Student) -> Rows:
    """IMSIs that tried to attach and are nobody's."""
    return _clean(await its.core.call("subscribers.seen"))


@router.post("/subscribers:import")
async def import_csv(request: Request, its: Teacher, dry_run: bool = True, overwrite: bool = False) -> Done:
    """Read subscribers from the CSV in the body. By default nothing is written, and nothing ever silently
    overwritten: the answer says what would be added, changed or refused."""
    text = _text(await request.body())
    return _clean(await its.core.call("subscribers.import", csv=text, dry_run=dry_run, overwrite=overwrite))


@router.get("/subscribers/{imsi}")
async def get(imsi: str, its: Student) -> Subscriber:
    """One subscriber, without keys."""
    return _clean(await its.core.call("subscribers.get", imsi=imsi))


@router.patch("/subscribers/{imsi}")
async def edit(imsi: str, change: Change, its: Teacher) -> Done:
    """Change what the body names."""
    return _clean(await its.core.call("subscribers.edit", imsi=imsi, **change.model_dump(exclude_none=True)))


@router.delete("/subscribers/{imsi}")
async def remove(imsi: str, its: Teacher) -> Done:
    """Take a subscriber out."""
    return _clean(await its.core.call("subscribers.remove", imsi=imsi))


@router.post("/subscribers/{imsi}:cancel")
async def cancel(imsi: str, its: Teacher, reattach: bool = False) -> Done:
    """Have the MME that serves the phone let it go (Cancel-Location); with `reattach` it comes back at once."""
    return await its.core.call("subscribers.cancel", imsi=imsi, reattach=reattach)


@router.post("/subscribers/{imsi}:deregister")
async def deregister(imsi: str, its: Teacher, again: bool = False) -> Done:
    """Have the S-CSCF end the IMS registration (Registration-Termination); with `again` the phone may come back."""
    return await its.core.call("subscribers.deregister", imsi=imsi, again=again)


@router.post("/hss:reset")
async def reset(its: Teacher) -> Done:
    """Have every MME tell the HSS again where its phones are (Reset)."""
    return await its.core.call("hss.reset")


def _text(body: bytes) -> str:
    """A CSV file as text: UTF-8 or UTF-16 with their marks, else what old spreadsheets write."""
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body.decode("utf-16", "replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


_SECRET = {"k", "op", "opc", "isim_k", "isim_op", "isim_opc"}


def _clean(found: Any) -> Any:
    """Whatever the core answers, no key passes here."""
    if isinstance(found, dict):
        return {name: _clean(value) for name, value in found.items() if name not in _SECRET}
    return [_clean(one) for one in found] if isinstance(found, list) else found
