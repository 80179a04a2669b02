# SPDX-License-Identifier: Apache-2.0
"""Phones on paper, for load on Gm: they write octets that are ready but for what must change, and read as little as
they can, so that the process under load is the core. What they leave out is a phone's; the core does all its work.
"""

import re
import select
import time
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field

from dialtone.crypto import sip_digest
from dialtone.crypto.milenage import Milenage
from tests.bench.fd_link import frame, read
from tests.bench.network import OPC, K, Network, number_of

DOMAIN = "ims.mnc001.mcc001.3gppnetwork.org"
P_CSCF, PLAIN_PORT, PORT_C, PORT_S = "10.46.0.1", 5060, 42_306, 44_596
_NONCE = re.compile(r'nonce="([^"]+)"')
_SERVER = re.compile(r"Security-Server: (.*;port-s=(\d+).*)\r\n")
_COPIED = re.compile(r"^(?:Via|From|Call-ID|CSeq|Record-Route): .*\r\n", re.MULTILINE)
_TO = re.compile(r"^(To: .*)\r\n", re.MULTILINE)
_ROUTE = re.compile(r"^Record-Route: (.*)\r\n", re.MULTILINE)
_CONTACT = re.compile(r"^Contact: <([^>]*)>", re.MULTILINE)
_FUNCTIONS = Milenage(bytes.fromhex(K), bytes.fromhex(OPC))
SDP = ("v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio 49120 RTP/AVP 116 118\r\nb=AS:41\r\n"
       "a=rtpmap:116 AMR-WB/16000/1\r\na=rtpmap:118 AMR/8000/1\r\na=ptime:20\r\na=maxptime:240\r\n")

PATIENCE = 5.0  # seconds

Script = Generator["Out", str, None]
"""A procedure of a phone: what it sends, and gets for it the final answer."""


@dataclass(slots=True)
class Out:
    """Octets from a phone; `heard` is whether an answer is waited for."""

    phone: "PaperPhone"
    data: str
    heard: bool = True


Work = tuple["PaperPhone", Script]
"""A procedure to be done."""


