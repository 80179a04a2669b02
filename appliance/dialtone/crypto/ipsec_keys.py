# SPDX-License-Identifier: Apache-2.0
"""Keys and ends of the security associations between a phone and its P-CSCF (TS 33.203, 7 and Annex I).

A set has four SAs, two for each direction. It reads the same from both ends: whoever installs it only has to know which
of the two it is.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

INTEGRITY = ("hmac-sha-1-96", "hmac-md5-96")
"""Integrity algorithms of the agreement (TS 33.203, Annex H)."""
ENCRYPTION = ("aes-cbc", "des-ede3-cbc", "null")
"""Encryption algorithms of the agreement."""


def integrity_key(alg: str, ik: bytes) -> bytes:
    """IK_ESP (TS 33.203, Annex I): 16 octets of MD5, 20 of SHA-1, filled up with zeros."""
    return {"hmac-md5-96": ik, "hmac-sha-1-96": ik + bytes(4)}[alg]


def encryption_key(ealg: str, ck: bytes) -> bytes:
    """CK_ESP (TS 33.203, Annex I): 16 octets of AES; of triple DES CK1, CK2 and CK1 again; none for null."""
    return {"null": b"", "aes-cbc": ck, "des-ede3-cbc": ck + ck[:8]}[ealg]


@dataclass(frozen=True, slots=True)
class End:
    """One end of a set: its address, its protected client and server port, and the SPIs that it receives on there."""

    address: str
    port_c: int
    port_s: int
    spi_c: int
    spi_s: int


class Sa(NamedTuple):
    """One security association: from a port of one end to a port of the other, under the receiver's SPI."""

    source: str
    source_port: int
    destination: str
    destination_port: int
    spi: int


@dataclass(frozen=True, slots=True)
class SaSet:
    """The four SAs of one agreement (TS 33.203, 7.1). `phone` and `network` are its ends; keys are those of ESP."""

    phone: End
    network: End
    alg: str
    ealg: str
    integrity: bytes = field(repr=False)
    encryption: bytes = field(repr=False)

    @classmethod
    def make(cls, phone: End, network: End, alg: str, ealg: str, ck: bytes, ik: bytes) -> "SaSet":
        """With CK and IK of the authentication, 16 octets each."""
        return cls(phone, network, alg, ealg, integrity_key(alg, ik), encryption_key(ealg, ck))

    def sas(self) -> tuple[Sa, Sa, Sa, Sa]:
        """All four: what the network receives first."""
        return (*self._to(self.phone, self.network), *self._to(self.network, self.phone))

    def sent_by(self, address: str) -> tuple[Sa, ...]:
        """The two that the end with this address sends on."""
        return tuple(sa for sa in self.sas() if sa.source == address)

    @staticmethod
    def _to(sender: End, receiver: End) -> tuple[Sa, Sa]:
        return (Sa(sender.address, sender.port_c, receiver.address, receiver.port_s, receiver.spi_s),
                Sa(sender.address, sender.port_s, receiver.address, receiver.port_c, receiver.spi_c))
