# SPDX-License-Identifier: Apache-2.0
"""The ladder: events in, SVG out. The one function that draws it, for notebooks, the API, /watch and the README.

Columns stand in a fixed order (UE, eNB, MME, S/P-GW, HSS, then others). A row is a group `#e<id>` with
data attributes, reachable by keyboard, so that a page needs no more than a click handler. Colours are CSS
variables with a light and a dark value; inside JupyterLab they follow its theme.
"""

from collections.abc import Iterable, Sequence
from html import escape

from dialtone.trace.bus import Event
from dialtone.trace.names import ROLES, Identities, column, role
from dialtone.trace.transactions import transaction

ROW, HEAD, LEFT, COLUMN, RIGHT = 26, 40, 92, 190, 60  # pixels
LIMIT = 2000
"""Rows of one picture; of a longer trace the newest are drawn."""
KEEP = 1000
"""Rows that are left when a growing picture is full: it is drawn anew once in a thousand rows."""
_QUIET = {"identity", "save"}  # done events that say nothing to people

STYLE = """
.dt{--dt-bg:var(--jp-layout-color1,#fff);--dt-fg:var(--jp-ui-font-color1,#1b1f24);
--dt-dim:var(--jp-ui-font-color2,#57606a);--dt-line:var(--jp-border-color1,#c4ccd4);
--dt-S1-MME:#0b63b5;--dt-NAS:#18794e;--dt-S11:#a65a00;--dt-S6a:#7d3fb2;--dt-Gm:#00707a;--dt-S1-U:#5b6470;--dt-bad:#c62828;
--dt-good:#18794e;--dt-pick:#fff1b8;background:var(--dt-bg);
font:12px system-ui,-apple-system,'Segoe UI',sans-serif}
@media(prefers-color-scheme:dark){.dt{--dt-bg:var(--jp-layout-color1,#14181d);
--dt-fg:var(--jp-ui-font-color1,#e6e9ec);--dt-dim:var(--jp-ui-font-color2,#9aa4af);
--dt-line:var(--jp-border-color1,#3a424b);--dt-S1-MME:#6cb6ff;--dt-NAS:#5fd39a;--dt-S11:#ffb057;
--dt-S6a:#c79bf2;--dt-Gm:#4fd0d8;--dt-S1-U:#aab4be;--dt-bad:#ff8a80;--dt-good:#5fd39a;--dt-pick:#4a3f12}}
[data-jp-theme-light=false] .dt{--dt-S1-MME:#6cb6ff;--dt-NAS:#5fd39a;--dt-S11:#ffb057;--dt-S6a:#c79bf2;
--dt-Gm:#4fd0d8;--dt-S1-U:#aab4be;--dt-bad:#ff8a80;--dt-good:#5fd39a;--dt-pick:#4a3f12}
[data-jp-theme-light=true] .dt{--dt-S1-MME:#0b63b5;--dt-NAS:#18794e;--dt-S11:#a65a00;--dt-S6a:#7d3fb2;--dt-Gm:#00707a;
--dt-S1-U:#5b6470;--dt-bad:#c62828;--dt-good:#18794e;--dt-pick:#fff1b8}
.dt text{fill:var(--dt-fg)}.dt .time,.dt .note text{fill:var(--dt-dim)}.dt .head{font-weight:600}
.dt .life{stroke:var(--dt-line)}.dt .row{cursor:pointer;--c:var(--dt-fg)}.dt .row .hit{fill:transparent}
.dt .row:hover .hit,.dt .row.picked .hit{fill:var(--dt-pick)}.dt .row:focus{outline:none}
.dt .row.mate .hit{fill:var(--dt-pick);fill-opacity:.45}
.dt .row:focus-visible .hit{stroke:var(--c);stroke-width:1.5}
.dt .arrow{stroke:var(--c);stroke-width:1.6}.dt .tip{fill:var(--c)}.dt .row .name{fill:var(--c)}
.dt .halo{stroke:var(--dt-bg);stroke-width:4;paint-order:stroke}
.dt .good .name{fill:var(--dt-good)}.dt .bad .name{fill:var(--dt-bad);font-weight:600}
""" + "".join(f".dt .{point}{{--c:var(--dt-{point})}}" for point in ("S1-MME", "NAS", "S11", "S6a", "Gm", "S1-U")) \
    + ".dt .Mw,.dt .ISC{--c:var(--dt-Gm)}" \
    + ".dt .SGd,.dt .Cx,.dt .Rx,.dt .Gx{--c:var(--dt-S6a)}" \
    + r".dt .Diameter{--c:var(--dt-S6a)}.dt .SMS{--c:var(--dt-NAS)}.dt .S5\/S8{--c:var(--dt-S11)}"


