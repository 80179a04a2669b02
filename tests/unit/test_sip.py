# SPDX-License-Identifier: Apache-2.0
"""The SIP codec: loss-free, strict where a message could not be answered otherwise, and quiet on any octets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialtone.codec import sip
from dialtone.codec.sip import AuthParams, CSeq, NameAddr, SipError, SipUri, TelUri, Via
from dialtone.codec.sip.grammar import Known, split_list

REGISTER = b"""REGISTER sip:ims.mnc001.mcc001.3gppnetwork.org SIP/2.0
Via: SIP/2.0/UDP 10.46.0.2:5060;branch=z9hG4bK1;rport
Max-Forwards: 70
f : <sip:001010000000001@ims.mnc001.mcc001.3gppnetwork.org>;tag=a
To: <sip:001010000000001@ims.mnc001.mcc001.3gppnetwork.org>
Call-ID: one@10.46.0.2
CSeq: 1 REGISTER
Contact: <sip:10.46.0.2:5060>;+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel";+g.3gpp.smsip,
  <sip:b@10.46.0.3>;q=0.5
X-Unknown:  kept  as it is
Supported: path, gruu
k: sec-agree
Content-Length: 4

bodyrest""".replace(b"\n", b"\r\n")


def test_a_message_keeps_what_it_came_as() -> None:
    message = sip.decode(REGISTER)
    assert isinstance(message, sip.RegisterRequest)
    assert (message.method, message.uri) == ("REGISTER", "sip:ims.mnc001.mcc001.3gppnetwork.org")
    assert message.body == b"body"
    assert sip.encode(message) == REGISTER[:-4]
    assert message.options("supported") == {"path", "gruu", "sec-agree"}
    contacts = [NameAddr.parse(value) for value in message.all("m")]
    assert [contact.uri for contact in contacts] == ["sip:10.46.0.2:5060", "sip:b@10.46.0.3"]
    assert contacts[0].params["+g.3gpp.smsip"] is None
    assert message.from_.tag == "a"
    assert message.via == Via("UDP", "10.46.0.2", 5060, {"branch": "z9hG4bK1", "rport": None})


def test_lines_are_replaced_and_the_others_stay() -> None:
    message = sip.decode(REGISTER)
    message.prepend("Via", "SIP/2.0/TCP pcscf.example.org;branch=z9hG4bK2")
    message.append("Path", "<sip:term@pcscf.example.org;lr>")
    message.set("Max-Forwards", "69")
    message.remove("Supported")
    again = sip.decode(sip.encode(message))
    assert [via.partition(";")[0] for via in again.all("v")] == ["SIP/2.0/TCP pcscf.example.org",
                                                                 "SIP/2.0/UDP 10.46.0.2:5060"]
    assert again.pop("Via") == "SIP/2.0/TCP pcscf.example.org;branch=z9hG4bK2"
    assert again.pop("Contact").startswith("<sip:10.46.0.2:5060>")  # type: ignore[union-attr]
    assert again.all("Contact") == ["<sip:b@10.46.0.3>;q=0.5"]
    assert again.first("Max-Forwards") == "69"
    assert not again.has("k")
    assert b"X-Unknown:  kept  as it is\r\n" in sip.encode(again)


def test_an_answer_copies_what_answers_copy() -> None:
    message = sip.decode(REGISTER)
    assert isinstance(message, sip.SipRequest)
    answer = sip.response(message, 401)
    assert isinstance(answer, sip.RegisterResponse)
    assert sip.encode(answer).startswith(b"SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP 10.46.0.2:5060;")
    again = sip.decode(sip.encode(answer))
    assert isinstance(again, sip.RegisterResponse)
    assert (again.status, again.cseq, again.call_id) == (401, CSeq(1, "REGISTER"), "one@10.46.0.2")


@pytest.mark.parametrize(("old", "new", "cause"), [
    (b"SIP/2.0\r\nVia", b"SIP/7.0\r\nVia", 505),
    (b"CSeq: 1 REGISTER", b"CSeq: 1 INVITE", 400),
    (b"CSeq: 1 REGISTER", b"CSeq: 2147483648 REGISTER", 400),
    (b"CSeq: 1 REGISTER", b"CSeq: 1 REGISTER\r\nCSeq: 1 REGISTER", 400),
    (b"Content-Length: 4", b"Content-Length: 40", 400),
    (b"Content-Length: 4", b"Content-Length: -4", 400),
    (b"Call-ID: one@10.46.0.2", b"Call-ID:", 400),
    (b"To: <", b"To: \"unclosed <", 400),
    (b"X-Unknown:", b"X-Unknown", 400),
    (b"sip:ims.mnc001.mcc001.3gppnetwork.org SIP", b"sip:ims.mnc001; lr SIP", 400),
])
def test_what_is_wrong_can_be_answered(old: bytes, new: bytes, cause: int) -> None:
    with pytest.raises(SipError) as error:
        sip.decode(REGISTER.replace(old, new, 1))
    assert error.value.cause == cause
    assert isinstance(error.value.message, sip.RegisterRequest)
    assert sip.response(error.value.message, cause).all("Via")


@pytest.mark.parametrize("text", [
    "sip:alice@example.org", "sip:+15551234;phone-context=x@example.org:5062;user=phone;lr?Subject=a",
    "sips:[2001:db8::1]:5061;transport=tcp", "sip:pcscf.ims.mnc001.mcc001.3gppnetwork.org;lr"])
def test_sip_uris(text: str) -> None:
    assert str(SipUri.parse(text)) == text


def test_other_values() -> None:
    assert TelUri.parse("tel:+1-555-1234;phone-context=example.org").digits == "+15551234"
    address = NameAddr.parse('"A \\"B\\" <c>" <sip:a@b;x=1>;tag=t')
    assert (address.display, address.uri, address.tag) == ('A "B" <c>', "sip:a@b;x=1", "t")
    assert str(address) == '"A \\"B\\" <c>" <sip:a@b;x=1>;tag=t'
    assert NameAddr.parse("sip:a@b;tag=t").params == {"tag": "t"}
    auth = AuthParams.parse('Digest username="a@b", realm="r",nonce="", qop=auth,nc=00000001, algorithm=AKAv1-MD5')
    assert (auth.scheme, auth.get("username"), auth.get("nonce")) == ("Digest", "a@b", "")
    assert str(auth) == 'Digest username="a@b",realm="r",nonce="",qop=auth,nc=00000001,algorithm=AKAv1-MD5'
    assert split_list('"a, b" <sip:c@d,e>;x="1,2", <sip:f>') == ['"a, b" <sip:c@d,e>;x="1,2"', "<sip:f>"]


@pytest.mark.parametrize(("text", "cause"), [("sip:", 400), ("sip:a@", 400), ("sip:a@b:99999", 400),
                                             ("nobodyknows:a@b", 416), ("sip:a@b;x=1;x=2", 400)])
def test_bad_uris(text: str, cause: int) -> None:
    with pytest.raises(SipError) as error:
        SipUri.parse(text)
    assert error.value.cause == cause


def test_of_what_strangers_write_little_is_kept() -> None:
    read: list[str] = []

    def upper(text: str) -> str:
        read.append(text)
        return text.upper()

    known = Known(upper)
    assert (known["a"], known["a"], read) == ("A", "A", ["a"])
    for number in range(10_000):
        assert known[f"x{number}"] == f"X{number}"
        assert known[f"{number}" + "y" * 1000][-1] == "Y"
    assert len(known) <= 4096
    assert max(map(len, known)) < 10


@given(st.binary(max_size=300), st.integers(0, len(REGISTER)), st.integers(0, 40))
def test_no_octets_raise_anything_else(junk: bytes, at: int, gone: int) -> None:
    for data in (junk, REGISTER[:at] + junk + REGISTER[at + gone:]):
        try:
            message = sip.decode(data)
        except SipError:
            continue
        again = sip.decode(sip.encode(message))
        assert [line.text for line in again.lines] == [line.text for line in message.lines]
