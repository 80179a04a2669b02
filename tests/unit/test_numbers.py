# SPDX-License-Identifier: Apache-2.0
"""What phones dial, and whom it may mean."""

import pytest

from dialtone.errors import ProtocolError
from dialtone.scscf.numbers import Plan, at_home, read, same_identity

DOMAIN = "ims.mnc001.mcc001.3gppnetwork.org"
PLAN = Plan(DOMAIN, "49", (("*100#", "sip:balance@as.example.org"), ("611", f"sip:service@{DOMAIN}")))
LOCAL = f";phone-context={DOMAIN}"


@pytest.mark.parametrize(("uri", "identities"), [
    ("tel:+15550001", ["tel:+15550001"]),
    ("TEL:+1-(555).00-01;phone-context=x", ["tel:+15550001"]),
    (f"sip:+15550001@{DOMAIN};user=phone", ["tel:+15550001"]),
    (f"sip:+15550001@{DOMAIN}", ["tel:+15550001"]),
    (f"sip:%2b15550001@{DOMAIN}", ["tel:+15550001"]),
    (f"sip:+15550001@{DOMAIN.upper()};user=phone", ["tel:+15550001"]),
    ("sip:+15550001@example.org;user=phone", ["tel:+15550001"]),
    # a real handset's: its own number as context, in the user part
    (f"sip:0398765432100;phone-context=0398765432100@{DOMAIN};user=phone",
     ["tel:+0398765432100", "tel:+49398765432100"]),
    ("tel:0398765432100;phone-context=0398765432100", ["tel:+0398765432100", "tel:+49398765432100"]),
    (f"tel:0049398765432{LOCAL}", ["tel:+0049398765432", "tel:+49398765432", "tel:+49049398765432"]),
    ("tel:5550001;phone-context=+1914", ["tel:+5550001", "tel:+19145550001", "tel:+495550001"]),
    (f"tel:101{LOCAL}", [f"tel:101{LOCAL}"]),
    (f"sip:101@{DOMAIN}", [f"tel:101{LOCAL}"]),
    (f"sip:611@{DOMAIN};user=phone", [f"sip:service@{DOMAIN}"]),
    ("tel:*100#", ["sip:balance@as.example.org"]),
    (f"tel:*21#{LOCAL}", [f"tel:*21#{LOCAL}"]),
    (f"sip:001010000000001@{DOMAIN}", [f"sip:001010000000001@{DOMAIN}"]),
    (f"sip:alice@{DOMAIN};transport=tcp", [f"sip:alice@{DOMAIN}"]),
])
def test_identities(uri: str, identities: list[str]) -> None:
    assert list(read(uri, PLAN).identities) == identities


def test_a_number_without_its_beginning() -> None:
    """Inside one block people dial the end of a number."""
    assert read("tel:0002;phone-context=x", Plan(DOMAIN), "+15550001").identities == (
        f"tel:0002{LOCAL}", "tel:+15550002")


def test_somebody_elses_user() -> None:
    found = read("sip:bob@example.org", PLAN)
    assert found.identities == ("sip:bob@example.org",)
    assert not at_home(found.identities[0], PLAN)
    assert at_home(f"sip:alice@{DOMAIN}", PLAN)
    assert at_home("tel:+1555", PLAN)


@pytest.mark.parametrize(("one", "other", "same"), [
    ("tel:+1-555", "TEL:+1555;x=y", True), ("tel:101;phone-context=a", "tel:101;phone-context=A", True),
    ("tel:101;phone-context=a", "tel:101;phone-context=b", False), ("sip:a@B.org", "sip:a@b.org;user=phone", True),
    ("sip:%61@b.org", "sip:a@b.org", True), ("sip:A@b.org", "sip:a@b.org", False), ("x", "y", False)])
def test_spellings_of_one_identity(one: str, other: str, same: bool) -> None:
    assert same_identity(one, other) is same


@pytest.mark.parametrize(("uri", "status"), [
    (f"sip:{DOMAIN}", 484), ("tel:" + "1" * 40, 484), ("tel:abc", 484), ("tel:", 416), ("http://x", 416),
    ("nonsense", 400), ("sip:a@b;x;x", 400), ("urn:service:fire", 416)])
def test_no_address(uri: str, status: int) -> None:
    with pytest.raises(ProtocolError) as error:
        read(uri, PLAN)
    assert error.value.cause == status
