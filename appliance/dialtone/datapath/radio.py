# SPDX-License-Identifier: Apache-2.0
"""The simulated eNB's user plane: GTP-U towards the core, and the phones' devices (phones.py) on the other side.

What goes through it is what a phone's own IP stack sends, so `ping` and `curl` run over LTE bearers.
"""

import socket
import time

from dialtone.codec.tft import PacketFilter
from dialtone.datapath.devices import GtpuSocket
from dialtone.datapath.path import PORT, Address, Trace, no_trace
from dialtone.datapath.phones import DEVICE, Phones
from dialtone.datapath.radio_forwarder import RadioBearer, RadioForwarder
from dialtone.kernel.net import configure_phone


class RadioUserPlane:
    """The asyncio skin: one GTP-U socket for the eNB; the devices of `phones` may serve several. Raises LocalError."""

    def __init__(self, address: str, phones: Phones | None = None, *, mtu: int = 1400,
                 trace: Trace = no_trace) -> None:
        self.mtu = mtu
        self.phones = phones if phones is not None else Phones()
        self.forwarder = RadioForwarder(socket.inet_aton(address), trace)
        self.gtpu = GtpuSocket(address, self.forwarder.path.drop)

    def start(self) -> None:
        """Begin to forward."""
        self.gtpu.read_into(self._from_core)

    def open_bearer(self, imsi: str, ebi: int, ue: bytes, teid: int, remote: bytes, remote_teid: int, *,
                    namespace: str, identifier: bytes = b"", filters: tuple[PacketFilter, ...] = ()) -> None:
        """A bearer was set up (Initial Context Setup, E-RAB Setup). The first one gives the phone its TUN device
        `lte0` in `namespace` (a name under /run/netns), with MTU and default route; each brings its address `ue`, or
        the interface `identifier` with which the phone solicits a router, or both."""
        self.phones.open(imsi, namespace)
        self.forwarder.add(RadioBearer(imsi, ebi, ue, teid, remote_teid, (socket.inet_ntoa(remote), PORT), identifier,
                                       filters))
        if self.phones.address(imsi, ue, identifier):  # not again at each service request and handover: it takes time
            configure_phone(namespace, DEVICE, self.mtu, socket.inet_ntoa(ue) if ue else None, identifier or None)
        self.phones.attach(imsi, self._from_phone)
        self.forwarder.handovers.arrived(teid)
        self._deliver()

    def expect_bearer(self, teid: int, forward_teid: int | None) -> None:
        """A phone is to come here in a handover."""
        self.forwarder.handovers.expect(teid, forward_teid)

    def flush_bearer(self, teid: int) -> None:
        """No more forwarded data is waited for."""
        self.forwarder.handovers.flush(teid)
        self._deliver()

    def forward_bearer(self, teid: int, remote: bytes, remote_teid: int) -> None:
        """The phone is sent away: pass on what comes, or with an empty `remote` drop it."""
        to = (socket.inet_ntoa(remote), PORT) if remote else None
        self.forwarder.handovers.send_away(teid, to, remote_teid)

    def close_bearer(self, teid: int) -> None:
        """A bearer was released; without any the phone is idle here, and keeps its device."""
        bearer = self.forwarder.remove(teid)
        if bearer is not None and not any(b.imsi == bearer.imsi for b in self.forwarder.bearers.values()):
            self.phones.release(bearer.imsi, self._from_phone)

    def close(self) -> None:
        """Stop, and remove all devices."""
        self.gtpu.close()
        self.phones.close_all()

    def _from_core(self, datagram: bytes, peer: Address) -> None:
        out = self.forwarder.from_core(datagram, peer, time.monotonic())
        if self.forwarder.handovers.ready:
            self._deliver()
        if out is None:
            return
        if len(out) == 2:
            self.phones.write(*out)
        else:
            self.gtpu.write(*out)

    def _deliver(self) -> None:
        for imsi, packet in self.forwarder.held():
            self.phones.write(imsi, packet)

    def _from_phone(self, imsi: str, packet: bytes) -> bool:
        out = self.forwarder.from_phone(imsi, packet)
        if out is not None:
            self.gtpu.write(*out)
        return out is not None
