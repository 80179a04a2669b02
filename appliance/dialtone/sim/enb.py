# SPDX-License-Identifier: Apache-2.0
"""The simulated eNB: what it is, what it remembers of each phone, and how it answers faulty S1AP.

One procedure, one file: s1_setup, nas_transport, ue_context, reset (TS 36.413, 8).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from dialtone.codec.s1ap.bearers import UEAggregateMaximumBitrate
from dialtone.codec.s1ap.causes import Cause
from dialtone.codec.s1ap.configuration import OverloadAction
from dialtone.codec.s1ap.errors import S1apError
from dialtone.codec.s1ap.location import RequestType
from dialtone.codec.s1ap.management import ErrorIndication
from dialtone.codec.s1ap.notation import Criticality
from dialtone.codec.s1ap.table import S1apMessage
from dialtone.codec.s1ap.values import CriticalityDiagnostics, PagingDRX, UESecurityCapabilities
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Changed, Effect, Effects, Event, Send, StopTimer, Tell, Verdict
from dialtone.element import Element
from dialtone.errors import ProtocolError
from dialtone.ids import Ecgi, Plmn, Tai
from dialtone.sim.air import ConnectionRequest, Paged, Refused, Released
from dialtone.sim.phone import Cell
from dialtone.sim.states import RADIO, S1, RadioState

if TYPE_CHECKING:
    from dialtone.sim.moving import Neighbour
    from dialtone.sim.warning import Broadcast

on = Handlers("enb")

EARFCN = 3350
"""Downlink carrier of every simulated cell, in band 7."""

COMMON_STREAM = 0
"""SCTP stream of procedures that belong to no UE (TS 36.412, 7)."""


@dataclass(frozen=True, slots=True)
class EnbConfig:
    """An eNB. `areas` are (TAC, broadcast PLMNs); the first area is that of its one cell.

    `address` is its end of S1-U. `home_plmn` of the Global eNB ID is the first PLMN if not given.
    `inactivity`: seconds without a packet after which a phone is released, 0 for never.
    `streams`: SCTP streams of the association; stream 0 is for common procedures. `refused_qcis`: classes of
    bearers that it cannot set up.
    """

    enb_id: int = 0x00101
    enb_name: str = "sim-enb1"
    areas: tuple[tuple[int, tuple[Plmn, ...]], ...] = ((1, (Plmn("001", "01"),)),)
    address: IPv4Address = IPv4Address("127.0.0.2")
    home_plmn: Plmn | None = None
    paging_drx: PagingDRX = PagingDRX.V128
    inactivity: float = 0.0
    streams: int = 16
    namespace: str = ""  # network namespace of its sockets, that of the process if empty
    refused_qcis: frozenset[int] = frozenset()

    @property
    def plmn(self) -> Plmn:
        """The PLMN of the Global eNB ID."""
        return self.home_plmn or self.areas[0][1][0]

    @property
    def tai(self) -> Tai:
        """The tracking area that the cell broadcasts."""
        return Tai(self.areas[0][1][0], self.areas[0][0])

    @property
    def pci(self) -> int:
        """The physical cell identity, 0 to 503."""
        return self.enb_id % 504

    @property
    def ecgi(self) -> Ecgi:
        """The cell: 20 bits of eNB id, 8 of cell (TS 36.413, 9.2.1.38)."""
        return Ecgi(self.areas[0][1][0], self.enb_id << 8 | 1)


@dataclass(slots=True)
class RadioBearer:
    """An E-RAB: uplink to `teid_out` at `uplink` (IPv4, 4 octets), downlink to our `teid_in`; in a handover
    the source forwards to `forward_in`."""

    ebi: int
    qci: int
    uplink: bytes
    teid_out: int
    teid_in: int
    forward_in: int | None = None


@dataclass(slots=True)
class RadioExpect(Effect):
    """Hold what comes to `teid_in`, and what is forwarded to `forward_in`, until RadioBearerUp."""

    enb: str
    teid_in: int
    forward_in: int | None


@dataclass(slots=True)
class RadioFlush(Effect):
    """Wait no longer for the end of what is forwarded for `teid_in`."""

    enb: str
    teid_in: int


@dataclass(slots=True)
class RadioForward(Effect):
    """The phone is sent away: what comes to `teid_in` goes on to `remote_teid` at `remote`, or nowhere without one."""

    enb: str
    teid_in: int
    remote: bytes
    remote_teid: int


@dataclass(slots=True)
class RadioBearerUp(Effect):
    """Give the user plane a bearer of `phone`: what its data interface sends goes to `teid_out` at
    `uplink` (4 octets), what comes to `address` (4 octets) under `teid_in` goes to the interface."""

    enb: str
    phone: str
    ebi: int
    address: bytes
    uplink: bytes
    teid_out: int
    teid_in: int
    failed: Event | None = None


@dataclass(slots=True)
class RadioBearerDown(Effect):
    """Take the bearer with our `teid_in` out of the user plane."""

    enb: str
    phone: str
    ebi: int
    teid_in: int


@dataclass(slots=True)
class EnbUe:
    """A phone's context in the eNB; `mme_ue_s1ap_id` is None until the MME's first message.

    `lost`: the phone is gone, the MME has been asked to release. `k_enb` is the MME's.
    """

    phone: str
    enb_ue_s1ap_id: int
    mme_ue_s1ap_id: int | None = None
    state: RadioState = RADIO.initial
    lost: bool = False
    k_enb: bytes = field(default=b"", repr=False)
    ncc: int = 0  # chaining count of K_eNB
    fresh: tuple[int, bytes] | None = field(default=None, repr=False)  # {NCC, NH} for the next handover
    capabilities: UESecurityCapabilities = field(default_factory=lambda: UESecurityCapabilities(0, 0))
    leaving: "Neighbour | None" = None  # a handover to there is under way
    leaving_by: str = ""  # s1 or x2
    crnti: int = 0  # the name of a phone that is expected
    source: str = ""  # the eNB that it comes from by X2, with its id there
    source_number: int = 0
    radio_capability_known: bool = False
    failed: tuple[int, ...] = ()  # E-RABs of the context setup that there was no room for
    reporting: RequestType | None = None  # the MME wants to know each change of cell
    bearers: dict[int, RadioBearer] = field(default_factory=dict)  # by EBI
    ambr: UEAggregateMaximumBitrate | None = None  # what it enforces for the phone

    @property
    def label(self) -> str:
        """The phone's IMSI, for the trace: it names the element."""
        return self.phone.removeprefix("ue-")


