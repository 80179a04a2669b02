# SPDX-License-Identifier: Apache-2.0
"""The lab as notebooks see it: small, and the same over a live network and over a recording."""

import difflib
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dialtone.errors import LocalError
from dialtone.lab import checks
from dialtone.lab.client import Client, Unreachable, find
from dialtone.lab.look import examine, flow, read
from dialtone.lab.provision import Labels, form
from dialtone.lab.replay import FIRST, Replay
from dialtone.lab.sandbox import Sandbox
from dialtone.lab.show import Table, Text
from dialtone.lab.source import Source
from dialtone.sim.ims.states import RegistrationState
from dialtone.trace.bus import Event
from dialtone.trace.names import UE, role

if TYPE_CHECKING:
    from dialtone.lab.widget import LadderWidget

_KINDS = {"replay": "a recording", "sandbox": "a sandbox, a whole network in this notebook"}
CONNECTION_SECONDS = 20
MOST = 10_000  # events of one answer of the API
_TRACE_COLUMNS = ("id", "point", "src", "dst", "name", "imsi", "info")

Compared = int | str | list[dict[str, Any]]


def event_of(found: dict[str, Any]) -> Event:
    """The event that the API describes; its octets only where they were asked for."""
    octets = {name: bytes.fromhex(found.get(name, "")) for name in ("data", "plain")}
    return Event(*((found | octets)[name] for name in Event._fields))


