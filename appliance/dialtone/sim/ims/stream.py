# SPDX-License-Identifier: Apache-2.0
"""The media of one call: a packet each 20 ms, and what is heard of the other end. No input or output: somebody with
sockets asks for packets and hands in what came."""

from dataclasses import dataclass, field
from typing import Any

from dialtone.codec.amr import Frame, Payload
from dialtone.codec.rtp import Receiver, Sender, decode_rtcp, make_rtcp
from dialtone.effects import Effect
from dialtone.errors import ProtocolError
from dialtone.sim.ims.media import Codec

FRAME_SECONDS = 0.02
REPORT_SECONDS = 5.0
_MODE = {"AMR": 7, "AMR-WB": 2}  # 12.2 and 12.65 kbit/s


@dataclass(slots=True)
class MediaUp(Effect):
    """Open RTP and RTCP on `port` of the phone's address and send to `remote`; again for a stream that goes on."""

    imsi: str
    call_id: str
    address: str
    port: int
    remote: tuple[str, int]
    stream: "Stream"


@dataclass(slots=True)
class MediaDown(Effect):
    """Close them."""

    imsi: str
    call_id: str


@dataclass(slots=True)
class Stream:
    """Both directions of a call's audio. `sends` is False while it is on hold; `bad` counts what was no frame."""

    codec: Codec
    sender: Sender
    receiver: Receiver
    sends: bool = True
    bad: int = 0
    other: str = ""  # CNAME of the other end
    modes: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, codec: Codec, ssrc: int) -> "Stream":
        """A stream that begins; its numbers begin at what the SSRC, which is random, says."""
        sender = Sender(ssrc, codec.payload_type, codec.clock, ssrc & 0x7FFF, ssrc >> 3)
        return cls(codec, sender, Receiver(codec.clock))

    def packet(self) -> bytes:
        """The next 20 ms: frames of a steady pattern, whose number can be seen in them."""
        form = self.codec.format
        kind = _MODE[form.name]
        size = form.size(kind)
        pattern = self.sender.packets.to_bytes(4) * ((size + 31) // 32)
        octets = int.from_bytes(pattern[:(size + 7) // 8]) >> -size % 8 << -size % 8
        frame = Frame(kind, octets.to_bytes((size + 7) // 8))
        return self.sender.packet(form.encode(Payload((frame,))), FRAME_SECONDS, marker=not self.sender.packets)

    def heard(self, data: bytes, now: float) -> None:
        """RTP came; what is no frame of the agreed codec is counted, as other payload types are not."""
        try:
            packet = self.receiver.take(data, now)
            if packet.payload_type == self.codec.payload_type:
                self.modes |= {frame.type for frame in self.codec.format.decode(packet.payload).frames}
        except ProtocolError:
            self.bad += 1

    def report(self, now: float, *, bye: bool = False) -> bytes:
        """RTCP to send."""
        return make_rtcp(self.sender, self.receiver, now, f"{self.sender.ssrc:08x}", bye=bye)

    def reported(self, data: bytes, now: float) -> None:
        """RTCP came."""
        try:
            found = decode_rtcp(data)
        except ProtocolError:
            self.bad += 1
            return
        self.other = found.cname or self.other
        self.receiver.heard(found, now)

    def summary(self) -> dict[str, Any]:
        """For `dialtone sim list --json`: packets, loss, jitter in ms."""
        receiver = self.receiver
        return {"codec": self.codec.format.name, "sent": self.sender.packets, "received": receiver.received,
                "lost": receiver.lost, "disordered": receiver.disordered, "bad": self.bad,
                "jitter_ms": round(receiver.jitter * 1000, 1),
                "lost_there": sum(one.lost for one in receiver.remote_reports)}
