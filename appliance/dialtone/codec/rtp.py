# SPDX-License-Identifier: Apache-2.0
"""RTP and RTCP (RFC 3550): a sender and a receiver that measures what got lost, came late or in another order.

No input or output: octets come in with the time, octets go out.
"""

import struct
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from dialtone.errors import ProtocolError

VERSION = 2
SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, GOODBYE = 200, 201, 202, 203
NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970
MAX_DROPOUT, MAX_MISORDER = 3000, 100  # RFC 3550, A.1
REMEMBERED = 512  # sequence numbers, to know a duplicate


class RtpError(ProtocolError):
    """Octets that are no RTP, or no RTCP."""


class Packet(NamedTuple):
    """An RTP packet (5.1); header extensions are skipped."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    def encode(self) -> bytes:
        """The octets."""
        return struct.pack(">BBHII", VERSION << 6, self.marker << 7 | self.payload_type, self.sequence,
                           self.timestamp, self.ssrc) + self.payload

    @classmethod
    def decode(cls, data: bytes) -> "Packet":
        """Raises RtpError."""
        if len(data) < 12 or data[0] >> 6 != VERSION:
            raise RtpError("no RTP packet", clause="RFC 3550, 5.1")
        first, second, sequence, timestamp, ssrc = struct.unpack_from(">BBHII", data)
        start, end = 12 + 4 * (first & 15), len(data)
        if first & 0x10:
            if end < start + 4:
                raise RtpError("the header extension is cut short", clause="RFC 3550, 5.3.1")
            start += 4 + 4 * int.from_bytes(data[start + 2:start + 4])
        if first & 0x20:
            end -= data[-1] or len(data)
        if start > end:
            raise RtpError("more header or padding than packet", clause="RFC 3550, 5.1")
        return cls(second & 127, sequence, timestamp, ssrc, data[start:end], bool(second & 128))


class Report(NamedTuple):
    """A report block (6.4.1): what the other end says of the stream `ssrc`. `fraction` is lost packets in 256."""

    ssrc: int
    fraction: int
    lost: int
    highest: int
    jitter: int
    last: int
    delay: int


class SenderInfo(NamedTuple):
    """From a sender report: the middle of its NTP time stamp, its packets and octets."""

    ssrc: int
    ntp_middle: int
    packets: int
    octets: int


@dataclass(slots=True)
class Rtcp:
    """What a compound RTCP packet says."""

    sender: SenderInfo | None = None
    reports: list[Report] = field(default_factory=list)
    cname: str = ""
    bye: bool = False


def decode_rtcp(data: bytes) -> Rtcp:
    """A compound packet (6.1). Raises RtpError."""
    found, at = Rtcp(), 0
    while at < len(data):
        if len(data) - at < 4 or data[at] >> 6 != VERSION:
            raise RtpError("no RTCP packet", clause="RFC 3550, 6.1")
        count, kind = data[at] & 31, data[at + 1]
        end = at + 4 + 4 * int.from_bytes(data[at + 2:at + 4])
        if end > len(data) or (at == 0 and kind not in (SENDER_REPORT, RECEIVER_REPORT)):
            raise RtpError("an RTCP packet is cut short, or begins with no report", clause="RFC 3550, A.2")
        _part(found, kind, count, data[at + 4:end])
        at = end
    if not data:
        raise RtpError("no RTCP packet", clause="RFC 3550, 6.1")
    return found


def _part(found: Rtcp, kind: int, count: int, body: bytes) -> None:
    if kind in (SENDER_REPORT, RECEIVER_REPORT):
        start = 24 if kind == SENDER_REPORT else 4
        if len(body) < start + 24 * count:
            raise RtpError("a report is cut short", clause="RFC 3550, 6.4")
        if kind == SENDER_REPORT:
            ssrc, seconds, part, _, packets, octets = struct.unpack_from(">6I", body)
            found.sender = SenderInfo(ssrc, (seconds & 0xFFFF) << 16 | part >> 16, packets, octets)
        for at in range(start, start + 24 * count, 24):
            ssrc, loss, *rest = struct.unpack_from(">6I", body, at)
            lost = loss & 0xFFFFFF
            found.reports.append(Report(ssrc, loss >> 24, lost - (lost >> 23 << 24), *rest))
    elif kind == SOURCE_DESCRIPTION and count and len(body) >= 6 and body[4] == 1:
        found.cname = body[6:6 + body[5]].decode(errors="replace")
    elif kind == GOODBYE:
        found.bye = True


@dataclass(slots=True)
class Sender:
    """A stream of ours. `clock` is the rate of the time stamps, `sequence` and `timestamp` begin at random."""

    ssrc: int
    payload_type: int
    clock: int
    sequence: int = 0
    timestamp: int = 0
    packets: int = 0
    octets: int = 0

    def packet(self, payload: bytes, seconds: float, *, marker: bool = False) -> bytes:
        """The next packet, which holds so many seconds of media; a marker begins a talkspurt (RFC 3551, 4.1)."""
        packet = Packet(self.payload_type, self.sequence, self.timestamp, self.ssrc, payload, marker)
        self.sequence = self.sequence + 1 & 0xFFFF
        self.timestamp = self.timestamp + round(seconds * self.clock) & 0xFFFFFFFF
        self.packets += 1
        self.octets += len(payload)
        return packet.encode()


@dataclass(slots=True)
class Receiver:
    """A stream of the other end, measured (RFC 3550, A.1, A.3, A.8). Jitter is in seconds; `disordered` came after a
    later one, `duplicates` came again."""

    clock: int
    ssrc: int | None = None
    received: int = 0
    disordered: int = 0
    duplicates: int = 0
    jitter: float = 0.0
    base: int = 0
    highest: int = 0  # extended by the wrap-arounds
    remote_reports: list[Report] = field(default_factory=list)
    _transit: float | None = None
    _recent: deque[int] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _prior: tuple[int, int] = (0, 0)  # expected and received at the last report
    _last_sr: tuple[int, float] | None = None

    def take(self, data: bytes, now: float) -> Packet:
        """A packet came at `now`. Raises RtpError. A new SSRC begins a new measurement."""
        packet = Packet.decode(data)
        if packet.ssrc != self.ssrc:
            self._begin(packet)
        number = self._extended(packet.sequence)
        if number in self._recent:
            self.duplicates += 1
            return packet
        self._recent.append(number)
        self.received += 1
        if number > self.highest:
            self.highest = number
        elif self.received > 1:
            self.disordered += 1
        transit = now - packet.timestamp / self.clock
        if self._transit is not None:
            period = (1 << 32) / self.clock  # the time stamp wraps around
            change = (transit - self._transit + period / 2) % period - period / 2
            self.jitter += (abs(change) - self.jitter) / 16
        self._transit = transit
        return packet

    def _begin(self, packet: Packet) -> None:
        self.ssrc, self.base = packet.ssrc, packet.sequence
        self.highest = packet.sequence
        self.received = self.disordered = self.duplicates = 0
        self.jitter, self._transit, self._prior, self._last_sr = 0.0, None, (0, 0), None
        self._recent.clear()

    def _extended(self, sequence: int) -> int:
        """The sequence number with its wrap-arounds. A jump that is too wide is a sender that began again."""
        ahead = sequence - self.highest & 0xFFFF
        if ahead < MAX_DROPOUT:
            return self.highest + ahead
        behind = 0x10000 - ahead
        if behind <= MAX_MISORDER:
            return self.highest - behind
        self.base, self.received = sequence, 0
        self.highest = sequence
        self._recent.clear()
        self._prior = (0, 0)
        return sequence

    @property
    def expected(self) -> int:
        """Packets that should have come."""
        return self.highest - self.base + 1 if self.ssrc is not None else 0

    @property
    def lost(self) -> int:
        """Packets that have not come (yet)."""
        return max(self.expected - self.received, 0)

    def heard(self, report: Rtcp, now: float) -> None:
        """An RTCP packet of the other end came."""
        if report.sender is not None:
            self._last_sr = (report.sender.ntp_middle, now)
        self.remote_reports = report.reports

    def block(self, now: float) -> bytes:
        """Our report block on this stream; empty while nothing came."""
        if self.ssrc is None:
            return b""
        expected, received = self.expected - self._prior[0], self.received - self._prior[1]
        self._prior = (self.expected, self.received)
        fraction = max(expected - received, 0) * 256 // expected if expected > 0 else 0
        middle, came = self._last_sr or (0, now)
        delay = round((now - came) * 65536) if self._last_sr else 0
        return struct.pack(">6I", self.ssrc, min(fraction, 255) << 24 | min(self.lost, 0x7FFFFF),
                           self.highest & 0xFFFFFFFF, round(self.jitter * self.clock), middle, delay)


def make_rtcp(sender: Sender, receiver: Receiver, now: float, cname: str, *, bye: bool = False) -> bytes:
    """A sender report, or a receiver report of one that sent nothing, with CNAME, at the end BYE (6.1, 6.5, 6.6)."""
    block = receiver.block(now)
    count = len(block) // 24
    if sender.packets:
        seconds = now + NTP_EPOCH
        body = struct.pack(">6I", sender.ssrc, int(seconds) & 0xFFFFFFFF, int(seconds % 1 * (1 << 32)),
                           sender.timestamp, sender.packets, sender.octets & 0xFFFFFFFF) + block
        report = _rtcp(SENDER_REPORT, count, body)
    else:
        report = _rtcp(RECEIVER_REPORT, count, struct.pack(">I", sender.ssrc) + block)
    name = cname.encode()[:255]
    item = struct.pack(">IBB", sender.ssrc, 1, len(name)) + name + b"\0"
    parts = report + _rtcp(SOURCE_DESCRIPTION, 1, item + b"\0" * (-len(item) % 4))
    return parts + (_rtcp(GOODBYE, 1, struct.pack(">I", sender.ssrc)) if bye else b"")


def _rtcp(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack(">BBH", VERSION << 6 | count, kind, len(body) // 4) + body
