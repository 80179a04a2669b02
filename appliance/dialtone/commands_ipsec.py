# SPDX-License-Identifier: Apache-2.0
"""What the control socket can be asked about IPsec: phones at the P-CSCF with their SAs, and keys for captures."""

from collections import deque
from typing import TYPE_CHECKING, Protocol

from dialtone.control import Args, Command
from dialtone.crypto.ipsec_keys import Sa, SaSet
from dialtone.kernel.xfrm import SaState
from dialtone.pcscf.registration import Association, Registration
from dialtone.trace import esp_sa

if TYPE_CHECKING:
    from dialtone.wiring import Core

Json = dict[str, object]


class Kernel(Protocol):
    """Where the SAs are."""

    keys: "deque[SaSet]"

    def states(self) -> list[SaState]: ...


class IpsecCommands:
    """The commands by name. Without a `kernel` there are no counters."""

    def __init__(self, core: "Core", kernel: Kernel | None) -> None:
        self.core = core
        self.kernel = kernel

    def table(self) -> dict[str, Command]:
        """By name, for the control server."""
        return {"ipsec.phones": self.phones, "ipsec.esp_sa": self.esp_sa}

    def phones(self, args: Args) -> list[Json]:
        """Who is registered, or about to be, over which SAs."""
        states = {(state.destination, state.spi): state for state in self.kernel.states()} if self.kernel else {}
        return [self._registration(one, states) for one in self.core.pcscf.registrations.values()]

    def esp_sa(self, args: Args) -> list[str]:
        """Wireshark's table of the keys of late."""
        return [line for sas in (self.kernel.keys if self.kernel else ()) for line in esp_sa.lines(sas)]

    def _registration(self, one: Registration, states: dict[tuple[str, int], SaState]) -> Json:
        sets = [(one.pending, "pending"), (one.current, "current"), *((each, "old") for each in one.old)]
        return {
            "imsi": one.subject, "impi": one.key.impi, "address": one.key.host, "state": one.state,
            "contact": f"{one.contact[0]}:{one.contact[1]}" if one.contact else "",
            "identities": one.identities, "since": one.since, "expires": one.expires,
            "ipsec": one.current.name if one.current else "none",
            "sets": [_set(each, use, states) for each, use in sets if each is not None],
        }


def _set(one: Association, use: str, states: dict[tuple[str, int], SaState]) -> Json:
    return {"use": use, "alg": one.sas.alg, "ealg": one.sas.ealg, "since": one.since,
            "sas": [_sa(sa, states.get((sa.destination, sa.spi))) for sa in one.sas.sas()]}


def _sa(sa: Sa, state: SaState | None) -> Json:
    shown: Json = {"spi": f"0x{sa.spi:08x}", "from": f"{sa.source}:{sa.source_port}",
                   "to": f"{sa.destination}:{sa.destination_port}", "in_kernel": state is not None}
    if state is not None:
        shown |= {"packets": state.packets, "bytes": state.octets, "replayed": state.replayed,
                  "integrity_failed": state.integrity_failed, "life": state.hard}
    return shown
