# SPDX-License-Identifier: Apache-2.0
"""The demo as a person runs it: one URL, a page beyond the NAT for three phones at once, and nothing left behind."""

import http.server
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dialtone.lab.client import Client
from dialtone.lab_kernel import namespaces
from dialtone.lab_kernel.namespaces import End, Namespace

pytestmark = pytest.mark.kernel

HOST, SERVER = "198.51.100.1", "198.51.100.2"
IMSIS = [f"00101000000000{number}" for number in range(1, 4)]


class Internet:
    """A web server in a namespace of its own, as far from the phones as the Internet is."""

    def __init__(self) -> None:
        self.namespace: Namespace = namespaces.create("dt-test-web")
        namespaces.cable(End(None, "dt-up", [f"{HOST}/24"]), End(self.namespace, "eth0", [f"{SERVER}/24"]))
        self.visitors: list[str] = []
        visitors = self.visitors

        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                visitors.append(self.client_address[0])
                body = b"a page beyond the NAT\n" * 2000
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        with self.namespace.enter():
            self.server = http.server.ThreadingHTTPServer((SERVER, 80), Page)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.namespace.remove()


@pytest.fixture(scope="module")
def internet() -> Iterator[Internet]:
    web = Internet()
    yield web
    web.close()


class Demo:
    """`dialtone demo`, its output line by line."""

    def __init__(self, state: Path, *options: str) -> None:
        self.state = state
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dialtone.cli", "demo", "--state", str(state), *options],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            # As a shell starts what it puts into the background: Ctrl-C ends the demo even so.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)

    def wait_for(self, pattern: str, seconds: float = 180) -> re.Match[str]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := re.search(pattern, "".join(self.lines)):
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        log = self.state / "lab.log"
        raise AssertionError("".join(self.lines) + (log.read_text() if log.exists() else ""))

    def url(self) -> str:
        """That of the API, with the token in it."""
        found = self.wait_for(r"this box: (http://)(127\.0\.0\.1:\d+)/\?token=(\S+)")
        return f"{found[1]}:{found[3]}@{found[2]}"

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


def call(url: str, method: str, path: str, body: Any = None) -> Any:
    return Client(url, 120).request(method, path, body=body)


def traces_of_a_lab() -> dict[str, object]:
    """What a lab makes on the host."""
    tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout
    links = subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True).stdout
    processes = subprocess.run(["pgrep", "-fa", "dialtone.demo.guest|jupyterlab|unbound -d"], capture_output=True,
                               text=True).stdout
    return {
        "nft": [line for line in tables.splitlines() if "dialtone" in line],
        "links": re.findall(r"^(dt-lab\S*|ue\d\S*)", links, re.MULTILINE),
        "namespaces": [ns.name for ns in namespaces.present() if ns.name != "dt-test-web"],
        "processes": [line for line in processes.splitlines() if "pgrep" not in line],
        "forwarding": Path("/proc/sys/net/ipv4/ip_forward").read_text(),
    }


