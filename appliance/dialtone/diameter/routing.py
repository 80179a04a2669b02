# SPDX-License-Identifier: Apache-2.0
"""Who gets a request (RFC 6733, 6.1.4 to 6.1.6): the host if it is a neighbour, else the realm's peers by metric, else
the default route; among those that are open, the healthy first."""

from collections.abc import Collection, Iterator

from dialtone.config_diameter import DEFAULT_ROUTE
from dialtone.diameter.node import Node
from dialtone.diameter.peer import Peer
from dialtone.diameter.states import Health

_RANK = {Health.OKAY: 0, Health.REOPEN: 1, Health.SUSPECT: 2}


def realm_of(node: Node, target: str) -> str:
    """The realm that a target names: a peer's host stands for its realm."""
    peer = node.peers.get(target)
    return peer.realm if peer else target


def candidates(node: Node, host: str, realm: str) -> tuple[str, ...]:
    """The peers that lead to a host or, if it is no neighbour or does not answer, to its realm; best first."""
    found = [host] if host in node.peers else []
    if route := node.config.route.get(realm):
        found += [name for name, _ in route.peers]
    else:
        found += [peer.host for peer in node.peers.values() if realm and peer.realm == realm]
    if set(found) <= {host} and (default := node.config.route.get(DEFAULT_ROUTE)):
        found += [name for name, _ in default.peers]
    return tuple(dict.fromkeys(found))


def pick(node: Node, hosts: Collection[str], application: int, tried: Collection[str]) -> Peer | None:
    """The peer to ask next; None when nobody is left."""
    usable = [peer for host in hosts if host not in tried and (peer := node.peers.get(host)) and peer.open
              and peer.health in _RANK and peer.speaks(application)]
    return min(usable, key=lambda peer: _RANK[peer.health], default=None)


def sleepers(node: Node, hosts: Collection[str]) -> Iterator[Peer]:
    """Peers that took leave because there was nothing to say, and now there is (RFC 6733, 5.4)."""
    for host in hosts:
        peer = node.peers.get(host)
        if peer is not None and peer.resting and peer.config.mode == "connect":
            yield peer
