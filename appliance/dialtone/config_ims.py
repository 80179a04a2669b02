# SPDX-License-Identifier: Apache-2.0
"""[ims] of dialtone.toml: what phones meet when they register for calls and texts.

    [ims]
    encryption = ["null"]       # so that a class can read what is on Gm without keys
"""

from dataclasses import dataclass

from dialtone import config_checks as check
from dialtone.config_checks import setting
from dialtone.crypto.ipsec_keys import ENCRYPTION, INTEGRITY

CLIENT_PORTS = 8
"""Protected client ports: each set of SAs of a phone has one that its other sets have not."""


@dataclass(frozen=True, slots=True)
class ImsConfig:
    """[ims]: P-CSCF and registrar."""

    port: int = setting(5060, check.number(1, 65535), "SIP port of the P-CSCF, for what comes before IPsec")
    protected_port: int = setting(6100, check.number(1024, 65000),
                                  f"protected server port; the {CLIENT_PORTS} after it are client ports")
    integrity: tuple[str, ...] = setting(INTEGRITY, check.some_of(*INTEGRITY),
                                         "integrity algorithms of IPsec, the preferred one first")
    encryption: tuple[str, ...] = setting(ENCRYPTION, check.some_of(*ENCRYPTION),
                                          "encryption algorithms of IPsec likewise; null can be read in captures")
    phones: int = setting(10_000, check.number(1, 1_000_000), "phones that may be registered at once")
    scscf: str = setting("", check.sip_uri,
                        "SIP URI of the S-CSCF that the HSS names to I-CSCFs for phones; our own when empty")
    expires: int = setting(600_000, check.number(60, 10_000_000), "longest registration, seconds")

    @property
    def client_ports(self) -> tuple[int, ...]:
        """Our protected client ports."""
        return tuple(range(self.protected_port + 1, self.protected_port + 1 + CLIENT_PORTS))

    @property
    def ports(self) -> tuple[int, ...]:
        """Every port that SIP listens on towards the phones: the first is not protected."""
        return (self.port, self.protected_port, *self.client_ports)

    def problem(self) -> tuple[str, str] | None:
        """What does not fit together, and what to do; None when all is well."""
        if self.port in self.ports[1:]:
            return f"ims.port {self.port} is one of the protected ports", "Choose another ims.protected_port."
        return None
