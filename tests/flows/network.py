# SPDX-License-Identifier: Apache-2.0
"""A whole network in one loop: core, simulated eNBs and phones, over memory links, in virtual time.

Real octets on every reference point, a real SQLite store, no socket, no thread, no sleep.
"""

import itertools
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from dialtone import app
from dialtone.answer.element import CloseStream, OpenStream
from dialtone.codec import s1ap, sip
from dialtone.codec.nas import decode as decode_nas
from dialtone.commands import Commands
from dialtone.config import Config
from dialtone.control import Args
from dialtone.crypto.ipsec_keys import SaSet
from dialtone.datapath.forwarder import Forwarder
from dialtone.datapath.path import Out
from dialtone.effects import (
    CloseTunnel,
    EmptyBuffer,
    EndMarker,
    InstallSas,
    KeepSas,
    OpenMedia,
    OpenRelay,
    OpenTunnel,
    PeerDown,
    PeerUp,
    RemoveSas,
    Save,
    Write,
)
from dialtone.effects import Event as Command
from dialtone.errors import ProtocolError
from dialtone.hss import schema
from dialtone.hss.provisioning import make_subscriber
from dialtone.hss.store import Store
from dialtone.hss.writer import commit
from dialtone.hss.writes import PutSubscriber
from dialtone.links.memory import Memory, MemoryFlows, Weather
from dialtone.loop import Loop
from dialtone.sim import enb as sim_enb
from dialtone.sim.air import NasUp
from dialtone.sim.attach import AttachCommand
from dialtone.sim.detach import DetachCommand
from dialtone.sim.enb import Enb, EnbConfig
from dialtone.sim.ims.client import GmDown, GmUp, ImsClient, ImsHandset
from dialtone.sim.ims.identity import Isim
from dialtone.sim.ims.stream import MediaDown, MediaUp
from dialtone.sim.phone import Handset, InterfaceDown, InterfaceUp, Phone
from dialtone.sim.power import BreakCommand, PowerCycle
from dialtone.sim.ue_context import InactivityCommand
from dialtone.sim.usim import Usim
from dialtone.trace.bus import Bus, Event

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


