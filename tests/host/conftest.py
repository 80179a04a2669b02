# SPDX-License-Identifier: Apache-2.0
"""Tests on this machine's own kernel, in namespaces of their own: what user-mode Linux cannot do (nftables for IP).

They need root. They share the lab of tests/kernel.
"""

import fcntl
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parents[1] / room) for room in ("kernel", "unit")]


@pytest.fixture(autouse=True)
def _root() -> None:
    if os.geteuid() != 0:
        pytest.fail("these tests make namespaces and nft tables: run them as root, or ./build.sh test")


@pytest.fixture(autouse=True, scope="session")
def _alone() -> Iterator[None]:
    """Two runs on one machine take turns: their namespaces have the same names."""
    with open(Path(tempfile.gettempdir(), "dialtone-tests-host.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
