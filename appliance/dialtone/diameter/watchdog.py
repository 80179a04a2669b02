# SPDX-License-Identifier: Apache-2.0
"""Watchdog (RFC 6733, 5.5; RFC 3539, 3.4): after Tw we ask, after twice Tw requests go elsewhere, then we close."""

from collections.abc import Iterator
from typing import Any

from dialtone.codec.diameter import DeviceWatchdogAnswer, DeviceWatchdogRequest, ResultCode
from dialtone.diameter import requests
from dialtone.diameter.node import Node, on
from dialtone.diameter.peer import Peer
from dialtone.diameter.states import Health
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, StartTimer

JITTER = 2.0  # seconds either way (RFC 3539, 3.4.1)
EARLY = 0.01  # seconds; less is not worth another timer
STABLE = 3  # answers after which a connection that was lost is trusted again


def connection_up(node: Node, peer: Peer) -> Iterator[Effect]:
    """Capabilities are exchanged. A peer that was lost has to prove itself (REOPEN)."""
    peer.pending, peer.dwas = False, 0
    yield from node.feel(peer, "Connection up")
    if peer.health is Health.REOPEN:
        yield from probe(node, peer)
    wait = _wait(node)
    peer.deadline = node.connections[peer.connection].since + wait
    yield StartTimer("Tw", peer.host, wait)


def heard(node: Node, peer: Peer, now: float, *, dwa: bool = False) -> Iterator[Effect]:
    """Anything that comes is a sign of life. The timer itself runs on and looks at `deadline`."""
    if dwa:
        peer.pending = False
    if peer.health is Health.REOPEN:
        peer.dwas += 1 if dwa else 0
        if peer.dwas >= STABLE:
            yield from node.feel(peer, "Receive third DWA")
    elif peer.health in (Health.OKAY, Health.SUSPECT):
        yield from node.feel(peer, "Receive DWA" if dwa else "Receive non-DWA")
        peer.deadline = now + _wait(node)


@on.timer("Tw", "RFC 3539, 3.4.1")
def on_tw(node: Node, host: Any, rx: Rx) -> Effects:
    """Ask; then distrust; then close."""
    peer = node.peers[host]
    rx.subject, wait = host, peer.deadline - rx.now
    if wait > EARLY:
        yield StartTimer("Tw", host, wait)
        return
    if not peer.pending:
        yield from node.feel(peer, "Timer expires")
        yield from probe(node, peer)
    elif peer.health is Health.REOPEN and peer.dwas < 0:
        yield from _silent(node, peer, "Timer expires, twice pending")
        return
    elif peer.health is Health.SUSPECT:
        yield from _silent(node, peer, "Timer expires, pending")
        return
    elif peer.health is Health.REOPEN:
        yield from node.feel(peer, "Timer expires, pending")
        peer.dwas = -1
    else:
        yield from node.feel(peer, "Timer expires, pending")
        yield from requests.suspect(node, peer)
    wait = _wait(node)
    peer.deadline = rx.now + wait
    yield StartTimer("Tw", host, wait)


def probe(node: Node, peer: Peer) -> Iterator[Effect]:
    """Send a DWR, unless one is not answered yet."""
    if not peer.pending:
        peer.pending = True
        yield node.request(peer.connection, DeviceWatchdogRequest(
            origin_host=node.host, origin_realm=node.realm, origin_state_id=node.origin_state_id))


@on("Diameter", DeviceWatchdogRequest)
def on_device_watchdog_request(node: Node, msg: DeviceWatchdogRequest, rx: Rx) -> Effects:
    """We are here."""
    peer = node.peer_of(rx.peer)
    assert peer is not None  # the gate
    yield node.answer(rx.peer, msg, DeviceWatchdogAnswer(
        result_code=ResultCode.DIAMETER_SUCCESS, origin_host=node.host, origin_realm=node.realm,
        origin_state_id=node.origin_state_id))
    yield from heard(node, peer, rx.now)


@on("Diameter", DeviceWatchdogAnswer)
def on_device_watchdog_answer(node: Node, msg: DeviceWatchdogAnswer, rx: Rx) -> Effects:
    """The peer is here."""
    peer = node.peer_of(rx.peer)
    assert peer is not None
    yield from heard(node, peer, rx.now, dwa=peer.pending)


def _silent(node: Node, peer: Peer, event: str) -> Iterator[Effect]:
    """CloseConnection: not even the watchdog was answered."""
    node.count("watchdog failed")
    yield from node.feel(peer, event)
    yield from node.hang_up(peer.connection, "silent: no answer to Device-Watchdog-Request")


def _wait(node: Node) -> float:
    """Tw with its jitter, so that peers do not ask in chorus."""
    return node.config.tw + JITTER * (int.from_bytes(node.random(2), "big") / 32767.5 - 1)
