# SPDX-License-Identifier: Apache-2.0
"""What the MME remembers: eNBs, phones, their security contexts, PDN connections and bearers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Network
from typing import TYPE_CHECKING, Any, NamedTuple

from dialtone.codec.diameter import SubscriptionData
from dialtone.codec.message import Message
from dialtone.codec.nas import AttachRequest, PDNConnectivityRequest, TrackingAreaUpdateRequest
from dialtone.codec.nas.capabilities import UEAdditionalSecurityCapability
from dialtone.codec.nas.values import EpsAttachType
from dialtone.codec.pco import ProtocolConfigurationOptions
from dialtone.codec.s1ap import RequestType, Reset
from dialtone.crypto.nas_security import NasSecurity
from dialtone.crypto.next_hop import NextHop
from dialtone.dispatch import Rx
from dialtone.effects import Changed, Effects, Request
from dialtone.ids import NAMELESS, Ecgi, Guti, Plmn, Tai
from dialtone.mme.states import ECM, EMM, ESM, HANDOVER, EcmState, EmmState, EsmState, HandoverState

if TYPE_CHECKING:
    from dialtone.mme.element import Mme
    from dialtone.mme.relocation import Relocation

Next = Callable[["Mme", "Ue", Rx], Effects]
"""What to do when a common procedure has succeeded."""


@dataclass(slots=True)
class Enb:
    """An eNB after its S1 Setup. `peer` names the association."""

    peer: str
    plmn: Plmn
    enb_id: int
    name: str
    tais: tuple[Tai, ...]
    since: float
    ues: "dict[int, Ue]" = field(default_factory=dict)  # by MME-UE-S1AP-ID
    reset: Reset | None = None  # ours, not confirmed yet
    resets_left: int = 0


@dataclass(slots=True)
class SecurityContext:
    """An EPS security context (TS 33.401, 3.1). `keys` is None until a security mode chose algorithms.

    `ul_count` is the highest uplink NAS COUNT accepted (-1 for none), `dl_count` the next to use.
    """

    ksi: int
    kasme: bytes = field(repr=False)
    keys: NasSecurity | None = field(default=None, repr=False)
    ul_count: int = -1
    dl_count: int = 0
    null: bool = False  # made up for a phone in need: EIA0 and EEA0, which prove nothing (TS 33.401, 15.2.2)

    @property
    def worn(self) -> bool:
        """Whether a NAS COUNT, of 24 bits, is nearly used up: new keys are made well before (TS 33.401, 6.5)."""
        return not self.null and max(self.ul_count, self.dl_count) > 0xFF0000


@dataclass(slots=True)
class Challenge:
    """An authentication that the phone has not answered yet."""

    rand: bytes
    autn: bytes
    xres: bytes = field(repr=False)
    kasme: bytes = field(repr=False)
    ksi: int
    resynchronised: bool = False


@dataclass(slots=True)
class Bearer:
    """An EPS bearer context: `sgw` is our end of S1-U, `enb` the eNB's, as (address octets, TEID).

    Rates are (down, up) in kbit/s, of a GBR bearer only; `tft` is the gateway's, as it came.
    """

    ebi: int
    qci: int
    arp: tuple[int, int, int]  # priority; 1 may pre-empt; 1 may be pre-empted (TS 36.413, 9.2.1.60)
    sgw: tuple[bytes, int] = (b"", 0)
    enb: tuple[bytes, int] | None = None
    state: EsmState = ESM.initial
    mbr: tuple[int, int] = (0, 0)
    gbr: tuple[int, int] = (0, 0)
    tft: bytes = b""
    step: "Step | None" = None  # the procedure under way on it


class Failure(NamedTuple):
    """Why a procedure on a bearer failed: the GTP cause for the gateway, the sentence for people."""

    gtp: int
    text: str


Ended = Callable[["Mme", "Ue", Rx, Bearer, Failure | None], Effects]


@dataclass(slots=True)
class Step:
    """A procedure of the network on one bearer: what the eNB and the phone have still to say, and whom to tell."""

    timer: str
    ended: Ended
    radio: bool  # the eNB's answer is awaited
    nas: bool = True  # the phone's is
    failure: Failure | None = None


@dataclass(slots=True)
class Pdn:
    """A PDN connection: its default bearer, what the phone asked, what the gateway gave."""

    apn: str
    pti: int
    ebi: int
    pdn_type: int
    pco: ProtocolConfigurationOptions | None
    bearers: dict[int, Bearer] = field(default_factory=dict)
    gateway: str = "pgw"  # who serves it on S11
    s11_teid: int = 0  # the gateway's; 0 before it has the session, and when it lost it
    address: IPv4Address | None = None
    prefix: IPv6Network | None = None
    interface_identifier: bytes | None = None  # of the phone's link-local address
    answer_pco: ProtocolConfigurationOptions | None = None
    esm_cause: int | None = None
    ambr: tuple[int, int] = (0, 0)  # down, up in kbit/s
    leaving: bool = False  # it is being closed

    @property
    def addresses(self) -> str:
        """For people."""
        return " and ".join(str(item) for item in (self.address, self.prefix) if item)


Connected = Callable[["Mme", "Ue", Rx, Pdn], Effects]
Refused = Callable[["Mme", "Ue", Rx, int, int, str], Effects]  # PTI, ESM cause, why


@dataclass(slots=True)
class Wish:
    """A PDN connection that is being made, and whom to tell."""

    ue: "Ue"
    request: PDNConnectivityRequest
    connected: Connected
    refused: Refused
    apn: str
    pco: ProtocolConfigurationOptions | None
    pdn: Pdn | None = None


@dataclass(slots=True)
class Retry:
    """A message that its timer repeats."""

    message: Message
    left: int
    seconds: float


@dataclass(slots=True)
class Handover:
    """An S1 handover. `arrival` has the connection at the target until the phone is there.

    `direct`: the source can forward data to the target by itself. `ends` are the target's of the bearers that it took,
    `forward` where the source sends what still comes for each, `tunnels` whether it goes by way of the gateway.
    """

    arrival: "Ue"
    direct: bool
    since: float
    state: HandoverState = HANDOVER.initial
    ends: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    container: bytes = b""  # target to source
    forward: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    tunnels: bool = False

    def move(self, label: str, event: str) -> Iterator[Changed]:
        """Move its state machine."""
        old, self.state = self.state, HANDOVER.after(self.state, event)
        if old is not self.state:
            yield Changed("S1 handover", label, old, self.state)


@dataclass(slots=True)
class Errand:
    """What the network wants of a phone that may be idle: `then` once it is there, `failed` when it does not come."""

    then: Next
    failed: Next


UNKNOWN = -1
"""The eNB's id of a connection that it has not named yet."""


