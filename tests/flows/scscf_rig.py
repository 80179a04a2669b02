# SPDX-License-Identifier: Apache-2.0
"""The S-CSCF between scripted neighbours: a P-CSCF whose phones do what the test says, an HSS on paper, an application
server. One loop, memory links, virtual time."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import dialtone.scscf  # noqa: F401 registers its handlers
from dialtone.codec import diameter, ims_subscription, sip
from dialtone.codec.diameter import (
    CxResult,
    ExperimentalResult,
    LocationInfoAnswer,
    MultimediaAuthAnswer,
    ServerAssignmentAnswer,
    SipAuthDataItem,
    UserAuthorizationAnswer,
)
from dialtone.codec.ims_subscription import (
    ImsSubscription,
    InitialFilterCriteria,
    PublicIdentity,
    ServiceProfile,
)
from dialtone.codec.sip import AuthParams, NameAddr, SipRequest, SipResponse
from dialtone.config import Config
from dialtone.crypto import sip_digest
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Answer, Effect, Effects, Event, Request, Save, Unanswered
from dialtone.element import Element
from dialtone.links.memory import Memory
from dialtone.loop import Loop
from dialtone.requests import DIAMETER
from dialtone.scscf.element import Scscf
from dialtone.sip.transactions import SipPolicy, own_via
from dialtone.trace.bus import Bus

DOMAIN = "ims.mnc001.mcc001.3gppnetwork.org"
XRES, CK, IK = bytes(range(8)), bytes(range(16)), bytes(range(16, 32))
START = 1_790_000_000.0


def impi(number: int) -> str:
    return f"00101000000000{number}@{DOMAIN}"


def tel(number: int) -> str:
    return f"tel:+1555000{number}"


def subscription(number: int, criteria: tuple[InitialFilterCriteria, ...] = ()) -> ImsSubscription:
    """The implicit registration set of a phone without ISIM; the temporary identity is barred."""
    return ImsSubscription(impi(number), (ServiceProfile((
        PublicIdentity(f"sip:+1555000{number}@{DOMAIN}"), PublicIdentity(tel(number)),
        PublicIdentity(f"sip:{impi(number)}", barred=True)), criteria),))


@dataclass(slots=True)
class Do(Event):
    """Effects for a scripted element."""

    effects: tuple[Effect, ...]
    subject: str = ""


pcscf_on, server_on = Handlers("scripted pcscf"), Handlers("scripted server")


class Scripted(Element):
    """Notes what comes, and answers requests as `script` says: a status, a function, or None for silence."""

    def __init__(self, name: str, on: Handlers) -> None:
        self.name, self.on = name, on
        self.got: list[Any] = []
        self.rx: list[Rx] = []
        self.script: Callable[[SipRequest], int | SipResponse | None] = lambda request: 200
        self.silent: list[Request] = []

    def requests(self, method: str) -> list[SipRequest]:
        return [each for each in self.got if isinstance(each, SipRequest) and each.method == method]

    def answers(self, method: str) -> list[SipResponse]:
        return [each for each in self.got if isinstance(each, SipResponse) and method == each.METHOD]


def _scripted(on: Handlers, point: str) -> None:
    @on(point, SipRequest)
    def on_sip_request(element: Scripted, msg: SipRequest, rx: Rx) -> Effects:
        element.got.append(msg)
        element.rx.append(rx)
        said = element.script(msg) if msg.method not in ("ACK", "CANCEL") else None
        if isinstance(said, int):
            said = sip.response(msg, said)
        if said is not None:
            yield Answer(said)

    @on(point, SipResponse)
    def on_sip_response(element: Scripted, msg: SipResponse, rx: Rx) -> Effects:
        element.got.append(msg)
        return ()

    @on.unanswered(SipRequest)
    def on_no_sip_response(element: Scripted, event: Unanswered, rx: Rx) -> Effects:
        element.silent.append(event.request)
        return ()

    @on.event(Do)
    def on_do(element: Scripted, event: Do, rx: Rx) -> Effects:
        rx.subject = event.subject
        return event.effects


_scripted(pcscf_on, "Mw")
_scripted(server_on, "ISC")

hss_on = Handlers("paper hss")


class PaperHss(Element):
    """Answers Cx from a table; `say` overrides a command's result, None there is silence."""

    name = "hss"
    on = hss_on

    def __init__(self) -> None:
        self.subscriptions: dict[str, ImsSubscription] = {}
        self.registered: set[str] = set()
        self.unregistered_service = False
        self.say: dict[str, int | None] = {}
        self.asked: list[Any] = []
        self.answers: list[Any] = []
        self.vectors = 0
        self.scscf = f"sip:scscf.{DOMAIN}"

    def whose(self, impu: str) -> str | None:
        return next((impi for impi, each in self.subscriptions.items()
                     if impu in [identity.identity for identity in each.identities]), None)

    def answer(self, kind: Any, msg: Any, code: int, **fields: Any) -> Effects:
        self.asked.append(msg)
        code = self.say.get(type(msg).__name__, code) or 0
        if not code:
            return
        result: dict[str, Any] = {"result_code": code} if code == 2001 and "first" not in fields else {
            "experimental_result": ExperimentalResult(vendor_id=10415, experimental_result_code=code)}
        fields.pop("first", None)
        if code >= 3000:
            fields = {}
        yield Answer(kind(session_id=msg.session_id, origin_host="hss", origin_realm=DOMAIN, **result, **fields))


