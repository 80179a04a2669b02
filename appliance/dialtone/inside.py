# SPDX-License-Identifier: Apache-2.0
"""A whole network in one loop: core, simulated eNBs and phones, over memory links.

Real octets on every reference point, a real SQLite store; no socket, no thread, no root, on any operating system. The
clock is handed in: the lab's sandbox lets it run or jump, tests let it jump only.
"""

import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from dialtone import wiring
from dialtone.answer.element import CloseStream, OpenStream
from dialtone.codec import gtpu, sip
from dialtone.commands import Commands
from dialtone.config import Config
from dialtone.crypto.ipsec_keys import SaSet
from dialtone.datapath import router
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
    PeerUp,
    RemoveSas,
    Save,
    Write,
)
from dialtone.hss import schema
from dialtone.hss.provisioning import make_subscriber
from dialtone.hss.store import Store
from dialtone.hss.writer import commit
from dialtone.hss.writes import PutSubscriber
from dialtone.links.memory import Memory, MemoryFlows, Weather
from dialtone.loop import Loop
from dialtone.sim import network
from dialtone.sim.enb import Enb, EnbConfig
from dialtone.sim.ims.client import AddressIs, FindAddress, GmDown, GmUp, ImsClient, ImsHandset, clients
from dialtone.sim.ims.identity import Isim
from dialtone.sim.ims.stream import MediaDown, MediaUp
from dialtone.sim.phone import Handset, Phone
from dialtone.sim.usim import Usim
from dialtone.trace.bus import Bus

SOLICITATION_SECONDS = 1.0
ENB = ("10.0.1.134", 2152)  # where what a phone sends comes from


