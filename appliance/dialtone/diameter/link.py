# SPDX-License-Identifier: Apache-2.0
"""A reference point whose peers are elements of this process or hosts and realms behind the node."""

from dataclasses import dataclass

from dialtone.diameter.effects import Outgoing
from dialtone.diameter.node import Node
from dialtone.element import Link
from dialtone.loop import Loop


@dataclass(slots=True)
class NodeLink:
    """A link (`dialtone.loop.Link`) for S6a, Cx or Rx: `inside` carries what goes to our own elements."""

    loop: Loop
    point: str
    inside: Link

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """To an element by its name, or else through the node: a request to a host or realm, an answer to whoever
        asked."""
        if peer in self.loop.elements:
            self.inside.send(element, peer, data, stream)
        else:
            self.loop.tell(Node.name, Outgoing(self.point, element, peer, data))
