# SPDX-License-Identifier: Apache-2.0
"""Random days of a small network: phones and eNBs do what they like, links lose and double, strangers interfere.

A procedure is a function here; add one, and the soak does it, too. What each is counted as, and which message met which
state of a phone, comes out of the trace.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path

from esm_flows import CALL, VIDEO
from leaks import held, leave_nothing
from moments import MOMENTS, addressed, afresh, nas_messages, s1ap_messages
from nas_samples import SERVICE_REQUEST
from network import Network, imsi_of
from probe import HOME, protected
from rx_peer import Af, audio, video

from dialtone.codec import cbs, nas, s1ap
from dialtone.codec.diameter import FlowStatus, SessionTerminationRequest
from dialtone.codec.nas.bitrates import EpsQos
from dialtone.codec.s1ap import EventType
from dialtone.effects import PeerDown, PeerUp
from dialtone.hss.cancel_location import Withdraw
from dialtone.hss.reset import Reset
from dialtone.hss.subscriber_data import SubscriptionChanged
from dialtone.hss.writes import PutProfile
from dialtone.ids import Plmn
from dialtone.links.memory import Weather
from dialtone.mme import pdn_disconnect
from dialtone.mme.detach import DetachUe
from dialtone.mme.guti_reallocation import ReallocateGuti
from dialtone.mme.location_reporting import LocateUe
from dialtone.mme.mme_configuration import SetCapacity
from dialtone.mme.reset import ResetEnb
from dialtone.mme.states import EmmState as Emm
from dialtone.mme.warning import SendWarning, StopWarning
from dialtone.pgw.policy import InstallRules, RemoveRules
from dialtone.sim.air import ConnectionRequest, EstablishmentCause, NasUp, RadioLost
from dialtone.sim.attach import AttachCommand
from dialtone.sim.configuration import UpdateCommand
from dialtone.sim.detach import DetachCommand
from dialtone.sim.enb import EnbConfig
from dialtone.sim.handover import CancelHandover
from dialtone.sim.moving import HandOver, Neighbour
from dialtone.sim.pdn import ClosePdn, OpenPdn
from dialtone.sim.phone import Handset, Phone
from dialtone.sim.power import BreakCommand, MoveCommand, PowerCycle
from dialtone.sim.reset import ResetCommand
from dialtone.sim.resource import AskForBearer, drop
from dialtone.sim.service import ServiceCommand
from dialtone.sim.states import EmmState
from dialtone.sim.tracking import AreaUpdateCommand
from dialtone.sim.ue_context import InactivityCommand

FAULTS = (*[None] * 12, "sqn_stale", "sqn_far", "wrong_mac", "replay", "no_context", "garbage", "unknown_guti",
          "silent", "silent_after:Authentication response", "silent_after:Security mode complete", "wrong_k",
          "wrong_apn")
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
        self.net = Network(self.path, 0, seed=self.seed,
                           enbs=tuple(EnbConfig(enb_id=0x19B + n, enb_name=f"cell {n}") for n in range(self.enbs)))
        self.net.loop.ports["mme", "S1-MME"].inside = False  # trace S1AP with the state that the MME met it in
        self.before = held(self.net)
        self.af = Af(self.net)
        self.calls: set[str] = set()  # Session-Ids that the AF has begun
        for number in range(1, self.phones + 1):
            self.net.add_subscriber(imsi_of(number))
            apn = "ims" if number % 3 == 0 else ""
            self.net.add_phone(imsi_of(number), Handset(retries=number % 2 == 0, apn=apn), enb=number % self.enbs)

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


@procedure(30)
def attach(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.name, AttachCommand())


@procedure(6)
def detach(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.name, DetachCommand(soak.rng.random() < 0.3))


@procedure(5)
def power_cycle(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.name, PowerCycle())


@procedure(8)
def service_request(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.name, ServiceCommand(extended=soak.rng.random() < 0.2))


@procedure(8)
def tracking_area_update(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.name, AreaUpdateCommand())


@procedure(12)
def go_idle(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.cell.enb, InactivityCommand(phone.name))


@procedure(6)
def radio_lost(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.cell.enb, RadioLost(phone.name))


@procedure(10)
def downlink_data(soak: Soak, phone: Phone) -> None:
    """A packet for it, which may have to be paged for."""
    for bearer in list(soak.net.forwarder.bearers.values()):
        if bearer.imsi == phone.imsi:
            soak.net.downlink(bytes.fromhex("4500001c00000000401100000808080a") + bearer.ue[:4] + bytes(8))
            return


@procedure(6)
def move(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.name, MoveCommand(soak.rng.choice(soak.net.enbs).cell))


@procedure(14)
def hand_over(soak: Soak, phone: Phone) -> None:
    """By X2 or S1, with or without forwarding, to any cell, the phone's own among them."""
    target = soak.rng.choice(soak.net.enbs)
    target.full = soak.rng.random() < 0.1
    soak.net.loop.tell(phone.cell.enb, HandOver(
        phone.name, Neighbour(target.name, target.config), s1=soak.rng.random() < 0.6,
        forward=soak.rng.random() < 0.7, direct=soak.rng.random() < 0.5))


