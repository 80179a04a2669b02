# SPDX-License-Identifier: Apache-2.0
"""Our Diameter node and freeDiameter over kernel SCTP (PPID 46). TCP: tests/host."""

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import freediameter
import pytest

pytestmark = pytest.mark.kernel


@pytest.fixture(autouse=True, scope="module")
def _addresses() -> None:
    for address in (freediameter.OURS["sctp"], freediameter.THEIRS["sctp"]):
        subprocess.run(["ip", "address", "replace", f"{address}/32", "dev", "lo"], check=True)


@pytest.mark.parametrize(("listen", "connect"), [(False, True), (True, False), (True, True)],
                         ids=["we connect", "it connects", "both connect"])
def test_opens(tmp_path: Path, listen: bool, connect: bool) -> None:
    asyncio.run(freediameter.opens("sctp", tmp_path, listen=listen, connect=connect))


@pytest.mark.parametrize("scenario", [
    freediameter.asks_us, freediameter.leave, freediameter.falls_silent, freediameter.is_killed, freediameter.garbage,
], ids=lambda scenario: scenario.__name__)
def test_with_freediameter(scenario: Callable[[str, Path], Any], tmp_path: Path) -> None:
    asyncio.run(scenario("sctp", tmp_path))