class Lab:
    """What `connect()` returns."""

    def __init__(self, source: Client | Source) -> None:
        self.source = source
        self.subscribers = Subscribers(source)
        self.sms = Sms(source)
        self.simulate = Simulate(source)

    @property
    def replaying(self) -> bool:
        """Whether a recording answers instead of a network."""
        return isinstance(self.source, Replay)

    def __repr__(self) -> str:
        return f"<Dialtone lab: {_KINDS.get(self.source.url, self.source.url)}>"

    def status(self) -> Table:
        """The network and its parts."""
        found = self.source.get("/status")
        return Table([{"what": name, "value": value} for name, value in found.items()])

    def ues(self) -> Table:
        """The phones that the network knows."""
        return Table(self.source.get("/ues"))

    def enbs(self) -> Table:
        """The eNBs that have set up S1."""
        return Table(self.source.get("/enbs"))

    def sas(self, imsi: str) -> Table:
        """The IPsec security associations between a phone and the P-CSCF, four to a set."""
        phones = [phone for phone in self.source.get("/ipsec/phones") if phone["imsi"] == imsi]
        return Table([{"set": one["use"], **sa, "integrity": one["alg"], "encryption": one["ealg"]}
                      for phone in phones for one in phone["sets"] for sa in one["sas"]],
                     ("set", "spi", "from", "to", "integrity", "encryption"))

    def leaks(self) -> Table:
        """What is in use: nothing, when no phone is attached."""
        return Table([{"what": name, "in use": value} for name, value in self.source.get("/leaks").items()])

    def trace(self, imsi: str = "", point: str = "", since: int = 0, limit: int = 1000) -> Table:
        """The events of the trace, oldest first."""
        found = self.source.get("/trace", imsi=imsi, point=point, since=since, limit=limit)["events"]
        return Table(found, _TRACE_COLUMNS)

    def messages(self, name: str, imsi: str = "", point: str = "") -> list[int]:
        """The ids of the messages called `name`, oldest first."""
        found = self.trace(imsi, point, limit=MOST)
        return [event["id"] for event in found if event["name"] == name and event["kind"] != "done"]

    def events(self, imsi: str = "", octets: bool = False) -> list[Event]:
        """The trace as events, for programs."""
        found = self.source.get("/trace", imsi=imsi, limit=MOST, octets=octets)["events"]
        return [event_of(event) for event in found]

    def message(self, number: int) -> dict[str, Any]:
        """Everything about one message."""
        found: dict[str, Any] = self.source.get(f"/trace/{int(number)}")
        return found

    def packet(self, number: int) -> Any:
        """One message as this program's own object, its fields as attributes."""
        found = self.message(number)
        octets = bytes.fromhex(found["plain"] or found["data"])
        return read(found["point"], octets, downlink=role(found["point"], found["dst"]) == UE)

    def decode(self, number: int) -> Text:
        """One message as a text tree."""
        found = self.message(number)
        return Text(f"{found['name']}  ({found['clause']})\n{found['decode']}")

    def hex(self, number: int) -> Text:
        """The octets of one message as they were on the wire."""
        return Text(self.message(number)["hex"])

    def explain(self, number: int) -> Text:
        """What one message is for, and what goes wrong with it."""
        found = self.message(number)
        return Text(found["explain"] or f"{found['name']}: see {found['clause'] or 'the specification'}.")

    def diff(self, a: Compared, b: Compared) -> Text:
        """What is different: two messages bit by bit, two traces message by message, or two texts line by line."""
        def lines(one: Compared) -> list[str]:
            if isinstance(one, str):
                return one.splitlines()
            return self.decode(one).splitlines() if isinstance(one, int) else flow(one)

        found = list(difflib.unified_diff(lines(a), lines(b), "first", "second", lineterm="", n=2))
        return Text("\n".join(found[2:]) or "There is no difference.")

    def diagnose(self, imsi: str = "") -> Table:
        """Why it failed, or that it did not: cause, evidence, remedy."""
        return Table(self.source.get("/diagnose", imsi=imsi), ("level", "line", "change", "evidence"))

    def ladder(self, imsi: str = "", live: bool = True) -> "LadderWidget":
        """The live picture of one phone, or of all; click a message to take it apart."""
        from dialtone.lab.widget import LadderWidget

        return LadderWidget(self, imsi, live)

    def export(self, path: Path | str, imsi: str = "") -> Path:
        """Write the trace as pcapng, for Wireshark."""
        target = Path(path)
        target.write_bytes(self.source.get("/trace.pcapng", imsi=imsi))
        return target

    def record(self, path: Path | str, **notes: Any) -> Path:
        """Write the trace as a recording, for `connect("file")` on any laptop."""
        from dialtone.trace import record

        log = list(self.source.log) if isinstance(self.source, Sandbox) else []
        record.write(path, self.events(octets=True), **notes, log=log)
        return Path(path)

    def doctor(self) -> Table:
        """What this lab has, and what to do about the rest."""
        return Table(examine(self.source))

    def check(self, question: str, answer: Any) -> bool:
        """Check an answer; says what it thinks of it."""
        right, text = checks.check(question, answer, self._field)
        print(text)
        if isinstance(self.source, Client) and self.source.nickname and answer not in (None, ...):
            shown = answer.hex() if isinstance(answer, bytes) else str(answer)
            self.source.post("/class/answers", {"question": question, "answer": shown, "seen": right})
        return right

    def join(self, nickname: str) -> None:
        """Join the class by a name of your own: the teacher sees how far you are with the questions."""
        if not isinstance(self.source, Client):
            raise LocalError("There is no class here.", remedy="connect('http://dialtone.local', CODE)")
        self.source.login(nickname)

    def _field(self, name: str, field: str) -> set[str]:
        """What a field was in the messages of that name, as text; octets in hexadecimal."""
        values = [getattr(self.packet(number), field) for number in self.messages(name)]
        return {value.hex() if isinstance(value, bytes) else str(value) for value in values}


