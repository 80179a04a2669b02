# SPDX-License-Identifier: Apache-2.0
"""The sockets of the answer services: RTP and RTCP of each call, and one clock of 20 ms for all of them."""

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from dialtone.answer.element import CloseStream, Key, OpenStream, StreamFinished
from dialtone.answer.stream import FRAME, Stream
from dialtone.effects import Event
from dialtone.links.names import family_of, refused

log = logging.getLogger("dialtone.datapath.answering")

_BATCH = 16


@dataclass(slots=True)
class _Line:
    stream: Stream
    rtp: socket.socket
    rtcp: socket.socket


class Answering:
    """Performs OpenStream and CloseStream; `tell` hands an event to the element."""

    def __init__(self, tell: Callable[[Event], None], random: Callable[[int], bytes]) -> None:
        self.tell = tell
        self.random = random
        self.lines: dict[Key, _Line] = {}
        self._aio = asyncio.get_running_loop()
        self._clock: asyncio.Task[None] | None = None

    def open(self, effect: OpenStream) -> None:
        """Begin to speak. Raises LocalError."""
        rtp = _bind(effect.address, effect.port)
        try:
            rtcp = _bind(effect.address, effect.port + 1)
        except Exception:
            rtp.close()
            raise
        line = self.lines[effect.key] = _Line(Stream(effect.agreed, effect.script, self.random(10)), rtp, rtcp)
        self._aio.add_reader(rtp, self._readable, rtp, line.stream.heard)
        self._aio.add_reader(rtcp, self._readable, rtcp, line.stream.heard_rtcp)
        if self._clock is None or self._clock.done():
            self._clock = self._aio.create_task(self._tick())

    def close(self, effect: CloseStream) -> None:
        """Be silent."""
        line = self.lines.pop(effect.key, None)
        if line is not None:
            for sock in (line.rtp, line.rtcp):
                self._aio.remove_reader(sock)
                sock.close()

    def close_all(self) -> None:
        """The core ends."""
        for key in list(self.lines):
            self.close(CloseStream(key))

    def _readable(self, sock: socket.socket, heard: Callable[[bytes, float], None]) -> None:
        for _ in range(_BATCH):
            try:
                data = sock.recv(2048)
            except OSError:  # nothing more, or an ICMP error of before
                return
            heard(data, time.time())

    async def _tick(self) -> None:
        """Speak as long as somebody listens; a late turn is made up for, a very late one is not."""
        due = time.monotonic()
        while self.lines:
            now = time.time()
            for key, line in list(self.lines.items()):
                finished = line.stream.finished
                self._speak(line, now)
                if line.stream.finished and not finished:
                    self.tell(StreamFinished(key))
            due = max(due + FRAME, time.monotonic() - 5 * FRAME)
            await asyncio.sleep(max(due - time.monotonic(), 0))

    def _speak(self, line: _Line, now: float) -> None:
        rtp, rtcp = line.stream.tick(now)
        agreed = line.stream.agreed
        for sock, data, port in ((line.rtp, rtp, agreed.port), (line.rtcp, rtcp, agreed.rtcp_port)):
            if data:
                try:
                    sock.sendto(data, (agreed.address, port))
                except OSError as error:
                    log.debug("RTP to %s: %s", agreed.address, error)


def _bind(address: str, port: int) -> socket.socket:
    sock = socket.socket(family_of(address), socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        sock.bind((address, port))
    except OSError as error:
        sock.close()
        raise refused("UDP for RTP", address, port, error) from error
    return sock
