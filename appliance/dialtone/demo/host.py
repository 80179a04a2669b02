# SPDX-License-Identifier: Apache-2.0
"""The host's side of the demo: where the lab runs, its way to the Internet, JupyterLab, one URL, a clean end."""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from ipaddress import ip_network
from pathlib import Path

from dialtone.config import Config, load
from dialtone.demo.check import check
from dialtone.demo.forward import Forward
from dialtone.demo.guest import READY
from dialtone.demo.jupyter import JupyterLab, caller
from dialtone.errors import LocalError
from dialtone.kernel import net, nft
from dialtone.lab.client import Client
from dialtone.lab_kernel.guest import GUEST_ADDRESS, HOST_ENDS, TAP, Guest, Options
from dialtone.lab_kernel.kernel import Mode, probe
from dialtone.lab_kernel.run import guest_for

API_PORT = 8000
START = 180.0  # seconds for the whole lab; user-mode Linux takes some thirty
Say = Callable[[str], None]


class Lab:
    """Core, API, simulated eNB and phones in a guest; use as a context manager. Raises LocalError."""

    def __init__(self, state: Path, config_file: Path | None, say: Say) -> None:
        self.state = state.resolve()
        self.config_file = config_file
        self.config: Config = load([config_file] if config_file else [])
        self.say = say
        self.url = f"http://{GUEST_ADDRESS}:{API_PORT}"
        self._stack = ExitStack()
        self._log = self.state / "lab.log"
        self._ready = threading.Event()
        self._ended = threading.Event()
        self._tail = b""

    def __enter__(self) -> "Lab":
        report = probe()
        self.say(report.why)
        if report.mode is Mode.NONE:
            raise LocalError("The lab cannot run here.", remedy="`./build.sh doctor` says what is missing.")
        self.state.mkdir(parents=True, exist_ok=True)
        with self._stack as stack:
            self._guest(report.mode, stack)
            self._way_out(report.mode, stack)
            self._wait()
            self._url_file(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def ended(self) -> bool:
        """Whether the lab has gone by itself."""
        return self._ended.is_set()

    def _guest(self, mode: Mode, stack: ExitStack) -> Guest:
        pools = tuple(map(str, self._pools()))
        command = [sys.executable, "-m", "dialtone.demo.guest", "--state", str(self.state), "--port", str(API_PORT)]
        if self.config_file:
            command += ["--config", str(self.config_file.resolve())]
        log = stack.enter_context(self._log.open("wb"))

        def output(chunk: bytes) -> None:
            log.write(chunk)
            log.flush()
            if not chunk:
                self._ended.set()
            self._tail = (self._tail + chunk)[-4000:]
            if READY.encode() in self._tail:
                self._ready.set()

        guest = guest_for(mode, command, Options(tap=True, routes=pools), output=output)
        return stack.enter_context(guest)

    def _pools(self) -> tuple[nft.Network, ...]:
        """The phones' networks."""
        return tuple(pool for apn in self.config.apn.values() for pool in (apn.pool, apn.pool6) if pool is not None)

    def _way_out(self, mode: Mode, stack: ExitStack) -> None:
        """Forward and masquerade what comes over the tap: the phones' pools themselves, where the guest cannot."""
        if (why := nft.missing()) is not None:
            self.say(f"The phones reach no network beyond this machine: {why}")
            return
        stack.callback(net.Forwarding().close)
        firewall = nft.Firewall()
        wires = tuple(ip_network(end, strict=False) for end in HOST_ENDS)
        chosen = self.config.uplink.interface
        firewall.apply(nft.Rules(TAP, self._pools(), uplink=net.uplink() if chosen == "auto" else chosen,
                                 also=wires, masquerade=self.config.uplink.masquerade,
                                 masquerade6=self.config.uplink.masquerade6))
        stack.callback(firewall.close)

    def _wait(self) -> None:
        deadline = time.monotonic() + START
        while not self._ready.wait(0.2):
            if self._ended.is_set() or time.monotonic() > deadline:
                words = self._tail.decode(errors="replace").strip().splitlines()[-5:]
                raise LocalError("The lab did not start:\n  " + "\n  ".join(words), remedy=f"\nMore in {self._log}.")

    def _url_file(self, stack: ExitStack) -> None:
        """Where the command line and the notebooks find the API, and the token of who started it."""
        path = self.state / "run" / "url"
        path.parent.mkdir(exist_ok=True)
        path.touch(0o600)
        if owner := caller():
            os.chown(path, *owner)
        path.write_text(self.client_url + "\n")
        stack.callback(path.unlink, missing_ok=True)

    @property
    def client_url(self) -> str:
        """The API's URL with the teacher's token in it."""
        return self.url.replace("://", f"://:{self.tokens['teacher']}@")

    @property
    def tokens(self) -> dict[str, str]:
        """The teacher's token and the class code, which the API has written down."""
        found: dict[str, str] = json.loads((self.state / "api" / "access.json").read_text())
        return found


def demo(state: Path, config_file: Path | None, listen: str, only_check: bool, say: Say) -> bool:
    """The whole demo; returns when it is interrupted, or with `only_check` whether it works."""
    with Lab(state, config_file, say) as lab:
        client = Client(lab.client_url)
        say(f"core, API, simulated eNB and {len(client.get('/sim/phones'))} phones are up")
        if only_check:
            return check(client, str(lab.config.apn["internet"].gateway), say)
        with (JupyterLab(state.resolve(), listen, lab.client_url) as jupyter,
              Forward(listen, API_PORT, GUEST_ADDRESS) as api):
            here = f"http://{'127.0.0.1' if listen == '0.0.0.0' else listen}:{api.port}"
            say(f"this box: {here}/?token={lab.tokens['teacher']}")
            say(f"students: {here}/watch, class code {lab.tokens['code'] or 'none, the class is closed'}")
            say(f"open {jupyter.url}")
            say("Ctrl-C ends it all")
            while not lab.ended():
                time.sleep(0.5)
            raise LocalError("The lab ended by itself.", remedy=f"See {state}/lab.log.")
