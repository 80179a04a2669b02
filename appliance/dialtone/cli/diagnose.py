# SPDX-License-Identifier: Apache-2.0
"""`dialtone diagnose`: why does it not work?"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from dialtone.cli.common import client, json_option, url_option

_MARKS = {"ok": "ok", "note": "--", "failure": "!!"}


def _tell(verdict: Mapping[str, Any]) -> None:
    """A verdict for people: the sentence with its remedy, and under a failure who must change, and where it is seen."""
    who = f"{verdict['imsi']}: " if verdict["imsi"] else ""
    click.echo(f"{_MARKS[verdict['level']]} {who}{verdict['line']}")
    if verdict["level"] == "failure":
        row = f"{verdict['row']} of docs/diagnosis.md; " if verdict.get("row") else ""
        events = ", ".join(map(str, verdict["evidence"])) or "none"
        click.echo(f"   {row}to change: {verdict.get('change') or 'nothing'}; events of the trace: {events}")


@click.command()
@click.argument("imsi", required=False, default="")
@click.option("--file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Look at a recording in place of the running network.")
@json_option
@url_option
def diagnose(imsi: str, file: Path | None, as_json: bool, url: str) -> None:
    """Say why a phone does not work, and what to do; without IMSI, of all phones and eNBs.

    Exit code 1 when something is wrong. Example: dialtone diagnose 001010000000001
    """
    if file is not None:
        from dialtone.lab.replay import Replay

        found = Replay(file).get("/diagnose", imsi=imsi)
    else:
        found = client(url).get("/diagnose", imsi=imsi)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        for verdict in found:
            _tell(verdict)
        if not found:
            click.echo("Nothing has happened yet that could be judged.")
    sys.exit(any(verdict["level"] == "failure" for verdict in found))
