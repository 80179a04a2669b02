# SPDX-License-Identifier: Apache-2.0
"""Two simulated IMS phones in one loop, and in place of the network a link that does what one does, from the
specification: it challenges with AKA, agrees on IPsec, notifies, and carries requests to and fro as a stateless proxy.

A test changes what it says by `core.alter[method or status] = function`.
"""

import random
from collections.abc import Callable
from ipaddress import IPv4Address

from dialtone.codec import reginfo, sip
from dialtone.codec.sip import AuthParams, NameAddr, SipRequest, SipResponse, SipUri, Via
from dialtone.crypto.aka import eutran_vector, verify_auts
from dialtone.crypto.ipsec_keys import SaSet
from dialtone.crypto.milenage import Milenage
from dialtone.crypto.sip_digest import decode_base64, make_nonce, password_of, response_of
from dialtone.effects import Event, InstallSas, KeepSas, RemoveSas
from dialtone.ids import Plmn, Tai
from dialtone.loop import Loop
from dialtone.sim.ims.client import GmDown, GmUp, ImsClient, ImsHandset
from dialtone.sim.ims.stream import MediaDown, MediaUp
from dialtone.sim.phone import BearerIsDown
from dialtone.sim.usim import Usim
from dialtone.sim.volte import BearerIsUp, PdnIsUp
from dialtone.sip.flow import Flow
from dialtone.sip.security_agreement import mechanisms
from dialtone.trace.bus import Bus

K = bytes.fromhex("465b5ce8b199b49faa5f0a2ee238a6bc")
OPC = bytes.fromhex("cd63cb71954a9f4e48a5994e37a02baf")
DOMAIN = "ims.mnc001.mcc001.3gppnetwork.org"
P_CSCF = "10.46.0.1"
TAI = Tai(Plmn("001", "01"), 1)
START = 1_790_000_000.0


def imsi_of(number: int) -> str:
    return f"00101{number:010d}"


