# SPDX-License-Identifier: Apache-2.0
"""Diameter nodes in loops of their own, joined by wires, in virtual time."""

import itertools
import math
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dialtone.codec import diameter
from dialtone.codec.diameter import (
    S6A,
    AuthenticationInformationAnswer,
    AuthenticationInformationRequest,
    ResultCode,
)
from dialtone.config_diameter import DiameterConfig, PeerConfig
from dialtone.diameter.effects import Dial, Forward, HangUp, Start, Stop
from dialtone.diameter.link import NodeLink
from dialtone.diameter.node import Node
from dialtone.diameter.passing import arrived
from dialtone.diameter.peer import Peer
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Answer, Effects, PeerDown, PeerUp, Request, Unanswered
from dialtone.element import Element
from dialtone.ids import Plmn
from dialtone.links.memory import Memory
from dialtone.loop import Loop
from dialtone.requests import DIAMETER
from dialtone.trace.bus import Bus

START = 1_790_000_000.0
REALM = "example.org"
LATENCY = 0.01
on_client, on_server = Handlers("client"), Handlers("server")


class Client(Element):
    """Asks for vectors and remembers what it is told."""

    name, on = "client", on_client

    def __init__(self) -> None:
        self.answers: list[AuthenticationInformationAnswer] = []
        self.unanswered = 0


class Server(Element):
    """Answers with success, unless it is told to be mute."""

    name, on = "server", on_server

    def __init__(self) -> None:
        self.asked: list[tuple[str, AuthenticationInformationRequest]] = []
        self.mute = False


@on_client("S6a", AuthenticationInformationAnswer)
def on_authentication_information_answer(client: Client, msg: Any, rx: Rx) -> Effects:
    client.answers.append(msg)
    return ()


@on_client.event(Unanswered)
def on_unanswered(client: Client, event: Unanswered, rx: Rx) -> Effects:
    return ()


@on_client.unanswered(AuthenticationInformationRequest)
def on_no_answer(client: Client, event: Unanswered, rx: Rx) -> Effects:
    client.unanswered += 1
    return ()


@on_client.event(Start)
def on_start(client: Client, event: Start, rx: Rx) -> Effects:
    """`host` is whom to ask."""
    yield Request("S6a", event.host, air(event.host))


@on_server("S6a", AuthenticationInformationRequest)
def on_authentication_information_request(server: Server, msg: Any, rx: Rx) -> Effects:
    server.asked.append((rx.peer, msg))
    if not server.mute:
        yield Answer(AuthenticationInformationAnswer(
            session_id=msg.session_id, result_code=ResultCode.DIAMETER_SUCCESS, origin_host="server.example.org",
            origin_realm=REALM))


_sessions = itertools.count()


def air(realm: str = REALM, **changes: Any) -> AuthenticationInformationRequest:
    """An Authentication-Information-Request as our MME would send it: its realm is its own."""
    request = AuthenticationInformationRequest(
        session_id=f"mme.home.org;1;{next(_sessions)}", origin_host="mme.home.org", origin_realm="home.org",
        destination_realm="home.org", user_name="001010000000001", visited_plmn_id=Plmn("001", "01"))
    return replace(request, **changes)


