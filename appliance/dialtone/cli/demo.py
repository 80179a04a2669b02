# SPDX-License-Identifier: Apache-2.0
"""`dialtone demo`: the whole lab."""

import signal
import sys
import time
from pathlib import Path

import click


@click.command()
@click.option("--check", is_flag=True, help="Attach every phone, say pass or fail, and end.")
@click.option("--listen", default="127.0.0.1", show_default=True, help="Address for JupyterLab and the API.")
@click.option("--state", type=click.Path(file_okay=False, path_type=Path), default=Path(".state"), show_default=True,
              help="Database, notebooks, logs; kept between runs.")
@click.option("--config", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A dialtone.toml.")
def demo(check: bool, listen: str, state: Path, file: Path | None) -> None:
    """Core, simulated eNB with three phones, JupyterLab; prints one URL and runs until Ctrl-C."""
    from dialtone.demo import host

    start = time.monotonic()

    def say(text: str) -> None:
        click.echo(f"{time.monotonic() - start:6.1f} s  {text}")

    # TERM ends it as cleanly as Ctrl-C; INT must work, too, where a shell started us in the background and ignores it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        good = host.demo(state, file, listen, check, say)
    except KeyboardInterrupt:
        say("ended")
        return
    click.echo("pass" if good else "fail")
    sys.exit(0 if good else 1)