def columns_of(events: Iterable[Event]) -> list[str]:
    """The participants of a trace in ladder order: phones share one column, all others have their own."""
    return ordered(_participants(events, {}))


def _participants(events: Iterable[Event], seen: dict[str, str]) -> dict[str, str]:
    """Those of `events`, with their roles, added to those `seen` before."""
    for event in events:
        for end in (event.src, event.dst) if event.kind != "done" else ():
            seen.setdefault(column(event.point, end), role(event.point, end))
    return seen


def ordered(seen: dict[str, str]) -> list[str]:
    """Columns in their order, by their roles."""
    order = {name: place for place, name in enumerate(ROLES)}
    return sorted(seen, key=lambda name: (order.get(seen[name], len(order)), name))


def visible(event: Event) -> bool:
    """Whether the event is worth a row."""
    return event.kind != "done" or event.point not in _QUIET


class Ladder:
    """A picture that grows: `svg()` is all of it, `append` the part to add to a page that shows it."""

    def __init__(self, events: Iterable[Event] = (), imsi: str = "") -> None:
        self.imsi = imsi
        self.identities = Identities()
        self.columns: list[str] = []
        self.rows: list[Event] = []
        self._seen: dict[str, str] = {}
        self._kept: list[Event] = []
        self.append(events)

    def append(self, events: Iterable[Event]) -> str | None:
        """Add events. Returns the SVG of the new rows, None where the whole picture changes: another
        column, a label that turned out to be this phone, more rows than fit."""
        fresh = list(events)
        labels = {label for event in fresh if (label := self.identities.note(event))}
        # In a picture of one phone its earlier rows appear; in that of all they stand there, under their labels.
        learned = self.imsi and [event for event in (*self._kept, *fresh) if event.subject in labels]
        self._kept = [*self._kept, *fresh][-10 * LIMIT:]
        kept = self._kept if learned else fresh
        rows = [event for event in kept if visible(event) and self._mine(event)]
        before = 0 if learned else len(self.rows)
        full = before + len(rows) > LIMIT
        self.rows = (rows if learned else self.rows + rows)[-(KEEP if full and self.columns else LIMIT):]
        self._seen = _participants(self.rows, {}) if learned or full else _participants(rows, self._seen)
        columns = ordered(self._seen)
        whole = bool(learned) or columns != self.columns or full
        self.columns = columns
        return None if whole else "".join(map(self._row, rows, range(before, before + len(rows))))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return LEFT + COLUMN * max(len(self.columns) - 1, 1) + RIGHT, HEAD + ROW * (len(self.rows) + 1)

    def svg(self) -> str:
        """The whole picture, usable as a file, too."""
        width, height = self.size
        title = f"Ladder of {self.imsi}" if self.imsi else "Ladder of all messages"
        heads = "".join(
            f'<text class="head" data-column="{escape(name)}" x="{self._x(name)}" y="22" text-anchor="middle">'
            f'{escape(head(name))}</text>'
            f'<line class="life" x1="{self._x(name)}" x2="{self._x(name)}" y1="30" y2="{height}"/>'
            for name in self.columns)
        return (f'<svg xmlns="http://www.w3.org/2000/svg" class="dt" width="{width}" height="{height}" '
                f'viewBox="0 0 {width} {height}" role="group" aria-label="{escape(title)}">'
                f'<style>{STYLE}</style><g class="heads">{heads}</g>'
                f'<g class="rows">{"".join(map(self._row, self.rows, range(len(self.rows))))}</g></svg>')

    def _mine(self, event: Event) -> bool:
        return not self.imsi or self.identities.imsi(event) == self.imsi

    def _place(self, event: Event) -> int:
        """The column of a `done` event; -1 where its element has none."""
        name = column(event.point, event.src)
        return self.columns.index(name) if name in self.columns else -1

    def _x(self, name: str) -> int:
        return LEFT + COLUMN * self.columns.index(name)

    def _end(self, event: Event, name: str) -> int:
        return self._x(column(event.point, name))

    def _row(self, event: Event, index: int) -> str:
        y, width = HEAD + ROW * index, self.size[0]
        subject = self.identities.imsi(event)
        start = self.rows[0].time
        drawn, kind = self._note(event) if event.kind == "done" else self._arrow(event, subject)
        label = f"{event.point} {event.name}, {event.src} to {event.dst}" if event.kind != "done" else (
            f"{event.src} {event.name}: {event.info}")
        return (f'<g class="row {kind}" id="e{event.id}" data-id="{event.id}" data-time="{event.time:.6f}" '
                f'data-point="{escape(event.point)}" data-name="{escape(event.name)}" '
                f'data-imsi="{escape(subject)}" data-procedure="{escape(event.procedure)}" '
                f'data-from="{escape(column(event.point, event.src))}" '
                f'data-to="{escape(column(event.point, event.dst))}" '
                f'data-mates="{escape(transaction(event, subject))}" tabindex="0" '
                f'role="button" aria-label="{escape(label)}" transform="translate(0 {y})">'
                f'<title>{escape(label)}</title>'
                f'<rect class="hit" x="1" y="1" width="{width - 2}" height="{ROW - 1}" rx="4"/>'
                f'<text class="time" x="8" y="17">{(event.time - start) * 1000:.1f} ms</text>{drawn}</g>')

    def _arrow(self, event: Event, subject: str) -> tuple[str, str]:
        a, b = self._end(event, event.src), self._end(event, event.dst)
        tip = b - 7 if b > a else b + 7
        text = event.name + (f" ({event.info})" if event.info else "")
        if not self.imsi and subject.isdigit():
            text += f" …{subject[-4:]}"
        kind = f"{event.point} msg" + (" bad" if event.name == "undecodable" or event.info else "")
        return (f'<line class="arrow" x1="{a}" x2="{tip}" y1="20" y2="20"/>'
                f'<polygon class="tip" points="{b},20 {tip},16 {tip},24"/>'
                f'<text class="name halo" x="{(a + b) / 2:g}" y="15" text-anchor="middle">'
                f"{escape(text)}</text>"), kind

    def _note(self, event: Event) -> tuple[str, str]:
        kind = "note"
        if event.point in ("verdict", "error"):
            kind = "note good" if event.info.startswith("ok") else "note bad"
        place = self._place(event)
        x = LEFT + COLUMN * max(place, 0)
        late = self.columns and x > LEFT + COLUMN * len(self.columns) // 2
        anchor = ' text-anchor="end"' if late else ""
        return (f'<circle class="tip" cx="{x}" cy="14" r="3"/><text class="name halo" '
                f'x="{x - 8 if late else x + 8}" y="18"{anchor}>{escape(short(event))}</text>'), kind