class Box:
    """A loop with a node, a client and a server."""

    def __init__(self, world: "World", host: str, config: DiameterConfig) -> None:
        self.world, self.host, self.listening = world, host, True
        self.loop = Loop(lambda: world.now, Bus(10_000))
        self.node = Node(config, host, REALM, "127.0.0.1", random.Random(host).randbytes, world.now)
        self.client, self.server = Client(), Server()
        for element in (self.node, self.client, self.server):
            self.loop.add(element)
        self.node.serve(S6A, "S6a", self.client, self.server)
        self.loop.bind("diameter", "Diameter", diameter, self)
        link = NodeLink(self.loop, "S6a", Memory(self.loop, "S6a"))
        for name in ("client", "server"):
            self.loop.bind(name, "S6a", diameter, link, inside=True, policy=replace(DIAMETER, seconds=config.tx))
        self.ends: dict[str, tuple[Box, str]] = {}  # connection -> far box and its name for it
        self.sent: list[bytes] = []
        for effect, act in ((Dial, self._dial), (HangUp, self._hang_up), (Forward, self._forward)):
            self.loop.performers[effect] = _performer(act)

    def peer(self, host: str) -> Peer:
        return self.node.peers[host]

    def ask(self, peer: str = REALM) -> None:
        self.loop.tell("client", Start(peer))

    def start(self) -> None:
        self.loop.tell("diameter", Start())

    def stop(self, cause: int = 0) -> None:
        self.loop.tell("diameter", Stop(cause=cause))

    def crash(self) -> None:
        """Every connection breaks."""
        for connection in list(self.ends):
            self._break(connection)

    # ---- the transport -----------------------------------------------------------------------------

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        self.sent.append(data)
        far = self.ends.get(peer)
        if far and not self.world.lost(self.host, far[0].host, data):
            self.loop.later(("wire", next(self.world.serial)), LATENCY, lambda: self._arrive(far, data))

    def inject(self, connection: str, data: bytes) -> None:
        """Octets come over a connection of ours."""
        arrived(self.loop, connection, data)

    def _arrive(self, far: "tuple[Box, str]", data: bytes) -> None:
        if far[1] in far[0].ends:
            arrived(far[0].loop, far[1], data)

    def _dial(self, effect: Dial) -> None:
        box = self.world.boxes.get(effect.address)
        if box is None or not box.listening:
            self.loop.tell("diameter", PeerDown("Diameter", effect.connection, "no connection: refused"))
            return
        self.loop.later(("wire", next(self.world.serial)), LATENCY, lambda: self._join(box, effect.connection))

    def _join(self, box: "Box", name: str) -> None:
        theirs = f"tcp {self.host}:{next(self.world.serial)}"
        self.ends[name], box.ends[theirs] = (box, theirs), (self, name)
        self.loop.tell("diameter", PeerUp("Diameter", name))
        box.loop.tell("diameter", PeerUp("Diameter", theirs))

    def call(self, box: "Box") -> str:
        """A bare connection to another box; returns the other's name for it."""
        self._join(box, "bare")
        return self.ends["bare"][1]

    def _hang_up(self, effect: HangUp) -> None:
        self._break(effect.connection)

    def _forward(self, effect: Forward) -> None:
        self.send("diameter", effect.connection, effect.data, 0)

    def _break(self, connection: str) -> None:
        if (far := self.ends.pop(connection, None)) is None:
            return
        self.loop.tell("diameter", PeerDown("Diameter", connection, "closed by us"))
        self.loop.later(("wire", next(self.world.serial)), LATENCY, lambda: self._broken(far))

    def _broken(self, far: "tuple[Box, str]") -> None:
        if far[0].ends.pop(far[1], None) is not None:
            far[0].loop.tell("diameter", PeerDown("Diameter", far[1], "closed by the peer"))


class World:
    """All boxes, their clock, and who is dead."""

    def __init__(self) -> None:
        self.now = START
        self.boxes: dict[str, Box] = {}
        self.serial = itertools.count()
        self.dead: set[str] = set()  # hosts that hear and say nothing, though their connections stand
        self.loss: Callable[[bytes], bool] = lambda data: False

    def box(self, host: str, *connect: str, accept: tuple[str, ...] = (), **config: Any) -> Box:
        """A node that connects to some and lets others in."""
        peers = {name: PeerConfig(REALM, name) for name in connect}
        peers |= {name: PeerConfig(REALM, mode="accept") for name in accept}
        box = self.boxes[host] = Box(self, host, DiameterConfig(listen="127.0.0.1", peer=peers, **config))
        box.start()
        return box

    def lost(self, source: str, destination: str, data: bytes) -> bool:
        return bool({source, destination} & self.dead) or self.loss(data)

    def run(self, seconds: float = 1.0) -> None:
        """Let time pass."""
        end = self.now + seconds
        while True:
            while any(box.loop.pending() for box in self.boxes.values()):
                for box in self.boxes.values():
                    box.loop.run()
            due = min((when for box in self.boxes.values() if (when := box.loop.due()) is not None), default=math.inf)
            self.now = min(max(due, self.now), end)
            if due > end:
                return
            for box in self.boxes.values():
                box.loop.expire()

    def pair(self, **config: Any) -> tuple[Box, Box]:
        """`mme` is connected to `hss`."""
        hss = self.box("hss", accept=("mme",), **config)
        mme = self.box("mme", "hss", **config)
        self.run()
        return mme, hss


def _performer(act: Callable[[Any], None]) -> Callable[[Any, Callable[[Exception | None], None]], None]:
    def perform(effect: Any, done: Callable[[Exception | None], None]) -> None:
        act(effect)
        done(None)

    return perform


def said(box: Box, kind: str = "tx") -> list[str]:
    """Names of what the box sent (or received: rx) at Diameter, in order."""
    return [event.name for event in box.loop.bus.ring if event.kind == kind and event.point == "Diameter"]


def forwarded(box: Box) -> list[bytes]:
    """What the box sent of applications."""
    return [data for data in box.sent if any(data[8:12])]
