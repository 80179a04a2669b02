# SPDX-License-Identifier: Apache-2.0
"""What the P-CSCF remembers of a phone: its sets of SAs, its identities, the way to its S-CSCF and to itself."""

from dataclasses import dataclass, field
from typing import NamedTuple

from dialtone.crypto.ipsec_keys import SaSet
from dialtone.pcscf.states import RegistrationState
from dialtone.pcscf.watch import Watch
from dialtone.sip.flow import Flow


class RegistrationKey(NamedTuple):
    """A private identity at an address."""

    impi: str
    host: str


class Place(NamedTuple):
    """An address and port of a phone, and the port of ours that it writes to from there."""

    host: str
    port: int
    local_port: int


@dataclass(slots=True, eq=False)
class Association:
    """A set of SAs, the Security-Server line that told the phone of it, and when the kernel got it."""

    sas: SaSet
    server: str
    since: float

    @property
    def place(self) -> Place:
        """Where requests of the phone come from."""
        return Place(self.sas.phone.address, self.sas.phone.port_c, self.sas.network.port_s)

    @property
    def flow(self) -> Flow:
        """The way to the phone: from our client port to its server port (TS 33.203, 7.1)."""
        return Flow("udp", self.sas.phone.address, self.sas.phone.port_s, self.sas.network.port_c)

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.sas.alg} with {self.sas.ealg}"


@dataclass(slots=True, eq=False)
class Registration:
    """A private identity at an address.

    `current` is the set of SAs in use, `pending` one whose challenge is not answered, `old` those that newer ones have
    replaced; a phone without IPsec has none, and is reached at `plain`. `identities` are those of P-Associated-URI in
    their order, `routes` those of Service-Route. `contact` is the host and port that requests for the phone name,
    `watch` our subscription to its state in the core; `emergency` says that it registered for calls to 112 only.
    Without a private identity it is a guest (emergency.py).
    """

    key: RegistrationKey
    state: RegistrationState = RegistrationState.NONE
    current: Association | None = None
    pending: Association | None = None
    old: list[Association] = field(default_factory=list)
    plain: Flow | None = None
    contact: tuple[str, int] | None = None
    identities: list[str] = field(default_factory=list)
    routes: list[str] = field(default_factory=list)
    emergency: bool = False
    watch: Watch | None = None
    since: float = 0.0
    expires: float = 0.0  # the time when it ends

    @property
    def subject(self) -> str:
        """The IMSI, where the private identity begins with one; of a guest the address."""
        user = self.key.impi.partition("@")[0]
        return user if user.isdigit() else self.key.impi or self.key.host

    @property
    def guest(self) -> bool:
        """Whether it is here for an emergency call, and not registered."""
        return not self.key.impi

    @property
    def associations(self) -> list[Association]:
        """Every set that the kernel has."""
        return [one for one in (self.pending, self.current, *self.old) if one is not None]

    @property
    def registered(self) -> bool:
        """Whether it may send other requests than REGISTER."""
        return self.state == RegistrationState.REGISTERED