@dataclass(slots=True, eq=False)
class PaperPhone:
    """A handset with IPsec, at its place among the subscribers."""

    place: int
    host: str
    serial: int = 0
    verify: str = ""  # Security-Server of the SAs in use
    port_s: int = 0  # of the P-CSCF, with these SAs

    @property
    def imsi(self) -> str:
        return f"00101{self.place + 1:010d}"

    @property
    def impu(self) -> str:
        return f"sip:+{number_of(self.place)}@{DOMAIN}"

    @property
    def name(self) -> str:
        """The flow, as the core sees it."""
        ports = f"{PORT_C}/{self.port_s}" if self.port_s else f"{PLAIN_PORT}/{PLAIN_PORT}"
        return f"udp:{self.host}:{ports}"

    def head(self, method: str, uri: str, cseq: int) -> str:
        """Start line and Via."""
        self.serial += 1
        return (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {self.host}:{PORT_S if self.port_s else PLAIN_PORT};"
                f"branch=z9hG4bK{self.place:x}-{self.serial:x}{'' if self.port_s else ';rport'}\r\n"
                f"Max-Forwards: 70\r\nCSeq: {cseq} {method}\r\n")

    def secured(self) -> str:
        """What every protected request says."""
        return (f"Require: sec-agree\r\nProxy-Require: sec-agree\r\nSecurity-Verify: {self.verify}\r\n"
                "P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=0010100010000101\r\n"
                if self.verify else "Require: sec-agree\r\nProxy-Require: sec-agree\r\n")

    def _register(self, cseq: int, nonce: str, response: str, spi: int) -> Out:
        home = f"sip:{self.imsi}@{DOMAIN}"
        return Out(self, (
            f"{self.head('REGISTER', f'sip:{DOMAIN}', cseq)}From: <{home}>;tag=r{self.place:x}\r\nTo: <{home}>\r\n"
            f"Call-ID: r{self.place}@{self.host}\r\nContact: <sip:{self.host}:{PORT_S}>;"
            f'+sip.instance="<urn:gsma:imei:35958000-{self.place:06d}-0>";'
            '+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel";+g.3gpp.smsip\r\nExpires: 600000\r\n'
            "Supported: path,gruu,sec-agree\r\nAllow: INVITE,BYE,CANCEL,ACK,NOTIFY,UPDATE,PRACK,INFO,MESSAGE,OPTIONS"
            f"\r\nUser-Agent: handset/1.0\r\n{self.secured()}Security-Client: ipsec-3gpp;alg=hmac-sha-1-96;ealg=aes-cbc"
            f";prot=esp;mod=trans;spi-c={spi};spi-s={spi + 1};port-c={PORT_C};port-s={PORT_S}\r\n"
            f'Authorization: Digest username="{self.imsi}@{DOMAIN}",realm="{DOMAIN}",nonce="{nonce}",'
            f'uri="sip:{DOMAIN}",response="{response}"'
            + (',algorithm=AKAv1-MD5,qop=auth,nc=00000001,cnonce="6d0e"' if response else "")
            + "\r\nContent-Length: 0\r\n\r\n"))

    def register(self) -> Script:
        """Two round trips; a second time over the SAs of the first."""
        spi, cseq = 1_000_000 * (self.serial + 1) + 2 * self.place, 2 * self.serial + 1
        challenge = yield self._register(cseq, "", "", spi)
        assert challenge.startswith("SIP/2.0 401"), challenge
        nonce, server = _NONCE.search(challenge), _SERVER.search(challenge)
        assert nonce is not None
        assert server is not None
        res, *_ = _FUNCTIONS.f2345(sip_digest.split_nonce(nonce[1])[0])
        response = sip_digest.response_of(
            res, username=f"{self.imsi}@{DOMAIN}", realm=DOMAIN, method="REGISTER", uri=f"sip:{DOMAIN}",
            nonce=nonce[1], qop="auth", cnonce="6d0e", nc="00000001")
        self.verify, self.port_s = server[1], int(server[2])
        answer = yield self._register(cseq + 1, nonce[1], response, spi)
        assert answer.startswith("SIP/2.0 200"), answer

    def _request(self, method: str, to: "PaperPhone", cseq: int, call: str, lines: str, kind: str, body: str) -> Out:
        uri = f"tel:+{number_of(to.place)}"
        return Out(self, (
            f"{self.head(method, uri, cseq)}Route: <sip:{P_CSCF}:{self.port_s};lr>,<sip:orig@scscf.{DOMAIN};lr>\r\n"
            f"From: <{self.impu}>;tag=o{self.serial:x}\r\nTo: <{uri}>\r\nCall-ID: {call}\r\n"
            f"P-Preferred-Identity: <{self.impu}>\r\n{lines}User-Agent: handset/1.0\r\n{self.secured()}"
            f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}"))

    def text(self, to: "PaperPhone") -> Script:
        """A MESSAGE; its 200 comes from the other phone."""
        answer = yield self._request("MESSAGE", to, 1, f"t{self.serial}@{self.host}", "", "text/plain",
                                     "The quick brown fox jumps over the lazy dog")
        assert answer.startswith("SIP/2.0 200"), answer

    def call(self, to: "PaperPhone") -> Script:
        """INVITE, 180, 200, ACK, BYE, 200; the other phone answers at once."""
        name = f"c{self.serial}@{self.host}"
        contact = f"Contact: <sip:{self.host}:{PORT_S}>\r\nSupported: timer,100rel\r\nAllow: INVITE,ACK,BYE,CANCEL\r\n"
        answer = yield self._request("INVITE", to, 1, name, contact, "application/sdp", SDP.format(self.host))
        assert answer.startswith("SIP/2.0 200"), answer
        yield self._inside("ACK", answer, 1, heard=False)
        answer = yield self._inside("BYE", answer, 2)
        assert answer.startswith("SIP/2.0 200"), answer

    def _inside(self, method: str, answer: str, cseq: int, *, heard: bool = True) -> Out:
        contact, routes = _CONTACT.search(answer), reversed(_ROUTE.findall(answer))
        assert contact is not None
        lines = "".join(line for line in _COPIED.findall(answer) if line.startswith(("From", "Call-ID")))
        to = _TO.search(answer)
        assert to is not None
        return Out(self, f"{self.head(method, contact[1], cseq)}Route: {','.join(routes)}\r\n{lines}{to[1]}\r\n"
                         f"{self.secured()}Content-Length: 0\r\n\r\n", heard)

    def hears(self, request: str) -> Iterable[Out]:
        """Whatever is asked is granted."""
        method = request.partition(" ")[0]
        if method == "ACK":
            return
        lines, to = "".join(_COPIED.findall(request)), _TO.search(request)
        assert to is not None
        tagged = to[1] if ";tag=" in to[1] else f"{to[1]};tag=t{self.place:x}"
        head = f"{lines}{tagged}\r\nContact: <sip:{self.host}:{PORT_S}>\r\n"
        if method == "INVITE":
            body = SDP.format(self.host)
            yield Out(self, f"SIP/2.0 180 Ringing\r\n{head}Content-Length: 0\r\n\r\n")
            yield Out(self, f"SIP/2.0 200 OK\r\n{head}Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
                            f"\r\n{body}")
        else:
            yield Out(self, f"SIP/2.0 200 OK\r\n{head}Content-Length: 0\r\n\r\n")


@dataclass(slots=True)
class _Running:
    script: Script
    waited: float = 0.0
    since: float = 0.0


@dataclass(slots=True)
class Gm:
    """All phones at our end of the socket, and the network's eNBs, if a call needs its bearers."""

    network: Network
    phones: dict[str, PaperPhone] = field(default_factory=dict)
    running: dict[str, _Running] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)

    def add(self, place: int, host: str = "") -> PaperPhone:
        """A phone at an address of the pool."""
        host = host or f"10.46.{128 + (place >> 8)}.{place & 255}"
        phone = self.phones[host] = PaperPhone(place, host)
        return phone

    def closed(self, work: Iterable[Work], window: int = 8) -> None:
        """Run all, so many at once."""
        left = deque(work)
        while left or self.running:
            while left and len(self.running) < window and left[0][0].host not in self.running:
                self._start(*left.popleft())
            self._turn(PATIENCE)

    def open(self, work: Iterable[Work], rate: float) -> list[float]:
        """Start so many a second, whatever becomes of them; returns how long each waited for the core, seconds."""
        self.waits = []
        due = time.perf_counter()
        for phone, script in work:
            while (left := due - time.perf_counter()) > 0 or phone.host in self.running:
                self._turn(max(left, 0.0) or PATIENCE)
            self._start(phone, script)
            due += 1 / rate
        while self.running:
            self._turn(PATIENCE)
        return self.waits

    def _start(self, phone: PaperPhone, script: Script) -> None:
        running = self.running[phone.host] = _Running(script)
        self._go(phone, running, next(script))

    def _go(self, phone: PaperPhone, running: _Running, out: Out) -> None:
        while True:
            running.since = time.perf_counter()
            self._send(out)
            if out.heard:
                return
            try:
                out = next(running.script)
            except StopIteration:
                self._end(phone, running)
                return

    def _end(self, phone: PaperPhone, running: _Running) -> None:
        del self.running[phone.host]
        self.waits.append(running.waited)

    def _send(self, out: Out) -> None:
        self.network.gm.send(frame(out.phone.name, out.data.encode()))

    def _turn(self, seconds: float) -> None:
        ready = select.select([self.network.gm, self.network.sock], [], [], seconds)[0]
        if self.network.sock in ready:
            self.network.turn(0.0)
        if self.network.gm in ready:
            self._heard(*read(self.network.gm.recv(65536)))
        elif not ready and seconds >= PATIENCE:
            raise TimeoutError("the core is silent")

    def _heard(self, name: str, data: bytes, stream: int) -> None:
        now = time.perf_counter()
        phone, text = self.phones[name.split(":")[1]], data.decode()
        if not text.startswith("SIP/2.0 "):
            for out in phone.hears(text):
                self._send(out)
        elif text[8] != "1" and (running := self.running.get(phone.host)) is not None:
            running.waited += now - running.since
            try:
                self._go(phone, running, running.script.send(text))
            except StopIteration:
                self._end(phone, running)
