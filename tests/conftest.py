# SPDX-License-Identifier: Apache-2.0
"""docs/supported.md says what tests show: a run that skipped one of those tests, or lost it, has failed."""

from pathlib import Path

import pytest

from dialtone.docs_supported import named

pytest.register_assert_rewrite("leaks")  # of tests/flows: it asserts, and is no test

_outcomes: dict[tuple[Path, str], set[str]] = {}
_claims: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Wherever it ran: outcomes of setup, call and teardown, over all parameters."""
    file, _, function = report.nodeid.partition("::")
    _outcomes.setdefault((Path(file), function.partition("[")[0]), set()).add(report.outcome)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Every named test below the folders of this run has run, and none was skipped."""
    config = session.config
    if session.exitstatus != pytest.ExitCode.OK or config.option.keyword or config.option.markexpr \
            or config.option.collectonly:
        return
    folders = [folder for name in config.args if (folder := config.invocation_params.dir / name).is_dir()]
    for path, function in sorted(named()):
        file = path.relative_to(config.rootpath)
        outcomes = _outcomes.get((file, function))
        if outcomes is None and any(folder.resolve() in path.parents for folder in folders):
            _claims.append(f"{file}::{function} did not run")
        elif outcomes is not None and "skipped" in outcomes:
            _claims.append(f"{file}::{function} was skipped")
    if _claims:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which."""
    if _claims:
        terminalreporter.section("docs/supported.md names tests that showed nothing")
        for claim in _claims:
            terminalreporter.write_line(claim)
