# SPDX-License-Identifier: Apache-2.0
"""A real API server over a stand-in core and stand-in phones, in a thread of this process."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from trace_samples import IMSI, sample

from dialtone.api.__main__ import LOCAL_HOSTS, listen_tcp, listen_unix
from dialtone.api.access import write_private
from dialtone.api.app import create_app
from dialtone.api.visit import Appliance
from dialtone.control import Args, Command, ControlServer
from dialtone.errors import LocalError
from dialtone.lab.client import Client
from dialtone.trace.bus import Bus

TEACHER, CODE = "teachers-token-of-the-tests", "abcd-efgh"
SECRET = "465b5ce8b199b49faa5f0a2ee238a6bc"

BEARER = {"ebi": 6, "apn": "ims", "qci": 1, "teid": 7, "ue_ip": "10.46.0.2", "ue_prefix": "2001:db8:cafe:8001::/64",
          "filters": ["10: both, protocol 17, 192.0.2.7/32:5004 - :6000"], "mbr": [64, 64], "ambr": [0, 0],
          "up_policed": 2, "down_policed": 3, "up_packets": 4, "up_bytes": 400, "down_packets": 5, "down_bytes": 500}


class StandIn:
    """What the core would say."""

    def __init__(self) -> None:
        self.bus = Bus()
        for event in sample():
            self.bus._put(event)
        self.subscribers: dict[str, dict[str, Any]] = {IMSI: {"imsi": IMSI, "k": SECRET, "msisdn": "1001"}}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.broken: set[str] = set()  # commands that have a defect
        self.box: Appliance  # of the server before it

    def commands(self) -> dict[str, Command]:
        return {
            "status": lambda args: {"version": "0.1.0", "uptime_s": 5, "phones": 1, "enbs": [],
                                    "network": {"name": "Dialtone", "mcc": "001", "mnc": "01", "tac": [1]}},
            "ues": lambda args: [{"imsi": IMSI, "emm": "EMM-REGISTERED", "bearers": [BEARER]}],
            "ue.detach": self.note("ue.detach"), "ue.guti": self.note("ue.guti"),
            "enbs": lambda args: [], "leaks": lambda args: {"teids": 0},
            "metrics": lambda args: {"procedures": [[{"procedure": "attach", "result": "ok"}, 3]], "messages": [
                [{"kind": "rx", "point": "S1-MME", "name": 'an "odd\\\n" one'}, 2]]},
            "counters": lambda args: {"events": {"attach ok": 3}, "messages": [
                {"kind": "rx", "point": "S1-MME", "name": 'an "odd" one', "count": 2}]},
            "subscribers.list": lambda args: list(self.subscribers.values()),
            "subscribers.get": self.get, "subscribers.add": self.add, "subscribers.edit": self.note("edit"),
            "subscribers.remove": self.note("remove"), "subscribers.seen": lambda args: [],
            "subscribers.import": self.note("import"), "subscribers.cancel": self.note("cancel"),
            "ims.registrations": lambda args: [], "class.forget": lambda args: {"texts": 2, "events": 9},
            "hss.reset": lambda args: {"mmes": ["mme.example.org"]},
            "profiles.list": lambda args: [{"name": "slow", "ambr": "2M/1M", "apns": ["internet,qci=9"]}],
            **{f"profiles.{verb}": self.change(f"profiles.{verb}") for verb in (
                "get", "add", "edit", "remove", "undo")},
            **{name: self.note(name) for name in (
                "enb.reset", "enb.overload", "enb.capacity", "ue.locate", "warning.send", "warning.stop")},
            "sms.send": self.texts("sms.send"), "sms.broadcast": self.texts("sms.broadcast"),
            "sms.cancel": self.texts("sms.cancel"),
            "sms.list": lambda args: [{"id": 17, "from": "Network", "to": "+1001", "state": "waiting", "text": "Hello",
                                       "why": "the phone is switched off or out of reach"}],
            "sms.progress": lambda args: {"batch": args["batch"], "texts": 3, "waiting": 0, "delivered": 2,
                                          "expired": 0, "failed": 0, "cancelled": 1},
            "warnings": lambda args: [{"identifier": 4380, "serial": 0x4010, "period": 5, "text": "a test"}],
        }

    def note(self, name: str) -> Command:
        def command(args: Args) -> dict[str, Any]:
            if name in self.broken:
                raise ZeroDivisionError(str(args))
            self.asked.append((name, dict(args)))
            return {"done": name}

        return command

    def done(self, name: str) -> Command:
        def command(args: Args) -> dict[str, Any]:
            self.asked.append((name, dict(args)))
            return {"imsi": args["imsi"], "last": "done", "ok": args.get("text") != "fails"}

        return command

    def texts(self, name: str) -> Command:
        def command(args: Args) -> dict[str, Any]:
            self.asked.append((name, dict(args)))
            dry = bool(args.get("dry_run"))
            return {"to": [{"imsi": IMSI, "msisdn": "1001"}] if name == "sms.broadcast" else IMSI, "dry_run": dry,
                    "batch": "" if dry else "17-18", "parts": 2, "cancelled": 2}

        return command

    def change(self, name: str) -> Command:
        def command(args: Args) -> dict[str, Any]:
            self.asked.append((name, dict(args)))
            return {"name": args["name"], "changes": ["ambr: 1G/1G -> 2M/1M"], "subscribers": 3, "live": 1,
                    "written": not args.get("dry_run")}

        return command

    def get(self, args: Args) -> dict[str, Any]:
        if args["imsi"] not in self.subscribers:
            raise LocalError(f"There is no subscriber {args['imsi']}.", remedy="Add it: dialtone subscriber add.")
        return self.subscribers[args["imsi"]]

    def add(self, args: Args) -> dict[str, Any]:
        if args["imsi"] in self.subscribers:
            raise LocalError(f"Subscriber {args['imsi']} is there already.", remedy="Edit it.")
        self.subscribers[args["imsi"]] = dict(args)
        return dict(args)

    def sim(self) -> dict[str, Command]:
        return {"sim.status": lambda args: [{"imsi": IMSI, "emm": "EMM-DEREGISTERED", "last": ""}],
                "sim.attach": self.note("attach"), "sim.detach": self.note("detach"), "sim.break": self.note("break"),
                "sim.idle": self.note("idle"), "sim.service": self.note("service"), "sim.update": self.note("update"),
                "sim.power": self.note("power"), "sim.handover": self.note("handover"),
                "sim.sms": self.done("sms"), "sim.memory": self.done("memory"),
                "sim.inbox": lambda args: [{"from": "+1001", "text": "Hello", "over": "IP"}],
                "sim.sent": lambda args: [{"to": "+1002", "reference": 0, "state": "received by the phone"}],
                "sim.reset": lambda args: [{"imsi": IMSI}], "sim.enbs": lambda args: [{"name": "sim-enb1", "s1": "up"}],
                "sim.exec": lambda args: {"code": 0, "stdout": " ".join(args["argv"]), "stderr": ""}}


def token_of(url: str, token: str | None = None) -> tuple[str, dict[str, str]]:
    """A URL without its token, and the header that says it; or another `token`, or none with ""."""
    client = Client(url)
    token = client.token if token is None else token
    return client.url, {"Authorization": f"Bearer {token}"} if token else {}


@contextmanager
def serving(run: Path) -> Iterator[tuple[StandIn, str]]:
    """The stand-in, and the URL of the API over it, with the teacher's token in it."""
    write_private(run / "access.json", {"teacher": TEACHER, "code": CODE, "students": {}})
    stand_in, ready, stop = StandIn(), threading.Event(), threading.Event()
    tcp = listen_tcp("127.0.0.1:0")
    sockets = [tcp, listen_unix(run / "api.sock")]

    async def main() -> None:
        core = ControlServer(run / "core.sock", stand_in.commands(), stand_in.bus)
        sim = ControlServer(run / "sim.sock", stand_in.sim())
        await core.start()
        await sim.start()
        app = create_app(run, LOCAL_HOSTS, run)
        stand_in.box = app.state.appliance
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, log_level="warning",
                                               timeout_graceful_shutdown=1))
        task = asyncio.create_task(server.serve(sockets=sockets))
        while not server.started:
            await asyncio.sleep(0.01)
        ready.set()
        while not stop.is_set():
            await asyncio.sleep(0.02)
            if stand_in_stops(stand_in):
                await core.close()
        server.should_exit = True
        await task
        await core.close()
        await sim.close()

    thread = threading.Thread(target=asyncio.run, args=(main(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield stand_in, f"http://:{TEACHER}@127.0.0.1:{tcp.getsockname()[1]}"
    finally:
        stop.set()
        thread.join(10)


def stand_in_stops(stand_in: StandIn) -> bool:
    """Whether a test has asked the core to die; true once."""
    asked = getattr(stand_in, "die", False)
    stand_in.die = False  # type: ignore[attr-defined]
    return bool(asked)
