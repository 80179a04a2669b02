# SPDX-License-Identifier: Apache-2.0
"""The recording that comes with the lab, and the recipe for it: `python tests/flows/record_attach.py`.

The whole network in one loop, with a clock that moves a little at every step as it would on a small board.
The first phone attaches and detaches; the second does so with a card whose OPc is not what the HSS has.
"""

import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from network import Network, imsi_of

from dialtone.control import Args
from dialtone.sim.power import BreakCommand
from dialtone.trace import record
from dialtone.trace.bus import Event
from dialtone.trace.names import MME, UE, role

TARGET = Path(__file__).parents[2] / "appliance" / "dialtone" / "lab" / "attach.trace.gz"
STEP = 0.000_17  # seconds between two looks at the clock
GOOD, BROKEN = imsi_of(1), imsi_of(2)
PING = """PING 10.45.0.1 (10.45.0.1) 56(84) bytes of data.
64 bytes from 10.45.0.1: icmp_seq=1 ttl=64 time=0.612 ms
64 bytes from 10.45.0.1: icmp_seq=2 ttl=64 time=0.547 ms
64 bytes from 10.45.0.1: icmp_seq=3 ttl=64 time=0.560 ms

--- 10.45.0.1 ping statistics ---
3 packets transmitted, 3 received, 0% packet loss, time 602ms
rtt min/avg/max/mdev = 0.547/0.573/0.612/0.028 ms
"""
"""There is no user plane over memory links: this is what the live lab shows."""


def of_the_core(events: Iterable[Event]) -> list[Event]:
    """What the core's own trace would hold: its ends of the links, numbered anew."""
    kept = []
    for event in events:
        core = {end for end in (event.src, event.dst) if end in ("mme", "pgw", "hss")}
        theirs = event.point == "NAS" and event.kind != "done" and (
            (role("NAS", event.src) == UE) != (event.kind == "rx"))  # the phone's own view of the same message
        if core and not theirs:
            received = event.point == "S1-MME" and role("S1-MME", event.dst) == MME and event.kind == "tx"
            kept.append(event._replace(id=len(kept) + 1, kind="rx" if received else event.kind,
                                       time=round(event.time, 6), state=str(event.state)))
    return kept


def make(path: Path) -> tuple[list[Event], dict[str, Any]]:
    """Play the scene in a new network whose database is in `path`; the events and the notes of the recording."""
    net = Network(path, phones=2)

    def ticking() -> float:
        net.now += STEP
        return net.now

    net.loop.clock = ticking
    actions: dict[str, Any] = {}

    def note(imsi: str, action: str) -> None:
        verdict = [event.info for event in net.events("verdict") if event.src == f"ue-{imsi}"][-1]
        phone = net.phones[imsi]
        actions[f"{imsi}:{action}"] = {"imsi": imsi, "emm": phone.emm.value, "enb": "sim-enb1", "last": verdict,
                                       "ok": verdict.startswith("ok")}

    status = net.commands.status(Args())
    net.attach(GOOD)
    note(GOOD, "attach")
    ues = net.commands.ues(Args())
    net.detach(GOOD)
    note(GOOD, "detach")
    net.loop.tell(f"ue-{BROKEN}", BreakCommand("op_as_opc"))
    net.attach(BROKEN, 30.0)
    note(BROKEN, "attach")
    net.run(1.0)
    leaks = net.commands.leaks(Args())
    for imsi in (GOOD, BROKEN):
        actions[f"{imsi}:exec"] = {"code": 0, "stdout": PING, "stderr": ""}
        actions[f"{imsi}:power"] = {"imsi": imsi, "ok": True, "last": "ok: switched off and on"}
        actions[f"{imsi}:break"] = {"imsi": imsi}
        actions.setdefault(f"{imsi}:detach", {"imsi": imsi, "ok": True, "last": "ok: detached already"})
    phones = [{"imsi": imsi, "emm": "EMM-DEREGISTERED", "enb": "sim-enb1"} for imsi in (GOOD, BROKEN)]
    notes = {"title": "One good attach, one with OP given as OPc", "status": {**status, "uptime_s": 0}, "ues": ues,
             "enbs": net.commands.enbs(Args()), "leaks": leaks, "phones": phones, "actions": actions}
    return of_the_core(net.events()), notes


def main() -> None:
    """Write the recording."""
    with tempfile.TemporaryDirectory() as folder:
        events, notes = make(Path(folder))
    count = record.write(TARGET, events, **notes)
    print(f"{count} events in {TARGET}, {TARGET.stat().st_size} octets")


if __name__ == "__main__":
    sys.exit(main())
