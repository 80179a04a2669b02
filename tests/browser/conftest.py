# SPDX-License-Identifier: Apache-2.0
"""A JupyterLab on a copy of the notebooks, and a real Chromium in front of it.

With `$DIALTONE_URL` the notebooks talk to that network, without it they replay the recording.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / ".state" / "browser"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@dataclass(frozen=True)
class Jupyter:
    """A server and its token."""

    url: str
    token: str

    def notebook(self, name: str) -> str:
        """The address of a notebook in a workspace of its own, without what was open before."""
        return f"{self.url}/lab/workspaces/{name}/tree/{name}.ipynb?reset&token={self.token}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    folder = tmp_path_factory.mktemp("jupyter")
    leftovers = shutil.ignore_patterns(".ipynb_checkpoints", "*.pcapng")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=leftovers)
    token, port = secrets.token_hex(8), free_port()
    # Where JupyterLab keeps what it remembers: nothing of this machine's user comes in, and nothing goes out.
    environment = {**os.environ, "JUPYTER_TOKEN": token, "HOME": str(folder),
                   "JUPYTER_CONFIG_DIR": str(folder / "config"),
                   "JUPYTER_CONFIG_PATH": str(ROOT / "appliance" / "dialtone" / "lab" / "jupyter"),
                   "DIALTONE_URL": os.environ.get("DIALTONE_URL", "replay"), "PYTHONPATH": str(ROOT / "appliance")}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root",
               "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder / 'notebooks'}",
               "--LabApp.expose_app_in_browser=True",
               "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{url}/api/status?token={token}", timeout=2).close()
                break
            except OSError:
                assert server.poll() is None, (folder / "log").read_text()
                time.sleep(0.2)
        else:
            pytest.fail((folder / "log").read_text())
        yield Jupyter(url, token)
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture
def page(tmp_path: Path, jupyter: Jupyter) -> Iterator[Page]:
    """One browser window with an empty profile; it must not talk to any other machine."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=CHROMIUM, headless=True, args=ARGUMENTS,
            viewport={"width": 1500, "height": 1400})
        window = browser.pages[0] if browser.pages else browser.new_page()
        strangers: list[str] = []
        window.on("request", lambda request: None if request.url.startswith((jupyter.url, "data:", "blob:")) else
                  strangers.append(request.url))
        yield window
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        window.screenshot(path=SCREENSHOTS / f"{tmp_path.name}.png")
        browser.close()
        assert strangers == []
