# SPDX-License-Identifier: Apache-2.0
"""Our core on real sockets of this machine's loopback, each element at an address of its own, with phones without
IPsec; and programs of other makers around it."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from kamailio import DOMAIN, Kamailio
from softphone import Softphone

from dialtone import app
from dialtone.codec import diameter
from dialtone.config import Apn, Config
from dialtone.crypto.milenage import Milenage, derive_opc
from dialtone.hss.provisioning import make_subscriber
from dialtone.hss.store import Store
from dialtone.hss.writes import PutSubscriber
from dialtone.links.memory import Memory
from dialtone.links.sip import SipLink
from dialtone.loop import Loop
from dialtone.runtime import Runtime, epoch_clock
from dialtone.wiring import Core, build

K = bytes.fromhex("fec86ba6eb707ed08905757b1bb44b8f")  # TS 35.208, set 3: sipp cannot read a `[` in K or OP
OP = bytes.fromhex("dbc59adcb6f9a0ef735477b7fadf8374")


CARD = Milenage(K, derive_opc(K, OP))


def _random(octets: int) -> bytes:
    """Where it is a RAND, one whose RES has no NUL: sipp takes that for the end of the password."""
    while True:
        value = os.urandom(octets)
        if octets != 16 or 0 not in CARD.f2345(value)[0]:
            return value


def imsi_of(number: int) -> str:
    return f"00101000000000{number}"


def impi_of(number: int) -> str:
    return f"{imsi_of(number)}@{DOMAIN}"


def number_of(number: int) -> str:
    return f"+1555010{number}"


class Addresses:
    """A network of the loopback that no other run has."""

    def __init__(self) -> None:
        chosen = random.Random(os.getpid() ^ id(self))
        self.prefix = f"127.{chosen.randrange(2, 255)}.{chosen.randrange(0, 255)}"

    def __getitem__(self, last: int) -> str:
        return f"{self.prefix}.{last}"

    @property
    def pcscf(self) -> str:
        return self[1]

    @property
    def core(self) -> str:
        return self[5]

    def config(self, **ims: Any) -> Config:
        """The gateway of the phones, which is our P-CSCF, is the first address."""
        config = Config()
        pool = IPv4Network(f"{self.prefix}.0/24")
        return replace(config, s1=replace(config.s1, address=self.core), ims=replace(config.ims, **ims),
                       apn={**config.apn, "ims": Apn(pool=pool, qci=5)})


class Box:
    """The core with its store; `foreign` are the programs whose end ends the wait."""

    def __init__(self, loop: Loop, store: Store, core: Core, at: Addresses, foreign: list[Kamailio]) -> None:
        self.loop, self.store, self.core, self.at, self.foreign = loop, store, core, at, foreign

    def phone(self, number: int, hop: str) -> Softphone:
        return Softphone(self.loop, self.at[100 + number], hop, impi_of(number), CARD)

    def names(self, *points: str) -> list[str]:
        """Messages at these points in their order."""
        return [event.name for event in self.loop.bus.ring if event.point in points]

    def last(self, name: str) -> Any:
        """The last Diameter message of that name."""
        return diameter.decode([event.data for event in self.loop.bus.ring if event.name == name][-1])

    def verdicts(self) -> list[str]:
        return [f"{event.name}: {event.info}" for event in self.loop.bus.ring if event.point == "verdict"]

    async def until(self, condition: Callable[[], Any], seconds: float = 20) -> None:
        """Wait; says what happened if that was in vain."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    await asyncio.sleep(0.02)
                    if any(each.ended for each in self.foreign):
                        raise TimeoutError
        except TimeoutError:
            logs = "\n".join(each.log[-3000:] for each in self.foreign)
            seen = "\n".join(f"{event.point} {event.src} -> {event.dst}: {event.name} {event.info}"
                             for event in self.loop.bus.ring if "Watchdog" not in event.name)
            raise AssertionError(f"{seen}\n{logs}") from None


@asynccontextmanager
async def box(path: Path, config: Config, at: Addresses, foreign: list[Kamailio], phones: int = 2
              ) -> AsyncIterator[Box]:
    loop = Loop(epoch_clock())
    async with Runtime(loop) as runtime:
        store = Store(path / "dialtone.db")
        runtime.at_close(store.close)
        writer = store.open_writer(runtime.from_thread)
        runtime.at_close(writer.close)
        app.durable(loop, writer)
        gm = SipLink(loop, "pcscf", "Gm")
        core = build(config, loop, store, Memory(loop, "S1-MME"), gm=gm, random=_random)
        runtime.at_close(core.sms.box.close)
        saved = asyncio.get_running_loop().create_future()
        writer.submit([PutSubscriber(make_subscriber(
            {"imsi": imsi_of(number), "k": K.hex(), "opc": derive_opc(K, OP).hex(), "profile": "default",
             "msisdn": number_of(number)[1:], "ipsec": "optional"},
            profiles=store.profiles(), home=config.network.plmn), 0) for number in range(1, phones + 1)],
            saved.set_result)
        assert await saved is None
        gm.listen(at.pcscf, config.ims.port)
        runtime.at_close(gm.close)
        for link in app.connect_mw(core):
            runtime.at_close(link.close)
        it = Box(loop, store, core, at, foreign)
        try:
            for each in foreign:
                await each.start()
            if core.diameter is not None:
                runtime.at_close(app.connect_diameter(config, loop).farewell)
                node = core.diameter
                await it.until(lambda: all(peer.open for peer in node.peers.values()))
                await it.until(lambda: all(each.connected for each in foreign))
            yield it
        finally:
            for each in foreign:
                await each.stop()
