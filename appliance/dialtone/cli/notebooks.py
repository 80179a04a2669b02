# SPDX-License-Identifier: Apache-2.0
"""`dialtone notebooks`: JupyterLab, as the appliance's service runs it."""

from pathlib import Path

import click


@click.command()
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), required=True,
              help="Where the notebooks may be edited; what was edited there stays.")
@click.option("--originals", type=click.Path(exists=True, file_okay=False, path_type=Path),
              default=Path("/opt/dialtone/notebooks"), show_default=True, help="Where they come from.")
@click.option("--listen", default="127.0.0.1", show_default=True, help="Address.")
@click.option("--port", default=8888, show_default=True, help="Port.")
def notebooks(folder: Path, originals: Path, listen: str, port: int) -> None:
    """Run JupyterLab on a copy of the notebooks. The token is read from JUPYTER_TOKEN."""
    from dialtone.demo.jupyter import become

    become(folder, originals, listen, port)
