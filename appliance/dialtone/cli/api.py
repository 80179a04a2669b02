# SPDX-License-Identifier: Apache-2.0
"""`dialtone api`: the API process."""

from pathlib import Path

import click


@click.command()
@click.option("--run", type=click.Path(file_okay=False, path_type=Path), default=Path("/run/dialtone"),
              show_default=True, help="Directory of the sockets.")
@click.option("--listen", multiple=True, metavar="HOST:PORT", help="Serve TCP, too; may be repeated.")
@click.option("--host", multiple=True, help="Another name by which browsers call us.")
@click.option("--state", type=click.Path(file_okay=False, path_type=Path),
              help="Directory of tokens and answers; by default that of the sockets.")
@click.option("--power", is_flag=True, help="The teacher may switch this machine off and restart it.")
@click.option("--notebooks", default="", metavar="URL", help="Where JupyterLab is; port 8888 here by default.")
def api(run: Path, listen: tuple[str, ...], host: tuple[str, ...], state: Path | None, power: bool,
        notebooks: str) -> None:
    """Serve the HTTP API of a running core. Example: dialtone api --listen 127.0.0.1:8000"""
    from dialtone.api.__main__ import serve  # only this process needs FastAPI

    serve(run, list(listen), frozenset(host), state=state, power=power, notebooks=notebooks)
