# SPDX-License-Identifier: Apache-2.0
"""TUAK against the conformance data of TS 35.233, and EPS AKA with it."""

import pytest
from vector_file import blocks

from dialtone.crypto import aka
from dialtone.crypto.kdf import derive_kasme
from dialtone.crypto.tuak import Tuak, derive_topc
from dialtone.errors import LocalError

TEXTS = ("set", "iterations")
SETS = [
    {name: int(value) if name in TEXTS else bytes.fromhex(value) for name, value in block.items()}
    for block in blocks("crypto/ts35233_tuak.txt")
]
K, TOPC, RAND = bytes(range(16)), bytes(range(32)), bytes(range(100, 116))


def test_all_sets_are_there():
    assert [v["set"] for v in SETS] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("v", SETS, ids=lambda v: f"set{v['set']}")
def test_conformance(v):
    assert derive_topc(v["k"], v["top"], iterations=v["iterations"]) == v["topc"]
    lengths = {name: len(v[f]) for name, f in (("mac", "f1"), ("res", "f2"), ("ck", "f3"), ("ik", "f4"))}
    functions = Tuak(v["k"], v["topc"], iterations=v["iterations"], **lengths)
    rand, sqn, amf = v["rand"], v["sqn"], v["amf"]
    assert functions.f1(rand, sqn, amf) == v["f1"]
    assert functions.f1_star(rand, sqn, amf) == v["f1_star"]
    assert functions.f2345(rand) == (v["f2"], v["f3"], v["f4"], v["f5"])
    assert functions.f5_star(rand) == v["f5_star"]
    assert functions.f12345(rand, sqn, amf) == (v["f1"], v["f2"], v["f3"], v["f4"], v["f5"])


@pytest.mark.parametrize("k", [K, K * 2], ids=["K of 128 bits", "K of 256 bits"])
def test_a_usim_takes_the_vector_and_its_auts_is_taken(k):
    functions = Tuak(k, TOPC)
    vector = aka.eutran_vector(functions, sqn=0x123456, amf=b"\x80\0", rand=RAND, plmn=b"\x00\xf1\x10")
    res, ck, ik, ak = functions.f2345(RAND)
    assert (len(vector.xres), len(vector.autn)) == (8, 16)
    assert vector.xres == res
    assert int.from_bytes(vector.autn[:6]) ^ int.from_bytes(ak) == 0x123456
    assert vector.autn[8:] == functions.f1(RAND, (0x123456).to_bytes(6), b"\x80\0")
    assert vector.kasme == derive_kasme(ck, ik, b"\x00\xf1\x10", vector.autn[:6])
    auts = aka.make_auts(functions, rand=RAND, sqn_ms=77)
    assert aka.verify_auts(functions, rand=RAND, auts=auts) == 77


@pytest.mark.parametrize(("k", "topc"), [(b"", TOPC), (bytes(24), TOPC), (K, bytes(16))])
def test_a_key_of_another_length_is_refused(k, topc):
    with pytest.raises(LocalError, match="octets, not"):
        Tuak(k, topc)


@pytest.mark.parametrize("choice", [{"iterations": 0}, {"mac": 4}, {"res": 12}, {"ck": 8}, {"ik": 64}])
def test_lengths_that_tuak_has_not_are_refused(choice):
    with pytest.raises(LocalError, match="TUAK has no"):
        Tuak(K, TOPC, **choice)


def test_top_of_another_length_is_refused():
    with pytest.raises(LocalError, match="TOP has 32 octets, not 16"):
        derive_topc(K, bytes(16))