class UnknownAssociation(ProtocolError):
    """A message for a UE association that is not there (TS 36.413, 10.6)."""

    def __init__(self, text: str, cause: str) -> None:
        super().__init__(text, clause="TS 36.413, 10.6")
        self.s1ap_cause = Cause.of("radioNetwork", cause)


class Enb(Element):
    """One eNB with one cell."""

    on = on

    def __init__(self, name: str = "enb1", config: EnbConfig | None = None) -> None:
        self.name = name
        self.config = config or EnbConfig()
        self.mme = ""  # the peer of the association
        self.s1 = S1.initial
        self.mme_name = ""
        self.mme_capacity = 0  # relative, as the MME says
        self.proposed: tuple[tuple[int, tuple[Plmn, ...]], ...] = ()  # areas that the MME has not acknowledged yet
        self.overload: OverloadAction | None = None
        self.warnings: dict[tuple[int, int], Broadcast] = {}  # by message identifier and serial number
        self.refusal = ""  # why S1 Setup failed, for people
        self.ues: dict[int, EnbUe] = {}  # by ENB-UE-S1AP-ID
        self.by_phone: dict[str, EnbUe] = {}
        self.camped: dict[str, None] = {}  # phones that listen here while they are idle
        self.pages: dict[object, Paged] = {}  # what is broadcast at its occasion, by identity
        self.refused_bearers: set[int] = set()  # E-RABs that this eNB has no room for: a fault
        self.full = False  # takes no phone in a handover: a fault
        self.expected: dict[int, EnbUe] = {}  # phones that are to come in a handover, by C-RNTI
        self.waiting: list[ConnectionRequest] = []  # phones that came before S1 Setup was answered
        self.counters: Counter[str] = Counter()
        self._next_ue = 0
        self._next_teid = 0

    @property
    def cell(self) -> Cell:
        """Where phones of this eNB camp."""
        return Cell(self.name, self.config.tai)

    # ---- what every procedure uses ---------------------------------------------------------------------

    def move(self, event: str) -> Iterator[Effect]:
        """Follow the table of the S1 interface."""
        old, self.s1 = self.s1, S1.after(self.s1, event)
        if old != self.s1:
            yield Changed("S1", "", old, self.s1)

    def move_ue(self, ue: EnbUe, event: str) -> Iterator[Effect]:
        """Follow the table of a phone's context."""
        old, ue.state = ue.state, RADIO.after(ue.state, event)
        if old != ue.state:
            yield Changed("radio", ue.label, old, ue.state)

    def send(self, message: S1apMessage, ue: EnbUe | None = None) -> Send:
        """A message to the MME, on the phone's stream (TS 36.412, 7)."""
        stream = COMMON_STREAM if ue is None else 1 + ue.enb_ue_s1ap_id % (self.config.streams - 1)
        return Send("S1-MME", self.mme, message, stream)

    def outcome(self, procedure: str, ok: bool, text: str) -> Verdict:
        """The end of a procedure."""
        return Verdict(procedure, ok, text)

    def new_ue(self, phone: str) -> EnbUe:
        """A context for a phone; an older one stays until the MME releases it."""
        while (number := self._next_ue) in self.ues:
            self._next_ue = (self._next_ue + 1) & 0xFFFFFF
        self._next_ue = (number + 1) & 0xFFFFFF
        ue = self.ues[number] = EnbUe(phone, number)
        if phone:  # else one that is expected in a handover, and not known yet
            self.by_phone[phone] = ue
            self.camped[phone] = None
        return ue

    def new_teid(self) -> int:
        """A downlink TEID that no bearer has."""
        used = {teid for ue in self.ues.values() for bearer in ue.bearers.values()
                for teid in (bearer.teid_in, bearer.forward_in)}
        self._next_teid = self._next_teid % 0xFFFFFFFF + 1
        while self._next_teid in used:
            self._next_teid = self._next_teid % 0xFFFFFFFF + 1
        return self._next_teid

    def drop_bearers(self, ue: EnbUe) -> Iterator[Effect]:
        """Take a phone's bearers out of the user plane."""
        for bearer in ue.bearers.values():
            yield RadioBearerDown(self.name, ue.phone, bearer.ebi, bearer.teid_in)
        ue.bearers.clear()

    def drop(self, ue: EnbUe, event: str, cause: str) -> Iterator[Effect]:
        """Forget a context, and release its phone if it is still there."""
        if ue.leaving is not None:
            for timer in ("TRELOCprep", "TRELOCoverall"):
                yield StopTimer(timer, ue.enb_ue_s1ap_id)
        yield from self.drop_bearers(ue)
        yield from self.move_ue(ue, event)
        self.ues.pop(ue.enb_ue_s1ap_id, None)
        if self.expected.get(ue.crnti) is ue:
            del self.expected[ue.crnti]
        if self.by_phone.get(ue.phone) is ue:
            del self.by_phone[ue.phone]
            if not ue.lost:
                yield Tell(ue.phone, Released(self.name, cause))

    def refuse_phone(self, phone: str) -> Tell:
        """No connection without S1."""
        return Tell(phone, Refused(self.name, f"{self.config.enb_name} has no S1: {self.refusal or self.s1}"))

    def refuse_waiting(self) -> Iterator[Effect]:
        """S1 Setup came to nothing."""
        for request in self.waiting:
            yield self.refuse_phone(request.phone)
        self.waiting.clear()

    def drop_all(self, event: str, cause: str) -> Iterator[Effect]:
        """Forget every context."""
        for ue in list(self.ues.values()):
            yield from self.drop(ue, event, cause)

    def associated(self, mme_ue_s1ap_id: int, enb_ue_s1ap_id: int, rx: Rx) -> EnbUe:
        """The context that a message of the MME names; raises UnknownAssociation (TS 36.413, 10.6)."""
        ue = self.ues.get(enb_ue_s1ap_id)
        if ue is None:
            raise UnknownAssociation(f"there is no eNB UE S1AP ID {enb_ue_s1ap_id}",
                                     "unknown-enb-ue-s1ap-id")
        if ue.mme_ue_s1ap_id is None:
            ue.mme_ue_s1ap_id = mme_ue_s1ap_id  # the MME's first message brings its own
        if ue.mme_ue_s1ap_id != mme_ue_s1ap_id:
            raise UnknownAssociation(f"MME UE S1AP ID {mme_ue_s1ap_id} does not belong to eNB UE S1AP ID "
                                     f"{enb_ue_s1ap_id}", "unknown-pair-ue-s1ap-id")
        rx.subject = ue.label
        return ue

    # ---- the loop's hooks --------------------------------------------------------------------------------

    def refuse(self, error: ProtocolError, rx: Rx) -> Effects:
        """Error Indication, as far as clause 10 asks for one."""
        self.counters["refused"] += 1
        if rx.point != "S1-MME" or isinstance(rx.message, ErrorIndication) or not self.mme:  # the last: nobody is there
            return
        indication = ErrorIndication(
            mme_ue_s1ap_id=getattr(rx.message or error, "mme_ue_s1ap_id", None),
            enb_ue_s1ap_id=getattr(rx.message or error, "enb_ue_s1ap_id", None),
            cause=Cause.of("protocol", "message-not-compatible-with-receiver-state"))
        if isinstance(error, S1apError):
            if error.criticality == Criticality.IGNORE:
                return
            indication.cause = Cause.of("protocol", error.CAUSE)
            indication.criticality_diagnostics = CriticalityDiagnostics.of(error)
        elif isinstance(error, UnknownAssociation):
            indication.cause = error.s1ap_cause
        yield self.send(indication)
