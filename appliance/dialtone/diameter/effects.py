# SPDX-License-Identifier: Apache-2.0
"""What the node asks of its transport, and what it is told."""

from dataclasses import dataclass

from dialtone.effects import Effect, Event


@dataclass(slots=True)
class Dial(Effect):
    """Open a connection of this name to a peer; PeerUp or PeerDown tells how it went."""

    connection: str
    transport: str
    address: str
    port: int


@dataclass(slots=True)
class HangUp(Effect):
    """Close a connection. PeerDown follows for one that was up."""

    connection: str


@dataclass(slots=True)
class Forward(Effect):
    """Write a message of an application as it is; the element that sent it has traced it."""

    connection: str
    data: bytes


@dataclass(slots=True)
class Start(Event):
    """Connect to the peers, or to the one with this host."""

    host: str = ""


@dataclass(slots=True)
class Stop(Event):
    """Take leave of all peers, or of the one with this host, with this Disconnect-Cause (RFC 6733, 5.4.3)."""

    host: str = ""
    cause: int = 0


@dataclass(slots=True)
class Outgoing(Event):
    """An element sends a request to `peer`, a host or a realm, or an answer."""

    point: str
    element: str
    peer: str
    data: bytes


@dataclass(slots=True)
class Incoming(Event):
    """A message of an application came over a connection."""

    connection: str
    data: bytes
