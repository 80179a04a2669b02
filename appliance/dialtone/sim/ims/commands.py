# SPDX-License-Identifier: Apache-2.0
"""The IMS commands of `sim.sock`: register, deregister, text, call, answer, hold, hang up, inbox."""

from collections.abc import Awaitable, Callable
from typing import Any

from dialtone.control import Args, Command
from dialtone.effects import Event
from dialtone.errors import LocalError
from dialtone.sim.ims import call, registration, text
from dialtone.sim.ims.client import ImsClient
from dialtone.sim.ims.states import CallState

Outcome = Callable[[tuple[str, ...], str, Event, float], Awaitable[str]]
SECONDS = 55.0


class ImsCommands:
    """Bound to the IMS clients of a process; `outcome` tells an element something and waits for its verdict."""

    def __init__(self, clients: dict[str, ImsClient], outcome: Outcome) -> None:
        self.clients = clients
        self.outcome = outcome

    def table(self) -> dict[str, Command]:
        """By name, for the control server."""
        return {"sim.ims-register": self.register, "sim.ims-deregister": self.deregister, "sim.text": self.text,
                "sim.call": self.call, "sim.answer": self.answer, "sim.hold": self.hold, "sim.video": self.video,
                "sim.hangup": self.hang_up, "sim.texts": self.inbox}

    async def register(self, args: Args) -> dict[str, Any]:
        """{imsi} -> the phone's IMS line with `ok`: register, or refresh the registration."""
        return await self._run(args, registration.RegisterCommand(), registration.REGISTER)

    async def deregister(self, args: Args) -> dict[str, Any]:
        """{imsi} -> the line: leave IMS."""
        return await self._run(args, registration.DeregisterCommand(), registration.DEREGISTER)

    async def text(self, args: Args) -> dict[str, Any]:
        """{imsi, to, text} -> the line: send a text to a number or URI."""
        return await self._run(args, text.TextCommand(str(args["to"]), str(args["text"])), text.TEXT)

    async def call(self, args: Args) -> dict[str, Any]:
        """{imsi, to, video=false} -> the line, once the call is answered or has failed."""
        command = call.CallCommand(str(args["to"]), bool(args.get("video", False)))
        return await self._run(args, command, call.CALL_PROCEDURE)

    async def answer(self, args: Args) -> dict[str, Any]:
        """{imsi} -> the line: take the call that rings."""
        if call.current(self.client(args), CallState.RINGING) is None:
            raise LocalError("Nothing rings at this phone.", remedy="`dialtone sim list --json` shows its calls.")
        return await self._run(args, call.AnswerCommand(), call.CALL_PROCEDURE)

    async def hold(self, args: Args) -> dict[str, Any]:
        """{imsi, resume=false} -> the line: put the call on hold, or take it back."""
        return await self._run(args, call.HoldCommand(bool(args.get("resume", False))), call.HOLD)

    async def video(self, args: Args) -> dict[str, Any]:
        """{imsi, off=false} -> the line: add video to the call, or go on without it."""
        return await self._run(args, call.VideoCommand(bool(args.get("off", False))), call.VIDEO)

    async def hang_up(self, args: Args) -> dict[str, Any]:
        """{imsi} -> the line: end the call, or refuse the one that rings."""
        return await self._run(args, call.HangUpCommand(), call.HANG_UP)

    def inbox(self, args: Args) -> list[dict[str, Any]]:
        """{imsi} -> the texts that have come, the oldest first."""
        return [{"at": one.at, "from": one.sender, "text": one.text} for one in self.client(args).inbox]

    def client(self, args: Args) -> ImsClient:
        """The IMS client that is meant. Raises LocalError."""
        try:
            return self.clients[args["imsi"]]
        except KeyError:
            raise LocalError(f"Phone {args['imsi']} makes no calls in LTE.",
                             remedy="Run the simulation with --ims, or give the phone [phone.ims].") from None

    async def _run(self, args: Args, event: Event, procedure: str) -> dict[str, Any]:
        client = self.client(args)
        names = (client.name,) if client.help is None else (client.name, client.help.name)
        said = await self.outcome(names, procedure, event, float(args.get("timeout", SECONDS)))
        return {"imsi": client.imsi, **line(client), "ok": said.startswith("ok")}


def line(client: ImsClient) -> dict[str, Any]:
    """What there is to say of an IMS client."""
    sas = client.secure.sas if client.secure else None
    calls = [*client.calls.values(), *(client.help.calls.values() if client.help is not None else ())]
    return {"ims": client.state.value, "identity": client.impu if client.registered else "",
            "ipsec": f"{sas.alg} {sas.ealg}" if sas else "", "texts": len(client.inbox),
            "calls": [{"with": one.other, "state": one.state.value, "held": one.local.direction == "sendonly",
                       "video": bool(one.local.video),
                       "media": one.stream.summary() if one.stream else None} for one in calls],
            "last_media": client.heard.summary() if client.heard else None, "last": client.last}
