# SPDX-License-Identifier: Apache-2.0
"""A trace as a pcapng file that Wireshark reads without any preference.

Packets are exported PDUs (link type 252): tags name the dissector and the addresses, then comes the
message. There is one interface for each reference point (`frame.interface_name == "S6a"`), one more with
the deciphered NAS, a comment with IMSI and procedure on each packet, and a name resolution block, so that
`tshark -N n` shows `mme` and `ue-001010000000001` for the stand-in addresses. What is no message (a timer, a
change of state, a verdict) stands between them as an entry of a journal (pcapng, 4.7). So nothing is lost, and
`dialtone.trace.capture` makes the trace of the file again.
"""

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from dialtone import __version__
from dialtone.trace.bus import Event
from dialtone.trace.names import UE, Identities, role

_LINKTYPE_EXPORTED_PDU = 252
_DIAMETER = dict.fromkeys(("S6a", "Cx", "Rx", "SGd", "Gx", "Diameter"), "diameter")
_SIP = dict.fromkeys(("Gm", "Mw", "ISC"), "sip")
DISSECTORS = {"S1-MME": "s1ap", "NAS": "nas-eps", "S11": "gtpv2", "S5/S8": "gtpv2", "SMS": "gsm_a_dtap", "S1-U": "gtp",
              **_DIAMETER, **_SIP}
"""Reference point -> Wireshark's name of the protocol there."""
SCTP, TCP, UDP = 1, 2, 3
"""Kinds of port in the tag's numbering."""
_PORTS = {"S1-MME": (SCTP, 36412), "S11": (UDP, 2123), "S5/S8": (UDP, 2123), "S1-U": (UDP, 2152),
          **dict.fromkeys(_DIAMETER, (TCP, 3868)), **dict.fromkeys(_SIP, (UDP, 5060))}
PLAIN = "NAS plain"
"""Name of the interface with what NAS messages are under their cipher."""
NOTES = ("imsi", "procedure", "state", "name", "event", "info")
"""What the comment of a packet says, `name=value` each, in this order."""
JOURNAL = {"POINT": "point", "NAME": "name", "IMSI": "subject", "PROCEDURE": "procedure", "STATE": "state",
           "INFO": "info", "EVENT": "id"}
"""Fields of a journal entry, after DIALTONE_, and those of the event."""


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
        self._phones: dict[str, str] = {}

    def head(self) -> bytes:
        """The section header (pcapng, 4.1)."""
        options = _option(4, f"Dialtone {__version__}".encode()) + _option(0, b"")
        return _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + options)

    def packets(self, event: Event) -> bytes:
        """The blocks of one event: nothing for a message of a point that Wireshark does not know; new names and
        interfaces where it is the first to use them; two packets where NAS was ciphered."""
        if event.kind == "done":
            return self._entry(event)
        if event.point not in DISSECTORS or not event.data:
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
        dissector = "nas-eps_plain" if interface == PLAIN else DISSECTORS[event.point]
        data = self._tags(event, dissector) + pdu
        micros = round(event.time * 1_000_000)
        head = struct.pack("<IIIII", self._interfaces[interface], micros >> 32, micros & 0xFFFFFFFF,
                           len(data), len(data))
        return blocks + _block(6, head + _padded(data) + _option(1, _text(self._comment(event)))
                               + _option(0, b""))

    def _comment(self, event: Event) -> str:
        values = (self.identities.imsi(event), event.procedure, event.state, event.name, event.id, event.info)
        return " ".join(f"{name}={value}" for name, value in zip(NOTES, values, strict=True) if value)

    def _entry(self, event: Event) -> bytes:
        """A systemd Journal Export Block (pcapng, 4.7): a field on each line."""
        known = event._replace(subject=self.identities.imsi(event))
        fields = {"__REALTIME_TIMESTAMP": round(event.time * 1_000_000), "_HOSTNAME": event.src,
                  "SYSLOG_IDENTIFIER": event.point, "MESSAGE": f"{event.name} {event.info}",
                  **{f"DIALTONE_{name}": getattr(known, field) for name, field in JOURNAL.items()}}
        lines = (f"{name}={' '.join(str(value).split())}\n" for name, value in fields.items() if value)
        return _block(9, _padded("".join(lines).encode()))

    def _tags(self, event: Event, dissector: str) -> bytes:
        src, dst = self._address(event, event.src), self._address(event, event.dst)
        tags = _tag(12, dissector.encode()) + _tag(20, src) + _tag(21, dst)
        if event.point in _PORTS:
            kind, port = _PORTS[event.point]
            tags += _tag(24, struct.pack(">I", kind))
            tags += _tag(25, struct.pack(">I", port)) + _tag(26, struct.pack(">I", port))
        return tags + _tag(0, b"")

    def _name(self, event: Event, name: str) -> str:
        if role(event.point, name) != UE:
            return name
        subject = self.identities.imsi(event)
        if subject.isdigit():
            self._phones[name] = f"ue-{subject}"
        return self._phones.get(name, name)  # an end that was somebody's stays his where a message says nothing

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
