# SPDX-License-Identifier: Apache-2.0
"""`dialtone diameter`: the Diameter peers outside of the box."""

import click

from dialtone.cli.common import client, json_option, show, url_option


@click.group()
def diameter() -> None:
    """The Diameter peers outside."""


@diameter.command()
@json_option
@url_option
def peers(as_json: bool, url: str) -> None:
    """States and addresses of all peers. Example: dialtone diameter peers"""
    show(client(url).get("/diameter/peers"), as_json,
         ("host", "realm", "state", "watchdog", "address", "product", "waiting", "last"),
         "No peer: see [diameter] in dialtone.toml.")


@diameter.command()
@click.argument("host")
@url_option
def connect(host: str, url: str) -> None:
    """Connect to HOST now. Example: dialtone diameter connect hss1.example.org"""
    client(url).post(f"/diameter/peers/{host}:connect")


@diameter.command()
@click.argument("host")
@url_option
def disconnect(host: str, url: str) -> None:
    """Take leave of HOST and stay away. Example: dialtone diameter disconnect hss1.example.org"""
    client(url).post(f"/diameter/peers/{host}:disconnect")
