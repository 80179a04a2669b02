# SPDX-License-Identifier: Apache-2.0
"""The software USIM: genuine, forged, used and far challenges (TS 33.102, 6.3.3 and Annex C)."""

from pathlib import Path

import pytest

from dialtone.crypto import aka
from dialtone.crypto.kdf import derive_kasme
from dialtone.crypto.milenage import Milenage, derive_opc
from dialtone.crypto.sqn import DELTA, make_sqn
from dialtone.errors import LocalError, ProtocolError
from dialtone.sim.faults import Faults
from dialtone.sim.usim import Authenticated, MacFailure, SyncFailure, Usim

# TS 35.208, 4.3.1, test set 1
K = bytes.fromhex("465b5ce8b199b49faa5f0a2ee238a6bc")
RAND = bytes.fromhex("23553cbe9637a89d218ae64dae47bf35")
OP = bytes.fromhex("cdc202d5123e20f62b6d676ac72cb318")
SQN = int.from_bytes(bytes.fromhex("ff9bb4d0b607"))
AMF = bytes.fromhex("b9b9")
MAC_A = bytes.fromhex("4a9ffac354dfafb3")
RES = bytes.fromhex("a54211d5e3ba50bf")
CK = bytes.fromhex("b40ba9a3c58b2a05bbf0d987b21bf8cb")
IK = bytes.fromhex("f769bcd751044604127672711c6d3441")
AK = bytes.fromhex("aa689c648370")

IMSI = "001010000000001"
PLMN = bytes.fromhex("00f110")


def card(**changes: object) -> Usim:
    usim = Usim.with_op(IMSI, K, OP)
    for name, value in changes.items():
        setattr(usim, name, value)
    return usim


def challenge(sqn: int, functions: Milenage | None = None) -> tuple[bytes, bytes]:
    functions = functions or Milenage(K, derive_opc(K, OP))
    vector = aka.eutran_vector(functions, sqn=sqn, amf=b"\x80\x00", rand=RAND, plmn=PLMN)
    return vector.rand, vector.autn


def test_published_vector() -> None:
    autn = (SQN ^ int.from_bytes(AK)).to_bytes(6) + AMF + MAC_A
    result = card(delta=1 << 43).authenticate(RAND, autn)
    assert result == Authenticated(RES, CK, IK, autn[:6])


def test_kasme_is_that_of_the_network() -> None:
    functions = Milenage(K, derive_opc(K, OP))
    vector = aka.eutran_vector(functions, sqn=make_sqn(5, 0), amf=b"\x80\x00", rand=RAND, plmn=PLMN)
    result = card().authenticate(vector.rand, vector.autn)
    assert isinstance(result, Authenticated)
    assert derive_kasme(result.ck, result.ik, PLMN, result.sqn_xor_ak) == vector.kasme


@pytest.mark.parametrize("octet", range(16))
def test_any_changed_octet_is_a_mac_failure(octet: int) -> None:
    rand, autn = challenge(make_sqn(5, 0))
    forged = autn[:octet] + bytes((autn[octet] ^ 1,)) + autn[octet + 1:]
    usim = card()
    assert usim.authenticate(rand, forged) == MacFailure()
    assert usim.sqn_ms == 0


def test_used_sqn_is_answered_with_our_own() -> None:
    usim = card()
    assert isinstance(usim.authenticate(*challenge(make_sqn(7, 3))), Authenticated)
    for seq in (7, 6, 0):
        rand, autn = challenge(make_sqn(seq, 3))
        result = usim.authenticate(rand, autn)
        assert isinstance(result, SyncFailure)
        functions = Milenage(K, derive_opc(K, OP))
        assert aka.verify_auts(functions, rand=rand, auts=result.auts) == make_sqn(7, 3)


def test_each_ind_has_its_own_highest_seq() -> None:
    usim = card()
    assert isinstance(usim.authenticate(*challenge(make_sqn(9, 0))), Authenticated)
    assert isinstance(usim.authenticate(*challenge(make_sqn(8, 1))), Authenticated)  # overtaken, not used
    assert isinstance(usim.authenticate(*challenge(make_sqn(8, 0))), SyncFailure)
    assert usim.sqn_ms == make_sqn(9, 0)


def test_a_jump_of_delta_is_the_last_one_taken() -> None:
    usim = card()
    assert isinstance(usim.authenticate(*challenge(make_sqn(DELTA + 1, 0))), SyncFailure)
    assert isinstance(usim.authenticate(*challenge(make_sqn(DELTA, 0))), Authenticated)


def test_age_limit_is_counted_from_the_highest() -> None:
    usim = card(age_limit=32)
    usim.authenticate(*challenge(make_sqn(100, 0)))
    assert isinstance(usim.authenticate(*challenge(make_sqn(67, 1))), SyncFailure)
    assert isinstance(usim.authenticate(*challenge(make_sqn(68, 1))), Authenticated)


def test_sequence_numbers_outlive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "usim.json"
    first = Usim(IMSI, K, derive_opc(K, OP), path=path)
    assert isinstance(first.authenticate(*challenge(make_sqn(4, 2))), Authenticated)
    again = Usim(IMSI, K, derive_opc(K, OP), path=path)
    assert isinstance(again.authenticate(*challenge(make_sqn(4, 2))), SyncFailure)
    assert K.hex() not in path.read_text()


def test_faults_that_are_another_key() -> None:
    for name in ("wrong_k", "op_as_opc"):
        usim = card()
        functions = Faults.named(name).functions(usim)
        assert usim.authenticate(*challenge(make_sqn(5, 0)), functions=functions) == MacFailure()


def test_op_in_place_of_opc_is_the_mistake_of_the_field() -> None:
    # The HSS stores X as OPc; the card was written with X as OP.
    usim = Usim(IMSI, K, OP)
    stored = Milenage(K, OP)
    functions = Faults.named("op_as_opc").functions(usim)
    assert usim.authenticate(*challenge(make_sqn(5, 0), stored)) != MacFailure()
    assert usim.authenticate(*challenge(make_sqn(9, 0), stored), functions=functions) == MacFailure()
    true_card = Milenage(K, derive_opc(K, OP))
    assert isinstance(usim.authenticate(*challenge(make_sqn(9, 0), true_card), functions=functions), Authenticated)


@pytest.mark.parametrize("name", ["sqn_far", "sqn_stale"])
def test_sqn_faults_end_after_one_resynchronisation(name: str) -> None:
    usim = card()
    usim.authenticate(*challenge(make_sqn(50, 0)))
    fault = Faults.named(name)
    fault.prepare(usim)
    rand, autn = challenge(make_sqn(51, 0))
    result = usim.authenticate(rand, autn)
    assert isinstance(result, SyncFailure)
    fault.resynchronised(usim)
    sqn_ms = aka.verify_auts(Milenage(K, derive_opc(K, OP)), rand=rand, auts=result.auts)
    assert isinstance(usim.authenticate(*challenge(sqn_ms + make_sqn(1, 0))), Authenticated)


def test_bad_input_says_what_is_wrong() -> None:
    with pytest.raises(LocalError, match="no IMSI"):
        Usim("00101x", K, OP)
    with pytest.raises(LocalError, match="16 octets"):
        Usim(IMSI, K[:15], OP)
    with pytest.raises(ProtocolError, match="16 octets"):
        card().authenticate(RAND, b"")
    with pytest.raises(LocalError, match="wrong_k"):
        Faults.named("nonsense")
