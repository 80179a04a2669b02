# SPDX-License-Identifier: Apache-2.0
"""What commands share: the client, output for people and for programs."""

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from dialtone.lab.client import Client
from dialtone.lab.show import Table

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """`--json` on every command that reads."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def url_option(command: F) -> F:
    """`--url` on every command that asks the API."""
    return click.option("--url", default="", metavar="URL", help="The API, in place of the one found here.")(command)


def client(url: str) -> Client:
    """The API. Raises Unreachable, with a remedy, where none is found."""
    return Client(url)


def show(found: Any, as_json: bool, columns: Iterable[str] = (), empty: str = "None.") -> None:
    """Print rows, or one thing's fields, as JSON or as a table."""
    if as_json:
        click.echo(json.dumps(found, indent=2, default=str))
    elif isinstance(found, dict):
        click.echo(repr(Table([{"": name, " ": value} for name, value in found.items()])).lstrip("\n").lstrip())
    elif not found:
        click.echo(empty)
    else:
        click.echo(repr(Table(found, columns)))
