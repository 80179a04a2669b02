# SPDX-License-Identifier: Apache-2.0
"""Routes: phones at the P-CSCF with their SAs, and the keys that captures of Gm are read with."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import PlainTextResponse

from dialtone.api.app import Appliance, appliance

router = APIRouter(prefix="/ipsec", tags=["ipsec"])
Its = Annotated[Appliance, Depends(appliance)]


@router.get("/phones")
async def phones(its: Its) -> list[dict[str, Any]]:
    """Every phone at the P-CSCF: its identities, and its SAs with what the kernel has counted on them."""
    found: list[dict[str, Any]] = await its.core.call("ipsec.phones")
    return found


@router.get("/esp_sa", response_class=PlainTextResponse)
async def esp_sa(its: Its) -> str:
    """Wireshark's file `esp_sa`: the IPsec keys of the registrations of late, which read a capture of Gm."""
    lines: list[str] = await its.core.call("ipsec.esp_sa")
    return "".join(f"{line}\n" for line in lines)
