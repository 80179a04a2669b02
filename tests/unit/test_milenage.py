# SPDX-License-Identifier: Apache-2.0
"""Milenage against the conformance data of TS 35.208 and against osmo-auc-gen on random draws."""

import random
import re
import shutil
import subprocess

import pytest
from vector_file import blocks

from dialtone.crypto import aka
from dialtone.crypto.milenage import Milenage, derive_opc
from dialtone.errors import LocalError, ProtocolError

SETS = [{k: bytes.fromhex(v.zfill(2)) for k, v in b.items()} for b in blocks("crypto/ts35208_milenage.txt")]


@pytest.fixture(scope="module")
def osmo():
    if shutil.which("osmo-auc-gen") is None:
        pytest.fail("osmo-auc-gen is missing: apt install libosmocore-utils")

    def run(k, opc, rand, *arguments):
        command = ["osmo-auc-gen", "-3", "-a", "MILENAGE", "-k", k.hex(), "-r", rand.hex(), *opc, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        return dict(re.findall(r"^(\w[\w. ]*):\s+(\S+)$", done.stdout, re.M)), done.returncode

    return run


def test_all_sets_are_there():
    assert len(SETS) == 19


@pytest.mark.parametrize("v", SETS, ids=lambda v: f"set{v['set'].hex()}")
def test_conformance(v):
    assert derive_opc(v["k"], v["op"]) == v["opc"]
    functions = Milenage(v["k"], v["opc"])
    rand, sqn, amf = v["rand"], v["sqn"], v["amf"]
    assert functions.f1(rand, sqn, amf) == v["f1"]
    assert functions.f1_star(rand, sqn, amf) == v["f1_star"]
    assert functions.f2345(rand) == (v["f2"], v["f3"], v["f4"], v["f5"])
    assert functions.f5_star(rand) == v["f5_star"]
    assert functions.f12345(rand, sqn, amf) == (v["f1"], v["f2"], v["f3"], v["f4"], v["f5"])


@pytest.mark.parametrize("seed", range(12))
def test_random_draws_against_osmo_auc_gen(osmo, seed):
    draw = random.Random(seed)
    k, op, rand, amf = (draw.randbytes(n) for n in (16, 16, 16, 2))
    sqn = draw.getrandbits(48)
    opc = derive_opc(k, op)
    # Every other draw gives OP, so that the derivation of OPc is compared too.
    secret = ("-o", opc.hex()) if seed % 2 else ("-O", op.hex())
    theirs, _ = osmo(k, secret, rand, "-f", amf.hex(), "-s", str(sqn))
    ours = Milenage(k, opc).f12345(rand, sqn.to_bytes(6), amf)
    autn = (sqn ^ int.from_bytes(ours.ak)).to_bytes(6) + amf + ours.mac_a
    assert theirs["AUTN"] == autn.hex()
    assert (theirs["RES"], theirs["CK"], theirs["IK"]) == (ours.res.hex(), ours.ck.hex(), ours.ik.hex())


@pytest.mark.parametrize("seed", range(8))
def test_osmo_auc_gen_takes_our_auts_and_refuses_a_broken_one(osmo, seed):
    draw = random.Random(1000 + seed)
    k, opc, rand = (draw.randbytes(16) for _ in range(3))
    sqn_ms = draw.getrandbits(48)
    auts = aka.make_auts(Milenage(k, opc), rand=rand, sqn_ms=sqn_ms)
    theirs, _ = osmo(k, ("-o", opc.hex()), rand, "-f", "8000", "-i", "0", "-A", auts.hex())
    assert theirs["SQN.MS"] == str(sqn_ms)
    broken = bytearray(auts)
    broken[draw.randrange(14)] ^= 1 << draw.randrange(8)
    _, code = osmo(k, ("-o", opc.hex()), rand, "-f", "8000", "-i", "0", "-A", broken.hex())
    assert code != 0
    with pytest.raises(ProtocolError):
        aka.verify_auts(Milenage(k, opc), rand=rand, auts=bytes(broken))


@pytest.mark.parametrize(("k", "opc"), [(b"", bytes(16)), (bytes(16), bytes(15)), (bytes(32), bytes(16))])
def test_a_key_of_another_length_is_refused_and_not_shown(k, opc):
    with pytest.raises(LocalError, match="16 octets"):
        Milenage(k, opc)


def test_op_of_another_length_is_refused():
    with pytest.raises(LocalError, match="OP has 16 octets, not 3"):
        derive_opc(bytes(16), b"abc")
