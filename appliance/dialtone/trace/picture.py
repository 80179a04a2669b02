# SPDX-License-Identifier: Apache-2.0
"""The ladder as a picture of dots (PNG), for a report or a slide; drawn by matplotlib, where that is installed."""

from collections.abc import Iterable
from pathlib import Path

from dialtone.errors import LocalError
from dialtone.trace.bus import Event
from dialtone.trace.ladder import columns_of, head, short, visible
from dialtone.trace.names import column

LIMIT = 300
"""Rows of a picture: more cannot be read."""
_COLOURS = {"S1-MME": "#0b63b5", "NAS": "#18794e", "SMS": "#18794e", "S11": "#a65a00", "S5/S8": "#a65a00",
            "Gm": "#00707a", "Mw": "#00707a", "ISC": "#00707a"}
_OTHER, _NOTE, _LINE = "#7d3fb2", "#57606a", "#c4ccd4"
_ROW, _COLUMN = 0.24, 1.7  # inches


def png(path: Path | str, events: Iterable[Event]) -> int:
    """Draw the first rows of a trace; returns how many. Raises LocalError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise LocalError("matplotlib is not installed.", remedy="pip install 'dialtone[lab]', or take --svg.") from None
    rows = [event for event in events if visible(event)][:LIMIT]
    columns = columns_of(rows)
    figure = Figure(figsize=(_COLUMN * (max(len(columns), 2) + 0.5), _ROW * (len(rows) + 3)), dpi=120)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(-0.75, max(len(columns), 2) - 0.25)
    axes.set_ylim(len(rows) + 1, -2)
    for place, name in enumerate(columns):
        axes.text(place, -1, head(name), ha="center", va="center", fontsize=9, weight="bold")
        axes.plot((place, place), (-0.5, len(rows) + 0.5), color=_LINE, linewidth=0.8, zorder=0)
    for number, event in enumerate(rows):
        time = f"{(event.time - rows[0].time) * 1000:.1f} ms"
        axes.text(-0.72, number, time, ha="left", va="center", fontsize=6, color=_NOTE)
        if event.kind == "done":
            name = column(event.point, event.src)
            place = columns.index(name) if name in columns else 0
            axes.text(place, number, f"• {short(event)[:90]}", ha="left", va="center", fontsize=6, color=_NOTE)
            continue
        a, b = (columns.index(column(event.point, end)) for end in (event.src, event.dst))
        colour = _COLOURS.get(event.point, _OTHER)
        axes.annotate("", (b, number), (a, number), arrowprops={"arrowstyle": "->", "color": colour, "linewidth": 1})
        axes.text((a + b) / 2, number - 0.32, event.name[:60], ha="center", va="center", fontsize=6.5, color=colour)
    figure.savefig(path, format="png")
    return len(rows)