class Inside:
    """The network, and the performers of its effects: where the appliance has sockets, the books are kept here."""

    def __init__(self, path: Path, *, clock: Callable[[], float], config: Config | None = None,
                 random: Callable[[int], bytes] = os.urandom, enbs: Sequence[EnbConfig] = (EnbConfig(),),
                 weather: Weather | None = None, planes: Mapping[str, network.Plane] | None = None,
                 ring: int = 100_000) -> None:
        self.config = config or Config()
        self.random = random
        self.loop = Loop(clock, Bus(ring))
        self._path = path / "dialtone.db"
        self.store = Store(self._path)
        self._db = schema.connect(self._path, write=True)
        self.s1_mme = Memory(self.loop, "S1-MME", weather)
        self.core = wiring.build(self.config, self.loop, self.store, self.s1_mme, random=random, inside=True,
                                 wall=lambda: datetime.fromtimestamp(clock(), UTC))
        self.forwarder = Forwarder(IPv4Address(self.config.s1.address).packed, router=wiring.advertised(self.config))
        self.delivered: list[Out] = []  # downlink datagrams, with the eNB's address
        self.end_markers: list[tuple[bytes, int]] = []
        self.sas: list[SaSet] = []  # those that the P-CSCF's kernel would have
        self.streams: dict[tuple[str, str], OpenStream] = {}  # of the answer services
        self.media: dict[tuple[str, str], MediaUp] = {}  # of the IMS phones, by IMSI and Call-ID
        self.bearers = network.Bearers(self.loop, planes)
        self._perform()
        self.commands = Commands(self.core, self.store, self, self.forwarder)
        self.enbs = [self._enb(number, one) for number, one in enumerate(enbs, 1)]
        self.phones: dict[str, Phone] = {}
        self.ims: dict[str, ImsClient] = {}

    # ---- building ------------------------------------------------------------------------------

    def _enb(self, number: int, config: EnbConfig) -> Enb:
        enb = network.add_enb(self.loop, Enb(f"enb{number}", config), self.s1_mme, inside=True)
        self.loop.tell(enb.name, PeerUp("S1-MME", "mme"))
        return enb

    def add_subscriber(self, imsi: str, k: bytes, opc: bytes, *, overwrite: bool = False, **fields: str) -> None:
        """Provision somebody."""
        subscriber = make_subscriber({"imsi": imsi, "k": k.hex(), "opc": opc.hex(), "profile": "default", **fields},
                                     profiles=self.store.profiles(), home=self.config.network.plmn)
        self.save(PutSubscriber(subscriber, 0, overwrite=overwrite))

    def put_phone(self, usim: Usim, handset: Handset, enb: int = 0, name: str = "") -> Phone:
        """A phone; one with a `name` of its own may have an IMSI that another one has."""
        phone = Phone(usim, self.enbs[enb].cell, handset)
        phone.name = name or phone.name
        self.phones[name or usim.imsi] = phone
        return network.add_phone(self.loop, phone)

    def put_ims(self, phone: Phone, handset: ImsHandset | None = None, isim: Isim | None = None) -> ImsClient:
        """The IMS client of a phone."""
        both = clients(phone.usim, self.random, handset, isim, phone.handset.ims, phone.texts)
        for client in both:
            self.loop.add(client)
            self.loop.bind(client.name, "Gm", sip, self.gm, policy=client.policy(),
                           numbers=itertools.count(int.from_bytes(self.random(4))))
        self.ims[phone.imsi] = both[0]
        return both[0]

    @property
    def gm(self) -> MemoryFlows:
        """The network between the phones and the P-CSCF."""
        return self.loop.ports["pcscf", "Gm"].link  # type: ignore[return-value]

    # ---- performers ----------------------------------------------------------------------------

    def _perform(self) -> None:
        forwarder, loop = self.forwarder, self.loop
        for kind, call in (
                (OpenTunnel, self._open),
                (CloseTunnel, lambda effect: forwarder.close(effect.teid)),
                (EmptyBuffer, lambda effect: forwarder.empty(effect.imsi)),
                (OpenRelay, forwarder.relay),
                (OpenMedia, forwarder.sessions.calls),
                (EndMarker, lambda effect: self.end_markers.append((effect.remote, effect.remote_teid))),
                (InstallSas, lambda effect: None if effect.imsi else self.sas.append(effect.sas)),
                (KeepSas, lambda effect: None),
                (RemoveSas, lambda effect: None if effect.imsi else self.sas.remove(effect.sas)),
                (OpenStream, lambda stream: self.streams.update({stream.key: stream})),
                (CloseStream, lambda stream: self.streams.pop(stream.key, None)),
                (FindAddress, self._find_address),
                (GmUp, lambda effect: self.gm.place(effect.client, effect.address)),
                (GmDown, lambda effect: self.gm.leave(effect.client, effect.address)),
                (MediaUp, lambda effect: self.media.update({(effect.imsi, effect.call_id): effect})),
                (MediaDown, lambda effect: self.media.pop((effect.imsi, effect.call_id)))):
            loop.performers[kind] = network.answered(call)
        loop.performers[Save] = self._save

    def _open(self, effect: OpenTunnel) -> None:
        self.delivered += self.forwarder.open(effect, self.loop.clock())

    def _find_address(self, effect: FindAddress) -> None:
        """Solicit the router, as the phone's kernel would, until the bearer stands that its answer comes by."""
        link_local = bytes.fromhex("fe80000000000000") + effect.identifier
        for (_, phone, ebi), radio in list(self.bearers.radio.items()):
            if (phone, ebi) == (f"ue-{effect.imsi}", effect.ebi):
                out = self.forwarder.uplink(gtpu.gpdu(radio.teid_out, router.solicitation(link_local)),
                                            ENB, self.loop.clock())
                if isinstance(out, tuple) and (prefix := router.prefix_of(out[0][8:])):
                    self.loop.tell(effect.client, AddressIs(str(IPv6Address(prefix + effect.identifier))))
                    return
        self.loop.later(("address", effect.client), SOLICITATION_SECONDS, partial(self._find_address, effect))

    def _save(self, effect: Save, done: network.Done) -> None:
        self.submit(effect.writes, done)

    def submit(self, writes: Sequence[Write], done: network.Done) -> None:
        """The writer's method, in this thread."""
        for each, error in commit(self._db, self._path, [(writes, done)]):
            each(error)

    def save(self, *writes: Write) -> None:
        """Commit, as a command would; raises what the store refuses."""
        self.submit(writes, _raise)

    def close(self) -> None:
        """Let go of the database."""
        self.core.sms.box.close()
        self.store.close()
        self._db.close()

    # ---- driving ---------------------------------------------------------------------------------

    def downlink(self, packet: bytes) -> None:
        """A packet from the network's side of the gateway."""
        out = self.forwarder.downlink(packet, self.loop.clock())
        self.delivered += [out] if out else []
        for event in self.forwarder.events:
            self.loop.tell("pgw", event)
        self.forwarder.events.clear()


def _raise(error: Exception | None) -> None:
    if error is not None:
        raise error
