# SPDX-License-Identifier: Apache-2.0
"""Kernel tests run where every kernel feature is, whoever starts them and with whatever else.

The first kernel test of a session starts one guest with a pytest of its own for all of them; that one sends its reports
over the guest's output, and they are told here as if the tests had run here: one summary, one closing line.
"""

import json
import os
import queue
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from dialtone.errors import LocalError
from dialtone.lab_kernel import namespaces
from dialtone.lab_kernel.guest import Guest, Options
from dialtone.lab_kernel.kernel import probe
from dialtone.lab_kernel.run import guest_for

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "unit"))  # rigs that both need
IN_LAB = "DIALTONE_LAB" in os.environ
REPORT_FD = 7
MARK = b"\x1e"  # before a report in the guest's output
TEST_SECONDS = 300
SILENCE_SECONDS = TEST_SECONDS + 120  # boot included
_lab = pytest.StashKey["Lab"]()


class Lab:
    """The guest with its pytest, and what came out of it."""

    def __init__(self, config: pytest.Config, node_ids: Sequence[str]) -> None:
        report = probe()
        terminal = config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            terminal.write_line(f"\nkernel tests run in {report.mode}: {report.why}")
        self.reports: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.log: list[bytes] = []
        self._rest = b""
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--timeout={TEST_SECONDS}", *node_ids]
        command = ["sh", "-c", f"exec {shlex.join(words)} {REPORT_FD}>&1"]
        options = Options(directory=config.rootpath, memory_mib=1536)
        self.guest: Guest | None = None
        try:
            self.guest = guest_for(report.mode, command, options, self._hear).start()
        except LocalError as error:
            self.log.append(str(error).encode())
            self.reports.put(None)

    def _hear(self, chunk: bytes) -> None:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if not chunk:
            lines.append(self._rest)
        for line in lines:
            before, mark, report = line.partition(MARK)
            if mark:
                self.reports.put(json.loads(report))
            self.log.append(before if mark else before + b"\n")
        if not chunk:
            self.reports.put(None)

    def next(self) -> dict[str, Any] | None:
        """The next report, or None when there will be no more."""
        try:
            return self.reports.get(timeout=SILENCE_SECONDS)
        except queue.Empty:
            self.log.append(f"(nothing for {SILENCE_SECONDS} s)".encode())
            return None

    def last_words(self) -> str:
        """The end of what the guest's pytest printed."""
        return b"".join(self.log[-60:]).decode(errors="replace").strip()


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Outside of the lab: tell what the lab reports about this test instead of running it."""
    if IN_LAB or HERE not in item.path.parents:
        return None
    stash = item.session.stash
    if _lab not in stash:
        stash[_lab] = Lab(item.config, [other.nodeid for other in item.session.items if HERE in other.path.parents])
    lab = stash[_lab]
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    phase = ""
    while phase != "teardown":
        data = lab.next()
        if data is None or data["nodeid"] != item.nodeid:
            text = f"the lab kernel ended before this test did:\n{lab.last_words()}"
            report = pytest.TestReport(item.nodeid, item.location, {}, "failed", text, "call")
            item.ihook.pytest_runtest_logreport(report=report)
            lab.reports.put(None)  # and so for the tests after this one
            break
        report = item.config.hook.pytest_report_from_serializable(config=item.config, data=data)
        phase = report.when
        if isinstance(report.longrepr, list):  # a skip's place and reason; JSON knows no tuples
            report.longrepr = tuple(report.longrepr)
        item.ihook.pytest_runtest_logreport(report=report)
        if report.when == "call" and (terminal := item.config.pluginmanager.get_plugin("terminalreporter")):
            for what, value in report.user_properties:  # what a test has measured is worth a line
                terminal.write_line(f"\n{what}: {value}")
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    # Nothing was set up for this item, but what the one before it left standing for us must go before the next one.
    item.session._setupstate.teardown_exact(nextitem)
    return True


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """In the lab: send the report to whoever waits for it."""
    if _sender is not None:
        data = _sender.hook.pytest_report_to_serializable(config=_sender, report=report)
        line = MARK + json.dumps(data, default=str).encode() + b"\n"
        while line:
            line = line[os.write(REPORT_FD, line) :]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The guest has nothing more to do; or was stopped by -x, and ends here."""
    if _lab in session.stash and (guest := session.stash[_lab].guest) is not None:
        guest.stop()


_sender: pytest.Config | None = None


def pytest_configure(config: pytest.Config) -> None:
    """In the lab: find out whether someone waits for reports (a pytest started there by hand has nobody)."""
    global _sender
    if IN_LAB:
        try:
            os.fstat(REPORT_FD)
            _sender = config
        except OSError:
            _sender = None


@pytest.fixture
def clean_namespaces() -> Iterator[None]:
    """Whatever a test made of `dt-...` is gone after it."""
    yield
    namespaces.remove_all()
