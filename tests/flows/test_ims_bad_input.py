# SPDX-License-Identifier: Apache-2.0
"""RFC 4475's torture messages, and phones that lie or flood, at every SIP port of the whole network: answers as the
RFCs say, and two phones beside them text and call as if nothing had been."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from network import Network, msisdn_of

from dialtone.codec import sip
from dialtone.codec.sip import SipMessage, SipRequest
from dialtone.config import Config
from dialtone.sim.ims.call import AnswerCommand, CallCommand, HangUpCommand
from dialtone.sim.ims.client import ImsClient, ImsHandset
from dialtone.sim.ims.states import CallState
from dialtone.sim.ims.text import TextCommand
from dialtone.sip.flow import Flow

sys.path.append(str(Path(__file__).parents[1] / "unit"))
from test_sip_torture import DISCARDED, REFUSED, TORTURE, torture

MakeNetwork = Callable[..., Network]
STRANGER = "10.46.0.77"
DOMAIN = Config().network.plmn.ims_domain
needs_torture = pytest.mark.skipif(not TORTURE.is_dir(), reason="the vectors of RFC 4475 lie beside the checkout")


class Lab:
    """Two phones in IMS, and octets at any port."""

    def __init__(self, make_network: MakeNetwork, transport: str = "udp") -> None:
        self.net = make_network(phones=0)
        self.one, self.two = (self.net.add_ims(number, ImsHandset(transport=transport)) for number in (1, 2))
        for client in (self.one, self.two):
            self.net.attach(client.imsi, 3)
            assert client.registered
        self.transport, self.made, self.registered = transport, 0, self.net.now - 1

    def protected(self, client: ImsClient) -> str:
        """The flow of a phone's protected requests, as the P-CSCF sees it."""
        assert client.secure is not None
        sas = client.secure.sas
        return f"{self.transport}:{client.address}:{sas.phone.port_c}/{sas.network.port_s}"

    def say(self, element: str, point: str, peer: str, data: bytes) -> list[int]:
        """The final answers of the element, at once: before anything is repeated."""
        start = self.net.events()[-1].id
        self.net.loop.deliver(element, point, peer, data)
        self.net.run(0.01)
        statuses = [int(event.data[8:11]) for event in self.net.events(point) if event.id > start
                    and (event.kind, event.src) == ("tx", element) and event.data.startswith(b"SIP/2.0 ")]
        return [status for status in statuses if status >= 200]

    def gm(self, message: SipMessage, peer: str = "") -> list[int]:
        """A message of the first phone, or of whoever is at `peer`."""
        return self.say("pcscf", "Gm", peer or self.protected(self.one), sip.encode(message))

    def answered_by_sas(self) -> bool:
        """Whether what went to the phone's address took its protected ports: in plain text the kernel lets none out."""
        assert self.one.secure is not None
        sas = self.one.secure.sas
        ways = {(sas.phone.port_s, sas.network.port_c), (sas.phone.port_c, sas.network.port_s)}
        flows = [Flow.parse(event.dst) for event in self.net.events("Gm")
                 if (event.kind, event.src) == ("tx", "pcscf") and event.time > self.registered]
        return {(flow.port, flow.local_port) for flow in flows if flow.host == self.one.address} <= ways

    def like(self, name: str) -> SipRequest:
        """A copy of the last such request of the first phone, in a transaction of its own."""
        request = sip.decode(self.net.sent(name, self.one.name)[-1].data)
        assert isinstance(request, SipRequest)
        self.made += 1
        via = request.first("Via") or ""
        request.set("Via", f"{via.partition(';branch=')[0]};branch=z9hG4bKlie{self.made}")
        request.set("Call-ID", f"lie-{self.made}")
        return request

    def well(self) -> None:
        """Nobody fell over, and the two phones text and call each other."""
        assert self.net.loop.counters.get("internal error", 0) == 0
        for sender, other in ((self.one, self.two), (self.two, self.one)):
            before = len(other.inbox)
            self.net.command(sender.name, TextCommand(f"+{msisdn_of(int(other.imsi[-4:]))}", "still here"))
            assert len(other.inbox) == before + 1
        self.net.command(self.one.name, CallCommand(f"+{msisdn_of(2)}"), 3)
        self.net.command(self.two.name, AnswerCommand(), 2)
        assert [one.state for client in (self.one, self.two) for one in client.calls.values()] == [CallState.ACTIVE] * 2
        self.net.command(self.one.name, HangUpCommand(), 3)
        assert not self.two.calls


