# SPDX-License-Identifier: Apache-2.0
"""[diameter] of dialtone.toml: our identity and address, the peers, the routes by realm, the timers.

    [diameter]
    listen = "10.0.1.133"
    hss = "example.org"                     # the HSS of this realm takes the place of ours

    [diameter.peer."hss1.example.org"]
    realm = "example.org"
    address = "10.0.1.7"

    [diameter.route."example.org"]          # only where metrics or further realms are wanted
    peers = { "hss1.example.org" = 1, "hss2.example.org" = 2 }
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dialtone import config_checks as check
from dialtone.config_checks import setting

DEFAULT_ROUTE = "default"


@dataclass(frozen=True, slots=True)
class PeerConfig:
    """[diameter.peer."<host>"]: a neighbour, by its DiameterIdentity."""

    realm: str = setting("", check.identity, "its realm; as it says itself when empty")
    address: str = setting("", check.any_address, "where to connect to")
    port: int = setting(3868, check.number(1, 65535), "its port")
    transport: str = setting("tcp", check.one_of("tcp", "sctp"), "transport to connect over")
    mode: str = setting("connect", check.one_of("connect", "accept"), "connect, or wait for it to connect")


@dataclass(frozen=True, slots=True)
class RouteConfig:
    """[diameter.route."<realm>"]: who leads to a realm; [diameter.route.default] to all others."""

    peers: tuple[tuple[str, int], ...] = setting((), check.metrics, "peers with their metric; the least comes first")


@dataclass(frozen=True, slots=True)
class DiameterConfig:
    """[diameter]: the node that speaks with peers outside of the box; none without listen and peers."""

    listen: str = setting("", check.any_address, "address to listen on and to connect from; nobody when empty")
    port: int = setting(3868, check.number(1, 65535), "port to listen on")
    transports: tuple[str, ...] = setting(("tcp",), check.some_of("tcp", "sctp"), "transports to listen on")
    host: str = setting("", check.identity, "our DiameterIdentity; made from the PLMN when empty")
    realm: str = setting("", check.identity, "our realm; epc.mnc...mcc...3gppnetwork.org when empty")
    hss: str = setting("", check.identity, "host or realm of the HSS that our MME asks; our own when empty")
    cx: str = setting("", check.identity, "host or realm of the HSS that our CSCFs ask over Cx; that of hss when empty")
    sms: str = setting("", check.identity, "host or realm of the SMS centre that our MME asks; our own when empty")
    accept_unknown: bool = setting(False, check.flag, "let peers in that are not configured")
    tc: float = setting(30.0, check.seconds_from(1), "Tc: pause before connecting again, seconds (RFC 6733, 12)")
    tw: float = setting(30.0, check.seconds_from(6), "Tw: silence before a watchdog request, seconds (RFC 3539)")
    tx: float = setting(10.0, check.seconds_from(1), "Tx: wait for an answer, seconds")
    peer: Mapping[str, PeerConfig] = field(default_factory=dict)
    route: Mapping[str, RouteConfig] = field(default_factory=dict)

    @property
    def wanted(self) -> bool:
        """Whether there is a node at all."""
        return bool(self.listen or self.peer)

    def problem(self) -> tuple[str, str] | None:
        """What does not fit together: the key, what is wrong with it and what to do; None when all is well."""
        for host, peer in self.peer.items():
            key = f'diameter.peer."{host}"'
            if peer.mode == "connect" and not peer.address:
                return f"{key} has no address", 'Write address = "...", or mode = "accept".'
            if peer.mode == "accept" and not self.listen:
                return f"{key} shall connect to us, but nobody listens", 'Write listen = "..." in [diameter].'
        for realm, route in self.route.items():
            for host, _ in route.peers:
                if host not in self.peer:
                    return (f'diameter.route."{realm}".peers names {host}, which is no peer',
                            f'Add [diameter.peer."{host}"].')
        realms = {peer.realm for peer in self.peer.values()} | set(self.route) | set(self.peer)
        for key, host in (("hss", self.hss), ("cx", self.cx), ("sms", self.sms)):
            if host and host not in realms and DEFAULT_ROUTE not in self.route:
                return (f"diameter.{key} is {host}, which is no peer's host or realm and has no route",
                        f'Add [diameter.peer."{host}"], or a route to that realm.')
        return None
