# SPDX-License-Identifier: Apache-2.0
"""A P-CSCF of another maker before our S-CSCF: Mw by flows, as over sockets."""

from dataclasses import replace

import pytest
from scscf_rig import DOMAIN, Do, Rig, Scripted, impi, pcscf_on, tel

from dialtone.codec import sip
from dialtone.config import Config
from dialtone.config_ims import ImsConfig
from dialtone.effects import Request
from dialtone.links.beside import Beside
from dialtone.links.memory import MemoryFlows
from dialtone.scscf.deregistration import Deregister
from dialtone.sip.transactions import SipPolicy, own_via

OURS, THEIRS = "10.0.1.133", "10.0.1.9"


def rig_with_foreigner(hosts: dict[str, str]) -> tuple[Rig, Scripted]:
    rig = Rig(replace(Config(), ims=ImsConfig(core=OURS, hosts=hosts)))
    flows = MemoryFlows(rig.loop, "Mw")
    flows.place("scscf", OURS)
    flows.place("foreign", THEIRS)
    port = rig.loop.ports["scscf", "Mw"]
    port.link = Beside(port.link, flows)
    foreign = Scripted("foreign", pcscf_on)
    rig.loop.add(foreign)
    rig.loop.bind("foreign", "Mw", sip, flows, policy=SipPolicy(own_via("pcscf.example.org")))
    return rig, foreign


def ask(rig: Rig, foreign: Scripted, message: sip.SipRequest, transport: str = "udp") -> sip.SipResponse:
    before = len(foreign.answers(message.METHOD))
    rig.loop.tell("foreign", Do((Request("Mw", f"{transport}:{OURS}:5060/5060", message),)))
    rig.run(0.1)
    return foreign.answers(message.METHOD)[before:][-1]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_p_cscf_of_another_maker(transport: str) -> None:
    rig, foreign = rig_with_foreigner({"pcscf.example.org": f"{THEIRS}:5060"})
    phone, path = rig.phones[0], f"<sip:term@pcscf.example.org:4060;transport={transport};lr>"

    def register(authorization: str = "") -> sip.SipResponse:
        message = rig.register_request(phone, authorization=authorization)
        message.set("Path", path)
        return ask(rig, foreign, message, transport)

    question = register()
    assert register(rig.credentials(phone, question)).status == 200
    rig.register(2)
    assert rig.request(rig.outgoing("MESSAGE", tel(1), 2)).status == 200
    (got,) = foreign.requests("MESSAGE")
    assert (got.uri, got.all("Route")) == (phone.contact, [path])
    assert foreign.rx[-1].peer.startswith(f"{transport}:{OURS}:5060")
    for number in (1, 2):
        rig.loop.tell("scscf", Deregister(impi(number)))
    rig.clean()


@pytest.mark.parametrize(("who", "status"), [("pcscf.example.org:4060", 200), (f"{THEIRS}:4060", 200),
                                             ("pcscf.example.net", 403)])
def test_a_p_cscf_of_another_maker_watches_registrations(who: str, status: int) -> None:
    """Under its name or its address (TS 24.229, 5.4.2.1.1)."""
    rig, foreign = rig_with_foreigner({"pcscf.example.org": f"{THEIRS}:5060"})
    rig.register()
    message = sip.request("SUBSCRIBE", tel(1))
    for name, value in (
            ("Max-Forwards", "70"), ("From", f"<sip:{who}>;tag=w"), ("To", f"<{tel(1)}>"), ("Call-ID", "watch"),
            ("CSeq", "1 SUBSCRIBE"), ("Contact", f"<sip:{THEIRS}:5060>"), ("Event", "reg"), ("Expires", "600"),
            ("P-Asserted-Identity", f"<sip:{who}>")):
        message.append(name, value)
    assert ask(rig, foreign, message).status == status
    assert len(foreign.requests("NOTIFY")) == (status == 200)
    rig.loop.tell("scscf", Deregister(impi(1)))
    rig.clean()
    assert len(foreign.requests("NOTIFY")) == 2 * (status == 200)


def test_a_stranger_is_refused() -> None:
    rig, foreign = rig_with_foreigner({"pcscf.example.org": "10.0.1.8:5060"})
    answer = ask(rig, foreign, rig.register_request(rig.phones[0]))
    assert (answer.status, "no element of this network" in answer.reason) == (403, True)
    assert rig.hss.asked == []
    rig.clean()


def test_the_place_of_our_p_cscf() -> None:
    """A name of ours in `hosts` leads outside."""
    rig, _ = rig_with_foreigner({f"pcscf.{DOMAIN}": f"{THEIRS}:4060"})
    assert rig.scscf.hop(f"<sip:term@pcscf.{DOMAIN};lr>") == ("Mw", f"udp:{THEIRS}:4060/5060")
