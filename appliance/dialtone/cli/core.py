# SPDX-License-Identifier: Apache-2.0
"""`dialtone core`: the core process."""

from pathlib import Path

import click

from dialtone.cli.config import files
from dialtone.config import load


@click.command()
@click.option("--config", "given", type=click.Path(exists=True, dir_okay=False, path_type=Path), multiple=True,
              help="A dialtone.toml on top of the system's; may be repeated, later wins.")
@click.option("--state", type=click.Path(file_okay=False, path_type=Path), default=Path("/var/lib/dialtone"),
              show_default=True, help="Where the database lives.")
@click.option("--run", type=click.Path(file_okay=False, path_type=Path), default=Path("/run/dialtone"),
              show_default=True, help="Where the control socket goes.")
def core(given: tuple[Path, ...], state: Path, run: Path) -> None:
    """Run MME, gateway and HSS until SIGTERM. Needs CAP_NET_ADMIN and kernel SCTP; see `dialtone doctor`."""
    from dialtone.app import main  # only the core needs the elements

    main(load(files(*given)), state, run)
