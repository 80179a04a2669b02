# SPDX-License-Identifier: Apache-2.0
"""The S-CSCF with the real HSS over Cx, inside the whole core; the phones' SIMs behind a scripted P-CSCF."""

from pathlib import Path

from network import OPC, K, Network, imsi_of
from scscf_rig import DOMAIN, Do, Scripted, pcscf_on

from dialtone.codec import sip
from dialtone.codec.sip import AuthParams, SipRequest, SipResponse
from dialtone.crypto import sip_digest
from dialtone.crypto.aka import keyed
from dialtone.effects import Request
from dialtone.links.memory import Memory
from dialtone.scscf.deregistration import Deregister
from dialtone.sip.transactions import SipPolicy, own_via


class Both:
    """A core with two subscribers, and a P-CSCF that does as it is told."""

    def __init__(self, path: Path) -> None:
        self.net = Network(path, 0)
        self.pcscf = Scripted("pcscf", pcscf_on)
        loop = self.net.loop
        loop.elements.pop("pcscf", None)
        loop.add(self.pcscf)
        loop.bind("pcscf", "Mw", sip, Memory(loop, "Mw"), inside=True, policy=SipPolicy(own_via(f"pcscf.{DOMAIN}")))
        for number in (1, 2):
            self.net.add_subscriber(imsi_of(number), msisdn=f"1555000{number}")
        self.cseq = 0

    def ask(self, message: SipRequest) -> SipResponse:
        self.net.loop.tell("pcscf", Do((Request("Mw", "scscf", message),)))
        self.net.run(0.1)
        return self.pcscf.answers(message.METHOD)[-1]

    def register(self, number: int, question: SipResponse | None = None, expires: int = 3600) -> SipResponse:
        self.cseq += 1
        impi = f"{imsi_of(number)}@{DOMAIN}"
        message = sip.request("REGISTER", f"sip:{DOMAIN}")
        auth = {"username": impi, "realm": DOMAIN, "nonce": "", "uri": f"sip:{DOMAIN}", "response": ""}
        if question is not None:
            auth |= self.answer(AuthParams.parse(question.first("WWW-Authenticate") or ""), auth)
        for name, value in (("Max-Forwards", "70"), ("From", f"<sip:{impi}>;tag=p"), ("To", f"<sip:{impi}>"),
                            ("Call-ID", f"reg-{number}"), ("CSeq", f"{self.cseq} REGISTER"),
                            ("Contact", f"<sip:10.46.0.{number}>;+g.3gpp.smsip"), ("Expires", str(expires)),
                            ("Path", f"<sip:term@pcscf.{DOMAIN};lr>"), ("P-Visited-Network-ID", DOMAIN),
                            ("Authorization", str(AuthParams("Digest", auth)))):
            message.append(name, value)
        return self.ask(message)

    def answer(self, asked: AuthParams, auth: dict[str, str]) -> dict[str, str]:
        rand, _ = sip_digest.split_nonce(asked.get("nonce"))
        res, ck, ik, _ = keyed("milenage", K, OPC, res=8, iterations=1).f2345(rand)
        assert (ck.hex(), ik.hex()) == (asked.get("ck"), asked.get("ik"))
        return {"nonce": asked.get("nonce"), "qop": "auth", "nc": "00000001", "cnonce": "c", "response":
                sip_digest.response_of(res, username=auth["username"], realm=DOMAIN, method="REGISTER",
                                       uri=auth["uri"], nonce=asked.get("nonce"), qop="auth", cnonce="c",
                                       nc="00000001")}


def test_sims_register_and_text_by_number(tmp_path: Path) -> None:
    both = Both(tmp_path)
    for number in (1, 2):
        answer = both.register(number, both.register(number))
        assert answer.status == 200, answer.reason
        assert answer.all("P-Associated-URI") == [f"<sip:+1555000{number}@{DOMAIN}>", f"<tel:+1555000{number}>"]
    text = sip.request("MESSAGE", "tel:+15550002")
    for name, value in (("Max-Forwards", "70"), ("Route", f"<sip:orig@scscf.{DOMAIN};lr>"), ("From", "<tel:1>;tag=a"),
                        ("To", "<tel:+15550002>"), ("Call-ID", "text"), ("CSeq", "1 MESSAGE"),
                        ("P-Asserted-Identity", f"<sip:+15550001@{DOMAIN}>")):
        text.append(name, value)
    text.content("text/plain", b"hello")
    assert both.ask(text).status == 200
    assert both.pcscf.requests("MESSAGE")[0].uri == "sip:10.46.0.2"
    assert both.register(1, both.register(1, expires=0), expires=0).status == 200
    both.net.loop.tell("scscf", Deregister(f"{imsi_of(2)}@{DOMAIN}"))
    both.net.run(400)
    assert both.net.core.scscf.users == {}
    assert both.net.loop.counters.get("internal error", 0) == 0


def test_a_subscriber_of_nobody(tmp_path: Path) -> None:
    both = Both(tmp_path)
    answer = both.register(7)
    assert (answer.status, answer.reason) == (403, "The HSS does not know this subscriber")
