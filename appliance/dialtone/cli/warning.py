# SPDX-License-Identifier: Apache-2.0
"""`dialtone warning`: public warnings by cell broadcast."""

import click

from dialtone.cli.common import client, json_option, show, url_option


@click.group()
def warning() -> None:
    """Public warnings: messages that every phone of a cell shows."""


@warning.command()
@click.argument("text")
@click.option("--identifier", default=4380, show_default=True, help="Message identifier; 4380 is a test.")
@click.option("--period", default=5, show_default=True, help="Seconds between broadcasts.")
@click.option("--broadcasts", default=0, show_default=True, help="How many; 0 is until it is stopped.")
@click.option("--tac", "tacs", type=int, multiple=True, help="Tracking area, everywhere if none is given.")
@url_option
def send(text: str, identifier: int, period: int, broadcasts: int, tacs: tuple[int, ...], url: str) -> None:
    """Broadcast TEXT. Example: dialtone warning send "This is a test."

    Only in a network of your own with nobody else in range: phones of strangers show it, too.
    """
    client(url).post("/warnings", {"text": text, "identifier": identifier, "period": period,
                                   "broadcasts": broadcasts, "tacs": list(tacs)})
    click.echo(f"Message {identifier} is being sent to the eNBs.")


@warning.command()
@click.option("--identifier", default=4380, show_default=True, help="Message identifier.")
@url_option
def stop(identifier: int, url: str) -> None:
    """Stop a broadcast. Example: dialtone warning stop"""
    client(url).request("DELETE", f"/warnings/{identifier}")
    click.echo(f"Message {identifier} is being stopped.")


@warning.command("list")
@json_option
@url_option
def list_all(as_json: bool, url: str) -> None:
    """The warnings that stand. Example: dialtone warning list"""
    show(client(url).get("/warnings"), as_json, ("identifier", "serial", "period", "text"), "There is none.")
