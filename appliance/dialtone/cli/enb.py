# SPDX-License-Identifier: Apache-2.0
"""`dialtone enb`: the eNBs."""

import click

from dialtone.cli.common import client, json_option, show, url_option


@click.group()
def enb() -> None:
    """The eNBs."""


@enb.command("list")
@json_option
@url_option
def list_all(as_json: bool, url: str) -> None:
    """The eNBs that are connected. Example: dialtone enb list"""
    show(client(url).get("/enbs"), as_json, ("name", "id", "plmn", "tais", "phones", "peer"), "No eNB is connected.")


@enb.command()
@click.argument("name")
@click.option("--imsi", "imsis", multiple=True, help="This phone alone; may be given more than once.")
@url_option
def reset(name: str, imsis: tuple[str, ...], url: str) -> None:
    """Reset the connections of an eNB: its phones become idle. Example: dialtone enb reset sim-enb1"""
    client(url).post(f"/enbs/{name}:reset", {"imsis": list(imsis)})
    click.echo(f"{name} is being reset.")


@enb.command()
@click.argument("action", required=False)
@url_option
def overload(action: str | None, url: str) -> None:
    """Ask all eNBs to keep phones away; without ACTION let them in again.

    Example: dialtone enb overload reject-rrc-cr-signalling
    """
    client(url).post("/overload", **({"action": action} if action else {}))
    click.echo("The eNBs are told.")


@enb.command()
@click.argument("value", type=click.IntRange(0, 255))
@url_option
def capacity(value: int, url: str) -> None:
    """Our weight among the MMEs of the eNBs. Example: dialtone enb capacity 10"""
    client(url).post("/capacity", value=value)
    click.echo("The eNBs are told.")
