# SPDX-License-Identifier: Apache-2.0
"""pcap and pcapng files, in either byte order, as a stream of records; gzipped ones, too.

A damaged file gives what stands before the damage, and a sentence about it; only what is no capture at all raises
LocalError. A record is as large as its packet, never as large as a length field claims.
"""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from struct import Struct, error, unpack_from
from typing import BinaryIO, NamedTuple

from dialtone.errors import LocalError

LONGEST = 1 << 20
"""Octets of one packet; a longer one is damage."""
_BLOCK_LIMIT = 1 << 24
_PCAP = {0xA1B2C3D4: 1_000_000, 0xA1B23C4D: 1_000_000_000}
_SECTION, _BYTE_ORDER = 0x0A0D0D0A, 0x1A2B3C4D
_INTERFACE, _OLD_PACKET, _SIMPLE, _NAMES, _ENHANCED, _JOURNAL = 1, 2, 3, 4, 6, 9
_INTERFACE_LIMIT, _NAME_LIMIT = 4096, 65_536


class Packet(NamedTuple):
    """One packet: seconds since the epoch, its link type, and what a pcapng says beside it. `cut` tells that the
    capture took only its beginning."""

    time: float
    link: int
    data: bytes
    cut: bool = False
    interface: str = ""
    comment: str = ""


class Entry(NamedTuple):
    """An entry of a journal (pcapng, 4.7), field by field."""

    fields: dict[str, str]


class _Interface(NamedTuple):
    link: int
    name: str
    ticks: int
    offset: int
    snap: int


