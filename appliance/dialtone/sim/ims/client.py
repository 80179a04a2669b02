# SPDX-License-Identifier: Apache-2.0
"""The IMS client of a simulated phone: what it is, what it remembers, and how its requests look (TS 24.229, 5.1).

One procedure, one file: registration, subscription, text, sms, call, hold. It is the element `ims-<imsi>`, told by its
phone (sim/volte.py) when the IMS connection and its bearers come and go.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any

from dialtone.codec import sip
from dialtone.codec.sip import CSeq, NameAddr, SipRequest, SipResponse, SipUri, Via
from dialtone.codec.sms import RPData, RPSmma
from dialtone.crypto.ipsec_keys import ENCRYPTION, INTEGRITY, SaSet
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Answer, Changed, Effect, Effects, Event, Request, Send, StartTimer, Verdict
from dialtone.element import Element
from dialtone.errors import ProtocolError
from dialtone.sim.faults import Faults
from dialtone.sim.ims.identity import Identity, Isim
from dialtone.sim.ims.states import REGISTRATION
from dialtone.sim.ims.timers import TIMERS
from dialtone.sim.texts import Texts
from dialtone.sim.usim import Usim
from dialtone.sip.dialog import Dialog
from dialtone.sip.flow import Flow, answer_to, bracketed
from dialtone.sip.timers import RADIO
from dialtone.sip.transactions import SipPolicy

if TYPE_CHECKING:
    from dialtone.sim.ims.call import Call

on = Handlers("ims")

MMTEL = "urn:urn-7:3gpp-service.ims.icsi.mmtel"
ICSI = '+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel"'
SMSIP = "+g.3gpp.smsip"
ALLOW = "INVITE, ACK, CANCEL, BYE, UPDATE, PRACK, MESSAGE, REFER, NOTIFY, INFO, OPTIONS"
INBOX = 100
EXTENSIONS = frozenset({"100rel", "timer", "precondition", "replaces", "sec-agree"})
PAIRS = tuple((alg, ealg) for ealg in ENCRYPTION for alg in INTEGRITY)
"""The six pairs of algorithms that a phone may offer."""


@dataclass(frozen=True, slots=True)
class ImsHandset:
    """How a handset does IMS. `transport` of what is short enough for either; `mechanisms` its offer of IPsec, none
    for a phone without; with `one_port` its protected client port is its server port. `preconditions`: it waits for its
    bearer before it rings or lets ring. `rings`: seconds until it answers by itself, None for never. `aligned`: it
    wants AMR octet-aligned. `ipv6`: of two addresses it uses the IPv6 one. `psi`: the SMS centre as its card names
    it."""

    imei: str = "35349006-987331-0"
    transport: str = "udp"
    mechanisms: tuple[tuple[str, str], ...] = PAIRS
    port: int = sip.PORT
    port_c: int = 6300
    port_s: int = 6301
    one_port: bool = False
    rport: bool = False
    expires: int = 600_000
    qop: tuple[str, ...] = ("auth-int", "auth")
    smsip: bool = True
    preconditions: bool = True
    rings: float | None = None
    aligned: bool = False
    ipv6: bool = False
    session_expires: int = 1800
    psi: str = "tel:+7"
    user_agent: str = "Dialtone simulated phone"


@dataclass(slots=True)
class GmUp(Effect):
    """Open the phone's SIP port on its address of the IMS connection; what stands after it waits until that is done."""

    client: str
    imsi: str
    address: str
    port: int
    failed: Event | None = None


@dataclass(slots=True)
class FindAddress(Effect):
    """Tell the client AddressIs when its interface has the IPv6 address with this identifier (RFC 4862, 5.5)."""

    client: str
    imsi: str
    ebi: int
    identifier: bytes
    failed: Event | None = None


@dataclass(slots=True)
class AddressIs(Event):
    """The router has advertised a prefix, and the interface has this IPv6 address."""

    address: str


@dataclass(slots=True)
class GmDown(Effect):
    """Close all of the phone's SIP ports."""

    client: str
    imsi: str
    address: str


@dataclass(slots=True)
class Secure:
    """A security agreement in use: the SAs, both ends' ports, and the Security-Server to be repeated."""

    sas: SaSet
    server: str


