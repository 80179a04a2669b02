# SPDX-License-Identifier: Apache-2.0
"""Requests of and for registered phones at the P-CSCF (TS 24.229, 5.2.6 and 5.2.10)."""

from typing import Any

import pytest
from pcscf_rig import DOMAIN, NUMBER, ROUTE, Phone, Rig, messages

from dialtone.codec import sip
from dialtone.codec.sip import MessageRequest, NameAddr, SipRequest
from dialtone.effects import PeerDown

PCSCF = f"pcscf.{DOMAIN}"
DESK = f"<sip:sos@scscf.{DOMAIN};lr>"


def registered() -> tuple[Rig, Phone]:
    rig, phone = Rig(), Phone()
    rig.register(phone)
    return rig, phone


def sent(rig: Rig, phone: Phone, method: str, *lines: str, uri: str = f"sip:+15550199@{DOMAIN}", to: str = "") -> Any:
    """What the S-CSCF gets of a request."""
    (request,) = messages(rig.gm(phone.protected, phone.request(method, uri, *lines, to=to)), "Mw")
    return request


def incoming(phone: Phone, method: str = "INVITE", *lines: str, to: str = "<sip:a@b>") -> SipRequest:
    request = sip.request(method, f"sip:{phone.host}:{phone.port_s}")
    for line in (f"Via: SIP/2.0/UDP scscf.{DOMAIN};branch=z9hG4bKs1", f"Route: <sip:term@{PCSCF};lr>",
                 "Max-Forwards: 60", "From: <sip:x@y>;tag=1", f"To: {to}", "Call-ID: c1", f"CSeq: 1 {method}", *lines):
        name, _, value = line.partition(":")
        request.append(name, value.strip())
    return request


def test_a_request_goes_the_way_of_service_route_under_a_registered_identity() -> None:
    rig, phone = registered()
    request = sent(rig, phone, "INVITE", "Route: <sip:10.46.0.1:6100;lr>, <sip:shortcut.example;lr>",
                   "P-Asserted-Identity: <sip:president@example.org>", "P-Charging-Vector: icid-value=mine",
                   "Require: sec-agree", "Proxy-Require: sec-agree", f"Security-Verify: {phone.server}",
                   "P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=0010100010019B01", "X-Unknown: kept")
    assert request.all("Route") == [ROUTE]
    assert request.all("P-Asserted-Identity") == [f"<{NUMBER}>"]
    assert "mine" not in request.first("P-Charging-Vector")
    assert request.first("Record-Route") == f"<sip:mo@{PCSCF};lr>"
    assert not any(request.has(name) for name in ("Security-Verify", "Require", "Proxy-Require"))
    assert (request.first("X-Unknown"), request.first("Max-Forwards")) == ("kept", "69")
    assert request.has("P-Access-Network-Info")
    answer = sip.response(request, 183)
    answer.append("Record-Route", f"<sip:scscf.{DOMAIN};lr>, <sip:mo@{PCSCF};lr>")
    answer.append("P-Charging-Vector", "icid-value=secret")
    answer.append("P-Asserted-Identity", "<tel:+15550199>")
    (back,) = messages(rig.mw(answer), "Gm")
    assert back.all("Record-Route") == [f"<sip:scscf.{DOMAIN};lr>", "<sip:10.46.0.1:6100;lr>"]
    assert not back.has("P-Charging-Vector")
    assert back.has("P-Asserted-Identity")


@pytest.mark.parametrize(("preferred", "asserted"), [
    ("<tel:+1-555-0100>", "<tel:+15550100>"), (f'"Me" <{NUMBER};user=phone>', f"<{NUMBER}>"),
    ("<sip:president@example.org>", f"<{NUMBER}>"), ("<tel:+15550101>", f"<{NUMBER}>"), ("nonsense", f"<{NUMBER}>")])
def test_a_preferred_identity_counts_if_it_is_registered(preferred: str, asserted: str) -> None:
    rig, phone = registered()
    request = sent(rig, phone, "MESSAGE", f"P-Preferred-Identity: {preferred}")
    assert request.all("P-Asserted-Identity") == [asserted]
    assert not request.has("P-Preferred-Identity")


def test_in_a_dialog_the_route_set_stands() -> None:
    rig, phone = registered()
    routes = f"<sip:10.46.0.1:6100;lr>, <sip:mt@scscf.{DOMAIN};lr>"
    request = sent(rig, phone, "BYE", f"Route: {routes}", to="<sip:a@b>;tag=2")
    assert request.all("Route") == [f"<sip:mt@scscf.{DOMAIN};lr>"]
    assert not request.has("P-Asserted-Identity")
    assert not request.has("Record-Route")


def test_privacy_hides_the_caller_from_the_phone_only() -> None:
    rig, phone = registered()
    request = incoming(phone, "INVITE", "P-Asserted-Identity: <sip:secret@x>", "Privacy: header;id", "P-Served-User: x",
                       "P-Charging-Vector: icid-value=1")
    (out,) = messages(rig.mw(request), "Gm")
    assert not any(out.has(name) for name in ("P-Asserted-Identity", "P-Served-User", "P-Charging-Vector"))
    assert sent(rig, phone, "MESSAGE", "Privacy: id").has("P-Asserted-Identity")