class Subscribers:
    """`lab.subscribers`: the people of the network. Keys go in and never come out."""

    def __init__(self, source: Client | Source) -> None:
        self._source = source

    def list(self) -> Table:
        """All of them."""
        return Table(self._source.get("/subscribers"))

    def get(self, imsi: str) -> dict[str, Any]:
        """One of them."""
        found: dict[str, Any] = self._source.get(f"/subscribers/{imsi}")
        return found

    def add(self, imsi: str, **fields: str) -> Any:
        """Add one: `add("001010000000004", k=..., opc=...)`, or `op=` in place of `opc=`."""
        return self._source.post("/subscribers", {"imsi": imsi, **fields})

    def form(self) -> Any:
        """A form to add one."""
        return form(self.add)

    def labels(self) -> Labels:
        """A sheet of labels with QR codes."""
        return Labels(self.list())

    def edit(self, imsi: str, **fields: str) -> Any:
        """Change some fields."""
        return self._source.request("PATCH", f"/subscribers/{imsi}", body=fields)

    def remove(self, imsi: str) -> Any:
        """Take one out."""
        return self._source.request("DELETE", f"/subscribers/{imsi}")

    def seen(self) -> Table:
        """IMSIs that tried to attach and are nobody's."""
        return Table(self._source.get("/subscribers/seen"))

    def import_csv(self, path: Path | str, dry_run: bool = True, overwrite: bool = False) -> Any:
        """Read a CSV file; by default only say what would happen."""
        return self._source.post("/subscribers:import", Path(path).read_bytes(), dry_run=dry_run,
                                 overwrite=overwrite)


class Sms:
    """`lab.sms`: texts."""

    def __init__(self, source: Client | Source) -> None:
        self._source = source

    def send(self, to: str, text: str, sender: str | None = None) -> Any:
        """Send a text to a number or an IMSI."""
        return self._source.post("/sms", {"to": to, "text": text, "sender": sender})

    def broadcast(self, text: str, tag: str = "", dry_run: bool = True) -> Any:
        """A text to all phones, or to those with a tag; by default only say to whom."""
        return self._source.post("/sms:broadcast", {"text": text, "tag": tag, "dry_run": dry_run})

    def progress(self, batch: str) -> Any:
        """How far texts are that were sent together; `batch` is what `send` and `broadcast` answered."""
        return self._source.get("/sms/progress", batch=batch)

    def cancel(self, batch: str) -> Any:
        """Take back what waits of them."""
        return self._source.post("/sms:cancel", {"batch": batch})

    def list(self, imsi: str = "", limit: int = 100) -> Table:
        """The latest texts, and what became of them."""
        return Table(self._source.get("/sms", imsi=imsi, limit=limit))


