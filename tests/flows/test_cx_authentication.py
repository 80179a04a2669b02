# SPDX-License-Identifier: Apache-2.0
"""Vectors over Cx: several at once, schemes, and resynchronisation (TS 29.228, 6.3; TS 33.203, 6.1.3)."""

from pathlib import Path
from typing import Any

import pytest
from cx_peer import IMPI, SCSCF, Cscf, code, network
from network import OPC, K, Network
from s6a_peer import IMSI

from dialtone.codec.diameter import AssignmentType
from dialtone.crypto.aka import make_auts
from dialtone.crypto.milenage import Milenage
from dialtone.crypto.sqn import ind_of, make_sqn, seq_of

CARD = Milenage(K, OPC)


@pytest.fixture
def net(tmp_path: Path) -> Network:
    return network(tmp_path)


@pytest.fixture
def cscf(net: Network) -> Cscf:
    return Cscf(net)


def sqn_of(item: Any, card: Milenage = CARD) -> int:
    """The SQN of a vector, once all of it is what the card would compute (TS 33.102, 6.3.3)."""
    rand, autn = item.sip_authenticate[:16], item.sip_authenticate[16:]
    res, ck, ik, ak = card.f2345(rand)
    sqn = bytes(a ^ b for a, b in zip(autn[:6], ak, strict=True))
    assert card.f1(rand, sqn, autn[6:8]) == autn[8:]
    assert (item.sip_authorization, item.confidentiality_key, item.integrity_key) == (res, ck, ik)
    return int.from_bytes(sqn)


def test_vectors_are_numbered_from_one_and_fresh(cscf: Cscf) -> None:
    answer = cscf.mar(3)
    assert code(answer) == ("result", 2001)
    assert (answer.user_name, answer.sip_number_auth_items) == (IMPI, 3)
    assert [item.sip_item_number for item in answer.sip_auth_data_item] == [1, 2, 3]
    assert {item.sip_authentication_scheme for item in answer.sip_auth_data_item} == {"Digest-AKAv1-MD5"}
    sqns = [sqn_of(item) for item in answer.sip_auth_data_item]
    assert sqns == sorted(set(sqns))


@pytest.mark.parametrize(("asked", "given"), [(0, 1), (5, 5), (4_000_000_000, 5)])
def test_as_many_vectors_as_is_reasonable(cscf: Cscf, asked: int, given: int) -> None:
    assert len(cscf.mar(asked).sip_auth_data_item) == given


@pytest.mark.parametrize(("scheme", "given"), [
    ("Digest-AKAv1-MD5", "Digest-AKAv1-MD5"), ("Digest-AKAv2-MD5", "Digest-AKAv2-MD5"),
    ("Unknown", "Digest-AKAv1-MD5"), ("unknown", "Digest-AKAv1-MD5"), (None, "Digest-AKAv1-MD5")])
def test_schemes(cscf: Cscf, scheme: str | None, given: str) -> None:
    assert cscf.mar(scheme=scheme).sip_auth_data_item[0].sip_authentication_scheme == given


@pytest.mark.parametrize("scheme", ["SIP Digest", "NASS-Bundled", "Early-IMS-Security", ""])
def test_a_scheme_without_a_sim(net: Network, cscf: Cscf, scheme: str) -> None:
    if scheme:
        assert code(cscf.mar(scheme=scheme)) == ("experimental", 5006)
        assert net.store.ims_registration(IMSI) is None
    else:
        assert code(cscf.mar(scheme=scheme)) == ("result", 2001)


def test_one_sequence_number_for_lte_and_ims(net: Network, cscf: Cscf) -> None:
    ims = sqn_of(cscf.mar().sip_auth_data_item[0])
    net.add_phone(IMSI)
    net.attach()
    after = sqn_of(cscf.mar().sip_auth_data_item[0])
    assert seq_of(after) == seq_of(ims) + 2, "the attach took the one between"
    assert ind_of(after) == ind_of(ims) >= 2
    assert net.store.sqn_mark(IMSI) >= after


def test_an_isim_with_keys_of_its_own(net: Network, cscf: Cscf) -> None:
    k, opc = bytes(range(16)), bytes(range(16, 32))
    net.add_subscriber(IMSI, overwrite=True, msisdn="15550101", isim_k=k.hex(), isim_opc=opc.hex())
    sqn_of(cscf.mar().sip_auth_data_item[0], Milenage(k, opc))


def test_resynchronisation(net: Network, cscf: Cscf) -> None:
    rand = cscf.mar().sip_auth_data_item[0].sip_authenticate[:16]
    ahead = make_sqn(1_000_000, 3)
    answer = cscf.mar(auts=rand + make_auts(CARD, rand=rand, sqn_ms=ahead))
    assert sqn_of(answer.sip_auth_data_item[0]) > ahead
    assert net.store.sqn_mark(IMSI) > ahead
    assert any("sequence number was ahead" in text for text in net.verdicts("hss"))


@pytest.mark.parametrize("spoil", [
    lambda rand, auts: rand + auts[:-1] + bytes((auts[-1] ^ 1,)), lambda rand, auts: rand + auts[:-1],
    lambda rand, auts: bytes(16) + auts, lambda rand, auts: b"", lambda rand, auts: rand + auts + b"\0"])
def test_a_wrong_auts_moves_nothing(net: Network, cscf: Cscf, spoil: Any) -> None:
    first = cscf.mar().sip_auth_data_item[0]
    rand = first.sip_authenticate[:16]
    auts = make_auts(CARD, rand=rand, sqn_ms=make_sqn(1 << 40, 0))
    assert code(cscf.mar(auts=spoil(rand, auts))) == ("result", 5012)
    assert net.verdicts("hss")[-1].startswith("failed:")
    assert seq_of(sqn_of(cscf.mar().sip_auth_data_item[0])) == seq_of(sqn_of(first)) + 1


def test_another_s_cscf_does_not_resynchronise(net: Network, cscf: Cscf) -> None:
    rand = cscf.mar().sip_auth_data_item[0].sip_authenticate[:16]
    auts = rand + make_auts(CARD, rand=rand, sqn_ms=make_sqn(1_000_000, 3))
    assert code(cscf.mar(auts=auts, server_name="sip:other.example.org")) == ("result", 5012)


def test_an_authentication_is_remembered_until_it_ends(net: Network, cscf: Cscf) -> None:
    cscf.mar()
    served = net.store.ims_registration(IMSI)
    assert served is not None
    assert (served.state, served.scscf, served.pending) == ("not registered", SCSCF, True)
    cscf.sar(AssignmentType.AUTHENTICATION_TIMEOUT)
    assert net.store.ims_registration(IMSI) is None
    cscf.mar()
    cscf.sar()
    before = net.store.ims_registration(IMSI)
    cscf.mar()
    assert net.store.ims_registration(IMSI) == before, "authenticated anew in its place"
