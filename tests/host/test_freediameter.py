# SPDX-License-Identifier: Apache-2.0
"""Our Diameter node and freeDiameter over TCP, on this machine's loopback. SCTP: tests/kernel."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import freediameter
import pytest


@pytest.mark.parametrize(("listen", "connect"), [(False, True), (True, False), (True, True)],
                         ids=["we connect", "it connects", "both connect"])
def test_opens(tmp_path: Path, listen: bool, connect: bool) -> None:
    asyncio.run(freediameter.opens("tcp", tmp_path, listen=listen, connect=connect))


@pytest.mark.parametrize("scenario", [
    freediameter.asks_us, freediameter.leave, freediameter.falls_silent, freediameter.is_killed, freediameter.garbage,
], ids=lambda scenario: scenario.__name__)
def test_with_freediameter(scenario: Callable[[str, Path], Any], tmp_path: Path) -> None:
    asyncio.run(scenario("tcp", tmp_path))
