# SPDX-License-Identifier: Apache-2.0
"""Routes: phones at the P-CSCF with their SAs, and the keys that captures of Gm are read with."""


from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from dialtone.api.shapes import Rows
from dialtone.api.visit import Student, Teacher

router = APIRouter(prefix="/ipsec", tags=["ipsec"])


@router.get("/phones")
async def phones(its: Student) -> Rows:
    """Every phone at the P-CSCF: its identities, and its SAs with what the kernel has counted on them."""
    return await its.core.call("ipsec.phones")


@router.get("/esp_sa", response_class=PlainTextResponse)
async def esp_sa(its: Teacher) -> str:
    """Wireshark's file `esp_sa`: the IPsec keys of the registrations of late, which read a capture of Gm."""
    lines: list[str] = await its.core.call("ipsec.esp_sa")
    return "".join(f"{line}\n" for line in lines)
