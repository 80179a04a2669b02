# SPDX-License-Identifier: Apache-2.0
"""SNOW 3G and ZUC against the implementors' test data of 3GPP and against Intel's library."""

import subprocess
import sys

import pytest
from vector_file import blocks

from dialtone.crypto import nas_security, snow3g, zuc

DRAWS = blocks("crypto/libipsec_mb_eea_eia.txt")


def vectors(name):
    return pytest.mark.parametrize("v", blocks(f"crypto/{name}.txt"), ids=lambda v: f"set{v['set']}")


def parameters(v, third="bearer"):
    return bytes.fromhex(v["key"]), int(v["count"], 16), int(v[third], 16), int(v["direction"])


def assert_ciphered(cipher, v):
    """Only the first `bits` bits of the published ciphertext are meant."""
    spare = -int(v["bits"]) % 8
    out = cipher(*parameters(v), bytes.fromhex(v["plaintext"]))
    assert len(out) == (int(v["bits"]) + 7) // 8
    assert int.from_bytes(out) >> spare == int(v["ciphertext"], 16) >> spare


def published_words(v):
    """Place of the words that a vector gives, and the words."""
    octets, at = bytes.fromhex(v["words"]), int(v["at"])
    return slice(at, at + len(octets) // 4), [int.from_bytes(octets[n : n + 4]) for n in range(0, len(octets), 4)]


@vectors("ts35217_snow3g")
def test_snow_3g_keystream(v):
    key, iv = (bytes.fromhex(v[name]) for name in ("key", "iv"))
    place, words = published_words(v)
    turned = (b"".join(octets[n : n + 4] for n in (12, 8, 4, 0)) for octets in (key, iv))
    assert snow3g.keystream(*turned, place.stop)[place] == words


@vectors("ts35217_uea2")
def test_uea2(v):
    assert_ciphered(snow3g.uea2, v)


@vectors("ts35217_uia2")
def test_uia2(v):
    mac = snow3g.uia2(*parameters(v, "fresh"), bytes.fromhex(v["message"]), int(v["bits"]))
    assert mac.hex() == v["mac"]


@vectors("ts33401_eia1")
def test_eia1(v):
    key, count, bearer, direction = parameters(v)
    message, bits = bytes.fromhex(v["message"]), int(v["bits"])
    assert snow3g.uia2(key, count, bearer << 27, direction, message, bits).hex() == v["mac"]
    if bits % 8 == 0:
        assert snow3g.Eia1(key).mac(count, bearer, direction, message).hex() == v["mac"]


@vectors("ts35223_zuc")
def test_zuc_keystream(v):
    place, words = published_words(v)
    assert zuc.keystream(bytes.fromhex(v["key"]), bytes.fromhex(v["iv"]), place.stop)[place] == words


@vectors("ts35223_eea3")
def test_eea3(v):
    assert_ciphered(zuc.eea3, v)


@vectors("ts35223_eia3")
def test_eia3(v):
    assert zuc.eia3(*parameters(v), bytes.fromhex(v["message"]), int(v["bits"])).hex() == v["mac"]


@pytest.mark.parametrize("identity", [1, 3])
@pytest.mark.parametrize("v", DRAWS, ids=lambda v: f"{len(v['message']) // 2} octets")
def test_random_draws_of_a_foreign_library(v, identity):
    key, *rest = parameters(v)
    message = bytes.fromhex(v["message"])
    cipher, integrity = nas_security.EEA[identity](key), nas_security.EIA[identity](key)
    for _ in range(2):  # a keyed object serves many messages
        assert cipher.cipher(*rest, message).hex() == v[f"eea{identity}"]
        assert integrity.mac(*rest, message).hex() == v[f"eia{identity}"]
    assert cipher.cipher(*rest, bytes.fromhex(v[f"eea{identity}"])) == message


def test_importing_makes_no_table():
    code = (
        "from dialtone.crypto import nas_security, snow3g, zuc\n"
        "assert not snow3g._tables.cache_info().currsize + zuc._tables.cache_info().currsize\n"
        "nas_security.NasSecurity(bytes(32), eia=1, eea=3)\n"
        "assert not snow3g._tables.cache_info().currsize + zuc._tables.cache_info().currsize\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30, env={"PYTHONPATH": ":".join(sys.path)})
