# SPDX-License-Identifier: Apache-2.0
"""Random days of a small network: phones and eNBs do what they like, links lose and double, strangers interfere.

A procedure is a function in soak_procedures.py; add one, and the soak does it, too. What each is counted as, and which
message met which state of a phone, comes out of the trace.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path

from leaks import held, leave_nothing
from moments import MOMENTS, addressed, afresh, nas_messages, s1ap_messages
from nas_samples import SERVICE_REQUEST
from network import Network, imsi_of
from probe import protected
from rx_peer import Af
from test_emergency import desk

from dialtone.codec import nas, s1ap
from dialtone.codec.diameter import SessionTerminationRequest
from dialtone.effects import PeerDown, PeerUp
from dialtone.hss.writes import PutProfile
from dialtone.ids import nameless
from dialtone.links.memory import Weather
from dialtone.mme.states import EmmState as Emm
from dialtone.sim.air import ConnectionRequest, EstablishmentCause, NasUp
from dialtone.sim.enb import EnbConfig
from dialtone.sim.phone import Handset, Phone
from dialtone.sim.states import EmmState

IN_NEED = (7, 8)  # phones that attach for an emergency, the last one without a SIM
MESSAGES = (*nas_messages(), SERVICE_REQUEST, *s1ap_messages())


@dataclass
class Soak:
    """The network, chance, and what has happened so far."""

    path: Path
    seed: int
    phones: int = 8
    enbs: int = 3
    done: Counter[str] = field(default_factory=Counter)
    met: Counter[tuple[str, str]] = field(default_factory=Counter)
    seen: int = 0

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.net = Network(self.path, 0, seed=self.seed, config=desk(),
                           enbs=tuple(EnbConfig(enb_id=0x19B + n, enb_name=f"cell {n}") for n in range(self.enbs)))
        self.net.loop.ports["mme", "S1-MME"].inside = False  # trace S1AP with the state that the MME met it in
        self.apns = self.net.store.profiles()["default"].apns
        self.before = held(self.net)
        self.af = Af(self.net)
        self.calls: set[str] = set()  # Session-Ids that the AF has begun
        for number in range(1, self.phones + 1):
            self.net.add_subscriber(imsi_of(number))
            self.net.add_phone(imsi_of(number), Handset(
                imeisv=f"35349006987{number:03d}90", retries=number % 2 == 0, apn="ims" if number % 3 == 0 else "",
                emergency=number in IN_NEED, sim=number != IN_NEED[-1]), enb=number % self.enbs)

    def weather(self, bad: bool) -> None:
        """Every link loses, doubles, delays and reorders; or none does, but takes its time all the same."""
        links = (self.net.s1_mme, self.net.link("S11"), self.net.link("S6a"))
        for number, link in enumerate(links):
            link.weather = Weather(self.seed + number, *(0.02, 0.01, 0.02) if bad else (), delay=0.04)

    def day(self, procedures: int) -> None:
        """So many procedures, of random phones at random moments."""
        self.weather(True)
        names, weights = zip(*((name, weight) for name, (weight, _) in PROCEDURES.items()), strict=True)
        for name in self.rng.choices(names, weights, k=procedures):
            phone = self.rng.choice(list(self.net.phones.values()))
            PROCEDURES[name][1](self, phone)
            self.done[name] += 1
            self.net.run(self.rng.choice((0.0, 0.01, 0.03, 0.1, 0.5, 2.0, 8.0)))
            self.look()

    def look(self) -> None:
        """Take what is new in the trace: which message the MME met in which state of its phone."""
        ring = self.net.loop.bus.ring
        for event in takewhile(lambda event: event.id > self.seen, reversed(ring)):
            if event.dst == "mme" and event.kind == "rx" and event.state and event.point in ("S1-MME", "NAS"):
                self.met[event.name, event.state] += 1
        self.seen = ring[-1].id
        assert self.net.loop.counters.get("internal error", 0) == 0, self.net.verdicts()[-3:]

    def evening(self) -> None:
        """Good weather and sound phones again: every one of them is served, and then nothing of theirs is left."""
        self.weather(False)
        for imsi in self.net.phones:
            self.net.fault(None, imsi)
        profile = self.net.store.profiles()["default"]
        self.net.save(PutProfile(replace(profile, apns=self.apns)))
        self.af.answers = 2001
        for session in self.calls:
            self.af.post(SessionTerminationRequest, session_id=session, termination_cause=1)
        self.net.run(60.0)
        for enb in self.net.enbs:
            self.net.loop.tell(enb.name, PeerDown("S1-MME", "mme", "evening"))
            self.net.loop.tell("mme", PeerDown("S1-MME", enb.name, "evening"))
            self.net.command(enb.name, PeerUp("S1-MME", "mme"), 5.0)
        for imsi, phone in self.net.phones.items():
            self.net.power_cycle(imsi)
            assert self.net.attach(imsi, 10.0).emm == EmmState.REGISTERED, (phone.last, self.net.verdicts()[-3:])
        self.look()
        leave_nothing(self.net, self.before)

    def rest(self) -> None:
        """Pairs of message and state that chance did not bring about, one by one, in good weather."""
        phone = next(iter(self.net.phones.values()))
        for name, (state, bring) in {**MOMENTS, "unknown": (Emm.DEREGISTERED, lambda net, phone: None)}.items():
            for message in MESSAGES:
                if self.met[message.NAME, state]:
                    continue
                afresh(self.net, phone)
                bring(self.net, phone)
                self.met[message.NAME, inject(self, phone, message)] += 1
                self.net.run(0.05)
                self.done[name] += 1
                self.look()

    def missed(self) -> list[tuple[str, str]]:
        """Pairs that never met."""
        return [(message.NAME, state) for message in MESSAGES for state in Emm if not self.met[message.NAME, state]]

    def matrix(self) -> Iterator[str]:
        """The coverage as a table: how often each message met each state."""
        states = list(Emm)
        yield f"{'':42}" + "".join(f"{state.value.removeprefix('EMM-').partition('-PROC')[0]:>24}" for state in states)
        for name in sorted({name for name, _ in self.met}):
            yield f"{name:42}" + "".join(f"{self.met[name, state]:24}" for state in states)


Procedure = Callable[[Soak, Phone], None]
PROCEDURES: dict[str, tuple[int, Procedure]] = {}


def procedure(weight: int) -> Callable[[Procedure], Procedure]:
    """Register something that happens, how often beside the others."""
    def register(what: Procedure) -> Procedure:
        PROCEDURES[what.__name__] = (weight, what)
        return what
    return register


def inject(soak: Soak, phone: Phone, message: nas.NasMessage | nas.ServiceRequest | s1ap.S1apMessage) -> Emm:
    """Send it where it fits into what the phone has just now; returns the state that it comes into."""
    net = soak.net
    names = {phone.imsi, nameless(phone.imei)}
    ues = [ue for ue in net.core.mme.ues.values() if ue.enb is not None and names & {ue.imsi, ue.claimed}]
    ue = max(ues, key=lambda ue: ue.number, default=None)
    state = Emm.DEREGISTERED if ue is None else ue.emm
    if isinstance(message, s1ap.S1apMessage):
        ids, peer = (4711, 4712), phone.cell.enb
        if ue is not None:  # the target of a handover may not have told its id yet
            ids, peer = (ue.number, max(ue.enb_ue_s1ap_id, 0)), ue.enb.peer
        net.loop.deliver("mme", "S1-MME", peer, s1ap.encode(addressed(message, *ids)), 1)
        return state
    context = phone.nas.current
    plain = context is None or context.keys is None or (ue is not None and not ue.secured) or (
        isinstance(message, nas.ServiceRequest))
    octets = nas.encode(message) if plain else protected(phone, message)
    if ue is not None:
        net.loop.tell(phone.cell.enb, NasUp(phone.name, octets))
    else:
        first = ConnectionRequest(phone.name, octets, EstablishmentCause.MO_SIGNALLING, phone.guti)
        net.loop.tell(phone.cell.enb, first)
    return state