@hss_on("Cx", diameter.UserAuthorizationRequest)
def on_user_authorization_request(hss: PaperHss, msg: diameter.UserAuthorizationRequest, rx: Rx) -> Effects:
    known = msg.user_name in hss.subscriptions
    code = (CxResult.DIAMETER_SUBSEQUENT_REGISTRATION if msg.user_name in hss.registered
            else CxResult.DIAMETER_FIRST_REGISTRATION) if known else CxResult.DIAMETER_ERROR_USER_UNKNOWN
    if known and hss.whose(msg.public_identity) != msg.user_name:
        code = CxResult.DIAMETER_ERROR_IDENTITIES_DONT_MATCH
    return hss.answer(UserAuthorizationAnswer, msg, code, first=True)


@hss_on("Cx", diameter.MultimediaAuthRequest)
def on_multimedia_auth_request(hss: PaperHss, msg: diameter.MultimediaAuthRequest, rx: Rx) -> Effects:
    hss.vectors += 1
    rand = hss.vectors.to_bytes(16, "big")
    return hss.answer(MultimediaAuthAnswer, msg, 2001, user_name=msg.user_name, sip_auth_data_item=(SipAuthDataItem(
        sip_item_number=1, sip_authentication_scheme="Digest-AKAv1-MD5", sip_authenticate=rand + bytes(16),
        sip_authorization=XRES, confidentiality_key=CK, integrity_key=IK),))


@hss_on("Cx", diameter.ServerAssignmentRequest)
def on_server_assignment_request(hss: PaperHss, msg: diameter.ServerAssignmentRequest, rx: Rx) -> Effects:
    impi = msg.user_name or hss.whose(msg.public_identity[0]) or ""
    if msg.server_assignment_type in (1, 2):
        hss.registered.add(impi)
    elif msg.server_assignment_type in (4, 5, 8):
        hss.registered.discard(impi)
    wanted = msg.server_assignment_type in (1, 2, 3)
    return hss.answer(ServerAssignmentAnswer, msg, 2001, user_data=ims_subscription.encode(hss.subscriptions[impi])
                      if wanted else None)


@hss_on("Cx", diameter.LocationInfoRequest)
def on_location_info_request(hss: PaperHss, msg: diameter.LocationInfoRequest, rx: Rx) -> Effects:
    impi = hss.whose(msg.public_identity)
    if impi is None:
        return hss.answer(LocationInfoAnswer, msg, CxResult.DIAMETER_ERROR_USER_UNKNOWN)
    if impi in hss.registered:
        return hss.answer(LocationInfoAnswer, msg, 2001, server_name=hss.scscf)
    return hss.answer(LocationInfoAnswer, msg, CxResult.DIAMETER_UNREGISTERED_SERVICE if hss.unregistered_service
                      else CxResult.DIAMETER_ERROR_IDENTITY_NOT_REGISTERED)


