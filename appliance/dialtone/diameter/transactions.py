# SPDX-License-Identifier: Apache-2.0
"""Requests on their way: ours, until the answer is here, and the peers', for as long as they may come again."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Ours:
    """A request of one of our elements. `hops` are its Hop-by-Hop Identifiers, each with the peer it went to."""

    point: str
    element: str
    peer: str  # as the element calls it
    hop_by_hop: int  # as the element numbered it
    end_to_end: int
    data: bytes  # under the End-to-End Identifier that it has outside
    application: int
    hosts: tuple[str, ...]  # who may take it, best first
    hops: dict[int, str] = field(default_factory=dict)

    @property
    def at(self) -> str:
        """The peer that has it now."""
        return next(reversed(self.hops.values()), "")


@dataclass(slots=True)
class Theirs:
    """A request of a peer, and our answer to it. `connection` and `hop_by_hop` are where the answer goes."""

    origin: tuple[str, int]  # Origin-Host and End-to-End Identifier (RFC 6733, 3)
    number: int  # the Hop-by-Hop Identifier that our element sees
    body: int  # hash of its AVPs
    at: float
    connection: str
    hop_by_hop: int
    answer: bytes = b""
