# SPDX-License-Identifier: Apache-2.0
"""The phones' own devices: a TUN in each phone's namespace, whichever simulated eNB carries its packets.

A device lives as long as its phone has a PDN connection: over idle times, and from eNB to eNB. What a phone sends
while it has no radio bearer waits until it has one.
"""

import time
from collections import deque
from collections.abc import Callable

from dialtone.datapath.devices import Tun
from dialtone.kernel.net import prepare_phone
from dialtone.lab_kernel.namespaces import Namespace

DEVICE = "lte0"
BUFFER = 16
"""Most packets kept for a phone without a bearer, as its own modem would keep some; the oldest makes room."""

Carry = Callable[[str, bytes], bool]
"""IMSI and packet to the core; False when there is no bearer for it."""


class Phones:
    """Devices by IMSI. `wanted` is told of each packet that a phone sends while it has no bearer."""

    def __init__(self, wanted: Callable[[str], None] = lambda imsi: None) -> None:
        self.wanted = wanted
        self.drops: dict[str, int] = {}
        self.busy: dict[str, float] = {}  # when a packet went last, on the monotonic clock
        self._tuns: dict[str, Tun] = {}
        self._addressed: set[tuple[str | bytes, ...]] = set()
        self._carriers: dict[str, Carry] = {}
        self._kept: dict[str, deque[bytes]] = {}

    def open(self, imsi: str, namespace: str) -> None:
        """Make the device of a phone that has none, in its namespace. Raises LocalError."""
        if imsi not in self._tuns:
            with Namespace(namespace).enter():
                tun = Tun(DEVICE, self._drop)
                prepare_phone(DEVICE)
            self._tuns[imsi] = tun
            tun.read_into(lambda packet: self._send(imsi, packet))

    def address(self, imsi: str, *addresses: bytes) -> bool:
        """Whether the device still has to get these addresses; it has them from then on."""
        new = (imsi, *addresses) not in self._addressed
        self._addressed.add((imsi, *addresses))
        return new

    def attach(self, imsi: str, carry: Carry) -> None:
        """An eNB carries the phone's packets from now on, those first that waited for it."""
        self._carriers[imsi] = carry
        self.busy[imsi] = time.monotonic()
        for packet in self._kept.pop(imsi, ()):
            self._send(imsi, packet)

    def release(self, imsi: str, carry: Carry) -> None:
        """That eNB does so no longer, unless another one has taken its place already."""
        if self._carriers.get(imsi) == carry:
            del self._carriers[imsi]

    def write(self, imsi: str, packet: bytes) -> None:
        """A packet from the core."""
        self.busy[imsi] = time.monotonic()
        tun = self._tuns.get(imsi)
        if tun is not None:
            tun.write(packet)

    def close(self, imsi: str) -> None:
        """The phone has no PDN connection any more."""
        self._carriers.pop(imsi, None)
        self._kept.pop(imsi, None)
        self.busy.pop(imsi, None)
        self._addressed = {known for known in self._addressed if known[0] != imsi}
        tun = self._tuns.pop(imsi, None)
        if tun is not None:
            tun.close()

    def close_all(self) -> None:
        """Remove every device."""
        for imsi in list(self._tuns):
            self.close(imsi)

    def __contains__(self, imsi: str) -> bool:
        return imsi in self._tuns

    def _send(self, imsi: str, packet: bytes) -> None:
        self.busy[imsi] = time.monotonic()
        carry = self._carriers.get(imsi)
        if carry is not None:
            if not carry(imsi, packet):
                self._drop("no bearer for it")
            return
        kept = self._kept.setdefault(imsi, deque())
        if len(kept) == BUFFER:
            kept.popleft()
            self._drop("phone without bearer")
        kept.append(packet)
        self.wanted(imsi)

    def _drop(self, cause: str) -> None:
        self.drops[cause] = self.drops.get(cause, 0) + 1
