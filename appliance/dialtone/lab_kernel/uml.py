# SPDX-License-Identifier: Apache-2.0
"""Run a command inside user-mode Linux, with the host's own files as its root.

The guest has every kernel feature the lab needs. It ends with the command, with its starter, or when told to: it lives
in a PID namespace whose first process dies with us, and its tap exists only while it holds it open.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from dialtone.errors import LocalError
from dialtone.lab_kernel import init, links
from dialtone.lab_kernel.guest import HOST_ENDS, TAP, Guest, Options, by_way_of, to_stdout
from dialtone.lab_kernel.kernel import Mode

BOOT_SECONDS = 90.0
PREFIX = "dialtone-uml-"


class UmlGuest(Guest):
    """A guest with a kernel of its own."""

    def __init__(
        self, command: Sequence[str], options: Options | None = None, output: Callable[[bytes], None] = to_stdout
    ) -> None:
        super().__init__(command, options, output)
        self._run: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._said = b""
        self._change = threading.Condition()
        self._control = -1
        self._ours: list[int] = []  # descriptors to close at the end

    def start(self) -> "UmlGuest":
        """Boot, and return when the command has been started. Raises LocalError with the kernel's last words."""
        if shutil.which("linux.uml") is None:
            raise LocalError("The package user-mode-linux is not installed.", remedy="Debian has it for amd64.")
        if os.geteuid() != 0:
            raise LocalError("User-mode Linux needs root, for its tap and for the files it shares.", remedy="Use sudo.")
        if self.options.tap and links.exists(TAP):
            raise LocalError(f"The interface {TAP} exists: a lab runs already.", remedy="Stop it, then try again.")
        self._run = self._make_directory()
        try:
            self._write_scripts(self._run)
            self._spawn(self._run)
            if self.options.tap:
                self._await(init.READY_FOR_NET)
                links.configure(TAP, HOST_ENDS, [(prefix, by_way_of(prefix)) for prefix in self.options.routes])
                self.signal(init.NET_READY)
            self._await(init.RUNNING)
        except BaseException:
            self.stop(grace=0)
            raise
        return self

    def wait(self, timeout: float | None = None) -> int:
        """See Guest.wait. Raises LocalError when the kernel ended before the command."""
        assert self._process is not None, "not started"
        assert self._run is not None
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.command[0]} still runs after {timeout:g} s") from None
        self._join()
        status = self._run / "status"
        if not status.exists():
            raise LocalError(f"User-mode Linux ended before its command did.\n{self.last_words()}")
        return int(status.read_text())

    def signal(self, name: str) -> None:
        """See Guest.signal."""
        with contextlib.suppress(OSError):  # it has just ended: nobody is left to tell
            os.write(self._control, name.encode() + b"\n")

    def stop(self, grace: float = 10.0) -> None:
        """See Guest.stop."""
        if self._process is not None:
            if grace and self._process.poll() is None:
                self.signal("INT")
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(grace)
            self._process.kill()
            self._process.wait()
            self._join()
        for fd in self._ours:
            os.close(fd)
        self._ours = []
        if self._run is not None:
            shutil.rmtree(self._run, ignore_errors=True)

    def last_words(self, lines: int = 15) -> str:
        """The end of the kernel's console."""
        assert self._run is not None
        log = self._run / "console.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""

    def _make_directory(self) -> Path:
        """A directory of our own, locked while we live; those of starters that were killed are swept away."""
        for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):
                lock = os.open(left, os.O_RDONLY)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(left)
                finally:
                    os.close(lock)
        made = Path(tempfile.mkdtemp(prefix=PREFIX))
        lock = os.open(made, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self._ours.append(lock)
        return made

    def _write_scripts(self, run: Path) -> None:
        # Sockets and scratch files belong on the guest's own tmpfs; /tmp stays the host's, for the paths in commands.
        environment = self._environment() | {"TMPDIR": "/run/tmp", "DIALTONE_LAB": Mode.UML.value}
        script = run / "init"
        script.write_text(init.init_script(run, tap=self.options.tap))
        script.chmod(0o700)
        command = run / "command"
        command.touch(0o600)  # the environment may hold secrets
        command.write_text(init.command_script(self.command, self.options.directory or Path.cwd(), environment))

    def _spawn(self, run: Path) -> None:
        silent_in, silent_out = os.pipe()  # the output console reads this one; an end of file would hang it up
        control_in, self._control = os.pipe()
        output_in, output_out = os.pipe()
        words_in, words_out = os.pipe()
        self._ours += [self._control, silent_out]
        theirs = (silent_in, output_out, control_in, words_out)
        arguments = [
            # Whoever dies first takes the guest along: we take unshare, unshare takes the namespace's first process.
            *("setpriv", "--pdeathsig", "KILL", "--", "unshare", "--pid", "--fork", "--kill-child=KILL"),
            *("linux.uml", f"mem={self.options.memory_mib}M", f"uml_dir={run}/", "umid=dialtone"),
            *("rootfstype=hostfs", "rootflags=/", "rw", f"init={run}/init", "quiet"),
            *("con=null", "con0=null,fd:1", f"con1=fd:{silent_in},fd:{output_out}"),
            f"con2=fd:{control_in},fd:{words_out}",
        ]
        if self.options.tap:
            arguments.append(f"vec0:transport=tap,ifname={TAP},depth=128")
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(run)}
        if shutil.disk_usage("/dev/shm").free < self.options.memory_mib << 20:
            environment["TMPDIR"] = tempfile.gettempdir()  # the guest's memory is a file; a container's shm is small
        try:
            with (run / "console.log").open("wb") as log:
                self._process = subprocess.Popen(
                    arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    pass_fds=theirs,
                    start_new_session=True,
                )
        finally:
            for fd in theirs:
                os.close(fd)
        self._pump(output_in, self.output)
        self._pump(words_in, self._hear)

    def _hear(self, chunk: bytes) -> None:
        with self._change:
            self._said += chunk or b"\nended\n"
            self._change.notify_all()

    def _await(self, word: str) -> None:
        deadline = time.monotonic() + BOOT_SECONDS
        with self._change:
            while word not in (said := self._said.decode(errors="replace").split()):
                left = deadline - time.monotonic()
                if left <= 0 or "ended" in said:
                    how = "ended" if left > 0 else f"did not say {word!r} within {BOOT_SECONDS:g} s"
                    raise LocalError(f"User-mode Linux {how}.\n{self.last_words()}")
                self._change.wait(left)
