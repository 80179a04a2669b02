# SPDX-License-Identifier: Apache-2.0
"""The simulated phone: what it is, what it remembers, and its end of the air interface.

One procedure, one file: attach, authentication, security_mode, identification, esm, detach, information;
what comes over the air is in connection, what its user does in power.
"""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Any, NamedTuple

from dialtone.codec import nas
from dialtone.codec.nas.bitrates import EpsQos
from dialtone.codec.nas.capabilities import EPSNetworkFeatureSupport
from dialtone.codec.nas.ies import GprsTimer
from dialtone.codec.nas.tables import EsmMessage, NasMessage
from dialtone.codec.nas.values import PdnType
from dialtone.codec.sms import CPData, RpMessage
from dialtone.codec.tft import PacketFilter
from dialtone.crypto.next_hop import NextHop
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Changed, Effect, Effects, Event, Send, StartTimer, StopTimer, Tell, Verdict
from dialtone.element import Element, Stack
from dialtone.errors import ProtocolError
from dialtone.ids import Guti, Plmn, Tai
from dialtone.links.sms import SmsLink
from dialtone.sim.air import EstablishmentCause, RadioLost
from dialtone.sim.faults import Faults
from dialtone.sim.nas_link import NasLink
from dialtone.sim.states import BEARER, EMM, BearerState, EmmState, EpsUpdateStatus
from dialtone.sim.texts import Texts
from dialtone.sim.timers import TIMERS
from dialtone.sim.usim import Usim

on = Handlers("ue")

MESSAGE_NOT_COMPATIBLE_WITH_STATE = 98


class Cell(NamedTuple):
    """Where a phone camps: the eNB element's name and the tracking area that the cell broadcasts."""

    enb: str
    tai: Tai


@dataclass(frozen=True, slots=True)
class Handset:
    """What a phone is made of. Capabilities are value parts as in TS 24.301, 9.9.3.34 and 9.9.3.53.

    The default offers what this phone can do (EEA0, 128-EEA2, 128-EIA2). With `apn`, or with
    `esm_information`, it asks for the ESM information procedure. `retries`: tries again by itself after a
    failed attach, as T3411 says. `drx`: a paging cycle of its own, as the coefficient of TS 24.008, 10.5.5.6.
    `combined`: wants non-EPS services, too; of these with `sms_only` no calls. `emergency`: attaches for a call to 112,
    without `sim` by its IMEI.
    `local_address_in_tft`: knows the packet filter components of Release 11. `ims`: the APN of its IMS client, which
    then exists as an element of its own (sim/ims); empty where it makes no calls in LTE.
    """

    imeisv: str = "3534900698733190"
    apn: str = ""
    esm_information: bool = False
    pdn_type: int = PdnType.IPV4
    network_capability: bytes = bytes.fromhex("a020")
    ms_network_capability: bytes | None = None
    additional_security_capability: bytes | None = None
    retries: bool = True
    drx: int | None = None
    combined: bool = False
    emergency: bool = False
    sim: bool = True
    sms_only: bool = True
    local_address_in_tft: bool = True
    ims: str = ""


@dataclass(slots=True)
class Pdn:
    """A PDN connection with its default bearer."""

    ebi: int
    apn: str
    address: IPv4Address | None
    qci: int
    dns: tuple[IPv4Address | IPv6Address, ...] = ()
    p_cscf: tuple[IPv4Address | IPv6Address, ...] = ()
    mtu: int | None = None
    state: BearerState = BEARER.initial
    identifier: bytes = b""  # the interface identifier for IPv6, 8 octets
    cause: int | None = None  # why it is not what was asked for
    ambr: tuple[int, int] = (0, 0)  # down, up in kbit/s
    emergency: bool = False


@dataclass(slots=True)
class Dedicated:
    """A dedicated bearer beside the default bearer `linked`, with its packet filters by identifier."""

    ebi: int
    linked: int
    qos: EpsQos
    filters: dict[int, PacketFilter]
    state: BearerState


@dataclass(slots=True)
class Transaction:
    """An ESM procedure that the phone began; `about` is an APN or names a bearer."""

    procedure: str
    timer: str
    message: EsmMessage
    about: str
    attempts: int = 0


@dataclass(slots=True)
class InterfaceUp(Effect):
    """Give the phone's data interface its IPv4 address, its IPv6 interface identifier, or both; the radio bearer of
    `ebi` carries it. A dedicated bearer carries what its `filters` say of the same addresses."""

    phone: str
    imsi: str
    ebi: int
    address: IPv4Address | None
    dns: tuple[IPv4Address | IPv6Address, ...]
    mtu: int
    identifier: bytes = b""
    filters: tuple[PacketFilter, ...] = ()
    failed: Event | None = None


