# SPDX-License-Identifier: Apache-2.0
"""Connections that come and go (RFC 6733, 2.1 and 5.6), and the pause Tc before the next try."""

from collections.abc import Iterator
from typing import Any

from dialtone.diameter import capabilities, requests
from dialtone.diameter.effects import Dial, Start
from dialtone.diameter.node import WAIT, Node, on
from dialtone.diameter.peer import Connection, Peer
from dialtone.diameter.states import PEER, WATCHDOG, State
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, PeerDown, PeerUp, StartTimer, StopTimer, Verdict


@on.event(Start)
def on_start(node: Node, event: Start, rx: Rx) -> Effects:
    """Connect to whom the configuration names."""
    for peer in list(node.peers.values()):
        if event.host in ("", peer.host) and peer.config.mode == "connect":
            yield from dial(peer, node)


def dial(peer: Peer, node: Node) -> Iterator[Effect]:
    """Open a connection, unless there is one."""
    if peer.state is not State.CLOSED:
        return
    peer.resting = False
    peer.initiator = peer.host  # the connection has the peer's name
    yield StopTimer("Tc", peer.host)
    yield from node.step(peer, "Start")
    yield Dial(peer.initiator, peer.config.transport, peer.config.address, peer.config.port)
    yield StartTimer("Timeout", peer.host, WAIT)


@on.timer("Tc", "RFC 6733, 2.1")
def on_tc(node: Node, host: Any, rx: Rx) -> Effects:
    """Try again."""
    yield from dial(node.peers[host], node)


@on.event(PeerUp)
def on_peer_up(node: Node, event: PeerUp, rx: Rx) -> Effects:
    """We got through, or somebody called us and has to say who."""
    connection = node.connections[event.peer] = Connection(event.peer, rx.now)
    peer = node.peers.get(event.peer)
    if peer is None:
        yield StartTimer("First CER", event.peer, WAIT)
    elif PEER.allows(peer.state, "I-Rcv-Conn-Ack"):
        connection.host = rx.subject = peer.host
        yield from node.step(peer, "I-Rcv-Conn-Ack")
        yield from capabilities.introduce(node, peer)
    else:  # it took longer than we waited
        yield from node.forget(event.peer)


@on.timer("First CER", "RFC 6733, 5.6.1")
def on_first_cer(node: Node, name: Any, rx: Rx) -> Effects:
    """A stranger who says nothing."""
    node.count("connection without CER")
    yield from node.forget(name)


@on.event(PeerDown)
def on_peer_down(node: Node, event: PeerDown, rx: Rx) -> Effects:
    """A connection ended, or none came about. What we hung up ourselves is forgotten already."""
    connection = node.connections.pop(event.peer, None)
    peer = node.peers.get(event.peer)
    if connection is not None:
        yield StopTimer("First CER", event.peer)
        yield from lost(node, connection, connection.why or event.reason)
    elif peer is not None and PEER.allows(peer.state, "I-Rcv-Conn-Nack"):
        rx.subject = peer.host
        peer.initiator = ""
        yield from node.step(peer, "I-Rcv-Conn-Nack")
        yield from settle(node, peer, event.reason)


def lost(node: Node, connection: Connection, reason: str) -> Iterator[Effect]:
    """The peer of a connection that is gone goes on without it."""
    peer = node.peers.get(connection.host)
    if peer is None or connection.name not in (peer.initiator, peer.responder):
        return
    side = "I" if connection.name == peer.initiator else "R"
    if side == "I":
        peer.initiator = ""
    else:
        peer.responder, peer.cer = "", None
    yield from node.step(peer, f"{side}-Peer-Disc")
    yield from settle(node, peer, reason)


def settle(node: Node, peer: Peer, reason: str) -> Iterator[Effect]:
    """What a state asks for that was reached by the loss of a connection."""
    if peer.state is State.R_OPEN:
        yield from capabilities.accept(node, peer)
    elif peer.state is State.CLOSED:
        yield from closed(node, peer, reason)


@on.timer("Timeout", "RFC 6733, 5.6")
def on_timeout(node: Node, host: Any, rx: Rx) -> Effects:
    """No connection, no CEA or no DPA in time."""
    peer = node.peers[host]
    rx.subject = host
    reason = f"nothing came in {peer.state} for {WAIT:g} s"
    yield from node.step(peer, "Timeout")
    yield from closed(node, peer, reason)


def closed(node: Node, peer: Peer, reason: str) -> Iterator[Effect]:
    """No connection is left, or shall be; its requests go elsewhere, and after Tc we try again."""
    was_open = peer.health != WATCHDOG.initial and peer.since
    peer.last, peer.since, peer.cer, peer.pending = reason, 0.0, None, False
    for connection in (peer.initiator, peer.responder):
        yield from node.forget(connection)
    peer.initiator = peer.responder = ""
    for timer in ("Timeout", "Tw"):
        yield StopTimer(timer, peer.host)
    if WATCHDOG.allows(peer.health, "Connection down"):
        yield from node.feel(peer, "Connection down")
    if was_open:
        yield Verdict("Diameter peer", False, f"{peer.host} closed: {reason}")
    yield from requests.leave(node, peer)
    if not peer.known:
        del node.peers[peer.host]
    elif peer.config.mode == "connect" and not peer.resting:
        yield StartTimer("Tc", peer.host, node.config.tc)
