# SPDX-License-Identifier: Apache-2.0
"""Gm IPsec of the running P-CSCF: performs its effects, tells it of lives that end, names what the kernel refuses."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from dialtone.crypto.ipsec_keys import SaSet
from dialtone.effects import EspRefused, Event, InstallSas, KeepSas, RemoveSas, SaExpired
from dialtone.errors import LocalError
from dialtone.kernel.ipsec import COUNTERS, Ipsec, performer, statistics, warm_up
from dialtone.kernel.xfrm import SaState

log = logging.getLogger("dialtone.kernel.gm")

Done = Callable[[Exception | None], None]
_LOOK_SECONDS = 2.0
_KEYS = 4096
_PER_SA = {"XfrmInStateProtoError": "integrity_failed", "XfrmInStateSeqError": "replayed"}


class Above(Protocol):
    """What it needs of the loop."""

    performers: dict[Any, Any]

    def tell(self, element: str, event: Event) -> None: ...
    def count(self, what: str) -> None: ...


class GmIpsec:
    """The SAs of our addresses on the phones' network. `keys` are the sets of late, for whoever reads captures."""

    def __init__(self, loop: Above, element: str, addresses: Sequence[str], ports: Sequence[int]) -> None:
        self.loop = loop
        self.element = element
        self.ports = ports
        self.keys: deque[SaSet] = deque(maxlen=_KEYS)
        self._by_address = {address: Ipsec(address) for address in addresses}
        self._known: dict[str, int] = {}
        self._of_sa: dict[tuple[str, str, int], int] = {}
        self._aio: asyncio.AbstractEventLoop | None = None
        self._look: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Close the protected ports and take up the work. Raises LocalError."""
        self._aio = asyncio.get_running_loop()
        for ipsec in self._by_address.values():
            ipsec.clear()
            ipsec.protect(self.ports)
            self._aio.add_reader(ipsec.listen(), self._expired, ipsec)
        self.loop.performers |= {
            InstallSas: self._install,
            KeepSas: self._keep,
            RemoveSas: self._remove,
        }
        self._known = statistics()
        self._look = self._aio.call_later(_LOOK_SECONDS, self._look_again)
        await asyncio.to_thread(warm_up)

    def close(self) -> None:
        """Nothing of ours stays in the kernel."""
        if self._look is not None:
            self._look.cancel()
        for ipsec in self._by_address.values():
            if self._aio is not None and ipsec.listener is not None:
                self._aio.remove_reader(ipsec.listener)
            ipsec.close()

    def states(self) -> list[SaState]:
        """Every SA with its counters."""
        return [state for ipsec in self._by_address.values() for state in ipsec.states()]

    def _of(self, sas: SaSet) -> Ipsec:
        return self._by_address[sas.network.address]

    def _install(self, effect: InstallSas, done: Done) -> None:
        self.keys.append(effect.sas)
        performer(lambda: self._of(effect.sas).install(effect.sas, effect.seconds), done)

    def _keep(self, effect: KeepSas, done: Done) -> None:
        performer(lambda: self._of(effect.sas).keep(effect.sas, effect.seconds), done)

    def _remove(self, effect: RemoveSas, done: Done) -> None:
        performer(lambda: self._of(effect.sas).remove(effect.sas), done)

    def _expired(self, ipsec: Ipsec) -> None:
        for address, spi in ipsec.expired():
            self.loop.tell(self.element, SaExpired(address, spi))

    def _look_again(self) -> None:
        """What the kernel has refused since: it says so in counters only."""
        assert self._aio is not None
        with contextlib.suppress(LocalError):
            now = statistics()
            for name in sorted(now):
                times = now[name] - self._known.get(name, 0)
                if times > 0:
                    self.loop.count(name)
                    self.loop.tell(self.element, EspRefused(name, times, COUNTERS.get(name, "no further word"),
                                                            self._owner(name)))
            self._known = now
        self._look = self._aio.call_later(_LOOK_SECONDS, self._look_again)

    def _owner(self, counter: str) -> str:
        """The phone on whose SA this counter has gone up; empty where the kernel does not tell."""
        kind = _PER_SA.get(counter)
        if kind is None:
            return ""
        found, before = "", self._of_sa
        self._of_sa = {key: count for key, count in before.items() if key[0] != kind}
        for state in self.states():
            key = (kind, state.destination, state.spi)
            count = getattr(state, kind)
            if count:
                self._of_sa[key] = count
            if count > before.get(key, 0):
                found = state.source
        return found
