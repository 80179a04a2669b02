# SPDX-License-Identifier: Apache-2.0
"""Requests of our elements: to a peer, and to another one when it fails (RFC 6733, 5.5.4 and 6.1)."""

from collections.abc import Iterator
from typing import Any

from dialtone.codec.diameter import DiameterError, Header, ResultCode, refusal
from dialtone.diameter import routing
from dialtone.diameter.effects import Forward, Outgoing, Start
from dialtone.diameter.node import Node, on
from dialtone.diameter.peer import Peer
from dialtone.diameter.transactions import Ours
from dialtone.diameter.wire import envelope, readdress, renumber
from dialtone.dispatch import Rx
from dialtone.effects import Deliver, Effect, Effects, StartTimer, StopTimer, Tell

ELSEWHERE = (ResultCode.DIAMETER_UNABLE_TO_DELIVER, ResultCode.DIAMETER_TOO_BUSY)
_ERROR = 0x20


def send(node: Node, event: Outgoing, header: Header) -> Iterator[Effect]:
    """A request of an element. Without Destination-Host it goes to the realm that the element's peer stands for."""
    data, to = event.data, envelope(event.data)
    host, realm = to.destination_host, to.destination_realm
    if not host:
        host, realm = event.peer, routing.realm_of(node, event.peer)
        if realm and realm != to.destination_realm:
            data = readdress(data, realm)
    data = renumber(data, 0, node.end_to_end())
    yield from _dispatch(node, Ours(
        event.point, event.element, event.peer, header.hop_by_hop, header.end_to_end, data, header.application_id,
        routing.candidates(node, host, realm)))


def _dispatch(node: Node, ours: Ours, *, again: bool = True) -> Iterator[Effect]:
    """To the best peer that has not had it; where there is none the element is told so (3002). `again`: who had it
    before may have handled it."""
    peer = routing.pick(node, ours.hosts, ours.application, ours.hops.values())
    if peer is None:
        yield from _undeliverable(node, ours)
        return
    number = node.hop_by_hop()
    again = again and bool(ours.hops)
    if again:
        node.count("failover")
    ours.hops[number] = peer.host
    node.ours[number] = ours
    yield Forward(peer.connection, renumber(ours.data, number, again=again))
    yield StartTimer("Tx", number, node.config.tx)


def _undeliverable(node: Node, ours: Ours) -> Iterator[Effect]:
    node.count("undeliverable")
    fault = DiameterError("no peer is open on the way to it", cause=ResultCode.DIAMETER_UNABLE_TO_DELIVER,
                          clause="RFC 6733, 7.1.3")
    original = renumber(ours.data, ours.hop_by_hop, ours.end_to_end)
    fault.header = Header(original[4], int.from_bytes(original[5:8], "big"), ours.application, ours.hop_by_hop,
                          ours.end_to_end)
    answer = refusal(original, fault, node.host, node.realm)
    assert answer is not None  # it is a request
    yield Deliver(ours.element, ours.point, ours.peer, answer)
    for peer in routing.sleepers(node, ours.hosts):
        yield Tell(node.name, Start(peer.host))


def answered(node: Node, peer: Peer, header: Header, data: bytes) -> Iterator[Effect]:
    """An answer goes back under the identifiers of the element; a second one is dropped. A peer that could not deliver
    the request, or is too busy, leaves it to the next one (RFC 6733, 7.1.3)."""
    ours = node.ours.get(header.hop_by_hop)
    if ours is None or ours.hops[header.hop_by_hop] != peer.host:
        node.count("unexpected answer")
        return
    if header.flags & _ERROR and envelope(data).result_code in ELSEWHERE and (
            routing.pick(node, ours.hosts, ours.application, ours.hops.values())):
        node.count("declined")
        del node.ours[header.hop_by_hop]
        yield StopTimer("Tx", header.hop_by_hop)
        yield from _dispatch(node, ours, again=False)  # it was not handled there: no T flag
        return
    for number in ours.hops:
        node.ours.pop(number, None)
        yield StopTimer("Tx", number)
    yield Deliver(ours.element, ours.point, ours.peer, renumber(data, ours.hop_by_hop, ours.end_to_end))


@on.timer("Tx", "RFC 6733, 5.5.4")
def on_tx(node: Node, number: Any, rx: Rx) -> Effects:
    """No answer. The element has a Tx of its own and decides what comes then."""
    node.ours.pop(number, None)
    node.count("unanswered")
    return ()


def suspect(node: Node, peer: Peer) -> Iterator[Effect]:
    """Failover: what a silent peer has goes to others too, where there are any; its answer is still welcome."""
    for ours in _at(node, peer):
        if routing.pick(node, ours.hosts, ours.application, ours.hops.values()):
            yield from _dispatch(node, ours)


def leave(node: Node, peer: Peer) -> Iterator[Effect]:
    """Failover: the peer is gone, and so is every answer it owed."""
    waiting = _at(node, peer)
    for number in [number for number, ours in node.ours.items() if ours.hops[number] == peer.host]:
        del node.ours[number]
        yield StopTimer("Tx", number)
    for ours in waiting:
        yield from _dispatch(node, ours)


def _at(node: Node, peer: Peer) -> list[Ours]:
    return list({id(ours): ours for ours in node.ours.values() if ours.at == peer.host}.values())
