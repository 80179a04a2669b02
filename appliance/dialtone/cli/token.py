# SPDX-License-Identifier: Apache-2.0
"""`dialtone token`: the teacher's token and the class code."""

import click

from dialtone.cli.common import client, json_option, show, url_option


@click.group()
def token() -> None:
    """Tokens of teacher and students."""


@token.command()
@click.argument("role", type=click.Choice(["student", "teacher"]))
@json_option
@url_option
def rotate(role: str, as_json: bool, url: str) -> None:
    """Make a new token; whoever came by the old one is out. Example: dialtone token rotate student"""
    done = client(url).post(f"/tokens/{role}:rotate")
    if as_json:
        show(done, True)
    else:
        click.echo(done["token"])
