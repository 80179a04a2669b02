# SPDX-License-Identifier: Apache-2.0
"""Requests of peers: to the element that serves them, once; and the answer back the way they came (RFC 6733, 6.2)."""

from collections.abc import Iterator

from dialtone.codec.diameter import DiameterError, Header, ResultCode, refusal
from dialtone.diameter.effects import Forward, Outgoing
from dialtone.diameter.node import Node
from dialtone.diameter.peer import Peer
from dialtone.diameter.transactions import Theirs
from dialtone.diameter.wire import Envelope, envelope, renumber
from dialtone.effects import Deliver, Effect

REMEMBERED = 1024  # requests
SECONDS = 240.0  # for which End-to-End Identifiers stay unique (RFC 6733, 3)
_RETRANSMITTED = 0x10


def requested(node: Node, peer: Peer, header: Header, data: bytes, now: float) -> Iterator[Effect]:
    """A request came over the peer's connection."""
    to = envelope(data)
    origin = (to.origin_host or peer.host, header.end_to_end)
    if earlier := _repeated(node, origin, header, data):
        node.count("duplicate")
        earlier.connection, earlier.hop_by_hop = peer.connection, header.hop_by_hop
        if earlier.answer:
            yield Forward(peer.connection, renumber(earlier.answer, header.hop_by_hop))
        return
    try:
        service, element = _server(node, header, to)
    except DiameterError as fault:
        node.count("refused")
        fault.header = header
        if answer := refusal(data, fault, node.host, node.realm):
            yield Forward(peer.connection, answer)
        return
    theirs = Theirs(origin, node.hop_by_hop(), hash(data[20:]), now, peer.connection, header.hop_by_hop)
    node.theirs[theirs.number] = node.seen[origin] = theirs
    _tidy(node, now)
    yield Deliver(element, service, origin[0], renumber(data, theirs.number))


def send(node: Node, event: Outgoing, header: Header) -> Iterator[Effect]:
    """The answer of an element; kept for the case that the request comes again."""
    theirs = node.theirs.get(header.hop_by_hop)
    if theirs is None:
        node.count("late answer")
        return
    theirs.answer = renumber(event.data, theirs.hop_by_hop)
    peer = node.peer_of(theirs.connection)
    if peer is not None and peer.open:
        yield Forward(theirs.connection, theirs.answer)


def _repeated(node: Node, origin: tuple[str, int], header: Header, data: bytes) -> Theirs | None:
    """The same request, seen before. One that does not say so (T flag) must be the same to the last octet: some nodes
    number from 1 again after a restart."""
    earlier = node.seen.get(origin)
    if earlier and (header.flags & _RETRANSMITTED or earlier.body == hash(data[20:])):
        return earlier
    return None


def _server(node: Node, header: Header, to: Envelope) -> tuple[str, str]:
    """Reference point and element. Raises DiameterError: a loop, not for us, or not served (RFC 6733, 6.1.3, 6.1.4)."""
    service = node.services.get(header.application_id)
    if service is None:
        raise DiameterError(f"application {header.application_id} is not served", clause="RFC 6733, 7.1.3",
                            cause=ResultCode.DIAMETER_APPLICATION_UNSUPPORTED)
    if not node.identities.isdisjoint(to.route_record):
        raise DiameterError(f"the request was here already: {', '.join(to.route_record)}", clause="RFC 6733, 6.1.3",
                            cause=ResultCode.DIAMETER_LOOP_DETECTED)
    if to.destination_host and to.destination_host not in node.identities:
        raise DiameterError(f"{to.destination_host} is not here", clause="RFC 6733, 6.1.4",
                            cause=ResultCode.DIAMETER_UNABLE_TO_DELIVER)
    if not to.destination_host and to.destination_realm not in {"", *node.realms}:
        raise DiameterError(f"realm {to.destination_realm} is not served", clause="RFC 6733, 6.1.4",
                            cause=ResultCode.DIAMETER_REALM_NOT_SERVED)
    return service.point, service.server(header.command, header.application_id)


def _tidy(node: Node, now: float) -> None:
    while node.theirs:
        number, oldest = next(iter(node.theirs.items()))
        if len(node.theirs) <= REMEMBERED and oldest.at > now - SECONDS:
            return
        del node.theirs[number]
        if node.seen.get(oldest.origin) is oldest:
            del node.seen[oldest.origin]
