# SPDX-License-Identifier: Apache-2.0
"""Which element a datagram is for: one UDP port serves our MME, our gateway and the paths alike.

The type of a message says who reads it, since no two elements read the same. A gateway's message belongs to S11 or
S5/S8 by its tunnel, a first one by the interface type of the sender's F-TEID.
"""

from dataclasses import dataclass

from dialtone.codec import gtpc
from dialtone.codec.gtpc import MESSAGES
from dialtone.effects import Deliver
from dialtone.gtp.effects import Heard
from dialtone.gtp.paths import POINT, Paths
from dialtone.loop import Loop
from dialtone.mme.element import Mme
from dialtone.pgw.element import Pgw
from dialtone.pgw.tunnel import S11, point_of
from dialtone.requests import is_answer

ANSWERS = frozenset(number for number, kind in MESSAGES.items() if is_answer(kind))


@dataclass(slots=True)
class Router:
    """What the UDP link sees of the loop."""

    loop: Loop
    paths: Paths
    mme: Mme
    pgw: Pgw

    def deliver(self, element: str, point: str, peer: str, data: bytes, stream: int = 0) -> None:
        """One datagram: one message, or two where the first brings another (TS 29.274, 5.5.1)."""
        host = peer.rpartition(":")[0]
        if not self.paths.lets_in(host):
            self.loop.discard(Paths.name, POINT, peer, data, "from a stranger")
            return
        for message in gtpc.split(data):
            name, point = self._place(message)
            if len(message) > 1 and message[1] in ANSWERS:  # some send them from another port than the one we asked
                peer = f"{host}:{gtpc.PORT}"
            elif peer != f"{host}:{gtpc.PORT}":
                self.paths.repeats(host, message)
            recovery = gtpc.recovery(message)
            if name != Paths.name and (recovery is not None or not self._up(host)):
                self.loop.tell(Paths.name, Heard(Deliver(name, point, peer, message), recovery))
            else:
                self.loop.deliver(name, point, peer, message)

    def count(self, what: str) -> None:
        """A failed read or write."""
        self.loop.count(what)

    def _up(self, host: str) -> bool:
        path = self.paths.paths.get(host)
        return path is not None and path.state == "UP"

    def _place(self, data: bytes) -> tuple[str, str]:
        """Element and reference point; what nobody reads is for the paths to refuse."""
        kind = MESSAGES.get(data[1]) if len(data) >= 12 and data[0] >> 5 == 2 else None
        if kind is None:
            return Paths.name, POINT
        if (S11, kind) in self.mme.on.messages:
            return Mme.name, S11
        point = self._point(data)
        return (Pgw.name, point) if (point, kind) in self.pgw.on.messages else (Paths.name, POINT)

    def _point(self, data: bytes) -> str:
        tunnel = self.pgw.tunnels.get(int.from_bytes(data[4:8])) if data[0] & 8 else None
        if tunnel is not None:
            return tunnel.point
        sender = gtpc.sender(data)
        return S11 if sender is None else point_of(sender)
