# SPDX-License-Identifier: Apache-2.0
"""Routes: the machine itself, as far as it may be switched from here."""

import asyncio
from typing import Literal

from fastapi import APIRouter

from dialtone.api.shapes import Done
from dialtone.api.visit import Teacher
from dialtone.errors import LocalError

router = APIRouter(tags=["box"])
_VERBS = {"power-off": "poweroff", "restart": "reboot"}


@router.get("/box")
async def box(its: Teacher) -> Done:
    """Whether the machine can be switched off from here, and where its notebooks are."""
    return {"power": its.box.power, "notebooks": its.box.notebooks}


@router.post("/box:{verb}")
async def switch(verb: Literal["power-off", "restart"], its: Teacher) -> Done:
    """Switch the machine off, or restart it: in good order, and only where it was started with `--power`."""
    if not its.box.power:
        raise LocalError("This machine is not switched off from here.", remedy="Log in to it, and do it there.")
    process = await asyncio.create_subprocess_exec(
        "systemctl", "--no-ask-password", _VERBS[verb], stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    if process.returncode:
        raise LocalError(f"systemctl: {said.decode(errors='replace').strip()}",
                         remedy="The user of the API needs the right to do that (polkit).")
    return {"done": verb}
