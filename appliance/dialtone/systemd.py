# SPDX-License-Identifier: Apache-2.0
"""What systemd hears of us (sd_notify(3)): that we are ready, and that the loop still turns."""

import asyncio
import contextlib
import os
import socket


def ready() -> None:
    """We serve from now on; nothing happens where nobody asked to hear it."""
    _say("READY=1")


async def watchdog() -> None:
    """A sign of life twice in each interval that systemd allows; ends at once where it watches nobody."""
    interval = int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6
    while interval:
        _say("WATCHDOG=1")
        await asyncio.sleep(interval / 2)


def _say(state: str) -> None:
    if address := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out, contextlib.suppress(BlockingIOError):
            out.setblocking(False)  # a systemd that does not listen must not hold the phones up
            out.connect("\0" + address[1:] if address.startswith("@") else address)
            out.send(state.encode())
