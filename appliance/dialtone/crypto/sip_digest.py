# SPDX-License-Identifier: Apache-2.0
"""Digest access authentication in SIP with AKA: what a phone answers and an S-CSCF compares (RFC 2617, 3.2.2;
RFC 3310; RFC 4169).

The password is RES in AKAv1-MD5, and derived from RES, IK and CK in AKAv2-MD5; it is octets, not text. A phone whose
card saw an SQN out of range answers with AUTS and an empty password (RFC 3310, 3.4).
"""

import base64
import hmac
from hashlib import md5

from dialtone.errors import ProtocolError

AKA_V1, AKA_V2 = "AKAv1-MD5", "AKAv2-MD5"
_V2_LABEL = b"http-digest-akav2-password"


def password_of(algorithm: str, res: bytes, ik: bytes, ck: bytes) -> bytes:
    """The password of AKAv1-MD5 (RFC 3310, 3.3) or AKAv2-MD5 (RFC 4169, 3). Raises ProtocolError for another one."""
    match algorithm.lower():
        case "akav1-md5":
            return res
        case "akav2-md5":
            return base64.b64encode(hmac.digest(res + ik + ck, _V2_LABEL, "md5"))
    raise ProtocolError(f"digest algorithm {algorithm[:40]!r} is not known", clause="RFC 3310, 3.1")


def response_of(password: bytes, *, username: str, realm: str, method: str, uri: str, nonce: str, qop: str = "",
                cnonce: str = "", nc: str = "", body: bytes = b"") -> str:
    """`response` of a request: 32 hexadecimal digits. `qop` is `auth`, `auth-int` with the body hashed as well, or
    empty as in RFC 2069."""
    ha1 = _hex(f"{username}:{realm}:".encode() + password)
    ha2 = _hex(f"{method}:{uri}".encode() + (b":" + _hex(body) if qop.lower() == "auth-int" else b""))
    middle = f"{nc}:{cnonce}:{qop}:" if qop else ""
    return _hex(ha1 + f":{nonce}:{middle}".encode() + ha2).decode()


def make_nonce(rand: bytes, autn: bytes) -> str:
    """The nonce of a challenge (RFC 3310, 3.2)."""
    return base64.b64encode(rand + autn).decode()


def split_nonce(nonce: str) -> tuple[bytes, bytes]:
    """RAND and AUTN, 16 octets each; what a network appends to them is not looked at. Raises ProtocolError."""
    octets = decode_base64(nonce)
    if len(octets) < 32:
        raise ProtocolError("the nonce holds no RAND and AUTN", clause="RFC 3310, 3.2")
    return octets[:16], octets[16:32]


def decode_base64(text: str) -> bytes:
    """Octets of a nonce or of `auts`. Raises ProtocolError."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise ProtocolError(f"{text[:40]!r} is not base64", clause="RFC 3310, 3.2") from None


def _hex(octets: bytes) -> bytes:
    return md5(octets, usedforsecurity=False).hexdigest().encode()
