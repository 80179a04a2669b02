# SPDX-License-Identifier: Apache-2.0
"""What a wire tap between phone and P-CSCF would catch: SIP of a trace, put into ESP with the phone's keys.

The trace has messages as they were before and after IPsec, so a lesson about ESP puts them back (RFC 4303, RFC 3602).
"""

import hmac
import os
import struct
from collections import Counter
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from dialtone.crypto.ipsec_keys import encryption_key, integrity_key
from dialtone.sip.flow import Flow
from dialtone.trace import esp_sa

if TYPE_CHECKING:
    from dialtone.lab.lab import Lab

ICV, BLOCK = 12, 16
UDP, TCP, ESP = 17, 6, 50
_DIGESTS = {"hmac-sha-1-96": "sha1", "hmac-md5-96": "md5"}


class Caught(NamedTuple):
    """One packet of the tap: `number` is the message's id in the trace, `sa` its row of `lab.sas`, `payload` what
    follows the IP header."""

    number: int
    time: float
    sa: dict[str, Any]
    payload: bytes

    @property
    def packet(self) -> bytes:
        """With its IPv4 header; the checksum is left to the network card, as it often is in captures."""
        source, destination = (ip_address(self.sa[end].rpartition(":")[0]).packed for end in ("from", "to"))
        return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(self.payload), 0, 0, 64, ESP, 0) + source + destination \
            + self.payload


def tap(lab: "Lab", imsi: str, ck: bytes, ik: bytes) -> list[Caught]:
    """Every message on the current SAs of a phone, with CK and IK of the challenge that they come from."""
    rows = {(row["from"], row["to"]): row for row in lab.sas(imsi) if row["set"] == "current"}
    counts: Counter[str] = Counter()
    found = []
    for event in lab.events(imsi, octets=True):
        flow = Flow.find(event.src if event.kind == "rx" else event.dst) if event.point == "Gm" else None
        if flow is None:
            continue
        phone = f"{flow.host}:{flow.port}"
        sa = next((row for ends, row in rows.items() if phone in ends and any(end.endswith(f":{flow.local_port}")
                   for end in ends) and (ends[0] == phone) == (event.kind == "rx")), None)
        if sa is not None:
            counts[sa["spi"]] += 1
            inner = _segment(sa, flow.transport, counts[sa["spi"]], event.data)
            payload = wrap(sa, counts[sa["spi"]], TCP if flow.reliable else UDP, inner, ck, ik)
            found.append(Caught(event.id, event.time, sa, payload))
    return found


def wrap(sa: dict[str, Any], sequence: int, protocol: int, inner: bytes, ck: bytes, ik: bytes) -> bytes:
    """SPI, sequence number, initialisation vector, ciphered content, integrity check value."""
    padding = -(len(inner) + 2) % (BLOCK if sa["encryption"] == "aes-cbc" else 4)
    content = inner + bytes(range(1, padding + 1)) + bytes((padding, protocol))
    head = struct.pack(">II", int(sa["spi"], 16), sequence)
    if sa["encryption"] == "aes-cbc":
        vector = os.urandom(BLOCK)
        cipher = Cipher(algorithms.AES(encryption_key("aes-cbc", ck)), modes.CBC(vector)).encryptor()
        content = vector + cipher.update(content) + cipher.finalize()
    return head + content + check_value(sa, head + content, ik)


def check_value(sa: dict[str, Any], octets: bytes, ik: bytes) -> bytes:
    """The integrity check value over everything before it: the first 96 bits of the HMAC."""
    return hmac.digest(integrity_key(sa["integrity"], ik), octets, _DIGESTS[sa["integrity"]])[:ICV]


def decipher(octets: bytes, ck: bytes) -> bytes:
    """Of AES-CBC: vector first, then the content with its padding."""
    cipher = Cipher(algorithms.AES(encryption_key("aes-cbc", ck)), modes.CBC(octets[:BLOCK])).decryptor()
    return cipher.update(octets[BLOCK:]) + cipher.finalize()


def write(path: Path | str, packets: Iterable[Caught]) -> Path:
    """A capture file for Wireshark: raw IP packets."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for one in packets:
            size = len(one.packet)
            file.write(struct.pack("<IIII", int(one.time), int(one.time % 1 * 1e6), size, size) + one.packet)
    return Path(path)


def write_keys(path: Path | str, rows: Iterable[dict[str, Any]], ck: bytes, ik: bytes) -> Path:
    """Wireshark's table `esp_sa` for these SAs. It holds keys: for test cards only."""
    lines = [esp_sa.line(sa["from"].rpartition(":")[0], sa["to"].rpartition(":")[0], int(sa["spi"], 16),
                         sa["integrity"], integrity_key(sa["integrity"], ik), sa["encryption"],
                         encryption_key(sa["encryption"], ck)) for sa in rows]
    Path(path).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return Path(path)


def _segment(sa: dict[str, Any], transport: str, number: int, data: bytes) -> bytes:
    """The message with its UDP or TCP header; checksums are left out."""
    source, destination = (int(sa[end].rpartition(":")[2]) for end in ("from", "to"))
    if transport == "udp":
        return struct.pack(">HHHH", source, destination, 8 + len(data), 0) + data
    return struct.pack(">HHIIBBHHH", source, destination, number << 16, 0, 5 << 4, 0x18, 65535, 0, 0) + data
