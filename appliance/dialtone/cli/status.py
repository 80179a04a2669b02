# SPDX-License-Identifier: Apache-2.0
"""`dialtone status`: health in one look."""

import click

from dialtone.cli.common import client, json_option, show, url_option


@click.command()
@json_option
@url_option
def status(as_json: bool, url: str) -> None:
    """Version, network, eNBs, phones. Example: dialtone status"""
    show(client(url).get("/status"), as_json)