def test_three_phones_fetch_a_page_beyond_the_nat_and_nothing_is_left(tmp_path: Path, internet: Internet) -> None:
    before = traces_of_a_lab()
    (tmp_path / "dialtone.toml").write_text('[uplink]\ninterface = "dt-up"\n')
    demo = Demo(tmp_path / "state", "--config", str(tmp_path / "dialtone.toml"))
    try:
        notebook = demo.wait_for(r"open (http://127\.0\.0\.1:\d+/lab/tree/00_welcome\.ipynb\?token=\S+)")[1]
        url = demo.url()
        assert urllib.request.urlopen(notebook, timeout=60).status == 200

        with ThreadPoolExecutor(3) as at_once:
            list(at_once.map(lambda imsi: call(url, "POST", f"/sim/phones/{imsi}:attach"), IMSIS))
        ues = {ue["imsi"]: ue for ue in call(url, "GET", "/ues")}
        assert sorted(ues) == IMSIS
        assert all(ue["emm"] == "EMM-REGISTERED" and ue["ecm"] == "ECM-CONNECTED" for ue in ues.values())
        addresses = {ue["bearers"][0]["ue_ip"] for ue in ues.values()}
        assert len(addresses) == 3

        for imsi in IMSIS:
            ping = ["ping", "-c", "2", "-W", "5", "10.45.0.1"]
            assert call(url, "POST", f"/sim/phones/{imsi}:exec", {"argv": ping})["code"] == 0
            fetch = ["curl", "-sS", "-m", "20", "-o", "/dev/null", "-w", "%{size_download}", f"http://{SERVER}/"]
            fetched = call(url, "POST", f"/sim/phones/{imsi}:exec", {"argv": fetch})
            assert (fetched["code"], fetched["stdout"]) == (0, "44000"), fetched
        assert internet.visitors == [HOST] * 3  # not the phones' addresses: they are hidden behind ours
        api = call(url, "POST", f"/sim/phones/{IMSIS[0]}:exec",
                   {"argv": ["curl", "-sS", "-m", "5", "http://10.254.0.2:8000/api/v1/status"]})
        assert api["code"] in (7, 28), api  # a phone is a stranger: refused or unanswered
        bearers = [ue["bearers"][0] for ue in call(url, "GET", "/ues")]
        assert all(bearer["up_packets"] > 0 and bearer["down_bytes"] > 44000 for bearer in bearers)

        for imsi in IMSIS:
            call(url, "POST", f"/sim/phones/{imsi}:detach")
        left = call(url, "GET", "/leaks")
        assert {name: left[name] for name in ("addresses", "teids", "tunnels", "contexts")} == {
            "addresses": 0, "teids": 0, "tunnels": 0, "contexts": 0}
        assert demo.end() == 0
    finally:
        if demo.process.poll() is None:
            demo.end()
    assert traces_of_a_lab() == before


def test_check_says_pass(tmp_path: Path) -> None:
    before = traces_of_a_lab()
    done = subprocess.run([sys.executable, "-m", "dialtone.cli", "demo", "--check", "--state", str(tmp_path)],
                          capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "pass"), done.stdout + done.stderr
    assert done.stdout.count("answers its ping") == 3
    assert "a call to 600, the echo: works" in done.stdout
    assert traces_of_a_lab() == before


def test_a_killed_demo_leaves_no_lab_behind_and_the_next_one_starts(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    demo.wait_for("Ctrl-C ends it all")
    demo.process.kill()
    demo.process.wait()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and traces_of_a_lab()["processes"]:
        time.sleep(0.2)
    assert traces_of_a_lab()["processes"] == []
    second = Demo(tmp_path, "--check")
    assert second.process.wait(300) == 0, "".join(second.lines)


def test_a_second_demo_says_that_one_runs(tmp_path: Path) -> None:
    first = Demo(tmp_path / "one")
    try:
        first.wait_for("phones are up")
        second = subprocess.run([sys.executable, "-m", "dialtone.cli", "demo", "--check", "--state",
                                 str(tmp_path / "two")], capture_output=True, text=True, timeout=120)
        assert second.returncode == 1
        assert "a lab runs already" in second.stderr
    finally:
        assert first.end(signal.SIGTERM) == 0


def test_a_wrong_config_says_line_key_and_remedy(tmp_path: Path) -> None:
    (tmp_path / "dialtone.toml").write_text("[network]\nname = 'x'\nmnc = 1\n")
    done = subprocess.run([sys.executable, "-m", "dialtone.cli", "demo", "--check", "--state", str(tmp_path),
                           "--config", str(tmp_path / "dialtone.toml")], capture_output=True, text=True,
                          env=os.environ, timeout=60)
    assert done.returncode == 1
    assert re.search(r"dialtone\.toml, line 3: network\.mnc must be a string of 2 or 3 digits", done.stderr)
