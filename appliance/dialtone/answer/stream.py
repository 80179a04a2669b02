# SPDX-License-Identifier: Apache-2.0
"""The media of one call: a script goes out as RTP, what comes in is measured, or sent back. No input or output."""

from collections import deque
from collections.abc import Iterator

from dialtone.answer.offer import RATES, Agreed
from dialtone.answer.service import Script
from dialtone.answer.voice import frames, spelled
from dialtone.codec.amr import AmrError, Frame, Payload
from dialtone.codec.rtp import Receiver, RtpError, Sender, decode_rtcp, make_rtcp

FRAME = 0.02  # seconds
REPORT = 5.0
KEPT = 50
"""Frames kept for the echo, one second; the oldest make room."""


class Stream:
    """`random` gives octets. `tick` is to be called every 20 ms, `heard` with what comes to the RTP port."""

    def __init__(self, agreed: Agreed, script: Script, seed: bytes) -> None:
        self.agreed = agreed
        self.script = script
        clock = RATES[agreed.format.name]
        self.sender = Sender(int.from_bytes(seed[:4]), agreed.payload_type, clock, int.from_bytes(seed[4:6]) & 0x7FFF,
                             int.from_bytes(seed[6:10]))
        self.receiver = Receiver(clock)
        self.damaged = 0
        self.finished = False
        self._echo: deque[Frame] = deque(maxlen=KEPT)
        self._speech = self._say()
        self._reported = 0.0
        self._silent = True

    def heard(self, data: bytes, now: float) -> None:
        """A datagram to the RTP port. What is no RTP of this call is counted."""
        try:
            packet = self.receiver.take(data, now)
            if packet.payload_type != self.agreed.payload_type:
                return  # telephone-event, comfort noise
            payload = self.agreed.format.decode(packet.payload)
        except (RtpError, AmrError):
            self.damaged += 1
            return
        self._echo.extend(payload.frames)

    def heard_rtcp(self, data: bytes, now: float) -> None:
        """A datagram to the RTCP port."""
        try:
            self.receiver.heard(decode_rtcp(data), now)
        except RtpError:
            self.damaged += 1

    def tick(self, now: float) -> tuple[bytes, bytes]:
        """RTP and RTCP that are due; either may be empty."""
        frame = next(self._speech, None)
        if frame is None:
            self.finished = not self.script.echo
            frame = self._echo.popleft() if self.script.echo and self._echo else None
        rtp = b""
        if frame is not None and "send" in self.agreed.direction:
            rtp = self.sender.packet(self.agreed.format.encode(Payload((frame,))), FRAME, marker=self._silent)
        else:
            self.sender.timestamp = self.sender.timestamp + round(FRAME * self.sender.clock) & 0xFFFFFFFF
        self._silent = not rtp
        rtcp = b""
        if now - self._reported >= REPORT:
            self._reported = now
            rtcp = make_rtcp(self.sender, self.receiver, now, "answer")
        return rtp, rtcp

    def _say(self) -> Iterator[Frame]:
        codec, script = self.agreed.format.name, self.script
        words = script.words
        while True:
            for word in words:
                for name in self._figure(word[1:]) if word[0] == "@" else (word,):
                    yield from frames(codec, name)
            if script.loop is None:
                return
            words = script.words[script.loop:]

    def _figure(self, name: str) -> list[str]:
        receiver = self.receiver
        figure = {"received": receiver.received, "lost": receiver.lost, "jitter": round(receiver.jitter * 1000)}[name]
        return spelled(str(figure))