class Core:
    """The link of point Gm. `alter` maps a method, or `401 REGISTER` and the like, to a change of what is sent to the
    phones; one that returns None swallows it."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.functions = Milenage(K, OPC)
        self.sqn = 32
        self.granted = 600_000
        self.algorithm, self.qop = "AKAv1-MD5", "auth,auth-int"
        self.alter: dict[str, Callable[[SipRequest | SipResponse], SipRequest | SipResponse | None]] = {}
        self.nonces: dict[str, tuple[str, bytes]] = {}  # by Call-ID: the nonce and the password that fits it
        self.contacts: dict[str, tuple[str, Flow]] = {}  # by number: element and the way to it
        self.requests: list[tuple[Flow, SipRequest]] = []
        self.branch = 0

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        flow, message = Flow.parse(peer), sip.decode(data)
        if isinstance(message, SipResponse):
            self._back(message)
            return
        assert isinstance(message, SipRequest)
        self.requests.append((flow, message))
        if message.method == "REGISTER":
            self._register(element, flow, message)
        elif message.method == "SUBSCRIBE":
            self._subscribe(element, flow, message)
        else:
            self._forward(element, flow, message)

    # ---- registration ------------------------------------------------------------------------------

    def _register(self, element: str, flow: Flow, message: SipRequest) -> None:
        auth = AuthParams.parse(message.first("Authorization") or "")
        if auth.get("auts"):
            rand = decode_base64(auth.get("nonce"))[:16]
            self.sqn = verify_auts(self.functions, rand=rand, auts=decode_base64(auth.get("auts"))) + 64
        nonce, password = self.nonces.get(message.call_id, ("", b""))
        right = nonce and auth.get("response") == response_of(
            password, username=auth.get("username"), realm=DOMAIN, method="REGISTER", uri=auth.get("uri"), nonce=nonce,
            qop=auth.get("qop"), cnonce=auth.get("cnonce"), nc=auth.get("nc"), body=message.body)
        if not right or auth.get("auts"):
            self._challenge(element, flow, message)
            return
        del self.nonces[message.call_id]
        granted = 0 if message.first("Expires") == "0" else self.granted
        answer = sip.response(message, 200)
        number = str(1000 + int(element[-3:]))
        answer.append("Contact", f"{(message.first('Contact') or '').partition(';expires')[0]};expires={granted}")
        for uri in self.identities(number):
            answer.append("P-Associated-URI", f"<{uri}>")
        answer.append("Service-Route", f"<sip:orig@scscf.{DOMAIN};lr>")
        ports = mechanisms(message, "Security-Client")
        port = ports[0].port_s if ports else flow.local_port
        self.contacts[number] = element, Flow("udp", P_CSCF, 6101 if ports else 5060, port)
        self._tell(element, flow, answer)

    @staticmethod
    def identities(number: str) -> tuple[str, ...]:
        return f"sip:+{number}@{DOMAIN}", f"tel:+{number}"

    def _challenge(self, element: str, flow: Flow, message: SipRequest) -> None:
        self.sqn += 32
        rand = self.sqn.to_bytes(16)
        vector = eutran_vector(self.functions, sqn=self.sqn, amf=bytes(2), rand=rand, plmn=bytes(3))
        _, ck, ik, _ = self.functions.f2345(rand)
        nonce = make_nonce(rand, vector.autn)
        self.nonces[message.call_id] = nonce, password_of(self.algorithm, vector.xres, ik, ck)
        answer = sip.response(message, 401)
        answer.append("WWW-Authenticate", f'Digest realm="{DOMAIN}",nonce="{nonce}",algorithm={self.algorithm},'
                                          f'qop="{self.qop}"')
        offered = mechanisms(message, "Security-Client")
        if offered:
            one = offered[-1]
            answer.append("Security-Server", f"ipsec-3gpp;q=0.1;alg={one.alg};prot=esp;mod=trans;ealg={one.ealg};"
                                             "spi-c=5001;spi-s=5002;port-c=6101;port-s=6100")
        self._tell(element, flow, answer)

    def _subscribe(self, element: str, flow: Flow, message: SipRequest) -> None:
        answer = sip.response(message, 200)
        answer.set("To", f"{message.first('To')};tag=reg")
        answer.append("Contact", f"<sip:scscf.{DOMAIN}>")
        answer.append("Expires", "600000")
        self._tell(element, flow, answer)
        number = str(1000 + int(element[-3:]))
        notify = self.notify(message, tuple(reginfo.RegistrationInfo(uri, f"a{at}", "active", (reginfo.ContactInfo(
            f"c{at}", "sip:10.46.0.2"),)) for at, uri in enumerate(self.identities(number))))
        self._tell(element, self.contacts[number][1], notify)

    def notify(self, subscribe: SipRequest, registrations: tuple[reginfo.RegistrationInfo, ...],
               number: int = 1) -> SipRequest:
        contact = NameAddr.parse(subscribe.first("Contact") or "").uri
        message = sip.request("NOTIFY", contact)
        message.append("Via", str(self._via(6100)))
        message.append("From", f"{subscribe.first('To')};tag=reg")
        message.append("To", subscribe.first("From") or "")
        message.append("Call-ID", subscribe.call_id)
        message.append("CSeq", f"{number} NOTIFY")
        message.append("Contact", f"<sip:scscf.{DOMAIN}>")
        message.append("Event", "reg")
        message.append("Subscription-State", "active;expires=600000")
        message.content(reginfo.CONTENT_TYPE, reginfo.encode(reginfo.RegInfo(number - 1, True, registrations)))
        return message

    # ---- between the phones --------------------------------------------------------------------------

    def _forward(self, element: str, flow: Flow, message: SipRequest) -> None:
        uri = message.uri
        user = SipUri.parse(uri).user.partition(";")[0].lstrip("+") if uri.startswith("sip:") else uri[5:]
        entry = self.contacts.get(user) or next((entry for entry in self.contacts.values() if uri.startswith(
            f"sip:10.46.0.{int(entry[0][-3:]) + 1}:")), None)
        if entry is None:
            if message.method != "ACK":
                self._tell(element, flow, sip.response(message, 404))
            return
        to, way = entry
        message.remove("Route")
        message.set("P-Asserted-Identity", f"<sip:+{1000 + int(element[-3:])}@{DOMAIN}>")
        message.remove("P-Preferred-Identity")
        if message.method == "INVITE":
            message.prepend("Record-Route", f"<sip:{P_CSCF}:6100;lr>")
        # A stateless proxy: repetitions, CANCEL and ACK keep their branch (RFC 3261, 16.11).
        via = self._via(6100)
        via.params["branch"] = f"{sip.Via.parse(message.first('Via') or '').branch}x{element}"
        via.params["back"] = f"{element}|{flow}".replace(":", "~").replace("/", "^")
        message.prepend("Via", str(via))
        self._tell(to, way, message)

    def _back(self, message: SipResponse) -> None:
        via = Via.parse(message.pop("Via") or "")
        back = via.params.get("back")
        if back is None:
            return  # the answer to a NOTIFY of ours
        element, _, flow = back.replace("~", ":").replace("^", "/").partition("|")
        self._tell(element, Flow.parse(flow), message)

    def _via(self, port: int) -> Via:
        self.branch += 1
        return Via("UDP", P_CSCF, port, {"branch": f"z9hG4bKcore{self.branch}"})

    def _tell(self, element: str, flow: Flow, message: SipRequest | SipResponse) -> None:
        key = message.method if isinstance(message, SipRequest) else f"{message.status} {message.cseq.method}"
        if (alter := self.alter.get(key)) is not None:
            changed = alter(message)
            if changed is None:
                return
            message = changed
        self.loop.deliver(element, "Gm", str(flow), sip.encode(message))


class Lab:
    """A loop with virtual time, the core, and phones 1001, 1002 and on at 10.46.0.2, 10.46.0.3."""

    def __init__(self, phones: int = 1, handset: ImsHandset | None = None, **options: object) -> None:
        self.now = START
        self.loop = Loop(lambda: self.now, Bus(100_000))
        self.core = Core(self.loop)
        self.rng = random.Random(1)
        self.sas: dict[str, SaSet] = {}
        self.media: dict[tuple[str, str], MediaUp] = {}
        self.refuse_sas = False
        performers = self.loop.performers
        performers[InstallSas] = self._install
        performers[KeepSas] = lambda effect, done: done(None)
        performers[RemoveSas] = lambda effect, done: (self.sas.pop(str(effect.sas.phone), None), done(None))
        for effect in (GmUp, GmDown):
            performers[effect] = lambda effect, done: done(None)
        performers[MediaUp] = self._media_up
        performers[MediaDown] = self._media_down
        self.phones = [self._phone(number, handset, **options) for number in range(1, phones + 1)]

    def _phone(self, number: int, handset: ImsHandset | None, **options: object) -> ImsClient:
        client = ImsClient(Usim(imsi_of(number), K, OPC), random=self.rng.randbytes, handset=handset,
                           **options)  # type: ignore[arg-type]
        self.loop.add(client)
        self.loop.bind(client.name, "Gm", sip, self.core, policy=client.policy())
        return client

    def _install(self, effect: InstallSas, done: Callable[[Exception | None], None]) -> None:
        if self.refuse_sas:
            done(OSError("no IPsec here"))
        else:
            self.sas[str(effect.sas.phone)] = effect.sas
            done(None)

    def _media_up(self, effect: MediaUp, done: Callable[[Exception | None], None]) -> None:
        self.media[effect.imsi, effect.call_id] = effect
        done(None)

    def _media_down(self, effect: MediaDown, done: Callable[[Exception | None], None]) -> None:
        del self.media[effect.imsi, effect.call_id]
        done(None)

    def run(self, seconds: float = 0.0) -> None:
        end = self.now + seconds
        self.loop.run()
        while (due := self.loop.due()) is not None and due <= end:
            self.now = max(self.now, due)
            self.loop.expire()
            self.loop.run()
        self.now = end

    def tell(self, client: ImsClient, event: Event, seconds: float = 1.0) -> ImsClient:
        self.loop.tell(client.name, event)
        self.run(seconds)
        return client

    def connect(self, seconds: float = 1.0) -> "Lab":
        """Every phone gets its IMS connection."""
        for number, client in enumerate(self.phones, 1):
            self.tell(client, PdnIsUp(6, "ims", IPv4Address(f"10.46.0.{number + 1}"), (IPv4Address(P_CSCF),), TAI), 0.1)
        self.run(seconds)
        return self

    def bearers(self, *, up: bool = True) -> None:
        """Voice bearers come up, or go, at every phone."""
        for client in self.phones:
            self.tell(client, BearerIsUp(7, 6, 1) if up else BearerIsDown(7), 0.5)

    def sent(self, method: str) -> list[SipRequest]:
        """The requests of this method that phones have sent."""
        return [message for _, message in self.core.requests if message.method == method]

    def names(self) -> list[str]:
        return [event.name for event in self.loop.bus.ring if event.point == "Gm" and event.kind == "tx"]

    def said(self) -> list[str]:
        return [event.info for event in self.loop.bus.ring if event.point == "verdict"]
