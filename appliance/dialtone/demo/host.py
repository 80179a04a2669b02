# SPDX-License-Identifier: Apache-2.0
"""The host's side of the demo: where the lab runs, its way to the Internet, JupyterLab, one URL, a clean end."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from dialtone.config import Config, load
from dialtone.demo.forward import Forward
from dialtone.demo.guest import READY
from dialtone.errors import LocalError
from dialtone.kernel import net, nft
from dialtone.lab.client import Client
from dialtone.lab_kernel.guest import GUEST_ADDRESS, HOST_ENDS, TAP, Guest, Options
from dialtone.lab_kernel.kernel import Mode, probe
from dialtone.lab_kernel.run import guest_for

API_PORT = 8000
START = 180.0  # seconds for the whole lab; user-mode Linux takes some thirty
IMS_PATIENCE = 90.0  # seconds for all phones to register; user-mode Linux takes some ten
ECHO = "600"
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
        if owner := _owner():
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

    def call(self, method: str, path: str, body: Any = None, timeout: float = 60.0) -> Any:
        """One request to the API; raises LocalError with its error and remedy."""
        path, _, query = path.partition("?")
        return Client(self.client_url, timeout).request(method, path, dict(parse_qsl(query)), body)


class JupyterLab:
    """JupyterLab on the writable copy of the notebooks; use as a context manager."""

    def __init__(self, state: Path, listen: str, lab_url: str) -> None:
        self.folder = state / "notebooks"
        self.listen = listen
        self.lab_url = lab_url
        self.port = free_port(listen, 8888)
        self.token = secrets.token_urlsafe(16)
        self._log = state / "jupyter.log"

    @property
    def url(self) -> str:
        """Where a browser goes."""
        host = "127.0.0.1" if self.listen in ("0.0.0.0", "127.0.0.1") else self.listen
        return f"http://{host}:{self.port}/lab/tree/00_welcome.ipynb?token={self.token}"

    def __enter__(self) -> "JupyterLab":
        copy_notebooks(self.folder)
        owner = _owner()
        if owner:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, *owner)
        # setpriv: it goes with us, however we end.
        command = ["setpriv", "--pdeathsig", "KILL", "--", sys.executable, "-m", "jupyterlab", "--no-browser",
                   f"--ip={self.listen}", f"--port={self.port}", "--ServerApp.port_retries=0",
                   f"--ServerApp.root_dir={self.folder}", "--LabApp.news_url=",
                   "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
        if os.geteuid() == 0 and not owner:
            command.append("--allow-root")
        # The token goes by the environment: everybody may read a command line.
        environment = os.environ | {"DIALTONE_URL": self.lab_url, "JUPYTER_TOKEN": self.token,
                                    "JUPYTER_PLATFORM_DIRS": "1",
                                    # It keeps JupyterLab from asking about news and from looking for extensions.
                                    "JUPYTER_CONFIG_PATH": str(Path(__file__).parents[1] / "lab" / "jupyter")}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                             env=environment, start_new_session=True,
                                             user=owner[0] if owner else None, group=owner[1] if owner else None)
        self._wait()
        return self

    def _wait(self) -> None:
        deadline = time.monotonic() + 90
        while True:
            try:
                with socket.create_connection(("127.0.0.1" if self.listen == "0.0.0.0" else self.listen, self.port), 1):
                    return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise LocalError("JupyterLab did not start.", remedy=f"See {self._log}.") from None
                time.sleep(0.2)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def copy_notebooks(folder: Path) -> None:
    """The notebooks of the house to a folder where they may be edited; what was edited there stays."""
    source = Path(__file__).parents[3] / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    for original in sorted(source.rglob("*")):
        copy = folder / original.relative_to(source)
        if original.is_dir():
            copy.mkdir(exist_ok=True)
        elif not copy.exists():
            shutil.copyfile(original, copy)


def free_port(listen: str, wanted: int) -> int:
    """`wanted`, or the next port that nobody has."""
    for port in range(wanted, wanted + 100):
        with socket.socket() as probe_socket:
            probe_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe_socket.bind((listen, port))
            except OSError:
                continue
            return port
    raise LocalError(f"No free port from {wanted} on at {listen}.", remedy="Is --listen an address of this machine?")


def _owner() -> tuple[int, int] | None:
    """Who called sudo."""
    user = os.environ.get("SUDO_UID")
    return (int(user), int(os.environ.get("SUDO_GID", user))) if user and os.geteuid() == 0 else None


def check(lab: Lab, say: Say) -> bool:
    """Attach every simulated phone, ping the gateway from each, let the first one text the second and call the echo,
    detach; True when all of it worked."""
    good = True
    phones = lab.call("GET", "/sim/phones")
    for phone in phones:
        lab.call("POST", f"/sim/phones/{phone['imsi']}:attach")
    gateway = str(lab.config.apn["internet"].gateway)
    for phone in phones:
        said = lab.call("POST", f"/sim/phones/{phone['imsi']}:exec", {"argv": ["ping", "-c", "2", "-W", "5", gateway]})
        good &= said["code"] == 0
        result = f"attached, {gateway} answers its ping" if said["code"] == 0 else said["stdout"] or said["stderr"]
        say(f"{phone['imsi']}: {result}")
    good &= _voice(lab, say)
    for phone in phones:
        lab.call("POST", f"/sim/phones/{phone['imsi']}:detach")
    rest = {name: count for name, count in lab.call("GET", "/leaks").items() if name != "timers" and count}
    if rest:
        say(f"left behind after the detach: {rest}")
    return good and not rest


def _voice(lab: Lab, say: Say) -> bool:
    """Wait for the phones to register to IMS, and use it."""
    deadline = time.monotonic() + IMS_PATIENCE
    phones = lab.call("GET", "/sim/phones")
    while any(phone["ims"] != "registered" for phone in phones):
        if time.monotonic() > deadline:
            say("not registered to IMS: " + ", ".join(f"{phone['imsi']} {phone['in_ims']['last']}" for phone in phones))
            return False
        time.sleep(1)
        phones = lab.call("GET", "/sim/phones")
    first, second = phones[0]["imsi"], phones[1]["in_ims"]["identity"]
    good = True
    for verb, words, what in (("text", {"to": second, "text": "Hello"}, f"a text to {second}"),
                              (f"call?to={ECHO}", None, f"a call to {ECHO}, the echo"),
                              ("hangup", None, "hanging up")):
        said = lab.call("POST", f"/sim/phones/{first}:{verb}", words)
        good &= bool(said["ok"])
        say(f"{first}: {what}: {'works' if said['ok'] else said}")
    return good


def demo(state: Path, config_file: Path | None, listen: str, only_check: bool, say: Say) -> bool:
    """The whole demo; returns when it is interrupted, or with `only_check` whether it works."""
    with Lab(state, config_file, say) as lab:
        say(f"core, API, simulated eNB and {len(lab.call('GET', '/sim/phones'))} phones are up")
        if only_check:
            return check(lab, say)
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
