# SPDX-License-Identifier: Apache-2.0
"""EPS AKA from both ends: the vector as a USIM sees it, resynchronisation, and the arithmetic of SQN."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialtone.crypto import aka, sqn
from dialtone.crypto.kdf import derive_kasme
from dialtone.crypto.milenage import Milenage
from dialtone.errors import ProtocolError

K = bytes.fromhex("465b5ce8b199b49faa5f0a2ee238a6bc")
OPC = bytes.fromhex("cd63cb71954a9f4e48a5994e37a02baf")
RAND = bytes.fromhex("23553cbe9637a89d218ae64dae47bf35")
PLMN = bytes.fromhex("00f110")
FUNCTIONS = Milenage(K, OPC)


@given(st.integers(0, 2**48 - 1), st.binary(min_size=2, max_size=2))
def test_a_usim_finds_sqn_and_mac_in_autn(number, amf):
    vector = aka.eutran_vector(FUNCTIONS, sqn=number, amf=amf, rand=RAND, plmn=PLMN)
    res, ck, ik, ak = FUNCTIONS.f2345(RAND)
    sent_amf = vector.autn[6:8]
    assert int.from_bytes(vector.autn[:6]) ^ int.from_bytes(ak) == number
    assert sent_amf[0] & 0x80, "the separation bit must be set for EPS (TS 33.401, 6.1.1)"
    assert (sent_amf[0] & 0x7F, sent_amf[1]) == (amf[0] & 0x7F, amf[1])
    assert FUNCTIONS.f1(RAND, number.to_bytes(6), sent_amf) == vector.autn[8:]
    assert vector.xres == res
    assert vector.kasme == derive_kasme(ck, ik, PLMN, vector.autn[:6])


def test_kasme_is_bound_to_the_serving_network():
    first, second = (
        aka.eutran_vector(FUNCTIONS, sqn=32, amf=b"\x80\0", rand=RAND, plmn=plmn)
        for plmn in (PLMN, bytes.fromhex("99f907"))
    )
    assert first.autn == second.autn
    assert first.kasme != second.kasme


def test_kasme_is_not_in_the_repr():
    vector = aka.eutran_vector(FUNCTIONS, sqn=32, amf=b"\x80\0", rand=RAND, plmn=PLMN)
    assert "kasme" not in repr(vector)
    assert repr(vector.kasme) not in repr(vector)


@given(st.integers(0, 2**48 - 1), st.binary(min_size=16, max_size=16))
def test_auts_round_trip(number, rand):
    auts = aka.make_auts(FUNCTIONS, rand=rand, sqn_ms=number)
    assert aka.verify_auts(FUNCTIONS, rand=rand, auts=auts) == number


def test_auts_of_set_1_is_built_from_the_published_values():
    # AK* of TS 35.208, set 1; MAC-S there is for AMF b9b9, the AUTS has AMF 0000, so only the first part is published.
    auts = aka.make_auts(FUNCTIONS, rand=RAND, sqn_ms=0xFF9BB4D0B607)
    assert int.from_bytes(auts[:6]) == 0xFF9BB4D0B607 ^ 0x451E8BECA43B
    assert auts[6:] == FUNCTIONS.f1_star(RAND, bytes.fromhex("ff9bb4d0b607"), bytes(2))


@given(st.integers(0, 14 * 8 - 1))
def test_any_flipped_bit_of_auts_is_noticed(bit):
    good = aka.make_auts(FUNCTIONS, rand=RAND, sqn_ms=77)
    bad = (int.from_bytes(good) ^ (1 << bit)).to_bytes(14)
    with pytest.raises(ProtocolError, match="MAC-S"):
        aka.verify_auts(FUNCTIONS, rand=RAND, auts=bad)


def test_auts_of_another_challenge_is_refused():
    auts = aka.make_auts(FUNCTIONS, rand=bytes(16), sqn_ms=77)
    with pytest.raises(ProtocolError, match="MAC-S"):
        aka.verify_auts(FUNCTIONS, rand=RAND, auts=auts)


@pytest.mark.parametrize(("rand", "auts"), [(RAND, b""), (RAND, bytes(13)), (RAND, bytes(15)), (b"", bytes(14))])
def test_wrong_lengths_are_the_peers_fault(rand, auts):
    with pytest.raises(ProtocolError, match="14"):
        aka.verify_auts(FUNCTIONS, rand=rand, auts=auts)


@given(st.integers(0, sqn.SEQ_MAX), st.integers(0, 31))
def test_sqn_is_seq_and_ind(seq, ind):
    number = sqn.make_sqn(seq, ind)
    assert number < 2**48
    assert (sqn.seq_of(number), sqn.ind_of(number)) == (seq, ind)


@pytest.mark.parametrize(
    ("seq_he", "seq_ms", "result"),
    [
        (10, 5, 10),  # the next one, 11, suits the USIM: nothing moves
        (10, 10, 10),
        (10, 11, 11),  # the USIM is ahead: follow it
        (10, 5000, 5000),
        (sqn.DELTA + 4, 5, sqn.DELTA + 4),  # the furthest jump that a USIM takes
        (sqn.DELTA + 5, 5, 5),  # beyond it the USIM would refuse for ever
    ],
)
def test_resynchronisation_moves_only_when_it_must(seq_he, seq_ms, result):
    after = sqn.seq_after_resync(seq_he, seq_ms)
    assert after == result
    assert seq_ms < after + 1 <= seq_ms + sqn.DELTA
