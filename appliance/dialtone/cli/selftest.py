# SPDX-License-Identifier: Apache-2.0
"""`dialtone selftest`: a simulated eNB and phones inside the appliance."""

import sys
import time

import click


@click.command()
@click.option("--phones", default=2, show_default=True, help="How many simulated phones.")
def selftest(phones: int) -> None:
    """Attach simulated phones to the core that runs here, register, text and call; then take all of it away.

    Needs root, and test PLMN 001/01 or 999/xx. Example: dialtone selftest
    """
    from dialtone.demo.selftest import selftest as run  # only this command needs namespaces

    start = time.monotonic()

    def say(text: str) -> None:
        click.echo(f"selftest {time.monotonic() - start:6.1f} s  {text}")

    good = run(phones, say)
    click.echo("selftest: pass" if good else "selftest: fail")
    sys.exit(0 if good else 1)
