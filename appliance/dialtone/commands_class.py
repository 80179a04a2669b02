# SPDX-License-Identifier: Apache-2.0
"""What the control socket can be asked at the end of a class: forget the texts and the trace."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from dialtone.control import Args, Command
from dialtone.sms.forget import ClearTexts, Forget

if TYPE_CHECKING:
    from dialtone.wiring import Core

MANY = 1_000_000


class ClassCommands:
    """The one command. `save` waits for the commit of what it gets."""

    def __init__(self, core: "Core", save: Callable[[ClearTexts], Awaitable[None]]) -> None:
        self.core = core
        self.save = save

    def table(self) -> dict[str, Command]:
        """By name, for the control server."""
        return {"class.forget": self.forget}

    async def forget(self, args: Args) -> Any:
        """{} -> how many texts and events there were. SIM cards, profiles and call records stay."""
        sms, ring = self.core.sms, self.core.loop.bus.ring
        texts, events = len(sms.box.latest(MANY)), len(ring)
        await self.save(ClearTexts())
        self.core.loop.tell(sms.name, Forget())
        ring.clear()
        return {"texts": texts, "events": events}