class CaptureFile:
    """`records()` reads a file once. `application` and `names` (of addresses) are what a pcapng said of itself so far,
    `damage` is a sentence once something was wrong."""

    def __init__(self, path: Path | str, progress: Callable[[int], None] = lambda position: None) -> None:
        self.path = path
        self.application = ""
        self.names: dict[bytes, str] = {}
        self.damage = ""
        self.packets = 0
        self._progress = progress
        self._interfaces: list[_Interface] = []
        self._order = "<"

    def records(self) -> Iterator[Packet | Entry]:
        """Everything in the file. Raises LocalError for a file that cannot be opened, or is no capture."""
        try:
            with open(self.path, "rb") as raw:
                zipped = raw.read(2) == b"\x1f\x8b"
                raw.seek(0)
                file: BinaryIO = gzip.GzipFile(fileobj=raw) if zipped else raw  # type: ignore[assignment]
                for record in self._all(file):
                    self.packets += 1
                    if not self.packets & 1023:
                        self._progress(raw.tell())
                    yield record
                self._progress(raw.tell())
        except (EOFError, gzip.BadGzipFile):
            self._damaged("the compression is")
        except OSError as problem:
            raise LocalError(f"{self.path} cannot be read: {problem.strerror or problem}.",
                             remedy="Name a capture file.") from None

    def _all(self, file: BinaryIO) -> Iterator[Packet | Entry]:
        head = file.read(24)
        magic = int.from_bytes(head[:4], "little")
        swapped = int.from_bytes(head[:4], "big")
        if magic == _SECTION:
            yield from self._pcapng(file, head)
        elif len(head) == 24 and (magic in _PCAP or swapped in _PCAP):
            self._order = "<" if magic in _PCAP else ">"
            yield from self._pcap(file, head, _PCAP.get(magic) or _PCAP[swapped])
        else:
            raise LocalError(f"{self.path} is no capture: it begins neither like a pcap nor like a pcapng file.",
                             remedy="Save it by Wireshark, tcpdump or the phone's own logger as pcap or pcapng.")

    # ---- pcap ----------------------------------------------------------------------------------

    def _pcap(self, file: BinaryIO, head: bytes, ticks: int) -> Iterator[Packet]:
        link = unpack_from(self._order + "I", head, 20)[0] & 0xFFFF
        record = Struct(self._order + "IIII")
        while octets := file.read(16):
            if len(octets) < 16:
                return self._damaged("it ends in the middle of a packet's header,")
            seconds, fraction, size, full = record.unpack(octets)
            if size > LONGEST:
                return self._damaged(f"a packet of {size} octets is announced,")
            data = file.read(size)
            if len(data) < size:
                return self._damaged("it ends in the middle of a packet,")
            yield Packet(seconds + fraction / ticks, link, data, full > size)
        return None

    # ---- pcapng --------------------------------------------------------------------------------

    def _pcapng(self, file: BinaryIO, begun: bytes) -> Iterator[Packet | Entry]:
        while True:
            head, begun = begun[:8] + file.read(max(0, 8 - len(begun))), begun[8:]
            if not head:
                return
            if len(head) < 8:
                return self._damaged("it ends in the middle of a block's header,")
            if int.from_bytes(head[:4], "little") == _SECTION:
                begun += file.read(max(0, 4 - len(begun)))
                self._order = "<" if int.from_bytes(begun[:4], "little") == _BYTE_ORDER else ">"
                self._interfaces = []
            kind, length = unpack_from(self._order + "II", head)
            if length < 12 or length % 4 or length > _BLOCK_LIMIT:
                return self._damaged(f"a block of {length} octets is announced,")
            body = begun[:length - 8] + file.read(max(0, length - 8 - len(begun)))
            begun = begun[length - 8:]
            if len(body) < length - 8:
                return self._damaged("it ends in the middle of a block,")
            try:
                record = self._block(kind, body[:-4])
            except (error, IndexError, ValueError):
                return self._damaged("a block has not the form it should have,")
            if record is not None:
                yield record

    def _block(self, kind: int, body: bytes) -> Packet | Entry | None:
        if kind == _ENHANCED:
            number, high, low, size, full = unpack_from(self._order + "IIIII", body)
            return self._packet(number, high << 32 | low, body[20:20 + size], size, full, body[20 + size + -size % 4:])
        if kind == _OLD_PACKET:
            number, _, high, low, size, full = unpack_from(self._order + "HHIIII", body)
            return self._packet(number, high << 32 | low, body[20:20 + size], size, full, b"")
        if kind == _SIMPLE:
            full = unpack_from(self._order + "I", body)[0]
            size = min(full, self._interfaces[0].snap or full, len(body) - 4)
            return self._packet(0, 0, body[4:4 + size], size, full, b"")
        if kind == _INTERFACE and len(self._interfaces) < _INTERFACE_LIMIT:
            self._interfaces.append(self._interface(body))
        elif kind == _SECTION:
            self.application = _text(self._options(body[16:]).get(4, b""))
        elif kind == _NAMES:
            self._addresses(body)
        elif kind == _JOURNAL:
            lines = body.rstrip(b"\0").decode("utf-8", "replace").split("\n")
            return Entry({name: value for name, is_, value in (line.partition("=") for line in lines) if is_})
        return None

    def _packet(self, number: int, ticks: int, data: bytes, size: int, full: int, options: bytes) -> Packet:
        interface = self._interfaces[number]
        if len(data) < size:
            raise ValueError("a packet that is longer than its block")
        comment = _text(self._options(options).get(1, b"")) if options else ""
        return Packet(ticks / interface.ticks + interface.offset, interface.link, data, full > size, interface.name,
                      comment)

    def _interface(self, body: bytes) -> _Interface:
        link, _, snap = unpack_from(self._order + "HHI", body)
        options = self._options(body[8:])
        resolution = (options.get(9) or b"\x06")[0]
        ticks = 1 << (resolution & 0x7F) if resolution & 0x80 else 10 ** min(resolution, 19)
        offset = options.get(14, b"")
        return _Interface(link, _text(options.get(2, b"")), ticks,
                          unpack_from(self._order + "q", offset)[0] if len(offset) == 8 else 0, snap)

    def _options(self, octets: bytes) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        at = 0
        while at + 4 <= len(octets):
            code, length = unpack_from(self._order + "HH", octets, at)
            if code == 0:
                break
            found.setdefault(code, octets[at + 4:at + 4 + length])
            at += 4 + length + -length % 4
        return found

    def _addresses(self, body: bytes) -> None:
        at = 0
        while at + 4 <= len(body) and len(self.names) < _NAME_LIMIT:
            kind, length = unpack_from(self._order + "HH", body, at)
            size = {1: 4, 2: 16}.get(kind)
            if size is None and not kind:
                break
            record = body[at + 4:at + 4 + length]
            if size:
                self.names[record[:size]] = _text(record[size:].partition(b"\0")[0])
            at += 4 + length + -length % 4

    def _damaged(self, what: str) -> None:
        self.damage = f"The file is damaged after {self.packets} packets: {what} and what follows was not read."


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
