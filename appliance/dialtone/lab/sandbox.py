# SPDX-License-Identifier: Apache-2.0
"""`connect("sandbox")`: a whole network in this process, to break. No root, no sockets, on any operating system.

Time is virtual unless asked otherwise: it stands still while you think, and passes at once when something waits for it.
One thread of its own has the network and its database; a request is worked off there, from its beginning to its end.
"""

import asyncio
import os
import random
import re
import tempfile
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from inspect import isawaitable
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from dialtone.config import Config, load
from dialtone.control import Args, Command
from dialtone.datapath.memory import ECHO_REQUEST, MemoryRadio, MemoryUserPlane, ping
from dialtone.errors import LocalError
from dialtone.inside import Inside
from dialtone.lab.replay import START, WAIT
from dialtone.lab.routes import find
from dialtone.lab.source import Source, key_of
from dialtone.sim.cards import make_cards
from dialtone.sim.commands import Commands
from dialtone.sim.config import ENB_ADDRESS, SimConfig, neighbours, sample_phones, with_ims
from dialtone.sim.enb import EnbConfig
from dialtone.sim.network_faults import FAULTS
from dialtone.sim.service import UplinkWaiting
from dialtone.sim.tampering import Tampering
from dialtone.trace.bus import Event

STEP = 0.000_17  # seconds between two looks at the clock, as on a small board
AFTER = 3.0  # seconds that pass after each action: what follows from it (the IMS connection, an answer) happens, too
PATIENCE = 60.0
MOST_EVENTS, MOST_REQUESTS = 20_000, 2_000
_PING = re.compile(r"ping(?: -c (\d+))?(?: -i ([\d.]+))?(?: -W [\d.]+)?(?: -s (\d+))? (\d+\.\d+\.\d+\.\d+)")
CORE = frozenset({"mme", "pgw", "hss", "pcscf", "scscf", "sms", "answer", "diameter", "gtp"})
ENBS, PHONES = 2, 3


