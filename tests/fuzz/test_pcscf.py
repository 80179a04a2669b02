# SPDX-License-Identifier: Apache-2.0
"""Any octets, and messages that are almost right, at the P-CSCF: answered or dropped, never a defect, and the next
phone registers as if nothing had been."""

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pcscf_rig import DOMAIN, NUMBER, Phone, Rig, messages

from dialtone.codec import sip
from dialtone.codec.sip import SipRequest
from dialtone.sip.security_agreement import mechanisms

MODEST = settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
BITS = [b"Contact: *\r\n", b"Authorization: Digest\r\n", b"Require: a, b\r\n", b"Route: <sip:x;lr>\r\n", b"To: \r\n",
        b'"', b"<", b",", b";", b"\r\n", b"\0", b"\xff", b"sip:", b"tel:+1", b"ipsec-3gpp;alg=hmac-md5-96;spi-c=1",
        b"=", b"  "]


def healthy(rig: Rig) -> None:
    assert rig.loop.counters.get("internal error", 0) == 0
    phone = Phone(host="10.46.0.99", impi=f"001010000000099@{DOMAIN}", spi=90_001)
    assert rig.register(phone).status == 200


def spoil(data: st.DataObject, octets: bytes) -> bytes:
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(octets)))
        cut = data.draw(st.integers(0, 20))
        octets = octets[:place] + data.draw(st.sampled_from(BITS)) + octets[place + cut:]
    return octets


@MODEST
@given(st.binary(max_size=300), st.sampled_from(["udp:10.46.0.2:5060/5060", "tcp:10.46.0.2:6200/6100"]))
def test_any_octets_on_gm(octets: bytes, flow: str) -> None:
    rig = Rig()
    rig.gm(flow, octets)
    healthy(rig)


@MODEST
@given(st.data())
def test_a_spoilt_register(data: st.DataObject) -> None:
    rig, phone = Rig(), Phone()
    first = messages(rig.gm(phone.clear, spoil(data, phone.register())), "Mw")
    if first and isinstance(first[0], SipRequest):
        answers = messages(rig.challenge(first[0]), "Gm")
        if answers and (server := answers[0].first("Security-Server")):
            phone.server = server
            rig.gm(phone.protected, spoil(data, phone.register(response="5a")))
    healthy(rig)


@MODEST
@given(st.data(), st.sampled_from(["INVITE", "MESSAGE", "SUBSCRIBE", "BYE", "ACK", "CANCEL", "REGISTER"]))
def test_spoilt_requests_of_a_registered_phone(data: st.DataObject, method: str) -> None:
    rig, phone = Rig(), Phone()
    rig.register(phone)
    rig.gm(phone.protected, spoil(data, phone.request(method, NUMBER, f"P-Preferred-Identity: <{NUMBER}>",
                                                      f"Security-Verify: {phone.server}")))
    healthy(rig)


@MODEST
@given(st.data(), st.sampled_from([200, 401, 403, 503]))
def test_a_spoilt_answer_of_the_s_cscf(data: st.DataObject, status: int) -> None:
    rig, phone = Rig(), Phone()
    (first,) = messages(rig.gm(phone.clear, phone.register()), "Mw")
    answer = sip.response(first, status)
    answer.append("WWW-Authenticate", 'Digest realm="x",nonce="y",ck="00112233445566778899aabbccddeeff",ik="00"')
    answer.append("Contact", f"{first.first('Contact')};expires=60")
    answer.append("Service-Route", "<sip:orig@scscf;lr>")
    answer.append("P-Associated-URI", f"<{NUMBER}>")
    rig.mw(spoil(data, sip.encode(answer)))
    healthy(rig)


@MODEST
@given(st.data())
def test_a_spoilt_request_for_a_phone(data: st.DataObject) -> None:
    rig, phone = Rig(), Phone()
    rig.register(phone)
    request = phone.request("INVITE", f"sip:{phone.host}:{phone.port_s}", f"Route: <sip:term@pcscf.{DOMAIN};lr>",
                            f"P-Called-Party-ID: <{NUMBER}>", "Privacy: id")
    rig.mw(spoil(data, request))
    healthy(rig)


@MODEST
@given(st.text(max_size=200))
def test_any_text_as_an_offer(text: str) -> None:
    message = sip.request("REGISTER", "sip:x")
    message.append("Security-Client", text.replace("\r", "").replace("\n", ""))
    with contextlib.suppress(sip.SipError):
        assert len(mechanisms(message, "Security-Client")) <= 16


@pytest.mark.parametrize("count", [1000])
def test_a_thousand_contacts_and_registrations_are_bounded(count: int) -> None:
    rig, phone = Rig(), Phone()
    contacts = ", ".join(f"<sip:{phone.host}:{port}>" for port in range(2000, 2000 + count))
    (answer,) = messages(rig.gm(phone.clear, phone.register(contact=contacts)), "Gm")
    assert answer.status == 400
    for number in range(count):  # whom nobody knows leaves nothing
        phone.impi = f"00101{number:010d}@{DOMAIN}"
        (first,) = messages(rig.gm(phone.clear, phone.register()), "Mw")
        rig.mw(sip.response(first, 403))
    assert (rig.pcscf.registrations, rig.pcscf.by_spi, rig.pcscf.by_place, rig.pcscf.by_contact) == ({}, {}, {}, {})
    healthy(rig)


def test_a_flood_of_emergency_calls_leaves_one_guest_and_one_call() -> None:
    """Each call for help from an address takes the place of the one before; other addresses are not touched."""
    rig, phone = Rig(emergency="desk"), Phone(number="sip:anonymous@anonymous.invalid")
    for number in range(300):
        phone.call_id = f"help-{number}"
        rig.gm(phone.clear, phone.request("INVITE", "urn:service:sos", f"Contact: <sip:{phone.host}:5060>"))
    assert (len(rig.pcscf.guests), len(rig.pcscf.passing), len(rig.pcscf.by_contact)) == (1, 1, 1)
    other = Phone(host="10.46.0.9", number="sip:anonymous@anonymous.invalid", call_id="another", spi=9)
    theirs = other.request("INVITE", "urn:service:sos", "Contact: <sip:10.46.0.9:5060>")
    assert messages(rig.gm(other.clear, theirs), "Mw")
    assert len(rig.pcscf.guests) == 2


@pytest.mark.parametrize("contact", [
    "*", "tel:112", "<sip:>", "<sip:[::1>", "<sip:10.46.0.2:99999>", "\xff", "<urn:x>"])
def test_a_call_for_help_with_a_contact_that_leads_nowhere(contact: str) -> None:
    rig, phone = Rig(emergency="desk"), Phone()
    answers = messages(rig.gm(phone.clear, phone.request("INVITE", "urn:service:sos", f"Contact: {contact}")), "Gm")
    assert [400 <= answer.status < 500 for answer in answers] == [True]
    assert (rig.pcscf.guests, rig.pcscf.passing) == ({}, {})
    assert rig.loop.counters.get("internal error", 0) == 0
