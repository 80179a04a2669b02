# SPDX-License-Identifier: Apache-2.0
"""`dialtone trace`: watch, save and export messages."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from dialtone.cli.common import client, json_option, url_option
from dialtone.cli.trace_import import import_
from dialtone.lab.client import Client
from dialtone.lab.lab import event_of
from dialtone.trace import pcapng, record
from dialtone.trace.ladder import text_ladder
from dialtone.trace.names import POINTS


@click.group(invoke_without_command=True)
@click.option("--imsi", default="", help="Of one phone only.")
@click.option("--point", type=click.Choice(POINTS), default=None, help="At one reference point only.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes.")
@click.option("--ladder", is_flag=True, help="Draw a ladder.")
@click.option("--pcapng", "capture", type=click.Path(allow_dash=True), metavar="FILE",
              help="Write a file for Wireshark; - is standard output.")
@click.option("--record", "recording", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write a recording, to be replayed.")
@json_option
@url_option
@click.pass_context
def trace(ctx: click.Context, imsi: str, point: str | None, follow: bool, ladder: bool, capture: str | None,
          recording: Path | None, as_json: bool, url: str) -> None:
    """Show the messages of the network, oldest first.

    Examples: dialtone trace -f --imsi 001010000000001;
    dialtone trace -f --pcapng - | wireshark -k -i -
    """
    if ctx.invoked_subcommand is not None:
        return
    api = client(url)
    which = {"imsi": imsi, "point": point or ""}
    if capture is not None:
        _capture(api, capture, follow, which)
        return
    if recording is not None or ladder:
        events = [event_of(event) for event in _kept(api, octets=True, **which)]
        if recording is not None:
            click.echo(f"{record.write(recording, events)} events in {recording}.")
        else:
            click.echo(text_ladder(events), nl=False)
        return
    for event in _stream(api, **which) if follow else _kept(api, **which):
        click.echo(json.dumps(event) if as_json else line(event))


def line(event: dict[str, Any]) -> str:
    """One event as a line of text."""
    when = time.strftime("%H:%M:%S", time.localtime(event["time"])) + f"{event['time'] % 1:.3f}"[1:]
    ends = f"{event['src']} -> {event['dst']}" if event["kind"] != "done" else event["src"]
    info = f"  {event['info']}" if event["info"] else ""
    return f"{event['id']:>6} {when} {event['imsi'] or event['subject'] or '-':<15} {event['point']:<8} {ends:<28} " \
           f"{event['name']}{info}"


def _kept(api: Client, **which: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/trace", limit=10_000, **which)["events"]
    return found


def _stream(api: Client, **which: Any) -> Iterator[dict[str, Any]]:
    for kind, data in api.stream(**which):
        if kind == "trace":
            yield data
        elif kind == "gap":
            click.echo(f"({data['lost']} events are lost: this reader is too slow)", err=True)


def _capture(api: Client, where: str, follow: bool, which: dict[str, str]) -> None:
    """A capture to a file or a pipe; what follows goes out message by message."""
    with click.open_file(where, "wb") as out:
        if not follow:
            out.write(api.get("/trace.pcapng", **which))
            return
        writer = pcapng.Writer()
        out.write(writer.head())
        try:
            for found in _stream(api, octets=True, **which):
                event = event_of(found)
                writer.identities.note(event)
                out.write(writer.packets(event))
                out.flush()
        except BrokenPipeError:  # Wireshark was closed
            sys.stderr.close()


trace.add_command(import_)
