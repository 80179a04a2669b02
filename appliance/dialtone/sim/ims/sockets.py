# SPDX-License-Identifier: Apache-2.0
"""The IMS clients' part of a real network: SIP and RTP sockets, and SAs, inside each phone's network namespace.

What they are told as effects is performed here; nothing else of sim/ims touches the system.
"""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable, Coroutine
from ipaddress import IPv6Address
from pathlib import Path

from dialtone.codec import sip
from dialtone.effects import InstallSas, KeepSas, RemoveSas
from dialtone.errors import LocalError
from dialtone.kernel.ipsec import Ipsec
from dialtone.lab_kernel.namespaces import Namespace
from dialtone.links.names import family_of
from dialtone.links.sip import SipLink
from dialtone.loop import Loop
from dialtone.sim.ims.client import AddressIs, FindAddress, GmDown, GmUp, ImsClient
from dialtone.sim.ims.stream import FRAME_SECONDS, REPORT_SECONDS, MediaDown, MediaUp, Stream
from dialtone.sim.network import Done, answered

log = logging.getLogger("dialtone.sim.ims")

ADDRESS_SECONDS = 10.0
"""How long a phone's device may take to get its address, once the network has given it."""
_TRY_SECONDS = 0.05
_BRANCHES = 1 << 40


class ImsSockets:
    """The performers of all phones of a process. `namespace_of` names a phone's network namespace, `prefix_of` tells
    what was advertised on a bearer, by IMSI and EBI: a phone's connections share a device, and its addresses end alike.
    """

    def __init__(self, loop: Loop, namespace_of: Callable[[str], str],
                 prefix_of: Callable[[str, int], bytes] = lambda imsi, ebi: b"") -> None:
        self.loop = loop
        self.namespace_of = namespace_of
        self.prefix_of = prefix_of
        self.links: dict[str, SipLink] = {}  # by client
        self.at: dict[str, SipLink] = {}  # by address
        self.ipsec: dict[str, Ipsec] = {}  # likewise
        self.media: dict[tuple[str, str], Media] = {}  # by IMSI and Call-ID
        self._tasks: set[asyncio.Future[None]] = set()
        for effect, perform in ((GmDown, self._gm_down), (InstallSas, self._install), (KeepSas, self._keep),
                                (RemoveSas, self._remove), (MediaUp, self._media_up), (MediaDown, self._media_down)):
            loop.performers[effect] = answered(perform)
        loop.performers[GmUp] = self._gm_up
        loop.performers[FindAddress] = self._find_address

    def add(self, client: ImsClient) -> ImsClient:
        """Give an IMS client its place, and its link on Gm."""
        namespace = Namespace(self.namespace_of(client.imsi))
        link = self.links[client.name] = SipLink(self.loop, client.name, "Gm", within=namespace.enter)
        self.loop.add(client)
        start = int.from_bytes(client.random(4))
        self.loop.bind(client.name, "Gm", sip, link, policy=client.policy(), numbers=iter(range(start, _BRANCHES)))
        return client

    def close(self) -> None:
        """End everything."""
        for task in self._tasks:
            task.cancel()
        for media in self.media.values():
            media.close()
        for link in self.links.values():
            link.close()
        for ipsec in self.ipsec.values():
            ipsec.close()

    # ---- SIP -----------------------------------------------------------------------------------------

    def _find_address(self, effect: FindAddress, done: Done) -> None:
        self._run(self._look(effect, done))

    async def _look(self, effect: FindAddress, done: Done) -> None:
        """Until the phone's kernel has heard the router, and made an address of its prefix."""
        end = time.monotonic() + ADDRESS_SECONDS
        while not (address := self._global(effect)):
            if time.monotonic() > end:
                done(LocalError("No router has advertised a prefix to the phone."))
                return
            await asyncio.sleep(_TRY_SECONDS)
        done(None)
        self.loop.tell(effect.client, AddressIs(address))

    def _global(self, effect: FindAddress) -> str:
        prefix = self.prefix_of(effect.imsi, effect.ebi)
        if not prefix:
            return ""
        with Namespace(self.namespace_of(effect.imsi)).enter():
            lines = Path("/proc/thread-self/net/if_inet6").read_text(encoding="ascii").splitlines()
        found = (bytes.fromhex(line.split()[0]) for line in lines)
        return next((str(IPv6Address(address)) for address in found if address[:8] == prefix), "")

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _gm_up(self, effect: GmUp, done: Done) -> None:
        self._run(self._listen(effect, done))

    async def _listen(self, effect: GmUp, done: Done) -> None:
        """Open the port as soon as the device has its address."""
        end = time.monotonic() + ADDRESS_SECONDS
        link = self.at[effect.address] = self.links[effect.client]
        while True:
            try:
                link.listen(effect.address, effect.port)
            except LocalError as error:
                if time.monotonic() > end:
                    done(error)
                    return
                await asyncio.sleep(_TRY_SECONDS)
            else:
                done(None)
                return

    def _gm_down(self, effect: GmDown) -> None:
        self.links[effect.client].close()
        self.at.pop(effect.address, None)
        ipsec = self.ipsec.pop(effect.address, None)
        if ipsec is not None:
            ipsec.close()

    # ---- IPsec -----------------------------------------------------------------------------------------

    def _install(self, effect: InstallSas) -> None:
        phone = effect.sas.phone
        link = self.at[phone.address]
        if phone.address not in self.ipsec:
            with Namespace(self.namespace_of(effect.imsi)).enter():
                self.ipsec[phone.address] = Ipsec(phone.address)
        ipsec, known = self.ipsec[phone.address], {port for _, port in link.listening()}
        fresh = {phone.port_c, phone.port_s} - known
        ipsec.protect(fresh)
        for port in fresh:
            link.listen(phone.address, port)
        ipsec.install(effect.sas, effect.seconds)

    def _keep(self, effect: KeepSas) -> None:
        self.ipsec[effect.sas.phone.address].keep(effect.sas, effect.seconds)

    def _remove(self, effect: RemoveSas) -> None:
        """A client port goes with its SAs; the server port stays, it belongs to all of them."""
        phone = effect.sas.phone
        ipsec = self.ipsec.get(phone.address)
        if ipsec is None:
            return
        ipsec.remove(effect.sas)
        if phone.port_c != phone.port_s:
            self.at[phone.address].unlisten(phone.address, phone.port_c)
            ipsec.unprotect([phone.port_c])

    # ---- media ------------------------------------------------------------------------------------------

    def _media_up(self, effect: MediaUp) -> None:
        key = effect.imsi, effect.call_id
        if key in self.media:
            self.media[key].remote = effect.remote
            return
        with Namespace(self.namespace_of(effect.imsi)).enter():
            self.media[key] = Media(effect)
        self.media[key].start()

    def _media_down(self, effect: MediaDown) -> None:
        media = self.media.pop((effect.imsi, effect.call_id), None)
        if media is not None:
            media.close()


