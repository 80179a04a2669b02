# SPDX-License-Identifier: Apache-2.0
"""Wireshark's table of ESP keys (`esp_sa`), so that a capture of Gm can be read and its integrity checked.

It holds keys: for the teacher, never beside a capture that is handed on. Put it into Wireshark's personal configuration
and set "Attempt to detect/decode encrypted ESP payloads" and "Attempt to Check ESP Authentication".
"""

from ipaddress import ip_address

from dialtone.crypto.ipsec_keys import SaSet

_ENCRYPTION = {"null": "NULL", "aes-cbc": "AES-CBC [RFC3602]", "des-ede3-cbc": "TripleDES-CBC [RFC2451]"}
_INTEGRITY = {"hmac-md5-96": "HMAC-MD5-96 [RFC2403]", "hmac-sha-1-96": "HMAC-SHA-1-96 [RFC2404]"}


def lines(sas: SaSet) -> list[str]:
    """A line for each SA of a set."""
    return [line(sa.source, sa.destination, sa.spi, sas.alg, sas.integrity, sas.ealg, sas.encryption)
            for sa in sas.sas()]


def line(source: str, destination: str, spi: int, alg: str, integrity: bytes, ealg: str, encryption: bytes) -> str:
    """Nine fields."""
    key = f"0x{encryption.hex()}" if encryption else ""
    fields = (f"IPv{ip_address(source).version}", source, destination, f"0x{spi:08x}", _ENCRYPTION[ealg], key,
              _INTEGRITY[alg], f"0x{integrity.hex()}", "32-bit")
    return ",".join(f'"{field}"' for field in fields)
