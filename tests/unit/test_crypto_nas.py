# SPDX-License-Identifier: Apache-2.0
"""128-EIA2 and 128-EEA2 against TS 33.401, Annex C and OpenSSL's own counter mode; NAS COUNT estimation."""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st
from vector_file import blocks

from dialtone.crypto import nas_security
from dialtone.crypto.kdf import AlgorithmType, algorithm_key
from dialtone.crypto.nas_security import DOWNLINK, UPLINK, Eea2, Eia2, NasSecurity, estimate_count
from dialtone.errors import LocalError

KASME = bytes(range(32))


def number(v, name):
    return int(v[name], 16)


@pytest.mark.parametrize("v", blocks("crypto/ts33401_eea2.txt"), ids=lambda v: "set" + v["set"])
def test_eea2(v):
    bits = int(v["bits"])
    spare = -bits % 8  # the last octet may be meant in part
    out = Eea2(bytes.fromhex(v["key"])).cipher(
        number(v, "count"), number(v, "bearer"), int(v["direction"]), bytes.fromhex(v["plaintext"])
    )
    assert int.from_bytes(out) >> spare == int(v["ciphertext"], 16) >> spare
    assert len(out) == (bits + 7) // 8


@pytest.mark.parametrize("v", blocks("crypto/ts33401_eia2.txt"), ids=lambda v: "set" + v["set"])
def test_eia2(v):
    message = bytes.fromhex(v["message"])
    algorithm = Eia2(bytes.fromhex(v["key"]))
    for _ in range(2):  # a keyed object serves many messages
        mac = algorithm.mac(number(v, "count"), number(v, "bearer"), int(v["direction"]), message)
        assert mac.hex() == v["mac"]


@settings(max_examples=60, deadline=None)
@given(
    st.binary(min_size=16, max_size=16),
    st.integers(0, 2**32 - 1),
    st.integers(0, 31),
    st.integers(0, 1),
    st.one_of(st.binary(max_size=100), st.integers(1000, 1300).map(bytes)),
)
def test_eea2_is_openssl_counter_mode(key, count, bearer, direction, data):
    nonce = count.to_bytes(4) + bytes((bearer << 3 | direction << 2,)) + bytes(11)
    expected = Cipher(algorithms.AES(key), modes.CTR(nonce)).encryptor().update(data)
    algorithm = Eea2(key)
    ciphered = algorithm.cipher(count, bearer, direction, data)
    assert ciphered == expected
    assert algorithm.cipher(count, bearer, direction, ciphered) == data


def test_null_algorithms():
    security = NasSecurity(KASME, eia=0, eea=0)
    assert security.mac(5, UPLINK, b"abc") == bytes(4)
    assert security.cipher(5, UPLINK, b"abc") == b"abc"


def test_nas_security_uses_the_keys_of_its_algorithms():
    security = NasSecurity(KASME, eia=2, eea=2)
    integrity = Eia2(algorithm_key(KASME, AlgorithmType.NAS_INT, 2))
    ciphering = Eea2(algorithm_key(KASME, AlgorithmType.NAS_ENC, 2))
    assert security.mac(9, DOWNLINK, b"x") == integrity.mac(9, 0, DOWNLINK, b"x")
    assert security.cipher(9, DOWNLINK, b"x") == ciphering.cipher(9, 0, DOWNLINK, b"x")
    assert security.mac(9, DOWNLINK, b"x") != security.mac(9, UPLINK, b"x")
    assert (security.eia, security.eea) == (2, 2)


@pytest.mark.parametrize(("eia", "eea"), [(7, 0), (2, 9)])
def test_unknown_algorithm_is_refused_with_the_choice(eia, eea):
    with pytest.raises(LocalError, match="Choose of EIA"):
        NasSecurity(KASME, eia=eia, eea=eea)


def test_every_algorithm_of_the_tables_keeps_its_contract():
    for make in nas_security.EIA.values():
        assert len(make(bytes(16)).mac(1, 0, UPLINK, b"message")) == 4
    for cipher in nas_security.EEA.values():
        assert cipher(bytes(16)).cipher(1, 0, UPLINK, b"") == b""


@pytest.mark.parametrize(
    ("last", "sequence_number", "bits", "count"),
    [
        (-1, 0, 8, 0),  # the first message
        (-1, 3, 8, 3),
        (0, 1, 8, 1),
        (255, 0, 8, 256),  # the sequence number wraps
        (0x1FE, 0xFF, 8, 0x1FF),
        (0x1FE, 0xFD, 8, 0x2FD),  # older than the last: taken as one round later, and the MAC will tell
        (7, 7, 8, 263),  # a replay never gets the COUNT it had
        (0x1E, 0x1F, 5, 0x1F),
        (0x1F, 0, 5, 0x20),
        (0xFFFFFF, 0, 8, 0x1000000),  # used up
    ],
)
def test_estimated_count(last, sequence_number, bits, count):
    assert estimate_count(last, sequence_number, bits=bits) == count


@given(st.integers(-1, 2**24), st.integers(1, 32), st.sampled_from([5, 8]))
def test_a_sender_that_skips_less_than_a_round_is_followed(last, step, bits):
    sent = last + step
    assert estimate_count(last, sent % (1 << bits), bits=bits) == sent