@hss_on("Cx", diameter.RegistrationTerminationAnswer)
def on_registration_termination_answer(hss: PaperHss, msg: Any, rx: Rx) -> Effects:
    hss.answers.append(msg)
    return ()


@hss_on("Cx", diameter.PushProfileAnswer)
def on_push_profile_answer(hss: PaperHss, msg: Any, rx: Rx) -> Effects:
    hss.answers.append(msg)
    return ()


@hss_on.event(Do)
def on_do(hss: PaperHss, event: Do, rx: Rx) -> Effects:
    return event.effects


@dataclass(slots=True)
class Phone:
    """One phone behind the scripted P-CSCF."""

    number: int
    contact: str = ""
    params: str = '+sip.instance="<urn:gsma:imei:35-0000-{0}>";+g.3gpp.smsip'
    cseq: int = 0
    call_id: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def impu(self) -> str:
        return f"sip:{impi(self.number)}"


class Rig:
    """All of it, and a clock that moves when nothing else is to be done."""

    def __init__(self, config: Config | None = None, phones: int = 2,
                 criteria: tuple[InitialFilterCriteria, ...] = ()) -> None:
        self.now = START
        self.config = config or Config()
        self.loop = Loop(lambda: self.now, Bus(10_000))
        self.scscf = Scscf(self.config, random.Random(1).randbytes)
        self.pcscf = Scripted("pcscf", pcscf_on)
        self.server = Scripted("sms", server_on)
        self.hss = PaperHss()
        mw, isc, cx = Memory(self.loop, "Mw"), Memory(self.loop, "ISC"), Memory(self.loop, "Cx")
        for element in (self.scscf, self.pcscf, self.server, self.hss):
            self.loop.add(element)
        via = {name: SipPolicy(own_via(f"{name}.{DOMAIN}")) for name in ("scscf", "pcscf", "sms")}
        self.loop.bind("scscf", "Mw", sip, mw, inside=True, policy=via["scscf"])
        self.loop.bind("scscf", "ISC", sip, isc, inside=True, policy=via["scscf"])
        self.loop.bind("pcscf", "Mw", sip, mw, inside=True, policy=via["pcscf"])
        self.loop.bind("sms", "ISC", sip, isc, inside=True, policy=via["sms"])
        for name in ("scscf", "hss"):
            self.loop.bind(name, "Cx", diameter, cx, inside=True, policy=replace(DIAMETER, seconds=3.0))
        self.saved: list[Any] = []
        self.loop.performers[Save] = self._save
        self.phones = [Phone(number) for number in range(1, phones + 1)]
        for phone in self.phones:
            phone.contact = f"sip:10.46.0.{phone.number}:5060"
            phone.call_id = f"reg-{phone.number}"
            self.hss.subscriptions[impi(phone.number)] = subscription(phone.number, criteria)

    def _save(self, effect: Save, done: Callable[[Exception | None], None]) -> None:
        self.saved += effect.writes
        done(None)

    def run(self, seconds: float = 0.0) -> None:
        end = self.now + seconds
        self.loop.run()
        while (due := self.loop.due()) is not None and due <= end:
            self.now = max(self.now, due)
            self.loop.expire()
            self.loop.run()
        self.now = end

    def verdicts(self) -> list[str]:
        return [f"{event.name}: {event.info}" for event in self.loop.bus.ring if event.point == "verdict"]

    # ---- the phones' side ------------------------------------------------------------------------

    def request(self, message: SipRequest, seconds: float = 0.1) -> SipResponse:
        """Send a request over Mw; its last answer."""
        before = len(self.pcscf.answers(message.METHOD))
        self.loop.tell("pcscf", Do((Request("Mw", "scscf", message),), _subject(message)))
        self.run(seconds)
        answers = self.pcscf.answers(message.METHOD)[before:]
        assert answers, f"no answer to {message.method}"
        return answers[-1]

    def send(self, message: SipRequest) -> None:
        self.loop.tell("pcscf", Do((Request("Mw", "scscf", message),), _subject(message)))
        self.run(0.1)

    def register_request(self, phone: Phone, *, expires: int = 600_000, authorization: str = "",
                         contact: str | None = None, protected: str = "no") -> SipRequest:
        phone.cseq += 1
        message = sip.request("REGISTER", f"sip:{DOMAIN}")
        default = f"<{phone.contact}>;{phone.params.format(phone.number)}"
        for name, value in (
                ("Max-Forwards", "70"), ("From", f"<{phone.impu}>;tag=p{phone.number}"), ("To", f"<{phone.impu}>"),
                ("Call-ID", phone.call_id), ("CSeq", f"{phone.cseq} REGISTER"),
                ("Contact", default if contact is None else contact), ("Expires", str(expires)),
                ("Supported", "path"), ("Require", "path"), ("Path", f"<sip:term@pcscf.{DOMAIN};lr>"),
                ("P-Visited-Network-ID", f'"{DOMAIN}"'), ("P-Charging-Vector", "icid-value=1"),
                ("Authorization", authorization or str(AuthParams("Digest", {
                    "username": impi(phone.number), "realm": DOMAIN, "nonce": "", "uri": f"sip:{DOMAIN}",
                    "response": "", "integrity-protected": protected}))), *phone.headers):
            if value:
                message.append(name, value)
        return message

    def credentials(self, phone: Phone, question: SipResponse, *, xres: bytes = XRES, qop: str = "auth",
                    **changed: str) -> str:
        """What the phone answers to a 401."""
        asked = AuthParams.parse(question.first("WWW-Authenticate") or "")
        algorithm = asked.get("algorithm")
        params = {"username": impi(phone.number), "realm": DOMAIN, "nonce": asked.get("nonce"),
                  "uri": f"sip:{DOMAIN}", "algorithm": algorithm, "qop": qop, "nc": "00000001", "cnonce": "abc",
                  "integrity-protected": "yes"}
        params["response"] = sip_digest.response_of(
            sip_digest.password_of(algorithm, xres, IK, CK), username=params["username"], realm=DOMAIN,
            method="REGISTER", uri=params["uri"], nonce=params["nonce"], qop=qop, cnonce="abc", nc="00000001")
        return str(AuthParams("Digest", params | changed))

    def register(self, number: int = 1, **fields: Any) -> SipResponse:
        """Two round trips; the last answer."""
        phone = self.phones[number - 1]
        question = self.request(self.register_request(phone, **fields))
        assert question.status == 401, question.reason
        return self.request(self.register_request(phone, authorization=self.credentials(phone, question), **fields))

    def outgoing(self, method: str, to: str, number: int = 1, *lines: tuple[str, str], call_id: str = "call-1",
                 cseq: int = 1) -> SipRequest:
        """A request of a registered phone, as its P-CSCF passes it on."""
        message = sip.request(method, to)
        for name, value in (
                ("Max-Forwards", "70"), ("Route", f"<sip:orig@scscf.{DOMAIN};lr>"),
                ("From", f"<sip:+1555000{number}@{DOMAIN}>;tag=o{number}"), ("To", f"<{to}>"), ("Call-ID", call_id),
                ("CSeq", f"{cseq} {method}"),
                ("P-Asserted-Identity", f"<sip:+1555000{number}@{DOMAIN}>"),
                ("Contact", f"<{self.phones[number - 1].contact}>"), *lines):
            message.append(name, value)
        if method == "INVITE":
            message.prepend("Record-Route", f"<sip:mo@pcscf.{DOMAIN};lr>")
        return message

    def to_hss(self, message: Any) -> Any:
        self.loop.tell("hss", Do((Request("Cx", "scscf", message),)))
        self.run(0.1)
        return self.hss.answers[-1]

    def clean(self) -> None:
        """Nothing is kept, no timer runs, no defect."""
        self.run(300.0)
        scscf = self.scscf
        held = {name: getattr(scscf, name) for name in ("users", "served", "waiting", "away", "calls")}
        assert held == {name: {} for name in held}
        assert scscf.proxy.contexts == {}
        assert self.loop.timers() == []
        assert self.loop.counters.get("internal error", 0) == 0


def _subject(message: SipRequest) -> str:
    """The IMSI of the phone that a request is from, as a P-CSCF knows it."""
    tag = message.from_.tag
    return impi(int(tag[1])).partition("@")[0] if tag[:1] in ("p", "o") else ""


def contacts(answer: SipResponse) -> list[NameAddr]:
    return [NameAddr.parse(value) for value in answer.all("Contact")]

