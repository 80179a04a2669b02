# SPDX-License-Identifier: Apache-2.0
"""`dialtone trace replay` and `diff`: traces in files, recordings and captures alike."""

from pathlib import Path

import click

from dialtone.cli.trace_view import draw, filters, paint, picked, pictures, terminal, times
from dialtone.errors import DialtoneError
from dialtone.trace import capture, decode, diff, record
from dialtone.trace.bus import Event
from dialtone.trace.names import UE, about, role
from dialtone.trace.terminal import Filter

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=FILE)
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True,
              help="10 is ten times faster.")
@click.option("--step", is_flag=True, help="One line at each press of Enter.")
@click.option("--at-once", is_flag=True, help="Without waiting.")
@filters
@times
@pictures
def replay(file: Path, speed: float, step: bool, at_once: bool, imsi: str, point: str | None, element: str, text: str,
           clock: str | None, drawing: Path | None, png: Path | None) -> None:
    """Show a recording, or a capture, in its rhythm.

    Example: dialtone trace replay attach.trace.gz --speed 10 --element UE
    """
    on = terminal(Filter(imsi, point or "", element, text), clock or "relative")
    events = picked(capture.events_of(file), on)
    if drawing is not None or png is not None:
        paint(events, drawing, png)
        return
    rhythm = record.replay(events, record.AT_ONCE if step or at_once else speed)
    for event in rhythm:
        draw([event], on)
        if step:
            click.prompt("", default="", prompt_suffix="", show_default=False, err=True)


@click.command("diff")
@click.argument("first", type=FILE)
@click.argument("second", type=FILE)
@click.option("--imsi", default="", help="Of one phone in both.")
@click.option("--other", default="", metavar="IMSI", help="Of this phone in the second.")
@click.option("--fields", is_flag=True, help="Also what differs in messages that both have.")
@click.option("--all", "everything", is_flag=True, help="Also what is the same.")
def diff_(first: Path, second: Path, imsi: str, other: str, fields: bool, everything: bool) -> None:
    """Compare two runs, recordings or captures: `-` is in the first only, `+` in the second only.

    Exit code 1 where they differ. Example: dialtone trace diff good.trace.gz bad.pcapng --fields
    """
    lines = list(diff.ladders(about(capture.events_of(first), imsi), about(capture.events_of(second), other or imsi)))
    different = [line for line in lines if line.mark != " "]
    for line in lines if everything or fields else [*lines[:1], *different] if different else []:
        click.echo(f"{line.mark} {line.text}")
        for text in diff.fields(line, _decoded) if fields else ():
            click.echo(f"      {text}")
    if not different:
        click.echo("The same messages in the same order.")
    raise SystemExit(bool(different))


def _decoded(event: Event) -> str:
    try:
        return decode.tree(event.point, event.plain or event.data, role(event.point, event.dst) == UE)
    except DialtoneError as error:
        return str(error)