def test_a_request_for_a_phone_goes_over_its_sas() -> None:
    rig, phone = registered()
    request = incoming(phone, "INVITE", f"P-Called-Party-ID: <{NUMBER}>", f"Record-Route: <sip:scscf.{DOMAIN};lr>")
    ((_, peer, out),) = rig.mw(request)
    assert peer == "udp:10.46.0.2:6300/6101"
    assert (out.via.host, out.via.port, out.via.transport) == ("10.46.0.1", 6101, "UDP")
    assert out.all("Record-Route") == ["<sip:10.46.0.1:6100;lr>", f"<sip:scscf.{DOMAIN};lr>"]
    assert not out.has("Route")
    ringing = sip.response(out, 180)
    ringing.append("Record-Route", ", ".join(out.all("Record-Route")))
    ringing.append("P-Asserted-Identity", "<sip:president@example.org>")
    rig.loop.deliver("pcscf", "Gm", peer, sip.encode(ringing))
    (back,) = messages(rig.run(), "Mw")
    assert back.all("Record-Route") == [f"<sip:mt@{PCSCF};lr>", f"<sip:scscf.{DOMAIN};lr>"]
    assert back.all("P-Asserted-Identity") == [f"<{NUMBER}>"]


def test_a_long_request_goes_over_tcp_and_over_udp_where_the_phone_does_not_listen() -> None:
    rig, phone = registered()
    request = incoming(phone, "INVITE")
    request.content("application/sdp", b"v=0\r\n" * 300)
    ((_, peer, out),) = rig.mw(request)
    assert peer == "tcp:10.46.0.2:6300/6101"
    assert out.via.transport == "TCP"
    ((_, peer, out),) = rig.tell(PeerDown("Gm", peer))
    assert peer == "udp:10.46.0.2:6300/6101"
    assert out.via.transport == "UDP"


def test_nobody_is_registered_there() -> None:
    rig, phone = registered()
    phone.port_s = 9999
    (answer,) = messages(rig.mw(incoming(phone)), "Mw")
    assert answer.status == 480


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE", "SUBSCRIBE", "OPTIONS", "PUBLISH", "FROBNICATE"])
def test_who_is_not_registered_is_refused(method: str) -> None:
    rig, phone = Rig(), Phone()
    (answer,) = messages(rig.gm(phone.clear, phone.request(method, NUMBER)), "Gm")
    assert answer.status == 403
    assert not messages(rig.log, "Mw")


def test_a_registered_phone_in_plain_text_is_refused() -> None:
    rig, phone = registered()
    (answer,) = messages(rig.gm(phone.clear, phone.request("MESSAGE", NUMBER)), "Gm")
    assert answer.status == 403


def test_a_challenged_phone_may_only_register() -> None:
    rig, phone = Rig(), Phone()
    (first,) = messages(rig.gm(phone.clear, phone.register(verify="")), "Mw")
    phone.server = messages(rig.challenge(first), "Gm")[0].first("Security-Server")
    (answer,) = messages(rig.gm(phone.protected, phone.request("MESSAGE", NUMBER)), "Gm")
    assert answer.status == 403


def test_a_wrong_security_verify_in_a_request() -> None:
    rig, phone = registered()
    wrong = phone.server.replace("spi-c=", "spi-c=1")
    (answer,) = messages(rig.gm(phone.protected, phone.request("MESSAGE", NUMBER, f"Security-Verify: {wrong}")), "Gm")
    assert answer.status == 494


def test_cancel_follows_its_invite() -> None:
    rig, phone = registered()
    invite = sent(rig, phone, "INVITE")
    rig.mw(sip.response(invite, 180))
    data = phone.request("CANCEL", f"sip:+15550199@{DOMAIN}")
    branch = f"{phone.spi}{phone.cseq - 1}INVITE"
    data = data.replace(f"{phone.spi}{phone.cseq}CANCEL".encode(), branch.encode())
    data = data.replace(f"CSeq: {phone.cseq} ".encode(), f"CSeq: {phone.cseq - 1} ".encode())
    happened = rig.gm(phone.protected, data)
    assert [message.status for message in messages(happened, "Gm")] == [200]
    (cancel,) = messages(happened, "Mw")
    assert (cancel.method, cancel.via.branch) == ("CANCEL", invite.via.branch)
    (last,) = messages(rig.mw(sip.response(invite, 487)), "Gm")
    assert last.status == 487


def test_ack_to_a_2xx_passes() -> None:
    rig, phone = registered()
    invite = sent(rig, phone, "INVITE")
    answer = sip.response(invite, 200)
    answer.set("To", "<sip:a@b>;tag=9")
    rig.mw(answer)
    ack = phone.request("ACK", "sip:10.46.0.3:6300", f"Route: <sip:10.46.0.1:6100;lr>, <sip:scscf.{DOMAIN};lr>",
                        to="<sip:a@b>;tag=9")
    (passed,) = messages(rig.gm(phone.protected, ack), "Mw")
    assert (passed.method, passed.all("Route")) == ("ACK", [f"<sip:scscf.{DOMAIN};lr>"])


