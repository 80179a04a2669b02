# SPDX-License-Identifier: Apache-2.0
"""A reference point inside the process: octets go to the other element through the loop's queue.

Never synchronous. In tests it takes weather: seeded delay, loss, duplication and reordering.
"""

import random
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address

from dialtone.effects import PeerDown
from dialtone.loop import Loop
from dialtone.sip.flow import Flow


@dataclass(slots=True)
class Weather:
    """What a memory link does to its traffic; probabilities from 0 to 1, delay in seconds."""

    seed: int = 0
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    delay: float = 0.0
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)


@dataclass(slots=True)
class Memory:
    """Joins elements of one loop at one reference point; a peer's name is the element's name."""

    loop: Loop
    point: str
    weather: Weather | None = None
    _serial: int = 0

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """Queue `data` for the element `peer`; a name that nobody here has (a foreign MME's of before) gets nothing."""
        if peer not in self.loop.elements:
            self.loop.discard(element, self.point, peer, data, "no such peer")
            return
        self._carry(peer, element, data, stream, self.weather)

    def _carry(self, to: str, sender: str, data: bytes, stream: int, weather: Weather | None) -> None:
        if weather is None:
            self.loop.deliver(to, self.point, sender, data, stream)
            return
        rng = weather.rng
        if rng.random() < weather.loss:
            return
        for _ in range(2 if rng.random() < weather.duplicate else 1):
            delay = weather.delay * rng.random()
            if rng.random() < weather.reorder:
                delay += weather.delay
            self._serial += 1
            self.loop.later(("memory", self.point, self._serial), delay,
                            partial(self.loop.deliver, to, self.point, sender, data, stream))


@dataclass(slots=True)
class MemoryFlows(Memory):
    """Joins elements that know each other by flows (sip/flow.py), as if each had its addresses on one network.

    Weather spares TCP. To an address of `deaf` nothing gets; one of `no_tcp` takes no connections, and who tries hears
    PeerDown.
    """

    hosts: dict[str, str] = field(default_factory=dict)  # address -> element
    deaf: set[str] = field(default_factory=set)
    no_tcp: set[str] = field(default_factory=set)

    def place(self, element: str, *addresses: str) -> None:
        """Give an element its addresses; it sends from those that it got last."""
        for address in addresses:
            self.hosts.pop(address, None)
        self.hosts |= dict.fromkeys(addresses, element)

    def leave(self, element: str, address: str) -> None:
        """It has this address no longer."""
        if self.hosts.get(address) == element:
            del self.hosts[address]

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """Queue `data` for whoever has the address of the flow `peer`; they see the flow from their side."""
        flow = Flow.parse(peer)
        version = ip_address(flow.host).version
        own = next((host for host, name in reversed(self.hosts.items())
                    if name == element and ip_address(host).version == version), None)
        to = self.hosts.get(flow.host)
        if flow.reliable and (to is None or own is None or {flow.host, own} & self.no_tcp):
            self.loop.tell(element, PeerDown(self.point, peer, "no connection: refused"))
        elif to is None or own is None or flow.host in self.deaf:
            self.loop.discard(element, self.point, peer, data, "no such peer")
        else:
            seen = Flow(flow.transport, own, flow.local_port, flow.port)
            self._carry(to, str(seen), data, stream, None if flow.reliable else self.weather)
