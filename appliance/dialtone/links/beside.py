# SPDX-License-Identifier: Apache-2.0
"""A reference point with peers in this process and outside of it: names of elements inside, flows outside."""

from dataclasses import dataclass

from dialtone.element import Link
from dialtone.sip.flow import Flow


@dataclass(slots=True)
class Beside:
    """A link (`dialtone.element.Link`)."""

    inside: Link
    outside: Link

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """To an element by its name, to everybody else by the flow (sip/flow.py)."""
        (self.inside if Flow.find(peer) is None else self.outside).send(element, peer, data, stream)
