# SPDX-License-Identifier: Apache-2.0
"""Tools for doing by hand what a SIM card and a network do: small enough to be read in a lesson."""

import base64
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

if TYPE_CHECKING:
    from dialtone.lab.lab import Lab


def aes(key: bytes, block: bytes) -> bytes:
    """One block of AES-128: the only cryptography that Milenage is made of (TS 35.206, 4.1)."""
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


def xor(one: bytes, other: bytes) -> bytes:
    """Octet by octet."""
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def rotate(block: bytes, bits: int) -> bytes:
    """Rotate left by whole octets."""
    return block[bits // 8:] + block[:bits // 8]


class Challenge(NamedTuple):
    """A challenge to a phone: by LTE or by IMS. RAND and AUTN have 16 octets."""

    number: int
    by: str
    rand: bytes
    autn: bytes


def challenges(lab: "Lab", imsi: str) -> list[Challenge]:
    """Every challenge of a phone, as it stands in the trace (TS 24.301, 8.2.7; RFC 3310, 3.2)."""
    found = []
    for event in lab.trace(imsi):
        if event["name"] == "Authentication request" and event["point"] == "NAS":
            message = lab.packet(event["id"])
            found.append(Challenge(event["id"], "LTE", message.rand, message.autn))
        elif event["name"] == "401 Unauthorized (REGISTER)" and event["point"] == "Gm":
            nonce = re.search(r'nonce="([^"]+)"', lab.packet(event["id"]).first("WWW-Authenticate") or "")
            octets = base64.b64decode(nonce[1]) if nonce else b""
            found.append(Challenge(event["id"], "IMS", octets[:16], octets[16:32]))
    return found


def bits(octets: bytes) -> list[list[int]]:
    """A row of eight bits for each octet, for a picture."""
    return [[octet >> place & 1 for place in range(7, -1, -1)] for octet in octets]


def parameters(header: str) -> dict[str, str]:
    """The parameters of a SIP header by name: `nonce="abc",qop=auth` (RFC 3261, 25.1)."""
    return {name: quoted or plain for name, quoted, plain in re.findall(r'([\w-]+)=(?:"([^"]*)"|([^;,\s"]+))', header)}


def times(ping: str) -> list[float]:
    """The milliseconds of each answer in the output of ping."""
    return [float(one) for one in re.findall(r"time=([\d.]+) ms", ping)]


def another(request: bytes, *changes: tuple[str, str]) -> bytes:
    """A SIP request as a new one: another branch and Call-ID, and each `(old, new)` replaced once."""
    text, mark = request.decode(), os.urandom(4).hex()
    fresh = [(start, start + mark) for start in (";branch=z9hG4bK", "\r\nCall-ID: ")]
    for old, new in (*fresh, *changes):
        text = text.replace(old, new, 1)
    return text.encode()


def options(octets: bytes) -> list[tuple[int, bytes]]:
    """The entries of protocol configuration options: number and contents (TS 24.008, 10.5.6.3)."""
    found, place = [], 1
    while place < len(octets):
        number, length = int.from_bytes(octets[place:place + 2]), octets[place + 2]
        found.append((number, octets[place + 3:place + 3 + length]))
        place += 3 + length
    return found
