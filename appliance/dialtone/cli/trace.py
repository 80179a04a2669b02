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
from dialtone.cli.trace_files import diff_, replay
from dialtone.cli.trace_import import import_
from dialtone.cli.trace_view import draw, filters, paint, picked, pictures, terminal, times
from dialtone.lab.client import Client
from dialtone.lab.lab import event_of
from dialtone.trace import pcapng, record
from dialtone.trace.bus import Event
from dialtone.trace.terminal import Filter, Terminal


@click.group(invoke_without_command=True)
@filters
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes.")
@click.option("--ladder", is_flag=True, help="Draw a ladder.")
@times
@click.option("--pcapng", "capture", type=click.Path(allow_dash=True), metavar="FILE",
              help="Write a file for Wireshark; - is standard output.")
@click.option("--record", "recording", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write a recording, to be replayed.")
@click.option("--megabytes", type=click.IntRange(1, 10_000), default=record.LIMIT >> 20, show_default=True,
              help="How large a recording may become.")
@pictures
@json_option
@url_option
@click.pass_context
def trace(ctx: click.Context, imsi: str, point: str | None, element: str, text: str, follow: bool, ladder: bool,
          clock: str | None, capture: str | None, recording: Path | None, megabytes: int, drawing: Path | None,
          png: Path | None, as_json: bool, url: str) -> None:
    """Show the messages of the network, oldest first.

    Examples: dialtone trace -f --ladder --time delta --imsi 001010000000001;
    dialtone trace -f --pcapng - | wireshark -k -i -
    """
    if ctx.invoked_subcommand is not None:
        return
    api = client(url)
    which = {"imsi": imsi, "point": point or ""}
    on = terminal(Filter(imsi, point or "", element, text), clock)
    if capture is not None:
        _capture(api, capture, follow, which)
    elif recording is not None:
        source = _events(_stream if follow else _kept, api, which)
        count = record.write(recording, source, megabytes << 20)
        click.echo(f"{count} events in {recording}.")
    elif ladder or drawing is not None or png is not None:
        _ladder(api, on, follow, which, drawing, png)
    else:
        for event in _stream(api, **which) if follow else _kept(api, **which):
            if not (element or text) or on.which.wants(event_of(event), event["imsi"] or event["subject"]):
                click.echo(json.dumps(event) if as_json else line(event))


def _ladder(api: Client, on: Terminal, follow: bool, which: dict[str, str], drawing: Path | None,
            png: Path | None) -> None:
    """On the terminal, or into files; what follows is drawn as it comes."""
    if follow:
        draw(_events(_stream, api, which), on)
        return
    events = picked(list(_events(_kept, api, which)), on)
    if drawing is not None or png is not None:
        paint(events, drawing, png)
    else:
        draw(events, on)


def line(event: dict[str, Any]) -> str:
    """One event as a line of text."""
    when = time.strftime("%H:%M:%S", time.localtime(event["time"])) + f"{event['time'] % 1:.3f}"[1:]
    ends = f"{event['src']} -> {event['dst']}" if event["kind"] != "done" else event["src"]
    info = f"  {event['info']}" if event["info"] else ""
    return f"{event['id']:>6} {when} {event['imsi'] or event['subject'] or '-':<15} {event['point']:<8} {ends:<28} " \
           f"{event['name']}{info}"


def _events(source: Any, api: Client, which: dict[str, str]) -> Iterator[Event]:
    return (event_of(event) for event in source(api, octets=True, **which))


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
            for event in _events(_stream, api, which):
                writer.identities.note(event)
                out.write(writer.packets(event))
                out.flush()
        except BrokenPipeError:  # Wireshark was closed
            sys.stderr.close()


for _command in (diff_, import_, replay):
    trace.add_command(_command)
