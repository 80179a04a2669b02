# SPDX-License-Identifier: Apache-2.0
"""sipp (Debian sip-tester), another SIP, against an element of ours on real sockets: its scenarios, and the element, a
registrar and proxy of the smallest kind on the SIP floor of the CSCFs."""

import asyncio
import itertools
from pathlib import Path

from dialtone.codec import sip
from dialtone.codec.sip import (
    AuthParams,
    CancelRequest,
    MessageRequest,
    RegisterRequest,
    SipMessage,
    SipRequest,
    SipResponse,
)
from dialtone.crypto.milenage import Milenage, derive_opc
from dialtone.crypto.sip_digest import make_nonce, response_of
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Answer, Effects, Unanswered
from dialtone.element import Element
from dialtone.errors import ProtocolError
from dialtone.links.sip import SipLink
from dialtone.loop import Loop
from dialtone.runtime import Runtime, epoch_clock
from dialtone.sip.flow import Flow
from dialtone.sip.proxy import TIMER_C, Proxy, Target
from dialtone.sip.refusal import refuse
from dialtone.sip.transactions import SipPolicy, own_via

HOST = "127.0.0.1"
DOMAIN = "ims.mnc001.mcc001.3gppnetwork.org"
IMPI = f"001010000000001@{DOMAIN}"
K = bytes.fromhex("fec86ba6eb707ed08905757b1bb44b8f")  # TS 35.208, set 3: sipp cannot read a `[` in K or OP
OP = bytes.fromhex("dbc59adcb6f9a0ef735477b7fadf8374")
AMF = bytes.fromhex("8000")

SDP = """v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
b=AS:41
b=RS:600
b=RR:2000
t=0 0
m=audio [media_port] RTP/AVP 116 107 118 96 111 110
b=AS:41
a=rtpmap:116 AMR-WB/16000/1
a=fmtp:116 mode-change-capability=2;max-red=220
a=rtpmap:107 AMR-WB/16000/1
a=fmtp:107 octet-align=1;mode-change-capability=2;max-red=220
a=rtpmap:118 AMR/8000/1
a=fmtp:118 mode-change-capability=2;max-red=220
a=rtpmap:96 AMR/8000/1
a=fmtp:96 octet-align=1;mode-change-capability=2;max-red=220
a=rtpmap:111 telephone-event/16000
a=fmtp:111 0-15
a=rtpmap:110 telephone-event/8000
a=fmtp:110 0-15
a=sendrecv
a=ptime:20
a=maxptime:240
"""
"""What a handset offers."""

_HEAD = """{method} {uri} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
Max-Forwards: 70
From: <sip:{user}@{domain}>;tag=[call_number]
To: <{to}>{tag}
Call-ID: [call_id]
CSeq: {cseq} {method}
{lines}Content-Length: [len]
"""


def send(method: str, cseq: int, *lines: str, uri: str = f"sip:{DOMAIN}", to: str = f"sip:001010000000001@{DOMAIN}",
         tag: str = "", body: str = "", retrans: str = ' retrans="500"') -> str:
    """A request in a scenario."""
    text = _HEAD.format(method=method, uri=uri, user="001010000000001", domain=DOMAIN, to=to, tag=tag, cseq=cseq,
                        lines="".join(f"{line}\n" for line in lines))
    return f"<send{retrans}><![CDATA[\n{text}\n{body}]]></send>\n"


def scenario(*steps: str) -> str:
    return f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<scenario name="dialtone">\n{"".join(steps)}</scenario>\n'


CONTACT = "Contact: <sip:001010000000001@[local_ip]:[local_port];transport=[transport]>;+g.3gpp.smsip"
AKA = (f"[authentication username={IMPI} aka_OP=0x{OP.hex()} aka_K=0x{K.hex()} aka_AMF=0x{AMF.hex()}]")
REGISTER = scenario(
    send("REGISTER", 1, CONTACT, "Expires: 600000", "Supported: path"),
    '<recv response="401" auth="true"/>\n',
    send("REGISTER", 2, CONTACT, "Expires: 600000", "Supported: path", AKA),
    '<recv response="200"/>\n')

CALLED = f"sip:001010000000002@{DOMAIN}"
CALLER = scenario(
    send("INVITE", 1, CONTACT, "Content-Type: application/sdp", uri=CALLED, to=CALLED, body=SDP),
    '<recv response="100" optional="true"/>\n<recv response="180" optional="true"/>\n',
    '<recv response="200" rrs="true"/>\n',
    send("ACK", 1, "[routes]", uri="[next_url]", to=CALLED, tag="[peer_tag_param]", retrans=""),
    '<pause milliseconds="100"/>\n',
    send("BYE", 2, "[routes]", uri="[next_url]", to=CALLED, tag="[peer_tag_param]"),
    '<recv response="200"/>\n')


def _answer(status: str, *lines: str, body: str = "", retrans: str = "") -> str:
    text = "\n".join([f"SIP/2.0 {status}", "[last_Via:]", "[last_From:]", "[last_To:];tag=[pid]b[call_number]",
                      "[last_Call-ID:]", "[last_CSeq:]", *lines, "Content-Length: [len]"])
    return f"<send{retrans}><![CDATA[\n{text}\n\n{body}]]></send>\n"


