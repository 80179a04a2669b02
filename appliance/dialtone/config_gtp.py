# SPDX-License-Identifier: Apache-2.0
"""[gtp] of dialtone.toml: our control address, the S-GW that takes the place of ours, and who may use our gateway.

    [gtp]
    sgw = "10.0.1.9"            # our MME uses this S-GW, which reaches our gateway over S5/S8
    peers = ["10.0.1.7"]        # a foreign MME (S11) or S-GW (S5/S8) that opens sessions at our gateway
"""

from dataclasses import dataclass

from dialtone import config_checks as check
from dialtone.config_checks import setting


@dataclass(frozen=True, slots=True)
class GtpConfig:
    """[gtp]: GTPv2-C with elements outside of the box; no socket without listen, sgw or peers."""

    listen: str = setting("", check.address, "our address for S11 and S5/S8; that of [s1] when empty")
    sgw: str = setting("", check.address, "S-GW that our MME uses; our own gateway when empty")
    pgw: str = setting("", check.address, "P-GW that this S-GW is told to use; our own gateway when empty")
    peers: tuple[str, ...] = setting((), check.addresses, "foreign MMEs and S-GWs that our gateway serves")
    accept_unknown: bool = setting(False, check.flag, "serve any MME or S-GW that asks")
    echo: float = setting(60.0, check.seconds, "pause between echo requests to a peer, seconds; 0 asks nobody")
    path_failure: float = setting(300.0, check.seconds, "how long the sessions of a silent peer are kept, seconds")
    t3: float = setting(3.0, check.seconds_from(0.1), "T3-RESPONSE: wait for an answer, seconds")
    n3: int = setting(3, check.number(0, 10), "N3-REQUESTS: how often a request is repeated")

    @property
    def wanted(self) -> bool:
        """Whether there is a socket at all."""
        return bool(self.listen or self.sgw or self.peers or self.accept_unknown)

    def problem(self, own: str) -> tuple[str, str] | None:
        """What does not fit together, where `own` is our address, and what to do; None when all is well."""
        for key, host in (("sgw", self.sgw), *(("peers", peer) for peer in self.peers)):
            if host == own:
                return (f"gtp.{key} {host} is our own address",
                        "Give the other element's; our own gateway serves our MME without being named.")
        if self.pgw and not self.sgw:
            return "gtp.pgw is for a foreign S-GW, and there is none", 'Write sgw = "...", or leave pgw out.'
        return None
