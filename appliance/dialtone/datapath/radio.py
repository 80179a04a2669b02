# SPDX-License-Identifier: Apache-2.0
"""The simulated eNB's user plane: GTP-U towards the core, one TUN device in each phone's namespace.

What goes through it is what a phone's own IP stack sends, so `ping` and `curl` run over LTE bearers.
"""

import socket
import time
from dataclasses import dataclass, field

from dialtone.codec.gtpu import G_PDU, ErrorIndication, gpdu, split
from dialtone.datapath.devices import GtpuSocket, Tun
from dialtone.datapath.path import PORT, Address, Out, Path, Trace, no_trace
from dialtone.errors import ProtocolError
from dialtone.kernel.net import configure_phone
from dialtone.lab_kernel.namespaces import Namespace

DEVICE = "lte0"


@dataclass(slots=True)
class RadioBearer:
    """One bearer at the eNB: `teid` is the eNB's, `remote_teid` at `to` the P-GW's."""

    imsi: str
    ebi: int
    ue: bytes
    teid: int
    remote_teid: int
    to: Address
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
    _from: dict[tuple[str, bytes], RadioBearer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.path = Path(self.local, self.drops, self._refused, self.trace)

    def add(self, bearer: RadioBearer) -> None:
        """Add a bearer or replace the one with the same TEID; the first bearer of an address is its default."""
        self.remove(bearer.teid)
        self.bearers[bearer.teid] = bearer
        self._from.setdefault((bearer.imsi, bearer.ue), bearer)

    def remove(self, teid: int) -> RadioBearer | None:
        """Remove a bearer; an unknown TEID is no error."""
        bearer = self.bearers.pop(teid, None)
        if bearer is not None and self._from.get((bearer.imsi, bearer.ue)) is bearer:
            del self._from[bearer.imsi, bearer.ue]
        return bearer

    def from_core(self, datagram: bytes, peer: Address, now: float) -> tuple[str, bytes] | Out | None:
        """(imsi, packet) for a phone, or (octets, address) to send, or None."""
        try:
            kind, teid, start = split(datagram)
        except ProtocolError as error:
            return self.path.unreadable(datagram, error, peer, now)
        if kind != G_PDU:
            return self.path.manage(datagram, peer, now)
        bearer = self.bearers.get(teid)
        if bearer is None:
            return self.path.unknown(datagram, teid, peer, now)
        bearer.down_packets += 1
        return bearer.imsi, datagram[start:]

    def from_phone(self, imsi: str, packet: bytes) -> Out | None:
        """(octets, address) to send, or None. A real eNB does not look at addresses; this one has only them
        to tell the bearers of a phone apart, and takes the first for a source it does not know."""
        bearer = self._from.get((imsi, packet[12:16]))
        if bearer is None and packet[:1] >= b"\x40" and packet[:1] < b"\x50":
            bearer = next((b for b in self.bearers.values() if b.imsi == imsi), None)
        if bearer is None:
            self.path.drop("phone without bearer")
            return None
        bearer.up_packets += 1
        return gpdu(bearer.remote_teid, packet), bearer.to

    def _refused(self, peer: Address, indication: ErrorIndication) -> None:
        for bearer in list(self.bearers.values()):
            if bearer.to[0] == peer[0] and bearer.remote_teid == indication.teid_data_i:
                self.refused.append(bearer)


class RadioUserPlane:
    """The asyncio skin: one GTP-U socket for the eNB, one TUN device for each phone. Raises LocalError."""

    def __init__(self, address: str, *, mtu: int = 1400, trace: Trace = no_trace) -> None:
        self.mtu = mtu
        self.forwarder = RadioForwarder(socket.inet_aton(address), trace)
        self.gtpu = GtpuSocket(address, self.forwarder.path.drop)
        self.phones: dict[str, Tun] = {}

    def start(self) -> None:
        """Begin to forward."""
        self.gtpu.read_into(self._from_core)

    def open_bearer(self, imsi: str, ebi: int, ue: bytes, teid: int, remote: bytes, remote_teid: int, *,
                    namespace: str) -> None:
        """A bearer was set up (Initial Context Setup, E-RAB Setup). The first one gives the phone its TUN device
        `lte0` in `namespace` (a name under /run/netns), with MTU and default route; each brings its address."""
        tun = self.phones.get(imsi)
        if tun is None:
            with Namespace(namespace).enter():
                tun = Tun(DEVICE, self.forwarder.path.drop)
            self.phones[imsi] = tun
            tun.read_into(lambda packet: self._from_phone(imsi, packet))
        configure_phone(namespace, DEVICE, [socket.inet_ntoa(ue)], self.mtu)
        self.forwarder.add(RadioBearer(imsi, ebi, ue, teid, remote_teid, (socket.inet_ntoa(remote), PORT)))

    def close_bearer(self, teid: int) -> None:
        """A bearer was released; with its last one the phone loses its device."""
        bearer = self.forwarder.remove(teid)
        if bearer is not None and not any(b.imsi == bearer.imsi for b in self.forwarder.bearers.values()):
            self.phones.pop(bearer.imsi).close()

    def suspend(self, imsi: str) -> None:
        """All bearers of a phone are gone (S1 release, detach)."""
        for teid in [b.teid for b in self.forwarder.bearers.values() if b.imsi == imsi]:
            self.close_bearer(teid)

    def close(self) -> None:
        """Stop, and remove all devices."""
        self.gtpu.close()
        for tun in self.phones.values():
            tun.close()
        self.phones.clear()

    def _from_core(self, datagram: bytes, peer: Address) -> None:
        out = self.forwarder.from_core(datagram, peer, time.monotonic())
        if out is None:
            return
        first, second = out
        if isinstance(first, str):
            assert isinstance(second, bytes)
            self.phones[first].write(second)
        else:
            assert isinstance(second, tuple)
            self.gtpu.write(first, second)

    def _from_phone(self, imsi: str, packet: bytes) -> None:
        out = self.forwarder.from_phone(imsi, packet)
        if out is not None:
            self.gtpu.write(*out)
