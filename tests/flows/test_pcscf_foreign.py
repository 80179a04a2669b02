# SPDX-License-Identifier: Apache-2.0
"""Our P-CSCF before a core of another maker: Mw by flows, as over sockets."""

import pytest
from pcscf_rig import DOMAIN, NUMBER, Phone, Rig, messages

from dialtone.codec import sip
from dialtone.codec.sip import NameAddr, SipRequest
from dialtone.config_ims import ImsConfig

ICSCF, SCSCF = "10.0.1.9", "10.0.1.10"
OURS = "10.0.1.133:4060"


def rig_before(transport: str = "udp") -> Rig:
    return Rig(ims=ImsConfig(icscf=f"{transport}:{ICSCF}:5060", hosts={f"scscf.{DOMAIN}": f"{SCSCF}:6060"}))


def incoming(method: str, phone: Phone, uri: str = "") -> SipRequest:
    message = sip.request(method, uri or f"sip:{phone.host}:{phone.port_s}")
    for name, value in (("Via", f"SIP/2.0/UDP {SCSCF}:6060;branch=z9hG4bKx"), ("Max-Forwards", "70"),
                        ("Route", f"<sip:term@{OURS};lr>"), ("From", "<sip:+15550199@example.org>;tag=a"),
                        ("To", f"<{NUMBER}>"), ("Call-ID", "mt"), ("CSeq", f"1 {method}")):
        message.append(name, value)
    return message


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_registration_and_requests_go_to_a_core_of_another_maker(transport: str) -> None:
    rig, phone = rig_before(transport), Phone()
    rig.register(phone)
    registers = [entry for entry in rig.log if entry[0] == "Mw"]
    assert {entry[1] for entry in registers} == {f"{transport}:{ICSCF}:5060/4060"}
    first, _, subscribe = [entry[2] for entry in registers]
    suffix = ";transport=tcp" if transport == "tcp" else ""
    assert first.all("Path") == [f"<sip:term@{OURS}{suffix};lr>"]
    assert (first.via.host, first.via.port, first.via.transport) == ("10.0.1.133", 4060, transport.upper())
    assert NameAddr.parse(subscribe.first("Contact")).uri == f"sip:{OURS}{suffix}"

    ((_, peer, message),) = [entry for entry in rig.gm(phone.protected, phone.request("MESSAGE", "tel:+15550199"))
                             if entry[0] == "Mw"]
    assert (peer, message.all("Route")) == (f"udp:{SCSCF}:6060/4060", [f"<sip:orig@scscf.{DOMAIN};lr>"])
    (came,) = messages(rig.mw(incoming("MESSAGE", phone), f"udp:{SCSCF}:6060/4060"), "Gm")
    assert (came.method, came.all("Route")) == ("MESSAGE", [])


def test_a_service_route_that_leads_to_nobody_known() -> None:
    rig, phone = Rig(ims=ImsConfig(icscf=f"udp:{ICSCF}:5060")), Phone()
    rig.register(phone)
    ((_, peer, _),) = [entry for entry in rig.gm(phone.protected, phone.request("MESSAGE", "tel:+15550199"))
                       if entry[0] == "Mw"]
    assert peer == f"udp:{ICSCF}:5060/4060"


def test_nobody_else_is_heard_on_mw() -> None:
    rig, phone = rig_before(), Phone()
    rig.register(phone)
    happened = rig.mw(incoming("MESSAGE", phone), "udp:192.0.2.66:5060/4060")
    assert [(entry[0], entry[2].status) for entry in happened] == [("Mw", 403)]
    ((_, peer, answer),) = rig.mw(incoming("NOTIFY", phone, f"sip:{OURS}"), f"udp:{SCSCF}:6060/4060")
    assert (peer, answer.status) == (f"udp:{SCSCF}:6060/4060", 481)
