# SPDX-License-Identifier: Apache-2.0
"""A guest: one command, running where every kernel feature is. What both kinds of place have in common."""

import abc
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

# The wire between the host and the lab, the same in both modes.
TAP = "dt-lab0"
HOST_ADDRESS = "10.254.0.1"
GUEST_ADDRESS = "10.254.0.2"
PREFIX_LENGTH = 30
HOST_ADDRESS6 = "fd0a:254::1"
GUEST_ADDRESS6 = "fd0a:254::2"
PREFIX_LENGTH6 = 64
HOST_ENDS = (f"{HOST_ADDRESS}/{PREFIX_LENGTH}", f"{HOST_ADDRESS6}/{PREFIX_LENGTH6}")
GUEST_ENDS = (f"{GUEST_ADDRESS}/{PREFIX_LENGTH}", f"{GUEST_ADDRESS6}/{PREFIX_LENGTH6}")


def family(item: str) -> str:
    """The option of iproute2 for an address or network."""
    return "-6" if ":" in item else "-4"


def by_way_of(prefix: str) -> str:
    """The guest's end of the wire that leads to a network."""
    return GUEST_ADDRESS6 if ":" in prefix else GUEST_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a guest is made.

    `tap`: an interface `dt-lab0` on the host (10.254.0.1, fd0a:254::1) that leads to the guest (10.254.0.2,
    fd0a:254::2), and for each prefix in `routes`, IPv4 or IPv6, a route of the host over it. `directory` and
    `environment` are the caller's own when None. `timeout`: seconds that `run` waits for the command. `memory_mib` is
    for user-mode Linux.
    """

    memory_mib: int = 1024
    tap: bool = False
    routes: tuple[str, ...] = ()
    timeout: float | None = None
    directory: Path | None = None
    environment: Mapping[str, str] | None = None


def to_stdout(chunk: bytes) -> None:
    """Pass the command's output on."""
    sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


class Guest(abc.ABC):
    """One command in one guest. Start it from a thread that lives as long as the guest: its death ends the guest.

    `output` is called, from a thread of the guest's, with each piece of the command's stdout and stderr.
    """

    def __init__(
        self, command: Sequence[str], options: Options | None = None, output: Callable[[bytes], None] = to_stdout
    ) -> None:
        self.command = list(command)
        self.options = options or Options()
        self.output = output
        self._threads: list[threading.Thread] = []

    @abc.abstractmethod
    def start(self) -> Self:
        """Return when the command has been started. Raises LocalError."""

    @abc.abstractmethod
    def wait(self, timeout: float | None = None) -> int:
        """The command's exit code (128 + n when signal n ended it), once the guest is gone.

        Raises TimeoutError when the guest outlives `timeout` seconds.
        """

    @abc.abstractmethod
    def signal(self, name: str) -> None:
        """Deliver a signal (`INT`, `TERM` ...) to the command and its process group."""

    @abc.abstractmethod
    def stop(self, grace: float = 10.0) -> None:
        """Interrupt the command, give it `grace` seconds to go, then end the guest. Leaves nothing behind."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _environment(self) -> dict[str, str]:
        given = self.options.environment
        return dict(os.environ if given is None else given)

    def _pump(self, fd: int, deliver: Callable[[bytes], None]) -> None:
        """Start a thread that hands on what comes out of `fd`, and closes it at its end."""

        def loop() -> None:
            with os.fdopen(fd, "rb", buffering=0) as source:
                while chunk := source.read(65536):
                    deliver(chunk)
            deliver(b"")

        thread = threading.Thread(target=loop, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _join(self) -> None:
        for thread in self._threads:
            thread.join()
