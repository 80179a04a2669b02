# SPDX-License-Identifier: Apache-2.0
"""How things look in a notebook: texts without quotes, tables, one event as a line."""

import io
from base64 import b64encode
from collections.abc import Iterable
from html import escape
from typing import Any


class Text(str):
    """A text that shows as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f'<pre style="line-height:1.35">{escape(self)}</pre>'


class Picture:
    """A figure of matplotlib with a text for those who do not see it."""

    def __init__(self, figure: Any, alt: str) -> None:
        drawn = io.BytesIO()
        figure.savefig(drawn, format="svg", bbox_inches="tight")
        self.svg, self.alt = drawn.getvalue(), alt

    def __repr__(self) -> str:
        return f"<picture: {self.alt}>"

    def _repr_html_(self) -> str:
        return f'<img alt="{escape(self.alt)}" src="data:image/svg+xml;base64,{b64encode(self.svg).decode()}">'


def picture(figure: Any, alt: str) -> Picture:
    """Show a figure, and close it: Jupyter would show it again, without its text."""
    from matplotlib import pyplot

    shown = Picture(figure, alt)
    pyplot.close(figure)
    return shown


class Table(list[dict[str, Any]]):
    """A list of rows that shows as a table; `columns` are the keys shown."""

    def __init__(self, rows: Iterable[dict[str, Any]], columns: Iterable[str] = ()) -> None:
        super().__init__(rows)
        self.columns = list(columns) or list(dict.fromkeys(key for row in self for key in row))

    def _cells(self) -> list[list[str]]:
        return [[_cell(row.get(name, "")) for name in self.columns] for row in self]

    def __repr__(self) -> str:
        rows = [self.columns, *self._cells()]
        widths = [max(len(row[place]) for row in rows) for place in range(len(self.columns))]
        return "\n".join("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
                         for row in rows)

    def _repr_html_(self) -> str:
        heads = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in self._cells())
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {_cell(one)}" for key, one in value.items())
    return "" if value is None else str(value)