@dataclass(slots=True)
class Text:
    """A text that came. `sender` as the network asserts it."""

    at: float
    sender: str
    text: str


@dataclass(slots=True)
class Registration:
    """What the network granted."""

    call_id: str
    cseq: int
    expires: float = 0.0
    identities: tuple[str, ...] = ()
    service_route: tuple[str, ...] = ()


@dataclass(slots=True)
class Subscription:
    """The subscription to the own registration state (RFC 3680): first its SUBSCRIBE, with the 200 or the first NOTIFY
    a dialog."""

    request: SipRequest
    dialog: Dialog | None = None
    version: int = -1
    notified: bool = False


class ImsClient(Element):
    """One phone's IMS client; with `emergency` that for calls to 112, over a connection of their own (emergency.py).
    `last` is the outcome of the last procedure, a sentence for people."""

    on = on

    def __init__(self, usim: Usim, *, random: Callable[[int], bytes], handset: ImsHandset | None = None,
                 isim: Isim | None = None, apn: str = "ims", texts: Texts | None = None,
                 emergency: bool = False) -> None:
        self.name = f"{'sos' if emergency else 'ims'}-{usim.imsi}"
        self.emergency = emergency
        self.anonymous = False  # the network does not know whose phone this is
        self.help: ImsClient | None = None  # that for emergencies
        self.wanted = ""  # whom to call for help
        self.usim = usim
        self.isim = isim
        self.random = random
        self.handset = handset or ImsHandset()
        self.identity = Identity.of(usim, isim)
        self.faults = Faults()
        self.apn = apn
        self.state = REGISTRATION.initial
        self.ebi: int | None = None
        self.address = ""
        self.p_cscf = ""
        self.p_cscfs: tuple[IPv4Address | IPv6Address, ...] = ()
        self.access = ""  # for P-Access-Network-Info
        self.bearers: dict[int, int] = {}  # dedicated bearers of the IMS connection: EBI and QCI
        self.attempt: Any = None  # the REGISTER that is under way (registration.Attempt)
        self.secure: Secure | None = None
        self.old: list[Secure] = []
        self.registration: Registration | None = None
        self.subscription: Subscription | None = None
        self.calls: dict[str, Call] = {}  # by Call-ID
        self.texts = texts or Texts()  # short messages, over whatever the phone has
        self.submitted: dict[int, Any] = {}  # those under way over IP, by RP reference (sms.Submitted)
        self.waiting: deque[tuple[str, RPData | RPSmma]] = deque()  # with whom it is for
        self.heard: Any = None  # the media of the last call that ended (stream.Stream)
        self.inbox: deque[Text] = deque(maxlen=INBOX)
        self.failures = 0
        self.credential_failures = 0
        self.retry_seconds = TIMERS["retry"].seconds
        self.last = "not connected"
        self.counters: Counter[str] = Counter()
        self._rx: Rx | None = None

    # ---- what every procedure uses ---------------------------------------------------------------------

    @property
    def imsi(self) -> str:
        """The IMSI of the card, which also names the phone."""
        return self.usim.imsi

    @property
    def phone(self) -> str:
        """The element that is its LTE side."""
        return f"ue-{self.imsi}"

    @property
    def registered(self) -> bool:
        """Whether it can send and receive."""
        return self.registration is not None

    @property
    def impu(self) -> str:
        """What it calls itself: the first identity that the network gave it, as handsets do."""
        if self.emergency and self.registration is None:
            return "sip:anonymous@anonymous.invalid"  # TS 24.229, 5.1.6.8.2
        known = self.registration.identities if self.registration else ()
        return known[0] if known else self.identity.impu

    def policy(self) -> SipPolicy:
        """How it does SIP on Gm (TS 24.229, table 7.8)."""
        return SipPolicy(via=self.via, pace=RADIO, endpoint=True, reply=self.reply, reliable=False)

    def via(self, peer: str) -> Via:
        """Its Via: under IPsec with the protected server port, where answers over UDP come (TS 24.229, 5.1.1.2.2)."""
        flow = Flow.parse(peer)
        port = next((one.sas.phone.port_s for one in self.agreements()
                     if flow.local_port in (one.sas.phone.port_c, one.sas.phone.port_s)), flow.local_port)
        return Via(flow.transport.upper(), bracketed(self.address), port, {"rport": None} if self.handset.rport else {})

    def reply(self, peer: str, via: Via) -> str:
        """Where an answer goes: to the Via's port, and under IPsec from the port that has an SA with that."""
        flow = Flow.parse(answer_to(peer, via))
        for one in self.agreements():
            phone, network = one.sas.phone, one.sas.network
            if flow.transport == "udp" and flow.local_port == phone.port_s and flow.port == network.port_s:
                return str(Flow("udp", flow.host, flow.port, phone.port_c))
        return str(flow)

    def agreements(self) -> list[Secure]:
        """Every security agreement that stands: one that is about to be used, that in use, and older ones."""
        pending = self.attempt.secure if self.attempt is not None else None
        return [one for one in (pending, self.secure, *self.old) if one is not None]

    def peer(self, secure: Secure | None = None) -> str:
        """The P-CSCF: on its protected port where there is an agreement."""
        secure = secure or self.secure
        if secure is None:
            return str(Flow(self.handset.transport, self.p_cscf, sip.PORT, self.handset.port))
        return str(Flow(self.handset.transport, self.p_cscf, secure.sas.network.port_s, secure.sas.phone.port_c))

    def contact(self, secure: Secure | None = None, *, bare: bool = False) -> str:
        """Its Contact: no user part, and under IPsec the protected server port."""
        secure = secure or self.secure
        port = secure.sas.phone.port_s if secure else self.handset.port
        uri = f"<sip:{bracketed(self.address)}:{port}{';sos' if self.emergency else ''}>"
        if bare:
            return uri
        smsip = f";{SMSIP}" if self.handset.smsip and not self.faults.no_smsip else ""
        return f'{uri};+sip.instance="<urn:gsma:imei:{self.handset.imei}>";{ICSI}{smsip}'

    def token(self, octets: int = 8) -> str:
        """Something that nobody else says: tags, Call-IDs, cnonces."""
        return self.random(octets).hex()

    def call_id(self) -> str:
        """A Call-ID."""
        return f"{self.token(12)}@{bracketed(self.address)}"

    def request(self, method: str, uri: str, *, to: str = "", call_id: str = "", cseq: int = 1, tag: str = "",
                routes: tuple[str, ...] | None = None) -> SipRequest:
        """A request with what every one has; Route is the Service-Route unless a dialog has its own (5.1.2A.1)."""
        message = sip.request(method, uri)
        message.append("Max-Forwards", "70")
        for route in self.route_set() if routes is None else routes:
            message.append("Route", route)
        message.append("From", f"<{self.impu}>;tag={tag or self.token()}")
        message.append("To", to or f"<{uri}>")
        message.append("Call-ID", call_id or self.call_id())
        message.append("CSeq", str(CSeq(cseq, method)))
        message.append("User-Agent", self.handset.user_agent)
        if method not in ("REGISTER", "ACK", "CANCEL"):
            self.secured(message)
        return message

    def secured(self, message: SipRequest, secure: Secure | None = None) -> None:
        """What only a protected request says: the agreement, and the cell (5.1.2A.1.1)."""
        if self.access and (secure or self.secure or not self.handset.mechanisms):
            message.append("P-Access-Network-Info", self.access)
        if (secure := secure or self.secure) is not None:
            for name in ("Require", "Proxy-Require"):
                message.append(name, "sec-agree")
            verify = secure.server
            message.append("Security-Verify", verify + "1" if self.faults.wrong_security_verify else verify)

    def route_set(self) -> tuple[str, ...]:
        """The P-CSCF, and the Service-Route behind it (5.1.2A.1.2); for an emergency nothing behind it (5.1.6.8)."""
        if self.registration is None and not self.emergency:
            return ()
        port = self.secure.sas.network.port_s if self.secure else sip.PORT
        further = self.registration.service_route if self.registration and not self.emergency else ()
        return (f"<sip:{bracketed(self.p_cscf)}:{port};lr>", *further)

    def inside(self, dialog: Dialog, method: str) -> SipRequest:
        """A request inside a dialog, with what every one has."""
        message = dialog.request(method)
        message.append("User-Agent", self.handset.user_agent)
        self.secured(message)
        return message

    def ask(self, message: SipRequest, context: Any) -> Request:
        """Send a request; its answers come with `context`."""
        return Request("Gm", self.peer(), message, context)

    def answer(self, request: SipRequest, status: int, rx: Rx, reason: str = "") -> Answer:
        """A plain answer."""
        return Answer(self.response(request, status, reason), to=rx)

    def response(self, request: SipRequest, status: int, reason: str = "") -> SipResponse:
        """An answer to fill in."""
        answer = sip.response(request, status, reason)
        answer.append("User-Agent", self.handset.user_agent)
        return answer

    def target(self, number: str) -> str:
        """The Request-URI of what a person dials: a URI as it is, digits as a handset writes them (5.1.2A.1.3)."""
        if ":" in number:
            return number
        if self.faults.garbled_number:
            number = number[:-1]
        if number.startswith("+"):
            return f"tel:{number}"
        return f"sip:{number};phone-context={self.identity.domain}@{self.identity.domain};user=phone"

    def bad_extension(self, request: SipRequest) -> SipResponse | None:
        """The refusal of a request that requires what this phone does not know (RFC 3261, 8.2.2.3); None for others."""
        unknown = request.options("Require") - EXTENSIONS
        if not unknown:
            return None
        refusal = self.response(request, 420)
        refusal.append("Unsupported", ", ".join(sorted(unknown)))
        return refusal

    def mark(self, rx: Rx) -> None:
        """Put the phone's name and state on a line of the trace."""
        self._rx = rx
        rx.subject, rx.state = self.imsi, self.state

    def move(self, event: str) -> Iterator[Effect]:
        """Follow the registration's table; raises ProtocolError where it has no row."""
        old, self.state = self.state, REGISTRATION.after(self.state, event)
        if self._rx is not None:
            self._rx.state = self.state
        if old != self.state:
            yield Changed("IMS", self.imsi, old, self.state)

    def start(self, timer: str, seconds: float | None = None) -> StartTimer:
        """Start a timer of the table."""
        return StartTimer(timer, self.imsi, TIMERS[timer].seconds if seconds is None else seconds)

    def outcome(self, procedure: str, ok: bool, text: str) -> Verdict:
        """The end of a procedure, kept for people."""
        self.last = text
        return Verdict(procedure, ok, text)

    # ---- the loop's hooks --------------------------------------------------------------------------------

    def gate(self, rx: Rx) -> None:
        """Every message is marked as this phone's."""
        self.mark(rx)

    def refuse(self, error: ProtocolError, rx: Rx) -> Effects:
        """A request that cannot be taken is answered (RFC 3261, 8.2)."""
        self.mark(rx)
        self.counters["refused"] += 1
        message = rx.message or getattr(error, "message", None)
        if isinstance(message, SipRequest) and message.method != "ACK" and self.address:
            if rx.message is not None:
                yield self.answer(message, error.cause or 400, rx)
            else:
                yield Send(rx.point, self.reply(rx.peer, message.via), self.response(message, error.cause or 400))


