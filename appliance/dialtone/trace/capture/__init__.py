# SPDX-License-Identifier: Apache-2.0
"""Captures from elsewhere as a trace: made on a phone, on an eNB, on another core, or written by ourselves.

    found = load("attach.pcapng")
    print(text_ladder(found.events))

The `procedure` of an event is the packet that it stands in, as Wireshark counts them (`frame 17`).
The events are those of a trace of ours: the same ladder, diagnosis and explanations serve them. A capture that is
damaged, foreign or huge gives what can be had and a sentence about the rest.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from dialtone.trace import record
from dialtone.trace.bus import Event
from dialtone.trace.capture import core, esp, own, signalling
from dialtone.trace.capture.draft import Draft, Facts
from dialtone.trace.capture.files import CaptureFile, Entry, Packet
from dialtone.trace.capture.find import DIAMETER, GTPC, GTPU, NAS, S1AP, SIP, Finder, Found
from dialtone.trace.capture.naming import Naming

LIMIT = 200_000
"""Events of one import."""
OCTETS = 128 << 20
"""Octets of the messages of one import."""


@dataclass(slots=True)
class Capture:
    """What a capture gave. `counts` are messages by protocol, each once, `copies` those that were caught at several
    places, `other` what was not followed; `elements` are addresses by name; `remarks` are sentences for people."""

    events: list[Event] = field(default_factory=list)
    packets: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    copies: Counter[str] = field(default_factory=Counter)
    other: Counter[str] = field(default_factory=Counter)
    elements: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def load(path: Path | str, keys: esp.Keys | None = None, progress: Callable[[int], None] = lambda position: None, *,
         limit: int = LIMIT, octets: int = OCTETS) -> Capture:
    """The messages of a capture file. `keys` open its ESP, `progress` is told how far in the file the reading is.

    Raises LocalError for a file that cannot be opened or is no capture.
    """
    file = CaptureFile(path, progress)
    records = file.records()
    first = next(records, None)
    whole = chain([first], records) if first is not None else iter(())
    if file.application.startswith("Dialtone"):
        found = _own(file, whole, limit)
    else:
        found = _foreign(file, whole, Finder(keys), limit, octets)
    found.packets = file.packets
    if file.damage:
        found.remarks.append(file.damage)
    if not found.events:
        found.remarks.append("There is no message in it that is known here.")
    return found


def _own(file: CaptureFile, records: Iterator[Packet | Entry], limit: int) -> Capture:
    found = Capture()
    for event in own.events(file, records):
        if len(found.events) >= limit:
            found.remarks.append(f"Only the first {limit} events were taken.")
            break
        found.events.append(event)
        found.counts[event.point] += event.kind != "done"
    return found


_READERS = {GTPC: core.read_gtpc, GTPU: core.read_gtpu, DIAMETER: core.read_diameter, SIP: core.read_sip,
            S1AP: signalling.read_s1ap}


def _foreign(file: CaptureFile, records: Iterator[Packet | Entry], finder: Finder, limit: int, octets: int) -> Capture:
    found, facts = Capture(copies=finder.copies, other=finder.other), Facts(tunnels=finder.tunnels)
    drafts: list[Draft] = []
    cut = size = 0
    for packet in records:
        for message in finder.messages(packet) if isinstance(packet, Packet) else ():
            found.counts[message.protocol] += 1
            cut += message.cut
            if len(drafts) < limit and size < octets:
                size += len(message.data)
                for draft in _drafts(message, facts):
                    draft.frame = file.packets
                    drafts.append(draft)
    if len(drafts) >= limit or size >= octets:
        found.remarks.append(f"It holds more than is taken at once: only the first {len(drafts)} messages.")
    if cut:
        found.remarks.append(f"{cut} messages were cut short when they were captured: use tcpdump -s 0.")
    naming = Naming(drafts, facts)
    found.events = list(naming.events())
    found.elements = {name: address for (_, address), name in naming.names.known.items() if address}
    found.remarks += [f"{count} x {what}." for what, count in finder.other.items()]
    return found


def _drafts(message: Found, facts: Facts) -> Iterator[Draft]:
    if message.protocol == NAS:
        up = message.uplink if message.uplink is not None else signalling.upward(message.data)
        return signalling.read_nas(message, message.data, up, facts.phones.of(("nas",)), facts)
    reader = _READERS.get(message.protocol)
    return reader(message, facts) if reader is not None else iter(())


def events_of(path: Path | str, keys: esp.Keys | None = None) -> list[Event]:
    """The trace in a file, a recording or a capture. Raises LocalError for what is neither."""
    return record.load(path)[1] if record.is_recording(path) else load(path, keys).events
