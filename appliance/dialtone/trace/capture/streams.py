# SPDX-License-Identifier: Apache-2.0
"""SCTP associations and TCP connections of a capture: whole messages in order, each once.

What is missing in the capture is skipped: the next message that begins where a segment begins is taken up again.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

TABLE = 4096
"""Directions of connections that are remembered; the one that was quiet for longest is forgotten."""
BUFFER = 256 * 1024
_LATER = 64  # segments that wait for one that is missing
K = TypeVar("K")
V = TypeVar("V")
_RECENT = 1024  # TSNs that are known to have been seen


class Chunk(NamedTuple):
    """A message of SCTP, and the protocol that it says it is of (RFC 9260, 3.3.1)."""

    ppid: int
    data: bytes


class _Sending:
    """One direction of an association."""

    def __init__(self) -> None:
        self.seen: OrderedDict[int, None] = OrderedDict()
        self.parts: OrderedDict[int, tuple[int, int, bytes]] = OrderedDict()  # TSN -> flags, PPID, octets

    def chunk(self, flags: int, tsn: int, ppid: int, data: bytes) -> Chunk | None:
        self.seen[tsn] = None
        if len(self.seen) > _RECENT:
            self.seen.popitem(last=False)
        if flags & 3 == 3:
            return Chunk(ppid, data)
        self.parts[tsn] = (flags, ppid, data)
        if len(self.parts) > _LATER * 4:
            self.parts.popitem(last=False)
        return self._whole(tsn)

    def _whole(self, tsn: int) -> Chunk | None:
        first = last = tsn
        while not self.parts.get(first, (2, 0, b""))[0] & 2:
            first = first - 1 & 0xFFFFFFFF
        while not self.parts.get(last, (1, 0, b""))[0] & 1:
            last = last + 1 & 0xFFFFFFFF
        numbers = [first + step & 0xFFFFFFFF for step in range((last - first & 0xFFFFFFFF) + 1)]
        if any(number not in self.parts for number in numbers):
            return None
        pieces = [self.parts.pop(number) for number in numbers]
        return Chunk(pieces[0][1], b"".join(piece[2] for piece in pieces))


class Sctp:
    """Takes SCTP packets, gives the messages of their DATA chunks. `copies` counts chunks that came again."""

    def __init__(self) -> None:
        self._sending: OrderedDict[bytes, _Sending] = OrderedDict()
        self.copies = 0

    def packet(self, payload: bytes) -> Iterator[Chunk]:
        """The messages that are whole now. Ports and verification tag name the direction (RFC 9260, 8.5)."""
        if len(payload) < 16:
            return
        sending = _latest(self._sending, payload[:8], _Sending)
        at = 12
        while at + 4 <= len(payload):
            kind, flags, length = payload[at], payload[at + 1], int.from_bytes(payload[at + 2:at + 4], "big")
            if length < 4:
                return
            if kind == 0 and length >= 17 and at + length <= len(payload):
                tsn, ppid = (int.from_bytes(payload[at + place:at + place + 4], "big") for place in (4, 12))
                if tsn in sending.seen:
                    self.copies += 1
                elif (chunk := sending.chunk(flags, tsn, ppid, payload[at + 16:at + length])) is not None:
                    yield chunk
            at += length + -length % 4


class Framing(NamedTuple):
    """A protocol over TCP: whether its message begins here, and where it ends (0 while that is not known)."""

    name: str
    starts: Callable[[bytes], bool]
    length: Callable[[bytearray], int]


class _Stream:
    """One direction of a TCP connection."""

    def __init__(self) -> None:
        self.next: int | None = None
        self.framing: Framing | None = None
        self.buffer = bytearray()
        self.later: dict[int, bytes] = {}


class Tcp:
    """Takes TCP segments, gives messages of the protocols it was told of. Other connections cost nothing."""

    def __init__(self, framings: tuple[Framing, ...]) -> None:
        self._framings = framings
        self._streams: OrderedDict[tuple[str, str, bytes], _Stream] = OrderedDict()

    def segment(self, src: str, dst: str, payload: bytes) -> Iterator[tuple[str, bytes]]:
        """(protocol, octets) of the messages that are whole now."""
        if len(payload) < 20:
            return
        start, flags = (payload[12] >> 4) * 4, payload[13]
        sequence, data = int.from_bytes(payload[4:8], "big"), payload[start:]
        key = (src, dst, payload[:4])
        if flags & 2:  # SYN
            self._streams.pop(key, None)
            _latest(self._streams, key, _Stream).next = sequence + 1 & 0xFFFFFFFF
        elif data and start >= 20:
            yield from self._data(_latest(self._streams, key, _Stream), sequence, data)

    def _data(self, stream: _Stream, sequence: int, data: bytes) -> Iterator[tuple[str, bytes]]:
        ahead = 0 if stream.next is None else _signed(sequence - stream.next)
        if ahead < 0:  # sent before, or a part of it
            data = data[-ahead:]
            sequence -= ahead
        elif ahead > 0:
            stream.later[sequence] = data
            if len(stream.later) <= _LATER:
                return
            sequence = min(stream.later, key=lambda number: _signed(number - (stream.next or 0)))
            data = stream.later.pop(sequence)
            stream.buffer.clear()  # what is missing will not come
            stream.framing = None
        while data:
            stream.next = sequence + len(data) & 0xFFFFFFFF
            yield from self._messages(stream, data)
            sequence = stream.next
            data = stream.later.pop(sequence, b"")

    def _messages(self, stream: _Stream, data: bytes) -> Iterator[tuple[str, bytes]]:
        if not stream.buffer:
            stream.framing = next((framing for framing in self._framings if framing.starts(data)), None)
        if stream.framing is None:
            return
        stream.buffer += data
        while stream.buffer:
            try:
                length = stream.framing.length(stream.buffer)
            except Exception:
                length = -1
            if length < 0 or len(stream.buffer) > BUFFER:
                stream.buffer.clear()
                return
            if not length or length > len(stream.buffer):
                return
            octets = bytes(stream.buffer[:length])
            del stream.buffer[:length]
            if octets.strip(b"\r\n"):
                yield stream.framing.name, octets


def _signed(difference: int) -> int:
    """A difference of sequence numbers that wrap."""
    return (difference + 0x80000000 & 0xFFFFFFFF) - 0x80000000


def _latest(table: OrderedDict[K, V], key: K, make: Callable[[], V]) -> V:
    """The entry of this key, moved to the end; the oldest one goes when there are too many."""
    found = table.get(key)
    if found is None:
        found = table[key] = make()
        if len(table) > TABLE:
            table.popitem(last=False)
    else:
        table.move_to_end(key)
    return found
