# SPDX-License-Identifier: Apache-2.0
"""`dialtone config`: is dialtone.toml right, and what does it say in the end? And IPv6 networks of one's own for it."""

import dataclasses
import json
import os
from ipaddress import IPv6Network
from pathlib import Path

import click

from dialtone.config import load

PLACES = (Path("/etc/dialtone/dialtone.toml"), Path("/boot/firmware/dialtone.toml"))


def files(*given: Path) -> list[Path]:
    """Where the configuration is read from, later wins: the system's places, and the files named."""
    return [*(place for place in PLACES if place.exists()), *given]


@click.group()
def config() -> None:
    """Check dialtone.toml, and help to write it."""


@config.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the whole configuration in force.")
def check(file: Path | None, as_json: bool) -> None:
    """Check FILE on top of the system's configuration. Example: dialtone config check dialtone.toml"""
    read = files(*([file] if file else []))
    configuration = load(read)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(configuration), default=str, indent=2))
        return
    network = configuration.network
    click.echo(f"{', '.join(map(str, read)) or 'built-in defaults'}: good. "
               f"{network.name}, PLMN {network.plmn}, TAC {', '.join(map(str, network.tac))}")


@config.command()
def ula() -> None:
    """Make IPv6 networks that nobody else has, to be put into dialtone.toml. Example: dialtone config ula"""
    own = IPv6Network((b"\xfd" + os.urandom(5) + bytes(10), 48))  # RFC 4193, 3.2: a random global identifier
    names = [name for name, apn in load(files()).apn.items() if apn.pdn_type != "ipv4"]
    for name, network in zip(names, own.subnets(new_prefix=56), strict=False):
        click.echo(f'[apn.{name}]\npool6 = "{network}"')
