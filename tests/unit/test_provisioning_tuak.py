# SPDX-License-Identifier: Apache-2.0
"""Subscribers with TUAK: fields, their lengths, CSV, and what is wrong with them (TS 35.231, 5.1; TS 35.233)."""

from pathlib import Path

import pytest

from dialtone.crypto.tuak import derive_topc
from dialtone.errors import LocalError
from dialtone.hss.csv_import import plan_import
from dialtone.hss.provisioning import InvalidFields, make_subscriber
from dialtone.hss.store import Store
from dialtone.hss.subscriber import Apn, Profile
from dialtone.hss.writer import commit_now
from dialtone.hss.writes import PutSubscriber
from dialtone.sim import config

IMSI = "001010000000001"
PROFILES = {"default": Profile("default", (Apn("internet"),))}
K, TOP = "ab" * 16, "55" * 32
TOPC = derive_topc(bytes.fromhex(K), bytes.fromhex(TOP)).hex()


def make(**fields: str):
    return make_subscriber({"imsi": IMSI, "profile": "default", **fields}, profiles=PROFILES)


def test_topc_of_top():
    found = make(algorithm="tuak", k=K, op=TOP)
    assert (found.algorithm, found.opc.hex(), found.res, found.iterations) == ("tuak", TOPC, 8, 1)
    assert make(k=K, top=TOP) == found == make(k=K, topc=TOPC), "TOP and TOPc say by themselves what it is"
    assert make(k=K, top=TOP, iterations="2").opc.hex() != TOPC
    assert (make(k="ab" * 32, topc=TOPC, res="128").k, make(k=K, topc=TOPC, res="32").res) == (b"\xab" * 32, 4)


@pytest.mark.parametrize(("fields", "column", "word"), [
    ({"algorithm": "tuak", "k": K, "opc": "55" * 16}, "opc", "64"),
    ({"algorithm": "tuak", "k": "ab" * 24, "opc": TOPC}, "k", "32 or 64"),
    ({"k": "ab" * 32, "opc": "55" * 16}, "k", "32 hexadecimal"),
    ({"k": K, "opc": TOPC}, "opc", "32 hexadecimal"),
    ({"k": K, "topc": TOPC, "res": "256"}, "res", "32, 64 or 128"),
    ({"k": K, "topc": TOPC, "iterations": "0"}, "iterations", "1 to 255"),
    ({"k": K, "opc": "55" * 16, "res": "128"}, "algorithm", "Only TUAK"),
    ({"algorithm": "comp128", "k": K, "opc": "55" * 16}, "algorithm", "no algorithm"),
    ({"algorithm": "tuak", "k": K}, "opc", "neither"),
])
def test_what_no_tuak_subscriber_is(fields, column, word):
    with pytest.raises(InvalidFields) as caught:
        make(**fields)
    assert any(problem.column == column and word in problem.text for problem in caught.value.problems)
    assert K not in str(caught.value)


def test_another_algorithm_needs_other_keys():
    milenage = make(k=K, opc="55" * 16)
    with pytest.raises(InvalidFields):
        make_subscriber({"algorithm": "tuak"}, profiles=PROFILES, base=milenage)
    tuak = make_subscriber({"topc": TOPC}, profiles=PROFILES, base=milenage)
    assert (tuak.algorithm, tuak.k) == ("tuak", milenage.k)
    assert make_subscriber({"msisdn": "1001"}, profiles=PROFILES, base=tuak).opc == tuak.opc
    with pytest.raises(InvalidFields):
        make_subscriber({"algorithm": "milenage"}, profiles=PROFILES, base=tuak)


def test_csv_with_both_algorithms(tmp_path: Path):
    text = f"imsi,ki,algorithm,opc,topc\n{IMSI},{K},MILENAGE,{'55' * 16},\n001010000000002,{K},TUAK,,{TOPC}\n"
    plan = plan_import(text.encode(), present=[], profiles=PROFILES)
    assert not plan.errors
    assert [row.subscriber.algorithm for row in plan.add] == ["milenage", "tuak"]
    store = Store(tmp_path / "dialtone.db")
    commit_now(store.path, [PutSubscriber(row.subscriber, 1) for row in plan.add])
    found, planned = store.get("001010000000002"), plan.add[1].subscriber
    assert (found.algorithm, found.k, found.opc, found.res) == ("tuak", planned.k, planned.opc, 8)
    store.close()


def test_a_simulated_card(tmp_path: Path):
    file = tmp_path / "sim.toml"
    file.write_text(f'[[phone]]\nimsi = "{IMSI}"\nk = "{K}"\nop = "{TOP}"\nalgorithm = "tuak"\nres = 128\n')
    usim = config.load(file).phones[0].usim
    assert (usim.algorithm, usim.opc.hex(), usim.res) == ("tuak", TOPC, 16)
    file.write_text(file.read_text().replace("tuak", "comp128"))
    with pytest.raises(LocalError, match="comp128"):
        config.load(file)