@procedure(4)
def cancel_handover(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.cell.enb, CancelHandover(phone.name))


@procedure(4)
def locate(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell("mme", LocateUe(phone.imsi, soak.rng.choice(list(EventType))))


@procedure(4)
def reset_by_mme(soak: Soak, phone: Phone) -> None:
    """All phones of an eNB, or one."""
    one = (phone.imsi,) if soak.rng.random() < 0.7 else ()
    soak.net.loop.tell("mme", ResetEnb(phone.cell.enb, one))


@procedure(4)
def warn(soak: Soak, phone: Phone) -> None:
    """A warning comes, or goes."""
    event = SendWarning(4380, cbs.encode("soak"), broadcasts=3) if soak.rng.random() < 0.5 else StopWarning(4380)
    soak.net.loop.tell("mme", event)


@procedure(4)
def capacity(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell("mme", SetCapacity(soak.rng.randrange(256)))


@procedure(10)
def pdn(soak: Soak, phone: Phone) -> None:
    """Another PDN connection, or one less: by the phone or by the network."""
    event = soak.rng.choice((OpenPdn("ims"), OpenPdn("internet", later=True), OpenPdn("nowhere"), ClosePdn("ims")))
    if soak.rng.random() < 0.2:
        soak.net.loop.tell("mme", pdn_disconnect.ClosePdn(phone.imsi, "ims"))
    else:
        soak.net.loop.tell(phone.name, event)


@procedure(8)
def dedicated_bearer(soak: Soak, phone: Phone) -> None:
    """The policy gives a bearer, changes it, or takes it away."""
    apn, kilobits = soak.rng.choice(("internet", "ims")), soak.rng.choice((80, 160))
    rule = replace(CALL, mbr=(kilobits, kilobits), gbr=(kilobits, kilobits))
    given = soak.rng.random() < 0.7
    install, remove = InstallRules(phone.imsi, apn, (rule,)), RemoveRules(phone.imsi, apn, (rule.name,))
    soak.net.loop.tell("pgw", install if given else remove)


@procedure(6)
def bearer_of_the_phone(soak: Soak, phone: Phone) -> None:
    """An application in it wants a bearer, or is through with one."""
    wanted = AskForBearer(soak.rng.choice(("internet", "ims")), EpsQos.of(2, 384, 384, 384, 384), (VIDEO,))
    soak.net.loop.tell(phone.name, soak.rng.choice((wanted, drop(soak.rng.randint(5, 8), 1))))


@procedure(12)
def call(soak: Soak, phone: Phone) -> None:
    """A call of it begins, changes, is held, or ends; the AF may be silent, or have forgotten it."""
    af, rng = soak.af, soak.rng
    af.answers = rng.choice((2001, 2001, 2001, None, 5002))
    sessions = soak.net.core.pgw.sessions_of(phone.imsi)
    name = f"call {phone.imsi} {rng.randrange(2)}"
    if not sessions or rng.random() < 0.4:
        soak.calls.discard(name)
        af.post(SessionTerminationRequest, session_id=name, termination_cause=1)
        return
    port = 49120 + 10 * rng.randrange(3)
    media = [audio(port=port, far_port=50000 + rng.randrange(2), kbit=rng.choice((41, 90)),
                   flow_status=rng.choice((FlowStatus.ENABLED, FlowStatus.DISABLED, None)))]
    if rng.random() < 0.4:
        media.append(video(flow_status=rng.choice((FlowStatus.ENABLED, FlowStatus.REMOVED))))
    soak.calls.add(name)
    af.post_aar(*media, session_id=name, framed_ip_address=rng.choice(sessions).paa.ipv4)


@procedure(3)
def profile_push(soak: Soak, phone: Phone) -> None:
    """Another bit rate for everybody; the HSS tells of this phone."""
    before = soak.net.store.get(phone.imsi)
    assert before is not None
    rate = soak.rng.choice((5_000_000, 1_000_000_000))
    soak.net.save(PutProfile(replace(before.profile, ambr_dl=rate, ambr_ul=rate)))
    soak.net.loop.tell("hss", SubscriptionChanged(before, soak.net.store.get(phone.imsi) or before))


@procedure(2)
def withdrawal(soak: Soak, phone: Phone) -> None:
    """The HSS cancels its location (TS 29.272, 5.2.1.2)."""
    if (served := soak.net.store.registration(phone.imsi)) is not None:
        soak.net.loop.tell("hss", Withdraw(served))


@procedure(1)
def hss_reset(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell("hss", Reset())


@procedure(3)
def guti_reallocation(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell("mme", ReallocateGuti(phone.imsi))


@procedure(2)
def enb_update(soak: Soak, phone: Phone) -> None:
    """The cell broadcasts another PLMN beside ours, or no more."""
    plmns = (HOME, Plmn("999", "70"))[:soak.rng.randint(1, 2)]
    soak.net.loop.tell(phone.cell.enb, UpdateCommand(((1, plmns),)))


@procedure(5)
def network_detach(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell("mme", DetachUe(phone.imsi, reattach=soak.rng.random() < 0.5))


@procedure(6)
def fault(soak: Soak, phone: Phone) -> None:
    """It breaks, or is mended."""
    soak.net.loop.tell(phone.name, BreakCommand(soak.rng.choice(FAULTS)))


@procedure(2)
def enb_reset(soak: Soak, phone: Phone) -> None:
    soak.net.loop.tell(phone.cell.enb, ResetCommand())


@procedure(3)
def enb_flap(soak: Soak, phone: Phone) -> None:
    """The association is gone, for one end before the other, and comes back."""
    enb = phone.cell.enb
    soak.net.loop.tell("mme", PeerDown("S1-MME", enb, "flap"))
    soak.net.run(soak.rng.choice((0.0, 0.02, 1.0)))
    soak.net.loop.tell(enb, PeerDown("S1-MME", "mme", "flap"))
    soak.net.run(soak.rng.choice((0.0, 5.0)))
    soak.net.loop.tell(enb, PeerUp("S1-MME", "mme"))


@procedure(2)
def hours(soak: Soak, phone: Phone) -> None:
    """Everybody is quiet until the periodic timers have run."""
    soak.net.run(soak.rng.choice((60.0, 4000.0)))


@procedure(12)
def stray_nas(soak: Soak, phone: Phone) -> None:
    """Any NAS message at any time, with the phone's keys or without."""
    inject(soak, phone, soak.rng.choice((*nas_messages(), SERVICE_REQUEST)))


@procedure(6)
def stray_s1ap(soak: Soak, phone: Phone) -> None:
    """Any S1AP message about a connection that is there."""
    inject(soak, phone, soak.rng.choice(s1ap_messages()))


def inject(soak: Soak, phone: Phone, message: nas.NasMessage | nas.ServiceRequest | s1ap.S1apMessage) -> Emm:
    """Send it where it fits into what the phone has just now; returns the state that it comes into."""
    net = soak.net
    ues = [ue for ue in net.core.mme.ues.values() if ue.enb is not None and phone.imsi in (ue.imsi, ue.claimed)]
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
