# SPDX-License-Identifier: Apache-2.0
"""RTP payload of AMR and AMR-WB, bandwidth-efficient and octet-aligned (RFC 4867, 4.3 and 4.4), and the storage
format of .amr and .awb files (5).

Of the options of the octet-aligned format (robust sorting, CRC, interleaving) nobody makes use: they are not here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from dialtone.errors import ProtocolError

AMR_BITS = (95, 103, 118, 134, 148, 159, 204, 244, 39)
"""Speech bits of frame types 0 to 7, and of 8 (comfort noise): 4.75 to 12.2 kbit/s (TS 26.101, table 1)."""
AMR_WB_BITS = (132, 177, 253, 285, 317, 365, 397, 461, 477, 40)
"""Frame types 0 to 8, and 9 (comfort noise): 6.6 to 23.85 kbit/s (TS 26.201, table 2)."""
NO_DATA, SPEECH_LOST = 15, 14
NO_REQUEST = 15
"""Codec mode request that asks for nothing (RFC 4867, 4.3.1)."""
MAGIC = {"AMR": b"#!AMR\n", "AMR-WB": b"#!AMR-WB\n"}
FRAMES_LIMIT = 12
"""Frames of 20 ms in one packet: maxptime 240."""


class AmrError(ProtocolError):
    """The payload is not what the format says."""


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms of speech: its type (the mode, comfort noise, or nothing), its bits left-aligned in octets, and whether
    they are undamaged (Q)."""

    type: int
    data: bytes = b""
    good: bool = True


@dataclass(frozen=True, slots=True)
class Payload:
    """One packet. `cmr`: the mode that the sender wants to hear from now on."""

    frames: tuple[Frame, ...]
    cmr: int = NO_REQUEST


@dataclass(frozen=True, slots=True)
class Format:
    """How one payload type is written: `name` AMR or AMR-WB, and whether it is octet-aligned (octet-align=1)."""

    name: str
    aligned: bool = False
    bits: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "bits", AMR_WB_BITS if self.name == "AMR-WB" else AMR_BITS)

    def size(self, kind: int) -> int:
        """Speech bits of a frame type. Raises AmrError for one that is reserved."""
        if kind < len(self.bits):
            return self.bits[kind]
        if kind == NO_DATA or (kind == SPEECH_LOST and self.name == "AMR-WB"):
            return 0
        raise AmrError(f"{self.name} has no frame type {kind}", clause="RFC 4867, 4.3.2")

    def encode(self, payload: Payload) -> bytes:
        """The octets of a payload. Raises AmrError."""
        bits = _Writer()
        bits.put(payload.cmr, 4)
        if self.aligned:
            bits.pad()
        last = len(payload.frames) - 1
        for number, frame in enumerate(payload.frames):
            bits.put((number < last) << 5 | frame.type << 1 | frame.good, 6)
            if self.aligned:
                bits.pad()
        for frame in payload.frames:
            size = self.size(frame.type)
            if len(frame.data) != (size + 7) // 8:
                raise AmrError(f"frame type {frame.type} has {size} bits", clause="RFC 4867, 4.3.3")
            bits.put(int.from_bytes(frame.data) >> -size % 8, size)
            if self.aligned:
                bits.pad()
        return bits.octets()

    def decode(self, data: bytes) -> Payload:
        """The frames of a payload. Raises AmrError for whatever is no payload of this format."""
        bits = _Reader(data)
        cmr = bits.take(4)
        if self.aligned:
            bits.align()
        table: list[tuple[int, bool]] = []
        more = True
        while more:
            entry = bits.take(6)
            if self.aligned:
                bits.align()
            table.append((entry >> 1 & 15, bool(entry & 1)))
            more = bool(entry & 32)
            if len(table) > FRAMES_LIMIT:
                raise AmrError(f"more than {FRAMES_LIMIT} frames in a packet", clause="RFC 4867, 4.3.2")
        frames = []
        for kind, good in table:
            size = self.size(kind)
            frames.append(Frame(kind, (bits.take(size) << -size % 8).to_bytes((size + 7) // 8), good))
            if self.aligned:
                bits.align()
        if bits.left >= 8:
            raise AmrError(f"{bits.left // 8} octets too many", clause="RFC 4867, 4.3")
        return Payload(tuple(frames), cmr)

    def load(self, data: bytes) -> list[Frame]:
        """The frames of a file, one channel (RFC 4867, 5.1 and 5.3). Raises AmrError."""
        magic = MAGIC[self.name]
        if not data.startswith(magic):
            raise AmrError(f"no {self.name} file", clause="RFC 4867, 5.1")
        frames, at = [], len(magic)
        while at < len(data):
            kind, good = data[at] >> 3 & 15, bool(data[at] & 4)
            end = at + 1 + (self.size(kind) + 7) // 8
            if end > len(data):
                raise AmrError("the file ends within a frame", clause="RFC 4867, 5.3")
            frames.append(Frame(kind, data[at + 1:end], good))
            at = end
        return frames

    def store(self, frames: Iterable[Frame]) -> bytes:
        """A file of these frames."""
        return MAGIC[self.name] + b"".join(bytes((frame.type << 3 | frame.good << 2,)) + frame.data
                                           for frame in frames)


class _Writer:
    def __init__(self) -> None:
        self.value = self.length = 0

    def put(self, value: int, size: int) -> None:
        self.value, self.length = self.value << size | value, self.length + size

    def pad(self) -> None:
        self.put(0, -self.length % 8)

    def octets(self) -> bytes:
        self.pad()
        return self.value.to_bytes(self.length // 8)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.value, self.length, self.left = int.from_bytes(data), len(data) * 8, len(data) * 8

    def take(self, size: int) -> int:
        if size > self.left:
            raise AmrError("the payload ends too early", clause="RFC 4867, 4.3")
        self.left -= size
        return self.value >> self.left & (1 << size) - 1

    def align(self) -> None:
        self.take(self.left % 8)
