# SPDX-License-Identifier: Apache-2.0
"""Capture files that we wrote ourselves (trace/pcapng.py): the trace comes back with its timers and verdicts."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from dialtone.trace.bus import Event
from dialtone.trace.capture.files import CaptureFile, Entry, Packet
from dialtone.trace.capture.find import exported
from dialtone.trace.pcapng import DISSECTORS, JOURNAL, NOTES, PLAIN


def events(file: CaptureFile, records: Iterable[Packet | Entry]) -> Iterator[Event]:
    """The events of a file whose section says that Dialtone wrote it. What is not of that form is left out."""
    held: Event | None = None
    for record in records:
        event = _entry(record) if isinstance(record, Entry) else None
        if isinstance(record, Packet):
            if record.interface == PLAIN:
                held = _with_plain(held, record)
                continue
            event = _message(file, record)
        if event is not None:
            if held is not None:
                yield held
            held = event
    if held is not None:
        yield held


def _message(file: CaptureFile, packet: Packet) -> Event | None:
    found = next(exported(packet), None)
    if found is None or packet.interface not in DISSECTORS:
        return None
    notes = _notes(packet.comment)
    src, dst = (file.names.get(ip_address(end.address or 0).packed, "?") for end in (found.src, found.dst))
    return Event(_number(notes.get("event", "")), round(packet.time, 6), "rx", packet.interface, src, dst,
                 notes.get("name", ""), notes.get("imsi", ""), notes.get("procedure", ""), notes.get("state", ""),
                 found.data, b"", notes.get("info", ""))


def _with_plain(held: Event | None, packet: Packet) -> Event | None:
    """The message before, with what is under its cipher."""
    found = next(exported(packet), None)
    if held is None or found is None or held.point != "NAS":
        return held
    return held._replace(plain=found.data)


def _entry(entry: Entry) -> Event | None:
    said = {field: entry.fields.get(f"DIALTONE_{name}", "") for name, field in JOURNAL.items()}
    micros, src = entry.fields.get("__REALTIME_TIMESTAMP", ""), entry.fields.get("_HOSTNAME", "")
    if not said["point"] or not micros.isascii() or not micros.isdigit() or len(micros) > 18:
        return None
    return Event(_number(said["id"]), int(micros) / 1_000_000, "done", said["point"], src, src, said["name"],
                 said["subject"], said["procedure"], said["state"], b"", b"", said["info"])


def _notes(comment: str) -> dict[str, str]:
    """The `name=value` pairs of a comment, whose values may have spaces; the last one takes all that is left."""
    found: dict[str, str] = {}
    last, rest = "", f" {comment}"
    for name in NOTES:
        before, mark, after = rest.partition(f" {name}=")
        if mark:
            found |= {last: before} if last else {}
            last, rest = name, after
    return found | ({last: rest} if last else {})


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