class Media:
    """The RTP and RTCP sockets of one call. Made in the phone's namespace; raises LocalError."""

    def __init__(self, effect: MediaUp) -> None:
        self.remote = effect.remote
        self.stream: Stream = effect.stream
        self._rtp = _bound(effect.address, effect.port)
        try:
            self._rtcp = _bound(effect.address, effect.port + 1)
        except BaseException:
            self._rtp.close()
            raise
        self._aio = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._next = self._report = self._aio.time()

    def start(self) -> None:
        """Hear, and send a packet each 20 ms."""
        self._aio.add_reader(self._rtp.fileno(), self._read, self._rtp, self.stream.heard)
        self._aio.add_reader(self._rtcp.fileno(), self._read, self._rtcp, self.stream.reported)
        self._tick()

    def close(self) -> None:
        """Say goodbye, and end."""
        if self._timer is not None:
            self._timer.cancel()
        self._send(self._rtcp, self.stream.report(time.time(), bye=True), 1)
        for sock in (self._rtp, self._rtcp):
            self._aio.remove_reader(sock.fileno())
            sock.close()

    def _tick(self) -> None:
        if self.stream.sends:
            self._send(self._rtp, self.stream.packet(), 0)
        if self._aio.time() - self._report >= REPORT_SECONDS:
            self._report = self._aio.time()
            self._send(self._rtcp, self.stream.report(time.time()), 1)
        self._next += FRAME_SECONDS
        self._timer = self._aio.call_at(self._next, self._tick)

    def _send(self, sock: socket.socket, data: bytes, above: int) -> None:
        with contextlib.suppress(OSError):  # no bearer at this moment: lost, as on any radio
            sock.sendto(data, (self.remote[0], self.remote[1] + above))

    def _read(self, sock: socket.socket, take: Callable[[bytes, float], None]) -> None:
        with contextlib.suppress(OSError):
            take(sock.recv(2048), time.time())


def _bound(address: str, port: int) -> socket.socket:
    sock = socket.socket(family_of(address), socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        sock.bind((address, port))
    except OSError as error:
        sock.close()
        raise LocalError(f"RTP cannot have {address} port {port}: {error.strerror}.") from error
    return sock
