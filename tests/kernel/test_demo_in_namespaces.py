# SPDX-License-Identifier: Apache-2.0
"""The lab where the kernel lacks nothing: `dialtone demo --check` in network namespaces, run in the lab kernel."""

import subprocess
import sys
from pathlib import Path

import pytest

from dialtone.lab_kernel import namespaces

pytestmark = pytest.mark.kernel


def test_the_lab_in_namespaces_attaches_three_phones(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "dialtone.cli", "demo", "--check", "--state", str(tmp_path)],
                          capture_output=True, text=True, timeout=280)
    log = tmp_path / "lab.log"
    said = done.stdout + done.stderr + (log.read_text() if log.exists() else "")
    assert "network namespaces" in done.stdout.splitlines()[0], said
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "pass"), said
    assert done.stdout.count("answers its ping") == 3
    assert namespaces.present() == []
    links = subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True).stdout
    assert "dt-lab0" not in links
