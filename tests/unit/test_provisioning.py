# SPDX-License-Identifier: Apache-2.0
"""Subscriber fields: what is accepted, what follows from what, and how mistakes are explained."""

import contextlib
from dataclasses import replace
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialtone.errors import LocalError
from dialtone.hss.identities import default_impi, default_impus
from dialtone.hss.provisioning import FIELDS, InvalidFields, doubts, make_subscriber
from dialtone.hss.subscriber import Apn, Profile
from dialtone.ids import Plmn

PROFILES = {
    "default": Profile("default", (Apn("internet"), Apn("ims", qci=5))),
    "guest": Profile("guest", (Apn("internet"),)),
}
# TS 35.208, set 1
K = "465b5ce8b199b49faa5f0a2ee238a6bc"
OP = "cdc202d5123e20f62b6d676ac72cb318"
OPC = "cd63cb71954a9f4e48a5994e37a02baf"
IMSI = "001010000000001"
HOME = Plmn("001", "01")
CARD = {"imsi": IMSI, "k": K, "opc": OPC}


def make(home=HOME, base=None, **fields):
    return make_subscriber(fields if base else CARD | fields, profiles=PROFILES, home=home, base=base)


def problems(**fields):
    with pytest.raises(InvalidFields) as caught:
        make(**fields)
    return {p.column: f"{p.text} {p.remedy}" for p in caught.value.problems}


def test_a_card_with_what_is_printed_on_it():
    s = make()
    assert (s.imsi, s.k.hex(), s.opc.hex(), s.amf.hex()) == (IMSI, K, OPC, "8000")
    assert s.profile.name == "default"
    assert s.impi == "001010000000001@ims.mnc001.mcc001.3gppnetwork.org"
    assert s.impus == ("sip:001010000000001@ims.mnc001.mcc001.3gppnetwork.org",)
    assert s.isim_k is None


def test_op_becomes_opc():
    s = make_subscriber({"imsi": IMSI, "k": K, "op": OP}, profiles=PROFILES)
    assert s.opc.hex() == OPC
    assert make(op=OP).opc.hex() == OPC, "both, and they agree"


def test_identities_follow_from_the_numbers():
    s = make(msisdn="+41 79 123-45-67, 1001")
    assert s.msisdns == ("41791234567", "1001")
    domain = "ims.mnc001.mcc001.3gppnetwork.org"
    assert s.impus == (
        f"sip:+41791234567@{domain}",
        "tel:+41791234567",
        f"sip:1001@{domain}",
        f"tel:1001;phone-context={domain}",
        f"sip:{IMSI}@{domain}",
    )


@pytest.mark.parametrize(
    ("imsi", "home", "domain"),
    [
        ("001010000000001", None, "mnc001.mcc001"),
        ("001010000000001", Plmn("001", "010"), "mnc010.mcc001"),
        ("310260000000001", None, "mnc260.mcc310"),
        ("262420000000001", Plmn("001", "01"), "mnc042.mcc262"),
    ],
)
def test_the_home_domain_has_three_digits_of_mnc(imsi, home, domain):
    assert default_impi(imsi, home) == f"{imsi}@ims.{domain}.3gppnetwork.org"


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("imsi", " 001 01 0000000001 ", IMSI),
        ("imsi", '="001010000000001"', IMSI),
        ("imsi", "'001010000000001", IMSI),
        ("imsi", "00101000000001", "00101000000001"),
        ("k", f" {K.upper()} ", bytes.fromhex(K)),
        ("k", f"0x{K}", bytes.fromhex(K)),
        ("k", " ".join(K[i : i + 2] for i in range(0, 32, 2)), bytes.fromhex(K)),
        ("amf", "9001", b"\x90\x01"),
    ],
)
def test_harmless_variations_are_forgiven(column, value, expected):
    assert getattr(make(**{column: value}), column) == expected


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("imsi", "", "missing"),
        ("imsi", "1.01E+14", "spreadsheet"),
        ("imsi", "1,01E+14", "spreadsheet"),
        ("imsi", "1010000000001", "zeros at the front"),
        ("imsi", "001010000000001.0", "decimal"),
        ("imsi", "00101000000000a", "digits only"),
        ("imsi", "8988211000000123456", "ICCID"),
        ("imsi", "0010100000000011", "15 digits at most"),
        ("imsi", "٠٠١٠١٠٠٠٠٠٠٠٠٠٠١", "digits only"),
        ("k", "", "32 hexadecimal digits are needed, this has 0"),
        ("k", K[:-1], "this has 31"),
        ("k", K + "00", "this has 34"),
        ("k", K[:5] + "g" + K[6:], "Character 6"),
        ("k", "4.65E+31", "spreadsheet"),
        ("opc", "1234567890", "as text"),
        ("op", OP, "belong together"),
        ("amf", "80", "4 hexadecimal digits"),
        ("msisdn", "4.1791E+10", "spreadsheet"),
        ("msisdn", "0791234567", "country code"),
        ("msisdn", "1234567890123456", "15 digits at most"),
        ("msisdn", "call me", "digits only"),
        ("impi", "sip:a@b", "IMPI looks like"),
        ("impi", "somebody", "IMPI looks like"),
        ("impu", "sip:a@b bob", "'bob' is no public identity"),
        ("impu", "tel:now", "no public identity"),
        ("profile", "gold", "There are: default, guest"),
        ("address", "internet=10.45.0.999", "no IPv4 address"),
        ("address", "internet=2001:db8:cafe:9::/56", "no IPv6 prefix of 64 bits"),
        ("address", "internet=2001:db8:cafe:9::7", "no IPv6 prefix of 64 bits"),
        ("address", "mms=10.45.0.9", "no APN 'mms'"),
        ("tags", "a/b", "no tag"),
        ("isim_k", K, "isim"),
        ("colour", "red", "no such field"),
    ],
)
def test_mistakes_are_explained(column, value, words):
    changed = {"opc": OPC[::-1], "op": value} if column == "op" else {column: value}
    found = problems(**changed)
    text = " ".join(f"{name}: {sentence}" for name, sentence in found.items())
    assert words in text
    assert len(found) == 1


