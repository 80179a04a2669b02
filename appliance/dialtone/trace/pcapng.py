# SPDX-License-Identifier: Apache-2.0
"""A trace as a pcapng file that Wireshark reads without any preference.

Packets are exported PDUs (link type 252): tags name the dissector and the addresses, then comes the
message. There is one interface for each reference point (`frame.interface_name == "S6a"`), one more with
the deciphered NAS, a comment with IMSI and procedure on each packet, and a name resolution block, so that
`tshark -N n` shows `mme` and `ue-001010000000001` for the stand-in addresses.
"""

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from dialtone import __version__
from dialtone.trace.bus import Event
from dialtone.trace.names import UE, Identities, role

_LINKTYPE_EXPORTED_PDU = 252
_DISSECTORS = {"S1-MME": b"s1ap", "NAS": b"nas-eps", "S11": b"gtpv2", "S5/S8": b"gtpv2",
                "S6a": b"diameter", "SGd": b"diameter", "SMS": b"gsm_a_dtap", "Diameter": b"diameter",
                "Gm": b"sip", "Mw": b"sip", "ISC": b"sip"}
# SCTP, UDP, TCP in the tag's numbering.
_PORTS = {"S1-MME": (1, 36412), "S11": (3, 2123), "S5/S8": (3, 2123), "S6a": (2, 3868), "Diameter": (2, 3868),
          "Gm": (3, 5060), "Mw": (3, 5060), "ISC": (3, 5060), "SGd": (2, 3868)}
PLAIN = "NAS plain"
"""Name of the interface with what NAS messages are under their cipher."""


def _block(kind: int, body: bytes) -> bytes:
    length = 12 + len(body)
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % 4)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _tag(code: int, value: bytes) -> bytes:
    value = _padded(value)
    return struct.pack(">HH", code, len(value)) + value


def _text(text: str) -> bytes:
    return text.encode()[:1000]


class Writer:
    """Makes the octets of one file, block by block; a live pipe to Wireshark takes them as they come."""

    def __init__(self, identities: Identities | None = None) -> None:
        self.identities = identities or Identities()
        self._interfaces: dict[str, int] = {}
        self._addresses: dict[str, bytes] = {}

    def head(self) -> bytes:
        """The section header (pcapng, 4.1)."""
        options = _option(4, f"Dialtone {__version__}".encode()) + _option(0, b"")
        return _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + options)

    def packets(self, event: Event) -> bytes:
        """The blocks of one event: nothing for one that is no message of a known point; new names and
        interfaces where it is the first to use them; two packets where NAS was ciphered."""
        if event.kind == "done" or event.point not in _DISSECTORS or not event.data:
            return b""
        blocks = self._packet(event, event.point, event.data)
        if event.plain and event.plain != event.data:
            blocks += self._packet(event, PLAIN, event.plain)
        return blocks

    def _packet(self, event: Event, interface: str, pdu: bytes) -> bytes:
        blocks = b""
        if interface not in self._interfaces:
            self._interfaces[interface] = len(self._interfaces)
            options = _option(2, interface.encode()) + _option(9, b"\x06") + _option(0, b"")
            blocks += _block(1, struct.pack("<HHI", _LINKTYPE_EXPORTED_PDU, 0, 0) + options)
        blocks += self._names(event)
        # Plain ESM begins with the bearer's identity, where nas-eps looks for a security header.
        dissector = b"nas-eps_plain" if interface == PLAIN else _DISSECTORS[event.point]
        data = self._tags(event, dissector) + pdu
        micros = round(event.time * 1_000_000)
        head = struct.pack("<IIIII", self._interfaces[interface], micros >> 32, micros & 0xFFFFFFFF,
                           len(data), len(data))
        return blocks + _block(6, head + _padded(data) + _option(1, _text(self._comment(event)))
                               + _option(0, b""))

    def _comment(self, event: Event) -> str:
        pairs = (("imsi", self.identities.imsi(event)), ("procedure", event.procedure),
                 ("state", event.state), ("event", str(event.id)), ("info", event.info))
        return " ".join(f"{name}={value}" for name, value in pairs if value)

    def _tags(self, event: Event, dissector: bytes) -> bytes:
        src, dst = self._address(event, event.src), self._address(event, event.dst)
        tags = _tag(12, dissector) + _tag(20, src) + _tag(21, dst)
        if event.point in _PORTS:
            kind, port = _PORTS[event.point]
            tags += _tag(24, struct.pack(">I", kind))
            tags += _tag(25, struct.pack(">I", port)) + _tag(26, struct.pack(">I", port))
        return tags + _tag(0, b"")

    def _name(self, event: Event, name: str) -> str:
        subject = self.identities.imsi(event)
        return f"ue-{subject}" if role(event.point, name) == UE and subject.isdigit() else name

    def _address(self, event: Event, name: str) -> bytes:
        return self._addresses[self._name(event, name)]

    def _names(self, event: Event) -> bytes:
        """A name resolution block (4.5) for the ends of `event` that have no stand-in address yet."""
        records = b""
        for end in (event.src, event.dst):
            name = self._name(event, end)
            if name not in self._addresses:
                number = len(self._addresses) + 1
                address = bytes((127, 1 + (number >> 16 & 127), number >> 8 & 255, number & 255))
                self._addresses[name] = address
                record = address + _text(name) + b"\0"
                records += struct.pack("<HH", 1, len(record)) + _padded(record)
        return _block(4, records + struct.pack("<HH", 0, 0) + _option(0, b"")) if records else b""


def blocks(events: Iterable[Event]) -> Iterator[bytes]:
    """A whole file, in pieces."""
    kept = list(events)
    writer = Writer(Identities(kept))
    yield writer.head()
    for event in kept:
        if packet := writer.packets(event):
            yield packet


def write(path: Path | str, events: Iterable[Event]) -> None:
    """Write a file that any Wireshark opens."""
    with open(path, "wb") as file:
        file.writelines(blocks(events))
