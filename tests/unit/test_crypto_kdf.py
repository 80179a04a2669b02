# SPDX-License-Identifier: Apache-2.0
"""The key tree: against RFC 5448's published data, against libosmogsm, and against S strings written out by hand."""

import ctypes
import ctypes.util
import hashlib
import random

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC
from vector_file import blocks

from dialtone.crypto import kdf
from dialtone.crypto.kdf import AlgorithmType


def hmac_sha256(key: bytes, s: bytes) -> bytes:
    """OpenSSL's, whereas the code under test uses the standard library's."""
    mac = HMAC(key, hashes.SHA256())
    mac.update(s)
    return mac.finalize()


@pytest.fixture(scope="module")
def osmo():
    name = ctypes.util.find_library("osmogsm")
    if name is None:
        pytest.fail("libosmogsm is missing: apt install libosmocore-utils")
    library = ctypes.CDLL(name)

    def call(function: str, octets: int, *arguments) -> bytes:
        out = ctypes.create_string_buffer(octets)
        getattr(library, function)(*arguments, out)
        return out.raw

    return call


@pytest.mark.parametrize("v", blocks("crypto/rfc5448_kdf.txt"), ids=lambda v: "case" + v.pop("case"))
def test_generic_function_against_rfc_5448(v):
    v = {k: bytes.fromhex(x) for k, x in v.items()}
    out = kdf.kdf(v["ck"] + v["ik"], 0x20, v["network_name"], v["autn"][:6])
    assert (out[:16], out[16:]) == (v["ck_prime"], v["ik_prime"])


@pytest.mark.parametrize("seed", range(8))
def test_tree_against_libosmogsm(osmo, seed):
    draw = random.Random(seed)
    ck, ik = draw.randbytes(16), draw.randbytes(16)
    sqn, ak, plmn = draw.randbytes(6), draw.randbytes(6), draw.randbytes(3)
    concealed = bytes(a ^ b for a, b in zip(sqn, ak, strict=True))
    kasme = kdf.derive_kasme(ck, ik, plmn, concealed)
    assert kasme == osmo("osmo_kdf_kasme", 32, ck, ik, plmn, sqn, ak)
    count = draw.getrandbits(24)
    kenb = kdf.derive_kenb(kasme, count)
    assert kenb == osmo("osmo_kdf_enb", 32, kasme, ctypes.c_uint32(count))
    assert kdf.derive_nh(kasme, kenb) == osmo("osmo_kdf_nh", 32, kasme, kenb)
    for kind in AlgorithmType:
        for identity in range(4):
            theirs = osmo("osmo_kdf_nas", 16, ctypes.c_uint8(kind), ctypes.c_uint8(identity), kasme)
            assert kdf.algorithm_key(kasme, kind, identity) == theirs


@pytest.mark.parametrize(
    ("pci", "earfcn", "s"),
    [
        (1, 0x0C4E, "13 0001 0002 0c4e 0002"),
        (503, 65535, "13 01f7 0002 ffff 0002"),
        (503, 65536, "13 01f7 0002 010000 0003"),
        (0, 262143, "13 0000 0002 03ffff 0003"),
    ],
)
def test_kenb_star_takes_three_octets_for_a_high_earfcn(pci, earfcn, s):
    key = bytes(range(32))
    assert kdf.derive_kenb_star(key, pci, earfcn) == hmac_sha256(key, bytes.fromhex(s))


def test_hash_mme_is_the_last_quarter_of_a_hash_with_a_zero_key():
    message = bytes.fromhex("0741020bf600f110800101000000010570a0e0e0c0")
    # HMAC with an all-zero key, spelt out from SHA-256 (RFC 2104).
    inner = hashlib.sha256(b"\x36" * 64 + message).digest()
    assert kdf.hash_mme(message) == hashlib.sha256(b"\x5c" * 64 + inner).digest()[-8:]