def clients(usim: Usim, random: Callable[[int], bytes], handset: ImsHandset | None, isim: Isim | None, apn: str,
            texts: Texts) -> tuple[ImsClient, ImsClient]:
    """The IMS clients of one phone: the ordinary one, and that for emergencies."""
    ordinary = ImsClient(usim, random=random, handset=handset, isim=isim, apn=apn, texts=texts)
    ordinary.help = ImsClient(usim, random=random, handset=handset, isim=isim, emergency=True)
    return ordinary, ordinary.help


@dataclass(slots=True)
class Asserted:
    """Who a request comes from, as the network says (RFC 3325), else as it says itself."""

    uri: str = ""
    number: str = field(init=False, default="")

    @classmethod
    def of(cls, message: SipRequest) -> "Asserted":
        """Of a request. Raises SipError."""
        asserted = message.all("P-Asserted-Identity")
        found = cls(NameAddr.parse(asserted[0]).uri if asserted else message.from_.uri)
        found.number = found.uri.partition(":")[2].partition("@")[0].partition(";")[0]
        if found.uri.startswith("sip:"):
            found.number = SipUri.parse(found.uri).user.partition(";")[0] or found.number
        return found


def family(addresses: tuple[IPv4Address | IPv6Address, ...], version: int) -> str:
    """The first P-CSCF of that IP version; empty without one."""
    return next((str(one) for one in addresses if one.version == version), "")
