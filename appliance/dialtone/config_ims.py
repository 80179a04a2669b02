# SPDX-License-Identifier: Apache-2.0
"""[ims] of dialtone.toml: what phones meet when they register for calls and texts.

    [ims]
    encryption = ["null"]       # so that a class can read what is on Gm without keys
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dialtone import config_checks as check
from dialtone.codec import sip
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
    challenge_always: bool = setting(True, check.flag, "challenge a phone each time that it registers again")
    country_code: str = setting("", check.country_code, "what stands for the leading 0 of a number, such as 49")
    short_codes: Mapping[str, str] = setting({}, check.short_codes, "numbers of services, such as "
                                             '{ "611" = "sip:help@as.example.org" }')
    answer_port: int = setting(49_000, check.even_port, "first RTP port of the services that answer calls themselves")
    answer_lines: int = setting(50, check.number(0, 1000), "calls that they take at once")
    core: str = setting("", check.address, "address where elements of other makers reach the S-CSCF; none when empty")
    icscf: str = setting("", check.sip_peer, "I-CSCF, or S-CSCF, of another maker that our P-CSCF works for, such as "
                         "udp:192.0.2.7:5060; our own when empty")
    mw_port: int = setting(4060, check.number(1, 65535), "SIP port where it reaches our P-CSCF: at `core`, "
                           "or at the address in [s1]")
    hosts: Mapping[str, str] = setting({}, check.sip_hosts, "these elements by the host name in their URIs, such as "
                                       '{ "pcscf.example.org" = "192.0.2.7:5060" }')

    @property
    def client_ports(self) -> tuple[int, ...]:
        """Our protected client ports."""
        return tuple(range(self.protected_port + 1, self.protected_port + 1 + CLIENT_PORTS))

    @property
    def ports(self) -> tuple[int, ...]:
        """Every port that SIP listens on towards the phones: the first is not protected."""
        return (self.port, self.protected_port, *self.client_ports)

    @property
    def answer_ports(self) -> range:
        """RTP ports of the answer services; RTCP is one higher."""
        return range(self.answer_port, self.answer_port + 2 * self.answer_lines, 2)

    def problem(self) -> tuple[str, str] | None:
        """What does not fit together, and what to do; None when all is well."""
        if self.port in self.ports[1:]:
            return f"ims.port {self.port} is one of the protected ports", "Choose another ims.protected_port."
        if self.hosts and not self.core and not self.icscf:
            return "ims.hosts names elements of other makers, which cannot reach the S-CSCF", 'Write core = "...".'
        if self.core and self.icscf and self.mw_port == sip.PORT:
            return (f"ims.mw_port {self.mw_port} is where the S-CSCF listens at {self.core}",
                    "Choose another ims.mw_port, or leave core out where another S-CSCF is in its place.")
        return None
