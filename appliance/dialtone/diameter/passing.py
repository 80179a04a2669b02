# SPDX-License-Identifier: Apache-2.0
"""Messages of applications pass the node undecoded: their element decodes and traces them."""

from dialtone.codec.diameter import DiameterError, read_header
from dialtone.diameter import requests, serving, watchdog
from dialtone.diameter.effects import Incoming, Outgoing
from dialtone.diameter.node import Node, on
from dialtone.diameter.states import State
from dialtone.dispatch import Rx
from dialtone.effects import Effects
from dialtone.loop import Loop


@on.event(Outgoing)
def on_outgoing(node: Node, event: Outgoing, rx: Rx) -> Effects:
    """An element sends."""
    header = read_header(event.data)
    yield from (requests if header.request else serving).send(node, event, header)


@on.event(Incoming)
def on_incoming(node: Node, event: Incoming, rx: Rx) -> Effects:
    """A peer sends. While it takes leave, it still answers."""
    peer, header = node.peer_of(event.connection), read_header(event.data)
    if peer is None or not (peer.open or (peer.state is State.CLOSING and not header.request)):
        node.count("message before capabilities exchange")
        if event.connection in node.connections and peer is None:
            yield from node.hang_up(event.connection, "sent requests before Capabilities-Exchange-Request")
        return
    yield from watchdog.heard(node, peer, rx.now)
    if header.request:
        yield from serving.requested(node, peer, header, event.data, rx.now)
    else:
        yield from requests.answered(node, peer, header, event.data)


def arrived(loop: Loop, connection: str, data: bytes) -> None:
    """Octets of one message came over a connection: the base protocol is the node's own (application 0), and so is
    what has no header."""
    try:
        application = read_header(data).application_id
    except DiameterError:
        application = 0
    if application:
        loop.tell(Node.name, Incoming(connection, data))
    else:
        loop.deliver(Node.name, "Diameter", connection, data)