class Sandbox(Source):
    """The network of the demo: two eNBs, three phones with IMS. `config` is the text of a dialtone.toml; two sandboxes
    with one `seed` are alike; with `realtime` a second lasts a second."""

    url = "sandbox"

    def __init__(self, config: str = "", *, realtime: bool = False, seed: int | None = None) -> None:
        super().__init__()
        self._realtime = realtime
        self._random = random.Random(seed) if seed is not None else None
        self._now = 1_790_000_000.0 if seed is not None else time.time()
        self._events: deque[Event] = deque(maxlen=MOST_EVENTS)
        self._count = self._told = 0
        self._folder = tempfile.TemporaryDirectory(prefix="dialtone-", ignore_cleanup_errors=True)
        self.log: deque[tuple[str, Any, int]] = deque(maxlen=MOST_REQUESTS)
        self._thread = ThreadPoolExecutor(1, "dialtone-sandbox")
        self._do(self._build, config)
        self.log.append((START, None, self._count))

    @property
    def events(self) -> Sequence[Event]:
        """What has happened so far."""
        return tuple(self._events)

    def act(self, method: str, path: str, query: dict[str, Any], body: Any) -> Any:
        """One request, from its beginning to what follows from it. Raises LocalError."""
        command, args = find(method, path, query, body)
        key = key_of(method, path, query, body)
        try:
            answer = self._do(self._command, command, Args(args), method != "GET")
        except LocalError as error:
            self.log.append((key, {"error": error.text, "remedy": error.remedy}, self._count))
            raise
        finally:
            self._tell()
        self.log.append((key, answer, self._count))
        return answer

    def wait(self, seconds: float) -> None:
        """Let time pass: at once, unless it is real."""
        self._do(self._wait, seconds)
        self.log.append((f"{WAIT} {seconds:g}", None, self._count))
        self._tell()

    def again(self, number: int, octets: bytes) -> None:
        """Send a message of the trace again, from the same sender to the same receiver, as these octets."""
        event = next((event for event in self._events if event.id == number), None)
        if event is None or event.kind != "rx" or event.dst not in CORE or event.point in ("NAS", "SMS"):
            raise LocalError(f"{number} is no message that came to the core on a wire of its own.",
                             remedy="Choose one of S1-MME or Gm that a phone or an eNB has sent.")
        self._do(self._deliver, event, octets)
        self._tell()

    def close(self) -> None:
        """End it."""
        self._do(self._net.close)
        self._thread.shutdown()
        self._folder.cleanup()

    def _do(self, work: Callable[..., Any], *args: Any) -> Any:
        return self._thread.submit(work, *args).result()

    def _tell(self) -> None:
        fresh = [event for event in self._events if event.id > self._told]
        self._told = self._count
        for follower in self.followers if fresh else ():
            follower(fresh)

    # ---- in the network's thread ----------------------------------------------------------------------

    def _build(self, text: str) -> None:
        self._aio = asyncio.new_event_loop()
        path, config = Path(self._folder.name), Config()
        if text:
            file = path / "dialtone.toml"
            file.write_text(text, "utf-8")
            config = load([file])
        area = ((config.network.tac[0], (config.network.plmn,)),)
        enbs = neighbours(EnbConfig(address=ENB_ADDRESS, areas=area), ENBS)
        radios = {f"enb{number}": MemoryRadio(enb.address) for number, enb in enumerate(enbs, 1)}
        net = self._net = Inside(path, clock=self._clock, config=config, enbs=enbs, planes=radios, ring=1,
                                 random=self._random.randbytes if self._random else os.urandom)
        net.loop.bus.listeners.append(self._heard)
        for card in make_cards(PHONES, config.network.plmn):
            net.add_subscriber(card.imsi, card.k, card.opc, msisdn=card.msisdn)
        phones = []
        for made in with_ims(SimConfig(phones=sample_phones(PHONES, config.network.plmn))).phones:
            phones.append(net.put_phone(made.usim, made.handset))
            net.put_ims(phones[-1], made.ims, made.isim)
        gateways = frozenset(apn.gateway.packed for apn in config.apn.values())
        self._wire = MemoryUserPlane(net.forwarder, gateways, radios, self._passing)
        self._tampering: Tampering | None = None
        self._sim = Commands(net.loop, net.enbs, phones, net.bearers, str, path, net.ims)
        self._table: dict[str, Command] = net.commands.table() | self._sim.table() | {
            "sim.exec": self._exec, "sim.break-network": self._break_network}
        net.loop.run()
        self._pass(0.1)

    def _clock(self) -> float:
        self._now += STEP
        return self._now

    def _heard(self, event: Event) -> None:
        """Keep what the core's own trace would hold, as the API shows it."""
        local = event.dst if event.kind == "rx" else event.src
        if local not in CORE:
            if event.point != "S1-MME" or event.kind != "tx":
                return
            event = event._replace(kind="rx")  # between two elements of one loop it is told once, by the sender
        self._count += 1
        event = event._replace(id=self._count, time=round(event.time, 6), state=str(event.state))
        self._events.append(event)
        self.identities.note(event)

    def _command(self, name: str, args: Args, changes: bool) -> Any:
        self._catch_up()
        if name not in self._table:
            raise LocalError(f"A sandbox does not know {name!r}.", remedy="Start a whole one: ./build.sh demo.")
        answer = self._table[name](args)
        if isawaitable(answer):
            answer = self._aio.run_until_complete(self._finish(answer))
        self._net.loop.run()
        if changes:
            self._pass(AFTER)
        return answer

    async def _finish(self, answer: Awaitable[Any]) -> Any:
        task, end = asyncio.ensure_future(answer), self._now + PATIENCE
        while True:
            self._net.loop.run()
            for _ in range(5):  # what was decided reaches who waits for it
                await asyncio.sleep(0)
            if task.done():
                return task.result()
            if not self._net.loop.pending() and not self._step(end):
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                raise LocalError(f"Nothing came of it within {PATIENCE:g} s.", remedy="Look at the trace.")

    def _deliver(self, event: Event, octets: bytes) -> None:
        self._net.loop.deliver(event.dst, event.point, event.src, octets)
        self._wait(AFTER)

    def _wait(self, seconds: float) -> None:
        self._catch_up()
        self._pass(seconds)

    def _catch_up(self) -> None:
        """Where time is real, it has passed since the last request."""
        if self._realtime:
            self._pass(time.time() - self._now)

    def _pass(self, seconds: float) -> None:
        end = self._now + seconds
        self._net.loop.run()
        while self._step(end):
            pass
        if self._realtime:
            time.sleep(max(0.0, end - time.time()))
        self._now = max(self._now, end)

    def _step(self, end: float) -> bool:
        """Go to the next timer, if there is one until `end`."""
        loop = self._net.loop
        due = loop.due()
        if due is None or due > end:
            return False
        if self._realtime:
            time.sleep(max(0.0, due - time.time()))
        self._now = max(self._now, due)
        loop.expire()
        loop.run()
        return True

    def _break_network(self, args: Args) -> dict[str, Any]:
        """{fault: name or null}: the elements of the network make a mistake, or none (sim/network_faults.py)."""
        name = args["fault"]
        if name and name not in FAULTS:
            raise LocalError(f"There is no fault {name!r} of the network.",
                             remedy=f"The faults are: {', '.join(FAULTS)}.")
        if self._tampering is not None:
            self._tampering.end()
        self._tampering = Tampering(self._net.loop, name) if name else None
        return {"fault": name, "text": FAULTS[name].text if name else ""}

    # ---- the user plane ---------------------------------------------------------------------------------

    def _passing(self, enb: str, octets: bytes, sent: bool) -> None:
        self._net.loop.passing("pgw", "S1-U", enb, "G-PDU", octets, sent=sent)

    def _exec(self, args: Args) -> dict[str, Any]:
        """`ping [-c N] [-i SECONDS] [-W SECONDS] [-s SIZE] ADDRESS` on a phone."""
        match = _PING.fullmatch(" ".join(args["argv"]))
        if match is None:
            raise LocalError("A phone of the sandbox can ping, and nothing else.",
                             remedy="Start a network with real phones' stacks: ./build.sh demo.")
        phone = self._net.phones.get(args["imsi"])
        source = self._net.bearers.address(phone.name) if phone else None
        count, pause, size, to = int(match[1] or 3), float(match[2] or 1), int(match[3] or 56), IPv4Address(match[4])
        if phone is None or source is None:
            return {"code": 2, "stdout": "", "stderr": "ping: connect: Network is unreachable"}
        lines, times = [f"PING {to} ({to}) {size}({size + 28}) bytes of data."], []
        for number in range(1, count + 1):
            taken = self._ping(phone.name, phone.imsi, source, to, number, size)
            self._pass(pause)
            if taken is not None:
                times.append(taken)
                lines.append(f"{size + 8} bytes from {to}: icmp_seq={number} ttl=64 time={taken:.3f} ms")
        lost = 100 * (count - len(times)) // count
        lines += ["", f"--- {to} ping statistics ---",
                  f"{count} packets transmitted, {len(times)} received, {lost}% packet loss"]
        if times:
            lines.append(f"rtt min/avg/max = {min(times):.3f}/{sum(times) / len(times):.3f}/{max(times):.3f} ms")
        return {"code": 0 if times else 1, "stdout": "\n".join(lines) + "\n", "stderr": ""}

    def _ping(self, name: str, imsi: str, source: IPv4Address, to: IPv4Address, number: int, size: int) -> float | None:
        """Milliseconds until the answer, or None."""
        phone, start = self._net.phones[imsi], self._now
        if not phone.connected:
            self._net.loop.tell(name, UplinkWaiting())
            self._net.loop.run()
        rest = b"\x12\x34" + number.to_bytes(2) + bytes(octet & 0xFF for octet in range(size))
        packet = ping(source.packed, to.packed, ECHO_REQUEST, rest)
        came = self._wire.from_phone(phone.cell.enb, imsi, packet, self._clock())
        return (self._clock() - start) * 1000 if came else None
