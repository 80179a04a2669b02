# SPDX-License-Identifier: Apache-2.0
"""What the control socket can be asked to do with eNBs: reset, overload, location, public warnings."""

from typing import TYPE_CHECKING, Any

from dialtone.codec import cbs
from dialtone.codec.s1ap import EventType, OverloadAction
from dialtone.control import Args, Command
from dialtone.errors import LocalError
from dialtone.mme.context import Enb
from dialtone.mme.location_reporting import LocateUe
from dialtone.mme.mme_configuration import SetCapacity
from dialtone.mme.overload import SetOverload
from dialtone.mme.reset import ResetEnb
from dialtone.mme.warning import SendWarning, StopWarning

if TYPE_CHECKING:
    from dialtone.wiring import Core

TEST_MESSAGE = 4380
"""Message identifier of a test of the public warning system (TS 23.041, 9.4.1.2.2): phones show it where tests are
switched on in their settings."""


class RadioCommands:
    """The commands by name; what comes of them is a verdict in the trace."""

    def __init__(self, core: "Core") -> None:
        self.core = core

    def table(self) -> dict[str, Command]:
        """By name, for the control server."""
        return {"ue.locate": self.locate, "enb.reset": self.reset, "enb.overload": self.overload,
                "enb.capacity": self.capacity, "warnings": self.warnings, "warning.send": self.warning_send,
                "warning.stop": self.warning_stop}

    def locate(self, args: Args) -> Any:
        """Ask the eNB for the phone's cell: once, with `follow` at each change, with `stop` no longer."""
        imsi = str(args["imsi"])
        if imsi not in self.core.mme.by_imsi:
            raise LocalError(f"{imsi} is not registered.", remedy="`dialtone ue list` shows who is.")
        kind = EventType.CHANGE_OF_SERVE_CELL if args.get("follow") else EventType.DIRECT
        if args.get("stop"):
            kind = EventType.STOP_CHANGE_OF_SERVE_CELL
        self.core.loop.tell("mme", LocateUe(imsi, kind))
        return {}

    def reset(self, args: Args) -> Any:
        """Reset the connections of an eNB: all, or those of `imsis`."""
        enb = self._enb(str(args["enb"]))
        self.core.loop.tell("mme", ResetEnb(enb.peer, tuple(args.get("imsis", ()))))
        return {}

    def overload(self, args: Args) -> Any:
        """Ask all eNBs to keep phones away by `action` (a name of TS 36.413, 9.2.3.20), or none of it any longer."""
        names = {action.name.lower().replace("_", "-"): action for action in OverloadAction}
        action = args.get("action")
        if action is not None and action not in names:
            raise LocalError(f"There is no overload action {action!r}.", remedy=f"They are: {', '.join(names)}.")
        self.core.loop.tell("mme", SetOverload(names[action] if action else None))
        return {}

    def capacity(self, args: Args) -> Any:
        """Our relative capacity among the MMEs of the eNBs, 0 to 255."""
        self.core.loop.tell("mme", SetCapacity(_within(args["capacity"], 255, "relative capacity")))
        return {}

    def warnings(self, args: Args) -> Any:
        """The public warnings that stand."""
        return [{"identifier": number, "serial": request.serial_number, "period": request.repetition_period,
                 "text": cbs.decode(cbs.CodedText(request.data_coding_scheme or 0,
                                                  request.warning_message_contents or b"\0"))}
                for number, request in self.core.mme.warnings.items()]

    def warning_send(self, args: Args) -> Any:
        """Broadcast `text` as message `identifier` every `period` seconds, in the areas `tacs` or everywhere."""
        self.core.loop.tell("mme", SendWarning(
            _within(args.get("identifier", TEST_MESSAGE), 0xFFFF, "message identifier"), cbs.encode(str(args["text"])),
            _within(args.get("period", 5), 4095, "period"), _within(args.get("broadcasts", 0), 65535, "number"),
            tuple(_within(tac, 0xFFFF, "TAC") for tac in args.get("tacs", ()))))
        return {}

    def warning_stop(self, args: Args) -> Any:
        """Stop the message `identifier`."""
        identifier = args.get("identifier", TEST_MESSAGE)
        if identifier not in self.core.mme.warnings:
            raise LocalError(f"No message {identifier} is broadcast.", remedy="`dialtone warning list` shows all.")
        self.core.loop.tell("mme", StopWarning(identifier))
        return {}

    def _enb(self, name: str) -> Enb:
        for enb in self.core.mme.enbs.values():
            if name in (enb.name, enb.peer, str(enb.enb_id)):
                return enb
        raise LocalError(f"There is no eNB {name!r}.", remedy="`dialtone enb list` shows all.")


def _within(value: Any, most: int, what: str) -> int:
    if not isinstance(value, int) or not 0 <= value <= most:
        raise LocalError(f"{value!r} is no {what}.", remedy=f"Choose 0 to {most}.")
    return value
