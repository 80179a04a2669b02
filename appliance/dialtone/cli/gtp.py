# SPDX-License-Identifier: Apache-2.0
"""`dialtone gtp`: the GTPv2-C peers outside of the box."""

import click

from dialtone.cli.common import client, json_option, show, url_option


@click.group()
def gtp() -> None:
    """The GTPv2-C peers outside."""


@gtp.command()
@json_option
@url_option
def peers(as_json: bool, url: str) -> None:
    """Paths to foreign S-GWs and MMEs, with state and counters. Example: dialtone gtp peers --json"""
    show(client(url).get("/gtp/peers"), as_json,
         ("peer", "state", "recovery", "restarts", "echo_sent", "echo_answered", "pdn_connections", "sessions", "last"),
         "No peer: see [gtp] in dialtone.toml.")
