# SPDX-License-Identifier: Apache-2.0
"""The demo as a person meets it: open its URL, run the attach notebook on the live network, click a message."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright
from test_in_chromium import SLOWLY, first_ladder, run_all

from conftest import ARGUMENTS, CHROMIUM, SCREENSHOTS

pytestmark = pytest.mark.browser


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """What the demo printed; at the end Ctrl-C, and a clean exit."""
    settings = tmp_path / "jupyter"
    settings.mkdir()
    # The test asks JupyterLab itself what has run, which it must allow.
    (settings / "jupyter_lab_config.json").write_text('{"LabApp": {"expose_app_in_browser": true}}')
    demo = subprocess.Popen([sys.executable, "-m", "dialtone.cli", "demo", "--state", str(tmp_path / "state")],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            env=os.environ | {"JUPYTER_CONFIG_DIR": str(settings)})
    assert demo.stdout is not None
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(iter(demo.stdout.readline, "")), daemon=True)  # type: ignore[union-attr]
    reader.start()
    try:
        deadline = time.monotonic() + 240
        while not (found := re.search(r"open (http://\S+)", "".join(lines))):
            assert demo.poll() is None, "".join(lines)
            assert time.monotonic() < deadline, "".join(lines)
            time.sleep(0.2)
        yield found[1]
    finally:
        demo.send_signal(signal.SIGINT)
        code = demo.wait(60)
    assert code == 0, "".join(lines)


def test_the_attach_notebook_on_the_live_network(url: str, tmp_path: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=CHROMIUM, headless=True, args=ARGUMENTS,
            viewport={"width": 1500, "height": 1400})
        page = browser.pages[0] if browser.pages else browser.new_page()
        page.goto(url.replace("00_welcome", "03_attach"))
        run_all(page)
        said = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.filter("
                             "(cell) => cell.model.type === 'code').map((cell) => JSON.stringify("
                             "cell.model.outputs.toJSON())).join()")
        assert "replay" not in said.lower()[:2000]  # the first cells say whom they speak to
        ladder = first_ladder(page)
        row = ladder.locator(".row[data-point='NAS'][data-name='Attach accept']").last
        row.locator(".hit").click()
        expect(ladder.locator("h4")).to_have_text("Attach accept · TS 24.301, 8.2.1", timeout=SLOWLY)
        expect(ladder.locator(".dtl-text")).to_contain_text("(Attach accept)")
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / "live_03_attach.png")
        browser.close()
