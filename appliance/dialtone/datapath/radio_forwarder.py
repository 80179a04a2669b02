# SPDX-License-Identifier: Apache-2.0
"""The simulated eNB's tables: which tunnel a phone's packet takes, and which phone a datagram is for. Sans-IO."""

from dataclasses import dataclass, field

from dialtone.codec.gtpu import END_MARKER, G_PDU, ErrorIndication, gpdu, split
from dialtone.codec.tft import PacketFilter
from dialtone.datapath.flow import Template
from dialtone.datapath.handovers import Handovers
from dialtone.datapath.path import Address, Out, Path, Trace, no_trace
from dialtone.datapath.router import ICMPV6, ROUTER_ADVERTISEMENT
from dialtone.errors import ProtocolError
from dialtone.kernel.net import LINK_LOCAL


@dataclass(slots=True)
class RadioBearer:
    """One bearer at the eNB: `teid` is the eNB's, `remote_teid` at `to` the P-GW's. The phone's IPv4 address `ue` and
    interface `identifier` are empty where its PDN type has none; a dedicated bearer has those of its default one, and
    `filters`."""

    imsi: str
    ebi: int
    ue: bytes
    teid: int
    remote_teid: int
    to: Address
    identifier: bytes = b""
    filters: tuple[PacketFilter, ...] = ()
    up_packets: int = 0
    down_packets: int = 0


@dataclass(slots=True)
class RadioForwarder:
    """Sans-IO: which tunnel a phone's packet takes, and which phone a datagram is for."""

    local: bytes
    trace: Trace = no_trace
    bearers: dict[int, RadioBearer] = field(default_factory=dict)  # by the eNB's TEID
    refused: list[RadioBearer] = field(default_factory=list)
    drops: dict[str, int] = field(default_factory=dict)
    path: Path = field(init=False)
    handovers: Handovers = field(default_factory=Handovers)
    _from: dict[tuple[str, bytes], RadioBearer] = field(default_factory=dict)  # the default bearer of an address
    _templates: dict[int, Template[RadioBearer]] = field(default_factory=dict)  # by the default bearer's TEID

    def __post_init__(self) -> None:
        self.path = Path(self.local, self.drops, self._refused, self.trace)

    def add(self, bearer: RadioBearer) -> None:
        """Add a bearer or replace the one with the same TEID; one without filters is the default of its addresses."""
        self._remove(bearer.teid)
        self.bearers[bearer.teid] = bearer
        for key in (bearer.ue, bearer.identifier):
            if key and not bearer.filters:
                self._from.setdefault((bearer.imsi, key), bearer)
        self._arrange()

    def remove(self, teid: int) -> RadioBearer | None:
        """Remove a bearer, or one whose phone has not come; an unknown TEID is no error."""
        self.handovers.forget(teid)
        return self._remove(teid)

    def _remove(self, teid: int) -> RadioBearer | None:
        bearer = self.bearers.pop(teid, None)
        for key in [key for key, other in self._from.items() if other is bearer]:
            del self._from[key]
        self._arrange()
        return bearer

    def _arrange(self) -> None:
        """The filters of the dedicated bearers, each beside its default one."""
        rules: dict[int, list[tuple[PacketFilter, RadioBearer]]] = {}
        for bearer in self.bearers.values():
            default = self._from.get((bearer.imsi, bearer.ue or bearer.identifier))
            if default is not None and bearer.filters:
                rules.setdefault(default.teid, []).extend((one, bearer) for one in bearer.filters)
        self._templates = {teid: Template(found, downlink=False) for teid, found in rules.items()}

    def from_core(self, datagram: bytes, peer: Address, now: float) -> tuple[str, bytes] | Out | None:
        """(imsi, packet) for a phone, or what to send, or None."""
        try:
            kind, teid, start = split(datagram)
        except ProtocolError as error:
            return self.path.unreadable(datagram, error, peer, now)
        if kind in (G_PDU, END_MARKER) and teid in self.handovers:
            out = self.handovers.take(kind, teid, datagram, start)
            if isinstance(out, str):
                self.path.drop(out)
                return None
            return out
        if kind != G_PDU:
            return self.path.manage(datagram, peer, now)
        bearer = self.bearers.get(teid)
        if bearer is None:
            return self.path.unknown(datagram, teid, peer, now)
        return self._to_phone(bearer, datagram[start:])

    def held(self) -> list[tuple[str, bytes]]:
        """(imsi, packet) that were held in a handover and are due now, in order."""
        ready, self.handovers.ready = self.handovers.ready, []
        return [self._to_phone(bearer, packet) for teid, packet in ready if (bearer := self.bearers.get(teid))]

    def _to_phone(self, bearer: RadioBearer, packet: bytes) -> tuple[str, bytes]:
        bearer.down_packets += 1
        if len(packet) >= 80 and packet[0] >> 4 == 6 and packet[6] == ICMPV6 and packet[40] == ROUTER_ADVERTISEMENT:
            self._from.setdefault((bearer.imsi, packet[72:80]), bearer)  # the prefix that is advertised on it
        return bearer.imsi, packet

    def prefix(self, imsi: str, ebi: int) -> bytes:
        """What was advertised on this default bearer, 8 octets; empty before that."""
        return next((key for (who, key), bearer in self._from.items()
                     if (who, bearer.ebi) == (imsi, ebi) and len(key) == 8 and key != bearer.identifier), b"")

    def from_phone(self, imsi: str, packet: bytes) -> Out | None:
        """What to send, or None without a bearer. A real eNB does not look at addresses; this one has only them to tell
        the bearers of a phone apart, and takes the first for a source it does not know."""
        bearer = self._from.get((imsi, _source(packet)))
        if bearer is None:
            ipv6 = packet[0] >> 4 == 6
            bearer = next((b for b in self.bearers.values()
                           if b.imsi == imsi and (b.identifier if ipv6 else b.ue)), None)
        if bearer is None:
            return None
        if (template := self._templates.get(bearer.teid)) is not None:
            bearer = template.choose(packet, bearer)
        bearer.up_packets += 1
        return gpdu(bearer.remote_teid, packet), bearer.to, 0

    def _refused(self, peer: Address, indication: ErrorIndication) -> None:
        for bearer in list(self.bearers.values()):
            if bearer.to[0] == peer[0] and bearer.remote_teid == indication.teid_data_i:
                self.refused.append(bearer)


def _source(packet: bytes) -> bytes:
    """What tells a phone's PDN connections apart: the IPv4 address, the /64, the identifier of a link-local address."""
    if packet[0] >> 4 != 6:
        return packet[12:16]
    return packet[16:24] if packet[8:16] == LINK_LOCAL else packet[8:16]
