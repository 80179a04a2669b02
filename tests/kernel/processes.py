# SPDX-License-Identifier: Apache-2.0
"""Core and simulation as processes of their own, and their control sockets."""

import os
import subprocess
import sys
import time
from pathlib import Path

import dialtone
from dialtone.control import Away, Client

_CORE = "import sys; from dialtone.cli.core import core; core(sys.argv[1:])"
_SIM = "import sys; from dialtone.sim.process import sim_run; sim_run(sys.argv[1:])"


def _start(code: str, *words: str) -> "subprocess.Popen[bytes]":
    here = str(Path(dialtone.__file__).parents[1])  # the code under test, wherever another one is installed
    return subprocess.Popen([sys.executable, "-c", code, *words], env={**os.environ, "PYTHONPATH": here})


def start_core(path: Path, *words: str) -> "subprocess.Popen[bytes]":
    """With its state and its sockets below `path`."""
    return _start(_CORE, "--state", str(path / "state"), "--run", str(path / "run"), *words)


def start_sim(path: Path, *words: str) -> "subprocess.Popen[bytes]":
    """`dialtone sim run` with further words."""
    return _start(_SIM, "--run", str(path / "run"), *words)


def connected(path: Path, seconds: float = 30.0) -> Client:
    """The control socket `path`, once it is there."""
    end = time.monotonic() + seconds
    while True:
        try:
            return Client(path, timeout=90.0)
        except Away:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
