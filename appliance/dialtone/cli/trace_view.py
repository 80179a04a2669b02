# SPDX-License-Identifier: Apache-2.0
"""What the commands that draw ladders share: filters, times, colours, pictures."""

import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from dialtone.trace.bus import Event
from dialtone.trace.ladder import svg
from dialtone.trace.names import POINTS
from dialtone.trace.terminal import Clock, Filter, Terminal

F = TypeVar("F", bound=Callable[..., Any])
_NEW = click.Path(dir_okay=False, path_type=Path)


def filters(command: F) -> F:
    """`--imsi`, `--point`, `--element`, `--text`."""
    for option in (click.option("--text", default="", help="Whose name, remark or phone has this text."),
                   click.option("--element", default="", help="From or to this element: mme, UE, P-CSCF, enb1 ..."),
                   click.option("--point", type=click.Choice(POINTS), default=None, help="At this reference point."),
                   click.option("--imsi", default="", help="Of one phone only.")):
        command = option(command)
    return command


def times(command: F) -> F:
    """`--time`."""
    return click.option("--time", "clock", type=click.Choice([one.value for one in Clock]), default=None,
                        help="Of the day, since the line before, or since the first.")(command)


def pictures(command: F) -> F:
    """`--svg` and `--png`."""
    for option in (click.option("--png", type=_NEW, metavar="FILE", help="Draw it into a PNG file."),
                   click.option("--svg", "drawing", type=_NEW, metavar="FILE", help="Draw it into an SVG file.")):
        command = option(command)
    return command


def terminal(which: Filter, clock: str | None) -> Terminal:
    """Coloured where somebody sees it, and has not asked for none (NO_COLOR)."""
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return Terminal(which, Clock(clock or "none"), coloured, lambda moment: time.strftime(
        "%H:%M:%S", time.localtime(moment)) + f"{moment % 1:.3f}"[1:])


def draw(events: Iterable[Event], on: Terminal) -> None:
    """Line by line, as the events come."""
    for event in events:
        for line in on.draw(event):
            click.echo(line, color=on.colour)


def paint(events: list[Event], drawing: Path | None, png: Path | None) -> None:
    """Into files."""
    if drawing is not None:
        drawing.write_text(svg(events), "utf-8")
        click.echo(f"The ladder is in {drawing}.")
    if png is not None:
        from dialtone.trace import picture

        click.echo(f"{picture.png(png, events)} rows of the ladder are in {png}.")


def picked(events: list[Event], on: Terminal) -> list[Event]:
    """What the filter of `on` lets through, with phones by their IMSI."""
    on.expect(events)
    known = [event._replace(subject=on.identities.imsi(event)) for event in events]
    return [event for event in known if on.which.wants(event, event.subject)]