def names() -> list[str]:
    return sorted({file.stem for file in TORTURE.glob("*.dat")} - {"test"})


@needs_torture
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_torture_at_every_port(make_network: MakeNetwork, transport: str) -> None:
    """RFC 4475, 3: at Gm in plain text and inside ESP, at Mw and at ISC, on both sides of each."""
    lab = Lab(make_network, transport)
    stranger = f"{transport}:{STRANGER}:5060/5060"
    for name in names():
        plain = lab.say("pcscf", "Gm", stranger, torture(name))
        proxies = [lab.say(*port, torture(name)) for port in (
            ("pcscf", "Gm", lab.protected(lab.one)), ("pcscf", "Mw", "scscf"), ("scscf", "Mw", "pcscf"),
            ("scscf", "ISC", "sms"))]
        endpoint = lab.say("sms", "ISC", "scscf", torture(name))
        assert lab.answered_by_sas(), name
        if name in {*DISCARDED, "bigcode"}:
            assert [plain, *proxies, endpoint] == [[]] * 6, name
        elif name in REFUSED:
            assert proxies == [[REFUSED[name]]] * 4, name
            assert plain in ([REFUSED[name]], [403]), name  # who is not registered is told that first
            assert endpoint in ([REFUSED[name]], [405]), name
        else:  # valid, and for nobody here
            for (status,) in (plain, *proxies, endpoint):
                assert 400 <= status < 500 or status == 501, name
    lab.net.run(200)
    lab.well()


@needs_torture
def test_torture_in_a_burst_leaves_nothing(make_network: MakeNetwork) -> None:
    """All of it many times over, without a pause: no table grows with what strangers say."""
    lab = Lab(make_network)
    for turn in range(20):
        for name in names():
            for port in (("pcscf", "Gm", f"udp:10.46.1.{turn}:5060/5060"), ("pcscf", "Gm", lab.protected(lab.one)),
                         ("scscf", "Mw", "pcscf"), ("sms", "ISC", "scscf")):
                lab.net.loop.deliver(*port, torture(name))
        lab.net.run()
    lab.net.run(200)
    pcscf, scscf = lab.net.core.pcscf, lab.net.core.scscf
    assert (len(pcscf.registrations), len(scscf.users), len(scscf.calls)) == (2, 2, 0)
    lab.well()


@pytest.mark.parametrize("header", ["From", "P-Preferred-Identity", "P-Asserted-Identity", "P-Served-User"])
def test_a_phone_that_claims_to_be_another(make_network: MakeNetwork, header: str) -> None:
    """TS 24.229, 5.2.6.3.3: whatever it says, the other one sees an identity that was registered."""
    lab = Lab(make_network)
    lab.net.command(lab.one.name, TextCommand(f"+{msisdn_of(2)}", "who am I?"))
    lie = lab.like("MESSAGE")
    lie.set(header, f"<sip:+{msisdn_of(2)}@{DOMAIN}>;tag=1")
    lab.gm(lie)
    lab.net.run(1)
    assert {text.sender for text in lab.two.inbox} == {f"sip:+{msisdn_of(1)}@{DOMAIN}"}
    assert len(lab.two.inbox) == 2
    lab.well()


def test_a_registration_under_the_name_of_another(make_network: MakeNetwork) -> None:
    lab = Lab(make_network)
    lie = lab.like("REGISTER")
    for name in ("Authorization", "From", "To"):
        lie.set(name, (lie.first(name) or "").replace(lab.one.imsi, lab.two.imsi).replace(msisdn_of(1), msisdn_of(2)))
    (status,) = lab.gm(lie)
    assert status in (400, 401, 403, 421)
    lab.net.run(40)
    assert {user.impi for user in lab.net.core.scscf.users.values()} == {
        f"{client.imsi}@{DOMAIN}" for client in (lab.one, lab.two)}
    lab.well()


