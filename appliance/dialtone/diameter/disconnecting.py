# SPDX-License-Identifier: Apache-2.0
"""Taking leave (RFC 6733, 5.4): Disconnect-Peer, and who comes back."""

from collections.abc import Iterator

from dialtone.codec.diameter import DisconnectPeerAnswer, DisconnectPeerRequest, ResultCode
from dialtone.diameter import connecting, requests
from dialtone.diameter.effects import Stop
from dialtone.diameter.node import WAIT, Node, on
from dialtone.diameter.peer import Peer
from dialtone.diameter.states import WATCHDOG
from dialtone.dispatch import Rx
from dialtone.effects import Effect, Effects, StartTimer, StopTimer

REBOOTING = 0
CAUSES = {0: "rebooting", 1: "busy", 2: "nothing more to say"}  # RFC 6733, 5.4.3


@on.event(Stop)
def on_stop(node: Node, event: Stop, rx: Rx) -> Effects:
    """Say goodbye; whoever is not open is left at once."""
    for peer in list(node.peers.values()):
        if event.host not in ("", peer.host):
            continue
        peer.resting = True
        yield StopTimer("Tc", peer.host)
        if peer.open:
            yield node.request(peer.connection, DisconnectPeerRequest(
                origin_host=node.host, origin_realm=node.realm, disconnect_cause=event.cause))
            yield from _parting(node, peer, "Stop")
        elif peer.connection:
            yield from node.step(peer, "Timeout")
            yield from connecting.closed(node, peer, "stopped")


@on("Diameter", DisconnectPeerRequest)
def on_disconnect_peer_request(node: Node, msg: DisconnectPeerRequest, rx: Rx) -> Effects:
    """The peer takes leave and closes the connection when it has our answer."""
    peer = node.peer_of(rx.peer)
    assert peer is not None  # the gate
    yield node.answer(rx.peer, msg, DisconnectPeerAnswer(
        result_code=ResultCode.DIAMETER_SUCCESS, origin_host=node.host, origin_realm=node.realm))
    if peer.open:
        peer.resting = msg.disconnect_cause != REBOOTING
        cause = CAUSES.get(msg.disconnect_cause, f"Disconnect-Cause {msg.disconnect_cause}")
        node.connections[rx.peer].why = f"it took leave: {cause}"
        yield from _parting(node, peer, f"{peer.side}-Rcv-DPR")
        yield from requests.leave(node, peer)


@on("Diameter", DisconnectPeerAnswer)
def on_disconnect_peer_answer(node: Node, msg: DisconnectPeerAnswer, rx: Rx) -> Effects:
    """We may close."""
    peer = node.peer_of(rx.peer)
    assert peer is not None
    yield from node.step(peer, f"{peer.side}-Rcv-DPA")
    yield from connecting.closed(node, peer, "we took leave")


def _parting(node: Node, peer: Peer, event: str) -> Iterator[Effect]:
    yield from node.step(peer, event)
    if WATCHDOG.allows(peer.health, "Disconnected in good order"):
        yield from node.feel(peer, "Disconnected in good order")
    yield StopTimer("Tw", peer.host)
    yield StartTimer("Timeout", peer.host, WAIT)
