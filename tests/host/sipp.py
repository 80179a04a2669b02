# SPDX-License-Identifier: Apache-2.0
"""sipp (Debian sip-tester), another SIP, as phones without IPsec: its scenarios.

It computes AKAv1-MD5 from OP, not OPc, knows no AUTS, answers with `qop=auth` only, writes `sip:` before the value of
-auth_uri, and takes a NUL in RES for its end (3.6.1).
"""

import asyncio
from pathlib import Path

from ims_box import OP, Addresses, K, impi_of, number_of
from kamailio import DOMAIN

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
READY = """a=curr:qos local sendrecv
a=curr:qos remote none
a=des:qos mandatory local sendrecv
a=des:qos optional remote sendrecv
"""
"""Its preconditions (RFC 3312), met on its own side."""

_HEAD = """{method} {uri} SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
Max-Forwards: 70
From: {from_}
To: {to}
Call-ID: [call_id]
CSeq: {cseq} {method}
{lines}Content-Length: [len]
"""
CONTACT = "Contact: <sip:[local_ip]:[local_port];transport=[transport]>;+g.3gpp.smsip"


def send(method: str, cseq: int, *lines: str, from_: str, to: str, uri: str = f"sip:{DOMAIN}", body: str = "",
         retrans: str = ' retrans="500"') -> str:
    """A request in a scenario."""
    text = _HEAD.format(method=method, uri=uri, from_=from_, to=to, cseq=cseq,
                        lines="".join(f"{line}\n" for line in lines))
    return f"<send{retrans}><![CDATA[\n{text}\n{body}]]></send>\n"


def scenario(*steps: str) -> str:
    return f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<scenario name="dialtone">\n{"".join(steps)}</scenario>\n'


def register() -> str:
    """Who registers is in the file of users."""
    aor = "<sip:[field0]>"
    common = (CONTACT, "Expires: 600000", "Supported: path")
    first = f'Authorization: Digest username="[field0]",realm="{DOMAIN}",nonce="",uri="sip:{DOMAIN}",response=""'
    return scenario(
        send("REGISTER", 1, *common, first, from_=f"{aor};tag=[call_number]", to=aor),
        '<recv response="401" auth="true"/>\n',
        send("REGISTER", 2, *common, "[field1]", from_=f"{aor};tag=[call_number]", to=aor),
        '<recv response="200"/>\n')


def caller(who: int, whom: int, *, hangs_up: bool, more: str = "", supported: str = "timer") -> str:
    """Calls a number as phones dial it."""
    ours, theirs = f"<sip:{number_of(who)}@{DOMAIN}>;tag=[call_number]", f"<tel:{number_of(whom)}>"
    hang_up = (send("BYE", 2, "[routes]", from_=ours, to=f"{theirs}[peer_tag_param]", uri="[next_url]"),
               '<recv response="200"/>\n')
    return scenario(
        send("INVITE", 1, CONTACT, f"Supported: {supported}", "P-Early-Media: supported",
             "Content-Type: application/sdp", from_=ours, to=theirs, uri=f"tel:{number_of(whom)}", body=SDP + more),
        '<recv response="100" optional="true"/>\n<recv response="180"/>\n<recv response="200" rrs="true"/>\n',
        send("ACK", 1, "[routes]", from_=ours, to=f"{theirs}[peer_tag_param]", uri="[next_url]", retrans=""),
        *(('<pause milliseconds="200"/>\n', *hang_up) if hangs_up else (
            '<recv request="BYE"/>\n', _answer("200 OK"))))


def _answer(status: str, *lines: str, tag: str = "", body: str = "", retrans: str = "") -> str:
    text = "\n".join([f"SIP/2.0 {status}", "[last_Via:]", "[last_From:]", f"[last_To:]{tag}", "[last_Call-ID:]",
                      "[last_CSeq:]", *lines, "Content-Length: [len]"])
    return f"<send{retrans}><![CDATA[\n{text}\n\n{body}]]></send>\n"


def callee(*, hangs_up: bool, more: str = "") -> str:
    """Rings, answers, and is hung up on or hangs up."""
    here, tag = ("[last_Record-Route:]", CONTACT), ";tag=[pid]b[call_number]"
    noted = "".join(f'<ereg regexp=".*" search_in="hdr" header="{name}:" assign_to="{name.lower()}"/>\n'
                    for name in ("From", "To"))
    hang_up = send("BYE", 1, "[routes]", from_=f"[$to]{tag}", to="[$from]", uri="[next_url]")
    return scenario(
        f'<recv request="INVITE" rrs="true"><action>\n{noted}</action></recv>\n',
        _answer("180 Ringing", *here, tag=tag),
        _answer("200 OK", *here, "Content-Type: application/sdp", tag=tag, body=SDP + more, retrans=' retrans="500"'),
        '<recv request="ACK"/>\n',
        *(('<pause milliseconds="200"/>\n', hang_up, '<recv response="200"/>\n') if hangs_up else (
            '<recv request="BYE"/>\n', _answer("200 OK"))),
        '<Reference variables="from,to"/>\n')


def users(path: Path, *numbers: int) -> Path:
    """The file that says who registers."""
    file = path / f"users{numbers[0]}.csv"
    aka = f"aka_OP=0x{OP.hex()} aka_K=0x{K.hex()} aka_AMF=0x8000"
    rows = (f"{impi_of(number)};[authentication username={impi_of(number)} {aka}]\n" for number in numbers)
    file.write_text("SEQUENTIAL\n" + "".join(rows))
    return file


async def run(path: Path, name: str, text: str, at: Addresses, host: str, *options: str) -> asyncio.subprocess.Process:
    """Start it at an address of its own, with our P-CSCF as its proxy."""
    (path / f"{name}.xml").write_text(text)
    return await asyncio.create_subprocess_exec(
        "sipp", f"{at.pcscf}:5060", "-sf", f"{name}.xml", "-i", host, "-nostdin", "-timeout", "40s", "-timeout_error",
        "-auth_uri", DOMAIN, "-max_socket", "1000", "-trace_err", *options, cwd=path,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)


async def end(path: Path, process: asyncio.subprocess.Process) -> None:
    """It has to succeed."""
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    errors = "\n".join(file.read_text() for file in path.glob("*errors.log"))
    assert process.returncode == 0, f"{errors}\n{out.decode()[-3000:]}"