class Simulate:
    """`lab.simulate`: the simulated phones."""

    def __init__(self, source: Client | Source) -> None:
        self._source = source

    def phones(self) -> Table:
        """All of them, and their state."""
        return Table(self._source.get("/sim/phones"))

    def enbs(self) -> Table:
        """The simulated eNBs, and their state."""
        return Table(self._source.get("/sim/enbs"))

    def announce(self, enb: str, **areas: Any) -> Any:
        """Let an eNB broadcast another `plmn` or `tac`: it sets up S1 anew."""
        return self._source.post(f"/sim/enbs/{enb}:announce", areas)

    def again(self, number: int, octets: bytes) -> None:
        """Send a message of the trace again, as you have changed it: in a sandbox only."""
        if not isinstance(self._source, Source):
            raise LocalError("Messages are changed in a sandbox only.", remedy='Make one: connect("sandbox").')
        self._source.again(number, octets)

    def wait(self, seconds: float) -> None:
        """Let time pass: in a sandbox and in a recording at once."""
        self._source.wait(seconds)

    def attach(self, imsi: str) -> Any:
        """Switch a phone on and let it attach."""
        return self._do(imsi, "attach")

    def register(self, imsi: str) -> Any:
        """Let a phone register to IMS, or refresh its registration. Its IMS connection, which comes shortly after an
        attach, is waited for."""
        for _ in range(CONNECTION_SECONDS):
            found = self._do(imsi, "register")
            if found["ims"] != RegistrationState.NO_CONNECTION:
                break
            self.wait(1)
        return found

    def deregister(self, imsi: str) -> Any:
        """Let a phone leave IMS."""
        return self._do(imsi, "deregister")

    def call(self, imsi: str, to: str) -> Any:
        """A phone calls a number or URI; returns when the call is answered or has failed."""
        return self._do(imsi, "call", to=to)

    def hang_up(self, imsi: str) -> Any:
        """A phone ends its call."""
        return self._do(imsi, "hangup")

    def text(self, imsi: str, to: str, text: str) -> Any:
        """A phone sends a page-mode message of SIP (MESSAGE, SIMPLE)."""
        return self._do(imsi, "text", {"to": to, "text": text})

    def idle(self, imsi: str) -> Any:
        """The eNB finds a phone quiet, and lets it go."""
        return self._do(imsi, "idle")

    def service(self, imsi: str) -> Any:
        """An idle phone asks for its bearers."""
        return self._do(imsi, "service")

    def update(self, imsi: str, periodic: bool = False) -> Any:
        """A phone updates its tracking area."""
        return self._do(imsi, "update", periodic=periodic)

    def sms(self, imsi: str, to: str, text: str, report: bool = False, over: str = "auto") -> Any:
        """A phone sends a text, over "ip" or "nas"; "auto" is over IP where it is registered to IMS."""
        return self._do(imsi, "sms", {"to": to, "text": text, "report": report, "over": over})

    def sent(self, imsi: str) -> Table:
        """The texts that a phone has sent, and what it knows of them."""
        return Table(self._source.get(f"/sim/phones/{imsi}/sms/sent"))

    def inbox(self, imsi: str) -> Table:
        """The short messages that came to a phone, whatever carried them."""
        return Table(self._source.get(f"/sim/phones/{imsi}/sms"))

    def texts(self, imsi: str) -> Table:
        """The page-mode messages of SIP that came to a phone."""
        return Table(self._source.get(f"/sim/phones/{imsi}/texts"))

    def detach(self, imsi: str, switch_off: bool = False) -> Any:
        """Detach a phone."""
        return self._do(imsi, "detach", switch_off=switch_off)

    def power(self, imsi: str) -> Any:
        """Switch a phone off without a word and on again: it forgets what it held against the network."""
        return self._do(imsi, "power")

    def run(self, imsi: str, argv: Iterable[str], timeout: float = 30.0) -> dict[str, Any]:
        """Run a program on a phone; its packets go through the LTE bearer."""
        found: dict[str, Any] = self._do(imsi, "exec", {"argv": list(argv), "timeout": timeout})
        return found

    def ping(self, imsi: str, address: str = "10.45.0.1", count: int = 3, size: int = 56, pause: float = 0.3) -> Text:
        """Ping from a phone, with `size` octets each `pause` seconds; the default is the gateway."""
        bigger = [] if size == 56 else ["-s", str(size)]
        done = self.run(imsi, ["ping", "-c", str(count), "-i", str(pause), "-W", "2", *bigger, address])
        return Text(done["stdout"] or done["stderr"])

    def break_it(self, imsi: str, fault: str | None) -> Any:
        """Give a phone a fault for its next attach (`op_as_opc`, `wrong_apn` ...); None mends it."""
        return self._do(imsi, "break", {"fault": fault})

    def break_network(self, fault: str | None) -> Any:
        """Let the network make a mistake (`no_p_cscf` ...), in a sandbox only; None mends it."""
        return self._source.post("/sim/network:break", {"fault": fault})

    def _do(self, imsi: str, what: str, body: Any = None, **query: Any) -> Any:
        found = self._source.post(f"/sim/phones/{imsi}:{what}", body, **query)
        self._source.settle()
        return found


def connect(where: str = "", code: str = "", wait: float = 5.0, *, recording: str = FIRST, **options: Any) -> Lab:
    """The lab at a URL, in a recording (a file name, or "replay"), in a "sandbox", or wherever one is found.

    `code` is the class code, or another token. With no argument: `$DIALTONE_URL`, a Dialtone on this machine, else the
    `recording` that comes with the package. A sandbox takes the `options` of dialtone.lab.sandbox.Sandbox. A URL that
    does not answer within `wait` seconds raises LocalError.
    """
    where = where or find()
    if where == "sandbox":
        return Lab(Sandbox(**options))
    if where in ("", "replay"):
        return Lab(Replay(recording))
    if not where.startswith(("http:", "https:", "unix:")):
        return Lab(Replay(where))
    client = Client(where, token=code)
    end = time.monotonic() + wait
    while True:
        try:
            client.get("/trace", limit=1)
            return Lab(client)
        except Unreachable:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
        except LocalError:
            return Lab(client)  # it answers; what is wrong is said when it is used