HERE = ("[last_Record-Route:]", "Contact: <sip:002@[local_ip]:[local_port];transport=[transport]>")
CALLEE = scenario(
    '<recv request="INVITE"/>\n', _answer("180 Ringing", *HERE),
    _answer("200 OK", *HERE, "Content-Type: application/sdp", body=SDP, retrans=' retrans="500"'),
    '<recv request="ACK"/>\n<recv request="BYE"/>\n',
    _answer("200 OK").replace(";tag=[pid]b[call_number]", ""))


class Box(Element):
    """Registers who knows the key, and passes everything else on to where the last phone has registered, or to the
    port it is told."""

    name = "box"
    on = Handlers("box")

    def __init__(self, port: int) -> None:
        self.port = port
        self.proxy = Proxy(lambda uri: uri.host == HOST and uri.port == self.port)
        self.target = ""
        self.registered: list[str] = []
        self.dialled: list[bytes] = []
        self.milenage = Milenage(K, derive_opc(K, OP))
        self.xres: dict[str, bytes] = {}

    def refuse(self, error: ProtocolError, rx: Rx) -> Effects:
        return refuse(self, error, rx)

    def challenge(self, message: RegisterRequest) -> SipResponse:
        rand, sqn = bytes(range(len(self.xres), len(self.xres) + 16)), bytes((0, 0, 0, 0, 1, 32))
        quintet = self.milenage.f12345(rand, sqn, AMF)
        concealed = bytes(a ^ b for a, b in zip(sqn, quintet.ak, strict=True))
        nonce = make_nonce(rand, concealed + AMF + quintet.mac_a)
        self.xres[nonce] = quintet.res
        answer = sip.response(message, 401)
        answer.append("WWW-Authenticate", str(AuthParams("Digest", {
            "realm": DOMAIN, "nonce": nonce, "algorithm": "AKAv1-MD5", "qop": "auth"})))
        return answer


@Box.on("Gm", RegisterRequest)
def on_register_request(box: Box, msg: RegisterRequest, rx: Rx) -> Effects:
    value = msg.first("Authorization")
    auth = AuthParams.parse(value) if value else AuthParams("Digest")
    password = box.xres.pop(auth.get("nonce"), None)
    if password is None:
        yield Answer(box.challenge(msg))
        return
    given = {name: auth.get(name) for name in ("username", "realm", "uri", "nonce", "qop", "cnonce", "nc")}
    if response_of(password, method="REGISTER", **given) != auth.get("response"):
        yield Answer(sip.response(msg, 403))
        return
    box.registered.append(rx.peer)
    answer = sip.response(msg, 200)
    answer.append("Contact", f"{msg.first('Contact')};expires=600000")
    yield Answer(answer)


@Box.on("Gm", MessageRequest)
def on_message_request(box: Box, msg: MessageRequest, rx: Rx) -> Effects:
    yield Answer(sip.response(msg, 202))


@Box.on("Gm", SipRequest)
def on_sip_request(box: Box, msg: SipRequest, rx: Rx) -> Effects:
    context = box.proxy.receive(msg, rx)
    if msg.method == "INVITE":
        box.dialled.append(msg.body)
    record = (f"<sip:{HOST}:{box.port};lr;transport={Flow.parse(rx.peer).transport}>",)
    yield from box.proxy.forward(context, [Target("Gm", box.target)], record)


@Box.on("Gm", CancelRequest)
def on_cancel_request(box: Box, msg: CancelRequest, rx: Rx) -> Effects:
    return box.proxy.cancelled(rx)


@Box.on("Gm", SipResponse)
def on_sip_response(box: Box, msg: SipMessage, rx: Rx) -> Effects:
    assert isinstance(msg, SipResponse)
    return box.proxy.answered(msg, rx)


@Box.on.unanswered(SipRequest)
def on_no_answer(box: Box, event: Unanswered, rx: Rx) -> Effects:
    return box.proxy.unanswered(event)


@Box.on.timer(TIMER_C, "RFC 3261, 16.8")
def on_timer_c(box: Box, key: object, rx: Rx) -> Effects:
    return box.proxy.expired(key)


class Bench:
    """The box in its loop on a port of its own, and programs around it."""

    async def __aenter__(self) -> "Bench":
        self.loop = Loop(epoch_clock())
        self.runtime = Runtime(self.loop)
        await self.runtime.__aenter__()
        link = SipLink(self.loop, "box", "Gm")
        self.runtime.at_close(link.close)
        self.box = Box(link.listen(HOST, 0))
        self.loop.add(self.box)
        policy = SipPolicy(own_via(HOST))
        self.loop.bind("box", "Gm", sip, link, policy=policy, numbers=itertools.count(1))
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.runtime.__aexit__(None, None, None)

    async def sipp(self, path: Path, name: str, text: str, *options: str) -> asyncio.subprocess.Process:
        """Start sipp with a scenario."""
        (path / f"{name}.xml").write_text(text)
        return await asyncio.create_subprocess_exec(
            "sipp", f"{HOST}:{self.box.port}", "-sf", f"{name}.xml", "-i", HOST, "-nostdin", "-timeout", "40s",
            "-timeout_error", "-auth_uri", f"sip:{DOMAIN}", "-trace_err", *options, cwd=path,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