@pytest.mark.parametrize("uri", ["urn:service:sos", "urn:service:sos.police", f"sip:112@{DOMAIN}", "tel:911",
                                 f"sip:911;phone-context={DOMAIN}@{DOMAIN};user=phone"])
def test_emergency_calls_are_sent_elsewhere(uri: str) -> None:
    for rig, flow in ((Rig(), ""), (registered()[0], "udp:10.46.0.2:6200/6100")):
        phone = Phone()
        (answer,) = messages(rig.gm(flow or phone.clear, phone.request("INVITE", uri)), "Gm")
        assert answer.status == 380
        assert answer.content_type == "application/3gpp-ims+xml"
        assert b"<type>emergency</type>" in answer.body
        assert NameAddr.parse(answer.first("P-Asserted-Identity")).uri == f"sip:term@{PCSCF};lr"


def test_a_desk_takes_emergency_calls_of_registered_phones() -> None:
    rig, phone = Rig(emergency="desk"), Phone()
    rig.register(phone)
    request = sent(rig, phone, "INVITE", uri="tel:112")
    assert (request.uri, request.all("Route")) == ("urn:service:sos", [DESK])
    assert request.all("P-Asserted-Identity") == [f"<{NUMBER}>"]


def test_a_desk_takes_those_of_guests_and_nothing_else() -> None:
    rig, phone = Rig(emergency="desk"), Phone(number="sip:anonymous@anonymous.invalid")
    contact = "Contact: <sip:10.46.0.2:5060>"
    (answer,) = messages(rig.gm(phone.clear, phone.request("INVITE", "urn:service:sos")), "Gm")
    assert answer.status == 400, "there is no way back to it"
    strange = phone.request("INVITE", "urn:service:sos", "Contact: <sip:10.46.0.3:5060>")
    assert messages(rig.gm(phone.clear, strange), "Gm")[0].status == 403
    (request,) = messages(rig.gm(phone.clear, phone.request(
        "INVITE", "urn:service:sos", contact, "P-Preferred-Identity: <sip:president@example.org>",
        "P-Asserted-Identity: <sip:president@example.org>")), "Mw")
    assert (request.all("Route"), request.has("P-Asserted-Identity")) == ([DESK], False)
    assert not request.has("P-Preferred-Identity")
    inside = {"to": "<urn:service:sos>;tag=9"}
    assert messages(rig.gm(phone.clear, phone.request("UPDATE", f"sip:desk@{DOMAIN}", **inside)), "Mw")
    other = phone.request("UPDATE", f"sip:desk@{DOMAIN}", **inside).replace(phone.call_id.encode(), b"another")
    assert messages(rig.gm(phone.clear, other), "Gm")[-1].status == 403
    assert messages(rig.gm(phone.clear, phone.request("MESSAGE", NUMBER)), "Gm")[-1].status == 403
    assert messages(rig.gm(phone.clear, phone.request("BYE", f"sip:desk@{DOMAIN}", **inside)), "Mw")
    assert (rig.pcscf.guests, rig.pcscf.passing, rig.pcscf.by_contact) == ({}, {}, {})


def test_who_registered_for_emergencies_may_do_nothing_else() -> None:
    rig, phone = Rig(emergency="desk"), Phone()
    first = messages(rig.gm(phone.clear, phone.register(contact="<sip:10.46.0.2:6300;sos>")), "Mw")[0]
    phone.server = messages(rig.challenge(first), "Gm")[0].first("Security-Server")
    again = phone.register(contact="<sip:10.46.0.2:6300;sos>", response="5a")
    rig.accept(messages(rig.gm(phone.protected, again), "Mw")[0])
    assert messages(rig.gm(phone.protected, phone.request("INVITE", NUMBER)), "Gm")[-1].status == 403
    assert sent(rig, phone, "INVITE", uri="urn:service:sos").all("Route") == [DESK]


@pytest.mark.parametrize(("lines", "status"), [
    (["Max-Forwards: 0"], 483), (["Proxy-Require: foo"], 420), (["Max-Forwards: x"], 400)])
def test_what_a_proxy_refuses(lines: list[str], status: int) -> None:
    rig, phone = registered()
    data = phone.request("MESSAGE", NUMBER, *lines)
    if lines[0].startswith("Max-Forwards"):
        data = data.replace(b"Max-Forwards: 70\r\n", b"")
    (answer,) = messages(rig.gm(phone.protected, data), "Gm")
    assert answer.status == status


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\xff" * 50, b"REGISTER sip:x SIP/2.0\r\n\r\n",
                                  b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
                                  b"To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n"])
def test_octets_that_mean_nothing_harm_nobody(data: bytes) -> None:
    rig, phone = registered()
    rig.gm("udp:10.46.0.9:5060/5060", data)
    rig.mw(data or b"x")
    assert rig.loop.counters.get("internal error", 0) == 0
    assert isinstance(sent(rig, phone, "MESSAGE"), MessageRequest)
