# SPDX-License-Identifier: Apache-2.0
"""Run a command where every kernel feature is: `python -m dialtone.lab_kernel.run [options] -- COMMAND ...`.

That is a fresh set of namespaces on this kernel when it has everything, else user-mode Linux. Either ends with the
command and leaves nothing behind; the command finds `DIALTONE_LAB` set to `namespaces` or `uml`. The exit code is the
command's own, 124 when the time ran out, 125 when there was no place to run it.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from dialtone.errors import LocalError
from dialtone.lab_kernel import kernel
from dialtone.lab_kernel.guest import Guest, Options, to_stdout
from dialtone.lab_kernel.namespaced import NamespaceGuest
from dialtone.lab_kernel.uml import UmlGuest

PATIENCE = 3  # how many Ctrl-C until the plug is pulled


def guest_for(
    mode: kernel.Mode,
    command: Sequence[str],
    options: Options | None = None,
    output: Callable[[bytes], None] = to_stdout,
) -> Guest:
    """The guest, not yet started, that runs `command` in `mode`. Raises LocalError where there is no such place."""
    if mode is kernel.Mode.NAMESPACES:
        return NamespaceGuest(command, options, output)
    if mode is kernel.Mode.UML:
        return UmlGuest(command, options, output)
    raise LocalError("The lab can run nowhere on this machine.", remedy="`./build.sh doctor` says what is missing.")


def run(mode: kernel.Mode, command: Sequence[str], options: Options | None = None) -> int:
    """Run `command` to its end and return its exit code; 124 when it outran `options.timeout`. Main thread only."""
    options = options or Options()
    with guest_for(mode, command, options) as guest, _forwarding(guest.signal):
        try:
            return guest.wait(options.timeout)
        except TimeoutError:
            return 124


@contextmanager
def _forwarding(deliver: Callable[[str], None]) -> Iterator[None]:
    """Hand INT and TERM on to the command; from one too many on, they end this process as usual."""
    count = 0

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        if count >= PATIENCE:
            raise KeyboardInterrupt
        deliver(signal.Signals(number).name.removeprefix("SIG"))

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dialtone.lab_kernel.run", description=__doc__)
    parser.add_argument("--mode", choices=["auto", "namespaces", "uml"], default="auto")
    parser.add_argument("--tap", action="store_true", help="reach the lab from the host at 10.254.0.2")
    parser.add_argument("--route", action="append", default=[], help="a prefix to route over the tap (repeatable)")
    parser.add_argument("--memory", type=int, default=1024, help="MiB of user-mode Linux")
    parser.add_argument("--timeout", type=float, help="seconds until the command is stopped")
    parser.add_argument("--quiet", action="store_true", help="do not say where the command runs")
    parser.add_argument("command", nargs="+", help="after --, the command")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    asked = _arguments(arguments)
    options = Options(
        memory_mib=asked.memory,
        tap=asked.tap or bool(asked.route),
        routes=tuple(asked.route),
        timeout=asked.timeout,
        directory=Path.cwd(),
        environment=dict(os.environ),
    )
    if asked.mode == "auto":
        report = kernel.probe()
        mode, why = report.mode, report.why
    else:
        mode, why = kernel.Mode(asked.mode), "asked for"
    if not asked.quiet:
        print(f"lab: {mode} ({why})", file=sys.stderr, flush=True)
    try:
        return run(mode, asked.command, options)
    except LocalError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 125
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
