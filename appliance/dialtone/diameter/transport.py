# SPDX-License-Identifier: Apache-2.0
"""The node's sockets: TCP and SCTP (RFC 6733, 2.1), each with listener and connectors."""

import asyncio
from collections.abc import Callable

from dialtone.config_diameter import DiameterConfig
from dialtone.diameter.effects import Dial, Forward, HangUp, Stop
from dialtone.diameter.node import POINT, Node
from dialtone.diameter.passing import arrived
from dialtone.effects import Event
from dialtone.links.connections import Connections
from dialtone.links.sctp import Sctp
from dialtone.links.tcp import Tcp
from dialtone.loop import Loop

PPID = 46  # RFC 6733, 11.4; some nodes say nothing, which is 0
Done = Callable[[Exception | None], None]


class _Intake:
    """What the links see of the loop: messages are told apart by application on their way in."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def deliver(self, element: str, point: str, peer: str, data: bytes, stream: int = 0) -> None:
        arrived(self._loop, peer, data)

    def discard(self, element: str, point: str, peer: str, data: bytes, why: str) -> None:
        self._loop.discard(element, point, peer, data, why)

    def tell(self, element: str, event: Event) -> None:
        self._loop.tell(element, event)

    def count(self, what: str) -> None:
        self._loop.count(what)


class Transport:
    """All connections of the node (`dialtone.loop.Link`), and the performer of what it asks of them."""

    def __init__(self, loop: Loop, config: DiameterConfig) -> None:
        self._config = config
        self._loop = loop
        intake = _Intake(loop)
        self._links: dict[str, Connections] = {
            "tcp": Tcp(intake, Node.name, POINT, prefix="tcp "),
            "sctp": Sctp(intake, Node.name, POINT, ppid=PPID, also=(0,), prefix="sctp "),
        }
        loop.performers[Dial] = self._dial
        loop.performers[HangUp] = self._hang_up
        loop.performers[Forward] = self._forward

    def listen(self) -> dict[str, int]:
        """Open the listeners of the configuration; returns the port of each transport. Raises LocalError."""
        config = self._config
        return {name: self._links[name].listen(config.listen, config.port)
                for name in (config.transports if config.listen else ())}

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """Write one message to a connection; one that has just gone is no error."""
        for link in self._links.values():
            if peer in link.peers:
                link.send(element, peer, data, stream)
                return

    async def farewell(self, seconds: float = 1.0) -> None:
        """Take leave of all peers, wait for their answers so long, and close."""
        self._loop.tell(Node.name, Stop())
        end = asyncio.get_running_loop().time() + seconds
        while any(link.peers for link in self._links.values()) and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.01)
        self.close()

    def close(self) -> None:
        """End all connections; tells nobody."""
        for link in self._links.values():
            link.close()

    def _dial(self, effect: Dial, done: Done) -> None:
        local = self._config.listen or ("::" if ":" in effect.address else "0.0.0.0")
        self._links[effect.transport].connect(effect.address, effect.port, local=local, name=effect.connection)
        done(None)

    def _hang_up(self, effect: HangUp, done: Done) -> None:
        for link in self._links.values():
            link.disconnect(effect.connection)
        done(None)

    def _forward(self, effect: Forward, done: Done) -> None:
        self.send(Node.name, effect.connection, effect.data, 0)
        done(None)