def test_all_problems_are_named_at_once():
    found = problems(imsi="1", k="x", amf="", msisdn="0", tags="/")
    assert set(found) == {"imsi", "k", "amf", "msisdn", "tags"}


def test_what_is_missing():
    with pytest.raises(InvalidFields) as caught:
        make_subscriber({}, profiles=PROFILES)
    assert {p.column for p in caught.value.problems} == {"imsi", "k"}
    with pytest.raises(InvalidFields, match="neither OPc nor OP"):
        make_subscriber({"imsi": IMSI, "k": K}, profiles=PROFILES)


@given(st.sampled_from(["k", "opc", "op", "isim_k", "isim_opc"]), st.text("0123456789abcdefgxE+. ", min_size=6))
def test_no_error_quotes_a_key(column, value):
    try:
        make(**{column: value})
    except InvalidFields as invalid:
        shown = str(invalid) + repr(invalid.problems)
        assert value.strip() not in shown
        assert K not in shown
        assert OPC not in shown


@given(st.sampled_from(FIELDS), st.text())
def test_any_text_is_a_subscriber_or_a_problem(column, value):
    with contextlib.suppress(InvalidFields):
        subscriber = make(**{column: value})
        assert len(subscriber.k) == len(subscriber.opc) == 16
        assert subscriber.imsi.isascii()


def test_edit_changes_what_is_given_and_nothing_else():
    base = make(msisdn="41791234567", tags="a b", address="10.45.0.9")
    assert make(base=base) == base
    assert make(base=base, tags="c") == replace(base, tags=("c",))
    assert make(base=base, tags="").tags == ()
    assert make(base=base, profile="guest").profile.name == "guest"
    assert base.addresses == (("internet", IPv4Address("10.45.0.9")),)


def test_edit_of_the_number_moves_the_identities_that_followed_from_it():
    base = make(msisdn="41791234567")
    moved = make(base=base, msisdn="41790000000")
    assert moved.impus == default_impus(IMSI, ("41790000000",), HOME)
    own = make(msisdn="41791234567", impu="sip:alice@x")
    assert make(base=own, msisdn="41790000000").impus == ("sip:alice@x",)


def test_edit_of_keys():
    base = make()
    with pytest.raises(InvalidFields, match="neither OPc nor OP"):
        make(base=base, k=OPC)  # the old OPc belongs to the old K
    assert make(base=base, k=OPC, opc=K).opc.hex() == K
    assert make(base=base, op=OP).opc.hex() == OPC
    assert make(base=base, opc=K).k == base.k
    with pytest.raises(InvalidFields, match="cannot be changed"):
        make(base=base, imsi="001010000000002")


def test_an_isim_with_keys_of_its_own():
    own = make(isim_k=OPC, isim_opc=K)
    assert (own.isim_k.hex(), own.isim_opc.hex()) == (OPC, K)
    shared = make(isim_op=OP)
    assert (shared.isim_k, shared.isim_opc) == (shared.k, bytes.fromhex(OPC))
    assert make(base=own, tags="x").isim_k == own.isim_k
    removed = make(base=own, isim_k="", isim_opc="")
    assert (removed.isim_k, removed.isim_opc) == (None, None)


def test_doubts():
    assert doubts(make(), HOME) == []
    strange = make(k="0" * 32, opc="0" * 32, amf="0000", imsi="262010000000001")
    assert {d.column for d in doubts(strange, HOME)} == {"k", "opc", "amf", "imsi"}


def test_invalid_fields_is_our_fault():
    with pytest.raises(LocalError):
        make(imsi="x")
