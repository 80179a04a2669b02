# SPDX-License-Identifier: Apache-2.0
"""The asyncio skin of the P-GW's user plane, and the performers of its effects."""

import asyncio
import socket
import time
from collections.abc import Callable, Mapping

from dialtone.datapath.devices import GtpuSocket, Tun
from dialtone.datapath.forwarder import Forwarder
from dialtone.datapath.path import Address, Out
from dialtone.datapath.router import Router
from dialtone.datapath.supervision import INTERVAL
from dialtone.effects import CloseTunnel, EmptyBuffer, EndMarker, OpenMedia, OpenRelay, OpenTunnel
from dialtone.errors import LocalError
from dialtone.loop import Loop
from dialtone.qci import DSCP

Done = Callable[[Exception | None], None]
TICK = 1.0


class UserPlane:
    """GTP-U at `address` on one side, the TUN device `tun` on the other.

    `element` is told of tunnels that an eNB lost (TunnelRefused) and of data for idle phones (DownlinkWaiting).
    Raises LocalError.
    """

    def __init__(self, loop: Loop, address: str, *, tun: str = "ue0", element: str = "pgw",
                 router: Router | None = None, dscp: Mapping[int, int] = DSCP, echo: float = INTERVAL) -> None:
        self.loop = loop
        self.element = element
        self.media: Callable[[OpenMedia], None] = lambda effect: None  # the firewall's part of it
        self._timer: asyncio.TimerHandle | None = None
        self.forwarder = Forwarder(socket.inet_aton(address), router=router, trace=self._trace,
                                   dscp=dscp, echo=echo)
        drop = self.forwarder.path.drop
        self.tun = Tun(tun, drop)
        try:
            self.gtpu = GtpuSocket(address, drop)
        except LocalError:
            self.tun.close()
            raise
        loop.performers[OpenTunnel] = self._open_tunnel
        loop.performers[CloseTunnel] = self._close_tunnel
        loop.performers[EmptyBuffer] = self._empty_buffer
        loop.performers[EndMarker] = self._end_marker
        loop.performers[OpenRelay] = self._open_relay
        loop.performers[OpenMedia] = self._open_media

    def start(self) -> None:
        """Begin to forward; the TUN device is configured by then (`dialtone.kernel.net`)."""
        self.gtpu.read_into(self._uplink)
        self.tun.read_into(self._downlink)
        self._tick()

    def close(self) -> None:
        """Stop, and remove the device."""
        if self._timer is not None:
            self._timer.cancel()
        self.gtpu.close()
        self.tun.close()

    def _uplink(self, datagram: bytes, peer: Address) -> None:
        out = self.forwarder.uplink(datagram, peer, time.monotonic())
        if type(out) is bytes:
            self.tun.write(out)
        elif out is not None:
            self.gtpu.write(*out)
        if self.forwarder.events:
            self._tell()

    def _downlink(self, packet: bytes) -> None:
        out = self.forwarder.downlink(packet, time.monotonic())
        if out is not None:
            self.gtpu.write(*out)
        elif self.forwarder.events:
            self._tell()

    def _tell(self) -> None:
        for event in self.forwarder.events:
            self.loop.tell(self.element, event)
        self.forwarder.events.clear()

    def _tick(self) -> None:
        self._write(self.forwarder.tick(time.monotonic()))
        self._tell()
        self._timer = asyncio.get_running_loop().call_later(TICK, self._tick)

    def _write(self, due: list[Out]) -> None:
        for out in due:
            self.gtpu.write(*out)

    def _open_tunnel(self, effect: OpenTunnel, done: Done) -> None:
        try:
            self._write(self.forwarder.open(effect, time.monotonic()))
        except LocalError as error:
            done(error)
            return
        done(None)

    def _close_tunnel(self, effect: CloseTunnel, done: Done) -> None:
        self.forwarder.close(effect.teid)
        done(None)

    def _empty_buffer(self, effect: EmptyBuffer, done: Done) -> None:
        self.forwarder.empty(effect.imsi)
        done(None)

    def _open_relay(self, effect: OpenRelay, done: Done) -> None:
        self.forwarder.relay(effect)
        done(None)

    def _open_media(self, effect: OpenMedia, done: Done) -> None:
        self.forwarder.sessions.calls(effect)
        self.media(effect)
        done(None)

    def _end_marker(self, effect: EndMarker, done: Done) -> None:
        self.gtpu.write(*self.forwarder.end_marker(effect.remote, effect.remote_teid))
        done(None)

    def _trace(self, peer: str, data: bytes, name: str, info: str, sent: bool) -> None:
        self.loop.passing(self.element, "S1-U", peer, name, data, info, sent=sent)
