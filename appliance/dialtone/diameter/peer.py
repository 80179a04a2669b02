# SPDX-License-Identifier: Apache-2.0
"""What the node knows of a neighbour and of a connection."""

from dataclasses import dataclass
from typing import Any

from dialtone.codec.diameter import CapabilitiesExchangeAnswer, CapabilitiesExchangeRequest
from dialtone.config_diameter import PeerConfig
from dialtone.diameter.states import OPEN, PEER, WATCHDOG, Health, State

RELAY = 0xFFFFFFFF  # Application-Id of relays: any application (RFC 6733, 2.4)


@dataclass(slots=True)
class Connection:
    """A transport connection; `host` is the peer it belongs to, empty before its CER."""

    name: str
    since: float
    host: str = ""
    why: str = ""  # we hang up


@dataclass(slots=True)
class Peer:
    """A neighbour (RFC 6733, 2.6). `initiator` and `responder` name the connections that we and that it opened."""

    host: str
    config: PeerConfig
    known: bool = True  # configured, and not only let in
    state: State = PEER.initial
    health: Health = WATCHDOG.initial
    initiator: str = ""
    responder: str = ""
    cer: CapabilitiesExchangeRequest | None = None  # not answered yet: the election decides
    realm: str = ""
    product: str = ""
    applications: frozenset[int] = frozenset()
    addresses: tuple[str, ...] = ()  # Host-IP-Address
    pending: bool = False  # a DWR is not answered
    dwas: int = 0  # NumDWA of RFC 3539
    deadline: float = 0.0  # when Tw expires
    resting: bool = False  # took leave and does not expect us back (Disconnect-Cause 1 and 2), or we did
    since: float = 0.0
    last: str = ""  # the last thing that went wrong

    @property
    def connection(self) -> str:
        """The connection in use, empty without one."""
        return self.initiator or self.responder

    @property
    def open(self) -> bool:
        """Whether messages of applications may pass."""
        return self.state in OPEN

    @property
    def side(self) -> str:
        """I or R: the prefix of the events of the connection in use."""
        return "I" if self.initiator else "R"

    def speaks(self, application: int) -> bool:
        """Whether it announced this application."""
        return application in self.applications or RELAY in self.applications

    def learn(self, message: CapabilitiesExchangeRequest | CapabilitiesExchangeAnswer) -> None:
        """What it says of itself."""
        self.realm = self.config.realm or message.origin_realm.lower()
        self.product = message.product_name or ""
        self.applications = applications(message)
        self.addresses = tuple(map(str, message.host_ip_address))

    def as_data(self, waiting: int) -> dict[str, Any]:
        """For people and programs; `waiting` is how many requests of ours it has not answered."""
        config = self.config
        at = f"{config.transport} {config.address}:{config.port}" if config.address else ""
        return {
            "host": self.host, "realm": self.realm or config.realm, "known": self.known, "mode": config.mode,
            "state": self.state, "watchdog": self.health, "address": self.responder or at,
            "addresses": list(self.addresses),
            "since": self.since or None, "product": self.product, "applications": sorted(self.applications),
            "waiting": waiting, "last": self.last,
        }  # fmt: skip


def applications(message: CapabilitiesExchangeRequest | CapabilitiesExchangeAnswer) -> frozenset[int]:
    """Every Application-Id that a CER or CEA announces (RFC 6733, 5.3)."""
    found = {*message.auth_application_id, *message.acct_application_id}
    for group in message.vendor_specific_application_id:
        found |= {group.auth_application_id, group.acct_application_id} - {None}  # type: ignore[arg-type]
    return frozenset(found)
