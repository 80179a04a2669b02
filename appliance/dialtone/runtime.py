# SPDX-License-Identifier: Apache-2.0
"""The asyncio skin of the loop: wakes it, drives its timers, ends it at a signal. It knows no protocol."""

import asyncio
import contextlib
import gc
import inspect
import logging
import resource
import signal
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

from dialtone.loop import Loop

log = logging.getLogger("dialtone.runtime")

Closer = Callable[[], Awaitable[None] | None]


def epoch_clock() -> Callable[[], float]:
    """A clock in seconds since the epoch that never jumps: the wall clock at this moment, then monotonic.

    A step of the wall clock (GPS, NTP on a board without battery) therefore never fires or starves a timer.
    """
    offset = time.time() - time.monotonic()
    return lambda: offset + time.monotonic()


def as_many_files_as_may_be() -> None:
    """Raise the limit of open files to what this process is allowed: the usual 1024 end with some hundred phones."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Runtime:
    """Drives one `Loop`, as an asynchronous context manager.

        async with Runtime(loop) as runtime:
            runtime.at_close(link.close)
            await runtime.stopped()

    On the way out the closers run in reverse order, each guarded, then what they queued is worked off.
    """

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self._closers: list[Closer] = []
        self._turning = False
        self._turns = 0
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at: float | None = None

    async def __aenter__(self) -> "Runtime":
        self._aio = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self.loop.wake = self._wake
        for number in (signal.SIGTERM, signal.SIGINT):
            # Outside the main thread (a notebook, a test) there are no signals, and nothing is lost.
            with contextlib.suppress(RuntimeError, ValueError):
                self._aio.add_signal_handler(number, self.stop)
        self._wake()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        for closer in reversed(self._closers):
            try:
                result = closer()
                if inspect.isawaitable(result):
                    await result
            except Exception:
                log.exception("closing failed")
        self._turn()
        self.loop.wake = lambda: None
        if self._alarm is not None:
            self._alarm.cancel()
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(RuntimeError, ValueError):
                self._aio.remove_signal_handler(number)

    def at_close(self, closer: Closer) -> None:
        """Call `closer` (plain or asynchronous) at the end; the last one given goes first."""
        self._closers.append(closer)

    def stop(self) -> None:
        """End `stopped`; also what SIGTERM and SIGINT do."""
        self._stop.set()

    async def stopped(self) -> None:
        """Wait for a signal or for `stop`."""
        await self._stop.wait()

    def collect(self, every: float = 60.0, quiet: float = 1.0) -> None:
        """Have garbage collected until the end. A walk through all objects holds everybody up for as long as it takes:
        so once in `every` seconds at most, and after `quiet` seconds in which there was nothing to do."""
        task = self._aio.create_task(self._collect(every, quiet))

        def close() -> None:
            task.cancel()

        self.at_close(close)

    async def _collect(self, every: float, quiet: float) -> None:
        while True:
            await asyncio.sleep(every)
            before = -1
            while before != self._turns:
                before = self._turns
                await asyncio.sleep(quiet)
            gc.collect()

    def from_thread(self, call: Callable[..., Any], *args: Any) -> None:
        """Run `call(*args)` in the loop's thread; how a writer thread hands in that its commit is safe."""
        self._aio.call_soon_threadsafe(call, *args)

    def _wake(self) -> None:
        if not self._turning:
            self._turning = True
            self._aio.call_soon(self._turn)

    def _turn(self) -> None:
        self._turns += 1
        self._turning = True  # what the turn itself queues or starts needs no second wake-up
        try:
            self.loop.expire()
            self.loop.run()
        finally:  # a defect that gets this far costs one call of the queue, never the rest
            self._turning = False
            if self.loop.pending():
                self._wake()
            self._arm()

    def _arm(self) -> None:
        due = self.loop.due()
        if due == self._alarm_at:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = due
        self._alarm = None
        if due is not None:
            self._alarm = self._aio.call_later(max(0.0, due - self.loop.clock()), self._fire)

    def _fire(self) -> None:
        self._alarm = self._alarm_at = None
        self._turn()