def head(name: str) -> str:
    """What stands above a column."""
    return {"mme": "MME", "pgw": "S/P-GW", "hss": "HSS"}.get(name, name)


def short(event: Event) -> str:
    """What a `done` event says, in one line."""
    if event.point == "state":
        return f"{event.name}: {event.info}"
    text = f"{event.name} {event.info}" if event.point in ("timer", "verdict") else (
        f"{event.point} {event.name} {event.info}")
    return text if len(text) <= 110 else text[:109] + "…"


def svg(events: Iterable[Event], imsi: str = "") -> str:
    """The ladder of a trace; `imsi` picks one phone."""
    return Ladder(events, imsi).svg()


def text_ladder(events: Iterable[Event], columns: Sequence[str] = ()) -> str:
    """The ladder as text without times and numbers, for golden files that a person reads and a diff compares."""
    rows = [event for event in events if visible(event)]
    names = list(columns) or columns_of(rows)
    return "\n".join([text_heads(names), *(text_row(event, names) for event in rows)]) + "\n"


def _width(names: Sequence[str]) -> int:
    return max([8, *(len(head(name)) + 2 for name in names)])


def text_heads(names: Sequence[str]) -> str:
    """The first line of a ladder as text."""
    return "".join(head(name).ljust(_width(names)) for name in names).rstrip()


def text_row(event: Event, names: Sequence[str]) -> str:
    """One of its rows. The columns of a message are among `names`."""
    width = _width(names)
    life = "|".ljust(width)
    if event.kind == "done":
        line = [life] * len(names)
        name = column(event.point, event.src)
        if name in names:
            line[names.index(name)] = "*".ljust(width)
        return ("".join(line) + short(event)).rstrip()
    ends = [names.index(column(event.point, end)) for end in (event.src, event.dst)]
    low, high = min(ends), max(ends)
    shaft = "-" * (width * (high - low) - 2)
    arrow = f"|{shaft}>" if ends[0] < ends[1] else f"|<{shaft}"
    text = life * low + arrow + life * (len(names) - high)
    info = f" ({event.info})" if event.info else ""
    return f"{text}{event.point:<7} {event.name}{info}".rstrip()