class Network:
    """Everything, and a clock that only moves when nothing else is to be done."""

    def __init__(self, path: Path, phones: int = 1, *, config: Config | None = None, seed: int = 1,
                 weather: Weather | None = None, enbs: tuple[EnbConfig, ...] = (EnbConfig(),),
                 handset: Handset = ONE_TRY) -> None:
        self.handset = handset
        self.now = START
        self.rng = random.Random(seed)
        self.config = config or Config()
        self.loop = Loop(lambda: self.now, Bus(100_000))
        self.store = Store(path / "dialtone.db")
        self._db = schema.connect(path / "dialtone.db", write=True)
        self._path = path / "dialtone.db"
        self.save_fails: Exception | None = None
        self.s1_mme = Memory(self.loop, "S1-MME", weather)
        self.core = app.build(self.config, self.loop, self.store, self.s1_mme, random=self.rng.randbytes,
                              wall=lambda: datetime.fromtimestamp(self.now, UTC), inside=True)
        self.forwarder = Forwarder(bytes((10, 0, 1, 133)), router=app.advertised(self.config))
        self.delivered: list[Out] = []  # downlink datagrams, with the eNB's address
        self.loop.performers[Save] = self._save
        self.loop.performers[OpenTunnel] = lambda effect, done: self._try(self._open, effect, done)
        self.loop.performers[EmptyBuffer] = lambda effect, done: self._try(self.forwarder.empty, effect.imsi, done)
        self.loop.performers[OpenRelay] = lambda effect, done: self._try(self.forwarder.relay, effect, done)
        self.loop.performers[OpenMedia] = lambda effect, done: self._try(self.forwarder.sessions.calls, effect, done)
        self.end_markers: list[tuple[bytes, int]] = []
        self.loop.performers[EndMarker] = self._end_marker
        self.sas: list[SaSet] = []  # those that the P-CSCF's kernel would have
        self.loop.performers[InstallSas] = lambda effect, done: self._try(self._install_sas, effect, done)
        self.loop.performers[KeepSas] = lambda effect, done: done(None)
        self.streams: dict[tuple[str, str], OpenStream] = {}  # of the answer services
        self.loop.performers[OpenStream] = lambda effect, done: self._try(
            lambda stream: self.streams.update({stream.key: stream}), effect, done)
        self.loop.performers[CloseStream] = lambda effect, done: self._try(
            lambda stream: self.streams.pop(stream.key, None), effect, done)
        self.loop.performers[RemoveSas] = lambda effect, done: self._try(self._remove_sas, effect, done)
        self.loop.performers[CloseTunnel] = lambda effect, done: self._try(self.forwarder.close, effect.teid, done)
        for effect in (sim_enb.RadioBearerUp, sim_enb.RadioBearerDown, sim_enb.RadioExpect, sim_enb.RadioFlush,
                       sim_enb.RadioForward, InterfaceUp, InterfaceDown):
            self.loop.performers[effect] = lambda effect, done: done(None)
        self.commands = Commands(self.core, self.store, self, self.forwarder)
        self.enbs = [self._enb(number, config) for number, config in enumerate(enbs, 1)]
        self.phones: dict[str, Phone] = {}
        self.ims: dict[str, ImsClient] = {}
        self.media: dict[tuple[str, str], MediaUp] = {}  # of the IMS phones, by IMSI and Call-ID
        self.loop.performers[GmUp] = lambda effect, done: self._try(self._gm_up, effect, done)
        self.loop.performers[MediaUp] = lambda effect, done: self._try(self._media_up, effect, done)
        self.loop.performers[MediaDown] = lambda effect, done: self._try(self._media_down, effect, done)
        self.loop.performers[GmDown] = lambda effect, done: done(None)
        for number in range(1, phones + 1):
            self.add_subscriber(imsi_of(number))
            self.add_phone(imsi_of(number))
        self.run()

    # ---- building ------------------------------------------------------------------------------

    def _enb(self, number: int, config: EnbConfig) -> Enb:
        enb = Enb(f"enb{number}", config)
        self.loop.add(enb)
        self.loop.bind(enb.name, "S1-MME", s1ap, self.s1_mme, inside=True)
        self.loop.tell(enb.name, PeerUp("S1-MME", "mme"))
        return enb

    def add_subscriber(self, imsi: str, k: bytes = K, opc: bytes = OPC, *, overwrite: bool = False,
                       **fields: str) -> None:
        subscriber = make_subscriber({"imsi": imsi, "k": k.hex(), "opc": opc.hex(), "profile": "default", **fields},
                                     profiles=self.store.profiles(), home=self.config.network.plmn)
        self.save(PutSubscriber(subscriber, 0, overwrite=overwrite))

    def save(self, *writes: Write) -> None:
        """Commit, as a command would; raises what the store refuses."""
        self.submit(writes, _raise)

    def add_phone(self, imsi: str, handset: Handset | None = None, usim: Usim | None = None, enb: int = 0,
                  name: str = "") -> Phone:
        """A phone; one with a `name` of its own may have an IMSI that another one has."""
        phone = Phone(usim or Usim(imsi, K, OPC), self.enbs[enb].cell, handset or self.handset)
        phone.name = name or phone.name
        self.phones[name or imsi] = phone
        self.loop.add(phone)
        for point, stack in phone.stacks.items():
            self.loop.stacks[phone.name, point] = stack
        return phone

    def add_ims(self, number: int = 1, handset: ImsHandset | None = None, isim: Isim | None = None) -> ImsClient:
        """A phone that makes calls in LTE, provisioned with the number +358401000001 and on, with its IMS client."""
        imsi = imsi_of(number)
        self.add_subscriber(imsi, msisdn=msisdn_of(number), overwrite=True)
        usim = Usim(imsi, K, OPC)
        phone = self.add_phone(imsi, replace(self.handset, ims="ims"), usim)
        client = self.ims[imsi] = ImsClient(usim, random=self.rng.randbytes, handset=handset, isim=isim,
                                            texts=phone.texts)
        self.loop.add(client)
        self.loop.bind(client.name, "Gm", sip, self.gm, policy=client.policy(),
                       numbers=itertools.count(int.from_bytes(self.rng.randbytes(4))))
        return client

    # ---- performers ----------------------------------------------------------------------------

    def submit(self, writes: object, done: Callable[[Exception | None], None]) -> None:
        """The writer's method, in this thread."""
        for each, error in commit(self._db, self._path, [(writes, done)]):  # type: ignore[list-item]
            each(error)

    def _save(self, effect: Save, done: Callable[[Exception | None], None]) -> None:
        if self.save_fails is not None:
            done(self.save_fails)
        else:
            self.submit(effect.writes, done)

    def _try(self, call: Callable[..., object], argument: object, done: Callable[[Exception | None], None]) -> None:
        try:
            call(argument)
        except Exception as error:
            done(error)
        else:
            done(None)

    def _open(self, effect: OpenTunnel) -> None:
        self.delivered += self.forwarder.open(effect, self.now)

    @property
    def gm(self) -> MemoryFlows:
        """The network between the phones and the P-CSCF."""
        return self.loop.ports["pcscf", "Gm"].link  # type: ignore[return-value]

    def _gm_up(self, effect: GmUp) -> None:
        self.gm.place(effect.client, effect.address)

    def _install_sas(self, effect: InstallSas) -> None:
        if not effect.imsi:
            self.sas.append(effect.sas)

    def _remove_sas(self, effect: RemoveSas) -> None:
        if not effect.imsi:
            self.sas.remove(effect.sas)

    def _media_up(self, effect: MediaUp) -> None:
        self.media[effect.imsi, effect.call_id] = effect

    def _media_down(self, effect: MediaDown) -> None:
        del self.media[effect.imsi, effect.call_id]

    def _end_marker(self, effect: EndMarker, done: Callable[[Exception | None], None]) -> None:
        self.end_markers.append((effect.remote, effect.remote_teid))
        done(None)

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
        out = self.forwarder.downlink(packet, self.now)
        self.delivered += [out] if out else []
        for event in self.forwarder.events:
            self.loop.tell("pgw", event)
        self.forwarder.events.clear()
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


def _raise(error: Exception | None) -> None:
    if error is not None:
        raise error
