# SPDX-License-Identifier: Apache-2.0
"""ESP in a capture (RFC 4303): opened with the keys of Wireshark's `esp_sa`; without any where it does not encrypt."""

import csv
import hmac
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from dialtone.errors import LocalError

_ICV = 12  # octets: HMAC-MD5-96 and HMAC-SHA-1-96, all there is for phones (TS 33.203, Annex H)
_CARRIED = {4, 6, 17, 41}  # IPv4, TCP, UDP, IPv6
_CIPHERS = {"NULL": 0, "AES-CBC": 16, "TripleDES-CBC": 8}  # octets of the initialisation vector
_HASHES = {"NULL": "", "HMAC-MD5-96": "md5", "HMAC-SHA-1-96": "sha1"}


class Key(NamedTuple):
    """What opens the packets of one SA."""

    cipher: str
    encryption: bytes
    digest: str
    integrity: bytes


Keys = dict[tuple[str, int], Key]
"""By destination (`*` for any) and SPI."""


class Inner(NamedTuple):
    """What was in a packet; `fault` says why its content cannot be trusted or read."""

    protocol: int
    payload: bytes
    fault: str = ""


def read_keys(path: Path | str) -> Keys:
    """The SAs of an `esp_sa` file; raises LocalError with the line that is none."""
    remedy = "Write one with `dialtone ipsec keys FILE`, or save Wireshark's own."
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise LocalError(f"{path} cannot be read as a file of ESP keys.", remedy=remedy) from None
    return parse_keys(lines, str(path))


def parse_keys(lines: Iterable[str], name: str = "esp_sa") -> Keys:
    """The SAs of its lines; raises LocalError with the number of the line that is none."""
    keys: Keys = {}
    for number, row in enumerate(csv.reader(lines, skipinitialspace=True), 1):
        if not row or row[0].lstrip().startswith("#"):
            continue
        try:
            _, _, destination, spi, cipher, encryption, digest, integrity = row[:8]
            cipher, digest = cipher.partition(" ")[0], digest.partition(" ")[0]
            where = destination if destination == "*" else str(ip_address(destination))
            keys[where, int(spi, 16)] = Key(cipher, _hex(encryption), _HASHES[digest], _hex(integrity))
            if cipher not in _CIPHERS:
                raise ValueError(cipher)
        except (ValueError, KeyError):
            raise LocalError(f"{name}, line {number}: this is no SA that phones use.", remedy="Nine fields: \"IPv4\","
                             "source,destination,SPI,cipher,key,integrity algorithm,key,\"32-bit\".") from None
    return keys


def _hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def unwrap(destination: str, payload: bytes, keys: Keys) -> Inner | None:
    """What is in an ESP packet, None where that is not to be known."""
    if len(payload) < 8 + _ICV + 2:
        return None
    spi = int.from_bytes(payload[:4], "big")
    key = keys.get((destination, spi)) or keys.get(("*", spi))
    if key is None:
        return _trailer(payload[8:-_ICV])
    fault = ""
    if key.digest:
        icv = hmac.digest(key.integrity, payload[:-_ICV], key.digest)[:_ICV]
        if not hmac.compare_digest(icv, payload[-_ICV:]):
            fault = "its integrity check fails with the key given"
    content = payload[8:-_ICV]
    if key.cipher != "NULL":
        content = _decipher(key, content)
    inner = _trailer(content)
    return inner._replace(fault=fault) if inner is not None else None


def _decipher(key: Key, content: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    size = _CIPHERS[key.cipher]
    vector, content = content[:size], content[size:]
    if not content or len(content) % size:
        return b""
    try:
        if key.cipher == "AES-CBC":
            cipher = Cipher(algorithms.AES(key.encryption), modes.CBC(vector))
        else:
            from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES

            cipher = Cipher(TripleDES(key.encryption), modes.CBC(vector))
    except ValueError:  # a key of another length
        return b""
    opened = cipher.decryptor()
    return opened.update(content) + opened.finalize()


def _trailer(content: bytes) -> Inner | None:
    """Padding, its length and the next header stand at the end (RFC 4303, 2.4 to 2.6); None where they cannot be it."""
    if len(content) < 10:
        return None
    length, protocol = content[-2], content[-1]
    if protocol not in _CARRIED or length + 2 > len(content) or content[-2 - length:-2] != bytes(range(1, length + 1)):
        return None
    return Inner(protocol, content[:-2 - length])


