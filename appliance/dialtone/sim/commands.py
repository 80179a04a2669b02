# SPDX-License-Identifier: Apache-2.0
"""The commands of `sim.sock`: status, attach, detach, open, close, power, break, idle, service, update, exec, enb;
those of IMS are in ims/commands.py."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dialtone.codec.ipfilter import FilterRule
from dialtone.codec.nas.bitrates import EpsQos
from dialtone.codec.tft import Direction
from dialtone.control import Args, Command
from dialtone.effects import Event
from dialtone.errors import LocalError
from dialtone.ids import Plmn, Tai
from dialtone.loop import Loop
from dialtone.sim import pdn, resource
from dialtone.sim.attach import AttachCommand
from dialtone.sim.configuration import UpdateCommand
from dialtone.sim.detach import DetachCommand
from dialtone.sim.enb import Enb
from dialtone.sim.faults import Faults
from dialtone.sim.ims.client import ImsClient
from dialtone.sim.ims.commands import ImsCommands, line
from dialtone.sim.ims.registration import DeregisterCommand
from dialtone.sim.ims.sms import MEMORY, SMS, SmsCommand
from dialtone.sim.moving import HandOver, Neighbour
from dialtone.sim.network import Bearers
from dialtone.sim.pdn import ClosePdn, OpenPdn
from dialtone.sim.phone import Cell, Phone
from dialtone.sim.power import BreakCommand, MoveCommand, PowerCycle
from dialtone.sim.resource import AskForBearer
from dialtone.sim.s1_setup import AnnounceCommand
from dialtone.sim.service import MO_CS_FALLBACK, PACKET_SERVICES, ServiceCommand
from dialtone.sim.sms import TextCommand
from dialtone.sim.states import EmmState
from dialtone.sim.texts import MemoryCommand
from dialtone.sim.tracking import UPDATE, AreaUpdateCommand
from dialtone.sim.ue_context import InactivityCommand
from dialtone.trace import bus

PROCEDURE_SECONDS = 55.0
EXEC_SECONDS = 60.0
OUTPUT_LIMIT = 1 << 20  # octets of each stream that are kept

_INSIDE = 'mount --bind "$0" /etc/resolv.conf 2>/dev/null; exec "$@"'
"""Runs in a mount namespace of its own: the phone has the name server that the network gave it."""


class Commands:
    """Bound to one loop with its eNBs and phones."""

    def __init__(self, loop: Loop, enbs: list[Enb], phones: list[Phone], bearers: Bearers,
                 namespace_of: Callable[[str], str], run: Path, clients: dict[str, ImsClient] | None = None) -> None:
        self.loop = loop
        self.ims = ImsCommands(clients or {}, self._outcome)
        self.enbs = {enb.config.enb_name: enb for enb in enbs}
        self.phones = {phone.imsi: phone for phone in phones}
        self.bearers = bearers
        self.namespace_of = namespace_of
        self.run = run
        self._waiting: list[tuple[tuple[str, ...], str, asyncio.Future[str]]] = []  # elements, procedure, its verdict
        loop.bus.listeners.append(self._heard)

    def table(self) -> dict[str, Command]:
        """By name, for the control server."""
        return {"sim.status": self.status, "sim.attach": self.attach, "sim.detach": self.detach,
                "sim.open": self.open, "sim.close": self.close_pdn, "sim.ask": self.ask, "sim.drop": self.drop,
                "sim.power": self.power, "sim.reset": self.reset,
                "sim.break": self.break_, "sim.idle": self.idle,
                "sim.service": self.service, "sim.update": self.update,
                "sim.exec": self.exec, "sim.enb": self.announce, "sim.enbs": self.list_enbs,
                "sim.handover": self.handover, "sim.sms": self.sms, "sim.inbox": self.inbox,
                "sim.sent": self.sent, "sim.memory": self.memory, **self.ims.table()}

    def close(self) -> None:
        """Hear nothing more, and remove what `exec` wrote."""
        self.loop.bus.listeners.remove(self._heard)
        for imsi in self.phones:
            self._resolver(imsi).unlink(missing_ok=True)

    # ---- commands --------------------------------------------------------------------------------------

    def status(self, args: Args) -> list[dict[str, Any]]:
        """{} -> one line a phone."""
        return [self._line(phone) for phone in self.phones.values()]

    async def attach(self, args: Args) -> dict[str, Any]:
        """{imsi, manual=false} -> the phone's line with `ok`, when the attach has succeeded or failed.

        `manual`: the PLMN is selected by hand, which a forbidden one asks for.
        """
        return await self._run(args, AttachCommand(bool(args.get("manual", False))), "attach")

    async def detach(self, args: Args) -> dict[str, Any]:
        """{imsi, switch_off=false} -> the phone's line with `ok`. A phone that is in IMS leaves that first."""
        phone, command = self._phone(args), DetachCommand(bool(args.get("switch_off", False)))
        client = self.ims.clients.get(phone.imsi)
        if client is None or not client.registered:
            return await self._run(args, command, "detach")
        said = await self._outcome((client.name, phone.name), "detach", DeregisterCommand(command),
                                   float(args.get("timeout", PROCEDURE_SECONDS)))
        return {**self._line(phone), "ok": said.startswith("ok")}

    async def open(self, args: Args) -> dict[str, Any]:
        """{imsi, apn} -> the phone's line with `ok`: another PDN connection."""
        return await self._run(args, OpenPdn(str(args["apn"])), pdn.OPEN)

    async def close_pdn(self, args: Args) -> dict[str, Any]:
        """{imsi, apn} -> the phone's line with `ok`: one PDN connection less."""
        return await self._run(args, ClosePdn(str(args["apn"])), pdn.CLOSE)

    async def ask(self, args: Args) -> dict[str, Any]:
        """{imsi, apn="internet", qci=8, gbr=0, mbr=0, filters} -> the phone's line: it asks for a dedicated bearer."""
        flows = [FilterRule.from_text(str(text)) for text in args["filters"]]
        gbr = int(args.get("gbr", 0))
        mbr = int(args.get("mbr", 0)) or gbr
        filters = tuple(flow.packet_filter(number, 128 + number, Direction.BIDIRECTIONAL)
                        for number, flow in enumerate(flows, 1))
        qos = EpsQos.of(int(args.get("qci", 8)), mbr, mbr, gbr, gbr)
        return await self._run(args, AskForBearer(str(args.get("apn", "internet")), qos, filters), resource.RESOURCE)

    async def drop(self, args: Args) -> dict[str, Any]:
        """{imsi, ebi} -> the phone's line: it gives a dedicated bearer back, by all of its packet filters."""
        bearer = self._phone(args).dedicated.get(int(args["ebi"]))
        if bearer is None:
            raise LocalError(f"The phone has no bearer {args['ebi']}.", remedy="`dialtone sim list --json` shows all.")
        return await self._run(args, resource.drop(bearer.ebi, *bearer.filters), resource.RESOURCE)

    async def sms(self, args: Args) -> dict[str, Any]:
        """{imsi, to, text, report=false, over="auto"} -> the phone's line with `ok`: a text, whole or in parts.

        `over`: "ip" or "nas"; "auto" is over IP where the phone is registered to IMS, as real ones do it.
        """
        words = str(args["to"]), str(args["text"]), bool(args.get("report", False))
        client = self._over_ip(args)
        if client is None:
            return await self._run(args, TextCommand(*words), "text")
        return await self._in_ims(args, client, SmsCommand(*words), SMS)

    async def memory(self, args: Args) -> dict[str, Any]:
        """{imsi, full, over="auto"} -> the phone's line: its memory is full, or there is room again (RP-SMMA)."""
        phone, client, event = self._phone(args), self._over_ip(args), MemoryCommand(bool(args["full"]))
        if event.full:
            self.loop.tell(phone.name, event)
            return {**self._line(phone), "ok": True}
        if client is None:
            return await self._run(args, event, MEMORY)
        return await self._in_ims(args, client, event, MEMORY)

    def _over_ip(self, args: Args) -> ImsClient | None:
        """The phone's IMS client, where that is to carry a short message. Raises LocalError."""
        over, client = str(args.get("over", "auto")), self.ims.clients.get(self._phone(args).imsi)
        if over == "ip":
            return self.ims.client(args)
        if over not in ("auto", "nas"):
            raise LocalError(f"Short messages do not go over {over!r}.", remedy="Say ip, nas or auto.")
        return client if over == "auto" and client is not None and client.registered else None

    async def _in_ims(self, args: Args, client: ImsClient, event: Event, procedure: str) -> dict[str, Any]:
        said = await self._outcome((client.name,), procedure, event, float(args.get("timeout", PROCEDURE_SECONDS)))
        return {**self._line(self._phone(args)), "ok": said.startswith("ok")}

    def inbox(self, args: Args) -> list[dict[str, Any]]:
        """{imsi} -> the short messages that came, long ones whole, with the path of each."""
        return [{"from": one.sender, "text": one.text, "over": one.path} for one in self._phone(args).texts.messages()]

    def sent(self, args: Args) -> list[dict[str, Any]]:
        """{imsi} -> the latest short messages, or their parts, that the phone sent, and what it knows of them."""
        return [{"to": one.to, "reference": one.reference, "state": one.said} for one in self._phone(args).texts.sent]

    async def power(self, args: Args) -> dict[str, Any]:
        """{imsi}: switch off without a word and on again, which forgets sticky causes."""
        self._tell_ims(args, PowerCycle())
        return await self._run(args, PowerCycle(), "power")

    async def reset(self, args: Args) -> list[dict[str, Any]]:
        """{} -> every phone's line: mended, switched off, without a text."""
        for phone in self.phones.values():
            one = Args(imsi=phone.imsi, switch_off=True, timeout=5.0, fault=None)
            self.break_(one)
            if phone.emm is not EmmState.DEREGISTERED:
                await self.detach(one)
            phone.texts.inbox.clear()
            phone.texts.sent.clear()
            if client := self.ims.clients.get(phone.imsi):
                client.inbox.clear()
                client.last = ""
        return self.status(args)

    def break_(self, args: Args) -> dict[str, Any]:
        """{imsi, fault: name or null}: have a fault, or none."""
        phone = self._phone(args)
        Faults.named(args["fault"])  # says now what the faults are
        self.loop.tell(phone.name, BreakCommand(args["fault"]))
        self._tell_ims(args, BreakCommand(args["fault"]))
        return {"imsi": phone.imsi, "fault": args["fault"]}

    def idle(self, args: Args) -> dict[str, Any]:
        """{imsi}: the eNB asks for the release of a quiet phone."""
        phone = self._phone(args)
        self.loop.tell(phone.cell.enb, InactivityCommand(phone.name))
        return self._line(phone)

    async def service(self, args: Args) -> dict[str, Any]:
        """{imsi, extended=false, call=false} -> the phone's line with `ok`: it asks for its bearers.

        `extended`: by an Extended service request; `call`: for a call in a circuit switched network.
        """
        call = bool(args.get("call", False))
        command = ServiceCommand(call or bool(args.get("extended", False)), MO_CS_FALLBACK if call else PACKET_SERVICES)
        return await self._run(args, command, "service request")

    async def update(self, args: Args) -> dict[str, Any]:
        """{imsi, active=false, periodic=false} -> the phone's line with `ok`: a tracking area update."""
        command = AreaUpdateCommand(bool(args.get("active", False)), bool(args.get("periodic", False)))
        return await self._run(args, command, UPDATE)

    async def handover(self, args: Args) -> dict[str, Any]:
        """{imsi, enb, s1=false, forward=true, direct=true} -> the phone's line with `ok`, when it has arrived or stays.

        By X2, or with `s1` by way of the MME. Without `forward` what comes for the phone meanwhile is lost; without
        `direct` it goes by way of the gateway.
        """
        phone, target = self._phone(args), self._enb(args)
        source = phone.cell.enb
        event = HandOver(phone.name, Neighbour(target.name, target.config), bool(args.get("s1", False)),
                         bool(args.get("forward", True)), bool(args.get("direct", True)))
        said = await self._outcome((source, target.name), "handover", event,
                                   float(args.get("timeout", PROCEDURE_SECONDS)))
        return {**self._line(phone), "ok": said.startswith("ok"), "handover": said}

    async def announce(self, args: Args) -> dict[str, Any]:
        """{enb, plmn, tac, keep=false}, all optional: the cell broadcasts these, and its phones camp on it.

        -> the eNB's line, with a new S1 Setup done or refused; with `keep` by an eNB Configuration Update, which
        leaves the phones connected.
        """
        enb = self._enb(args)
        tai = enb.config.tai
        plmn = Plmn.from_text(args["plmn"]) if "plmn" in args else tai.plmn
        tac = args.get("tac", tai.tac)
        if not isinstance(tac, int) or not 1 <= tac <= 0xFFFD:
            raise LocalError(f"{tac!r} is no TAC.", remedy="Choose 1 to 65533.")
        areas = ((tac, (plmn,)),)
        if args.get("keep"):
            await self._outcome((enb.name,), "eNB configuration update", UpdateCommand(areas), PROCEDURE_SECONDS)
        elif "plmn" in args or "tac" in args:
            for phone in self.phones.values():
                if phone.cell.enb == enb.name:
                    self.loop.tell(phone.name, MoveCommand(Cell(enb.name, Tai(plmn, tac))))
            await self._outcome((enb.name,), "S1 Setup", AnnounceCommand(areas), PROCEDURE_SECONDS)
        return self._enb_line(enb)

    def list_enbs(self, args: Args) -> list[dict[str, Any]]:
        """{} -> one line an eNB."""
        return [self._enb_line(enb) for enb in self.enbs.values()]

    async def exec(self, args: Args) -> dict[str, Any]:
        """{imsi, argv, timeout=60} -> {code, stdout, stderr} of a program in the phone's namespace."""
        phone, argv = self._phone(args), args["argv"]
        if not isinstance(argv, list) or not argv or not all(isinstance(word, str) for word in argv):
            raise LocalError("argv is a list of words.", remedy='Give ["ping", "-c1", "10.45.0.1"].')
        resolver = self._resolver(phone.imsi)
        servers = [server for pdn in phone.pdns.values() for server in pdn.dns]
        resolver.write_text("".join(f"nameserver {server}\n" for server in servers))
        process = await asyncio.create_subprocess_exec(
            "nsenter", f"--net=/run/netns/{self.namespace_of(phone.imsi)}", "unshare", "--mount",
            "sh", "-c", _INSIDE, str(resolver), *argv,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            start_new_session=True)
        try:
            seconds = float(args.get("timeout", EXEC_SECONDS))
            out, err = await asyncio.wait_for(process.communicate(), seconds)
        except TimeoutError:
            raise LocalError(f"{argv[0]} did not end within {seconds:g} s.", remedy="Give a longer timeout.") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
        return {"code": process.returncode, "stdout": _text(out), "stderr": _text(err)}

    # ---- inside ------------------------------------------------------------------------------------------

    def _tell_ims(self, args: Args, event: Event) -> None:
        """What concerns the phone as a whole concerns its IMS client, too."""
        client = self.ims.clients.get(args["imsi"])
        if client is not None:
            self.loop.tell(client.name, event)

    def _phone(self, args: Args) -> Phone:
        try:
            return self.phones[args["imsi"]]
        except KeyError:
            known = ", ".join(self.phones)
            raise LocalError(f"There is no phone {args['imsi']}.", remedy=f"The phones are: {known}.") from None

    def _enb(self, args: Args) -> Enb:
        name = args.get("enb") or next(iter(self.enbs))
        if name not in self.enbs:
            raise LocalError(f"There is no eNB {name!r}.", remedy=f"The eNBs are: {', '.join(self.enbs)}.")
        return self.enbs[name]

    def _enb_line(self, enb: Enb) -> dict[str, Any]:
        return {"enb": enb.name, "name": enb.config.enb_name, "plmn": str(enb.config.tai.plmn),
                "tac": enb.config.tai.tac, "address": str(enb.config.address), "s1": enb.s1.value,
                "refusal": enb.refusal, "phones": len(enb.by_phone)}

    def _line(self, phone: Phone) -> dict[str, Any]:
        address, client = self.bearers.address(phone.name), self.ims.clients.get(phone.imsi)
        said = {} if client is None else {"ims": client.state.value, "in_ims": line(client)}
        return {"imsi": phone.imsi, "emm": phone.emm.value, "ip": "" if address is None else str(address),
                "connected": phone.connected, "enb": phone.cell.enb, "netns": self.namespace_of(phone.imsi),
                "network": phone.network_name, "last": phone.last, **said,
                "pdns": [{"ebi": pdn.ebi, "apn": pdn.apn, "ip": str(pdn.address or ""), "qci": pdn.qci}
                         for pdn in phone.pdns.values()],
                "bearers": [{"ebi": bearer.ebi, "linked": bearer.linked, "qci": bearer.qos.qci,
                             "filters": len(bearer.filters)} for bearer in phone.dedicated.values()]}

    def _resolver(self, imsi: str) -> Path:
        return self.run / f"resolv-{imsi}.conf"

    async def _run(self, args: Args, command: Event, procedure: str) -> dict[str, Any]:
        phone = self._phone(args)
        said = await self._outcome((phone.name,), procedure, command, float(args.get("timeout", PROCEDURE_SECONDS)))
        return {**self._line(phone), "ok": said.startswith("ok")}

    async def _outcome(self, elements: tuple[str, ...], procedure: str, command: Event, seconds: float) -> str:
        """Tell the first element to do something, and wait for the verdict of one of them."""
        verdict: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        entry = (elements, procedure, verdict)
        self._waiting.append(entry)
        self.loop.tell(elements[0], command)
        try:
            return await asyncio.wait_for(verdict, seconds)
        except TimeoutError:
            raise LocalError(f"{procedure} of {elements[0]} did not end within {seconds:g} s.",
                             remedy="Look at the trace.") from None
        finally:
            self._waiting.remove(entry)

    def _heard(self, event: bus.Event) -> None:
        if event.point != "verdict":
            return
        for elements, procedure, verdict in self._waiting:
            if event.src in elements and event.name == procedure and not verdict.done():
                verdict.set_result(event.info)


def _text(octets: bytes) -> str:
    return octets[:OUTPUT_LIMIT].decode(errors="replace")
