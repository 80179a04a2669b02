# SPDX-License-Identifier: Apache-2.0
"""S11 and S5/S8 with peers in this process and outside of it."""

from dataclasses import dataclass

from dialtone.element import Link
from dialtone.loop import Loop


@dataclass(slots=True)
class GtpLink:
    """A link (`dialtone.loop.Link`): `inside` carries what goes to our own elements, `outside` the datagrams."""

    loop: Loop
    inside: Link
    outside: Link | None = None

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """To an element by its name, to everybody else by address and port."""
        link = self.inside if peer in self.loop.elements else self.outside
        if link is not None:
            link.send(element, peer, data, stream)
