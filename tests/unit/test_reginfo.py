# SPDX-License-Identifier: Apache-2.0
"""reginfo documents against the examples of RFC 3680, 5.4 and TS 24.229, and what strangers may send."""

import pytest

from dialtone.codec.reginfo import ContactInfo, RegInfo, RegistrationInfo, decode, encode
from dialtone.errors import ProtocolError

# RFC 3680, 5.4
RFC = b"""<?xml version="1.0"?>
    <reginfo xmlns="urn:ietf:params:xml:ns:reginfo"
        xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
        version="0" state="full">
     <registration aor="sip:joe@example.com" id="a7" state="init"/>
     <registration aor="sip:joe@example.com" id="a8" state="active">
       <contact id="76" state="active" event="registered"
                duration-registered="7322"
                q="0.8">
                <uri>sip:joe@pc887.example.com</uri>
       </contact>
       <contact id="77" state="terminated" event="expired" expires="0" duration-registered="3600" q="0.5">
                <uri>sip:joe@university.edu</uri>
       </contact>
     </registration>
    </reginfo>"""


def test_the_example_of_the_rfc() -> None:
    info = decode(RFC)
    assert (info.version, info.full) == (0, True)
    assert [each.state for each in info.registrations] == ["init", "active"]
    first, second = info.registrations[1].contacts
    assert first == ContactInfo("76", "sip:joe@pc887.example.com", q="0.8")
    assert (second.state, second.event, second.expires) == ("terminated", "expired", 0)


def test_both_directions() -> None:
    contact = ContactInfo("c1", "sip:10.46.0.2:6301;x=<&>", "active", "created", 600000, "0.5", 'A "B" <C>',
                          (("+sip.instance", '"<urn:gsma:imei:35>"'), ("+g.3gpp.smsip", "")))
    info = RegInfo(3, False, (RegistrationInfo("tel:+15550001", "r1", "active", (contact,)),
                              RegistrationInfo("sip:a@b", "r2", "terminated")))
    assert decode(encode(info)) == info


def test_what_xml_cannot_carry_is_left_out() -> None:
    """A phone may write anything into its Contact."""
    info = RegInfo(0, True, (RegistrationInfo("sip:a@b", "r", "active", (
        ContactInfo("c", "sip:a\x01\udcff@b", params=(("x", "\x00y"),)),)),))
    (registration,) = decode(encode(info)).registrations
    assert (registration.contacts[0].uri, registration.contacts[0].params) == ("sip:a@b", (("x", "y"),))


@pytest.mark.parametrize("change", [
    (b"<reginfo", b"<!DOCTYPE x [<!ENTITY a 'b'>]><reginfo"), (b"</reginfo>", b""), (b'version="0"', b'version="-1"'),
    (b'state="full"', b'state="half"'), (b'event="expired"', b'event="x"'), (b'aor="sip:joe@example.com"', b""),
    (b"<uri>sip:joe@university.edu</uri>", b""), (b"reginfo", b"regunfo"), (b"joe", b"\xff"),
    (b"<contact", b"<a>" * 40 + b"<contact")])
def test_what_is_no_reginfo(change: tuple[bytes, bytes]) -> None:
    with pytest.raises(ProtocolError):
        decode(RFC.replace(*change))


def test_a_document_without_end() -> None:
    with pytest.raises(ProtocolError):
        decode(RFC + b" " * 70_000)
