# SPDX-License-Identifier: Apache-2.0
"""PDN connections and bearers as the user plane knows them: whose address, which TEID, which filters and rates."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from dialtone.codec.ipfilter import FilterRule
from dialtone.codec.tft import Direction, PacketFilter
from dialtone.datapath.flow import Template
from dialtone.datapath.path import Address
from dialtone.datapath.policing import DOWN, Meters
from dialtone.datapath.router import Link
from dialtone.effects import OpenMedia, OpenTunnel
from dialtone.errors import LocalError
from dialtone.qci import GBR


@dataclass(slots=True, eq=False)
class Session:
    """A PDN connection: `ue` is the phone's IPv4 address or empty, `link` has its /64. The default bearer is first."""

    imsi: str
    ue: bytes
    link: Link | None
    bearers: "list[Bearer]" = field(default_factory=list)
    template: "Template[Bearer]" = field(default_factory=lambda: Template((), downlink=True))
    ambr: Meters = field(default_factory=Meters)
    calls: "tuple[Template[bool], Template[bool]]" = field(default_factory=lambda: _calls(()))  # down, up
    unheard: bool = True  # nothing was said yet of packets that belong to none of them

    def arrange(self) -> None:
        """The filters of its bearers changed."""
        self.template = Template([(one, bearer) for bearer in self.bearers for one in bearer.filters], downlink=True)

    def choose(self, packet: bytes) -> "Bearer":
        """The bearer of a downlink packet; one that has no eNB end yet leaves its packets to a default one that has."""
        default = self.bearers[0]
        bearer = self.template.choose(packet, default)
        return default if bearer.to is None and default.to is not None else bearer

    def strays(self) -> bool:
        """Whether a packet that no call names is news: once for each change of the phone's calls."""
        news = self.unheard and any(template.rules for template in self.calls)
        self.unheard = False
        return news

    def in_call(self, way: int, packet: bytes) -> bool:
        """Whether a call of the phone has this flow open, to or from another phone."""
        return self.calls[way].choose(packet, False)


@dataclass(slots=True, eq=False)
class Bearer:
    """One EPS bearer. Counters are of inner IP packets and octets that passed, as in TS 32.298, and of those above the
    bit rates."""

    session: Session
    ebi: int
    teid: int
    qci: int = 9
    tos: int = 0  # of the outer header
    filters: tuple[PacketFilter, ...] = ()
    mbr: Meters = field(default_factory=Meters)
    remote_teid: int = 0
    to: Address | None = None  # the eNB; None while the phone is idle
    up_packets: int = 0
    up_bytes: int = 0
    up_policed: int = 0
    down_packets: int = 0
    down_bytes: int = 0
    down_policed: int = 0

    @property
    def imsi(self) -> str:
        """Whose it is."""
        return self.session.imsi

    @property
    def ue(self) -> bytes:
        """The phone's IPv4 address, or empty."""
        return self.session.ue

    def policed(self, way: int, size: int, now: float) -> str:
        """Empty for a packet within the rates, else the cause to count it under."""
        if not self.mbr.admit(way, size, now):
            cause = "over MBR"
        elif self.qci not in GBR and not self.session.ambr.admit(way, size, now):
            cause = "over AMBR"
        else:
            return ""
        if way == DOWN:
            self.down_policed += 1
        else:
            self.up_policed += 1
        return cause


def _calls(flows: Sequence[FilterRule]) -> "tuple[Template[bool], Template[bool]]":
    rules = [(flow.packet_filter(number, number, Direction.DOWNLINK if flow.out else Direction.UPLINK), True)
             for number, flow in enumerate(flows)]
    return Template(rules, downlink=True), Template(rules, downlink=False)


class Sessions:
    """All of them, by TEID and by address."""

    def __init__(self) -> None:
        self.bearers: dict[int, Bearer] = {}  # by our TEID
        self.by_address: dict[bytes, Session] = {}  # by the IPv4 address, and by the 8 octets of the prefix

    def put(self, tunnel: OpenTunnel) -> Bearer:
        """The bearer of `tunnel`, new or present, with its filters and rates.

        Raises LocalError when the TEID or an address belongs to somebody else.
        """
        session, bearer = self._session(tunnel), self.bearers.get(tunnel.teid)
        if bearer is None:
            bearer = self._add(tunnel, session)
        elif bearer.session is not session:
            raise LocalError(f"TEID {tunnel.teid:#010x} belongs to another phone.")
        bearer.ebi, bearer.qci = tunnel.ebi, tunnel.qci
        bearer.mbr.set(tunnel.mbr)
        bearer.session.ambr.set(tunnel.ambr)
        if bearer.filters != tunnel.filters:
            bearer.filters = tunnel.filters
            bearer.session.arrange()
        return bearer

    def remove(self, teid: int) -> Bearer | None:
        """Take a bearer out, with its session if it was the last; an unknown TEID is no error."""
        bearer = self.bearers.pop(teid, None)
        if bearer is not None:
            session = bearer.session
            session.bearers.remove(bearer)
            session.arrange()
            if not session.bearers:
                self.by_address.pop(session.ue, None)
                if session.link is not None:
                    self.by_address.pop(session.link.prefix, None)
        return bearer

    def calls(self, effect: OpenMedia) -> None:
        """What the calls of a phone have open from now on; of one that is gone, nothing."""
        for session in {id(found): found for key in (effect.ue, effect.prefix)
                        if (found := self.by_address.get(key)) is not None}.values():
            session.calls, session.unheard = _calls(effect.flows), True

    def _add(self, tunnel: OpenTunnel, session: Session | None) -> Bearer:
        if session is None:
            session = Session(tunnel.imsi, tunnel.ue, Link(tunnel.prefix) if tunnel.prefix else None)
            self.by_address.update((key, session) for key in (tunnel.ue, tunnel.prefix) if key)
        bearer = self.bearers[tunnel.teid] = Bearer(session, tunnel.ebi, tunnel.teid)
        session.bearers.append(bearer)
        return bearer

    def _session(self, tunnel: OpenTunnel) -> Session | None:
        """The PDN connection with these addresses, or None; raises LocalError when they are not all one phone's."""
        if len(tunnel.ue) not in (0, 4) or len(tunnel.prefix) not in (0, 8) or not tunnel.ue + tunnel.prefix:
            raise LocalError("A phone has an IPv4 address of 4 octets, an IPv6 prefix of 8, or both.")
        found = [self.by_address.get(key) for key in (tunnel.ue, tunnel.prefix) if key]
        if any(session is not found[0] or (session and session.imsi != tunnel.imsi) for session in found):
            raise LocalError("An address of the phone belongs to another phone.")
        return found[0]
