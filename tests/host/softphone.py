# SPDX-License-Identifier: Apache-2.0
"""A SIP phone without IPsec on a socket of its own: AKAv1-MD5, texts, the event of its registration."""

import itertools
from dataclasses import dataclass

from dialtone.codec import sip
from dialtone.codec.sip import AuthParams, NameAddr, SipRequest, SipResponse
from dialtone.crypto import sip_digest
from dialtone.crypto.milenage import Milenage
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Answer, Effect, Effects, Event, Request, StartTimer, Unanswered
from dialtone.element import Element
from dialtone.links.sip import SipLink
from dialtone.loop import Loop
from dialtone.sip.transactions import SipPolicy, own_via

on = Handlers("softphone")
THINKS = 0.1
"""Seconds that its card computes. Kamailio sends a challenge before it has noted it, and knows no faster answer."""


@dataclass(slots=True)
class Do(Event):
    """What the test wants of it."""

    effects: tuple[Effect, ...]


class Softphone(Element):
    """`got` are requests that came, `answers` the final answers to its own. `hop` is the flow to its proxy."""

    on = on

    def __init__(self, loop: Loop, host: str, hop: str, impi: str, card: Milenage) -> None:
        self.name, self.host, self.impi, self.card = f"softphone-{host}", host, impi, card
        self.loop = loop
        self.hop = hop
        self.domain = impi.partition("@")[2]
        self.identity = f"sip:{impi}"
        self.routes: list[str] = []
        self.got: list[SipRequest] = []
        self.answers: list[SipResponse] = []
        self.challenge: SipResponse | None = None
        self.offer = ""  # Security-Client; it then answers no challenge, since it has no IPsec
        self.cseq = itertools.count(1)
        self.link = SipLink(loop, self.name, "Gm")
        self.link.listen(host, sip.PORT)
        loop.add(self)
        loop.bind(self.name, "Gm", sip, self.link, policy=SipPolicy(own_via(host), endpoint=True),
                  numbers=itertools.count(int(host.rpartition(".")[2]) << 32))

    @property
    def contact(self) -> str:
        transport = ";transport=tcp" if self.hop.startswith("tcp") else ""
        return f"<sip:{self.host}:{sip.PORT}{transport}>"

    def request(self, method: str, uri: str, *lines: tuple[str, str], to: str = "", call_id: str = "") -> SipRequest:
        number = next(self.cseq)
        message = sip.request(method, uri)
        for name, value in (
                ("Max-Forwards", "70"), *(("Route", route) for route in self.routes if method != "REGISTER"),
                ("From", f"<{self.identity}>;tag=t{number if method != 'REGISTER' else 0}"), ("To", f"<{to or uri}>"),
                ("Call-ID", call_id or f"c{number}@{self.host}"), ("CSeq", f"{number} {method}"), *lines):
            message.append(name, value)
        return message

    def send(self, message: SipRequest) -> None:
        self.loop.tell(self.name, Do((Request("Gm", self.hop, message),)))

    def register(self, expires: int = 3600, challenge: SipResponse | None = None) -> None:
        """The first REGISTER, or the one that answers a 401."""
        uri = f"sip:{self.domain}"
        params = {"username": self.impi, "realm": self.domain, "nonce": "", "uri": uri, "response": "",
                  "algorithm": "AKAv1-MD5"}
        if challenge is not None:
            nonce = AuthParams.parse(challenge.first("WWW-Authenticate") or "").get("nonce")
            res = self.card.f2345(sip_digest.split_nonce(nonce)[0])[0]
            params |= {"nonce": nonce, "qop": "auth", "cnonce": "abc", "nc": "00000001"}
            params["response"] = sip_digest.response_of(
                res, method="REGISTER", **{name: params[name] for name in (
                    "username", "realm", "uri", "nonce", "qop", "cnonce", "nc")})
        agreed = [("Security-Client", self.offer), ("Require", "sec-agree"), ("Proxy-Require", "sec-agree")]
        self.send(self.request("REGISTER", uri, ("Contact", f"{self.contact};expires={expires};+g.3gpp.smsip"),
                               ("Supported", "path"), ("Authorization", str(AuthParams("Digest", params))),
                               *(agreed if self.offer else ()), to=f"sip:{self.impi}", call_id=f"reg@{self.host}"))

    def subscribe(self) -> None:
        """To its own registration."""
        self.send(self.request("SUBSCRIBE", self.identity, ("Contact", self.contact), ("Event", "reg"),
                               ("Accept", "application/reginfo+xml"), ("Expires", "3600")))

    def text(self, to: str, body: str) -> None:
        message = self.request("MESSAGE", to)
        message.content("text/plain", body.encode())
        self.send(message)

    def answered(self, method: str) -> list[SipResponse]:
        return [answer for answer in self.answers if answer.cseq.method == method]

    def came(self, method: str) -> list[SipRequest]:
        return [request for request in self.got if request.method == method]


@on("Gm", SipRequest)
def on_sip_request(phone: Softphone, msg: SipRequest, rx: Rx) -> Effects:
    phone.got.append(msg)
    if msg.method != "ACK":
        yield Answer(sip.response(msg, 200))


@on("Gm", SipResponse)
def on_sip_response(phone: Softphone, msg: SipResponse, rx: Rx) -> Effects:
    if not msg.final:
        return ()
    phone.answers.append(msg)
    if msg.cseq.method == "REGISTER" and msg.status == 401 and len(phone.answered("REGISTER")) % 2 and not phone.offer:
        phone.challenge = msg
        return (StartTimer("card", phone.host, THINKS),)
    if msg.cseq.method == "REGISTER" and msg.status == 200:
        phone.routes = msg.all("Service-Route")
        uris = [NameAddr.parse(value).uri for value in msg.all("P-Associated-URI")]
        phone.identity = next((uri for uri in uris if uri.startswith("sip:")), phone.identity)
    return ()


@on.timer("card", "RFC 3310, 3.3")
def on_card(phone: Softphone, key: object, rx: Rx) -> Effects:
    phone.register(challenge=phone.challenge)
    return ()


@on.unanswered(SipRequest)
def on_no_answer(phone: Softphone, event: Unanswered, rx: Rx) -> Effects:
    phone.answers.append(sip.response(event.request.message, 408))  # type: ignore[arg-type]
    return ()


@on.event(Do)
def on_do(phone: Softphone, event: Do, rx: Rx) -> Effects:
    return event.effects
