# SPDX-License-Identifier: Apache-2.0
"""AKA digests against a real handset's answer, and against a second reading of RFC 4169."""

import base64
import hashlib
import hmac

import pytest

from dialtone.crypto.sip_digest import make_nonce, password_of, response_of, split_nonce
from dialtone.errors import ProtocolError

REALM = "ims.mnc001.mcc001.3gppnetwork.org"
NONCE = "oJRMdf88TwhTovkQqh8QT8bi9GyPQoAAfzu5uEt8P/Y="
RES = bytes.fromhex("17447172f62cf13e")


def test_answer_of_a_handset() -> None:
    """A handset chose auth-int, and its body was empty."""
    password = password_of("AKAv1-MD5", RES, b"", b"")
    answer = response_of(password, username=f"001011234567893@{REALM}", realm=REALM, method="REGISTER",
                         uri=f"sip:{REALM}", nonce=NONCE, qop="auth-int", nc="00000001",
                         cnonce="a61fbe8516b77984b522256da5f7c32f")
    assert answer == "63175c06a7a88bd479f5c9f714487476"


def test_example_of_rfc_2617() -> None:
    """RFC 2617, 3.5: qop auth with an ordinary password."""
    answer = response_of(b"Circle Of Life", username="Mufasa", realm="testrealm@host.com", method="GET",
                         uri="/dir/index.html", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", qop="auth",
                         nc="00000001", cnonce="0a4f113b")
    assert answer == "6629fae49393a05397450978507c4ef1"


def test_without_qop() -> None:
    """RFC 2069, 2.4 in its corrected form: HA1, nonce and HA2 only."""
    ha1 = hashlib.md5(b"u:r:" + RES).hexdigest()
    ha2 = hashlib.md5(b"REGISTER:sip:r").hexdigest()
    expected = hashlib.md5(f"{ha1}:n:{ha2}".encode()).hexdigest()
    assert response_of(RES, username="u", realm="r", method="REGISTER", uri="sip:r", nonce="n") == expected


def test_akav2_hashes_all_three() -> None:
    ck, ik = bytes(range(16)), bytes(range(16, 32))
    expected = base64.b64encode(hmac.new(RES + ik + ck, b"http-digest-akav2-password", hashlib.md5).digest())
    assert password_of("akav2-md5", RES, ik, ck) == expected
    with pytest.raises(ProtocolError):
        password_of("MD5", RES, ik, ck)


def test_nonce() -> None:
    rand, autn = split_nonce(NONCE)
    assert make_nonce(rand, autn) == NONCE
    assert split_nonce(base64.b64encode(rand + autn + b"more").decode()) == (rand, autn)
    for bad in ("", "AAAA", "not base64!", NONCE + "é"):
        with pytest.raises(ProtocolError):
            split_nonce(bad)