def test_a_digest_is_good_once(make_network: MakeNetwork) -> None:
    """The very REGISTER that was good, once more in another transaction: a new challenge, and the old registration
    stands (RFC 3310, 3.3; TS 24.229, 5.4.1.2.2)."""
    lab = Lab(make_network)
    again = lab.like("REGISTER")
    assert 'response="' in (again.first("Authorization") or "")
    (status,) = lab.gm(again)
    assert status in (400, 401, 403)
    assert lab.one.registered
    lab.net.run(100)
    lab.well()


@pytest.mark.parametrize("host", [STRANGER, "two"])
def test_requests_from_another_address(make_network: MakeNetwork, host: str) -> None:
    """A good request of a registered phone, from an address that is not its own, in plain text or at a protected port
    (which the kernel would not let in): 403, and nobody hears of it."""
    lab = Lab(make_network)
    lab.net.command(lab.one.name, TextCommand(f"+{msisdn_of(2)}", "hello"))
    address = lab.two.address if host == "two" else host
    for port in (5060, 6100):
        (status,) = lab.gm(lab.like("MESSAGE"), f"udp:{address}:5060/{port}")
        assert status == 403
    lab.net.run(2)
    assert len(lab.two.inbox) == 1
    lab.well()


@pytest.mark.parametrize("uri", ["sip:127.0.0.1", "sip:root@10.0.1.133:36412;transport=tcp", "sip:x@[::1]"])
def test_nobody_has_the_core_send_where_he_likes(make_network: MakeNetwork, uri: str) -> None:
    """To an address in the Request-URI, in a Route, in the Route of a strict router: 404, or to whom it is for."""
    lab = Lab(make_network)
    lab.net.command(lab.one.name, TextCommand(f"+{msisdn_of(2)}", "hello"))
    there = lab.like("MESSAGE")
    there.uri = uri
    assert lab.gm(there) == [404]
    inside = lab.like("MESSAGE")  # of a dialog, says its To tag: then its Route is its own
    inside.set("To", f"{inside.first('To')};tag=forged")
    inside.set("Route", f"<sip:scscf.{DOMAIN};lr>", f"<{uri};lr>")
    assert lab.gm(inside) == [404]
    for route in (f"<{uri}>", f"<{uri};lr>"):
        by_way = lab.like("MESSAGE")
        by_way.set("Route", route)
        lab.gm(by_way)
        lab.net.run(1)
    assert len(lab.two.inbox) == 3
    assert {event.dst for event in lab.net.events("Mw")} <= {"pcscf", "scscf"}
    lab.well()


def test_a_thousand_contacts_in_one_register(make_network: MakeNetwork) -> None:
    lab = Lab(make_network)
    many = lab.like("REGISTER")
    many.set("Contact", ", ".join(f"<sip:{lab.one.address}:{port}>" for port in range(7000, 8000)))
    (status,) = lab.gm(many)
    assert status == 400
    lab.net.run(100)
    lab.well()


def test_a_flood_of_invites(make_network: MakeNetwork) -> None:
    """A phone calls five hundred times at once, and never acknowledges: the calls end, and nothing stays of them."""
    lab = Lab(make_network)
    lab.net.command(lab.one.name, CallCommand(f"+{msisdn_of(2)}"), 3)
    lab.net.command(lab.one.name, HangUpCommand(), 3)
    invite = lab.like("INVITE")
    for number in range(500):
        invite.set("Via", f"SIP/2.0/UDP {lab.one.address}:6301;branch=z9hG4bKflood{number}")
        invite.set("Call-ID", f"flood-{number}")
        lab.net.loop.deliver("pcscf", "Gm", lab.protected(lab.one), sip.encode(invite))
    lab.net.run(1)
    lab.net.command(lab.two.name, TextCommand(f"+{msisdn_of(1)}", "in the middle of it"))
    assert lab.two.last.startswith("sent to")
    lab.net.run(400)
    core = lab.net.core
    assert (core.scscf.calls, core.pcscf.passing, core.pgw.af_sessions) == ({}, {}, {})
    lab.net.command(lab.two.name, HangUpCommand(), 5)
    lab.well()
