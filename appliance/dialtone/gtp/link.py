# SPDX-License-Identifier: Apache-2.0
"""S11 and S5/S8 with peers in this process and outside of it."""

from dataclasses import dataclass

from dialtone.codec.gtpc import PORT
from dialtone.element import Link
from dialtone.gtp.paths import Paths
from dialtone.loop import Loop


@dataclass(slots=True)
class GtpLink:
    """A link (`dialtone.loop.Link`): `inside` carries what goes to our own elements, `outside` the datagrams."""

    loop: Loop
    paths: Paths
    inside: Link
    outside: Link | None = None

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """To an element by its name, to everybody else by address and port."""
        if peer in self.loop.elements:
            self.inside.send(element, peer, data, stream)
        elif self.outside is not None:
            self.outside.send(element, peer, data, stream)
            host, _, port = peer.rpartition(":")
            if port != str(PORT) and (path := self.paths.paths.get(host)) is not None and path.deaf:
                self.outside.send(element, f"{host}:{PORT}", data, stream)
