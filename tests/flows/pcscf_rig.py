# SPDX-License-Identifier: Apache-2.0
"""The P-CSCF alone, between a phone and an S-CSCF that are written out octet by octet."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from dialtone.codec import sip
from dialtone.codec.sip import SipError, SipMessage, SipRequest, SipResponse
from dialtone.config import Config
from dialtone.config_ims import ImsConfig
from dialtone.crypto.ipsec_keys import SaSet
from dialtone.effects import Event, InstallSas, KeepSas, RemoveSas
from dialtone.errors import LocalError
from dialtone.loop import Loop
from dialtone.pcscf.element import Pcscf
from dialtone.sip.security_agreement import Mechanism
from dialtone.sip.timers import RADIO
from dialtone.sip.transactions import SipPolicy
from dialtone.trace.bus import Bus

DOMAIN = "ims.mnc001.mcc001.3gppnetwork.org"
IMPI = f"001010000000001@{DOMAIN}"
NUMBER = f"sip:+15550100@{DOMAIN}"
ROUTE = f"<sip:orig@scscf.{DOMAIN};lr>"
CK, IK = "00112233445566778899aabbccddeeff", "e1763cf28cc2e584588800193137ec92"
OFFER = "ipsec-3gpp;alg=hmac-md5-96;ealg=null;spi-c={};spi-s={};port-c={};port-s={}"


@dataclass
class Phone:
    """What a phone says of itself; `server` is the Security-Server that it was told."""

    host: str = "10.46.0.2"
    port_c: int = 6200
    port_s: int = 6300
    spi: int = 1001
    impi: str = IMPI
    number: str = NUMBER
    server: str = ""
    transport: str = "udp"
    cseq: int = 0
    call_id: str = "a84b4c76e66710"

    @property
    def offer(self) -> str:
        return OFFER.format(self.spi, self.spi + 1, self.port_c, self.port_s)

    @property
    def clear(self) -> str:
        return f"{self.transport}:{self.host}:5060/5060"

    @property
    def protected(self) -> str:
        """The flow of its protected requests."""
        return f"{self.transport}:{self.host}:{self.port_c}/{Mechanism.parse(self.server).port_s}"

    def request(self, method: str, uri: str, *lines: str, to: str = "", body: bytes = b"") -> bytes:
        self.cseq += 1
        port = self.port_s if self.server else 5060
        via = f"SIP/2.0/{self.transport.upper()} {self.host}:{port};branch=z9hG4bK{self.spi}{self.cseq}{method}"
        head = [f"{method} {uri} SIP/2.0", f"Via: {via}", "Max-Forwards: 70", f"From: <{self.number}>;tag=p1",
                f"To: {to or f'<{self.number}>'}", f"Call-ID: {self.call_id}", f"CSeq: {self.cseq} {method}", *lines]
        return "\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode() + body

    def register(self, *lines: str, response: str = "", expires: int = 3600, contact: str = "",
                 offer: str | None = None, verify: str | None = None) -> bytes:
        agreed = [f"Security-Client: {self.offer if offer is None else offer}"] if offer != "" else []
        verify = self.server if verify is None else verify
        auth = (f'Digest username="{self.impi}",realm="{DOMAIN}",nonce="{"bm9uY2U=" if response else ""}",'
                f'uri="sip:{DOMAIN}",response="{response}",algorithm=AKAv1-MD5')
        return self.request(
            "REGISTER", f"sip:{DOMAIN}", f"Contact: {contact or f'<sip:{self.host}:{self.port_s}>;+g.3gpp.smsip'}",
            f"Expires: {expires}", "Require: sec-agree", "Proxy-Require: sec-agree", "Supported: path, gruu, sec-agree",
            *agreed, *([f"Security-Verify: {verify}"] if verify else []), f"Authorization: {auth}", *lines)


@dataclass
class Wire:
    """A link that remembers what was sent."""

    rig: "Rig"
    point: str

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        try:
            self.rig.log.append((self.point, peer, sip.decode(data)))
        except SipError:  # an answer copies what was wrong in its request
            self.rig.log.append((f"{self.point} refusal", peer, data))


@dataclass
class Rig:
    """`log` has what the P-CSCF did, in order: (point, peer, message) and (effect name, set of SAs)."""

    ims: ImsConfig = field(default_factory=ImsConfig)
    emergency: str = "off"
    plain: Callable[[str], bool] = lambda impi: False
    now: float = 1_790_000_000.0
    log: list[Any] = field(default_factory=list)
    kernel: dict[int, SaSet] = field(default_factory=dict)  # by our server SPI
    refuses: bool = False
    numbers: int = 0

    def __post_init__(self) -> None:
        config = replace(Config(), ims=self.ims)
        config = replace(config, network=replace(config.network, emergency=self.emergency))
        self.loop = Loop(lambda: self.now, Bus(10_000))
        self.pcscf = Pcscf(config, self._random, self.plain)
        self.loop.add(self.pcscf)
        gm = SipPolicy(self.pcscf.via, RADIO, reply=self.pcscf.reply)
        self.loop.bind("pcscf", "Gm", sip, Wire(self, "Gm"), policy=gm)
        self.loop.bind("pcscf", "Mw", sip, Wire(self, "Mw"), policy=SipPolicy(self.pcscf.core.via))
        self.loop.performers[InstallSas] = self._install
        self.loop.performers[KeepSas] = lambda effect, done: (self.log.append(("keep", effect.sas)), done(None))
        self.loop.performers[RemoveSas] = self._remove

    def _random(self, octets: int) -> bytes:
        self.numbers += 1
        return (1000 + self.numbers).to_bytes(octets, "big")

    def _install(self, effect: InstallSas, done: Callable[[Exception | None], None]) -> None:
        if self.refuses:
            done(LocalError("no"))
            return
        taken = {(sa.destination, sa.spi) for sas in self.kernel.values() for sa in sas.sas()}
        assert not taken & {(sa.destination, sa.spi) for sa in effect.sas.sas()}
        self.kernel[effect.sas.network.spi_s] = effect.sas
        self.log.append(("install", effect.sas))
        done(None)

    def _remove(self, effect: RemoveSas, done: Callable[[Exception | None], None]) -> None:
        self.kernel.pop(effect.sas.network.spi_s, None)
        self.log.append(("remove", effect.sas))
        done(None)

    # ---- driving -----------------------------------------------------------------------------------

    def run(self, seconds: float = 0.0) -> list[Any]:
        """Let time pass; returns what happened."""
        before, end = len(self.log), self.now + seconds
        self.loop.run()
        while (due := self.loop.due()) is not None and due <= end:
            self.now = max(self.now, due)
            self.loop.expire()
            self.loop.run()
        self.now = end
        return self.log[before:]

    def gm(self, flow: str, data: bytes) -> list[Any]:
        self.loop.deliver("pcscf", "Gm", flow, data)
        return self.run()

    def mw(self, message: SipMessage | bytes, peer: str = "") -> list[Any]:
        data = message if isinstance(message, bytes) else sip.encode(message)
        self.loop.deliver("pcscf", "Mw", peer or self.pcscf.core.entry, data)
        return self.run()

    def tell(self, event: Event) -> list[Any]:
        self.loop.tell("pcscf", event)
        return self.run()

    def verdicts(self) -> list[str]:
        return [event.info for event in self.loop.bus.ring if event.point == "verdict"]

    # ---- the usual ---------------------------------------------------------------------------------

    def challenge(self, request: SipRequest, ck: str = CK, ik: str = IK) -> list[Any]:
        """The S-CSCF's 401."""
        answer = sip.response(request, 401)
        keys = f',ck="{ck}",ik="{ik}"' if ck else ""
        answer.append("WWW-Authenticate",
                      f'Digest realm="{DOMAIN}",nonce="bm9uY2U=",algorithm=AKAv1-MD5,qop="auth"{keys}')
        return self.mw(answer)

    def accept(self, request: SipRequest, expires: int = 3600) -> list[Any]:
        """Its 200."""
        answer = sip.response(request, 200)
        if expires:
            answer.append("Contact", f"{request.first('Contact')};expires={expires}")
        answer.append("Service-Route", ROUTE)
        answer.append("P-Associated-URI", f"<{request.to.uri}>, <tel:+15550100>")
        answer.append("P-Charging-Vector", "icid-value=secret")
        return self.mw(answer)

    def register(self, phone: Phone) -> SipResponse:
        """Both round trips; returns the 200 as the phone got it."""
        phone.server = ""
        first = messages(self.gm(phone.clear, phone.register()), "Mw")[0]
        (challenge,) = messages(self.challenge(first), "Gm")
        phone.server = challenge.first("Security-Server") or ""
        second = messages(self.gm(phone.protected, phone.register(response="5a")), "Mw")[0]
        (answer,) = messages(self.accept(second), "Gm")
        assert isinstance(answer, SipResponse)
        return answer


def messages(log: list[Any], point: str) -> list[Any]:
    return [entry[2] for entry in log if entry[0] == point]
