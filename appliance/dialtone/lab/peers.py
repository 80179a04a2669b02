# SPDX-License-Identifier: Apache-2.0
"""Two Diameter nodes and a wire between them that can be unplugged, in virtual time: for the lesson about peers."""

import itertools
import math
import random
from typing import Any

from dialtone.codec import diameter
from dialtone.codec.diameter import S6A
from dialtone.config_diameter import DiameterConfig, PeerConfig
from dialtone.diameter.effects import Dial, HangUp, Start, Stop
from dialtone.diameter.node import POINT, Node
from dialtone.diameter.passing import arrived
from dialtone.effects import PeerDown, PeerUp
from dialtone.lab.show import Table
from dialtone.loop import Loop
from dialtone.sim.network import answered
from dialtone.trace.bus import Bus

MME, HSS, REALM = "mme.example.org", "hss.example.org", "example.org"
LATENCY = 0.01
_COLUMNS = ("at", "from", "to", "message")


class Wire:
    """`mme` connects to `hss`. With `plugged` false nothing arrives, and neither end is told."""

    def __init__(self, tw: float = 30.0) -> None:
        self.now = 0.0
        self.plugged = True
        self._serial = itertools.count()
        peers = {MME: {HSS: PeerConfig(REALM, HSS)}, HSS: {MME: PeerConfig(REALM, mode="accept")}}
        self.ends = {host: _End(self, host, DiameterConfig(listen="127.0.0.1", peer=peers[host], tw=tw))
                     for host in (MME, HSS)}
        self.wait(1)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        end, loops = self.now + seconds, [one.loop for one in self.ends.values()]
        while True:
            while any(loop.pending() for loop in loops):
                for loop in loops:
                    loop.run()
            due = min((when for loop in loops if (when := loop.due()) is not None), default=math.inf)
            self.now = min(max(due, self.now), end)
            if due > end:
                return
            for loop in loops:
                loop.expire()

    def states(self) -> Table:
        """What each end thinks of the other one."""
        return Table([{"end": host, "sees": one["host"], "state": one["state"]}
                      for host, end in self.ends.items() for one in end.node.states()])

    def trace(self, since: float = -1.0) -> Table:
        """What was sent, whether it arrived or not."""
        rows = [(event.time, host, self._other(host), event.name) for host, end in self.ends.items()
                for event in end.loop.bus.ring if event.kind == "tx" and event.time >= since]
        return Table([dict(zip(_COLUMNS, (round(row[0], 2), *row[1:]), strict=True)) for row in sorted(rows)], _COLUMNS)

    def disconnect(self) -> None:
        """The MME takes leave, as before a restart (RFC 6733, 5.4)."""
        self.ends[MME].loop.tell(Node.name, Stop(cause=0))
        self.wait(1)

    def _other(self, host: str) -> str:
        return HSS if host == MME else MME


class _End:
    """A node with its loop; the link of its connection (`dialtone.element.Link`)."""

    def __init__(self, wire: Wire, host: str, config: DiameterConfig) -> None:
        self.wire, self.host, self.name = wire, host, ""
        self.loop = Loop(lambda: wire.now, Bus(10_000))
        self.node = Node(config, host, REALM, "127.0.0.1", random.Random(host).randbytes, wire.now)
        self.node.serve(S6A, "S6a")  # nodes that have no application in common do not become peers
        self.loop.add(self.node)
        self.loop.bind(Node.name, POINT, diameter, self)
        self.loop.performers[Dial] = answered(self._dial)
        self.loop.performers[HangUp] = answered(lambda effect: self._broken("closed by us"))
        self.loop.tell(Node.name, Start())

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """To the other end, if the wire is plugged in."""
        far = self._far()
        self._later(lambda: arrived(far.loop, far.name, data) if far.name and self.wire.plugged else None)

    def _far(self) -> "_End":
        return self.wire.ends[self.wire._other(self.host)]

    def _later(self, act: Any) -> None:
        self.loop.later(("wire", next(self.wire._serial)), LATENCY, act)

    def _dial(self, effect: Dial) -> None:
        if not self.wire.plugged:
            self.loop.tell(Node.name, PeerDown(POINT, effect.connection, "no connection: no route"))
            return
        self._later(lambda: self._join(effect.connection))

    def _join(self, name: str) -> None:
        self._up(name)
        self._far()._up(f"tcp {self.host}")

    def _up(self, name: str) -> None:
        self.name = name
        self.loop.tell(Node.name, PeerUp(POINT, name))

    def _broken(self, why: str) -> None:
        name, self.name = self.name, ""
        if name:
            self.loop.tell(Node.name, PeerDown(POINT, name, why))
            if self.wire.plugged:
                self._later(lambda: self._far()._broken("closed by the peer"))
