# SPDX-License-Identifier: Apache-2.0
"""JupyterLab on a writable copy of the notebooks: beside the demo, and as a service of the appliance."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from dialtone.errors import LocalError

PORT = 8888
ORIGINALS = Path(__file__).parents[3] / "notebooks"  # of a checkout
ENVIRONMENT = {"JUPYTER_PLATFORM_DIRS": "1",
               # It keeps JupyterLab from asking about news and from looking for extensions.
               "JUPYTER_CONFIG_PATH": str(Path(__file__).parents[1] / "lab" / "jupyter")}


def command_line(folder: Path, listen: str, port: int) -> list[str]:
    """How JupyterLab is started. Its token goes by the environment: everybody may read a command line."""
    return [sys.executable, "-m", "jupyterlab", "--no-browser", f"--ip={listen}", f"--port={port}",
            "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}", "--LabApp.news_url=",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]


def become(folder: Path, originals: Path, listen: str, port: int) -> None:
    """Be JupyterLab from here on, as its service is; `JUPYTER_TOKEN` must be set. Raises LocalError without it."""
    if not os.environ.get("JUPYTER_TOKEN"):
        raise LocalError("JupyterLab would ask nobody for a token.", remedy="Set JUPYTER_TOKEN.")
    copy_notebooks(originals, folder)
    command = command_line(folder, listen, port)
    os.execve(command[0], command, os.environ | ENVIRONMENT)


class JupyterLab:
    """JupyterLab on the writable copy of the notebooks; use as a context manager."""

    def __init__(self, state: Path, listen: str, lab_url: str) -> None:
        self.folder = state / "notebooks"
        self.listen = listen
        self.lab_url = lab_url
        self.port = free_port(listen, PORT)
        self.token = secrets.token_urlsafe(16)
        self._log = state / "jupyter.log"

    @property
    def url(self) -> str:
        """Where a browser goes."""
        host = "127.0.0.1" if self.listen in ("0.0.0.0", "127.0.0.1") else self.listen
        return f"http://{host}:{self.port}/lab/tree/00_welcome.ipynb?token={self.token}"

    def __enter__(self) -> "JupyterLab":
        copy_notebooks(ORIGINALS, self.folder)
        owner = caller()
        if owner:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, *owner)
        # setpriv: it goes with us, however we end.
        command = ["setpriv", "--pdeathsig", "KILL", "--", *command_line(self.folder, self.listen, self.port)]
        if os.geteuid() == 0 and not owner:
            command.append("--allow-root")
        environment = ENVIRONMENT | {"DIALTONE_URL": self.lab_url, "JUPYTER_TOKEN": self.token}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                             env=os.environ | environment, start_new_session=True,
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


def copy_notebooks(source: Path, folder: Path) -> None:
    """The notebooks of `source` to a folder where they may be edited; what was edited there stays."""
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


def caller() -> tuple[int, int] | None:
    """Who called sudo."""
    user = os.environ.get("SUDO_UID")
    return (int(user), int(os.environ.get("SUDO_GID", user))) if user and os.geteuid() == 0 else None
