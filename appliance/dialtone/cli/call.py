# SPDX-License-Identifier: Apache-2.0
"""`dialtone call`: the calls that there were."""

from datetime import datetime

import click

from dialtone.cli.common import client, json_option, show, url_option


@click.group()
def call() -> None:
    """Calls: who called whom, when and how it ended."""


@call.command()
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many.")
@json_option
@url_option
def records(limit: int, as_json: bool, url: str) -> None:
    """Call detail records, the newest first. Example: dialtone call records --limit 10"""
    found = client(url).get(f"/calls?limit={limit}")
    if not as_json:
        for record in found:
            record["began"] = datetime.fromtimestamp(record["began"]).strftime("%Y-%m-%d %H:%M:%S")
    show(found, as_json, ("began", "caller", "called", "dialled", "seconds", "status", "reason"),
         "No call yet.")
