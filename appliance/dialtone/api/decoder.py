# SPDX-License-Identifier: Apache-2.0
"""Decoding by pycrate in a worker process: started with the first click, ended when nobody clicks any more."""

import asyncio
import contextlib
import json
import sys

from dialtone.errors import LocalError
from dialtone.trace.bus import Event
from dialtone.trace.names import UE, role

IDLE_SECONDS = 60.0
ANSWER_SECONDS = 20.0  # the first answer waits for pycrate to load, which takes seconds on a small board


class Decoder:
    """One worker, one question at a time."""

    def __init__(self) -> None:
        self._worker: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None

    async def text(self, event: Event) -> str:
        """The message of an event as a text tree. Raises LocalError with what is wrong."""
        downlink = event.kind != "done" and role(event.point, event.dst) == UE
        asked = {"point": event.point, "data": (event.plain or event.data).hex(), "downlink": downlink}
        async with self._turn:
            answer = await self._ask(json.dumps(asked).encode() + b"\n")
        if "text" in answer:
            return answer["text"]
        raise LocalError(answer.get("error", "?"), remedy=answer.get("remedy", ""))

    async def _ask(self, line: bytes) -> dict[str, str]:
        if self._idle is not None:
            self._idle.cancel()
        worker = await self._started()
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            worker.stdin.write(line)
            answer = await asyncio.wait_for(worker.stdout.readline(), ANSWER_SECONDS)
            self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.stop)
            found: dict[str, str] = json.loads(answer)
        except (TimeoutError, ConnectionError, ValueError):
            self.stop()  # it hangs or died: the next question gets a new one
            raise LocalError("The decoder did not answer.", remedy="Export the message and use Wireshark.") from None
        return found

    async def _started(self) -> asyncio.subprocess.Process:
        if self._worker is None or self._worker.returncode is not None:
            self._worker = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "dialtone.trace.decode", stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, limit=1 << 24)
        return self._worker

    def stop(self) -> None:
        """End the worker; the next question starts another."""
        worker, self._worker = self._worker, None
        if worker is not None and worker.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                worker.kill()

    async def close(self) -> None:
        """End the worker for good: neither it nor a pipe to it outlives the event loop."""
        worker = self._worker
        if self._idle is not None:
            self._idle.cancel()
        self.stop()
        if worker is not None:
            await worker.communicate()