@dataclass(slots=True)
class Ue:
    """A phone, from its first message to the end of its registration.

    `number` is the MME-UE-S1AP-ID of its connection: it changes with the connection, `s11_teid` never does.
    `then` is what follows the common procedure under way.
    """

    number: int
    s11_teid: int = 0  # ours on S11, one a phone (TS 29.274, 4.2.1)
    emm: EmmState = EMM.initial
    ecm: EcmState = ECM.initial
    enb: Enb | None = None
    enb_ue_s1ap_id: int = 0
    stream: int = 0
    tai: Tai | None = None
    ecgi: Ecgi | None = None
    imsi: str = ""
    imeisv: str = ""
    guti: Guti | None = None
    new_guti: Guti | None = None
    security: SecurityContext | None = None
    next_security: SecurityContext | None = None  # authenticated, security mode not complete yet
    verified: bool = False  # the NAS message at hand had a good MAC
    secured: bool = False  # the secure exchange of NAS is established on this connection (TS 24.301, 4.4.2.3)
    challenge: Challenge | None = None
    kenb_count: int = 0  # the uplink NAS COUNT that K_eNB is derived from
    awaited: Message | None = None  # the S6a request whose answer the phone waits for
    request: AttachRequest | TrackingAreaUpdateRequest | None = None
    request_octets: bytes = b""  # plain
    request_verified: bool = False
    claimed: str = ""  # the IMSI whose keys a GUTI lent to this context; only a good MAC proves the claim
    called: int | None = None  # M-TMSI of the GUTI that it came with
    asked_imsi: bool = False
    capability: bytes = b""  # UE network capability, exactly as sent
    ms_capability: bytes | None = None
    nr_capability: UEAdditionalSecurityCapability | None = None
    radio_capability: bytes | None = None
    emergency: bool = False  # attached for emergency bearer services
    unproven: str = ""  # the IMSI that it named without proof
    subscription: SubscriptionData | None = None
    confirmed: bool = False  # the HSS knows that we serve it (TS 23.007, 4.2)
    sms: bool = False  # it has SMS over NAS: a combined attach or update (TS 23.272, annex C)
    notify_reachable: bool = False  # the HSS wants to know when the phone is heard of: URRP-MME (TS 23.401, 5.7.2)
    purge: bool = False  # the HSS is to learn when it is forgotten
    pdns: dict[str, Pdn] = field(default_factory=dict)  # by APN
    retries: dict[str | tuple[str, int], Retry] = field(default_factory=dict)  # by timer, in ESM with its EBI or PTI
    then: Next | None = None
    otherwise: Next | None = None  # what follows when the phone cannot prove who it is: an emergency attach
    since: float = 0.0
    tais: tuple[Tai, ...] = ()  # where it may move without a word, and is paged
    drx: int = 0  # its own paging cycle in radio frames, 0: the cell's
    errands: list[Errand] = field(default_factory=list)  # what waits for it to come back
    detach_type: int = 0  # what the network asks of a phone that it detaches
    pages: int = 0  # how often it has been called in vain
    transactions: dict[int, Any] = field(default_factory=dict)  # other procedures the phone began, by PTI
    wishes: dict[int, Wish] = field(default_factory=dict)  # PDN connections being made, by PTI
    context_sent: bool = False  # the eNB was asked to set its context up, which it does once a connection
    rekeyed: bool = False  # security mode brought other keys than the eNB has
    returning: str = ""  # the procedure of a registered phone whose context is being set up
    releasing: bool = False  # the eNB was asked to release the connection
    radio_lost: bool = False  # by an accident: what had a guaranteed rate goes with it
    reporting: RequestType | None = None  # each change of cell on this connection is to be reported
    next_hop: NextHop | None = None  # {NH, NCC} as the eNB has it, or is about to get it (TS 33.401, 7.2.8)
    relocation: "Relocation | None" = None  # its bearers are moving to another eNB
    handover: Handover | None = None
    stands_for: "Ue | None" = None  # but a connection of that phone in a handover: at the target, later at the source
    undelivered: bool = False  # the eNB returned a NAS message since a handover had begun
    abandon: Next | None = None  # what goes with the connection: a handover, its forwarding tunnels
    ending: bool = False  # everything but the S1 connection is given back

    @property
    def unanswered(self) -> bool:
        """Whether the eNB has not told its own id of the connection yet, as at the target of a handover."""
        return self.enb_ue_s1ap_id == UNKNOWN

    @property
    def proven(self) -> bool:
        """Whether `imsi` is one, and not the name of a phone in need without a subscription."""
        return not self.imsi.startswith(NAMELESS)

    @property
    def label(self) -> str:
        """IMSI, or a name of our own as long as it is not known."""
        return self.imsi or f"mme-ue-{self.number}"

    def move(self, event: str) -> Iterator[Changed]:
        """Move the EMM state machine."""
        old, self.emm = self.emm, EMM.after(self.emm, event)
        if old is not self.emm:
            yield Changed("EMM", self.label, old, self.emm)

    def connect(self, event: str) -> Iterator[Changed]:
        """Move the ECM state machine."""
        old, self.ecm = self.ecm, ECM.after(self.ecm, event)
        if old is not self.ecm:
            yield Changed("ECM", self.label, old, self.ecm)

    def move_bearer(self, bearer: Bearer, event: str) -> Changed:
        """Move the state machine of one bearer."""
        old, bearer.state = bearer.state, ESM.after(bearer.state, event)
        return Changed(f"ESM EBI {bearer.ebi}", self.label, old, bearer.state)

    def ask(self, hss: str, message: Message) -> Request:
        """A request on S6a. Only the answer to the last one counts, and none once its procedure is over."""
        self.awaited = message
        return Request("S6a", hss, message, context=self)

    def answered(self, request: Request | None) -> bool:
        """Whether `request` (of an answer, or unanswered) is the one that was waited for; it is no longer."""
        if request is None or self.awaited is not request.message:
            return False
        self.awaited = None
        return True

    def give_up(self) -> None:
        """Forget what was under way: what still comes in answer to it finds nobody waiting."""
        self.then = self.otherwise = self.challenge = self.next_security = self.awaited = self.request = None
        self.wishes.clear()
        self.request_octets = b""
        self.asked_imsi = False

    def take_request(self, msg: AttachRequest, octets: bytes) -> None:
        """This request is the one to serve; `octets` are its plain ones, for HASH_MME and to know it again."""
        self.request, self.request_octets = msg, octets
        self.capability, self.ms_capability = msg.ue_network_capability, msg.ms_network_capability
        self.nr_capability = msg.ue_additional_security_capability
        self.emergency = msg.eps_attach_type & 7 == EpsAttachType.EMERGENCY
        self.take_drx(msg.drx_parameter)

    def take_update(self, msg: TrackingAreaUpdateRequest, octets: bytes) -> None:
        """This update is the one to serve, with what is new of the phone's capabilities (TS 24.301, 5.5.3.2.4)."""
        self.request, self.request_octets = msg, octets
        if msg.ue_network_capability is not None:
            self.capability, self.ms_capability = msg.ue_network_capability, msg.ms_network_capability
            self.nr_capability = msg.ue_additional_security_capability
        if msg.ue_radio_capability_information_update_needed:
            self.radio_capability = None
        self.take_drx(msg.drx_parameter)

    def take_drx(self, parameter: bytes | None) -> None:
        """The phone's own paging cycle, if it names one for S1 mode (TS 24.008, 10.5.5.6)."""
        if parameter is not None:
            coefficient = parameter[1] >> 4
            self.drx = 1 << coefficient - 1 if 6 <= coefficient <= 9 else 0

    def disown(self) -> None:
        """Whoever this is, it has not proven to be the one whose keys were lent to it."""
        self.claimed = ""
        if not self.secured:
            self.security = None

    def bearers(self) -> list[Bearer]:
        """Every bearer of every PDN connection."""
        return [bearer for pdn in self.pdns.values() for bearer in pdn.bearers.values()]

    def bearer(self, ebi: int) -> Bearer | None:
        """The bearer with that identity."""
        return next((bearer for bearer in self.bearers() if bearer.ebi == ebi), None)

    def pdn_of(self, ebi: int) -> Pdn | None:
        """The PDN connection that has the bearer `ebi`."""
        return next((pdn for pdn in self.pdns.values() if ebi in pdn.bearers), None)

    def free_ebi(self) -> int | None:
        """An EPS bearer identity that no bearer has or is about to get, 5 to 15 (TS 24.007, 11.2.3.1.5)."""
        used = {bearer.ebi for bearer in self.bearers()}
        used |= {wish.pdn.ebi for wish in self.wishes.values() if wish.pdn is not None}
        return next((ebi for ebi in range(5, 16) if ebi not in used), None)

    def active_bearers(self) -> list[Bearer]:
        """Those that the phone has confirmed."""
        return [bearer for bearer in self.bearers() if bearer.state is EsmState.ACTIVE]

    def exchange_connections(self, other: "Ue") -> None:
        """Each gets the S1 connection, or the want of one, that the other had."""
        for name in CONNECTION:
            mine, theirs = getattr(self, name), getattr(other, name)
            setattr(self, name, theirs)
            setattr(other, name, mine)
        for ue in (self, other):
            if ue.enb is not None:
                ue.enb.ues[ue.number] = ue


CONNECTION = ("number", "ecm", "enb", "enb_ue_s1ap_id", "stream", "tai", "ecgi", "verified", "secured", "context_sent",
              "releasing", "radio_lost", "rekeyed")
"""What belongs to the S1 connection of a phone and not to its registration."""
