# SPDX-License-Identifier: Apache-2.0
"""A whole network in one loop: core, simulated eNBs and phones, over memory links, in virtual time.

Real octets on every reference point, a real SQLite store, no socket, no thread, no sleep.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from dialtone.codec.nas import decode as decode_nas
from dialtone.config import Config
from dialtone.control import Args
from dialtone.effects import Event as Command
from dialtone.effects import (
    PeerDown,
    Save,
)
from dialtone.errors import ProtocolError
from dialtone.inside import Inside
from dialtone.links.memory import Memory, Weather
from dialtone.sim.air import NasUp
from dialtone.sim.attach import AttachCommand
from dialtone.sim.detach import DetachCommand
from dialtone.sim.enb import EnbConfig
from dialtone.sim.ims.client import ImsClient, ImsHandset
from dialtone.sim.ims.identity import Isim
from dialtone.sim.phone import Handset, Phone
from dialtone.sim.power import BreakCommand, PowerCycle
from dialtone.sim.ue_context import InactivityCommand
from dialtone.sim.usim import Usim
from dialtone.trace.bus import Event

START = 1_790_000_000.0
K = bytes.fromhex("465b5ce8b199b49faa5f0a2ee238a6bc")  # TS 35.208, 4.3
OPC = bytes.fromhex("cd63cb71954a9f4e48a5994e37a02baf")


def imsi_of(number: int) -> str:
    """001010000000001 and on."""
    return f"00101{number:010d}"


def msisdn_of(number: int) -> str:
    """The number of an IMS phone."""
    return f"35840{1_000_000 + number}"


ONE_TRY = Handset(retries=False)


class Network(Inside):
    """Everything, and a clock that only moves when nothing else is to be done."""

    def __init__(self, path: Path, phones: int = 1, *, config: Config | None = None, seed: int = 1,
                 weather: Weather | None = None, enbs: tuple[EnbConfig, ...] = (EnbConfig(),),
                 handset: Handset = ONE_TRY) -> None:
        self.handset = handset
        self.now = START
        self.rng = random.Random(seed)
        self.save_fails: Exception | None = None
        super().__init__(path, clock=lambda: self.now, config=config, random=self.rng.randbytes, enbs=enbs,
                         weather=weather)
        for number in range(1, phones + 1):
            self.add_subscriber(imsi_of(number))
            self.add_phone(imsi_of(number))
        self.run()

    # ---- building ------------------------------------------------------------------------------

    def add_subscriber(self, imsi: str, k: bytes = K, opc: bytes = OPC, *, overwrite: bool = False,
                       **fields: str) -> None:
        super().add_subscriber(imsi, k, opc, overwrite=overwrite, **fields)

    def add_phone(self, imsi: str, handset: Handset | None = None, usim: Usim | None = None, enb: int = 0,
                  name: str = "") -> Phone:
        """A phone; one with a `name` of its own may have an IMSI that another one has."""
        return self.put_phone(usim or Usim(imsi, K, OPC), handset or self.handset, enb, name)

    def add_ims(self, number: int = 1, handset: ImsHandset | None = None, isim: Isim | None = None) -> ImsClient:
        """A phone that makes calls in LTE, provisioned with the number +358401000001 and on, with its IMS client."""
        imsi = imsi_of(number)
        self.add_subscriber(imsi, msisdn=msisdn_of(number), overwrite=True)
        return self.put_ims(self.add_phone(imsi, replace(self.handset, ims="ims")), handset, isim)

    def _save(self, effect: Save, done: Callable[[Exception | None], None]) -> None:
        if self.save_fails is not None:
            done(self.save_fails)
        else:
            super()._save(effect, done)

    # ---- driving ---------------------------------------------------------------------------------

    def run(self, seconds: float = 0.0) -> None:
        """Work off what is queued, then let `seconds` pass, firing timers on the way."""
        end = self.now + seconds
        self.loop.run()
        while (due := self.loop.due()) is not None and due <= end:
            self.now = max(self.now, due)
            self.loop.expire()
            self.loop.run()
        self.now = end

    def attach(self, imsi: str = imsi_of(1), seconds: float = 1.0) -> Phone:
        phone = self.phones[imsi]
        self.loop.tell(phone.name, AttachCommand())
        self.run(seconds)
        return phone

    def idle(self, imsi: str = imsi_of(1)) -> Phone:
        """The eNB releases a quiet phone."""
        phone = self.phones[imsi]
        self.command(phone.cell.enb, InactivityCommand(phone.name), 0.1)
        return phone

    def downlink(self, packet: bytes, seconds: float = 0.0) -> None:
        """A packet from the TUN device."""
        super().downlink(packet)
        self.run(seconds)

    def detach(self, imsi: str = imsi_of(1), *, switch_off: bool = False, seconds: float = 1.0) -> Phone:
        phone = self.phones[imsi]
        self.loop.tell(phone.name, DetachCommand(switch_off))
        self.run(seconds)
        return phone

    def fault(self, name: str | None, imsi: str = imsi_of(1)) -> None:
        """Break a phone (sim/faults.py), or mend it."""
        self.loop.tell(self.phones[imsi].name, BreakCommand(name))
        self.run()

    def power_cycle(self, imsi: str = imsi_of(1)) -> None:
        """Off and on again."""
        self.loop.tell(self.phones[imsi].name, PowerCycle())
        self.run(0.5)

    def command(self, element: str, event: Command, seconds: float = 1.0) -> None:
        """Tell an element something, and let it work."""
        self.loop.tell(element, event)
        self.run(seconds)

    def nas_from(self, phone: Phone, octets: bytes) -> None:
        """NAS octets of a connected phone."""
        self.command(phone.cell.enb, NasUp(phone.name, octets))

    def link(self, point: str) -> Memory:
        """The memory link of S11 or S6a, to change its weather."""
        return self.loop.ports["mme", point].link  # type: ignore[return-value]

    def lose_s1(self, enb: int = 0) -> None:
        """The association breaks: both ends learn it."""
        name = self.enbs[enb].name
        self.loop.tell("mme", PeerDown("S1-MME", name, "abort"))
        self.loop.tell(name, PeerDown("S1-MME", "mme", "abort"))
        self.run()

    # ---- looking ---------------------------------------------------------------------------------

    def events(self, *points: str) -> list[Event]:
        """The trace, of some reference points."""
        return [event for event in self.loop.bus.ring if not points or event.point in points]

    def names(self, *points: str) -> list[str]:
        """Message names in order."""
        return [event.name for event in self.events(*points)]

    def verdicts(self, src: str = "mme") -> list[str]:
        """What the element said to people."""
        return [event.info for event in self.events("verdict") if event.src == src]

    def nas(self, name: str) -> object:
        """The last NAS message of that name, decoded from the octets in the trace."""
        for event in reversed(self.events("NAS")):
            if event.name == name:
                try:
                    return decode_nas(event.plain or event.data, downlink=event.src == "mme")
                except ProtocolError:
                    continue
        raise AssertionError(f"no {name} in {self.names('NAS')}")

    def received(self, name: str, dst: str = "mme") -> list[Event]:
        """Every message of that name that an element took from a link."""
        return [event for event in self.loop.bus.ring
                if event.name == name and event.dst == dst and event.kind == "rx"]

    def sent(self, name: str, src: str = "mme") -> list[Event]:
        """Every message of that name that an element sent."""
        return [event for event in self.loop.bus.ring
                if event.name == name and event.src == src and event.kind == "tx"]

    def leaks(self) -> dict[str, int]:
        """What the core still holds."""
        return {name: count for name, count in self.commands.leaks(Args()).items() if count and name != "timers"} | {
            "timers": len([key for key in self.loop.timers() if isinstance(key, tuple) and key[0] in ("mme", "pgw")])}


NOTHING = {"timers": 0}


def settings(**network: object) -> Config:
    """A config with other values in [network]."""
    config = Config()
    return replace(config, network=replace(config.network, **network))  # type: ignore[arg-type]
