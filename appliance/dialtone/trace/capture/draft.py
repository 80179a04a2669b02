# SPDX-License-Identifier: Apache-2.0
"""A message that was found and decoded, before everybody's name is known; and what was learned on the way."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address

from dialtone.trace.capture.find import End
from dialtone.trace.capture.phones import Phones


@dataclass(slots=True)
class SipFacts:
    """What tells who sent a SIP message to whom. `vias` counts the elements it has passed; `sender` and `receiver` have
    the ports at which they listen, not those of a connection; `target` is the host that a request is meant for."""

    method: str
    call_id: str
    vias: int
    request: bool
    sender: End
    receiver: End
    target: str = ""
    impi: str = ""
    impus: tuple[str, ...] = ()
    first_hop: bool = False


@dataclass(slots=True)
class Draft:
    """An event in the making. `roles` are those of source and destination: `ue`, `enb`, `mme`, `hss` ...; empty while
    they are to be found out."""

    time: float
    point: str
    src: End
    dst: End
    name: str
    data: bytes
    phone: int = 0
    roles: tuple[str, str] = ("", "")
    plain: bytes = b""
    info: str = ""
    transport: str = ""
    frame: int = 0
    sip: SipFacts | None = None


@dataclass(slots=True)
class Facts:
    """What the messages said about elements and phones."""

    phones: Phones = field(default_factory=Phones)
    mmes: set[End] = field(default_factory=set)
    enbs: set[str] = field(default_factory=set)
    """Addresses, of signalling and of GTP-U."""
    gtpc: dict[str, str] = field(default_factory=dict)
    """Address -> mme, sgw or pgw."""
    addresses: set[str] = field(default_factory=set)
    """Of phones."""
    tunnels: dict[tuple[str, str, int], tuple[str, str]] = field(default_factory=dict)
    """Ends and TEID of a GTP-U tunnel -> those of a packet in it."""
    hosts: dict[End, str] = field(default_factory=dict)
    """End of a Diameter connection -> the Origin-Host there."""


def text_of(octets: bytes | None) -> str:
    """An address of 4 or 16 octets in words; of 20, the first (TS 36.414, 5.3); nothing for none."""
    if octets and len(octets) == 20:
        octets = octets[:4]
    return str(ip_address(octets)) if octets and len(octets) in (4, 16) else ""


def digits_of(name: str) -> str:
    """The IMSI in a private identity that was made of one (TS 23.003, 13.3); nothing in others."""
    user = name.removeprefix("sip:").partition("@")[0]
    return user if user.isascii() and user.isdigit() and 14 <= len(user) <= 15 else ""


def unique(values: Iterable[str]) -> tuple[str, ...]:
    """Without empty ones and repetitions, in order."""
    return tuple(dict.fromkeys(value for value in values if value))
