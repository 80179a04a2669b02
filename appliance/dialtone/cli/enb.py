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
