# SPDX-License-Identifier: Apache-2.0
"""IPFilterRule: flows as Diameter and our configuration describe them (RFC 6733, 4.3.1; TS 29.214, 5.3.8).

    permit out 17 from 192.0.2.7 5000-5001 to assigned 4000

*out* is to the phone, *in* from it. `any` and `assigned` stand for any address and for the phone's own.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final

from dialtone.codec.tft import ANY, Direction, Masked, PacketFilter, host
from dialtone.errors import ProtocolError

Ports = tuple[int, int] | None
_PORTS: Final = r"\d{1,5}(?:-\d{1,5})?"
_RULE: Final = re.compile(
    r"permit (?P<way>in|out) (?P<protocol>ip|\d{1,3})"
    rf" from (?P<source>\S+)(?: (?P<source_ports>{_PORTS}))? to (?P<target>\S+)(?: (?P<target_ports>{_PORTS}))?",
    re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FilterRule:
    """One flow, seen from the phone: `remote` None is any address, `protocol` None any protocol."""

    out: bool
    protocol: int | None
    remote: Masked | None
    remote_ports: Ports
    local: Masked | None
    local_ports: Ports

    @classmethod
    def from_text(cls, text: str) -> "FilterRule":
        """Read a rule; raises ProtocolError for what is none, or denies, or has lists of ports or options."""
        found = _RULE.fullmatch(" ".join(text.split()))
        if found is None:
            raise _error(text, "write: permit out 17 from 192.0.2.7 5000 to assigned")
        out = found["way"].lower() == "out"
        source = _address(text, found["source"]), _ports(text, found["source_ports"])
        target = _address(text, found["target"]), _ports(text, found["target_ports"])
        (remote, remote_ports), (local, local_ports) = (source, target) if out else (target, source)
        if remote and local and len(remote.address) != len(local.address):
            raise _error(text, "IPv4 and IPv6 do not mix")
        word = found["protocol"].lower()
        if word != "ip" and int(word) > 255:
            raise _error(text, "a protocol is a number up to 255, or ip")
        return cls(out, None if word == "ip" else int(word), remote, remote_ports, local, local_ports)

    def packet_filter(self, identifier: int, precedence: int, direction: Direction) -> PacketFilter:
        """As a phone of any age takes it: without the phone's own address (TS 24.008, 10.5.6.12)."""
        nothing = (self.protocol, self.remote, self.remote_ports, self.local_ports) == (None,) * 4
        return PacketFilter(identifier, direction, precedence, remote=ANY if nothing else self.remote,
                            protocol=self.protocol, local_ports=self.local_ports, remote_ports=self.remote_ports)


def _address(text: str, word: str) -> Masked | None:
    if word.lower() in ("any", "assigned"):
        return None
    try:
        ip_network(word, strict=False)
    except ValueError:
        raise _error(text, f"{word} is no address") from None
    return host(word)


def _ports(text: str, word: str | None) -> Ports:
    if word is None:
        return None
    low, _, high = word.partition("-")
    if not int(low) <= int(high or low) <= 0xFFFF:
        raise _error(text, f"{word} is no port and no range of ports")
    return int(low), int(high or low)


def _error(text: str, why: str) -> ProtocolError:
    return ProtocolError(f"{text!r} is no filter: {why}", clause="RFC 6733, 4.3.1")