@dataclass(slots=True)
class InterfaceDown(Effect):
    """Take the data interface of `ebi` away."""

    phone: str
    imsi: str
    ebi: int


@dataclass(slots=True)
class BearerIsDown(Event):
    """For the IMS client: a bearer is gone; with a default bearer its PDN connection."""

    ebi: int


class BackOnline(Event):
    """The phone has its bearers again: what waited for a connection can go out."""

    __slots__ = ()


@dataclass(slots=True)
class Outgoing:
    """Texts that wait to be sent over NAS, and the one that is under way; `mine` is CP-DATA not confirmed yet."""

    waiting: deque[RpMessage] = field(default_factory=deque)
    underway: RpMessage | None = None
    mine: CPData | None = None
    attempts: int = 0


class Phone(Element):
    """One phone with its card. `last` is the outcome of the last procedure, a sentence for people."""

    on = on

    def __init__(self, usim: Usim, cell: Cell, handset: Handset | None = None) -> None:
        self.name = f"ue-{usim.imsi}"
        self.usim = usim
        self.cell = cell
        self.handset = handset or Handset()
        self.faults = Faults()
        self.nas = NasLink(self)
        self.sms_link = SmsLink(lambda data: nas.UplinkNASTransport(nas_message_container=data), lambda _: "mme")
        self.emm = EMM.initial
        self.update_status = EpsUpdateStatus.EU2_NOT_UPDATED
        self.connected = False
        self.deaf = False
        self.guti: Guti | None = None
        self.tais: tuple[Tai, ...] = ()
        self.pdns: dict[int, Pdn] = {}  # by default bearer
        self.dedicated: dict[int, Dedicated] = {}  # by EBI
        self.transactions: dict[int, Transaction] = {}  # by PTI
        self.usim_invalid: int | None = None  # the cause that disabled the card until power-off
        self.forbidden_plmns: dict[Plmn, int] = {}  # with the cause
        self.forbidden_tais: dict[Tai, int] = {}
        self.attempts = 0
        self.authentication_failures = 0
        self.challenge: tuple[bytes, bytes] | None = None  # RAND, RES while T3416 runs
        self.esm_failure: int | None = None
        self.switch_off = False
        self.detach_attempts = 0
        self.forget_when_released = False
        self.attach_when_released = False
        self.t3412: float | None = TIMERS["T3412"].seconds  # None: no periodic update
        self.ims_vops = False  # the network offers calls by IMS (TS 24.301, 9.9.3.12A)
        self.emc_bs = False  # and calls to 112
        self.sms = False  # SMS over NAS was granted
        self.texts = Texts()
        self.outgoing = Outgoing()
        self.establishment = EstablishmentCause.MO_SIGNALLING  # of the next connection
        self.k_enb = b""  # of this connection, with its chaining count and the chain that it grows from
        self.ncc = 0
        self.next_hop: NextHop | None = None
        self.warnings: dict[tuple[int, int], str] = {}  # shown, by message identifier and serial number
        self.network_name = ""
        self.network_time: Any = None
        self.for_help = ""  # an emergency number that was dialled and waits for a connection
        self.last = "switched on"
        self._rx: Rx | None = None
        self.counters: Counter[str] = Counter()

    # ---- what every procedure uses ---------------------------------------------------------------------

    @property
    def imsi(self) -> str:
        """The IMSI of the card, which also names the phone."""
        return self.usim.imsi

    @property
    def ims_clients(self) -> tuple[str, ...]:
        """The elements that are its IMS clients: the ordinary one, and that for emergencies."""
        return (f"ims-{self.imsi}", f"sos-{self.imsi}") if self.handset.ims else ()

    @property
    def urgent(self) -> bool:
        """Whether it attaches for an emergency: to be able to call, or because somebody calls."""
        return self.handset.emergency or bool(self.for_help)

    @property
    def in_need(self) -> bool:
        """It attaches for an emergency, or is here for one: null algorithms are good enough (TS 24.301, 5.4.3.3)."""
        return self.urgent and self.emm in (EmmState.REGISTERED_INITIATED, EmmState.REGISTERED)

    @property
    def imei(self) -> str:
        """Its IMEI, with the Luhn digit of the first 14 (TS 23.003, 6.2.1 and annex B)."""
        digits = self.handset.imeisv[:14]
        total = sum(sum(divmod(int(digit) * (1 + index % 2), 10)) for index, digit in enumerate(digits))
        return digits + str(-total % 10)

    @property
    def bearers(self) -> tuple[int, ...]:
        """EPS bearer identities of the bearers that it has."""
        return (*self.pdns, *self.dedicated)

    def take_timer(self, t3412: GprsTimer | None) -> None:
        """The network's value of T3412; without one the last one holds."""
        if t3412 is not None:
            self.t3412 = t3412.seconds

    def back_off(self, t3346: GprsTimer) -> Iterator[Effect]:
        """The network is congested: nothing before T3346 has expired (TS 24.301, 5.3.9). It does not count as a try."""
        if self.handset.retries and t3346.seconds:
            yield StartTimer("T3346", self.imsi, float(t3346.seconds))

    def take_features(self, features: EPSNetworkFeatureSupport | None) -> None:
        """What the network offers; what is not named is not offered (TS 24.301, 5.5.1.2.4)."""
        self.ims_vops = features is not None and features.ims_vops
        self.emc_bs = features is not None and features.emc_bs

    def mark(self, rx: Rx) -> None:
        """Put the phone's name and state on a line of the trace; `move` keeps the state there up to date."""
        self._rx = rx
        rx.subject, rx.state = self.imsi, self.emm

    def move(self, event: str) -> Iterator[Effect]:
        """Follow the state table; raises ProtocolError where it has no row."""
        old, self.emm = self.emm, EMM.after(self.emm, event)
        if self._rx is not None:
            self._rx.state = self.emm
        if old != self.emm:
            yield Changed("EMM", self.imsi, old, self.emm)

    def send(self, message: NasMessage | nas.ServiceRequest) -> Send:
        """A NAS message to the MME."""
        return Send("NAS", "mme", message)

    def start(self, timer: str) -> StartTimer:
        """Start a timer of the table."""
        return StartTimer(timer, self.imsi, TIMERS[timer].seconds)

    def stop(self, *timers: str) -> Iterator[Effect]:
        """Stop timers."""
        for timer in timers:
            yield StopTimer(timer, self.imsi)

    def outcome(self, procedure: str, ok: bool, text: str) -> Verdict:
        """The end of a procedure, kept for people."""
        self.last = text
        return Verdict(procedure, ok, text)

    def drop_connection(self) -> Iterator[Effect]:
        """Release the connection locally, without a word (TS 24.301, 5.3.1.2)."""
        if self.connected and not self.deaf:
            yield Tell(self.cell.enb, RadioLost(self.name))
        self.connected = self.nas.secure = False

    @property
    def stacks(self) -> dict[str, Stack]:
        """Its links that are stacked on one another, by point."""
        return {"NAS": self.nas, "SMS": self.sms_link}

    def drop_bearers(self) -> Iterator[Effect]:
        """Deactivate every bearer locally; nothing that was asked for will be answered."""
        for pti, transaction in self.transactions.items():
            yield StopTimer(transaction.timer, (self.imsi, pti))
        self.transactions.clear()
        for bearer in self.dedicated.values():
            bearer.state = BEARER.after(bearer.state, "local deactivation")
            yield from self.interface_down(bearer.ebi)
        self.dedicated.clear()
        for pdn in self.pdns.values():
            pdn.state = BEARER.after(pdn.state, "local deactivation")
            yield from self.interface_down(pdn.ebi)
        self.pdns.clear()

    def interface_down(self, ebi: int) -> Iterator[Effect]:
        """A bearer takes its part of the data interface along; the IMS clients hear of it."""
        yield InterfaceDown(self.name, self.imsi, ebi)
        for client in self.ims_clients:
            yield Tell(client, BearerIsDown(ebi))

    def forget(self) -> None:
        """Delete GUTI, TAI list and keys."""
        self.guti, self.tais = None, ()
        self.nas.forget()

    # ---- the loop's hooks --------------------------------------------------------------------------------

    def gate(self, rx: Rx) -> None:
        """EMM messages are taken in the states of the table only (TS 24.301, 7.4)."""
        self.mark(rx)
        assert rx.message is not None
        name = rx.message.NAME
        if name in EMM.events and not EMM.allows(self.emm, name):
            raise ProtocolError(f"{name} is not expected in {self.emm}",
                                cause=MESSAGE_NOT_COMPATIBLE_WITH_STATE, clause="TS 24.301, 7.4")

    def refuse(self, error: ProtocolError, rx: Rx) -> Effects:
        """EMM STATUS where the specification asks for it (TS 24.301, 7.4 to 7.6); else the message is dropped."""
        self.mark(rx)
        self.counters["refused"] += 1
        answers_status = isinstance(rx.message, nas.EMMStatus | nas.ESMStatus)
        if rx.point == "NAS" and error.cause is not None and self.connected and not answers_status:
            yield self.send(nas.EMMStatus(emm_cause=error.cause))
